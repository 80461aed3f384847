//! A capacity plan for programs.

use serde_json::{Value, json};

use crate::experiment::{
    BudgetPlan, CapacityPlan, Commitment, Demand, LimitPlan, Load, Missing, Outcome, PoolPlan, SpendPeriod, SpendPlan,
};
use crate::report::plan::{budget_of, kind_words, period_words};

/// The id of this layout.
pub const SCHEMA: &str = "billcast.plan/1";

/// The plan as JSON; money is a decimal string.
pub fn json(plan: &CapacityPlan) -> Vec<u8> {
    let about = &plan.about;
    let document = json!({
        "schema": SCHEMA,
        "scenario": about.scenario,
        "profile": about.profile,
        "prices_as_of": about.prices_as_of,
        "seed": about.seed,
        "runs": about.runs,
        "partial": about.partial,
        "unpriced": plan.unpriced,
        "missing": plan.missing.iter().map(|missing| name_of(*missing)).collect::<Vec<_>>(),
        "horizon_hours": about.horizon_hours,
        "target_refused_share": plan.target,
        "pools": plan.pools.iter().map(pool).collect::<Vec<_>>(),
        "spend_limits": plan.spends.iter().map(spend).collect::<Vec<_>>(),
        "money_limits": plan.budgets.iter().map(budget).collect::<Vec<_>>(),
        "today": outcome(&plan.today),
        "planned": plan.planned.as_ref().map(outcome),
        "commitments": plan.commitments.iter().map(commitment).collect::<Vec<_>>(),
        "command": about.command,
    });
    crate::report::json::bytes(&document)
}

/// The part of the document that lacks it.
const fn name_of(missing: Missing) -> &'static str {
    match missing {
        Missing::Smallest => "smallest",
        Missing::Together => "together",
        Missing::Growth => "growth",
        Missing::Spends => "spend_limits",
        Missing::Commitments => "commitments",
        Missing::Budgets => "money_limits",
    }
}

fn pool(pool: &PoolPlan) -> Value {
    json!({
        "deployments": pool.deployments,
        "model": pool.model,
        "provider": pool.provider,
        "offered": load(&pool.offered),
        "admitted": load(&pool.admitted),
        "refused_share": pool.refused_share,
        "limits": pool.limits.iter().map(limit).collect::<Vec<_>>(),
        "binds_first": pool.binds.as_ref().map(|binding| json!({
            "limit": kind_words(binding.kind), "run_share": binding.run_share, "at": binding.at,
            "at_hour": binding.at_hour,
        })),
        "growth_until_limits_break": pool.growth,
    })
}

fn load(load: &Load) -> Value {
    json!({
        "calls_per_minute": demand(load.calls),
        "tokens_per_minute": demand(load.tokens),
        "concurrency": demand(load.concurrency),
    })
}

fn demand(demand: Demand) -> Value {
    json!({ "p50": demand.p50, "p95": demand.p95, "p999": demand.p999, "peak": demand.peak })
}

fn limit(limit: &LimitPlan) -> Value {
    json!({
        "limit": kind_words(limit.kind), "today": limit.today, "used": limit.used.map(demand),
        "headroom": limit.headroom, "smallest": limit.needed, "together": limit.proposed,
    })
}

fn spend(spend: &SpendPlan) -> Value {
    let seconds = match spend.period {
        SpendPeriod::Seconds(seconds) => Some(seconds),
        SpendPeriod::Run | SpendPeriod::FirstMonth | SpendPeriod::LaterMonth => None,
    };
    json!({
        "provider": spend.provider, "deployments": spend.deployments, "period": period_words(spend.period), "period_s": seconds,
        "limit_usd": spend.limit, "used_usd": demand(spend.used), "headroom": spend.headroom,
        "runs_over_share": spend.over_share,
    })
}

fn budget(budget: &BudgetPlan) -> Value {
    let used = budget.used.map(|[p50, p95, max]| json!({ "p50": p50, "p95": p95, "max": max }));
    json!({
        "of": budget_of(budget.of), "name": budget.name, "path": budget.path, "period": budget.period,
        "today": budget.today, "used": used, "smallest": budget.smallest, "failure_rate": budget.failure_rate,
        "bill_mean": { "without": budget.bill[0], "with_smallest": budget.bill[1] },
    })
}

fn outcome(outcome: &Outcome) -> Value {
    json!({
        "bill_mean": outcome.bill, "failure_rate": outcome.failure_rate, "fallback_share": outcome.fallback_share,
        "refused_share_by_pool": outcome.refused,
    })
}

fn commitment(commitment: &Commitment) -> Value {
    let offer = &commitment.offer;
    json!({
        "target": offer.target, "unit_tokens_per_minute": offer.unit_tokens, "unit_price_per_hour": offer.hourly,
        "units": commitment.units,
        "bill_mean": { "on_demand": commitment.on_demand, "with_units": commitment.with_units },
        "spill": commitment.spill, "idle": commitment.idle, "used_share": commitment.used_share,
        "spill_share": commitment.spill_share, "break_even_price_per_hour": commitment.break_even,
        "edit": commitment.edit(),
    })
}

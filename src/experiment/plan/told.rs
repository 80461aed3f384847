//! What a plan tells.

use std::collections::BTreeSet;

use crate::experiment::forecast::{About, Demand};
use crate::experiment::plan::accounts::SpendPlan;
use crate::experiment::plan::budgets::{BudgetPlan, SoughtBudgets};
use crate::experiment::plan::provisioned::Commitment;
use crate::units::Money;

/// What limits could be.
#[derive(Debug, Clone)]
pub struct CapacityPlan {
    /// What was simulated with today's limits.
    pub about: About,
    /// What was not found out, because it was interrupted; nothing of it is in the plan, or only its first parts.
    pub missing: Vec<Missing>,
    /// The share of calls that limits may refuse.
    pub target: f64,
    /// Models without a price that were called: no amount has what goes there.
    pub unpriced: BTreeSet<String>,
    /// Pool by pool.
    pub pools: Vec<PoolPlan>,
    /// What accounts may spend, and what they would.
    pub spends: Vec<SpendPlan>,
    /// Budgets of the gateway, where they were sought.
    pub budgets: Vec<BudgetPlan>,
    /// With today's limits.
    pub today: Outcome,
    /// With the smallest limits that meet the target, simulated again; none where that is missing.
    pub planned: Option<Outcome>,
    /// Paid capacity beside pay as you go.
    pub commitments: Vec<Commitment>,
}

/// What an interrupted plan may lack, in the order in which it is found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// What would be used of each limit if nothing were refused, and the smallest limit alone.
    Smallest,
    /// Limits that meet the target together, and what that comes to.
    Together,
    /// How much more traffic today's limits bear.
    Growth,
    /// What accounts would spend, of those that are not there.
    Spends,
    /// What paid capacity is worth, of the offers that are not there.
    Commitments,
    /// Budgets that are not there.
    Budgets,
}

/// What a whole scenario comes to under some limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Mean bill of a horizon.
    pub bill: Money,
    /// Requests without a good answer.
    pub failure_rate: f64,
    /// Requests that another group answered.
    pub fallback_share: f64,
    /// Share of each pool's calls that limits refuse.
    pub refused: Vec<f64>,
}

/// One pool: the deployments that share limits.
#[derive(Debug, Clone)]
pub struct PoolPlan {
    /// Its deployments.
    pub deployments: Vec<String>,
    /// Their model.
    pub model: String,
    /// Their provider.
    pub provider: String,
    /// What the gateway sends.
    pub offered: Load,
    /// What the provider takes up.
    pub admitted: Load,
    /// Share of the calls that limits refuse.
    pub refused_share: f64,
    /// Its limits, those that are not set today as well.
    pub limits: Vec<LimitPlan>,
    /// The limit that is hit first, if any is.
    pub binds: Option<Binding>,
    /// The factor on all traffic at which its limits refuse more than the target; none where they never do up to
    /// [`MOST_GROWTH`], or where that is missing.
    pub growth: Option<f64>,
}

/// Load by minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Calls a minute.
    pub calls: Demand,
    /// Tokens a minute.
    pub tokens: Demand,
    /// Calls at once.
    pub concurrency: Demand,
}

/// One limit of a pool.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitPlan {
    /// What it counts.
    pub kind: LimitKind,
    /// Today's limit, if there is one.
    pub today: Option<f64>,
    /// What would be counted in a period if every call were let in; none where that is missing.
    pub used: Option<Demand>,
    /// The part of the limit that the 99.9th percentile leaves free; negative where it is not enough.
    pub headroom: Option<f64>,
    /// The smallest limit that refuses no more than the target, the others lifted; none where that is missing.
    pub needed: Option<f64>,
    /// What meets the target together with the other limits; none where that is missing.
    pub proposed: Option<f64>,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitKind {
    /// Requests in a period of so many seconds.
    Requests(i64),
    /// Tokens in such a period, and which.
    Tokens(i64, TokensOf),
    /// US dollars in such a period.
    Dollars(i64),
    /// Calls at once.
    Concurrency,
}

/// Which tokens are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokensOf {
    /// Input and output, or input and `max_tokens`.
    All,
    /// Input that no prompt cache provides.
    Input,
    /// Output.
    Output,
}

/// The limit that is hit first.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// Which.
    pub kind: LimitKind,
    /// Share of the runs in which a limit of the pool is hit at all.
    pub run_share: f64,
    /// Local time of the first refusal in the median of those runs.
    pub at: String,
    /// Hours since the start of the same.
    pub at_hour: f64,
}

impl CapacityPlan {
    /// This is found out.
    pub(super) fn has(&mut self, found: Missing) {
        self.missing.retain(|missing| *missing != found);
    }

    /// Adds the budgets that were sought.
    pub fn add(&mut self, sought: SoughtBudgets) {
        self.budgets = sought.found;
        if sought.is_partial {
            self.missing.push(Missing::Budgets);
            self.about.partial = true;
        }
    }
}

impl LimitPlan {
    /// A limit of which nothing else has been found out.
    pub(super) const fn new(kind: LimitKind, today: Option<f64>) -> Self {
        Self { kind, today, used: None, headroom: None, needed: None, proposed: None }
    }

    /// With what would be used of it, and the smallest that would do.
    pub(super) fn with(self, used: Demand, needed: f64) -> Self {
        let headroom = self.today.map(|limit| 1.0 - used.p999 / limit.max(f64::MIN_POSITIVE));
        Self { used: Some(used), headroom, needed: Some(needed), ..self }
    }
}

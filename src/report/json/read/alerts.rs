//! Budgets and alerts, read back.

use super::{Place, Result};
use crate::experiment::{AlertOutcome, AlertRules, Alerts, BudgetLimit, BudgetOutcome, Moments};
use crate::units::Money;

/// What became of budgets and alerts; none where nothing was asked of them.
pub(super) fn alerts(at: &Place<'_>) -> Result<Option<Alerts>> {
    if at.value.is_null() {
        return Ok(None);
    }
    let rule = at.at("fallback_rule");
    let whole = |place: &Place<'_>, key| place.or_wrong(place.count(key)?.try_into().ok(), "a number of minutes");
    let rules = AlertRules {
        budget_share: at.optional("budget_share")?.unwrap_or(AlertRules::default().budget_share),
        fallback_share: rule.number("share")?,
        fallback_minutes: whole(&rule, "minutes")?,
        act_within_minutes: whole(at, "act_within_minutes")?,
    };
    Ok(Some(Alerts {
        runs: at.count("runs")?,
        of_run: at.at("of_run").value.as_u64(),
        rules,
        budgets: at.list("budgets", budget)?,
        fallback_rule: alert(&rule.at("outcome"))?,
    }))
}

fn budget(at: &Place<'_>) -> Result<BudgetOutcome> {
    // A scenario may have a budget of nothing.
    let limit = at.money("limit")?;
    let budget = format!("1/{}", at.str("period")?).parse::<BudgetLimit>().ok();
    Ok(BudgetOutcome {
        budget: at.or_wrong(budget.map(|budget| BudgetLimit { limit, ..budget }), "a budget")?,
        exhausted: moments(&at.at("exhausted"))?,
        beyond: at.money("beyond_mean")?,
        alert: alert(&at.at("alert").at("outcome"))?,
    })
}

fn alert(at: &Place<'_>) -> Result<AlertOutcome> {
    let (mean, p95) = (at.at("saved_mean"), at.at("saved_p95"));
    Ok(AlertOutcome {
        fires: moments(&at.at("fires"))?,
        after_first_fallback_min: at.optional("minutes_after_first_fallback_p50")?,
        saved_sideways: mean.money("sideways")?,
        saved_off: mean.money("fallbacks_off")?,
        saved_stopped: mean.money_or_none("stopped")?.unwrap_or(Money::ZERO),
        saved_sideways_p95: p95.money("sideways")?,
    })
}

fn moments(at: &Place<'_>) -> Result<Moments> {
    let quantiles = at.at("at");
    let moment = |key| {
        let moment = quantiles.at(key);
        Ok((moment.number("hour")?, moment.string("local")?))
    };
    let at_quantiles =
        if quantiles.value.is_null() { None } else { Some([moment("p5")?, moment("p50")?, moment("p95")?]) };
    Ok(Moments { share: at.number("run_share")?, at: at_quantiles })
}

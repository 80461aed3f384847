//! Budgets and alerts, in words and as JSON.

use serde_json::{Value, json};

use crate::experiment::{
    AlertOutcome, Alerts, BUDGET_PART, BudgetOutcome, FALLBACK_MINUTES, FALLBACK_SHARE, Moments, Period,
};
use crate::report::text::{money, percent, plural};

/// One line for each budget and alert.
pub fn lines(alerts: &Alerts) -> Vec<String> {
    let mut lines: Vec<String> = alerts.budgets.iter().flat_map(|outcome| budget(outcome, alerts)).collect();
    let share = percent(FALLBACK_SHARE);
    lines.push(alert(
        &format!("Fallback share above {share} over {FALLBACK_MINUTES} minutes"),
        &alerts.fallback_rule,
        alerts,
    ));
    lines
}

/// What the lines are about.
pub fn title(alerts: &Alerts) -> String {
    match alerts.of_run {
        Some(run) => format!("An alert in the expensive run (number {run})"),
        None => format!("Budgets and alerts ({})", plural(alerts.runs, "run")),
    }
}

const fn period(period: Period) -> &'static str {
    match period {
        Period::Day => "day",
        Period::Month => "month",
        Period::Run => "run",
    }
}

fn budget(outcome: &BudgetOutcome, alerts: &Alerts) -> [String; 2] {
    let name = format!("{} a {}", money(outcome.budget.limit), period(outcome.budget.period));
    let first = match &outcome.exhausted.at {
        None => format!("A budget of {name} is never used up."),
        Some(_) => format!(
            "A budget of {name} is used up {}; {} is spent beyond it on average.",
            when(&outcome.exhausted),
            money(outcome.beyond)
        ),
    };
    [first, alert(&format!("An alert at {BUDGET_PART}% of it"), &outcome.alert, alerts)]
}

/// `in 40% of the runs, at 2026-11-21 03:10 (P5 …, P95 …)`.
fn when(moments: &Moments) -> String {
    match &moments.at {
        None => "never".to_owned(),
        Some([(_, low), (_, middle), (_, high)]) if moments.share == 1.0 && low == high => format!("at {middle}"),
        Some([(_, low), (_, middle), (_, high)]) => {
            format!("in {} of the runs, in the middle at {middle} (P5 {low}, P95 {high})", percent(moments.share))
        }
    }
}

fn alert(name: &str, outcome: &AlertOutcome, alerts: &Alerts) -> String {
    if outcome.fires.at.is_none() {
        return format!("{name}: never fires.");
    }
    let wait = outcome.after_first_fallback_min.map(|minutes| format!(", {minutes:.0} min after the first fallback"));
    format!(
        "{name}: fires {}{}. Acting within {} min saves {} on average ({} at P95) if fallbacks then cost what the group \
         asked for costs, {} if they are switched off.",
        when(&outcome.fires),
        wait.unwrap_or_default(),
        alerts.act_within,
        money(outcome.saved_sideways),
        money(outcome.saved_sideways_p95),
        money(outcome.saved_off),
    )
}

/// The same for programs.
pub fn to_json(alerts: &Alerts) -> Value {
    json!({
        "runs": alerts.runs,
        "of_run": alerts.of_run,
        "act_within_minutes": alerts.act_within,
        "budgets": alerts.budgets.iter().map(|outcome| json!({
            "limit": outcome.budget.limit, "period": period(outcome.budget.period),
            "exhausted": moments(&outcome.exhausted), "beyond_mean": outcome.beyond,
            "alert": { "at_share": BUDGET_PART as f64 / 100.0, "outcome": outcome_json(&outcome.alert) },
        })).collect::<Vec<_>>(),
        "fallback_rule": {
            "share": FALLBACK_SHARE, "minutes": FALLBACK_MINUTES, "outcome": outcome_json(&alerts.fallback_rule),
        },
    })
}

fn moments(moments: &Moments) -> Value {
    let moment = |(hour, local): &(f64, String)| json!({ "hour": hour, "local": local });
    let at =
        moments.at.as_ref().map(|[p5, p50, p95]| json!({ "p5": moment(p5), "p50": moment(p50), "p95": moment(p95) }));
    json!({ "run_share": moments.share, "at": at })
}

fn outcome_json(outcome: &AlertOutcome) -> Value {
    json!({
        "fires": moments(&outcome.fires),
        "minutes_after_first_fallback_p50": outcome.after_first_fallback_min,
        "saved_mean": { "sideways": outcome.saved_sideways, "fallbacks_off": outcome.saved_off },
        "saved_p95": { "sideways": outcome.saved_sideways_p95 },
    })
}

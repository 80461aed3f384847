//! Budgets and alerts: as tables for every form of the report, and as JSON.

use serde_json::{Value, json};

use crate::experiment::{AlertOutcome, Alerts, BudgetLimit, BudgetOutcome, Moments, Period};
use crate::report::text::{NOTHING, money, percent, plural};
use crate::report::view::Table;

/// The tables: budgets, where there are any, and alerts.
pub fn tables(alerts: &Alerts) -> [Table; 2] {
    [budgets(alerts), rules(alerts)]
}

fn budgets(alerts: &Alerts) -> Table {
    let row = |outcome: &BudgetOutcome| {
        let [share, early, middle, late] = moments_in_words(&outcome.exhausted, alerts);
        [name(outcome.budget), share, early, middle, late, money(outcome.beyond)]
    };
    let headings = ["Budget", "#Used up", "Early (P5)", "Median", "Late (P95)", "#Spent beyond"];
    Table::new("budgets", "Budgets", &headings)
        .with_note(format!(
            "Of {}. Used up: the share of the runs in which that happens at all, and when for the first time. Spent beyond: \
             mean of all runs and periods.",
            what(alerts)
        ))
        .with_rows(alerts.budgets.iter().map(row))
}

fn rules(alerts: &Alerts) -> Table {
    let rules = &alerts.rules;
    let part = short_share(rules.budget_share);
    let fallbacks = format!("fallbacks > {} of {} min", short_share(rules.fallback_share), rules.fallback_minutes);
    let of_budgets =
        alerts.budgets.iter().map(|outcome| (format!("{part} of {}", name(outcome.budget)), &outcome.alert));
    let row = |(name, outcome): (String, &AlertOutcome)| {
        let [share, _, middle, _] = moments_in_words(&outcome.fires, alerts);
        let delay = outcome.after_first_fallback_min.map_or(NOTHING.to_owned(), length);
        let [sideways, off, stopped] = [outcome.saved_sideways, outcome.saved_off, outcome.saved_stopped].map(money);
        [name, share, middle, delay, sideways, off, stopped]
    };
    let headings = ["Alert", "#Fires", "Median", "#Delay", "#Sideways", "#No fallback", "#Stopped"];
    Table::new("alerts", "Alerts", &headings)
        .with_note(format!(
            "Of {}. Median: when it fires first. Delay: from the first fallback to the alert, median. Then what acting \
             within {} min of it saves until the end of the run, on average: when fallbacks cost what the group asked for \
             costs (sideways), when there are none (those requests fail), and when nothing is served at all: no action \
             saves more.",
            what(alerts),
            rules.act_within_minutes
        ))
        .with_rows(of_budgets.chain(std::iter::once((fallbacks, &alerts.fallback_rule))).map(row))
}

/// `35 min`, `40 h`.
fn length(minutes: f64) -> String {
    if minutes < 120.0 { format!("{minutes:.0} min") } else { format!("{:.0} h", minutes / 60.0) }
}

/// A share that somebody chose: `80%`, `2.5%`.
fn short_share(share: f64) -> String {
    format!("{}%", (share * 1e6).round() / 1e4)
}

/// Which runs it is about.
fn what(alerts: &Alerts) -> String {
    match alerts.of_run {
        Some(run) => format!("run {run}, the expensive one"),
        None => plural(alerts.runs, "run"),
    }
}

/// `$10.00 a day`.
fn name(budget: BudgetLimit) -> String {
    format!("{} a {}", money(budget.limit), period(budget.period))
}

const fn period(period: Period) -> &'static str {
    match period {
        Period::Day => "day",
        Period::Month => "month",
        Period::Run => "run",
    }
}

/// How often, and when: early, in the middle, late.
fn moments_in_words(moments: &Moments, alerts: &Alerts) -> [String; 4] {
    let nothing = || NOTHING.to_owned();
    let share = match (alerts.of_run, &moments.at) {
        (_, None) => "never".to_owned(),
        (Some(_), Some(_)) => "yes".to_owned(),
        (None, Some(_)) => percent(moments.share),
    };
    match &moments.at {
        None => [share, nothing(), nothing(), nothing()],
        Some([early, middle, late]) => [share, early.1.clone(), middle.1.clone(), late.1.clone()],
    }
}

/// The same for programs.
pub fn to_json(alerts: &Alerts) -> Value {
    json!({
        "runs": alerts.runs,
        "budget_share": alerts.rules.budget_share,
        "of_run": alerts.of_run,
        "act_within_minutes": alerts.rules.act_within_minutes,
        "budgets": alerts.budgets.iter().map(|outcome| json!({
            "limit": outcome.budget.limit, "period": period(outcome.budget.period),
            "exhausted": moments(&outcome.exhausted), "beyond_mean": outcome.beyond,
            "alert": { "at_share": alerts.rules.budget_share, "outcome": outcome_json(&outcome.alert) },
        })).collect::<Vec<_>>(),
        "fallback_rule": {
            "share": alerts.rules.fallback_share,
            "minutes": alerts.rules.fallback_minutes,
            "outcome": outcome_json(&alerts.fallback_rule),
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
        "saved_mean": {
            "sideways": outcome.saved_sideways, "fallbacks_off": outcome.saved_off, "stopped": outcome.saved_stopped,
        },
        "saved_p95": { "sideways": outcome.saved_sideways_p95 },
    })
}

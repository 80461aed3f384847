//! Budgets and alerts: as tables for every form of the report, and as JSON.

use jiff::{SignedDuration, ToSpan, Zoned};
use serde_json::{Value, json};

use crate::experiment::{About, AlertOutcome, Alerts, BudgetLimit, BudgetOutcome, Moments, Period};
use crate::report::text::{NOTHING, hours, money, percent, plural};
use crate::report::view::Table;

/// The tables: budgets, where there are any, and alerts.
pub fn tables(alerts: &Alerts, about: &About) -> [Table; 2] {
    [budgets(alerts, about), rules(alerts, about)]
}

/// Whether a run holds a whole day or month; otherwise what it spends of such a budget is only a part of what counts.
fn holds_a_whole(period: Period, about: &About) -> bool {
    let begin = |start: &Zoned| {
        let (first, next) = match period {
            Period::Run => return None,
            Period::Day => (start.start_of_day().ok()?, 1.day()),
            Period::Month => (start.first_of_month().and_then(|day| day.start_of_day()).ok()?, 1.month()),
        };
        let first = if first < *start { first.checked_add(next).ok()? } else { first };
        first.checked_add(next).ok()
    };
    let Some(start) = about.start.parse::<Zoned>().ok() else { return true };
    let end = start.checked_add(SignedDuration::from_secs((about.horizon_hours * 3600.0).round() as i64));
    begin(&start).zip(end.ok()).is_none_or(|(whole, end)| whole <= end)
}

/// What never happens in the runs, where these cannot tell it of a whole day or month.
fn unsaid(share: String, period: Period, about: &About) -> String {
    if share == NEVER && !holds_a_whole(period, about) {
        format!("not within {}", hours(about.horizon_hours))
    } else {
        share
    }
}

fn budgets(alerts: &Alerts, about: &About) -> Table {
    let row = |outcome: &BudgetOutcome| {
        let [share, early, middle, late] = moments_in_words(&outcome.exhausted, alerts);
        let share = unsaid(share, outcome.budget.period, about);
        [name(outcome.budget), share, early, middle, late, money(outcome.beyond)]
    };
    let headings = ["Budget", "#Used up", "Early (P5)", "Median", "Late (P95)", "#Spent beyond"];
    Table::new("budgets", "Budgets", &headings)
        .with_note(format!(
            "Of {}. Used up: the share of the runs in which that happens at all, and when for the first time. Spent beyond: \
             in all periods of a run together, on average.{}",
            what(alerts),
            span(alerts, about)
        ))
        .with_rows(alerts.budgets.iter().map(row))
}

/// What of a day or a month the rows are about, where a run holds no whole one.
fn span(alerts: &Alerts, about: &About) -> String {
    let is_cut = |wanted: Period| {
        !holds_a_whole(wanted, about) && alerts.budgets.iter().any(|outcome| outcome.budget.period == wanted)
    };
    let cut: Vec<&str> =
        [Period::Day, Period::Month].into_iter().filter(|wanted| is_cut(*wanted)).map(period).collect();
    if cut.is_empty() {
        return String::new();
    }
    let (cut, hours) = (cut.join(" or a "), hours(about.horizon_hours));
    format!(" Only the simulated {hours} count: they hold no whole {cut}, and begin with nothing spent of it.")
}

fn rules(alerts: &Alerts, about: &About) -> Table {
    let rules = &alerts.rules;
    let part = short_share(rules.budget_share);
    let fallbacks = format!("fallbacks > {} in {} min", short_share(rules.fallback_share), rules.fallback_minutes);
    let of_budgets = alerts
        .budgets
        .iter()
        .map(|outcome| (format!("{part} of {}", name(outcome.budget)), &outcome.alert, outcome.budget.period));
    let row = |(name, outcome, period): (String, &AlertOutcome, Period)| {
        let [share, _, middle, _] = moments_in_words(&outcome.fires, alerts);
        let share = unsaid(share, period, about);
        let delay = outcome.after_first_fallback_min.map_or(NOTHING.to_owned(), length);
        let [sideways, off, stopped] = [outcome.saved_sideways, outcome.saved_off, outcome.saved_stopped].map(money);
        [name, share, middle, delay, sideways, off, stopped]
    };
    let headings = ["Alert", "#Fires", "Median", "#Delay", "#Sideways", "#Off", "#Stopped"];
    Table::new("alerts", "Alerts", &headings)
        .with_note(format!(
            "Of {}. Median: when it fires first. Delay: from the first fallback to the alert, median. Then what acting \
             within {} min of it saves until the end of the run, on average: when fallbacks cost what the group asked for \
             costs (sideways), when there are none and those requests fail (off), and when nothing is served at all, so \
             that no action saves more (stopped).",
            what(alerts),
            rules.act_within_minutes
        ))
        .with_rows(of_budgets.chain(std::iter::once((fallbacks, &alerts.fallback_rule, Period::Run))).map(row))
}

/// What happens in no run.
const NEVER: &str = "never";

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
        (_, None) => NEVER.to_owned(),
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

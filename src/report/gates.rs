//! What policies say, in words and as JSON.

use serde_json::{Value, json};

use crate::experiment::{Decision, Level, Measure, Verdict};
use crate::report::text::{clean, count, money_of, percent, plural, seconds};

/// A number of a measure, for people.
pub fn shown(value: f64, measure: Measure) -> String {
    let sign = if value < 0.0 { "−" } else { "" };
    match measure {
        Measure::Dollars => money_of(value),
        Measure::Share => percent(value),
        Measure::Count => count(value),
        Measure::Seconds => format!("{sign}{}", seconds(value.abs())),
    }
}

/// What a policy says of the runs, in one line.
pub fn line(verdict: &Verdict) -> String {
    let shown = |value| shown(value, verdict.measure);
    let interval = verdict.value.interval;
    let between = match (interval.low.is_finite(), interval.high.is_finite()) {
        _ if interval.low == interval.high => String::new(),
        (true, true) => format!(" (95% CI {} to {})", shown(interval.low), shown(interval.high)),
        (true, false) => format!(" (95% CI from {}; too few runs for an upper end)", shown(interval.low)),
        (false, true) => format!(" (95% CI up to {}; too few runs for a lower end)", shown(interval.high)),
        (false, false) => " (too few runs for an interval)".to_owned(),
    };
    let settle = match (verdict.decision, verdict.runs_to_settle) {
        (Decision::Open, Some(runs)) => format!("; about {} would settle it", plural(runs, "run")),
        (Decision::Open, None) => "; it is too close to the limit for any number of runs".to_owned(),
        _ => String::new(),
    };
    let subject = if verdict.subject.is_empty() { String::new() } else { format!(" [{}]", clean(&verdict.subject)) };
    format!("{}: {}{subject}: {}{between}{settle}", word(verdict), clean(&verdict.text), shown(verdict.value.point))
}

/// The decision in a word.
pub const fn word(verdict: &Verdict) -> &'static str {
    match (verdict.decision, verdict.level) {
        (Decision::Kept, _) => "kept",
        (Decision::Violated, Level::Fail) => "VIOLATED",
        (Decision::Violated, Level::Warn) => "warning",
        (Decision::Open, _) => "undecided",
    }
}

/// The policies as JSON.
pub fn to_json(verdicts: &[Verdict]) -> Value {
    verdicts.iter().map(verdict).collect::<Vec<_>>().into()
}

fn verdict(verdict: &Verdict) -> Value {
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    let interval = verdict.value.interval;
    json!({
        "policy": verdict.text,
        "level": match verdict.level { Level::Fail => "fail", Level::Warn => "warn" },
        "subject": Some(&verdict.subject).filter(|subject| !subject.is_empty()),
        "decision": match verdict.decision {
            Decision::Kept => "kept",
            Decision::Violated => "violated",
            Decision::Open => "undecided",
        },
        "value": finite(verdict.value.point),
        "ci95": [finite(interval.low), finite(interval.high)],
        "limit": finite(verdict.limit),
        "runs_to_settle": verdict.runs_to_settle,
    })
}

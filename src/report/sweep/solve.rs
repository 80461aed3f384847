//! What a search has found.

use serde_json::{Value, json};

use crate::experiment::{Answer, Measure, Solution, Trial};
use crate::report::gates::shown;
use crate::report::json::bytes;
use crate::report::terminal::{Page, Style, TerminalOptions};
use crate::report::text::{clean, money_units, plural, unpriced};
use crate::report::view::Table;
use crate::stats::Estimate;

/// The answer for a terminal.
pub fn solve_text(solution: &Solution, options: TerminalOptions) -> String {
    let mut page = Page::new(options);
    page.wrapped("", "  ", Some(Style::Bold), &sentence(solution));
    if let Some(doubt) = doubt(solution) {
        page.wrapped("", "  ", None, &doubt);
    }
    if let Some(caveat) = unpriced(&solution.unpriced, "the bills") {
        page.wrapped("! ", "  ", Some(Style::Alert), &caveat);
    }
    page.line("");
    page.view_table(&tried(solution), usize::MAX);
    page.line("");
    let facts = format!(
        "{} of each value, in the same random weekends, seed {} · {} · prices as of {}",
        plural(solution.runs, "run"),
        solution.seed,
        solution.common.profile,
        clean(&solution.common.prices_as_of)
    );
    page.wrapped("", "  ", Some(Style::Dim), &facts);
    page.wrapped("Again: ", "  ", None, &clean(&solution.command));
    page.text
}

/// The answer in a sentence.
fn sentence(solution: &Solution) -> String {
    let (path, target) = (clean(&solution.path), clean(&solution.target));
    let value = |found: &Estimate| shown(found.point, solution.measure);
    match &solution.answer {
        Answer::At { value: at, found, .. } => format!("{target} at {path} = {at} (there it is {}).", value(found)),
        Answer::Between { low, high } => format!(
            "{target} is passed between {path} = {} ({}) and {} ({}).",
            low.text,
            value(&low.found),
            high.text,
            value(&high.found)
        ),
        Answer::Nowhere { is_below, nearest } => {
            let side = if *is_below { "below" } else { "above" };
            let (first, last) = (solution.tried.first(), solution.tried.last());
            let ends = first.zip(last).map(|(first, last)| format!(" from {} to {}", first.text, last.text));
            format!(
                "There is none: for {path}{} it stays {side} the target, {target}. Nearest is {} at {}.",
                ends.unwrap_or_default(),
                value(&nearest.found),
                nearest.text
            )
        }
        Answer::Unfinished => "Interrupted before there was an answer.".to_owned(),
    }
}

/// How far the answer may be off.
fn doubt(solution: &Solution) -> Option<String> {
    let Answer::At { found, between, .. } = &solution.answer else { return None };
    let shown = |value| shown(value, solution.measure);
    let interval = found.interval;
    let statistic = match interval.low.is_finite() && interval.high.is_finite() {
        true => format!(
            "With {} the statistic has a 95% CI of {} to {}",
            plural(solution.runs, "run"),
            shown(interval.low),
            shown(interval.high)
        ),
        false => format!("{} are too few for an interval of the statistic", plural(solution.runs, "run")),
    };
    match between {
        [Some(low), Some(high)] => Some(format!("{statistic}, so the true answer lies between {low} and {high}.")),
        _ => Some(format!("{statistic}.")),
    }
}

fn tried(solution: &Solution) -> Table {
    let row = |trial: &Trial| {
        let interval = trial.found.interval;
        let ends = [interval.low, interval.high].map(|end| shown(end, solution.measure)).join(" to ");
        [trial.text.clone(), shown(trial.found.point, solution.measure), ends]
    };
    let headings = ["#Tried", "#Statistic", "#95% CI"];
    Table::new("tried", "What was tried", &headings).with_rows(solution.tried.iter().map(row))
}

/// The answer as JSON.
pub fn solve_json(solution: &Solution) -> Vec<u8> {
    let estimate = |found: &Estimate| estimate(found, solution.measure);
    let trial = |trial: &Trial| json!({ "value": trial.text, "statistic": estimate(&trial.found) });
    let answer = match &solution.answer {
        Answer::At { value, found, between } => {
            json!({ "kind": "at", "value": value, "between": between, "statistic": estimate(found) })
        }
        Answer::Between { low, high } => json!({ "kind": "between", "low": trial(low), "high": trial(high) }),
        Answer::Nowhere { is_below, nearest } => {
            json!({ "kind": "nowhere", "stays": if *is_below { "below" } else { "above" }, "nearest": trial(nearest) })
        }
        Answer::Unfinished => json!({ "kind": "unfinished" }),
    };
    bytes(&json!({
        "schema": "billcast.solution/1",
        "scenario": solution.common.scenario,
        "profile": solution.common.profile,
        "prices_as_of": solution.common.prices_as_of,
        "horizon_hours": solution.common.horizon_hours,
        "vary": solution.path,
        "target": solution.target,
        "seed": solution.seed,
        "runs": solution.runs,
        "unpriced": solution.unpriced,
        "command": solution.command,
        "answer": answer,
        "tried": solution.tried.iter().map(trial).collect::<Vec<_>>(),
    }))
}

/// A statistic; money is a decimal string.
fn estimate(found: &Estimate, measure: Measure) -> Value {
    let number = |value: f64| match measure {
        _ if !value.is_finite() => Value::Null,
        Measure::Dollars => json!(money_units(value)),
        Measure::Share | Measure::Count | Measure::Seconds => json!(value),
    };
    json!({ "point": number(found.point), "ci95": [number(found.interval.low), number(found.interval.high)] })
}

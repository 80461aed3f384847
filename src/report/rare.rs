//! The probability of a rare weekend, for people and for programs.

use serde_json::json;

use crate::experiment::Rare;
use crate::report::json::bytes;
use crate::report::text::{clean, count, interrupted_after};

/// A probability with three digits that count.
fn probability(p: f64) -> String {
    match p {
        0.0 => "0".to_owned(),
        p if p >= 0.01 => format!("{:.2}%", p * 100.0),
        p => format!("{p:.2e} (1 in {})", count(1.0 / p)),
    }
}

/// One paragraph, after what the reader must know first.
pub fn rare_text(question: &str, rare: &Rare) -> String {
    let interval = rare.probability.interval;
    let (low, high) = (probability(interval.low), probability(interval.high));
    let answer = match rare.hits {
        0 => format!("never seen; at most {high}"),
        _ => format!("{}\n95% CI: {low} to {high}", probability(rare.probability.point)),
    };
    let worth = match rare.hits {
        0 => String::new(),
        _ => format!("; plain simulation would take {} runs to be as sure", count(rare.worth_runs)),
    };
    let caveat = if rare.is_partial { format!("! {}\n", interrupted_after(rare.runs)) } else { String::new() };
    format!(
        "{caveat}P({}): {answer}\n{} of {} harsher and ordinary runs, weighed back, after {} pilot runs{worth}\n",
        clean(question),
        count(rare.hits as f64),
        count(rare.runs as f64),
        count(rare.pilot_runs as f64),
    )
}

/// A JSON document.
pub fn rare_json(question: &str, rare: &Rare, command: &str) -> Vec<u8> {
    let interval = rare.probability.interval;
    let document = json!({
        "schema": "billcast.rare/1",
        "question": question,
        "probability": rare.probability.point,
        "ci95": [interval.low, interval.high],
        "runs": rare.runs,
        "partial": rare.is_partial,
        "hits": rare.hits,
        "pilot_runs": rare.pilot_runs,
        "worth_runs": rare.worth_runs,
        "command": command,
    });
    bytes(&document)
}

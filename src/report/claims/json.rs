//! Claims as JSON, for programs.

use serde_json::{Value, json};

use crate::report::claims::view::{ClaimsView, Line, Story};
use crate::report::json::json_text;
use crate::scenario::{Agrees, Figure, Unit};

/// The id of this layout.
const SCHEMA: &str = "billcast.claims/1";

/// The stories with exact figures.
pub fn claims_json(view: &ClaimsView) -> String {
    let document = json!({
        "schema": SCHEMA, "partial": view.is_partial(), "not_simulated": view.missing(),
        "not_computed": view.undefined(), "holds": view.holds(),
        "stories": view.stories.iter().map(story).collect::<Vec<_>>(),
    });
    json_text(&document)
}

fn story(story: &Story) -> Value {
    json!({
        "scenario": story.scenario, "title": story.title, "says": story.says, "finds": story.finds,
        "claims": story.lines.iter().map(line).collect::<Vec<_>>(),
    })
}

fn line(line: &Line) -> Value {
    let agrees = match line.claim.agrees {
        Agrees::Published => Some("published"),
        Agrees::Arithmetic => Some("arithmetic"),
        Agrees::Neither => None,
    };
    json!({
        "figure": line.figure, "unit": unit(line.claim.unit),
        "published": line.claim.published.map(figure), "arithmetic": line.claim.arithmetic.map(figure),
        "simulated": line.value, "agrees": agrees, "within": agrees.map(|_| line.claim.tolerance()),
        "holds": line.holds, "verdict": line.verdict,
        "because": (!line.because.is_empty()).then_some(&line.because), "commands": line.commands,
    })
}

fn figure(figure: Figure) -> Value {
    if figure.is_number() { json!(figure.low) } else { json!([figure.low, figure.high]) }
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Usd => "usd",
        Unit::Share => "share",
        Unit::Count => "count",
        Unit::Seconds => "seconds",
        Unit::PerSecond => "per-second",
        Unit::Factor => "factor",
    }
}

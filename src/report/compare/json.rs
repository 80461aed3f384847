//! `comparison.json` (`docs/comparison-json.md`): every difference under `delta`, money as decimal strings.

use serde_json::{Map, Value, json};

use crate::experiment::{Change, Controlled, Difference, Direction, PartDifference, Side};
use crate::report::compare::CompareView;
use crate::report::gates;
use crate::report::json::bytes;
use crate::report::text::money_units;
use crate::stats::Estimate;
use crate::units::Money;

/// The id of this layout; the number grows when a field changes its meaning or goes away.
pub const SCHEMA: &str = "billcast.comparison/1";

/// The bytes of `comparison.json`.
pub fn json(view: &CompareView<'_>) -> Vec<u8> {
    let about = &view.comparison.base.forecast.about;
    bytes(&json!({
        "schema": SCHEMA,
        "seed": about.seed,
        "runs": about.runs,
        "partial": about.partial,
        "horizon_hours": about.horizon_hours,
        "start": about.start,
        "gateway": { "name": about.gateway, "profile": about.profile },
        "prices_as_of": about.prices_as_of,
        "billcast_version": about.version,
        "command": about.command,
        "base": side(&view.comparison.base),
        "changes": view.changes.iter().map(|shown| change(shown.change, &shown.verdict)).collect::<Vec<_>>(),
        "policies": gates::to_json(view.verdicts),
    }))
}

fn side(side: &Side) -> Value {
    let forecast = &side.forecast;
    json!({
        "label": side.label,
        "scenario": forecast.about.scenario,
        "description": forecast.about.description,
        "bill": { "currency": "USD", "mean": forecast.bill.mean, "p50": forecast.bill.p50, "p95": forecast.bill.p95 },
        "failure_rate": { "mean": forecast.failure_rate.mean, "p95": forecast.failure_rate.p95 },
        "unpriced": forecast.unpriced.iter().filter(|row| row.calls > 0.0).map(|row| &row.model).collect::<Vec<_>>(),
    })
}

fn change(change: &Change, verdict: &str) -> Value {
    let Value::Object(mut all) = side(&change.side) else { unreachable!("a side is an object") };
    let direction = match change.bill_mean.direction() {
        Direction::Same => "same",
        Direction::Less => "cheaper",
        Direction::More => "dearer",
        Direction::Unclear => "unclear",
    };
    let by_cause: Map<String, Value> =
        change.by_cause.iter().map(|(cause, found)| (cause.name().to_owned(), amount(found))).collect();
    let numbers: Map<String, Value> =
        change.numbers.iter().map(|(metric, found)| (metric.name().to_owned(), number(found))).collect();
    all.extend([
        ("direction".to_owned(), direction.into()),
        ("verdict".to_owned(), verdict.into()),
        ("notes".to_owned(), json!(change.notes)),
        (
            "differences".to_owned(),
            json!({
                "bill": {
                    "mean": amount(&change.bill_mean), "p50": amount(&change.bill_p50), "p95": amount(&change.bill_p95),
                },
                "fallback_premium": { "mean": amount(&change.fallback_premium) },
                "reported_spend": { "mean": amount(&change.reported_spend) },
                "means": numbers,
                "by_cause": by_cause,
                "by_deployment": change.by_deployment.iter().map(part).collect::<Vec<_>>(),
                "by_key": change.by_key.iter().map(part).collect::<Vec<_>>(),
                "by_class": change.by_class.iter().map(part).collect::<Vec<_>>(),
            }),
        ),
        ("controlled".to_owned(), change.controlled.as_ref().map_or(Value::Null, controlled)),
        ("p_cheaper".to_owned(), share(&change.cheaper)),
        ("p_dearer".to_owned(), share(&change.dearer)),
    ]);
    Value::Object(all)
}

fn controlled(found: &Controlled) -> Value {
    json!({
        "delta": found.delta,
        "ci95": found.ci95,
        "std_error": money_units(found.std_error),
        "gain": found.gain,
        "independent_runs": found.independent_runs,
        "controls": found.controls,
    })
}

fn amount(found: &Difference<Money>) -> Value {
    json!({
        "base": found.base,
        "other": found.other,
        "delta": found.delta,
        "ci95": found.ci95,
        "std_error": found.std_error.map(money_units),
        "relative": found.relative,
        "independent_runs": found.independent_runs,
    })
}

fn number(found: &Difference<f64>) -> Value {
    json!({
        "base": found.base,
        "other": found.other,
        "delta": found.delta,
        "ci95": found.ci95,
        "std_error": found.std_error,
        "relative": found.relative,
        "independent_runs": found.independent_runs,
    })
}

fn part(part: &PartDifference) -> Value {
    let bill = amount(&part.bill);
    json!({ "name": part.name, "in_base": part.in_base, "in_other": part.in_other, "bill": bill })
}

fn share(estimate: &Estimate) -> Value {
    json!({ "share": estimate.point, "ci95": [estimate.interval.low, estimate.interval.high] })
}

//! `forecast.json` is what `docs/forecast.schema.json` says it is.

use serde_json::Value;

use crate::{Exhibit, GALLERY, text};
use billcast::report::{artefacts, read_forecast};
use billcast::units::Money;

const SCHEMA: &str = include_str!("../../docs/forecast.schema.json");

fn documents() -> Vec<(&'static str, Value)> {
    let document =
        |exhibit: &Exhibit| (exhibit.name, serde_json::from_str(&text(&exhibit.all, "forecast.json")).unwrap());
    GALLERY.iter().map(document).collect()
}

#[test]
fn every_forecast_obeys_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, document) in documents() {
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn a_missing_or_renamed_key_breaks_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let (_, document) = documents().remove(0);
    for key in ["schema", "bill", "cost_by_cause", "fallback_premium", "unpriced", "assumptions", "diagnostics"] {
        let mut without = document.clone();
        without.as_object_mut().unwrap().remove(key);
        assert!(!validator.is_valid(&without), "{key}");
    }
}

#[test]
fn causes_sum_to_the_mean_exactly() {
    for (name, document) in documents() {
        let parse = |value: &Value| -> Money { value.as_str().expect("money is a string").parse().unwrap() };
        let causes = document["cost_by_cause"].as_object().unwrap();
        assert_eq!(causes.len(), 7);
        assert_eq!(causes.values().map(parse).sum::<Money>(), parse(&document["bill"]["mean"]), "{name}");
    }
}

#[test]
fn what_never_answered_has_no_latency() {
    let mut forecast = GALLERY[2].forecast.clone();
    forecast.latency_s = None;
    forecast.deployments[0].latency_s = None;
    forecast.providers[0].latency_s = None;
    forecast.runs[0].latency_s = None;
    let all = artefacts(&forecast);
    let json = text(&all, "forecast.json");
    let document: Value = serde_json::from_str(&json).unwrap();
    let nothing = serde_json::json!({ "p50": null, "p95": null, "p99": null });
    for place in ["/latency_s", "/deployments/0/latency_s", "/providers/0/latency_s", "/run_results/0/latency_s"] {
        assert_eq!(document.pointer(place), Some(&nothing), "{place}");
    }
    for (old, new) in all.iter().zip(artefacts(&read_forecast(json.as_bytes()).unwrap())) {
        assert!(*old == new, "{} differs", new.file_name);
    }
    assert!(text(&all, "report.md").contains("P95 –, P99 –"));
}

#[test]
fn what_has_no_value_is_null_and_never_a_word() {
    let mut forecast = GALLERY[2].forecast.clone();
    forecast.latency_s.as_mut().unwrap().p95 = f64::NAN;
    forecast.failure_rate.mean = f64::INFINITY;
    let all = artefacts(&forecast);
    let document: Value = serde_json::from_str(&text(&all, "forecast.json")).unwrap();
    assert!(document["latency_s"]["p95"].is_null() && document["failure_rate"]["mean"].is_null());
    for artefact in all.iter().filter(|artefact| !artefact.file_name.ends_with(".png")) {
        let content = String::from_utf8_lossy(&artefact.bytes);
        assert!(!content.contains("NaN"), "{}", artefact.file_name);
    }
}

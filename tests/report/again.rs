//! A folder that a run left behind is enough: every artefact can be made from forecast.json again, byte for byte.

use serde_json::Value;

use crate::{GALLERY, text};
use billcast::report::{artefacts, read_forecast};

#[test]
fn every_artefact_comes_from_forecast_json_again() {
    for exhibit in GALLERY.iter() {
        let again = read_forecast(text(&exhibit.all, "forecast.json").as_bytes()).expect(exhibit.name);
        for (old, new) in exhibit.all.iter().zip(artefacts(&again)) {
            assert!(*old == new, "{}: {} differs", exhibit.name, new.file_name);
        }
    }
}

#[test]
fn a_broken_file_is_refused_with_the_key_that_is_wrong() {
    let whole: Value = serde_json::from_str(&text(&GALLERY[0].all, "forecast.json")).unwrap();
    let message = |change: &dyn Fn(&mut Value)| {
        let mut broken = whole.clone();
        change(&mut broken);
        read_forecast(broken.to_string().as_bytes()).expect_err("it is broken").to_string()
    };
    assert!(message(&|all| all["bill"]["p95"] = Value::Null).contains("`bill.p95` is not an amount"));
    assert!(message(&|all| all["run_results"][3]["bill"] = "x".into()).contains("`run_results[3].bill`"));
    assert!(message(&|all| all["schema"] = "billcast.forecast/9".into()).contains("billcast.forecast/9"));
    assert!(message(&|all| *all = Value::Array(vec![])).contains("its schema is missing"));
    assert!(read_forecast(b"{").expect_err("no JSON").to_string().contains("no JSON"));
}

//! Findings with their prices for programs. Money is a decimal string; every difference stands under a key `delta`.

use serde_json::{Value, json};

use crate::audit::{Finding, Pricing, Side, Stake, Tried, rule};
use crate::diagnostic::Diagnostic;
use crate::report::diagnostics::{finding, to_sarif};
use crate::report::json_text;

/// A JSON list with an object for each finding: as without prices, and its changes.
pub fn json(findings: &[Finding], pricing: Option<&Pricing>) -> String {
    let one = |(number, found): (usize, &Finding)| {
        let mut value = finding(&found.diagnostic);
        value["changes"] = changes(number, found, pricing);
        value
    };
    json_text(&Value::Array(findings.iter().enumerate().map(one).collect()))
}

/// SARIF 2.1.0, with the texts of the rules and the prices as properties of the results.
pub fn sarif(findings: &[Finding], pricing: Option<&Pricing>) -> String {
    let diagnostics: Vec<Diagnostic> = findings.iter().map(|finding| finding.diagnostic.clone()).collect();
    let about = |code: &str| rule(code).map(|rule| rule.about);
    let properties = |number: usize| pricing.map(|_| json!({ "changes": changes(number, &findings[number], pricing) }));
    to_sarif(&diagnostics, about, properties)
}

fn changes(number: usize, finding: &Finding, pricing: Option<&Pricing>) -> Value {
    match pricing {
        Some(pricing) => pricing.findings[number].iter().map(tried).collect(),
        None => {
            finding.remedies.iter().map(|remedy| json!({ "change": remedy.change, "edits": edits(remedy) })).collect()
        }
    }
}

fn edits(remedy: &crate::audit::Remedy) -> Value {
    remedy.flags().map(|(flag, edit)| json!({ flag: edit })).collect()
}

fn tried(tried: &Tried) -> Value {
    let mut value = json!({ "change": tried.remedy.change, "edits": edits(&tried.remedy) });
    match &tried.stake {
        Ok(stake) => value["bill"] = bill(stake),
        Err(why) => value["not_priced"] = json!(why),
    }
    value
}

fn bill(stake: &Stake) -> Value {
    let failed = |side: &Side| side.failure_ppm as f64 / 1e6;
    json!({
        "with": side(&stake.with),
        "without": side(&stake.without),
        "delta": {
            "mean": -stake.saved_mean, "ci95_half_width": stake.saved_half_width, "p95": -stake.saved_p95,
            "failure_rate": failed(&stake.without) - failed(&stake.with),
        },
        "cheaper_share": stake.cheaper_share,
    })
}

fn side(side: &Side) -> Value {
    json!({ "mean": side.mean, "p95": side.p95, "failure_rate": side.failure_ppm as f64 / 1e6,
        "unpriced_call_share": side.unpriced_ppm as f64 / 1e6,
    })
}

//! Findings as a JSON list.

use crate::diagnostic::{Diagnostic, masked};
use crate::report::json_text;
use serde_json::{Value, json};

/// A JSON list with one object per finding.
pub fn to_json(diagnostics: &[Diagnostic]) -> String {
    let findings: Vec<Value> = diagnostics.iter().map(finding).collect();
    json_text(&Value::Array(findings))
}

/// One finding as a JSON object.
pub fn finding(diagnostic: &Diagnostic) -> Value {
    let has_place = diagnostic.span.line > 0;
    json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "file": masked(&diagnostic.file),
        "line": has_place.then_some(diagnostic.span.line),
        "column": has_place.then_some(diagnostic.span.column),
        "message": masked(&diagnostic.message),
        "help": diagnostic.help.as_deref().map(masked),
    })
}

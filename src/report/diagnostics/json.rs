//! Findings as JSON.

use crate::diagnostic::{Diagnostic, masked};
use serde_json::{Value, json};

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

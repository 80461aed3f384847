//! Findings as SARIF 2.1.0, which code hosts and editors read.

use crate::diagnostic::codes;
use crate::diagnostic::{Diagnostic, Severity, Span, masked};
use crate::report::json_text;
use serde_json::{Value, json};

/// A SARIF 2.1.0 log with one run. Beside the findings: a longer text on a rule by its id, and properties
/// of a result by its number.
pub fn to_sarif(
    diagnostics: &[Diagnostic],
    about: impl Fn(&str) -> Option<&'static str>,
    properties: impl Fn(usize) -> Option<Value>,
) -> String {
    let rule = |code: &codes::Code| {
        let mut rule = json!({"id": code.id, "shortDescription": {"text": code.summary.trim()}});
        if let Some(about) = about(code.id) {
            rule["fullDescription"] = json!({"text": about});
        }
        rule
    };
    let rules: Vec<Value> = codes::ALL.iter().map(rule).collect();
    let numbered = |(number, diagnostic): (usize, &Diagnostic)| {
        let mut result = result(diagnostic);
        if let Some(properties) = properties(number) {
            result["properties"] = properties;
        }
        result
    };
    let results: Vec<Value> = diagnostics.iter().enumerate().map(numbered).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    json_text(&log)
}

fn result(diagnostic: &Diagnostic) -> Value {
    let text = match &diagnostic.help {
        Some(help) => format!("{}\n{help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let message = json!({"text": masked(&text)});
    let mut result = json!({"ruleId": diagnostic.code, "level": level(diagnostic.severity), "message": message});
    if let Some(index) = codes::ALL.iter().position(|code| code.id == diagnostic.code) {
        result["ruleIndex"] = json!(index);
    }
    if !diagnostic.file.is_empty() {
        let mut location = json!({"artifactLocation": {"uri": uri(&masked(&diagnostic.file))}});
        if diagnostic.span.line > 0 {
            location["region"] = region(diagnostic.span);
        }
        result["locations"] = json!([{"physicalLocation": location}]);
    }
    result
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn region(span: Span) -> Value {
    json!({"startLine": span.line, "startColumn": span.column})
}

/// A path as a relative or absolute URI reference.
fn uri(path: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let encoded = path.bytes().map(|b| match b {
        b'\\' => "/".to_owned(),
        b if is_plain(b) => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    });
    encoded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_becomes_a_result_with_rule_level_and_place() {
        let span = Span { start: 5, end: 8, line: 2, column: 3 };
        let finding = Diagnostic {
            code: codes::INERT_KEY,
            severity: Severity::Warning,
            file: "a b.yaml".into(),
            span,
            message: "m".into(),
            help: Some("h".into()),
        };
        let text = to_sarif(std::slice::from_ref(&finding), |_| None, |_| None);
        let log: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        let result = &run["results"][0];
        let rule = result["ruleIndex"].as_u64().and_then(|at| usize::try_from(at).ok()).expect("an index");
        assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], codes::INERT_KEY);
        assert_eq!((&result["level"], &result["message"]["text"]), (&json!("warning"), &json!("m\nh")));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b.yaml");
        assert_eq!(place["region"], json!({"startLine": 2, "startColumn": 3}));
        let value = crate::report::diagnostics::finding(&finding);
        assert_eq!((&value["code"], &value["line"]), (&json!("BC202"), &json!(2)));
    }

    #[test]
    fn paths_become_uri_references() {
        assert_eq!(uri("conf dir\\a:b/ü.yaml"), "conf%20dir/a%3Ab/%C3%BC.yaml");
    }
}

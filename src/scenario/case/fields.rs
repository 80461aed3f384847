//! Reading single fields of a case.

use crate::diagnostic::Span;
use crate::diagnostic::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Entry, Node, Value};
use crate::gateway::litellm::wire::nearest;
use std::sync::Arc;

/// 2026-01-05T00:00:00Z, the default start of a case.
const DEFAULT_START_NANOS: i128 = 1_767_571_200_000_000_000;

/// What reading leaves behind.
pub(super) struct Reader {
    pub file: Arc<str>,
    pub diagnostics: Vec<Diagnostic>,
}

impl Reader {
    pub fn new(file: &str) -> Self {
        Self { file: Arc::from(file), diagnostics: Vec::new() }
    }

    fn report(&mut self, code: &'static str, severity: Severity, span: Span, message: String, help: Option<String>) {
        let file = Arc::clone(&self.file);
        self.diagnostics.push(Diagnostic { code, severity, file, span, message, help });
    }

    fn error(&mut self, code: &'static str, node: &Node, message: String) {
        self.report(code, Severity::Error, node.span, message, None);
    }

    /// Something that does not do what it seems to.
    pub fn warn(&mut self, span: Span, message: String) {
        self.report(codes::INERT_KEY, Severity::Warning, span, message, None);
    }

    /// A value of another type than expected.
    pub fn expected(&mut self, node: &Node, expected: &str) {
        self.error(codes::WRONG_TYPE, node, format!("expected {expected}, found {}", node.kind()));
    }

    /// A value of a key that is of another type than expected.
    pub fn expected_of(&mut self, key: &str, node: &Node, expected: &str) {
        self.error(codes::WRONG_TYPE, node, format!("`{key}`: expected {expected}, found {}", node.kind()));
    }

    /// Reports every key that is not known.
    pub fn only(&mut self, node: &Node, what: &str, known: &[&str]) {
        for entry in node.entries().iter().filter(|entry| !known.contains(&&*entry.key)) {
            let help = nearest(&entry.key, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            let message = format!("`{}` is no key of a {what}", entry.key);
            self.report(codes::UNKNOWN_KEY, Severity::Error, entry.key_span, message, help);
        }
    }

    /// A name of nothing, with the one that may be meant.
    pub fn unknown_name(&mut self, span: Span, message: &str, near: Option<&str>) {
        let help = near.map(|near| format!("did you mean `{near}`?"));
        self.report(codes::WRONG_TYPE, Severity::Error, span, message.to_owned(), help);
    }

    /// Reports a key that does nothing, but looks as if it were meant to be one that does.
    pub fn warn_if_near(&mut self, entry: &Entry, known: &[&str]) {
        let key = entry.key.to_ascii_lowercase();
        let near = nearest(&key, known.iter().copied()).filter(|near| *near != key);
        if let Some(near) = near {
            let message = format!("`{}` means nothing to the gateway", entry.key);
            let help = Some(format!("did you mean `{near}`?"));
            self.report(codes::INERT_KEY, Severity::Warning, entry.key_span, message, help);
        }
    }

    /// Reports a word that is none of those that are known.
    pub fn one_of(&mut self, node: &Node, key: &str, known: &[&str]) {
        let Some(value) = self.present(node, key) else { return };
        if value.as_str().is_none_or(|word| !known.contains(&word)) {
            let message = format!("`{key}`: expected `{}`", known.join("` or `"));
            self.error(codes::WRONG_TYPE, value, message);
        }
    }

    /// The entries of a map; none if there is nothing.
    pub fn map<'n>(&mut self, node: &'n Node, key: &str) -> &'n [Entry] {
        let Some(value) = node.get(key).filter(|value| !value.is_null()) else { return &[] };
        if !matches!(value.value, Value::Map(_)) {
            self.expected_of(key, value, "a map");
        }
        value.entries()
    }

    /// A value that is of the right type, but makes no sense.
    pub fn nonsense(&mut self, node: &Node, message: &str) {
        self.error(codes::WRONG_TYPE, node, message.to_owned());
    }

    /// A key that must be there.
    pub fn required<'n>(&mut self, node: &'n Node, key: &str) -> Option<&'n Node> {
        let found = node.get(key).filter(|value| !value.is_null());
        if found.is_none() {
            self.error(codes::MISSING_KEY, node, format!("`{key}` is missing"));
        }
        found
    }

    /// A value that is there and not null.
    pub fn present<'n>(&self, node: &'n Node, key: &str) -> Option<&'n Node> {
        node.get(key).filter(|value| !value.is_null())
    }

    /// A number.
    pub fn number(&mut self, node: &Node, key: &str) -> Option<f64> {
        let value = self.present(node, key)?;
        let number = number_of(value);
        if number.is_none() {
            self.expected_of(key, value, "a number");
        }
        number
    }

    /// The value of a node that must be a number.
    pub fn as_number(&mut self, value: &Node) -> Option<f64> {
        let number = number_of(value);
        if number.is_none() {
            self.expected(value, "a number");
        }
        number
    }

    /// A whole number.
    pub fn whole(&mut self, node: &Node, key: &str) -> Option<i64> {
        let value = self.present(node, key)?;
        match value.value {
            Value::Int(n) => match i64::try_from(n) {
                Ok(n) => Some(n),
                Err(_) => {
                    self.nonsense(value, &format!("`{key}`: this number is too large"));
                    None
                }
            },
            _ => {
                self.expected_of(key, value, "a whole number");
                None
            }
        }
    }

    /// A whole number from 0 to 4,294,967,295.
    pub fn count(&mut self, node: &Node, key: &str) -> Option<u32> {
        let n = self.whole(node, key)?;
        match u32::try_from(n) {
            Ok(n) => Some(n),
            Err(_) => {
                let value = self.present(node, key)?;
                self.nonsense(value, &format!("`{key}`: expected a number from 0 to 4294967295"));
                None
            }
        }
    }

    /// A limit: below zero nothing fits into it, as into 0.
    pub fn limit(&mut self, node: &Node, key: &str) -> Option<u64> {
        self.whole(node, key).map(|limit| u64::try_from(limit).unwrap_or(0))
    }

    /// Text.
    pub fn text(&mut self, node: &Node, key: &str) -> Option<String> {
        let value = self.present(node, key)?;
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.expected_of(key, value, "text");
        }
        text
    }

    /// A text, or a number or truth value as a text.
    pub fn printed(&mut self, node: &Node, key: &str) -> Option<String> {
        let value = self.present(node, key)?;
        let printed = value.printed();
        if printed.is_none() {
            self.expected_of(key, value, "text");
        }
        printed
    }

    /// A truth value; `false` when nothing is written.
    pub fn flag(&mut self, node: &Node, key: &str) -> bool {
        match self.present(node, key).map(|value| &value.value) {
            Some(Value::Bool(value)) => *value,
            Some(_) => {
                if let Some(value) = self.present(node, key) {
                    self.expected_of(key, value, "true or false");
                }
                false
            }
            None => false,
        }
    }

    /// The start of the case.
    pub fn start(&mut self, node: &Node) -> i128 {
        let Some(value) = self.present(node, "start") else { return DEFAULT_START_NANOS };
        let nanos = value.as_str().and_then(nanos_of);
        if nanos.is_none() {
            self.nonsense(value, "`start`: expected a time such as `2026-01-05T00:00:00Z`");
        }
        nanos.unwrap_or(DEFAULT_START_NANOS)
    }

    /// A moment, in nanoseconds since 1970.
    pub fn moment(&mut self, node: &Node, key: &str) -> Option<i128> {
        let value = self.present(node, key)?;
        let nanos = value.as_str().and_then(nanos_of);
        if nanos.is_none() {
            self.nonsense(value, &format!("`{key}`: expected a time such as `2026-01-05T00:00:00Z`"));
        }
        nanos
    }
}

/// A number, or a truth value, which Python counts with: as it always was here, both are 0.
fn number_of(value: &Node) -> Option<f64> {
    match &value.value {
        Value::Int(n) => Some(*n as f64),
        Value::Float(decimal) if decimal.value.is_finite() => Some(decimal.value),
        Value::Bool(_) => Some(0.0),
        _ => None,
    }
}

/// Nanoseconds since 1970 of a time with zone, or of one without, which is UTC.
fn nanos_of(text: &str) -> Option<i128> {
    let zoned = text.parse::<jiff::Timestamp>().ok();
    let plain = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    zoned.or_else(|| plain().map(|zoned| zoned.timestamp())).map(jiff::Timestamp::as_nanosecond)
}

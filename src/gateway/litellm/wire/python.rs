//! Numbers as Python reads them.

use crate::document::{Node, Value};

/// A timeout as it is written; what counts as nothing in Python is none [T 273].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seconds {
    /// So many; text that is a number is one.
    Number(f64),
    /// Text that is no number, a list, a map: the call fails inside the SDK.
    Unread,
}

impl Seconds {
    /// Seconds that never run out.
    const FOREVER: f64 = 1e9;
    /// A timeout that has run out at once; zero itself counts as nothing.
    const AT_ONCE: f64 = -1.0;

    /// What stands there.
    pub fn read(node: Option<&Node>) -> Option<Self> {
        let node = node?;
        let number = match &node.value {
            Value::Null => return None,
            Value::Bool(one) => f64::from(*one),
            Value::Int(n) => *n as f64,
            Value::Float(decimal) => decimal.value,
            Value::Str(text) if text.is_empty() => return None,
            Value::Str(text) => match python_float(text) {
                Some(0.0) => Self::AT_ONCE,
                Some(secs) => secs,
                None => return Some(Self::Unread),
            },
            Value::Seq(_) | Value::Map(_) | Value::Date(_) => {
                let is_empty = node.items().is_empty() && node.entries().is_empty();
                return (!is_empty).then_some(Self::Unread);
            }
        };
        (number != 0.0).then_some(Self::Number(if number.is_finite() { number } else { Self::FOREVER }))
    }

    /// The number, if it is one.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Number(secs) => Some(secs),
            Self::Unread => None,
        }
    }
}

/// Seconds as Python's `float` reads them. What is no number, or infinite, never runs out.
pub fn python_float(text: &str) -> Option<f64> {
    let secs = python_digits(text)?.parse::<f64>().ok()?;
    Some(if secs.is_finite() { secs } else { Seconds::FOREVER })
}

/// A number without the space around it and the `_` that may stand between two digits.
pub fn python_digits(text: &str) -> Option<String> {
    let text = text.trim();
    let is_digit =
        |place: Option<usize>| place.and_then(|place| text.as_bytes().get(place)).is_some_and(u8::is_ascii_digit);
    let stands_between = |(place, _): (usize, &str)| is_digit(place.checked_sub(1)) && is_digit(Some(place + 1));
    text.match_indices('_').all(stands_between).then(|| text.replace('_', ""))
}

/// A value as one text, whatever the order of its keys.
pub fn sorted_text(node: &Node) -> String {
    match &node.value {
        Value::Seq(items) => {
            let items: Vec<String> = items.iter().map(sorted_text).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(entries) => {
            let mut texts: Vec<String> =
                entries.iter().map(|entry| format!("{:?}:{}", entry.key, sorted_text(&entry.value))).collect();
            texts.sort();
            format!("{{{}}}", texts.join(","))
        }
        Value::Float(number) => format!("{:?}", number.value),
        Value::Str(text) => format!("{text:?}"),
        _ => node.printed().unwrap_or_default(),
    }
}

//! A changed tree as text again, so that one reader reads files as they are and files that were changed.

use std::fmt::Write;

use crate::diagnostic::Span;
use crate::document::{Node, Value};

/// A tree as YAML, each key and each scalar on a line of its own, with the place in the tree of what stands on each
/// line.
#[derive(Debug)]
pub struct Written {
    /// The text.
    pub text: String,
    places: Vec<Span>,
}

impl Written {
    /// The place of what stands on a line, from 1.
    pub fn place(&self, line: usize) -> Span {
        line.checked_sub(1).and_then(|index| self.places.get(index)).copied().unwrap_or_default()
    }

    fn line(&mut self, text: &str, place: Span) {
        self.text.push_str(text);
        self.text.push('\n');
        self.places.push(place);
    }
}

/// Writes a tree.
pub fn written(root: &Node) -> Written {
    let mut written = Written { text: String::new(), places: Vec::new() };
    node(root, "", &mut written);
    written
}

/// Writes a value, and what stands behind it.
fn node(node: &Node, behind: &str, to: &mut Written) {
    match &node.value {
        Value::Seq(items) => {
            to.line("[", node.span);
            items.iter().for_each(|item| self::node(item, ",", to));
            to.line(&format!("]{behind}"), node.span);
        }
        Value::Map(entries) => {
            to.line("{", node.span);
            for entry in entries {
                to.line(&format!("{}:", quoted(&entry.key)), entry.key_span);
                self::node(&entry.value, ",", to);
            }
            to.line(&format!("}}{behind}"), node.span);
        }
        scalar => to.line(&format!("{}{behind}", plain(scalar)), node.span),
    }
}

fn plain(scalar: &Value) -> String {
    match scalar {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => match &*number.text {
            "inf" => ".inf".to_owned(),
            "-inf" => "-.inf".to_owned(),
            "nan" => ".nan".to_owned(),
            text => text.to_owned(),
        },
        // `1e3` is text for whoever reads gateway configs, and a number in a scenario.
        Value::Str(text) if text.parse::<f64>().is_ok_and(f64::is_finite) => text.to_string(),
        Value::Str(text) | Value::Date(text) => quoted(text),
        Value::Seq(_) | Value::Map(_) => String::new(),
    }
}

/// A text between double quotes, on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            // Writing to a `String` cannot fail.
            c if (c as u32) < 0x20 || (0x7f..0xa0).contains(&(c as u32)) || matches!(c, '\u{2028}' | '\u{2029}') => {
                let _ = write!(quoted, "\\u{:04x}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

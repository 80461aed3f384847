//! The tree of values.

use crate::diagnostic::Span;
use crate::document::scalar::Decimal;
use crate::document::shift;
use std::fmt;

/// A value and where it is written.
#[derive(Clone, PartialEq)]
pub struct Node {
    /// The place. For an alias the place of what it stands for.
    pub span: Span,
    /// What is written there.
    pub value: Value,
}

/// What a scalar or collection was resolved to.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Nothing: empty, `~`, `null`.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// A number with a fraction, an exponent, or too large for [`Value::Int`].
    Float(Decimal),
    /// A date or time, which YAML 1.1 reads as something else than text.
    Date(Box<str>),
    /// Text.
    Str(Box<str>),
    /// A list.
    Seq(Vec<Node>),
    /// A map, in the order written; keys are unique.
    Map(Vec<Entry>),
}

/// A key of a map and its value.
#[derive(Clone, PartialEq)]
pub struct Entry {
    /// The key; a key that is no text is written as Python prints it.
    pub key: Box<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// The entries of a map; empty for all else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; empty for all else.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::Seq(items) => items,
            _ => &[],
        }
    }

    /// The entry of a map with this key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.key == key)
    }

    /// The value of a map under this key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The text of a text value.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// A text or number as Python prints it.
    pub fn printed(&self) -> Option<String> {
        match &self.value {
            Value::Str(text) => Some(text.to_string()),
            Value::Int(n) => Some(n.to_string()),
            Value::Float(decimal) => Some(decimal.text.to_string()),
            Value::Bool(true) => Some("True".to_owned()),
            Value::Bool(false) => Some("False".to_owned()),
            _ => None,
        }
    }

    /// Whether nothing is written here.
    pub const fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// What was found, for a message; never the value itself.
    pub const fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing (null)",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a decimal number",
            Value::Date(_) => "a date",
            Value::Str(_) => "text",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// Moves all places by a number of bytes.
    pub fn shift(&mut self, bytes: usize) {
        shift(&mut self.span, bytes);
        match &mut self.value {
            Value::Seq(items) => items.iter_mut().for_each(|item| item.shift(bytes)),
            Value::Map(entries) => entries.iter_mut().for_each(|entry| {
                shift(&mut entry.key_span, bytes);
                entry.value.shift(bytes);
            }),
            _ => {}
        }
    }

    /// What a copy of this tree costs, in units of about 32 bytes.
    pub(super) fn weight(&self) -> usize {
        let of_text = |text: &str| text.len() / 32;
        let content = match &self.value {
            Value::Seq(items) => items.iter().map(Self::weight).sum(),
            Value::Map(entries) => entries.iter().map(|entry| 1 + of_text(&entry.key) + entry.value.weight()).sum(),
            Value::Str(text) | Value::Date(text) => of_text(text),
            _ => 0,
        };
        1 + content
    }
}

/// Scalars may be secrets: only the shape is printed.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ", self.span.line, self.span.column)?;
        match &self.value {
            Value::Seq(items) => f.debug_list().entries(items).finish(),
            Value::Map(entries) => f.debug_map().entries(entries.iter().map(|e| (&e.key, &e.value))).finish(),
            _ => f.write_str(self.kind()),
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.key, self.value)
    }
}

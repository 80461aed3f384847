//! How single values of the config file are read: leniently where the gateway is lenient.

use crate::diagnostic::codes;
use crate::diagnostic::secrets::looks_secret;
use crate::diagnostic::{Collected, Diagnostic, Severity, Span};
use crate::document::{Decimal, Node, Value};
use crate::gateway::litellm::wire::consequence::{Consequence, Section};
use crate::units::{Money, UnitPrice};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A value and where it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// The place.
    pub span: Span,
}

/// A map whose keys the user chooses, in the order written.
pub type Named<T> = Vec<(Spanned<String>, Spanned<T>)>;

/// A value that never leaves the parser. What remains is where it comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// `os.environ/NAME`: the name.
    Environment(String),
    /// Written into the file.
    Literal,
}

/// Something whose presence alone counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Present;

/// The address of an upstream, without user, password, path and query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `os.environ/NAME`: the name.
    Environment(String),
    /// Scheme, host and port; empty for what is no address.
    Host(String),
}

/// What reading a value may need and leave behind.
pub(super) struct Reader {
    pub(super) file: Arc<str>,
    pub(super) diagnostics: Collected,
    section: Section,
    pub(super) key: &'static str,
    /// Something in the deployment that is being read makes the gateway drop it.
    pub(super) dropped: bool,
    /// Providers with a handler of the user's own.
    pub(super) own_providers: Vec<String>,
    /// Variables that are not known, and without which deployments are left out.
    pub(super) unset: Vec<String>,
}

impl Reader {
    pub(super) fn new(file: &str) -> Self {
        Self {
            file: Arc::from(file),
            diagnostics: Collected::default(),
            section: Section::Top,
            key: "",
            dropped: false,
            own_providers: Vec::new(),
            unset: Vec::new(),
        }
    }

    /// Reads inside another section.
    pub(super) fn within<T>(&mut self, section: Section, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = (self.section, self.key);
        self.section = section;
        let value = read(self);
        (self.section, self.key) = outer;
        value
    }

    /// Reads the value of a key.
    pub(super) fn at_key<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.key, key);
        let value = read(self);
        self.key = outer;
        value
    }

    pub(super) fn report(
        &mut self,
        code: &'static str,
        severity: Severity,
        span: Span,
        message: String,
        help: Option<&str>,
    ) {
        let file = Arc::clone(&self.file);
        self.diagnostics.add(Diagnostic { code, severity, file, span, message, help: help.map(Into::into) });
    }

    /// A value that is not of the type expected.
    pub(super) fn wrong(&mut self, node: &Node, expected: &str) {
        self.refuse(node, format!("expected {expected}, found {}", node.kind()));
    }

    /// Something else where a list or map belongs; what Python takes for nothing is nothing.
    pub(super) fn not_a_collection(&mut self, node: &Node, expected: &str) {
        match node.as_str().and_then(environment_name) {
            Some(name) => self.note_environment(node, name),
            None if is_falsy(node) => {}
            None => self.wrong(node, expected),
        }
    }

    /// A value that the gateway does not take, and what it does instead.
    pub(super) fn refuse(&mut self, node: &Node, what: String) {
        let (code, severity, consequence) = match self.section.consequence(self.key, node) {
            Consequence::Dropped => {
                self.dropped = true;
                (codes::DROPPED_DEPLOYMENT, Severity::Warning, "the gateway leaves this deployment out")
            }
            Consequence::StartFails => (codes::BREAKS_START, Severity::Error, "the gateway does not start"),
            Consequence::CallsFail => (codes::BREAKS_CALLS, Severity::Error, "the gateway starts, but calls fail"),
            Consequence::Ignored => (codes::WRONG_TYPE, Severity::Warning, "the setting has no effect"),
        };
        self.report(code, severity, node.span, format!("{what}: {consequence}"), None);
    }

    /// A key that must be there.
    pub(super) fn missing(&mut self, node: &Node, key: &str) {
        let span = Span { end: node.span.start, ..node.span };
        let message = format!("`{key}` is missing: the gateway does not start");
        self.report(codes::MISSING_KEY, Severity::Error, span, message, None);
    }

    /// A number from the environment arrives as text; only some settings take that.
    fn number_in_environment(&mut self, node: &Node, name: &str) {
        if self.section.takes_text_as_number(self.key) {
            self.note_environment(node, name);
        } else {
            self.refuse(node, "a value from the environment arrives as text, and this must be a number".to_owned());
        }
    }
}

/// A type that a node can be read as.
pub(super) trait FromNode: Sized {
    /// Reads it, or reports why not and returns `None`.
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self>;
}

/// Reads a value with its place; nothing written is nothing, without a word.
pub(super) fn spanned<T: FromNode>(node: &Node, reader: &mut Reader) -> Option<Spanned<T>> {
    if node.is_null() {
        return None;
    }
    T::from_node(node, reader).map(|value| Spanned { value, span: node.span })
}

/// Whether Python takes a value for nothing, so that the gateway treats it as not set.
pub(super) fn is_falsy(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Int(number) => *number == 0,
        Value::Float(number) => number.value == 0.0,
        Value::Str(text) => text.is_empty(),
        Value::Seq(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        Value::Date(_) => false,
    }
}

/// The value under a key.
pub(super) fn field<T: FromNode>(node: &Node, key: &'static str, reader: &mut Reader) -> Option<Spanned<T>> {
    node.get(key).and_then(|value| reader.at_key(key, |reader| spanned(value, reader)))
}

/// `NAME` of `os.environ/NAME`.
pub(super) fn environment_name(text: &str) -> Option<&str> {
    text.strip_prefix("os.environ/")
}

/// A name as a message may show it: anything that looks like a credential is masked.
pub(super) fn shown(name: &str) -> String {
    if looks_secret(name) { "***".to_owned() } else { name.to_owned() }
}

/// The number a node stands for: a number, or text that is one where the gateway takes that.
fn number(node: &Node, expected: &str, reader: &mut Reader) -> Option<Decimal> {
    let text = match &node.value {
        Value::Int(value) => value.to_string(),
        Value::Bool(value) => u8::from(*value).to_string(),
        Value::Float(value) => value.text.to_string(),
        Value::Str(text) => number_text(node, text, expected, reader)?,
        _ => {
            reader.wrong(node, expected);
            return None;
        }
    };
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Some(Decimal { text: text.into(), value }),
        Ok(_) => {
            let message = format!("expected {expected}, found a number that is not finite");
            reader.report(codes::OUT_OF_RANGE, Severity::Error, node.span, message, None);
            None
        }
        Err(_) => {
            reader.wrong(node, expected);
            None
        }
    }
}

/// Text that stands for a number, without the `_` that Python allows.
fn number_text(node: &Node, text: &str, expected: &str, reader: &mut Reader) -> Option<String> {
    if let Some(value) = reader.section.text_amounts_to(reader.key) {
        let message = "text where a number belongs: whatever the gateway compares it with fails, so that nothing rests";
        reader.report(codes::WRONG_TYPE, Severity::Warning, node.span, message.to_owned(), Some("write a number"));
        return Some(value.to_owned());
    }
    if let Some(name) = environment_name(text) {
        reader.number_in_environment(node, name);
        return None;
    }
    if !reader.section.takes_text_as_number(reader.key) {
        reader.wrong(node, &format!("{expected} (without quotes)"));
        return None;
    }
    Some(text.trim().replace('_', ""))
}

impl FromNode for Decimal {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        number(node, "a number", reader)
    }
}

impl FromNode for f64 {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        number(node, "a number", reader).map(|decimal| decimal.value)
    }
}

impl FromNode for i64 {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        if let Value::Int(number) = node.value {
            return Some(saturated(number));
        }
        let decimal = number(node, "a whole number", reader)?;
        let must_be_integer = matches!(node.value, Value::Float(_)) && reader.section.needs_integer(reader.key);
        let is_scientific_text = node.as_str().is_some() && decimal.text.contains(['e', 'E']);
        let whole = if must_be_integer || is_scientific_text {
            None
        } else {
            decimal.text.parse().ok().or_else(|| whole_of_float(decimal.value))
        };
        if whole.is_none() {
            reader.wrong(node, "a whole number");
        }
        whole
    }
}

/// To Python there is no largest whole number; no setting tells those beyond 2^63 apart.
fn saturated(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(if number < 0 { -i64::MAX } else { i64::MAX })
}

/// `3.0` is 3; `3.5` is no whole number.
fn whole_of_float(value: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "checked: whole and below 2^53")]
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

impl FromNode for bool {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Bool(value) => Some(*value),
            Value::Int(value @ (0 | 1)) => Some(*value == 1),
            Value::Str(text) => match environment_name(text) {
                Some(name) => {
                    reader.note_environment(node, name);
                    None
                }
                None => boolean_text(node, text, reader),
            },
            _ => {
                reader.wrong(node, "true or false");
                None
            }
        }
    }
}

/// What text says to whoever reads it as a boolean, as pydantic does.
pub fn boolean_in(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "t" | "y" => Some(true),
        "false" | "no" | "off" | "0" | "f" | "n" => Some(false),
        _ => None,
    }
}

/// Text where a boolean belongs: read by some settings, true to Python for the others.
fn boolean_text(node: &Node, text: &str, reader: &mut Reader) -> Option<bool> {
    let says = boolean_in(text);
    if reader.section.needs_true_boolean(reader.key)
        || (says.is_none() && reader.section.reads_text_as_boolean(reader.key))
    {
        reader.wrong(node, "true or false (without quotes)");
        return None;
    }
    if says == Some(true) || reader.section.reads_text_as_boolean(reader.key) {
        return says;
    }
    let message = "text where true or false belongs: the gateway takes any text for true".to_owned();
    reader.report(codes::WRONG_TYPE, Severity::Warning, node.span, message, Some("write it without quotes"));
    Some(!text.is_empty())
}

impl FromNode for String {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Str(text) => match environment_name(text) {
                Some(name) => {
                    reader.note_environment(node, name);
                    None
                }
                None => Some(text.to_string()),
            },
            _ => {
                reader.wrong(node, "text");
                None
            }
        }
    }
}

impl FromNode for Secret {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        let Some(text) = node.as_str() else {
            if !is_falsy(node) {
                reader.wrong(node, "text");
            }
            return None;
        };
        Some(environment_name(text).map_or(Self::Literal, |name| Self::Environment(name.to_owned())))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl FromNode for Present {
    fn from_node(node: &Node, _: &mut Reader) -> Option<Self> {
        (!is_falsy(node)).then_some(Self)
    }
}

impl FromNode for Endpoint {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        let Some(text) = node.as_str() else {
            reader.wrong(node, "an address such as `https://example.com/v1`");
            return None;
        };
        if let Some(name) = environment_name(text) {
            return Some(Self::Environment(name.to_owned()));
        }
        // Without a scheme it is no address that the gateway can call, and may be anything.
        let Some((scheme, rest)) = text.split_once("://") else { return Some(Self::Host(String::new())) };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        Some(Self::Host(format!("{scheme}://{host}")))
    }
}

impl FromNode for Money {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        let decimal = number(node, "an amount in US dollars", reader)?;
        exact(&decimal, format!("{:.12}", decimal.value), node, reader)
    }
}

impl FromNode for UnitPrice {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        let decimal = number(node, "a price in US dollars", reader)?;
        exact(&decimal, format!("{:.27}", decimal.value), node, reader)
    }
}

/// The exact amount; of digits that are only the noise of a float the nearest one that can be counted.
fn exact<T: FromStr>(decimal: &Decimal, rounded: String, node: &Node, reader: &mut Reader) -> Option<T> {
    const NOISE: f64 = 1e-9;
    let is_noise =
        |text: &str| text.parse::<f64>().is_ok_and(|near| (near - decimal.value).abs() <= NOISE * decimal.value);
    let amount = decimal.text.parse().ok().or_else(|| rounded.parse().ok().filter(|_| is_noise(&rounded)));
    if amount.is_none() {
        let message = "an amount with more digits than can be counted exactly".to_owned();
        reader.report(codes::OUT_OF_RANGE, Severity::Error, node.span, message, Some("round it"));
    }
    amount
}

impl<T: FromNode> FromNode for Vec<Spanned<T>> {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        if reader.key.ends_with("fallbacks")
            && let Some(text) = node.as_str()
        {
            return Some(letters(node, text, reader));
        }
        if !matches!(node.value, Value::Seq(_)) {
            reader.not_a_collection(node, "a list");
            return None;
        }
        Some(node.items().iter().filter_map(|item| spanned(item, reader)).collect())
    }
}

/// Python walks over text letter by letter, and so does the gateway when a list of fallbacks is text.
fn letters<T: FromNode>(node: &Node, text: &str, reader: &mut Reader) -> Vec<Spanned<T>> {
    let message = "text where a list belongs: the gateway tries each letter as the name of a group".to_owned();
    let help = Some("put it in brackets: `[name]`");
    reader.report(codes::FALLBACK_LETTERS, Severity::Warning, node.span, message, help);
    let letter = |c: char| Node { span: node.span, value: Value::Str(c.to_string().into()) };
    text.chars().filter_map(|c| spanned(&letter(c), reader)).collect()
}

impl<T: FromNode> FromNode for Named<T> {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        if !matches!(node.value, Value::Map(_)) {
            reader.not_a_collection(node, "a map");
            return None;
        }
        let named = |entry: &crate::document::Entry, reader: &mut Reader| {
            let name = Spanned { value: entry.key.to_string(), span: entry.key_span };
            spanned(&entry.value, reader).map(|value| (name, value))
        };
        Some(node.entries().iter().filter_map(|entry| named(entry, reader)).collect())
    }
}

/// Declares a section of the config file: each key optional, each value with its place.
macro_rules! section {
    ($(#[$meta:meta])* $name:ident in $section:ident { $($(#[$doc:meta])+ $key:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name {
            $($(#[$doc])+ pub $key: Option<$crate::gateway::litellm::wire::value::Spanned<$type>>,)*
        }

        impl $name {
            /// The keys that are read here.
            #[cfg(test)]
            pub const KEYS: &[&str] = &[$(stringify!($key),)*];
        }

        impl $crate::gateway::litellm::wire::value::FromNode for $name {
            fn from_node(
                node: &$crate::document::Node,
                reader: &mut $crate::gateway::litellm::wire::value::Reader,
            ) -> Option<Self> {
                if !matches!(node.value, $crate::document::Value::Map(_)) {
                    reader.not_a_collection(node, "a map");
                    return None;
                }
                reader.within($crate::gateway::litellm::wire::Section::$section, |reader| Some(Self {
                    $($key: $crate::gateway::litellm::wire::value::field(
                        node,
                        stringify!($key).trim_start_matches("r#"),
                        reader,
                    ),)*
                }))
            }
        }
    };
}

pub(super) use section;

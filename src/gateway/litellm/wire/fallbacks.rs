//! Fallback lists in every spelling that is in use.

use crate::diagnostic::Severity;
use crate::diagnostic::codes;
use crate::document::{Entry, Node, Value};
use crate::gateway::litellm::wire::value::{FromNode, Reader, Spanned};

/// A list of one-key maps, `[{group: [target, …]}, …]`, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fallbacks(pub Vec<Fallback>);

/// Where requests for one group go when it fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Fallback {
    /// The group, as clients name it, or `*`.
    pub group: Spanned<String>,
    /// What is tried, in order.
    pub targets: Vec<Spanned<FallbackTarget>>,
}

/// One target: a name, or a map with a `model` and parameters to send along.
#[derive(Debug, Clone, PartialEq)]
pub struct FallbackTarget {
    /// The group to try.
    pub model: String,
    /// Whether parameters are sent along.
    pub has_params: bool,
    /// `num_retries` among the parameters; `null` takes away what stood before, here and below.
    pub num_retries: Option<Option<i64>>,
    /// `timeout`, in seconds.
    pub timeout: Option<Option<f64>>,
    /// `request_timeout`, in seconds.
    pub request_timeout: Option<Option<f64>>,
    /// `stream_timeout`, in seconds.
    pub stream_timeout: Option<Option<f64>>,
    /// `disable_fallbacks`.
    pub disable_fallbacks: Option<bool>,
}

impl FallbackTarget {
    /// A target as it is written; `None` if no model is named.
    pub fn read(node: &Node) -> Option<Self> {
        let model = node.as_str().or_else(|| node.get("model").and_then(Node::as_str))?;
        let seconds = |key: &str| match &node.get(key)?.value {
            Value::Int(n) => Some(Some(*n as f64)),
            Value::Float(number) => Some(Some(number.value)),
            Value::Null => Some(None),
            _ => None,
        };
        let whole = |key: &str| match node.get(key)?.value {
            Value::Int(n) => i64::try_from(n).ok().map(Some),
            Value::Null => Some(None),
            _ => None,
        };
        let flag = |key: &str| match node.get(key)?.value {
            Value::Bool(flag) => Some(flag),
            Value::Null => Some(false),
            _ => None,
        };
        Some(Self {
            model: model.to_owned(),
            has_params: node.entries().len() > 1,
            num_retries: whole("num_retries"),
            timeout: seconds("timeout"),
            request_timeout: seconds("request_timeout"),
            stream_timeout: seconds("stream_timeout"),
            disable_fallbacks: flag("disable_fallbacks"),
        })
    }
}

impl FromNode for Fallbacks {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        if !matches!(node.value, Value::Seq(_)) {
            reader.not_a_collection(node, "a list of one-key maps such as `[{\"group\": [\"fallback\"]}]`");
            return None;
        }
        Some(Self(node.items().iter().filter_map(|item| rule(item, reader)).collect()))
    }
}

/// What of an entry leads calls elsewhere, or makes them cost something else, and is not simulated.
const UNREAD: [&str; 9] = [
    "fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "max_fallbacks",
    "max_tokens",
    "max_completion_tokens",
    "messages",
    "stream",
    "mock_response",
];

/// The one list whose maps are not counted when the gateway starts (`router.py:validate_fallbacks`); a group is looked
/// up in their first keys [T 226].
const FIRST_COUNTS: &str = "context_window_fallbacks";

fn rule(item: &Node, reader: &mut Reader) -> Option<Fallback> {
    let (Entry { key, key_span, value }, others) = match item.entries() {
        [entry, others @ ..] if others.is_empty() || reader.key == FIRST_COUNTS => (entry, others),
        entries => {
            let found = match &item.value {
                Value::Map(_) => format!("a map with {} keys", entries.len()),
                _ => item.kind().to_owned(),
            };
            reader.refuse(
                item,
                format!("expected a map with exactly one key, the group (`- group: [fallback]`), found {found}"),
            );
            return None;
        }
    };
    if let Some(other) = others.first() {
        let message = format!("only the first key of a map counts here: `{}` has no effect", other.key);
        let help = Some("write one map for each group: `- group: [fallback]`");
        reader.report(codes::WRONG_TYPE, Severity::Warning, other.key_span, message, help);
    }
    let targets = if value.is_null() { Vec::new() } else { Vec::from_node(value, reader)? };
    Some(Fallback { group: Spanned { value: key.to_string(), span: *key_span }, targets })
}

impl FromNode for FallbackTarget {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        let target = Self::read(node);
        if target.is_none() {
            let message = format!(
                "expected the name of a group, or a map with a `model`, found {}: no fallback of this list is tried",
                node.kind()
            );
            reader.report(codes::WRONG_TYPE, Severity::Error, node.span, message, None);
        }
        for entry in node.entries().iter().filter(|entry| UNREAD.contains(&&*entry.key)) {
            let message = format!("`{}` of a fallback entry is not simulated", entry.key);
            reader.report(codes::NOT_SIMULATED, Severity::Warning, entry.key_span, message, None);
        }
        target
    }
}

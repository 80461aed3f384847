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
    /// `num_retries` among the parameters.
    pub num_retries: Option<i64>,
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

fn rule(item: &Node, reader: &mut Reader) -> Option<Fallback> {
    let [Entry { key, key_span, value }] = item.entries() else {
        let found = match &item.value {
            Value::Map(entries) => format!("a map with {} keys", entries.len()),
            _ => item.kind().to_owned(),
        };
        reader.refuse(
            item,
            format!("expected a map with exactly one key, the group (`- group: [fallback]`), found {found}"),
        );
        return None;
    };
    let targets = if value.is_null() { Vec::new() } else { Vec::from_node(value, reader)? };
    Some(Fallback { group: Spanned { value: key.to_string(), span: *key_span }, targets })
}

impl FromNode for FallbackTarget {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        let model = node.as_str().or_else(|| node.get("model").and_then(Node::as_str));
        if model.is_none() {
            let message = format!(
                "expected the name of a group, or a map with a `model`, found {}: no fallback of this list is tried",
                node.kind()
            );
            reader.report(codes::WRONG_TYPE, Severity::Error, node.span, message, None);
        }
        let num_retries = match node.get("num_retries").map(|node| &node.value) {
            Some(Value::Int(n)) => i64::try_from(*n).ok(),
            _ => None,
        };
        model.map(|model| Self { model: model.to_owned(), has_params: node.entries().len() > 1, num_retries })
    }
}

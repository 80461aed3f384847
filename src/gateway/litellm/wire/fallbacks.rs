//! Fallback lists in every spelling that is in use.

use crate::diagnostic::codes;
use crate::diagnostic::{Severity, Span};
use crate::document::{Entry, Node, Value};
use crate::gateway::litellm::wire::mock::Mock;
use crate::gateway::litellm::wire::python::{python_float, sorted_text};
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
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FallbackTarget {
    /// The group to try.
    pub model: String,
    /// Whether parameters are sent along.
    pub has_params: bool,
    /// It is written as a map, parameters or not.
    pub is_map: bool,
    /// What tells it apart from other maps with parameters.
    pub identity: String,
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
    /// `max_tokens`.
    pub max_tokens: Option<Option<i64>>,
    /// `fallbacks`, `context_window_fallbacks` and `content_policy_fallbacks` [T 267].
    pub fallbacks: [Option<OwnFallbacks>; 3],
    /// `mock_response` and what belongs to it.
    pub mock: Mock,
}

/// Fallbacks that a request, or an entry of a list, brings along.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnFallbacks {
    /// A list of targets for every group.
    Flat(Vec<FallbackTarget>),
    /// A list for each of some groups.
    ByName(Vec<(String, Vec<FallbackTarget>)>),
    /// `null`: there are none, whatever is configured.
    Nothing,
}

impl OwnFallbacks {
    /// The three kinds of lists, in the order in which they are kept everywhere.
    pub const KEYS: [&str; 3] = ["fallbacks", "context_window_fallbacks", "content_policy_fallbacks"];

    /// A list of names or of entries with parameters is for every group; one of maps from groups to lists is for
    /// those. In a list of both the last name is for all groups that no map names.
    pub fn read(node: &Node) -> Self {
        if node.is_null() {
            return Self::Nothing;
        }
        let items = node.items();
        let is_entry = |item: &Node| item.get("model").is_some_and(|model| model.as_str().is_some());
        let (all_names, all_maps) =
            (items.iter().all(|item| item.as_str().is_some()), items.iter().all(|item| item.as_str().is_none()));
        if !items.is_empty() && (all_names || (all_maps && items.iter().any(is_entry))) {
            return Self::Flat(targets(node));
        }
        let by_name = |item: &Node| match item.entries() {
            [entry, ..] if matches!(entry.value.value, Value::Seq(_)) => {
                Some((entry.key.to_string(), targets(&entry.value)))
            }
            _ => None,
        };
        let mut lists: Vec<_> = items.iter().filter_map(by_name).collect();
        let last_name = items.iter().rev().find_map(Node::as_str).filter(|_| !all_maps);
        lists.extend(last_name.map(|name| ("*".to_owned(), vec![FallbackTarget::named(name)])));
        Self::ByName(lists)
    }

    /// All targets, those in their own lists included.
    pub fn targets(&self) -> Vec<&FallbackTarget> {
        let (flat, by_name) = match self {
            Self::Flat(targets) => (targets.as_slice(), [].as_slice()),
            Self::ByName(lists) => ([].as_slice(), lists.as_slice()),
            Self::Nothing => ([].as_slice(), [].as_slice()),
        };
        let all = flat.iter().chain(by_name.iter().flat_map(|(_, targets)| targets));
        all.flat_map(FallbackTarget::with_inner).collect()
    }
}

fn targets(list: &Node) -> Vec<FallbackTarget> {
    list.items().iter().filter_map(FallbackTarget::read).collect()
}

impl FallbackTarget {
    /// A bare name.
    pub fn named(model: &str) -> Self {
        Self { model: model.to_owned(), ..Self::default() }
    }

    /// This target, and those of its own lists.
    pub fn with_inner(&self) -> Vec<&Self> {
        let inner = self.fallbacks.iter().flatten().flat_map(OwnFallbacks::targets);
        [self].into_iter().chain(inner).collect()
    }

    /// A target as it is written; `None` if no model is named.
    pub fn read(node: &Node) -> Option<Self> {
        let model = node.as_str().or_else(|| node.get("model").and_then(Node::as_str))?;
        let seconds = |key: &str| match &node.get(key)?.value {
            Value::Int(n) => Some(Some(*n as f64)),
            Value::Float(number) => Some(Some(number.value)),
            Value::Str(text) => python_float(text).map(Some),
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
        let has_params = node.entries().len() > 1;
        Some(Self {
            model: model.to_owned(),
            has_params,
            is_map: node.as_str().is_none(),
            identity: if has_params { sorted_text(node) } else { String::new() },
            num_retries: whole("num_retries"),
            timeout: seconds("timeout"),
            request_timeout: seconds("request_timeout"),
            stream_timeout: seconds("stream_timeout"),
            disable_fallbacks: flag("disable_fallbacks"),
            max_tokens: whole("max_tokens"),
            fallbacks: OwnFallbacks::KEYS.map(|key| node.get(key).map(OwnFallbacks::read)),
            mock: Mock::read(node),
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
const UNREAD: [&str; 10] = [
    "max_completion_tokens",
    "messages",
    "stream",
    "metadata",
    "litellm_metadata",
    "tags",
    "api_base",
    "api_key",
    "specific_deployment",
    "routing_strategy",
];

/// What `target` holds, and its own lists, that is not simulated.
pub fn unread_in(target: &Node) -> Vec<(Span, String)> {
    let message = |entry: &Entry| format!("`{}` of a fallback entry is not simulated", entry.key);
    let own = target.entries().iter().filter(|entry| UNREAD.contains(&&*entry.key));
    let mut found: Vec<_> = own.map(|entry| (entry.key_span, message(entry))).collect();
    for list in OwnFallbacks::KEYS.iter().filter_map(|key| target.get(key)) {
        found.extend(unread_in_list(list));
    }
    found
}

/// The same of a whole list.
pub fn unread_in_list(list: &Node) -> Vec<(Span, String)> {
    let is_entry = |item: &Node| item.get("model").is_some_and(|model| model.as_str().is_some());
    let of_item = |item: &Node| match is_entry(item) {
        true => unread_in(item),
        false => item.entries().iter().flat_map(|entry| entry.value.items()).flat_map(unread_in).collect(),
    };
    list.items().iter().flat_map(of_item).collect()
}

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
        for (span, message) in unread_in(node) {
            reader.report(codes::NOT_SIMULATED, Severity::Warning, span, message, None);
        }
        target
    }
}

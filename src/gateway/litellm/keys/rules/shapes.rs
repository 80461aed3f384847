//! Settings that are not simulated, and keep the gateway from starting when they have the wrong shape.

use crate::diagnostic::Severity;
use crate::diagnostic::codes;
use crate::document::{Node, Value};
use crate::gateway::litellm::keys::Findings;

/// What a value must be.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// A number, also as text; nothing else, not even nothing.
    Number,
    /// A number, also as text, or nothing.
    NumberOrNothing,
    /// A list.
    List,
    /// A map.
    Map,
    /// A list of maps that have these keys.
    Records(&'static [&'static str]),
    /// `12:00` or `12:00:30`.
    TimeOfDay,
    /// `module.name`, which the gateway imports.
    Import,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// Places where secrets may be kept.
const SECRET_MANAGERS: &[&str] = &[
    "google_kms",
    "azure_key_vault",
    "aws_secret_manager",
    "google_secret_manager",
    "hashicorp_vault",
    "local",
    "aws_kms",
    "cyberark",
    "custom",
];

/// Settings that the gateway converts or imports when it starts.
const SHAPES: &[(&str, &str, Shape)] = &[
    ("litellm_settings", "max_budget", Shape::Number),
    ("litellm_settings", "max_internal_user_budget", Shape::Number),
    ("litellm_settings", "default_max_internal_user_budget", Shape::Number),
    ("litellm_settings", "max_ui_session_budget", Shape::NumberOrNothing),
    ("router_settings", "routing_groups", Shape::Records(&["group_name", "models", "routing_strategy"])),
    ("litellm_settings", "budget_reset_time", Shape::TimeOfDay),
    ("litellm_settings", "upperbound_key_generate_params", Shape::Map),
    ("litellm_settings", "default_team_settings", Shape::Records(&["team_id"])),
    ("litellm_settings", "guardrails", Shape::List),
    ("litellm_settings", "responses", Shape::Map),
    ("litellm_settings", "custom_provider_map", Shape::Records(&["provider", "custom_handler"])),
    ("general_settings", "user_api_key_cache_ttl", Shape::Number),
    ("general_settings", "pass_through_endpoints", Shape::List),
    ("general_settings", "role_permissions", Shape::Records(&[])),
    ("general_settings", "custom_auth", Shape::Import),
    ("general_settings", "custom_key_generate", Shape::Import),
    ("general_settings", "custom_key_update", Shape::Import),
    ("general_settings", "custom_sso", Shape::Import),
    ("general_settings", "key_management_system", Shape::Word(SECRET_MANAGERS)),
];

/// Settings that need a licence.
const LICENSED: [(&str, &str); 3] = [
    ("general_settings", "allowed_ips"),
    ("general_settings", "enforced_params"),
    // `router_strategy/budget_limiter.py:_init_tag_budgets`
    ("litellm_settings", "tag_budget_config"),
];

pub(super) fn check(root: &Node, findings: &mut Findings) {
    for (section, key, shape) in SHAPES {
        let Some(entry) = root.get(section).and_then(|node| node.entry(key)) else { continue };
        if !shape.fits(&entry.value) {
            let message = format!("the gateway does not start: `{section}.{key}` must be {}", shape.name());
            let span = if entry.value.is_null() { entry.key_span } else { entry.value.span };
            findings.add(codes::BREAKS_START, Severity::Error, span, message, None);
        }
    }
    let written = LICENSED.iter().filter_map(|(section, key)| root.get(section)?.entry(key));
    for entry in written.filter(|entry| !entry.value.is_null()) {
        let message = format!("`{}` is for enterprise users: without a licence the gateway does not start", entry.key);
        findings.warn(codes::NEEDS_LICENCE, entry.key_span, &message, "set LITELLM_LICENSE, or remove it");
    }
}

impl Shape {
    fn fits(self, node: &Node) -> bool {
        match (self, &node.value) {
            (Self::Number | Self::NumberOrNothing, Value::Int(_) | Value::Float(_) | Value::Bool(_)) => true,
            (Self::Number | Self::NumberOrNothing, Value::Str(text)) => {
                is_reference(text) || text.trim().replace('_', "").parse::<f64>().is_ok()
            }
            (Self::Number, _) | (Self::TimeOfDay | Self::Map, Value::Null) => false,
            // Elsewhere nothing is as good as not written, and a reference may stand for anything.
            (_, Value::Null) => true,
            (_, Value::Str(text)) if is_reference(text) => true,
            (Self::List, Value::Seq(_)) | (Self::Map, Value::Map(_)) => true,
            (Self::Records(keys), Value::Seq(items)) => items.iter().all(|item| is_record(item, keys)),
            (Self::TimeOfDay, Value::Str(text)) => is_time_of_day(text),
            (Self::Import, Value::Str(text)) => text.contains('.'),
            (Self::Word(words), Value::Str(text)) => words.contains(&&**text),
            _ => false,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Number | Self::NumberOrNothing => "a number".to_owned(),
            Self::List => "a list".to_owned(),
            Self::Map => "a map".to_owned(),
            Self::Records([]) => "a list of maps".to_owned(),
            Self::Records(keys) => format!("a list of maps with {}", keys.join(" and ")),
            Self::TimeOfDay => "a time of day in quotes such as \"12:00\"".to_owned(),
            Self::Import => "the name of a Python object such as `file_name.object_name`".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
        }
    }
}

fn is_reference(text: &str) -> bool {
    text.starts_with("os.environ/")
}

fn is_record(item: &Node, keys: &[&str]) -> bool {
    matches!(item.value, Value::Map(_)) && keys.iter().all(|key| item.get(key).is_some())
}

/// `HH:MM` or `HH:MM:SS`.
fn is_time_of_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let below = |part: &str, limit: u8| part.len() <= 2 && part.parse::<u8>().is_ok_and(|number| number < limit);
    matches!(parts.len(), 2 | 3) && below(parts[0], 24) && parts[1..].iter().all(|part| below(part, 60))
}

//! What the gateway does with a value of the wrong type. It checks very little when it starts: the fields of
//! `litellm_params` that its model declares, and what a constructor happens to touch. Observed with the real loader and
//! proxy (LiteLLM 1.102.4), key by key.

use crate::document::{Node, Value};

/// A part of the config file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Section {
    /// The top level.
    Top,
    /// An entry of `model_list`.
    Deployment,
    /// Its `litellm_params`.
    LitellmParams,
    /// Its `model_info`.
    ModelInfo,
    /// `router_settings`.
    RouterSettings,
    /// `routing_strategy_args`.
    StrategyArgs,
    /// An entry of `routing_groups`.
    RoutingGroup,
    /// `litellm_settings`.
    LitellmSettings,
    /// `litellm_settings.cache_params`.
    CacheParams,
    /// `general_settings`.
    GeneralSettings,
}

/// What a wrong type leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consequence {
    /// The deployment is left out, with a line in the log.
    Dropped,
    /// The gateway does not start.
    StartFails,
    /// It starts, and calls fail.
    CallsFail,
    /// Nothing happens, and the setting does not work.
    Ignored,
}

impl Section {
    /// What a value of the wrong type under `key` leads to.
    pub(super) fn consequence(self, key: &str, node: &Node) -> Consequence {
        let is_collection = matches!(node.value, Value::Seq(_) | Value::Map(_));
        match self {
            // A timeout may be text, but is checked to be a single value.
            Self::LitellmParams if is_collection && matches!(key, "timeout" | "stream_timeout") => Consequence::Dropped,
            Self::RouterSettings if key == "optional_pre_call_checks" && (is_collection || node.as_str().is_some()) => {
                Consequence::Ignored
            }
            Self::Top if key == "router_settings" => Consequence::Ignored,
            Self::Deployment if matches!(key, "rpm" | "tpm") => Consequence::Ignored,
            Self::Top | Self::Deployment => Consequence::StartFails,
            Self::LitellmParams => in_params(key),
            Self::ModelInfo => in_model_info(key),
            Self::RouterSettings => in_router_settings(key),
            Self::CacheParams if key == "type" => Consequence::StartFails,
            Self::StrategyArgs | Self::RoutingGroup => Consequence::StartFails,
            Self::LitellmSettings => in_litellm_settings(key),
            Self::GeneralSettings if matches!(key, "master_key" | "database_url") => Consequence::StartFails,
            Self::CacheParams => Consequence::CallsFail,
            Self::GeneralSettings => Consequence::Ignored,
        }
    }

    /// Whether a number under `key` may be written as text (`"60"`).
    pub(super) fn takes_text_as_number(self, key: &str) -> bool {
        match self {
            Self::LitellmParams => !matches!(key, "weight" | "num_retries" | "max_parallel_requests" | "cooldown_time"),
            Self::ModelInfo => !matches!(key, "cooldown_time" | "allowed_fails"),
            Self::RouterSettings => {
                key.ends_with("timeout") || matches!(key, "retry_policy" | "provider_budget_config")
            }
            Self::LitellmSettings => matches!(key, "request_timeout" | "max_budget"),
            _ => true,
        }
    }

    /// What text under `key` comes to, where the gateway keeps it as it is and fails each time it compares it with a
    /// number: a time that is over at once, and more failures than there can be
    /// (`router.py:deployment_callback_on_failure`) [T 234].
    pub(super) fn text_amounts_to(self, key: &str) -> Option<&'static str> {
        match (self, key) {
            (Self::RouterSettings | Self::LitellmParams | Self::ModelInfo, "cooldown_time") => Some("1e-12"),
            (Self::RouterSettings | Self::ModelInfo, "allowed_fails") => Some("9223372036854775807"),
            _ => None,
        }
    }

    /// Whether a whole number under `key` must be written without a point.
    pub(super) fn needs_integer(self, key: &str) -> bool {
        key == "num_retries" && self != Self::ModelInfo
    }

    /// Whether calls fail when a boolean under `key` is text.
    pub(super) fn needs_true_boolean(self, key: &str) -> bool {
        self == Self::LitellmSettings && key == "cache"
    }

    /// Whether text counts for what it says when a boolean is expected (`"false"` is false). Elsewhere Python takes any
    /// text for true.
    pub(super) fn reads_text_as_boolean(self, key: &str) -> bool {
        matches!(self, Self::LitellmParams | Self::ModelInfo) || key == "drop_params"
    }
}

fn in_params(key: &str) -> Consequence {
    match key {
        "model" => Consequence::StartFails,
        "weight" | "max_parallel_requests" | "timeout" | "stream_timeout" | "request_timeout" => Consequence::CallsFail,
        "num_retries" | "order" | "cooldown_time" | "allowed_fails" | "fallbacks" | "max_tokens" | "stream" => {
            Consequence::Ignored
        }
        _ => Consequence::Dropped,
    }
}

fn in_model_info(key: &str) -> Consequence {
    let is_checked = matches!(key, "id" | "base_model" | "tier") || key.contains("cost");
    if is_checked { Consequence::Dropped } else { Consequence::Ignored }
}

fn in_router_settings(key: &str) -> Consequence {
    match key {
        "fallbacks"
        | "content_policy_fallbacks"
        | "model_group_alias"
        | "provider_budget_config"
        | "retry_policy"
        | "allowed_fails_policy"
        | "routing_strategy"
        | "routing_groups"
        | "optional_pre_call_checks"
        | "redis_url" => Consequence::StartFails,
        "allowed_fails" | "cooldown_time" | "context_window_fallbacks" | "routing_strategy_args" => {
            Consequence::Ignored
        }
        _ => Consequence::CallsFail,
    }
}

fn in_litellm_settings(key: &str) -> Consequence {
    match key {
        "max_budget" | "fallbacks" | "content_policy_fallbacks" => Consequence::StartFails,
        "num_retries" | "max_fallbacks" | "request_timeout" | "cache" | "default_fallbacks" => Consequence::CallsFail,
        _ => Consequence::Ignored,
    }
}

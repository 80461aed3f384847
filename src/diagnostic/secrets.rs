//! What may be a secret, so that no message and no quoted line shows it.

/// Whether a text looks like a credential: a known prefix, or a long run without separators that mixes digits and
/// letters.
pub fn looks_secret(text: &str) -> bool {
    const PREFIXES: [&str; 9] = ["sk-", "sk_", "pk-", "AIza", "AKIA", "ghp_", "xox", "hf_", "Bearer "];
    if PREFIXES.iter().any(|prefix| text.starts_with(prefix)) && text.len() >= 8 {
        return true;
    }
    let longest = text.split(|c: char| !c.is_ascii_alphanumeric()).max_by_key(|run| run.len()).unwrap_or_default();
    let has = |test: fn(&char) -> bool| longest.chars().any(|c| test(&c));
    longest.len() >= 24 && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic)
}

/// Whether a key's value is likely a secret.
pub fn is_secret_key(key: &str) -> bool {
    const SECRET: [&str; 17] = [
        "key",
        "secret",
        "token",
        "password",
        "passwd",
        "credential",
        "auth",
        "license",
        "webhook",
        "dsn",
        "private",
        "salt",
        "connection",
        "cookie",
        "header",
        "database_url",
        "environment_variables",
    ];
    let key = key.to_ascii_lowercase();
    let counts_tokens = key.contains("cost") || key.ends_with("tokens") || key.contains("token_limit");
    !counts_tokens && SECRET.iter().any(|word| key.contains(word))
}

/// Maps whose keys are names that the user chooses, and whose values are names too.
pub const OF_NAMES: [&str; 6] = [
    "fallbacks",
    "default_fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "model_group_alias",
    "model_group_retry_policy",
];

/// Keys of a gateway's config whose texts are shown: names, kinds and periods.
pub const SHOWN: [&str; 61] = [
    "model",
    "model_name",
    "custom_llm_provider",
    "base_model",
    "id",
    "mode",
    "type",
    "namespace",
    "budget_duration",
    "time_period",
    "budget_reset_time",
    "timezone",
    "routing_strategy",
    "callbacks",
    "success_callback",
    "failure_callback",
    "region_name",
    "tier",
    "timeout",
    "stream_timeout",
    "request_timeout",
    "rpm",
    "tpm",
    "weight",
    "num_retries",
    "max_fallbacks",
    "max_retries",
    "retry_after",
    "cooldown_time",
    "disable_cooldowns",
    "allowed_fails",
    "max_budget",
    "budget_limit",
    "max_parallel_requests",
    "order",
    "max_tokens",
    "input_cost_per_token",
    "output_cost_per_token",
    "ttl",
    "cache",
    "stream",
    "drop_params",
    "set_verbose",
    "enable_pre_call_checks",
    "TimeoutErrorRetries",
    "RateLimitErrorRetries",
    "InternalServerErrorRetries",
    "BadRequestErrorRetries",
    "ContentPolicyViolationErrorRetries",
    "TimeoutErrorAllowedFails",
    "RateLimitErrorAllowedFails",
    "InternalServerErrorAllowedFails",
    "BadRequestErrorAllowedFails",
    // Of trace cases.
    "layer",
    "start",
    "clock",
    "transport",
    "drain",
    "latency",
    "status",
    "every",
];

/// Whether a text under this key of a gateway's config is a name or a kind, and no secret.
pub fn may_be_shown(key: &str) -> bool {
    SHOWN.contains(&key) || OF_NAMES.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_told_from_names() {
        for secret in ["sk-abcdefgh", "AKIAIOSFODNN7EXAMPLE", "9f8e7d6c5b4a39281706abcdef012345", "Bearer abc.def"] {
            assert!(looks_secret(secret), "{secret}");
        }
        for name in ["gpt-4o", "anthropic/claude-3-5-sonnet-20241022", "sk-", "my-group", "us.anthropic.claude-v2:1"] {
            assert!(!looks_secret(name), "{name}");
        }
    }
}

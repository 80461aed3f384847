//! How LiteLLM finds the provider of a model (`get_llm_provider`). What it cannot place it drops when it starts.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Prefixes, endpoints and models known without a prefix.
static KNOWN: LazyLock<Known> = LazyLock::new(Known::load);

/// Length of the version behind the colon of a Replicate model.
const REPLICATE_VERSION: usize = 64;

#[derive(Default)]
struct Known {
    prefixes: BTreeMap<&'static str, &'static str>,
    models: BTreeMap<&'static str, &'static str>,
    endpoints: Vec<(&'static str, &'static str)>,
}

impl Known {
    fn load() -> Self {
        let mut known = Self::default();
        let rows = include_str!("providers.csv").lines().filter(|line| !line.starts_with('#')).skip(1);
        for row in rows {
            let mut cells = row.split(',');
            match (cells.next(), cells.next(), cells.next()) {
                (Some("prefix"), Some(name), Some(provider)) => drop(known.prefixes.insert(name, provider)),
                (Some("model"), Some(name), Some(provider)) => drop(known.models.insert(name, provider)),
                (Some("endpoint"), Some(address), Some(provider)) => known.endpoints.push((address, provider)),
                _ => {}
            }
        }
        known
    }
}

/// The provider that serves `model`, or `None` when the gateway cannot tell.
pub fn provider_of(model: &str, custom_llm_provider: Option<&str>, api_base: Option<&str>) -> Option<&'static str> {
    if let Some(custom) = custom_llm_provider {
        return KNOWN.prefixes.get(custom).copied();
    }
    match model.split_once('/') {
        Some((prefix, _)) if KNOWN.prefixes.contains_key(prefix) => return KNOWN.prefixes.get(prefix).copied(),
        None if KNOWN.prefixes.contains_key(model) => return None,
        _ => {}
    }
    api_base.and_then(by_endpoint).or_else(|| KNOWN.models.get(model).copied()).or_else(|| by_pattern(model))
}

/// The prefix of a model that stands before the first slash, if it is none that the gateway knows.
pub fn unknown_prefix(model: &str) -> Option<&str> {
    model.split_once('/').map(|(prefix, _)| prefix).filter(|prefix| !KNOWN.prefixes.contains_key(prefix))
}

/// All prefixes, for suggestions.
pub fn prefixes() -> impl Iterator<Item = &'static str> {
    KNOWN.prefixes.keys().copied()
}

/// Host equal, path equal or longer at a slash.
pub(super) fn by_endpoint(api_base: &str) -> Option<&'static str> {
    let address = api_base.split_once("://").map_or(api_base, |(_, rest)| rest).trim_end_matches('/');
    let matches = |known: &str| {
        let rest = address
            .get(..known.len())
            .filter(|start| start.eq_ignore_ascii_case(known))
            .map(|_| &address[known.len()..]);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    KNOWN.endpoints.iter().find(|(known, _)| matches(known)).map(|(_, provider)| *provider)
}

fn by_pattern(model: &str) -> Option<&'static str> {
    let version = model.split_once(':').map(|(_, rest)| rest.split(':').next().unwrap_or_default());
    if model == "*"
        || model.contains("ft:gpt-3.5-turbo")
        || model.contains("ft:gpt-4")
        || model.starts_with("gpt-image")
    {
        Some("openai")
    } else if version.is_some_and(|version| version.len() == REPLICATE_VERSION) {
        Some("replicate")
    } else if model.starts_with("amazon_nova") {
        Some("amazon_nova")
    } else if is_bedrock_claude(model) {
        Some("bedrock")
    } else if is_claude(model) {
        Some("anthropic")
    } else {
        None
    }
}

/// `^(?:[a-z-]+\.)?anthropic\.claude-`
fn is_bedrock_claude(model: &str) -> bool {
    let is_region = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let rest = match model.split_once('.') {
        Some((region, rest)) if region != "anthropic" && is_region(region) => rest,
        _ => model,
    };
    rest.starts_with("anthropic.claude-")
}

/// `^claude-[a-z]+-\d+(?:[-.]\d+)?(?:-\d{8})?$`
fn is_claude(model: &str) -> bool {
    let Some((family, version)) = model.strip_prefix("claude-").and_then(|rest| rest.split_once('-')) else {
        return false;
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = version.splitn(4, ['-', '.']).collect();
    let dots = version.bytes().filter(|b| *b == b'.').count();
    let fits = match parts[..] {
        [major] => is_number(major),
        [major, minor] => is_number(major) && is_number(minor),
        [major, minor, date] => is_number(major) && is_number(minor) && is_number(date) && date.len() == 8,
        _ => false,
    };
    let dot_is_first = dots == 0 || (dots == 1 && version.find('.') < version.find('-').or(Some(usize::MAX)));
    !family.is_empty() && family.bytes().all(|b| b.is_ascii_lowercase()) && fits && dot_is_first
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the real loader kept and dropped.
    #[test]
    fn models_find_their_provider_as_in_the_gateway() {
        let kept = [
            ("gpt-4o", "openai"),
            ("claude-sonnet-4-6", "anthropic"),
            ("gemini/gemini-1.5-pro", "gemini"),
            ("deepseek/foo", "deepseek"),
            ("openai/*", "openai"),
            ("*", "openai"),
            ("command-r", "cohere_chat"),
            ("anthropic.claude-v2", "bedrock"),
            ("o3", "openai"),
            ("openai/", "openai"),
            ("ft:gpt-4o:org", "openai"),
            ("gemini-2.5-flash", "vertex_ai"),
            ("eu.anthropic.claude-new", "bedrock"),
            ("claude-new-9", "anthropic"),
        ];
        for (model, provider) in kept {
            assert_eq!(provider_of(model, None, None), Some(provider), "{model}");
        }
        let dropped = [
            "claude/claude-3-haiku",
            "claude-3-haiku",
            "claude-3-5-sonnet",
            "gemini-pro",
            "deepseek-chat",
            "foo",
            "foo/bar",
            "OpenAI/gpt-4o",
            "google/gemini-pro",
            "mistral-large-latest",
            "grok-4",
            "together/foo",
            "gpt-99",
            "llama3",
            "",
            "gemini-1.5-pro",
            "o1-mini",
            "claude-99",
            "meta-llama/Llama-3-8b",
            "openai",
            "claude-new-9-1.2",
        ];
        for model in dropped {
            assert_eq!(provider_of(model, None, None), None, "{model}");
        }
    }

    #[test]
    fn a_known_address_or_a_named_provider_place_any_model() {
        assert_eq!(provider_of("foo", None, Some("https://api.groq.com/openai/v1")), Some("groq"));
        assert_eq!(provider_of("foo", None, Some("https://evil.example/api.groq.com/openai/v1")), None);
        assert_eq!(provider_of("foo", None, Some("https://api.groq.com.evil.example/openai/v1")), None);
        assert_eq!(provider_of("foo", Some("openai"), None), Some("openai"));
        assert_eq!(provider_of("foo", Some("zzz"), None), None);
    }
}

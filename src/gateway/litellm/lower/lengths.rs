//! How long prompts and answers of a model may be, as deployments tell LiteLLM.

use std::collections::HashMap;

use crate::gateway::litellm::client::without_prefix;
use crate::gateway::litellm::wire;
use crate::pricing::PriceRow;
use crate::units::Tokens;

/// The longest prompt and answer, where they are known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lengths {
    pub input: Option<u64>,
    pub output: Option<Tokens>,
}

impl Lengths {
    /// As `model_info` has them.
    pub fn of(entry: &wire::Deployment) -> Self {
        let info = &entry.model_info;
        Self {
            input: info.max_input_tokens.as_ref().and_then(|n| u64::try_from(n.value).ok()),
            output: info.max_output_tokens.as_ref().and_then(|n| Tokens::try_from(n.value).ok()),
        }
    }

    /// As a price table has them.
    pub fn listed(row: &PriceRow) -> Self {
        Self { input: row.context_window, output: row.max_output.and_then(|most| Tokens::try_from(most).ok()) }
    }

    /// As LiteLLM takes them of names that it does not list (`fallback_generalizations` of its model map): any Claude
    /// has them, of OpenAI's reasoning models it knows that there are such. `None` for all other names.
    pub fn of_family(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let last = name.rsplit('/').next().unwrap_or_default();
        if name.match_indices("claude-").any(|(at, found)| is_versioned(&name[at + found.len()..])) {
            Some(Self { input: Some(200_000), output: Some(64_000) })
        } else if is_reasoning(last.strip_prefix("ft:").unwrap_or(last)) {
            Some(Self::default())
        } else {
            None
        }
    }

    /// These, and what they do not say from `others`.
    pub fn or(self, others: Self) -> Self {
        Self { input: self.input.or(others.input), output: self.output.or(others.output) }
    }
}

/// `[a-z]+-\d`
fn is_versioned(rest: &str) -> bool {
    let (word, version) = rest.split_once('-').unwrap_or_default();
    let is_word = !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    is_word && version.starts_with(|c: char| c.is_ascii_digit())
}

/// `o[1-9]\d*(?![a-z0-9])` or `gpt-[5-9](?:\.\d+)?(?![0-9.])`
fn is_reasoning(name: &str) -> bool {
    let after_digits = |rest: &str| rest.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
    let begins = |rest: &str, digits| rest.starts_with(|c: char| matches!(c, '1'..='9') && c >= digits);
    if let Some(rest) = name.strip_prefix('o').filter(|rest| begins(rest, '1')) {
        return !after_digits(rest).starts_with(|c: char| c.is_ascii_alphanumeric());
    }
    let Some(rest) = name.strip_prefix("gpt-").filter(|rest| begins(rest, '5')) else { return false };
    let minor = rest[1..].strip_prefix('.').filter(|minor| minor.starts_with(|c: char| c.is_ascii_digit()));
    let rest = minor.map_or(rest[1..].to_owned(), after_digits);
    !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')
}

/// What the deployments of a config tell about the models that they call: it holds for all that call the same one and
/// say nothing; the last one counts (`router.py:_register_deployment_in_model_cost`) [T 103c].
pub(super) struct ToldLengths<'a>(HashMap<(&'a str, &'a str), Lengths>);

impl<'a> ToldLengths<'a> {
    /// Of all deployments that the gateway keeps.
    pub fn of(wire: &'a wire::Wire) -> Self {
        let mut told: HashMap<_, Lengths> = HashMap::new();
        for entry in wire.model_list.iter().filter(|entry| !entry.dropped) {
            let provider = entry.provider.unwrap_or_default();
            let of_model = told.entry((provider, without_prefix(entry.model(), provider))).or_default();
            *of_model = Lengths::of(entry).or(*of_model);
        }
        Self(told)
    }

    /// `None` where no deployment calls this model.
    pub fn get(&self, provider: &str, model: &str) -> Option<Lengths> {
        self.0.get(&(provider, without_prefix(model, provider))).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_known_by_their_names() {
        let length = |name| Lengths::of_family(name).map(|lengths| lengths.input);
        for name in ["openai/claude-sonnet-9", "x-claude-opus-4-1", "Claude-Haiku-4.5", "my-claude-x-claude-y-1"] {
            assert_eq!(length(name), Some(Some(200_000)), "{name}");
        }
        for name in ["o9", "openai/o3-mini", "gpt-5", "azure/gpt-6.12-mini", "ft:gpt-5.1"] {
            assert_eq!(length(name), Some(None), "{name}");
        }
        for name in ["claude-haiku", "claude-3-opus", "o0", "o3x", "gpt-4o", "gpt-55", "gpt-5.", "zeta", "olmo-2"] {
            assert_eq!(length(name), None, "{name}");
        }
    }
}

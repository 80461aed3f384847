//! The prompt of a request of a case, and its tokens as LiteLLM counts them.

use super::fields::Reader;
use crate::document::Node;
use crate::gateway::litellm::client::bare;
use crate::gateway::litellm::wire::Deployment;
use crate::units::Tokens;

/// Tokens that LiteLLM's tokenizer counts around one user message.
const MESSAGE_TOKENS: u32 = 7;
/// LiteLLM counts long texts in pieces of so many characters; a word that is cut counts twice.
const COUNTED_PIECE: usize = 1024;
/// The longest prompt that is spelled out, in tokens: no model takes one so long.
const LONGEST_PROMPT: Tokens = 20_000_000;

/// The prompt: what is written, or "hello", once or as often as the tokens need.
pub(super) fn content(node: &Node, prompt_tokens: Tokens, reader: &mut Reader) -> String {
    if let Some(content) = reader.text(node, "content").filter(|content| !content.is_empty()) {
        return content;
    }
    if !reader.flag(node, "real_tokens") {
        return "hello".to_owned();
    }
    if prompt_tokens > LONGEST_PROMPT {
        reader.nonsense(node, &format!("a prompt of `real_tokens` may have {LONGEST_PROMPT} `prompt_tokens` at most"));
        return String::new();
    }
    let times = prompt_tokens.saturating_sub(MESSAGE_TOKENS).max(1);
    vec!["hello"; times as usize].join(" ")
}

/// With what LiteLLM counts tokens for a model name (`litellm.token_counter`, tiktoken's `encoding_for_model`).
#[derive(Clone, Copy)]
pub(super) enum Tokenizer {
    Claude,
    O200k,
    Cl100k,
}

impl Tokenizer {
    /// All, those with small numbers first.
    pub const ALL: [Self; 3] = [Self::O200k, Self::Cl100k, Self::Claude];

    /// Its number, by the model of a deployment, with which streams that do not tell their usage are counted [T 334].
    pub fn number_for(entry: &Deployment) -> usize {
        let model = bare(entry.model(), entry.provider.unwrap_or_default());
        match Self::of(model) {
            // What a name fills in is not known here.
            _ if model.contains('*') => 0,
            Self::O200k => 0,
            Self::Cl100k => 1,
            Self::Claude => 2,
        }
    }

    /// The one for a name that a client asks for.
    pub fn of(model: &str) -> Self {
        const O200K: [&str; 7] = ["gpt-4o", "gpt-4.1", "gpt-5", "o1", "o3", "o4-mini", "chatgpt-4o"];
        let is_family = |family: &&str| {
            let rest = model.strip_prefix(*family);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        match model {
            _ if model.starts_with("claude-") && model.contains(|c: char| c.is_ascii_digit()) => Self::Claude,
            _ if O200K.iter().any(is_family) => Self::O200k,
            _ => Self::Cl100k,
        }
    }

    /// The tokens that a cut between two pieces of a text adds.
    fn of_cut(self, before: &[u8], after: &[u8]) -> u32 {
        match self {
            Self::Claude => 0,
            Self::Cl100k if before.ends_with(b" he") && after.starts_with(b"llo") => 2,
            Self::O200k | Self::Cl100k => 1,
        }
    }
}

/// Tokens of a message as LiteLLM counts them. Short words are one token each; longer ones are taken as one for every
/// four characters, which is near enough for limits. Long texts are cut into pieces before.
pub(super) fn counted(content: &str, tokenizer: Tokenizer) -> Tokens {
    let of_word = |word: &str| {
        let letters = word.chars().filter(|c| c.is_alphanumeric()).count() as u32;
        let marks = word.chars().filter(|c| !c.is_alphanumeric()).count() as u32;
        let stems = if letters <= 7 { letters.min(1) } else { letters.div_ceil(6) };
        stems + marks
    };
    let text = content.as_bytes();
    let cuts = (COUNTED_PIECE..text.len()).step_by(COUNTED_PIECE);
    let added: u32 = cuts.map(|at| tokenizer.of_cut(&text[..at], &text[at..])).sum();
    MESSAGE_TOKENS + content.split_whitespace().map(of_word).sum::<u32>() + added
}

//! How a rate card becomes prices for one request: one file per family of rules.
//!
//! All but [`provider`] reproduce LiteLLM 1.102.4, including what it leaves out; the source of each is named in its
//! file (paths within the `litellm` package).

mod dashscope;
mod fireworks;
mod generic;
mod perplexity;
mod provider;
mod vertex;

use jiff::Timestamp;

use super::card::RateCard;
use super::rates::{Split, TokenRates};
use super::service_tier::ServiceTier;
use crate::units::Usage;

/// What prices depend on besides the card.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Input tokens that select steps and tiers.
    pub prompt: u64,
    /// Output tokens (one rule has a step on them).
    pub completion: u64,
    /// The service tier.
    pub service: ServiceTier,
    /// When, for cheaper hours.
    pub at: Timestamp,
}

/// A family of cost rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// As the provider bills: missing cache prices fall back to the input price.
    Provider,
    /// LiteLLM's usual rule.
    Generic,
    /// The same, but a model without an input and an output price costs nothing at all.
    GenericIfPriced,
    /// The same without service tiers.
    NoServiceTier,
    /// The same, reaching a step with its last token, and reasoning is ordinary output.
    Xai,
    /// Alibaba Model Studio under its three names.
    Dashscope,
    /// Fireworks.
    Fireworks,
    /// Perplexity.
    Perplexity,
    /// Vertex AI.
    Vertex,
    /// A local server: free.
    Free,
}

impl Rule {
    /// LiteLLM's rule for the provider a call is made with (`cost_calculator.py:cost_per_token`).
    pub fn of_litellm(provider: &str) -> Self {
        match provider {
            "openai" | "anthropic" | "bedrock" | "azure" | "gemini" | "azure_ai" => Self::Generic,
            "databricks" | "deepseek" | "tencent" => Self::NoServiceTier,
            "xai" => Self::Xai,
            "dashscope" | "qwencloud" | "qwen_ai_platform" => Self::Dashscope,
            "fireworks_ai" => Self::Fireworks,
            "perplexity" => Self::Perplexity,
            "vertex_ai" => Self::Vertex,
            "lemonade" => Self::Free,
            _ => Self::GenericIfPriced,
        }
    }

    /// Which kinds of tokens have their own price.
    pub fn split(self, card: &RateCard) -> Split {
        match self {
            Self::Xai => Split { reasoning: false, ..Split::ALL },
            Self::Fireworks => Split { cached: true, writes: false, reasoning: false },
            Self::Perplexity => Split { cached: false, writes: false, reasoning: card.standard().reasoning.is_some() },
            Self::Vertex if vertex::has_128k_prices(card) => Split { cached: false, writes: false, reasoning: false },
            _ => Split::ALL,
        }
    }

    /// The input length that selects steps and tiers.
    pub fn prompt_length(self, usage: &Usage) -> u64 {
        let parts = u64::from(usage.cached) + u64::from(usage.cache_write) + u64::from(usage.cache_write_1h);
        match self {
            Self::Dashscope => u64::from(usage.input).max(parts),
            _ => u64::from(usage.input),
        }
    }

    /// The prices at a moment.
    pub fn rates(self, card: &RateCard, moment: Moment) -> TokenRates {
        match self {
            Self::Provider => provider::rates(card, moment),
            Self::Generic => generic::rates(card, moment, false),
            Self::GenericIfPriced if generic::is_priced(card) => generic::rates(card, moment, false),
            Self::NoServiceTier => generic::rates(card, standard(moment), false),
            Self::Xai => generic::rates(card, standard(moment), true),
            Self::Dashscope => dashscope::rates(card, moment),
            Self::Fireworks => fireworks::rates(card, moment.at),
            Self::Perplexity => perplexity::rates(card, moment.at),
            Self::Vertex if vertex::has_128k_prices(card) => vertex::rates(card, moment),
            Self::Vertex => generic::rates(card, moment, false),
            Self::GenericIfPriced | Self::Free => TokenRates::default(),
        }
    }
}

const fn standard(moment: Moment) -> Moment {
    Moment { service: ServiceTier::Standard, ..moment }
}

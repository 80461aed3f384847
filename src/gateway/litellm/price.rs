//! What LiteLLM takes answers to cost.

use std::sync::Arc;

use crate::pricing::RateSchedule;
use crate::units::{DeploymentId, NameId, Tokens, Usage};

/// By what budgets are reserved before there is an answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reserved {
    /// What is taken to be its price.
    pub price: Option<Price>,
    /// The longest answer of its model, where it is known.
    pub max_output_tokens: Option<Tokens>,
    /// Whether the config gives it a price.
    pub has_own_price: bool,
}

/// What an answer that knows only input and output costs in LiteLLM's own books.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Price {
    /// Dollars for one input token.
    pub input: f64,
    /// Dollars for one output token.
    pub output: f64,
    /// Share of the sum taken off.
    pub discount: f64,
    /// Share of the rest put on top.
    pub margin: f64,
    /// Dollars on top of each answer.
    pub fixed: f64,
}

impl Price {
    /// Whether tokens cost nothing.
    pub const fn is_zero(&self) -> bool {
        self.input == 0.0 && self.output == 0.0
    }

    /// The cost in the binary floats that LiteLLM computes with.
    pub fn cost(&self, usage: &Usage) -> f64 {
        let tokens = f64::from(usage.input) * self.input + f64::from(usage.output) * self.output;
        let net = tokens - tokens * self.discount;
        net + (net * self.margin + self.fixed)
    }
}

/// What is known of the model that a name fills in, in place of what is known of the deployment.
#[derive(Debug, Clone)]
pub struct Filled {
    /// The deployment.
    pub deployment: DeploymentId,
    /// Context window, for `enable_pre_call_checks`.
    pub max_input_tokens: Option<u64>,
    /// What an answer costs in LiteLLM's own books.
    pub price: Option<Price>,
    /// As [`rates`](crate::gateway::litellm::plan::Deployment::rates) of a deployment.
    pub rates: Option<Arc<RateSchedule>>,
    /// By what budgets are reserved for its answers.
    pub reserved: Reserved,
    /// Which bodies are refused: a row of the plan.
    pub refusals: u32,
    /// The first name that fills in the same model.
    pub first: NameId,
    /// LiteLLM cannot tell the provider of the model: it refuses before it looks at anything else [T 240].
    pub is_unplaced: bool,
}

/// The most that an answer of a group can cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Greatest {
    /// Dollars for one input token.
    pub input: f64,
    /// Dollars for one output token.
    pub output: f64,
    /// Longest answer, where it is known.
    pub max_output_tokens: Option<Tokens>,
    /// All of it is free by the config: budgets are not asked then.
    pub is_free: bool,
}

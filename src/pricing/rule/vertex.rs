//! Vertex AI models with prices above 128k tokens (`llms/vertex_ai/cost_calculator.py`, `_handle_128k_pricing`): input
//! and output are compared with 128,000 each on its own, and caching is ignored. Prices per character are not modelled.

use super::Moment;
use crate::pricing::card::{RateCard, Step};
use crate::pricing::rates::{Rates, TokenRates};
use crate::pricing::service_tier::ServiceTier;

const THRESHOLD: u64 = 128_000;

/// Whether the rule applies.
pub fn has_128k_prices(card: &RateCard) -> bool {
    step(card).is_some_and(|above| above.input.is_some() || above.output.is_some())
}

/// The prices of a request.
pub fn rates(card: &RateCard, moment: Moment) -> TokenRates {
    let (below, above) = (card.standard(), step(card).copied().unwrap_or_default());
    let input = above.input.filter(|_| moment.prompt > THRESHOLD).or(below.input).unwrap_or_default();
    let output = above.output.filter(|_| moment.completion > THRESHOLD).or(below.output).unwrap_or_default();
    TokenRates { input, cache_read: input, cache_write: input, cache_write_1h: input, output, reasoning: output }
}

fn step(card: &RateCard) -> Option<&Rates> {
    card.steps.iter().find(|step: &&Step| step.above == THRESHOLD).map(|step| step.rates.of(ServiceTier::Standard))
}

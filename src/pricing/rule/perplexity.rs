//! Perplexity (`llms/perplexity/cost_calculator.py`): caching does not exist, reasoning has its own price if the card
//! states one. Citations and searches are not tokens of the conversation and are not priced here.

use jiff::Timestamp;

use super::fireworks::at_this_hour;
use crate::pricing::card::RateCard;
use crate::pricing::rates::TokenRates;

/// The prices of a request.
pub fn rates(card: &RateCard, at: Timestamp) -> TokenRates {
    let rates = at_this_hour(card, at);
    let (input, output) = (rates.input.unwrap_or_default(), rates.output.unwrap_or_default());
    TokenRates {
        input,
        cache_read: input,
        cache_write: input,
        cache_write_1h: input,
        output,
        reasoning: card.standard().reasoning.unwrap_or(output),
    }
}

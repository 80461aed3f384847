//! As a provider bills: a price that is not published falls back to the price of what the tokens otherwise are.

use super::Moment;
use crate::pricing::card::RateCard;
use crate::pricing::rates::TokenRates;

/// The prices of a request: the highest step reached, for the whole request.
pub fn rates(card: &RateCard, moment: Moment) -> TokenRates {
    let below = card.base.or_standard(moment.service);
    let rates = match card.steps.iter().find(|step| moment.prompt > step.above) {
        Some(step) => step.rates.or_standard(moment.service).or(below),
        None => below,
    };
    let (input, output) = (rates.input.unwrap_or_default(), rates.output.unwrap_or_default());
    let cache_write = rates.cache_write.unwrap_or(input);
    TokenRates {
        input,
        cache_read: rates.cache_read.unwrap_or(input),
        cache_write,
        cache_write_1h: rates.cache_write_1h.unwrap_or(cache_write),
        output,
        reasoning: rates.reasoning.unwrap_or(output),
    }
}

//! Alibaba Model Studio (`llms/dashscope/cost_calculator.py`): missing cache prices fall back to the input price, both
//! cache durations cost the same, and there are neither steps nor service tiers.

use super::Moment;
use super::generic::off_peak_rates;
use crate::pricing::card::RateCard;
use crate::pricing::rates::{Rates, TokenRates};

/// The prices of a request.
pub fn rates(card: &RateCard, moment: Moment) -> TokenRates {
    let flat = *card.standard();
    let rates = match card.tier_for(moment.prompt) {
        Some(tier) if tier.rates.output.is_some() => tier.rates,
        // A tier without an output price keeps the card's own output prices.
        Some(tier) => Rates { output: flat.output, reasoning: tier.rates.reasoning.or(flat.reasoning), ..tier.rates },
        None => flat,
    };
    let input = rates.input.unwrap_or_default();
    let filled = Rates { cache_read: rates.cache_read.or(Some(input)), ..rates };
    let filled = Rates { cache_write: rates.cache_write.or(Some(input)), ..filled };
    let at_this_hour = off_peak_rates(card, moment).or(filled);
    let (output, cache_write) = (at_this_hour.output.unwrap_or_default(), at_this_hour.cache_write.unwrap_or_default());
    TokenRates {
        input: at_this_hour.input.unwrap_or_default(),
        cache_read: at_this_hour.cache_read.unwrap_or_default(),
        cache_write,
        cache_write_1h: cache_write,
        output,
        reasoning: at_this_hour.reasoning.unwrap_or(output),
    }
}

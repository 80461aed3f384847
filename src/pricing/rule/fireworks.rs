//! Fireworks (`llms/fireworks_ai/cost_calculator.py`): cached tokens without a price cost the input price, cache writes
//! are plain input, reasoning is plain output.

use jiff::Timestamp;

use crate::pricing::card::RateCard;
use crate::pricing::rates::{Rates, TokenRates};
use crate::units::UnitPrice;

/// The prices of a request.
pub fn rates(card: &RateCard, at: Timestamp) -> TokenRates {
    let rates = at_this_hour(card, at);
    let (input, output) = (rates.input.unwrap_or_default(), rates.output.unwrap_or_default());
    TokenRates {
        input,
        cache_read: rates.cache_read.unwrap_or(input),
        cache_write: UnitPrice::ZERO,
        cache_write_1h: UnitPrice::ZERO,
        output,
        reasoning: output,
    }
}

/// The standard prices, with those of an open off-peak window in their place.
pub fn at_this_hour(card: &RateCard, at: Timestamp) -> Rates {
    let open = card.off_peak.as_ref().filter(|off_peak| off_peak.is_open(at));
    open.map_or_else(Rates::default, |off_peak| off_peak.rates).or(*card.standard())
}

//! LiteLLM's usual rule: `litellm_core_utils/llm_cost_calc/utils.py`, `generic_cost_per_token` and below.
//!
//! Missing cache prices are free. Steps hold for the whole request. `tiered_pricing` goes before steps and service
//! tiers.

use super::Moment;
use crate::pricing::card::{PromptTier, RateCard, Step};
use crate::pricing::rates::{Rates, TokenRates};
use crate::pricing::service_tier::ServiceTier;
use crate::units::UnitPrice;

/// Whether LiteLLM considers the model priced by tokens (the last branch of `cost_per_token`).
pub fn is_priced(card: &RateCard) -> bool {
    let positive = |price: Option<UnitPrice>| price.is_some_and(|price| price > UnitPrice::ZERO);
    positive(card.standard().input) || positive(card.standard().output) || card.tiers.is_some()
}

/// The prices of a request. `inclusive`: an input of exactly the threshold has reached the step.
pub fn rates(card: &RateCard, moment: Moment, inclusive: bool) -> TokenRates {
    let moment = Moment { service: litellm_tier(moment.service), ..moment };
    let tier = card.tier_for(moment.prompt).filter(|tier| tier.rates.input.is_some());
    let base = match tier {
        Some(tier) => tier_rates(card, tier),
        None => step_rates(card, moment, inclusive),
    };
    let off_peak = off_peak_rates(card, moment);
    let output = off_peak.output.unwrap_or(base.output);
    TokenRates {
        input: off_peak.input.unwrap_or(base.input),
        cache_read: off_peak.cache_read.unwrap_or(base.cache_read),
        cache_write: off_peak.cache_write.unwrap_or(base.cache_write),
        cache_write_1h: base.cache_write_1h,
        output,
        reasoning: off_peak
            .reasoning
            .or_else(|| tier.and_then(|tier| tier.rates.reasoning.or(tier.rates.output)))
            .unwrap_or_else(|| reasoning_rate(card, moment.service, output)),
    }
}

/// The cheaper prices, when a window is open (`apply_off_peak_pricing`).
pub fn off_peak_rates(card: &RateCard, moment: Moment) -> Rates {
    card.off_peak.as_ref().filter(|off_peak| off_peak.is_open(moment.at)).map_or_else(Rates::default, |open| open.rates)
}

/// LiteLLM has no batch tier for single requests.
const fn litellm_tier(tier: ServiceTier) -> ServiceTier {
    match tier {
        ServiceTier::Batch => ServiceTier::Standard,
        other => other,
    }
}

/// `_get_tiered_base_costs`: what a tier does not state follows its input price, output the card's own price.
fn tier_rates(card: &RateCard, tier: &PromptTier) -> TokenRates {
    let rates = &tier.rates;
    let input = rates.input.unwrap_or_default();
    let cache_write = rates.cache_write.unwrap_or(input);
    let cache_write_1h = rates.cache_write_1h.or(rates.cache_write).unwrap_or_default();
    TokenRates {
        input,
        cache_read: rates.cache_read.unwrap_or(input),
        cache_write,
        cache_write_1h: if cache_write_1h == UnitPrice::ZERO { cache_write } else { cache_write_1h },
        output: rates.output.or(card.standard().output).unwrap_or_default(),
        reasoning: UnitPrice::ZERO,
    }
}

/// `_get_token_base_cost` without tiers: the service tier's prices, replaced by those of the highest step reached.
fn step_rates(card: &RateCard, moment: Moment, inclusive: bool) -> TokenRates {
    let below = Rates { cache_write_1h: card.standard().cache_write_1h, ..card.base.or_standard(moment.service) };
    let below = Rates { output: output_or_image(card, below.output), ..below };
    let rates = match step_reached(card, moment.prompt, inclusive) {
        Some(step) => step.rates.or_standard(moment.service).or(below),
        None => below,
    };
    TokenRates {
        input: rates.input.unwrap_or_default(),
        cache_read: rates.cache_read.unwrap_or_default(),
        cache_write: rates.cache_write.unwrap_or_default(),
        cache_write_1h: rates.cache_write_1h.unwrap_or_default(),
        output: rates.output.unwrap_or_default(),
        reasoning: UnitPrice::ZERO,
    }
}

/// An output price of zero or none is replaced by that of image tokens, if there is one.
fn output_or_image(card: &RateCard, output: Option<UnitPrice>) -> Option<UnitPrice> {
    match output {
        None | Some(UnitPrice::ZERO) => card.output_image.or(output),
        price => price,
    }
}

/// Only thresholds with a standard input price count.
fn step_reached(card: &RateCard, prompt: u64, inclusive: bool) -> Option<&Step> {
    card.steps
        .iter()
        .filter(|step| step.rates.of(ServiceTier::Standard).input.is_some())
        .find(|step| prompt > step.above || (inclusive && prompt == step.above))
}

/// `_resolve_reasoning_token_cost`: a service tier with an output price of its own overrules the standard
/// reasoning price.
fn reasoning_rate(card: &RateCard, service: ServiceTier, output: UnitPrice) -> UnitPrice {
    let tier = card.base.of(service);
    if let Some(reasoning) = tier.reasoning {
        return reasoning;
    }
    if service != ServiceTier::Standard && tier.output.is_some() {
        return output;
    }
    card.standard().reasoning.unwrap_or(output)
}

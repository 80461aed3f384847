//! Everything a source publishes about the price of one model, before any rule is applied.

use super::off_peak::OffPeak;
use super::rates::Rates;
use super::service_tier::ServiceTier;
use crate::units::UnitPrice;

/// Rates by service tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByTier([Rates; ServiceTier::COUNT]);

/// The published prices of a model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RateCard {
    /// Prices below all steps, by service tier.
    pub base: ByTier,
    /// Prices of long requests (`_above_Nk_tokens`), highest threshold first.
    pub steps: Vec<Step>,
    /// `tiered_pricing`, in order of their ranges; `None` when the source has no such table.
    pub tiers: Option<Vec<PromptTier>>,
    /// Price of an output image token, which stands in for a missing output price.
    pub output_image: Option<UnitPrice>,
    /// Price of a second of input processing: how long the call takes. Charged only where tokens have no price.
    pub input_per_second: Option<UnitPrice>,
    /// Price of a second of output generation.
    pub output_per_second: Option<UnitPrice>,
    /// Cheaper hours.
    pub off_peak: Option<OffPeak>,
    /// The longest input in tokens.
    pub max_input_tokens: Option<u64>,
    /// The longest output in tokens.
    pub max_output_tokens: Option<u64>,
}

/// Prices of requests whose input is longer than a threshold; they hold for the whole request.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Step {
    /// Input tokens that are still below the step.
    pub above: u64,
    /// The prices, by service tier; a missing one keeps its value from below the step.
    pub rates: ByTier,
}

/// Prices of requests whose input is in a range; they hold for the whole request.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PromptTier {
    /// Input tokens that are still below the range.
    pub over: u64,
    /// The last input length in the range.
    pub up_to: u64,
    /// The prices.
    pub rates: Rates,
}

impl ByTier {
    /// The prices of one service tier.
    pub const fn of(&self, tier: ServiceTier) -> &Rates {
        &self.0[tier as usize]
    }

    /// The prices of one service tier, to be filled in.
    pub const fn of_mut(&mut self, tier: ServiceTier) -> &mut Rates {
        &mut self.0[tier as usize]
    }

    /// The prices of a tier, with the standard price where the tier has none.
    pub fn or_standard(&self, tier: ServiceTier) -> Rates {
        self.of(tier).or(*self.of(ServiceTier::Standard))
    }
}

impl RateCard {
    /// The standard prices below all steps.
    pub const fn standard(&self) -> &Rates {
        self.base.of(ServiceTier::Standard)
    }

    /// Whether any price per token is published; without one the model is unpriced, not free.
    pub fn has_token_price(&self) -> bool {
        let any = |by_tier: &ByTier| by_tier.0.iter().any(|rates| !rates.is_empty());
        any(&self.base)
            || self.steps.iter().any(|step| any(&step.rates))
            || self.output_image.is_some()
            || self.tiers.as_ref().is_some_and(|tiers| !tiers.is_empty())
    }

    /// The card's step above so many tokens, made if there is none; steps stay in descending order.
    pub fn step_above(&mut self, above: u64) -> &mut Step {
        let index = self.steps.partition_point(|step| step.above > above);
        if self.steps.get(index).is_none_or(|step| step.above != above) {
            self.steps.insert(index, Step { above, ..Step::default() });
        }
        &mut self.steps[index]
    }

    /// The `tiered_pricing` entry for an input of `tokens`: the range they are in, or the last one beyond and
    /// between ranges. None without input.
    pub fn tier_for(&self, tokens: u64) -> Option<&PromptTier> {
        let tiers = self.tiers.as_deref().filter(|_| tokens > 0)?;
        tiers.iter().find(|tier| tier.over < tokens && tokens <= tier.up_to).or_else(|| tiers.last())
    }
}

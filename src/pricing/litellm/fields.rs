//! The price fields of a map entry, by name.
//!
//! Which of them LiteLLM passes on to its cost rules: `utils.py`, `_get_model_info_helper` (1.102.4). A suffixed
//! price above a threshold is passed on for a few thresholds only; the others are read by nothing.

use crate::pricing::card::RateCard;
use crate::pricing::rates::Rates;
use crate::pricing::service_tier::ServiceTier;
use crate::units::UnitPrice;

/// A kind of token that has a price field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Input,
    Output,
    CacheRead,
    CacheWrite,
    CacheWrite1h,
    Reasoning,
    OutputImage,
}

/// A price field's name, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceField {
    kind: Kind,
    above: Option<u64>,
    service: ServiceTier,
}

const KINDS: [(&str, Kind); 7] = [
    ("input_cost_per_token", Kind::Input),
    ("output_cost_per_token", Kind::Output),
    ("cache_read_input_token_cost", Kind::CacheRead),
    ("cache_creation_input_token_cost_above_1hr", Kind::CacheWrite1h),
    ("cache_creation_input_token_cost", Kind::CacheWrite),
    ("output_cost_per_reasoning_token", Kind::Reasoning),
    ("output_cost_per_image_token", Kind::OutputImage),
];

const SERVICES: [(&str, ServiceTier); 3] =
    [("_flex", ServiceTier::Flex), ("_priority", ServiceTier::Priority), ("_ultrafast", ServiceTier::Ultrafast)];

impl PriceField {
    /// The price field of this name, or None for everything that no rule for chat and embeddings reads.
    pub fn named(name: &str) -> Option<Self> {
        let (kind, rest) =
            KINDS.iter().find_map(|(prefix, kind)| name.strip_prefix(prefix).map(|rest| (*kind, rest)))?;
        let (rest, service) = SERVICES
            .iter()
            .find_map(|(suffix, service)| rest.strip_suffix(suffix).map(|rest| (rest, *service)))
            .unwrap_or((rest, ServiceTier::Standard));
        let above = if rest.is_empty() { None } else { Some(threshold(rest)?) };
        let field = Self { kind, above, service };
        field.is_passed_on().then_some(field)
    }

    /// Puts the price into its place in the card.
    pub fn set(self, card: &mut RateCard, price: UnitPrice) {
        if self.kind == Kind::OutputImage {
            card.output_image = Some(price);
            return;
        }
        let by_tier = match self.above {
            None => &mut card.base,
            Some(above) => &mut card.step_above(above).rates,
        };
        self.kind.set(by_tier.of_mut(self.service), price);
    }

    fn is_passed_on(self) -> bool {
        use ServiceTier::{Flex, Priority, Standard, Ultrafast};
        match (self.kind, self.above, self.service) {
            (Kind::OutputImage | Kind::CacheWrite1h, None, service) => service == Standard,
            (Kind::OutputImage, Some(_), _) => false,
            (Kind::Reasoning, None, service) => service != Ultrafast,
            (_, None | Some(_), Standard) | (_, None, _) => true,
            (Kind::Input | Kind::Output | Kind::CacheRead, Some(200_000), service) => service == Priority,
            (Kind::Input | Kind::Output | Kind::CacheRead | Kind::CacheWrite, Some(272_000), service) => {
                matches!(service, Priority | Flex)
            }
            _ => false,
        }
    }
}

impl Kind {
    const fn set(self, rates: &mut Rates, price: UnitPrice) {
        let slot = match self {
            Self::Input => &mut rates.input,
            Self::Output => &mut rates.output,
            Self::CacheRead => &mut rates.cache_read,
            Self::CacheWrite => &mut rates.cache_write,
            Self::CacheWrite1h => &mut rates.cache_write_1h,
            Self::Reasoning => &mut rates.reasoning,
            Self::OutputImage => return,
        };
        *slot = Some(price);
    }
}

/// `_above_128k_tokens` or `_above_128_tokens` as a number of tokens.
fn threshold(text: &str) -> Option<u64> {
    let number = text.strip_prefix("_above_")?.strip_suffix("_tokens")?;
    let (digits, unit) = number.strip_suffix('k').map_or((number, 1), |digits| (digits, 1000));
    let is_number = !digits.is_empty() && digits.len() <= 12 && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse::<u64>().ok())?.map(|n| n * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> RateCard {
        let mut card = RateCard::default();
        for (i, name) in names.iter().enumerate() {
            let price = UnitPrice::from_attos(i as i64 + 1);
            if let Some(field) = PriceField::named(name) {
                field.set(&mut card, price);
            }
        }
        card
    }

    #[test]
    fn names_fall_apart_into_kind_threshold_and_tier() {
        let card = set(&[
            "cache_creation_input_token_cost_above_1hr",
            "cache_creation_input_token_cost_above_1hr_above_200k_tokens",
            "input_cost_per_token_above_272k_tokens_priority",
            "output_cost_per_reasoning_token_flex",
        ]);
        let price = |n| Some(UnitPrice::from_attos(n));
        assert_eq!(card.standard().cache_write_1h, price(1));
        assert_eq!(card.steps.iter().map(|step| step.above).collect::<Vec<_>>(), [272_000, 200_000]);
        assert_eq!(card.steps[1].rates.of(ServiceTier::Standard).cache_write_1h, price(2));
        assert_eq!(card.steps[0].rates.of(ServiceTier::Priority).input, price(3));
        assert_eq!(card.base.of(ServiceTier::Flex).reasoning, price(4));
    }

    #[test]
    fn fields_that_no_rule_reads_are_no_price_fields() {
        for name in [
            "input_cost_per_token_batches",
            "input_cost_per_token_above_200k_tokens_flex",
            "cache_creation_input_token_cost_above_200k_tokens_priority",
            "input_cost_per_token_above_k_tokens",
            "input_cost_per_second",
            "output_cost_per_image_token_flex",
            "cache_creation_input_token_cost_above_1hr_flex",
        ] {
            assert_eq!(PriceField::named(name), None, "{name}");
        }
    }
}

//! Prices of a deployment's own, in its `litellm_params` or `model_info` (LiteLLM 1.102.4,
//! `router.py:_deployment_model_cost_payload`, `cost_calculator.py:_select_model_name_for_cost_calc`).

use serde_json::Value;

use super::read::set_card_field;
use crate::pricing::card::RateCard;
use crate::pricing::rates::Rates;
use crate::pricing::service_tier::ServiceTier;
use crate::units::UnitPrice;

/// What a deployment's own price fields amount to.
#[derive(Debug, Clone, PartialEq)]
pub enum DeploymentPricing {
    /// There are none: the map decides.
    None,
    /// They replace the map. Without an output price, output is free.
    Replaces(Box<RateCard>),
    /// There are some, but neither an input price nor tiers: LiteLLM registers them and then prices by the map.
    Ineffective,
}

/// Reads a deployment's price fields: those of `model_info` first, then those of `litellm_params`, which win. `backend`
/// is the map's entry for its model: some prices that the deployment leaves out are inherited from it.
///
/// # Errors
/// A message naming the field when a value is not a non-negative price.
pub fn deployment_card<'f>(
    fields: impl IntoIterator<Item = (&'f str, &'f Value)>,
    backend: Option<&RateCard>,
) -> Result<DeploymentPricing, String> {
    let mut card = RateCard::default();
    for (name, value) in fields {
        set_card_field(&mut card, name, value).map_err(|message| format!("`{name}`: {message}"))?;
    }
    (card.max_input_tokens, card.max_output_tokens) = (None, None);
    if card == RateCard::default() {
        return Ok(DeploymentPricing::None);
    }
    if let Some(backend) = backend {
        inherit(&mut card, backend);
    }
    let selects_itself = card.standard().input.is_some() || card.tiers.is_some() || card.input_per_second.is_some();
    Ok(if selects_itself { DeploymentPricing::Replaces(Box::new(card)) } else { DeploymentPricing::Ineffective })
}

/// What LiteLLM copies from the map: everything for a deployment that only states cheaper hours; cache prices when it
/// states an input price; the output price when its tiers state none.
fn inherit(card: &mut RateCard, backend: &RateCard) {
    let has_base = card.standard().input.is_some() || card.input_per_second.is_some() || card.tiers.is_some();
    if card.off_peak.is_some() && !has_base {
        inherit_everything(card, backend);
    }
    if card.standard().input.is_some() {
        inherit_cache_prices(card, backend);
    }
    let needs_output = card.tiers.iter().flatten().any(|tier| tier.rates.output.is_none());
    let output = &mut card.base.of_mut(ServiceTier::Standard).output;
    if needs_output && output.is_none() {
        *output = backend.standard().output.filter(|price| *price > UnitPrice::ZERO);
    }
}

fn inherit_everything(card: &mut RateCard, backend: &RateCard) {
    for tier in ServiceTier::ALL {
        *card.base.of_mut(tier) = card.base.of(tier).or(*backend.base.of(tier));
    }
    for step in &backend.steps {
        let own = card.step_above(step.above);
        for tier in ServiceTier::ALL {
            *own.rates.of_mut(tier) = own.rates.of(tier).or(*step.rates.of(tier));
        }
    }
    card.tiers.clone_from(&backend.tiers);
    card.output_image = card.output_image.or(backend.output_image);
    card.input_per_second = backend.input_per_second;
    card.output_per_second = card.output_per_second.or(backend.output_per_second);
}

fn inherit_cache_prices(card: &mut RateCard, backend: &RateCard) {
    let cache = |rates: &Rates| Rates { input: None, output: None, reasoning: None, ..*rates };
    let own = card.base.of_mut(ServiceTier::Standard);
    *own = own.or(cache(backend.standard()));
    if let Some(step) = backend.steps.iter().find(|step| step.above == 200_000) {
        let inherited = Rates { cache_write_1h: None, ..cache(step.rates.of(ServiceTier::Standard)) };
        let own = card.step_above(200_000).rates.of_mut(ServiceTier::Standard);
        *own = own.or(inherited);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn price(text: &str) -> Option<UnitPrice> {
        Some(text.parse().unwrap())
    }

    fn read(fields: &Value, backend: Option<&RateCard>) -> DeploymentPricing {
        let fields = fields.as_object().unwrap();
        deployment_card(fields.iter().map(|(name, value)| (name.as_str(), value)), backend).unwrap()
    }

    #[test]
    fn an_input_price_alone_leaves_output_free() {
        let DeploymentPricing::Replaces(card) = read(&json!({"input_cost_per_token": "2e-6", "rpm": 5}), None) else {
            panic!("replaces the map");
        };
        assert_eq!((card.standard().input, card.standard().output), (price("2e-6"), None));
    }

    #[test]
    fn an_output_price_alone_has_no_effect() {
        assert_eq!(read(&json!({"output_cost_per_token": 1e-6}), None), DeploymentPricing::Ineffective);
        assert_eq!(read(&json!({"rpm": 5, "max_input_tokens": 7}), None), DeploymentPricing::None);
    }

    #[test]
    fn cache_prices_are_inherited_with_an_input_price() {
        let mut backend = RateCard::default();
        backend.base.of_mut(ServiceTier::Standard).cache_read = price("1e-7");
        backend.base.of_mut(ServiceTier::Standard).output = price("9e-6");
        let DeploymentPricing::Replaces(card) = read(&json!({"input_cost_per_token": 1e-6}), Some(&backend)) else {
            panic!("replaces the map");
        };
        assert_eq!((card.standard().cache_read, card.standard().output), (price("1e-7"), None));
    }

    #[test]
    fn a_negative_price_is_refused_by_name() {
        let fields = json!({"input_cost_per_token": -1});
        let fields = fields.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value));
        let message = deployment_card(fields, None).unwrap_err();
        assert!(message.contains("input_cost_per_token") && message.contains("negative"), "{message}");
    }
}

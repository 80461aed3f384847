//! What LiteLLM itself takes an answer to cost: budgets and the cost-based strategy go by it.
//!
//! LiteLLM knows a price only under the provider that it calls: behind an `openai/` prefix that are OpenAI's models. Here
//! they come from the built-in table, for clouds that resell from their makers [T 207]; prices written in the config replace them.

use std::sync::Arc;

use crate::gateway::litellm::lower::pattern;
use crate::gateway::litellm::plan::{Deployment, Found, Greatest, Plan, Price};
use crate::gateway::litellm::wire;
use crate::gateway::litellm::wire::{Prices, Wire};
use crate::pricing::{PriceRow, PriceTable, ServiceTier};
use crate::units::{DeploymentId, Tokens, UnitPrice};

/// What the cost-based strategy takes for a price that it does not know, in dollars.
const UNKNOWN_PRICE: f64 = 5.0;

/// Providers whose models LiteLLM's map lists under their names alone; all others have their prefix there.
const LISTED_WITHOUT_PREFIX: [&str; 6] = ["openai", "anthropic", "bedrock", "cohere_chat", "cohere", "vertex_ai"];

/// The model prices that LiteLLM is taken to know.
pub(super) struct KnownPrices {
    table: Option<Arc<PriceTable>>,
}

/// What is known of one model.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    pub price: Option<Price>,
    pub max_input_tokens: Option<u64>,
    pub max_output_tokens: Option<Tokens>,
}

/// Whether it always holds.
fn is_plain(row: &PriceRow) -> bool {
    row.service == ServiceTier::Standard && row.above.is_none() && row.hours.is_empty() && row.valid_to.is_none()
}

impl KnownPrices {
    /// Those of the built-in table; a table that cannot be read is none.
    pub fn load() -> Self {
        Self { table: PriceTable::built_in().ok() }
    }

    /// The row of a model that always holds.
    fn row(&self, provider: &str, model: &str) -> Option<&PriceRow> {
        let mut name = model;
        while let Some(rest) = name.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')) {
            name = rest;
        }
        self.table.as_ref()?.sold(name, provider).find(|row| is_plain(row))
    }

    /// What LiteLLM knows of a deployment's model: its own prices first. Where only one direction has a price of its
    /// own, the other is free [T 170].
    pub fn of(&self, entry: &wire::Deployment, wire: &Wire) -> Known {
        self.of_model(entry, model_of(entry), wire)
    }

    /// The same when this is the model that is called.
    fn of_model(&self, entry: &wire::Deployment, model: &str, wire: &Wire) -> Known {
        let row = self.row(entry.provider.unwrap_or_default(), model);
        Known {
            price: self.price_of(entry, model, wire),
            max_input_tokens: row.and_then(|row| row.context_window),
            max_output_tokens: row.and_then(|row| row.max_output).and_then(|most| Tokens::try_from(most).ok()),
        }
    }

    /// What an answer can cost by the price that is listed under a name.
    fn listed(&self, name: &str) -> Option<Greatest> {
        let row = self.row(wire::provider_of(name, None, None)?, name)?;
        let max_output_tokens = row.max_output.and_then(|most| Tokens::try_from(most).ok());
        let (input, output) = (float(row.rates.input?), float(row.rates.output?));
        Some(Greatest { input, output, max_output_tokens, is_free: false })
    }

    /// The price of a deployment's answers when this is the model that is called.
    fn price_of(&self, entry: &wire::Deployment, model: &str, wire: &Wire) -> Option<Price> {
        let provider = entry.provider.unwrap_or_default();
        let listed = || {
            let rates = &self.row(provider, model)?.rates;
            Some((float(rates.input?), float(rates.output?)))
        };
        let own = |key| custom(&entry.params_prices, key).or_else(|| custom(&entry.info_prices, key));
        let (input, output) = match (own("input_cost_per_token"), own("output_cost_per_token")) {
            (None, None) => listed()?,
            (input, output) => (input.unwrap_or(0.0), output.unwrap_or(0.0)),
        };
        Some(adjusted(input, output, provider, wire))
    }

    /// What the cost-based strategy compares: prices in `litellm_params` (0 counts as not set), else those that LiteLLM
    /// lists under exactly this model string: a prefix hides the models that are listed without one [T 97, 206].
    pub fn compared(&self, entry: &wire::Deployment) -> f64 {
        let (model, provider) = (model_of(entry), entry.provider.unwrap_or_default());
        let is_prefixed = model.strip_prefix(provider).is_some_and(|rest| rest.starts_with('/'));
        let is_hidden = is_prefixed == LISTED_WITHOUT_PREFIX.contains(&provider);
        let row = if is_hidden { None } else { self.row(provider, model) };
        let own = |key| custom(&entry.params_prices, key).filter(|price| *price != 0.0);
        let listed = |price: Option<UnitPrice>| price.map_or(UNKNOWN_PRICE, float);
        own("input_cost_per_token").unwrap_or_else(|| listed(row.and_then(|row| row.rates.input)))
            + own("output_cost_per_token").unwrap_or_else(|| listed(row.and_then(|row| row.rates.output)))
    }
}

/// Prices with the operator's discount and margin.
fn adjusted(input: f64, output: f64, provider: &str, wire: &Wire) -> Price {
    let module = &wire.litellm_settings;
    let discounts = module.cost_discount_config.iter().flat_map(|named| &named.value);
    let discount =
        discounts.clone().find(|(name, _)| name.value == provider).map_or(0.0, |(_, share)| share.value.value);
    let margins: Vec<_> = module.cost_margin_config.iter().flat_map(|named| &named.value).collect();
    let named = |wanted: &str| margins.iter().find(|(name, _)| name.value == wanted).map(|(_, margin)| &margin.value);
    let margin = named(provider).or_else(|| named("global"));
    Price {
        input,
        output,
        discount,
        margin: margin.and_then(|margin| margin.fraction.as_ref()).map_or(0.0, |fraction| fraction.value),
        fixed: margin.and_then(|margin| margin.fixed).map_or(0.0, super::settings::dollars),
    }
}

/// The nearest binary float of a price in the config.
fn custom(prices: &Prices, key: &str) -> Option<f64> {
    prices.iter().find(|(name, _)| name == key).map(|(_, price)| float(price.value))
}

/// The nearest binary float of a price for one token, as Python reads it from LiteLLM's map.
fn float(price: UnitPrice) -> f64 {
    format!("{}e-6", price.per_million_text()).parse().unwrap_or(0.0)
}

/// The model of a deployment, as it is written.
fn model_of(entry: &wire::Deployment) -> &str {
    entry.litellm_params.model.as_ref().map(|model| model.value.as_str()).unwrap_or_default()
}

/// Names that no group is listed under are priced by what is listed under the name itself, names that a pattern resolves
/// by the model that it fills in.
pub(super) fn add_prices_of_names(wire: &Wire, plan: &mut Plan) {
    let prices = KnownPrices::load();
    let kept: Vec<&wire::Deployment> = wire.model_list.iter().filter(|entry| !entry.dropped).collect();
    let (deployments, names) = (&plan.deployments, &mut plan.names);
    for name in names {
        let Found::Group(ids) = &name.found else { continue };
        if name.is_unlisted {
            name.greatest = prices.listed(&name.text);
            continue;
        }
        let filled = |id: &DeploymentId| {
            let entry = kept[id.index()];
            let model = pattern::fill(&entry.model_name.value, model_of(entry), &name.text)?;
            Some(prices.of_model(entry, &model, wire))
        };
        let known: Vec<Known> = ids.iter().filter_map(filled).collect();
        let Some(first) = known.first() else { continue };
        let entries = ids.iter().map(|id| &deployments[id.index()]);
        (name.is_filled, name.wildcard_price) = (true, first.price);
        name.greatest = Some(greatest(known.iter().map(|known| (known.price, known.max_output_tokens)), entries));
    }
}

/// The highest prices and longest answer of every name's deployments (`router.py:_set_model_group_info`).
pub fn add_greatest(plan: &mut Plan) {
    let (deployments, names) = (&plan.deployments, &mut plan.names);
    for name in names.iter_mut().filter(|name| !name.is_unlisted && !name.is_filled) {
        let Found::Group(ids) = &name.found else { continue };
        let entries = ids.iter().map(|id| &deployments[id.index()]);
        name.greatest = Some(greatest(entries.clone().map(|entry| (entry.price, entry.max_output_tokens)), entries));
    }
}

/// The greatest of prices and longest answers, and whether all deployments are free by the config.
fn greatest<'a>(
    known: impl Iterator<Item = (Option<Price>, Option<Tokens>)> + Clone,
    mut entries: impl ExactSizeIterator<Item = &'a Deployment>,
) -> Greatest {
    let most = |of: fn(&Price) -> f64| known.clone().filter_map(|(price, _)| Some(of(&price?))).fold(0.0, f64::max);
    Greatest {
        input: most(|price| price.input),
        output: most(|price| price.output),
        max_output_tokens: known.clone().filter_map(|(_, most)| most).max(),
        is_free: entries.len() > 0 && entries.all(Deployment::is_free),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_of_the_table_are_the_floats_that_python_reads() {
        let known = KnownPrices::load();
        let row = known.row("openai", "openai/gpt-4o").unwrap();
        assert_eq!((row.rates.input.map(float), row.rates.output.map(float)), (Some(2.5e-06), Some(1e-05)));
        assert_eq!(known.row("openai", "gpt-4o-mini").unwrap().rates.input.map(float), Some(1.5e-07));
        assert!(known.row("openai", "openai/mixtral-8x22b").is_none());
    }
}

//! What LiteLLM itself knows of models (`litellm.model_cost`): what answers cost, by which budgets and the cost-based
//! strategy go, and how long prompts may be.
//!
//! LiteLLM knows a price only under the provider that it calls: behind an `openai/` prefix that are OpenAI's
//! models. Here they come from the built-in table, for clouds that resell from their makers [T 207]; prices written
//! in the config replace them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::gateway::litellm::client::{bare, is_prefixed, without_prefix};
use crate::gateway::litellm::lower::lengths::{Lengths, ToldLengths};
use crate::gateway::litellm::lower::pattern;
use crate::gateway::litellm::lower::refusals::Refusals;
use crate::gateway::litellm::plan::{Filled, Found, Greatest, Plan, Price, Reserved};
use crate::gateway::litellm::wire;
use crate::gateway::litellm::wire::{Prices, Wire};
use crate::pricing::{PriceRow, PriceTable, ServiceTier};
use crate::units::{DeploymentId, NameId, UnitPrice};

/// What the cost-based strategy takes for a price that it does not know, in dollars.
const UNKNOWN_PRICE: f64 = 5.0;

/// Providers whose models LiteLLM's map lists under their names alone; all others have their prefix there.
const LISTED_WITHOUT_PREFIX: [&str; 6] = ["openai", "anthropic", "bedrock", "cohere_chat", "cohere", "vertex_ai"];

/// The models that LiteLLM is taken to know.
pub(super) struct ModelMap<'a> {
    table: Option<Arc<PriceTable>>,
    told: ToldLengths<'a>,
}

/// What is known of the model that a deployment calls.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    /// What an answer costs.
    pub price: Option<Price>,
    /// The longest prompt that pre-call checks let pass.
    pub max_input_tokens: Option<u64>,
    /// LiteLLM does not find it.
    pub is_unmapped: bool,
    /// By what budgets are reserved.
    pub reserved: Reserved,
}

/// Whether it always holds.
fn is_plain(row: &PriceRow) -> bool {
    row.service == ServiceTier::Standard && row.above.is_none() && row.hours.is_empty() && row.valid_to.is_none()
}

impl<'a> ModelMap<'a> {
    /// Those of the built-in table, and what the config says of models; a table that cannot be read is none.
    pub fn new(wire: &'a Wire) -> Self {
        Self { table: PriceTable::built_in().ok(), told: ToldLengths::of(wire) }
    }

    /// The row of a model that always holds.
    fn row(&self, provider: &str, model: &str) -> Option<&PriceRow> {
        let name = bare(model, provider);
        // Bedrock lists the models of others behind the names of their makers.
        if provider == "bedrock" && !name.contains('.') {
            return None;
        }
        self.table.as_ref()?.sold(name, provider).find(|row| is_plain(row))
    }

    /// What is told or listed of how long prompts and answers of a model may be. `None` where LiteLLM
    /// does not know the model.
    fn lengths(&self, provider: &str, model: &str) -> Option<Lengths> {
        let (told, row) = (self.told.get(provider, bare(model, provider)), self.row(provider, model));
        let listed = row.map(Lengths::listed);
        let family = || Lengths::of_family(model);
        match told {
            Some(told) => Some(told.or(listed.or_else(family).unwrap_or_default())),
            None => listed.or_else(|| family().filter(|_| !self.is_listed(without_prefix(model, provider)))),
        }
    }

    /// Whether LiteLLM lists a model under its name alone, whoever sells it.
    fn is_listed(&self, name: &str) -> bool {
        LISTED_WITHOUT_PREFIX.iter().any(|provider| self.row(provider, name).is_some())
    }

    /// What LiteLLM knows of a deployment's model.
    pub fn of(&self, entry: &wire::Deployment, wire: &Wire) -> Known {
        self.of_model(entry, entry.model(), wire)
    }

    /// The same when this is the model that is called.
    fn of_model(&self, entry: &wire::Deployment, model: &str, wire: &Wire) -> Known {
        Known {
            price: self.price(entry, model, wire),
            max_input_tokens: self.looked_up(entry, model).and_then(|lengths| lengths.input),
            is_unmapped: is_elsewhere(entry) && self.looked_up(entry, model).is_none(),
            reserved: self.reserved(entry, model, wire),
        }
    }

    /// What pre-call checks hold prompts against (`router.py:get_router_model_info`). What a deployment says itself
    /// counts only where LiteLLM knows the model: a pattern may fill in another. Names of Azure's deployments mean
    /// nothing where `base_model` is given [T 208, 208d].
    fn looked_up(&self, entry: &wire::Deployment, model: &str) -> Option<Lengths> {
        let provider = entry.provider.unwrap_or_default();
        let base = || entry.info_base_model().or(entry.params_base_model()).filter(|_| provider == "azure");
        let known = self.lengths(provider, base().unwrap_or(model))?;
        Some(Lengths::of(entry).or(known))
    }

    /// What is reserved for an answer (`router.py:get_deployment_model_info`): for `model_info.base_model` at its own
    /// provider, even where answers cost nothing because they are another provider's [T 209].
    fn reserved(&self, entry: &wire::Deployment, model: &str, wire: &Wire) -> Reserved {
        let provider = entry.provider.unwrap_or_default();
        let base = entry.info_base_model().and_then(|base| Some((wire::provider_of(base, None, None)?, base)));
        // A deployment is listed under its id as well, whose name may be that of a family.
        let of_id = entry.model_info.id.as_ref().and_then(|id| Lengths::of_family(&id.value.0));
        let own = Lengths::of(entry).or(of_id.unwrap_or_default());
        // What follows the provider is the name, even if that begins with the provider once more.
        let called = Some((provider, model)).filter(|_| !is_prefixed(without_prefix(model, provider), provider));
        let row = [base, called].into_iter().flatten().find_map(|(provider, model)| self.row(provider, model));
        let lengths = |named: Option<(&str, &str)>| named.and_then(|(provider, model)| self.lengths(provider, model));
        let listed = lengths(base).unwrap_or_default().or(lengths(called).unwrap_or_default());
        Reserved {
            price: reserved_price(entry, row, wire),
            max_output_tokens: own.or(listed).output,
            has_own_price: own_prices(entry) != (None, None),
        }
    }

    /// What an answer can cost by the price that is listed under a name.
    fn listed(&self, name: &str) -> Option<Greatest> {
        let row = self.row(wire::provider_of(name, None, None)?, name)?;
        let max_output_tokens = Lengths::listed(row).output;
        let (input, output) = (float(row.rates.input?), float(row.rates.output?));
        Some(Greatest { input, output, max_output_tokens, is_free: false })
    }

    /// The price of a deployment's answers when this is the model that is called: its own first, then that of
    /// `base_model`, then that of the model (`cost_calculator.py`) [T 209].
    fn price(&self, entry: &wire::Deployment, model: &str, wire: &Wire) -> Option<Price> {
        let provider = entry.provider.unwrap_or_default();
        let base = entry.base_model().and_then(|base| self.row(provider, self.listed_name(base)));
        price(entry, base.or_else(|| self.row(provider, model)), wire)
    }

    /// The name under which LiteLLM lists a model: another provider may sell it as well, if that is without its prefix.
    fn listed_name<'m>(&self, model: &'m str) -> &'m str {
        let bare = model.split_once('/').filter(|(prefix, _)| LISTED_WITHOUT_PREFIX.contains(prefix));
        bare.filter(|(prefix, name)| self.row(prefix, name).is_some()).map_or(model, |(_, name)| name)
    }

    /// What the cost-based strategy compares: prices in `litellm_params` (0 counts as not set), else those that LiteLLM
    /// lists under exactly this model string: a prefix hides the models that are listed without one [T 97, 206].
    pub fn compared(&self, entry: &wire::Deployment) -> f64 {
        let (model, provider) = (entry.model(), entry.provider.unwrap_or_default());
        let is_hidden = is_prefixed(model, provider) == LISTED_WITHOUT_PREFIX.contains(&provider);
        let row = if is_hidden { None } else { self.row(provider, model) };
        let own = |key| custom(&entry.params_prices, key).filter(|price| *price != 0.0);
        let listed = |price: Option<UnitPrice>| price.map_or(UNKNOWN_PRICE, float);
        own("input_cost_per_token").unwrap_or_else(|| listed(row.and_then(|row| row.rates.input)))
            + own("output_cost_per_token").unwrap_or_else(|| listed(row.and_then(|row| row.rates.output)))
    }
}

/// Whether Azure's `base_model` has the name of another provider in front, under which nothing is listed at Azure.
/// Other names that the price table does not have are taken to be known: LiteLLM's list is the longer one.
fn is_elsewhere(entry: &wire::Deployment) -> bool {
    let base = entry.info_base_model().or(entry.params_base_model()).filter(|_| entry.provider == Some("azure"));
    let provider = base.and_then(|base| Some((base, wire::provider_of(base, None, None)?)));
    provider.is_some_and(|(base, provider)| provider != "azure" && is_prefixed(base, provider))
}

/// The prices that a deployment has itself, else those of a row. Without a price of its own for input the deployment
/// has none, with one the output is free unless it has a price as well
/// (`cost_calculator.py:_select_model_name_for_cost_calc`) [T 170, 230].
fn price(entry: &wire::Deployment, row: Option<&PriceRow>, wire: &Wire) -> Option<Price> {
    let (input, output) = match own_prices(entry) {
        (None, _) => (float(row?.rates.input?), float(row?.rates.output?)),
        (Some(input), output) => (input, output.unwrap_or(0.0)),
    };
    Some(adjusted(input, output, entry.provider.unwrap_or_default(), wire))
}

/// The prices that are reserved for: what a deployment says itself in place of what a row says, each by itself
/// (`router.py:get_deployment_model_info`) [T 230].
fn reserved_price(entry: &wire::Deployment, row: Option<&PriceRow>, wire: &Wire) -> Option<Price> {
    let (input, output) = own_prices(entry);
    let listed = row.and_then(|row| Some((float(row.rates.input?), float(row.rates.output?))));
    if (input, output, listed) == (None, None, None) {
        return None;
    }
    let (listed_input, listed_output) = listed.unwrap_or_default();
    let (input, output) = (input.unwrap_or(listed_input), output.unwrap_or(listed_output));
    Some(adjusted(input, output, entry.provider.unwrap_or_default(), wire))
}

/// What the config says of a deployment's input and output.
fn own_prices(entry: &wire::Deployment) -> (Option<f64>, Option<f64>) {
    let own = |key| custom(&entry.params_prices, key).or_else(|| custom(&entry.info_prices, key));
    (own("input_cost_per_token"), own("output_cost_per_token"))
}

/// Prices with the operator's discount and margin.
fn adjusted(input: f64, output: f64, provider: &str, wire: &Wire) -> Price {
    let module = &wire.litellm_settings;
    let margin = module.margin_of(provider);
    Price {
        input,
        output,
        discount: module.discount_of(provider).map_or(0.0, |share| share.value),
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

/// Names that no group is listed under are reserved for by what is listed under the name itself; names that a pattern
/// resolves go by the model that it fills in.
pub(super) fn add_models_of_names(wire: &Wire, map: &ModelMap<'_>, refusals: &mut Refusals<'_>, plan: &mut Plan) {
    let kept: Vec<&wire::Deployment> = wire.model_list.iter().filter(|entry| !entry.dropped).collect();
    let targets: Vec<Box<str>> = plan.names.iter().map(|name| plan.name(name.resolved).text.clone()).collect();
    let mut first_names: HashMap<(DeploymentId, String), NameId> = HashMap::new();
    for (at, (name, target)) in plan.names.iter_mut().zip(targets).enumerate() {
        let ids = match &name.found {
            Found::Group(ids) if !name.is_unlisted => ids,
            Found::Group(_) | Found::Nothing => {
                name.greatest = map.listed(&name.text);
                continue;
            }
            Found::One(_) => continue,
        };
        let mut filled = |id: &DeploymentId| {
            let entry = kept[id.index()];
            let model = pattern::fill(&entry.model_name.value, entry.model(), &target)?;
            let Known { price, max_input_tokens, reserved, .. } = map.of_model(entry, &model, wire);
            let refusals = refusals.row(entry, &model);
            let is_unplaced = entry.provider_of_model(&model).is_none();
            let first = *first_names.entry((*id, model)).or_insert(NameId::from_index(at));
            Some(Filled {
                deployment: *id,
                max_input_tokens,
                price,
                rates: None,
                reserved,
                refusals,
                first,
                is_unplaced,
            })
        };
        let mut all: Vec<Filled> = ids.iter().filter_map(&mut filled).collect();
        all.sort_by_key(|filled| filled.deployment);
        name.filled = all.into();
    }
}

/// The highest prices and longest answer of every name's deployments (`router.py:_set_model_group_info`).
pub fn add_greatest(plan: &mut Plan) {
    let (deployments, names) = (&plan.deployments, &mut plan.names);
    for (at, name) in names.iter_mut().enumerate().filter(|(_, name)| !name.is_unlisted) {
        // Those that are blocked count as well [T 285].
        let ids = match &name.found {
            Found::Group(_) if name.blocked > 0 => &name.listed,
            Found::Group(ids) => ids,
            _ => &name.shadowed,
        };
        if ids.is_empty() {
            continue;
        }
        let reserved =
            |id: &DeploymentId| name.filled(*id).map_or(deployments[id.index()].reserved, |filled| filled.reserved);
        // Prices of 0 count where they stand under the name itself
        // (`auth_checks.py:_is_cost_explicitly_configured`) [T 227].
        let stands_there = name.resolved == NameId::from_index(at) && name.filled.is_empty();
        let is_zero = |known: Reserved| known.price.is_some_and(|price| price.is_zero());
        let is_written = ids.iter().any(|id| reserved(id).has_own_price);
        let is_free = stands_there && is_written && ids.iter().map(reserved).all(is_zero);
        name.greatest = Some(Greatest { is_free, ..greatest(ids.iter().map(reserved)) });
    }
}

/// The greatest of prices and longest answers.
fn greatest(known: impl Iterator<Item = Reserved> + Clone) -> Greatest {
    let most = |of: fn(&Price) -> f64| known.clone().filter_map(|known| Some(of(&known.price?))).fold(0.0, f64::max);
    Greatest {
        input: most(|price| price.input),
        output: most(|price| price.output),
        max_output_tokens: known.filter_map(|known| known.max_output_tokens).max(),
        is_free: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_of_the_table_are_the_floats_that_python_reads() {
        let wire = Wire::default();
        let known = ModelMap::new(&wire);
        let row = known.row("openai", "openai/gpt-4o").unwrap();
        assert_eq!((row.rates.input.map(float), row.rates.output.map(float)), (Some(2.5e-06), Some(1e-05)));
        assert_eq!(known.row("openai", "gpt-4o-mini").unwrap().rates.input.map(float), Some(1.5e-07));
        assert!(known.row("openai", "openai/mixtral-8x22b").is_none());
    }
}

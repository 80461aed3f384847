//! What the deployments of a gateway are called, and what they cost.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::gateway::litellm::client::bare;
use crate::gateway::litellm::lower::{add_greatest, fill_pattern};
use crate::gateway::litellm::plan::{Found, Name, Plan, Price};
use crate::gateway::litellm::wire::{Deployment, Wire};
use crate::ledger::{DeploymentTariff, Tariffs};
use crate::pricing::{
    Adjustment, Ask, CompiledRates, DeploymentPricing, Moment, PriceBook, PriceSchedule, RateCard, RateSchedule, Rule,
    ServiceTier, Share, Tariff, TokenRates, deployment_card,
};
use crate::scenario::world::DeploymentName;
use crate::units::{DeploymentId, GroupId, Money, NameId, SimDuration, SimTime, UnitPrice, Usage};

/// The span of time that prices are asked for.
#[derive(Debug, Clone, Copy)]
pub struct PriceTime {
    /// Start of the run.
    pub start: Timestamp,
    /// Length of the run.
    pub horizon: SimDuration,
    /// All prices are those of this moment, if given.
    pub fixed: Option<Timestamp>,
}

/// The deployments that the gateway keeps, in the order of the plan.
pub fn kept(wire: &Wire) -> Vec<&Deployment> {
    wire.model_list.iter().filter(|deployment| !deployment.dropped).collect()
}

/// The names of the groups in the order of their first deployments.
pub fn groups(kept: &[&Deployment]) -> Vec<String> {
    let mut seen = HashSet::new();
    let names = kept.iter().map(|deployment| deployment.model_name.value.as_str());
    names.filter(|name| seen.insert(*name)).map(str::to_owned).collect()
}

/// The groups by their names.
fn by_name(groups: &[String]) -> HashMap<&str, GroupId> {
    groups.iter().enumerate().map(|(index, name)| (name.as_str(), GroupId::from_index(index))).collect()
}

/// The names of the deployments, with the gateway's own limit of calls at once; the providers'
/// limits are not known here.
pub fn names(kept: &[&Deployment], groups: &[String], plan: &Plan) -> Vec<DeploymentName> {
    let (mut seen, by_name) = (vec![0; groups.len()], by_name(groups));
    let name = |(index, (deployment, planned)): (usize, (&&Deployment, &crate::gateway::litellm::plan::Deployment))| {
        let group = group_of(deployment, &by_name);
        seen[group.index()] += 1;
        let number = seen[group.index()];
        let id = deployment.model_info.id.as_ref().map(|id| id.value.0.clone());
        DeploymentName {
            name: id.unwrap_or_else(|| format!("{}/{number}", groups[group.index()])),
            group,
            model: deployment.model().to_owned(),
            models: numbered_models(deployment, DeploymentId::from_index(index), &plan.names).0,
            provider: deployment.provider.unwrap_or("unknown"),
            rpm_limit: None,
            tpm_limit: None,
            concurrency_limit: planned.parallel.map(f64::from),
        }
    };
    kept.iter().zip(&plan.deployments).enumerate().map(name).collect()
}

/// Behind a pattern: the names that lead to it, each with the model that it fills in.
pub(super) fn models_behind<'a>(
    entry: &'a Deployment,
    id: DeploymentId,
    names: &'a [Name],
) -> impl Iterator<Item = (NameId, String)> + 'a {
    let leads_here = move |name: &Name| matches!(&name.found, Found::Group(ids) if ids.contains(&id));
    let pattern = &entry.model_name.value;
    // No other name leads to what is no pattern.
    let (all, names) = (names, if pattern.contains('*') { names } else { &[] });
    names.iter().enumerate().filter(move |(_, name)| leads_here(name)).filter_map(move |(index, name)| {
        let target = &all[name.resolved.index()].text;
        Some((NameId::from_index(index), fill_pattern(pattern, priced_model(entry), target)?))
    })
}

/// The models that names fill into a pattern, and which of them each name leads to.
fn numbered_models(entry: &Deployment, id: DeploymentId, names: &[Name]) -> (Vec<String>, Vec<(NameId, u32)>) {
    let (mut models, mut numbers): (Vec<String>, HashMap<String, u32>) = (Vec::new(), HashMap::new());
    let number = |(name, model): (NameId, String)| {
        let number = *numbers.entry(model).or_insert_with_key(|model| {
            models.push(model.clone());
            models.len() as u32 - 1
        });
        (name, number)
    };
    let leading = models_behind(entry, id, names).map(number).collect();
    (models, leading)
}

fn group_of(deployment: &Deployment, groups: &HashMap<&str, GroupId>) -> GroupId {
    groups.get(deployment.model_name.value.as_str()).copied().unwrap_or_default()
}

/// The model to price by: `base_model` where it is given (Azure's deployments have names of their own).
pub(super) fn priced_model(deployment: &Deployment) -> &str {
    deployment.base_model().unwrap_or(deployment.model())
}

/// The two price books of a world.
pub struct Books<'a> {
    /// What providers bill.
    pub billed: &'a PriceBook,
    /// What the gateway believes and reports, if that is another one.
    pub reported: Option<&'a PriceBook>,
}

/// What each deployment charges over time, and whose prices stand for each group. Also tells the gateway's plan what it
/// believes its deployments cost.
pub fn tariffs(wire: &Wire, groups: &[String], books: &Books<'_>, time: &PriceTime, plan: &mut Plan) -> Tariffs {
    let believed = books.reported.unwrap_or(books.billed);
    let kept = kept(wire);
    let mut deployments = Vec::new();
    let (names, by_group) = (&plan.names, by_name(groups));
    for (index, (entry, planned)) in kept.iter().zip(&mut plan.deployments).enumerate() {
        let own = own_prices(entry, believed, time.start);
        let adjustment = adjustment(wire, entry.provider.unwrap_or_default());
        let billed = schedule(entry, own.as_ref(), books.billed, time, Adjustment::default());
        // Who gives the gateway's own prices says what it knows.
        let is_known =
            |model: &str| books.reported.is_some() || own.is_some() || gateway_knows(entry.provider, model, believed);
        let reported = schedule(entry, own.as_ref(), believed, time, adjustment);
        let reported = reported.filter(|_| is_known(priced_model(entry)));
        planned.rates = reported.clone().map(Arc::new);
        let rates = token_rates(entry, own.as_ref(), believed, time.fixed.unwrap_or(time.start));
        if let Some(rates) = rates.filter(|_| is_known(priced_model(entry))) {
            (planned.price, planned.reserved.price) = believe(planned.price, rates);
            let listed = rates_of(priced_model(entry), entry.provider, believed, time.fixed.unwrap_or(time.start));
            planned.reserved.price = planned.reserved.price.map(|price| reserved_price(entry, price, listed));
        }
        let by_name = match own {
            Some(_) => Vec::new(),
            None => models_behind(entry, DeploymentId::from_index(index), names)
                .map(|(name, model)| {
                    let as_model = |book, adjustment| schedule_of(&model, entry.provider, book, time, adjustment);
                    let reported = as_model(believed, adjustment).filter(|_| is_known(&model));
                    (name, as_model(books.billed, Adjustment::default()), reported)
                })
                .collect(),
        };
        let (_, models) = numbered_models(entry, DeploymentId::from_index(index), names);
        deployments.push(DeploymentTariff { group: group_of(entry, &by_group), billed, reported, by_name, models });
    }
    believe_models_behind(&kept, &deployments, believed, time, plan);
    add_greatest(plan);
    let mut lead = vec![None; groups.len()];
    for (index, tariff) in deployments.iter().enumerate().rev() {
        lead[tariff.group.index()] = Some(DeploymentId::from_index(index));
    }
    let homes = plan.names.iter().map(|name| home(&name.found, &deployments)).collect();
    Tariffs { deployments, homes, lead, capacities: Vec::new() }
}

/// Whether LiteLLM itself has a price for a model. What is only called in OpenAI's way, whoever answers, it knows by
/// the names of OpenAI's own models alone: `openai/anthropic/claude-opus-4-6` costs it nothing, as recorded.
fn gateway_knows(provider: Option<&str>, model: &str, book: &PriceBook) -> bool {
    const WAYS_OF_CALLING: [&str; 5] = ["openai", "text-completion-openai", "openai_like", "custom_openai", "custom"];
    match (provider, book) {
        (Some(provider), PriceBook::Table(table)) if WAYS_OF_CALLING.contains(&provider) => {
            table.sold(bare(model, provider), provider).next().is_some()
        }
        _ => true,
    }
}

/// Whether LiteLLM has a price for a deployment's answers, its own or a listed one.
pub(super) fn gateway_prices_it(entry: &Deployment, book: &PriceBook, at: Timestamp) -> bool {
    own_prices(entry, book, at).is_some() || gateway_knows(entry.provider, priced_model(entry), book)
}

/// Tells the gateway's plan what it believes that the models behind patterns cost.
fn believe_models_behind(
    kept: &[&Deployment],
    tariffs: &[DeploymentTariff],
    believed: &PriceBook,
    time: &PriceTime,
    plan: &mut Plan,
) {
    let at = time.fixed.unwrap_or(time.start);
    for (index, entry) in kept.iter().enumerate() {
        let (id, tariff) = (DeploymentId::from_index(index), &tariffs[index]);
        let has_own_prices = own_prices(entry, believed, time.start).is_some();
        let behind: Vec<(NameId, String)> = models_behind(entry, id, &plan.names).collect();
        for (name, model) in behind {
            let all = &mut plan.names[name.index()].filled;
            let Some(filled) = all.iter_mut().find(|filled| filled.deployment == id) else { continue };
            filled.rates = tariff.reported_as(name).cloned().map(Arc::new);
            if let Some(rates) = rates_of(&model, entry.provider, believed, at).filter(|_| !has_own_prices) {
                (filled.price, filled.reserved.price) = believe(filled.price, rates);
            }
        }
    }
}

/// A price with other rates, for answers and for reserving.
fn believe(price: Option<Price>, rates: TokenRates) -> (Option<Price>, Option<Price>) {
    let (input, output) = (dollars(rates.input), dollars(rates.output));
    let price = Some(Price { input, output, ..price.unwrap_or_default() });
    (price, price)
}

/// The price that is reserved for: what the config says of input and output, each by itself, in
/// place of what is listed.
fn reserved_price(entry: &Deployment, price: Price, listed: Option<TokenRates>) -> Price {
    let own = |key: &str| {
        let written = entry.params_prices.iter().chain(&entry.info_prices).find(|(name, _)| name == key);
        written.map(|(_, price)| dollars(price.value))
    };
    let (input, output) =
        listed.map_or((price.input, price.output), |rates| (dollars(rates.input), dollars(rates.output)));
    let (own_input, own_output) = (own("input_cost_per_token"), own("output_cost_per_token"));
    Price { input: own_input.unwrap_or(input), output: own_output.unwrap_or(output), ..price }
}

/// The group that a name asks for first.
fn home(found: &Found, deployments: &[DeploymentTariff]) -> Option<GroupId> {
    let first = match found {
        Found::Nothing => return None,
        Found::Group(ids) => *ids.first()?,
        Found::One(id) => *id,
    };
    deployments.get(first.index()).map(|tariff| tariff.group)
}

/// What a usage costs at a deployment at the one moment that `time` fixes.
pub(super) fn charge_at(entry: &Deployment, book: &PriceBook, time: &PriceTime, usage: &Usage) -> Option<Money> {
    let own = own_prices(entry, book, time.start);
    let rates = schedule(entry, own.as_ref(), book, time, Adjustment::default())?;
    Some(rates.at(SimTime::ZERO).charge(usage))
}

/// What a deployment takes for a token of input and of output in a short request.
pub(super) fn per_token(entry: &Deployment, book: &PriceBook, at: Timestamp) -> Option<[UnitPrice; 2]> {
    let rates = token_rates(entry, own_prices(entry, book, at).as_ref(), book, at)?;
    Some([rates.input, rates.output])
}

/// The prices that the config gives a deployment itself: they are what the user pays, and what LiteLLM reports.
fn own_prices(entry: &Deployment, book: &PriceBook, at: Timestamp) -> Option<RateCard> {
    let fields = entry.info_prices.iter().chain(&entry.params_prices);
    let fields: Vec<(&str, serde_json::Value)> =
        fields.filter_map(|(name, price)| Some((name.as_str(), number(price.value)?))).collect();
    let listed = book.lookup(priced_model(entry), entry.provider, at).known();
    let backend = listed.as_ref().map(|tariff| &*tariff.card);
    let fields = fields.iter().map(|(name, value)| (*name, value));
    match deployment_card(fields, backend) {
        Ok(DeploymentPricing::Replaces(card)) => Some(*card),
        Ok(DeploymentPricing::None | DeploymentPricing::Ineffective) | Err(_) => None,
    }
}

/// A price as the JSON number that a price map would have.
fn number(price: UnitPrice) -> Option<serde_json::Value> {
    serde_json::from_str(&price.to_string()).ok()
}

/// The nearest float of a price, for the strategies that compare prices in floats themselves.
fn dollars(price: UnitPrice) -> f64 {
    price.to_string().parse().unwrap_or_default()
}

fn own_tariff(card: &RateCard) -> Tariff<'_> {
    Tariff::new("the gateway's config", std::borrow::Cow::Borrowed(card), Rule::Generic)
}

fn token_rates(entry: &Deployment, own: Option<&RateCard>, book: &PriceBook, at: Timestamp) -> Option<TokenRates> {
    match own {
        Some(card) => Some(own_tariff(card).rates(standard(at))),
        None => rates_of(priced_model(entry), entry.provider, book, at),
    }
}

fn rates_of(model: &str, provider: Option<&str>, book: &PriceBook, at: Timestamp) -> Option<TokenRates> {
    Some(book.lookup(model, provider, at).known()?.rates(standard(at)))
}

/// A short request at the standard price.
const fn standard(at: Timestamp) -> Moment {
    Moment { prompt: 0, completion: 0, service: ServiceTier::Standard, at }
}

fn schedule(
    entry: &Deployment,
    own: Option<&RateCard>,
    book: &PriceBook,
    time: &PriceTime,
    adjustment: Adjustment,
) -> Option<RateSchedule> {
    let at = time.fixed.unwrap_or(time.start);
    if let Some(card) = own {
        return own_tariff(card).compile(ServiceTier::Standard, at, &adjustment).map(RateSchedule::constant);
    }
    schedule_of(priced_model(entry), entry.provider, book, time, adjustment)
}

/// What a model costs over time.
pub fn schedule_of(
    model: &str,
    provider: Option<&str>,
    book: &PriceBook,
    time: &PriceTime,
    adjustment: Adjustment,
) -> Option<RateSchedule> {
    let at = time.fixed.unwrap_or(time.start);
    let ask = Ask { adjustment, ..Ask::list_price(model, provider) };
    if time.fixed.is_some() {
        return book.compile(&ask, at).known().map(RateSchedule::constant);
    }
    let end = Timestamp::from_second(time.start.as_second().saturating_add(time.horizon.whole_secs() + 1));
    in_simulated_time(&book.schedule(&ask, time.start, end.unwrap_or(Timestamp::MAX)), time.start)
}

/// Dated prices on the clock of the run; none unless there is a price throughout.
fn in_simulated_time(schedule: &PriceSchedule, start: Timestamp) -> Option<RateSchedule> {
    if !schedule.is_priced_throughout() {
        return None;
    }
    let since_start = |second: i64| SimTime(second.saturating_sub(start.as_second()).saturating_mul(1_000_000_000));
    let steps: Option<Vec<(SimTime, CompiledRates)>> =
        schedule.changes().iter().map(|(from, rates)| Some((since_start(*from), rates.clone().known()?))).collect();
    RateSchedule::stepwise(steps?)
}

/// The operator's discount and margin for a provider, as the gateway reports them; the provider bills its list price.
fn adjustment(wire: &Wire, provider: &str) -> Adjustment {
    let module = &wire.litellm_settings;
    let (discount, margin) = (module.discount_of(provider), module.margin_of(provider));
    let fraction = margin.and_then(|margin| margin.fraction.as_ref()).and_then(|fraction| Share::parse(&fraction.text));
    Adjustment {
        discount: discount.and_then(|discount| Share::parse(&discount.text)).unwrap_or_default(),
        margin: fraction.unwrap_or_default(),
        fixed: margin.and_then(|margin| margin.fixed).unwrap_or_default(),
    }
}

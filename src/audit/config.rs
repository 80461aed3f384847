//! A gateway's config as rules look at it: groups with what their models cost, chains of fallbacks, who asks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::diagnostic::Span;
use crate::diagnostic::secrets::looks_secret;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::plan::Found;
use crate::gateway::litellm::wire::{Deployment, Fallbacks, Spanned, Wire};
use crate::pricing::PriceBook;
use crate::scenario::{ModelFacts, Problem, World, model_facts, newest_price_date};
use crate::units::{Money, SimTime, Usage};

/// The request that prices are compared by.
pub const TYPICAL: Usage = Usage::plain(1000, 300);
/// Targets of all chains together that are looked at: one list of thousands may hold for thousands of groups.
const MOST_TARGETS: usize = 1_000_000;
/// A pattern that stands for every group.
const ANY: &str = "*";

/// What is known of the models of a config, and on which day.
#[derive(Debug, Clone)]
pub struct Catalog {
    facts: Vec<ModelFacts>,
    today: Date,
    until: Date,
    offers: Vec<Offer>,
}

/// A model of the price book that could be added to a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// With its provider in front: `gemini/gemini-2.5-flash`.
    pub model: String,
    /// The provider.
    pub provider: String,
    /// Whether many people have an account there: then it may be offered to those who do not use it.
    pub is_common: bool,
    /// What a typical request costs.
    pub charge: Money,
}

/// Providers that are widely used.
const COMMON: [&str; 6] = ["openai", "gemini", "anthropic", "deepseek", "mistral", "xai"];

impl Catalog {
    /// Looks the models up in a price book, on the newest day that the built-in prices know of.
    ///
    /// # Errors
    /// A [`Problem`] when there is no such day.
    pub fn new(wire: &Wire, book: &PriceBook) -> Result<Self, Problem> {
        let today = newest_price_date()?;
        let at = today.at(12, 0, 0, 0).in_tz("UTC").map(|noon| noon.timestamp()).unwrap_or_default();
        Ok(Self { facts: model_facts(wire, book, at, &TYPICAL), today, until: today, offers: offers(book, at) })
    }

    /// The same with the prices and the day of a scenario.
    pub fn of_world(mut self, world: &World) -> Self {
        self.today = world.start.date();
        self.until = day_of(world, SimTime(world.horizon.0)).unwrap_or(self.today);
        for (facts, tariff) in self.facts.iter_mut().zip(&world.tariffs.deployments) {
            facts.charge = tariff.billed.as_ref().map(|rates| rates.at(SimTime::ZERO).charge(&TYPICAL));
        }
        // What the scenario says of the ends of models goes before what the price table knows.
        for (facts, deployment) in self.facts.iter_mut().zip(world.providers.deployments()) {
            let was_gone = facts.retired_on.is_some_and(|day| day <= self.today);
            match deployment.retired_from {
                SimTime::NEVER if !facts.is_redirected => facts.retired_on = None,
                SimTime::NEVER => {}
                SimTime::ZERO if was_gone => facts.is_redirected = false,
                from => (facts.retired_on, facts.is_redirected) = (day_of(world, from), false),
            }
        }
        self
    }
}

/// The day of a moment of the run; none for one that never comes.
fn day_of(world: &World, at: SimTime) -> Option<Date> {
    let second = world.start.timestamp().as_second().checked_add(at.whole_secs())?;
    let moment = jiff::Timestamp::from_second(second).ok()?;
    Some(moment.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// The chat models that are served today, with what a typical request costs.
fn offers(book: &PriceBook, at: jiff::Timestamp) -> Vec<Offer> {
    let PriceBook::Table(table) = book else { return Vec::new() };
    let is_offered = |row: &&crate::pricing::PriceRow| row.kind == "chat" && row.retired_on.is_none();
    let mut offers: Vec<Offer> = Vec::new();
    for row in table.rows().iter().filter(is_offered) {
        let model = format!("{}/{}", row.provider, row.model);
        if offers.last().is_some_and(|last| last.model == model) {
            continue;
        }
        let ask = crate::pricing::Ask::list_price(&row.model, Some(&row.provider));
        if let Some(rates) = book.compile(&ask, at).known() {
            let (provider, is_common) = (row.provider.clone(), COMMON.contains(&row.provider.as_str()));
            offers.push(Offer { model, provider, is_common, charge: rates.charge(&TYPICAL) });
        }
    }
    offers
}

/// What a scenario says of those who ask.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Groups that clients ask for.
    pub groups: BTreeSet<String>,
    /// Whether some virtual key has a budget.
    pub has_key_budget: bool,
    /// By traffic class: name, share of exact repetitions, retries of the clients' SDK, and its timeout in seconds.
    pub classes: Vec<AskedClass>,
}

/// What is known of a traffic class.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedClass {
    /// Its name.
    pub name: String,
    /// Share of requests that repeat another word for word.
    pub repeats: f64,
    /// Most retries of the clients.
    pub retries: u32,
    /// Seconds that the clients wait.
    pub timeout_s: Option<f64>,
}

impl Asked {
    /// What a world says.
    pub fn of(world: &World) -> Self {
        let plan = &world.gateway;
        let class = |(name, class): (&String, &crate::traffic::Class)| AskedClass {
            name: name.clone(),
            repeats: class.repeats.as_ref().map_or(0.0, |repeats| repeats.share),
            retries: class.retries.as_ref().map_or(0, |retries| retries.most),
            timeout_s: class.timeout.map(crate::units::SimDuration::as_secs_f64),
        };
        let named = world.traffic.classes().flat_map(|class| &class.models);
        let group = |name: &crate::gateway::litellm::plan::Name| match &name.found {
            Found::Group(deployments) => deployments.first().copied(),
            Found::One(deployment) => Some(*deployment),
            Found::Nothing => None,
        };
        let groups = named.filter_map(|(name, _)| group(plan.name(*name)));
        Self {
            groups: groups
                .map(|id| world.names.groups[world.names.deployments[id.index()].group.index()].clone())
                .collect(),
            has_key_budget: plan.keys.has_budget(),
            classes: world.names.classes.iter().zip(world.traffic.classes()).map(class).collect(),
        }
    }
}

/// A deployment that the gateway keeps.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Its number in `model_list`.
    pub index: usize,
    /// As written.
    pub entry: &'a Deployment,
    /// What is known of its model.
    pub facts: ModelFacts,
}

/// All deployments with one name.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// The name.
    pub name: &'a str,
    /// The deployments, in order.
    pub members: Vec<Member<'a>>,
}

impl Group<'_> {
    /// What a typical request costs at most; none where a price is not known.
    pub fn charge(&self) -> Option<Money> {
        self.members.iter().map(|member| member.facts.charge).collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Who serves it.
    pub fn providers(&self) -> BTreeSet<&'static str> {
        self.members.iter().filter_map(|member| member.entry.provider).collect()
    }

    /// Where the first of them is written.
    pub fn span(&self) -> Span {
        self.members.first().map_or_else(Span::default, |member| member.entry.model_name.span)
    }
}

/// Where requests for a group go when it fails.
#[derive(Debug, Clone)]
pub struct Chain<'a> {
    /// The group.
    pub from: &'a str,
    /// The groups that are tried, in order, each with its place.
    pub targets: Vec<(&'a str, Span)>,
    /// The path of the list in the config; none where it cannot be written again without loss.
    path: Option<String>,
}

impl Chain<'_> {
    /// The edit that makes this the list of targets.
    pub fn replaced(&self, targets: &[&str]) -> Option<String> {
        let list: Option<Vec<String>> = targets.iter().map(|target| quoted(target)).collect();
        Some(format!("{}=[{}]", self.path.as_ref()?, list?.join(", ")))
    }

    /// The edit without one target.
    pub fn without(&self, target: &str) -> Option<String> {
        let rest: Vec<&str> = self.targets.iter().map(|(name, _)| *name).filter(|name| *name != target).collect();
        self.replaced(&rest)
    }
}

/// A name in double quotes; none where it would have to be escaped.
pub fn quoted(name: &str) -> Option<String> {
    let is_plain = !name.contains(['"', '\\']) && !name.contains(char::is_control) && !looks_secret(name);
    is_plain.then(|| format!("\"{name}\""))
}

/// What rules look at.
pub struct Config<'a> {
    /// As written.
    pub wire: &'a Wire,
    /// Groups in the order of their first deployments.
    pub groups: Vec<Group<'a>>,
    /// Chains of fallbacks that are in force.
    pub chains: Vec<Chain<'a>>,
    /// The day of the check: the first day of the scenario.
    pub today: Date,
    /// The last day of the scenario.
    pub until: Date,
    /// Models that could be added.
    pub offers: &'a [Offer],
    /// Who asks, if a scenario says so.
    pub asked: Option<&'a Asked>,
    /// Where each group is, by its name; where its chain is; and the groups that something falls back to.
    group_at: BTreeMap<&'a str, usize>,
    chain_at: BTreeMap<&'a str, usize>,
    targets: BTreeSet<&'a str>,
}

impl<'a> Config<'a> {
    pub(super) fn new(wire: &'a Wire, catalog: &'a Catalog, asked: Option<&'a Asked>) -> Self {
        let (groups, group_at) = grouped(wire, catalog);
        let chains = chains(wire, &groups);
        // The first chain of a group counts.
        let chain_at = chains.iter().enumerate().rev().map(|(index, chain)| (chain.from, index)).collect();
        let targets = chains.iter().flat_map(|chain| &chain.targets).map(|(target, _)| *target).collect();
        let (today, until) = (catalog.today, catalog.until);
        Self { wire, groups, chains, today, until, offers: &catalog.offers, asked, group_at, chain_at, targets }
    }

    /// The group of this name.
    pub fn group(&self, name: &str) -> Option<&Group<'a>> {
        self.group_at.get(name).map(|at| &self.groups[*at])
    }

    /// The chain of a group.
    pub fn chain(&self, group: &str) -> Option<&Chain<'a>> {
        self.chain_at.get(group).map(|at| &self.chains[*at])
    }

    /// Whether clients ask for this group themselves: as the scenario says, else every group
    /// that nothing falls back to.
    pub fn is_asked_for(&self, group: &str) -> bool {
        match self.asked {
            Some(asked) => asked.groups.contains(group),
            None => !self.targets.contains(group),
        }
    }

    /// Retries of the router for a group.
    pub fn retries(&self, group: &str) -> i64 {
        let own = self.group(group).and_then(|group| {
            group
                .members
                .iter()
                .filter_map(|member| member.entry.litellm_params.num_retries.as_ref())
                .map(|n| n.value)
                .max()
        });
        let (router, module) = (&self.wire.router_settings.num_retries, &self.wire.litellm_settings.num_retries);
        own.or(router.as_ref().or(module.as_ref()).map(|n| n.value)).unwrap_or(i64::from(defaults::NUM_RETRIES)).max(0)
    }

    /// The groups that a request for `group` can reach, itself first, each once: depth first, as the gateway goes.
    pub fn reach(&self, group: &'a str) -> Vec<&'a str> {
        let (router, module) = (&self.wire.router_settings.max_fallbacks, &self.wire.litellm_settings.max_fallbacks);
        let depth = router.as_ref().or(module.as_ref()).map_or(defaults::MAX_FALLBACKS, |n| n.value);
        let targets = |group: &str| self.chain(group).map_or(&[][..], |chain| &chain.targets).iter();
        let (mut reached, mut known) = (vec![group], BTreeSet::from([group]));
        // No recursion: a config may allow for chains as long as it is.
        let mut open = if depth > 0 { vec![targets(group)] } else { Vec::new() };
        while let Some(level) = open.last_mut() {
            match level.next() {
                None => drop(open.pop()),
                Some((target, _)) if self.group(target).is_some() && known.insert(target) => {
                    reached.push(target);
                    if (open.len() as i64) < depth {
                        open.push(targets(target));
                    }
                }
                Some(_) => {}
            }
        }
        reached
    }
}

/// The groups in the order of their first deployments, and where each is.
fn grouped<'a>(wire: &'a Wire, catalog: &Catalog) -> (Vec<Group<'a>>, BTreeMap<&'a str, usize>) {
    let (mut groups, mut places): (Vec<Group<'a>>, _) = (Vec::new(), BTreeMap::new());
    let kept = wire.model_list.iter().enumerate().filter(|(_, entry)| !entry.dropped);
    for ((index, entry), facts) in kept.zip(&catalog.facts) {
        let name = entry.model_name.value.as_str();
        let at = *places.entry(name).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Group { name, members: Vec::new() });
        }
        groups[at].members.push(Member { index, entry, facts: *facts });
    }
    (groups, places)
}

/// The chains in force: the router's list wins over the module's, the defaults serve groups
/// without a list of their own.
fn chains<'a>(wire: &'a Wire, groups: &[Group<'a>]) -> Vec<Chain<'a>> {
    let (router, module) = (&wire.router_settings, &wire.litellm_settings);
    let (section, lists) = match (&router.fallbacks, &module.fallbacks) {
        (Some(lists), _) => ("router_settings", Some(lists)),
        (None, lists) => ("litellm_settings", lists.as_ref()),
    };
    let mut chains = lists.map_or_else(Vec::new, |lists| written(section, lists, groups));
    let (section, defaults) = match (&router.default_fallbacks, &module.default_fallbacks) {
        (Some(list), _) => ("router_settings", Some(list)),
        (None, list) => ("litellm_settings", list.as_ref()),
    };
    let Some(defaults) = defaults else { return chains };
    let with_own: BTreeSet<&str> = chains.iter().map(|chain| chain.from).collect();
    for group in groups.iter().take(MOST_TARGETS / defaults.value.len().max(1)) {
        if !with_own.contains(group.name) {
            let targets = defaults.value.iter().map(|target| (target.value.as_str(), target.span));
            let targets = targets.filter(|(target, _)| *target != group.name).collect();
            let path = Some(format!("gateway.{section}.default_fallbacks"));
            chains.push(Chain { from: group.name, targets, path });
        }
    }
    chains
}

fn written<'a>(section: &str, lists: &'a Spanned<Fallbacks>, groups: &[Group<'a>]) -> Vec<Chain<'a>> {
    let (mut chains, mut known): (Vec<Chain<'a>>, _) = (Vec::new(), BTreeSet::new());
    let mut room = MOST_TARGETS;
    for list in &lists.value.0 {
        let plain = list.targets.iter().all(|target| !target.value.has_params);
        let key = quoted(&list.group.value).filter(|_| plain);
        let path = key.map(|key| format!("gateway.{section}.fallbacks[{key}]"));
        let targets: Vec<(&str, Span)> =
            list.targets.iter().map(|target| (target.value.model.as_str(), target.span)).collect();
        let mut add = |from: &'a str| {
            // Only the first list of a group counts.
            if known.insert(from) && targets.len() <= room {
                room -= targets.len();
                let targets = targets.iter().copied().filter(|(target, _)| *target != from).collect();
                chains.push(Chain { from, targets, path: path.clone() });
            }
        };
        if list.group.value == ANY {
            groups.iter().for_each(|group| add(group.name));
        } else {
            add(&list.group.value);
        }
    }
    chains
}

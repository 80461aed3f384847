//! A LiteLLM configuration, compiled: every name is a number, every lookup is done, nothing is text on the hot path.

pub use crate::gateway::litellm::body::{Body, CacheControl, CustomTarget, FallbackOverride, OverrideId};
use std::collections::HashMap;
use std::sync::Arc;

pub use crate::gateway::litellm::affinity::{Affinity, AffinityFlags};
pub use crate::gateway::litellm::client::Client;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::keyring::KeyPlans;
use crate::gateway::litellm::policy::{FailsPolicy, RetryPolicy};
pub use crate::gateway::litellm::price::{Filled, Greatest, Price, Reserved};
pub use crate::gateway::litellm::proxy_plan::{BudgetReset, CachePlan, ProxyPlan};
pub use crate::gateway::litellm::router_plan::{CooldownPlan, Inside, RouterPlan, TagMatch};
pub use crate::gateway::litellm::wire::Mock;
use crate::pricing::RateSchedule;
use crate::units::{BodyId, DeploymentId, NameId, SimDuration, SimTime, Tokens, Usage};

/// The tag of deployments that serve requests without tags.
pub const DEFAULT_TAG: u32 = 0;

/// Index of a list of fallback targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListId(pub u32);

/// Which part of the gateway is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layer {
    /// The proxy server with keys, limits and its one logging object a request.
    #[default]
    Proxy,
    /// The bare `Router` class: a new logging object for every attempt, so that every failure counts [T 69_router].
    Router,
}

/// How a deployment is picked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strategy {
    /// At random, by weight.
    SimpleShuffle,
    /// The fewest requests in flight.
    LeastBusy,
    /// The lowest mean latency.
    Latency(LatencyArgs),
    /// The cheapest.
    Cost,
    /// The fewest tokens this minute, counted on success.
    UsageV1,
    /// The fewest tokens this minute, requests counted before the call.
    UsageV2,
    /// None: nothing is picked.
    Nothing,
}

/// `routing_strategy_args` of the latency strategy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatencyArgs {
    /// How long samples are kept, from the first write.
    pub ttl: SimDuration,
    /// Share above the best that still counts as best.
    pub buffer: f64,
    /// Samples kept.
    pub samples: usize,
    /// Percentile of times to first token instead of their mean.
    pub ttft_percentile: Option<f64>,
}

/// The whole configuration.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Which part is played.
    pub layer: Layer,
    /// Deployments, in order of the model list.
    pub deployments: Vec<Deployment>,
    /// The same, as strategies compare them.
    pub compared: Vec<Compared>,
    /// Every name that a client or a fallback may use.
    pub names: Vec<Name>,
    /// Their numbers.
    pub ids: HashMap<Box<str>, NameId>,
    /// Name by name: the first of those that share its answers in the response cache (`caching_groups`). Empty where
    /// none do.
    pub cached_as: Box<[NameId]>,
    /// Lists of fallback targets.
    pub lists: Vec<Box<[Target]>>,
    /// Request bodies that clients send, beside model and messages.
    pub bodies: Vec<Body>,
    /// A body that asks for nothing.
    pub nothing_asked: Body,
    /// Rows by `BodyId` that say whether a body is refused; the first is empty, and refuses none.
    pub refusals: Vec<Box<[bool]>>,
    /// Fallbacks inside attempts, where any of them refuses a body or cannot be called.
    pub inside: HashMap<DeploymentId, Box<[Inside]>>,
    /// Fallback entries with parameters of their own.
    pub customs: Vec<CustomTarget>,
    /// What tells each of them apart.
    pub custom_texts: Vec<Box<str>>,
    /// Fallbacks that those bring along.
    pub overrides: Vec<FallbackOverride>,
    /// Some calls end before they are made: answers are made up, or timeouts cannot be read.
    pub ends_calls: bool,
    /// Whether any body or fallback entry lets groups fail before anything is called.
    pub fails_groups: bool,
    /// Some requests name a deployment's model.
    pub has_specific: bool,
    /// What limits virtual keys; the first is the master key, without limits.
    pub keys: KeyPlans,
    /// Settings of the router as a whole.
    pub router: RouterPlan,
    /// Settings of the proxy server.
    pub proxy: ProxyPlan,
    /// What several processes share.
    pub redis: Redis,
}

/// What several processes share through Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Redis {
    /// Nothing.
    #[default]
    None,
    /// The router's counters.
    Router,
    /// Those, and limits and budgets of keys.
    Proxy,
}

/// One deployment.
#[derive(Debug, Clone, Default)]
pub struct Deployment {
    /// Its id in the config.
    pub id: Box<str>,
    /// Its model, with the provider's name in front if one is written.
    pub model: Box<str>,
    /// It has `rpm` or `tpm` in whatever place, so that its calls and tokens of each minute are counted for ten.
    pub is_limited: bool,
    /// Whether it is the only one of its group.
    pub alone: bool,
    /// `model_info.blocked`: it is called by nobody [T 263].
    pub is_blocked: bool,
    /// Whether its name is a pattern: such deployments never rest
    /// (`provider_default_deployment_ids`; from source only).
    pub is_wildcard: bool,
    /// No provider's name stands in front of its model.
    pub is_bare: bool,
    /// Its model is `*`: that of a request is the name that is asked for.
    pub is_filled_whole: bool,
    /// `weight`, `rpm` and `tpm` as simple-shuffle weighs them.
    pub weights: [Option<f64>; 3],
    /// Its group, as it is written.
    pub group: NameId,
    /// Requests a minute, as strategies and enforced limits read them: beside `litellm_params` first, in
    /// `model_info` last [T 231, 234].
    pub rpm: Option<u64>,
    /// Tokens a minute, likewise.
    pub tpm: Option<u64>,
    /// Whether those are written below zero; they stand as 0 then.
    pub below_zero: [bool; 2],
    /// Requests a minute as `enable_pre_call_checks` reads them: in `litellm_params` first, like weights and slots.
    pub checked_rpm: Option<u64>,
    /// Rank within the group; the lowest healthy one goes first.
    pub order: Option<i32>,
    /// `litellm_params.num_retries`.
    pub num_retries: Option<u32>,
    /// `model_info.cooldown_time`, else `litellm_params.cooldown_time`.
    pub cooldown: Option<SimDuration>,
    /// Whether that is `model_info.cooldown_time`, which goes before that of a request.
    pub cooldown_in_info: bool,
    /// `model_info.allowed_fails`.
    pub allowed_fails: Option<i64>,
    /// `model_info.allowed_fails_policy`.
    pub fails_policy: Option<FailsPolicy>,
    /// Longest silence of a call without stream, and of a stream, where the request says nothing.
    pub silence: [SimDuration; 2],
    /// How long a `mock_timeout` takes, likewise.
    pub mock_pauses: [SimDuration; 2],
    /// `stream_timeout`, by which a stream goes before the request's own `timeout`.
    pub stream_timeout: Option<SimDuration>,
    /// Calls at the same time; more wait in line. With 0 every call fails before it is made.
    pub parallel: Option<u32>,
    /// With what its provider is called.
    pub client: Client,
    /// `litellm_params.max_tokens`, where the request says nothing.
    pub max_tokens: Option<Tokens>,
    /// Context window, for `enable_pre_call_checks`.
    pub max_input_tokens: Option<u64>,
    /// Its model takes no `response_format`, for the same.
    pub lacks_format: bool,
    /// `region_name`, interned, for the same.
    pub region: Option<u32>,
    /// LiteLLM does not find its model, for `base_model` is another provider's: its successes are not counted, and so
    /// it rests sooner (`router.py:deployment_callback_on_success`) [T 213].
    pub is_unmapped: bool,
    /// An answer that is made up in place of its own.
    pub mock: Mock,
    /// Number of models in `litellm_params.fallbacks`, which the SDK tries inside each attempt [T 106].
    pub inner_fallbacks: u32,
    /// `litellm_params.cache: true` while responses are cached: every call fails before it is made [T 107].
    pub breaks_on_cache: bool,
    /// Which bodies it refuses because its provider does not take their parameters: a row of
    /// [`Plan::refusals`] [T 214].
    pub refusals: u32,
    /// Its own parameters, by which its answers are kept apart from others in the response cache [T 219].
    pub cache_class: u32,
    /// What an answer costs in LiteLLM's own books; `None` where its price is not known, so that it costs nothing.
    pub price: Option<Price>,
    /// What stands in its place where more is known of usage and time than input and output: cached and reasoning
    /// tokens, long prompts, hours and dated prices.
    pub rates: Option<Arc<RateSchedule>>,
    /// By what budgets are reserved for its answers.
    pub reserved: Reserved,
    /// Budget of the deployment.
    pub budget: Option<Budget>,
    /// Index into the budgets of providers.
    pub provider_budget: Option<u32>,
    /// Tags, interned.
    pub tags: Box<[u32]>,
}

/// A timeout that a `mock_timeout` waits for: Python does not take a whole number for a decimal one. A decimal one
/// without fraction (`2.0`) is taken for a whole one here.
pub fn unless_whole(timeout: SimDuration) -> SimDuration {
    if timeout.as_secs_f64().fract() == 0.0 { SimDuration::ZERO } else { timeout }
}

impl Deployment {
    /// Whether its calls are as patient as where no timeout is written.
    pub fn waits_by_default(&self) -> bool {
        self.silence[0] == defaults::TIMEOUT
    }
}

/// A budget with a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// How many dollars may be spent.
    pub limit: f64,
    /// In how long.
    pub period: SimDuration,
}

/// What a name leads to.
#[derive(Debug, Clone, Default)]
pub struct Name {
    /// The name itself.
    pub text: Box<str>,
    /// The proxy knows it; otherwise it answers 400 before any routing [T 29].
    pub is_known: bool,
    /// Which deployments it stands for, without those that are blocked.
    pub found: Found,
    /// How many of them are blocked.
    pub blocked: usize,
    /// All that are listed under it are blocked: the proxy answers 403 before any routing [T 263].
    pub is_blocked: bool,
    /// The name that an alias stands for, or the default fallback of a name that leads nowhere; itself otherwise.
    pub resolved: NameId,
    /// The group of this name, where it leads to a deployment with that id instead: budgets are reserved for the group.
    pub shadowed: Box<[DeploymentId]>,
    /// The orders of its deployments, ascending, each once: the lowest that is left is called.
    pub orders: Box<[i32]>,
    /// The deployments that are listed under it: those of a group or alias with this name, else of a pattern
    /// that matches. They are failed over to, even where the name is the id of another deployment, which is
    /// called again then [T 222].
    pub listed: Box<[DeploymentId]>,
    /// The orders of those, ascending, each once: the higher ones are fallen back to.
    pub listed_orders: Box<[i32]>,
    /// The one of `routing_groups` that it is in, or that it calls.
    pub routing_group: Option<u16>,
    /// It calls one of them, with several deployments: one that is alone in its own group is not alone there.
    pub has_alternatives: bool,
    /// The deployments whose model has this very name.
    pub by_model: Box<[DeploymentId]>,
    /// Nothing but such deployments has this name.
    pub only_by_model: bool,
    /// No provider's name stands in front of it.
    pub is_bare: bool,
    /// Whether streams that are asked for under it are asked for their usage.
    pub asks_usage: bool,
    /// Where its fallback list is, if it has one.
    pub fallbacks: Option<ListId>,
    /// The same for prompts that are too long.
    pub context_fallbacks: Option<ListId>,
    /// The same for refused content.
    pub policy_fallbacks: Option<ListId>,
    /// The highest prices and longest answer of its deployments, for reserving budgets.
    pub greatest: Option<Greatest>,
    /// It is in no group and only reaches a default fallback, or a hidden alias: budgets go by what is listed under the
    /// name itself.
    pub is_unlisted: bool,
    /// The deployments in which it fills a model in, because it has been found by a pattern, in the order of their
    /// numbers.
    pub filled: Box<[Filled]>,
    /// `model_group_retry_policy`.
    pub retry_policy: Option<RetryPolicy>,
}

/// Which deployments a name stands for.
#[derive(Debug, Clone, Default)]
pub enum Found {
    /// Nothing.
    #[default]
    Nothing,
    /// A group, an alias of one, or a pattern that matches.
    Group(Box<[DeploymentId]>),
    /// The id of one deployment: no filter is asked.
    One(DeploymentId),
}

/// One entry of a fallback list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A group by name.
    Name(NameId),
    /// The same, written as a map: only the limits of keys take it for something else [T 280].
    Map(NameId),
    /// The same group at a higher order.
    Order(NameId, i32),
    /// The same group without the deployments that have failed.
    Others(NameId, u32),
    /// A group with parameters of its own, by number.
    Custom(NameId, u32),
}

impl Target {
    /// The group that is tried.
    pub const fn name(self) -> NameId {
        match self {
            Self::Name(name) | Self::Map(name) => name,
            Self::Order(name, _) | Self::Others(name, _) | Self::Custom(name, _) => name,
        }
    }

    /// What is tried, however it is written.
    pub const fn plain(self) -> Self {
        if let Self::Map(name) = self { Self::Name(name) } else { self }
    }
}

/// What strategies compare a deployment by: all of a group at each pick, so that its row is short.
#[derive(Debug, Clone, Copy)]
pub struct Compared {
    /// `tpm` and `rpm` as the usage-based strategies read them.
    pub by_usage: Room,
    /// The same as the latency and cost strategies read them: 0 is no limit, and nothing fits below.
    pub by_latency_or_cost: Room,
    /// Input and output price in dollars for one token.
    pub price: f64,
}

/// Tokens and requests that a deployment takes in a minute; the largest number is no limit.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Tokens.
    pub tokens: u64,
    /// Requests.
    pub requests: u64,
}

impl Room {
    fn new(tpm: Option<u64>, rpm: Option<u64>) -> Self {
        Self { tokens: tpm.unwrap_or(u64::MAX), requests: rpm.unwrap_or(u64::MAX) }
    }

    /// Whether nothing limits it.
    #[inline]
    pub const fn is_endless(&self) -> bool {
        self.tokens == u64::MAX && self.requests == u64::MAX
    }
}

impl Compared {
    /// A deployment with this price.
    pub fn new(Deployment { rpm, tpm, below_zero, .. }: &Deployment, price: f64) -> Self {
        let unless_zero = |limit: Option<u64>, below: bool| limit.filter(|limit| *limit > 0 || below);
        let [rpm_below, tpm_below] = *below_zero;
        Self {
            by_usage: Room::new(*tpm, *rpm),
            by_latency_or_cost: Room::new(unless_zero(*tpm, tpm_below), unless_zero(*rpm, rpm_below)),
            price,
        }
    }
}

impl Name {
    /// What it fills in at a deployment that is a pattern.
    #[inline]
    pub fn filled(&self, id: DeploymentId) -> Option<&Filled> {
        let at = self.filled.binary_search_by_key(&id, |filled| filled.deployment);
        at.ok().map(|at| &self.filled[at])
    }
}

impl Plan {
    /// Whether a stream is asked for its usage: as the body says, unless the proxy asks on its own. What a body
    /// refuses is asked for all the same where `always_include_stream_usage` is not written
    /// (`common_request_processing.py`) [T 205, 228].
    pub fn asks_usage(&self, name: NameId, body: BodyId) -> bool {
        match self.bodies[body.index()].usage {
            Some(true) => true,
            Some(false) if self.proxy.clients_choose_usage => false,
            _ => self.name(name).asks_usage,
        }
    }

    /// The number of a name.
    pub fn name_id(&self, text: &str) -> Option<NameId> {
        self.ids.get(text).copied()
    }

    /// The deployment with this id.
    #[inline]
    pub fn deployment(&self, id: DeploymentId) -> &Deployment {
        &self.deployments[id.index()]
    }

    /// What strategies compare it by.
    #[inline]
    pub fn compared(&self, id: DeploymentId) -> &Compared {
        &self.compared[id.index()]
    }

    /// The longest prompt that pre-call checks let a name send to a deployment.
    pub fn window(&self, name: NameId, id: DeploymentId) -> Option<u64> {
        self.filled(name, id).map_or(self.deployment(id).max_input_tokens, |filled| filled.max_input_tokens)
    }

    /// What an answer that a deployment gives under a name costs in LiteLLM's own books, in dollars.
    #[inline]
    pub fn cost(&self, now: SimTime, (name, id): (NameId, DeploymentId), usage: &Usage) -> f64 {
        let entry = self.deployment(id);
        let (price, rates) =
            self.filled(name, id).map_or((&entry.price, &entry.rates), |filled| (&filled.price, &filled.rates));
        match rates {
            Some(rates) => rates.at(now).dollars(usage),
            None => price.map_or(0.0, |price| price.cost(usage)),
        }
    }

    /// The first name that fills in the same model of a deployment as this one.
    #[inline]
    pub fn first_to_fill(&self, name: NameId, id: DeploymentId) -> Option<NameId> {
        self.filled(name, id).map(|filled| filled.first)
    }

    /// Whether a deployment that is called under a name has a model without its provider's name in front.
    pub fn is_bare(&self, name: NameId, id: DeploymentId) -> bool {
        let entry = self.deployment(id);
        if entry.is_filled_whole { self.name(name).is_bare } else { entry.is_bare }
    }

    /// The row of [`Plan::refusals`] of a deployment that is called under a name.
    #[inline]
    pub fn refusals(&self, name: NameId, id: DeploymentId) -> u32 {
        self.filled(name, id).map_or(self.deployment(id).refusals, |filled| filled.refusals)
    }

    /// Whether a request with this body is refused before the call, for the provider does not take a parameter.
    #[inline]
    pub fn refuses(&self, name: NameId, id: DeploymentId, body: BodyId) -> bool {
        self.is_in_row(self.refusals(name, id), body)
    }

    /// The same of a row of [`Plan::refusals`].
    pub fn is_in_row(&self, row: u32, body: BodyId) -> bool {
        let row = self.refusals.get(row as usize);
        row.and_then(|row| row.get(body.index())).is_some_and(|refuses| *refuses)
    }

    /// Whether LiteLLM cannot tell the provider of the model that a name fills in at a deployment.
    #[inline]
    pub fn is_unplaced(&self, name: NameId, id: DeploymentId) -> bool {
        self.filled(name, id).is_some_and(|filled| filled.is_unplaced)
    }

    #[inline]
    fn filled(&self, name: NameId, id: DeploymentId) -> Option<&Filled> {
        self.name(name).filled(id)
    }

    /// How a deployment is picked for a name.
    pub fn strategy_of(&self, name: NameId) -> Strategy {
        let group = self.name(name).routing_group;
        group.map_or(self.router.strategy, |group| self.router.group_strategies[usize::from(group)])
    }

    /// What a name leads to.
    #[inline]
    pub fn name(&self, id: NameId) -> &Name {
        &self.names[id.index()]
    }

    /// The targets of a list.
    pub fn list(&self, id: ListId) -> &[Target] {
        &self.lists[id.0 as usize]
    }
}

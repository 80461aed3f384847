//! What the router's cache still holds (`caching/in_memory_cache.py`). Nearly everything that a router counts is in
//! one cache in memory with room for 200 entries: picks, successes and failures of the last minute, calls and tokens
//! of each calendar minute (for ten minutes, where a deployment has `rpm` or `tpm`), semaphores, what strategies
//! remember, pins and budgets. A full cache forgets what ends soonest [T 310].
//!
//! Most configurations never come near that, and nothing of this is kept for them ([`most_entries`]).

use crate::gateway::litellm::affinity::Pin;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::plan::{Plan, Redis, Strategy};
use crate::gateway::litellm::state::{FailCounter, State};
use crate::units::{DeploymentId, NameId, SimDuration, SimTime};

/// Room in the router's cache, the default of `InMemoryCache`.
pub(super) const ROOM: usize = defaults::CACHE_ITEMS;

/// Minutes of which calls and tokens may be there at the same time, where they live for ten.
const LONG_MINUTES: usize = 11;
/// The same where they live for one.
const SHORT_MINUTES: usize = 2;
/// Counters of allowed failures of a deployment with a policy, one a class.
const FAILS_OF_CLASSES: usize = 8;

/// An entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kept {
    /// Picks of the last minute.
    Picks(DeploymentId),
    /// Successes of the last minute.
    Successes(DeploymentId),
    /// Failures of the last minute.
    Fails(DeploymentId),
    /// Calls and tokens of a calendar minute, which only administrators read.
    Calls(DeploymentId, Option<NameId>, i64),
    Tokens(DeploymentId, Option<NameId>, i64),
    /// The semaphore for parallel calls.
    Slots(DeploymentId),
    /// Allowed failures.
    Allowed(DeploymentId, FailCounter),
    /// Calls in flight, for least-busy.
    InFlight(NameId, DeploymentId),
    /// Latencies, or what cost-based routing counts, of a group.
    Map(NameId),
    /// Requests and tokens of a calendar minute, for usage-based-routing v1.
    GroupRequests(NameId, i64),
    GroupTokens(NameId, i64),
    /// The same for usage-based-routing v2 and enforced limits.
    MinuteRequests(DeploymentId, Option<NameId>, i64),
    MinuteTokens(DeploymentId, Option<NameId>, i64),
    /// Tokens of streams, under no model's name, and of cached answers, under one without provider.
    Unnamed(DeploymentId, i64),
    Bare(DeploymentId, i64),
    /// Where a key or a session stays.
    Pin(Pin),
    /// Budgets: when the period began, and what has been spent in it.
    Began(Purse),
    Spent(Purse),
}

/// Whose budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Purse {
    Provider(u32),
    Deployment(DeploymentId),
}

impl Kept {
    /// Its name in the cache, as far as names that may end at the same instant differ in it.
    fn name(self, plan: &Plan) -> Box<str> {
        let id = |id: DeploymentId| &*plan.deployment(id).id;
        let group = |name: NameId| &*plan.name(name).text;
        let model = |id: DeploymentId, name: Option<NameId>| match name {
            Some(name) => group(name),
            None => &*plan.deployment(id).model,
        };
        match self {
            Self::Picks(of) => id(of).into(),
            Self::Successes(of) => format!("{}:successes", id(of)),
            Self::Fails(of) => format!("{}:fails", id(of)),
            Self::Calls(of, name, _) => format!("global_router:{}:{}:rpm", id(of), model(of, name)),
            Self::Tokens(of, name, _) => format!("global_router:{}:{}:tpm", id(of), model(of, name)),
            Self::Slots(of) => format!("{}_max_parallel_requests_client", id(of)),
            Self::Allowed(of, which) => format!("deployment:{}:allowed_fails:{which:?}", id(of)),
            Self::InFlight(name, of) => format!("{}_request_count:{}", group(name), id(of)),
            Self::Map(name) => format!("{}_map", group(name)),
            Self::GroupRequests(name, _) => format!("{}:rpm", group(name)),
            Self::GroupTokens(name, _) => format!("{}:tpm", group(name)),
            Self::MinuteRequests(of, name, _) => format!("{}:{}:rpm", id(of), model(of, name)),
            Self::MinuteTokens(of, name, _) => format!("{}:{}:tpm", id(of), model(of, name)),
            Self::Unnamed(of, _) => format!("{}:None:tpm", id(of)),
            Self::Bare(of, _) => {
                let model = &*plan.deployment(of).model;
                format!("{}:{}:tpm", id(of), model.split_once('/').map_or(model, |(_, bare)| bare))
            }
            Self::Pin((name, key, Some(session))) => {
                format!("deployment_affinity:v1:session:{}:{}:{session}", group(name), key.0)
            }
            Self::Pin((name, key, None)) => format!("deployment_affinity:v1:{}:{}", group(name), key.0),
            Self::Began(Purse::Provider(at)) => format!("provider_budget_start_time:{at}"),
            Self::Began(Purse::Deployment(of)) => format!("deployment_budget_start_time:{}", id(of)),
            Self::Spent(Purse::Provider(at)) => format!("provider_spend:{at}"),
            Self::Spent(Purse::Deployment(of)) => format!("deployment_spend:{}", id(of)),
        }
        .into()
    }
}

/// How many entries a configuration can have at the same time, at most.
pub(super) fn most_entries(plan: &Plan) -> usize {
    let router = &plan.router;
    if router.affinity.is_some() {
        return usize::MAX;
    }
    let has =
        |strategy: fn(&Strategy) -> bool| strategy(&router.strategy) || router.group_strategies.iter().any(strategy);
    let in_flight = if has(|strategy| *strategy == Strategy::LeastBusy) { plan.names.len() } else { 0 };
    let of_each = plan.deployments.iter().map(|entry| {
        let models = if entry.is_wildcard { plan.names.len() } else { 1 };
        let minutes = if entry.is_limited { 2 * LONG_MINUTES } else { SHORT_MINUTES };
        let enforced = if router.counts_minutes { 4 * SHORT_MINUTES } else { 0 };
        let classes = if entry.fails_policy.is_some() { FAILS_OF_CLASSES } else { 0 };
        let fails = usize::from(router.cooldown.counts_failures) + usize::from(entry.allowed_fails.is_some()) + classes;
        let budgets = if entry.budget.is_some() { 2 } else { 0 };
        let fixed = 3 + usize::from(entry.parallel.is_some()) + fails + budgets + in_flight;
        fixed + models * (minutes + enforced)
    });
    let maps =
        if has(|strategy| matches!(strategy, Strategy::Latency(_) | Strategy::Cost)) { plan.names.len() } else { 0 };
    let counts = if has(|strategy| *strategy == Strategy::UsageV1) { 2 * SHORT_MINUTES * plan.names.len() } else { 0 };
    of_each.sum::<usize>() + maps + counts + 2 * router.provider_budgets.len()
}

/// Whether anything may be forgotten for want of room. What Redis has is read from there again (from source only).
pub(super) fn may_overflow(plan: &Plan) -> bool {
    plan.redis == Redis::None && most_entries(plan) > ROOM
}

impl State {
    /// Something is written to the router's cache.
    #[inline]
    pub fn write(&mut self, plan: &Plan, now: SimTime, kept: Kept, life: SimDuration) {
        if self.kept.is_some() {
            self.write_to_full(plan, now, kept, life);
        }
    }

    #[cold]
    fn write_to_full(&mut self, plan: &Plan, now: SimTime, kept: Kept, life: SimDuration) {
        let Some(mut entries) = self.kept.take() else { return };
        entries.write(
            now,
            kept,
            life,
            |kept| kept.name(plan),
            |gone| match gone == kept {
                // It had been read before, and is written as it was.
                true => self.begin_anew(kept, now + life),
                false => self.forget(gone),
            },
        );
        self.kept = Some(entries);
    }

    /// The same where what is there is removed before, so that its life begins anew.
    pub fn write_anew(&mut self, plan: &Plan, now: SimTime, kept: Kept, life: SimDuration) {
        if let Some(entries) = &mut self.kept {
            entries.remove(kept);
            self.write_to_full(plan, now, kept, life);
        }
    }

    /// An entry has been dropped while it was written: its value is kept, its life begins anew.
    fn begin_anew(&mut self, kept: Kept, until: SimTime) {
        match kept {
            Kept::Picks(of) => self.picks[of.index()].renew(until),
            Kept::Successes(of) => self.outcomes[of.index()].successes.renew(until),
            Kept::Fails(of) => self.outcomes[of.index()].fails.renew(until),
            Kept::Allowed(of, which) => self.fail_counter(of, which).renew(until),
            Kept::InFlight(..) | Kept::Map(_) => self.strategy.begin_anew(kept, until),
            Kept::Spent(purse) => self.budgets.renew(purse, until),
            _ => {}
        }
    }

    /// An entry has been dropped before its end.
    fn forget(&mut self, kept: Kept) {
        match kept {
            Kept::Picks(of) => self.picks[of.index()] = Default::default(),
            Kept::Successes(of) => self.outcomes[of.index()].successes.forget(),
            Kept::Fails(of) => self.outcomes[of.index()].fails = Default::default(),
            Kept::Allowed(of, which) => *self.fail_counter(of, which) = Default::default(),
            Kept::Slots(of) => self.slots[of.index()].iter_mut().for_each(|slots| slots.forget()),
            Kept::MinuteRequests(of, name, minute) => self.minute_named(of, name).forget_requests(minute),
            Kept::MinuteTokens(of, name, minute) => self.minute_named(of, name).forget_tokens(minute),
            Kept::Pin(pin) => self.pins.forget(&pin),
            Kept::Began(purse) => self.budgets.forget_beginning(purse),
            Kept::Spent(purse) => self.budgets.forget(purse),
            Kept::InFlight(..) | Kept::Map(_) | Kept::GroupRequests(..) | Kept::GroupTokens(..) => {
                self.strategy.forget(kept);
            }
            Kept::Calls(..) | Kept::Tokens(..) | Kept::Unnamed(..) | Kept::Bare(..) => {}
        }
    }
}

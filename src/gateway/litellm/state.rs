//! What the gateway remembers between requests: small dense tables, one row a deployment.

use crate::gateway::litellm::affinity::Pins;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::failure::Class;
use crate::gateway::litellm::kept::{Kept, Purse, ROOM};
use crate::gateway::litellm::minute_lives::{MinuteLives, Whose};
use crate::gateway::litellm::plan::Plan;
use crate::gateway::litellm::router::{Budgets, KeyUse, Late, Responses, Shortcut};
use crate::gateway::litellm::shared::{Place, Shared};
use crate::gateway::litellm::strategy::StrategyState;
use crate::gateway::parts::{AheadCounter, Bounded, Cooldowns, ExpiringCounter, MinuteCounter, Slots};
use crate::units::{DeploymentId, NameId, SimTime};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// The counters of one deployment's failures; nearly always there is one at most.
pub type FailCounters = SmallVec<[(FailCounter, ExpiringCounter<i64>); 1]>;

/// The gateway's memory.
pub(super) struct State {
    pub cooldowns: Cooldowns,
    /// Failures and successes of the last minute, per deployment.
    pub outcomes: Vec<Outcomes>,
    /// Counters of allowed failures, per deployment and kind.
    pub fail_counters: Vec<FailCounters>,
    /// Slots for parallel calls, where there is a limit.
    pub slots: Vec<Option<Slots>>,
    /// Picks in a window, for `enable_pre_call_checks`.
    pub picks: Vec<ExpiringCounter>,
    /// Requests and tokens of the calendar minute, for the usage-based strategy and enforced limits.
    pub minutes: Vec<MinuteCounter>,
    /// The same of deployments that are patterns, for each model that is filled in, by the first name that does.
    pub filled: BTreeMap<(DeploymentId, NameId), MinuteCounter>,
    /// When those are forgotten before their minute is over, if they are.
    pub lives: Option<Box<MinuteLives>>,
    pub strategy: StrategyState,
    /// Where keys and sessions stay.
    pub pins: Pins,
    pub budgets: Budgets,
    pub keys: KeyUse,
    pub responses: Responses,
    /// Successes that are logged when the next in line has gone on.
    pub late: Vec<Late>,
    /// What this process shares with others; none where it is the only one.
    pub shared: Option<Box<Shared>>,
    pub place: Place,
    /// The commonest pick of each name.
    pub shortcuts: Vec<Shortcut>,
    /// The deployments that a hop may choose from, while it chooses.
    pub candidates: Vec<DeploymentId>,
    /// What the router's cache still holds, where it may not have room for everything.
    pub kept: Option<Box<Bounded<Kept>>>,
}

/// How a deployment has done.
#[derive(Debug, Clone)]
pub(super) struct Outcomes {
    pub fails: ExpiringCounter,
    pub successes: AheadCounter,
}

impl Default for Outcomes {
    fn default() -> Self {
        Self { fails: ExpiringCounter::default(), successes: AheadCounter::new(defaults::OUTCOME_WINDOW) }
    }
}

/// Which counter of allowed failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum FailCounter {
    /// The deployment's only one.
    Shared,
    /// That of `model_info.allowed_fails`.
    Generic,
    /// That of one class of failures.
    Class(Class),
}

impl State {
    /// The memory of a gateway that has just started.
    pub fn new(plan: &Plan) -> Self {
        let count = plan.deployments.len();
        let slots = plan
            .deployments
            .iter()
            .map(|deployment| deployment.parallel.map(|size| Slots::new(size, defaults::SEMAPHORE_LIFE)))
            .collect();
        let mut state = Self {
            cooldowns: Cooldowns::new(count),
            outcomes: vec![Outcomes::default(); count],
            fail_counters: vec![SmallVec::new(); count],
            slots,
            picks: vec![ExpiringCounter::default(); count],
            minutes: vec![MinuteCounter::default(); count],
            filled: BTreeMap::new(),
            lives: MinuteLives::new(plan.router.minute_lives[1]),
            strategy: StrategyState::new(plan),
            pins: Pins::default(),
            budgets: Budgets::new(plan),
            keys: KeyUse::new(plan),
            responses: Responses::new(plan.proxy.cache.as_ref()),
            late: Vec::new(),
            shared: None,
            place: Place::default(),
            shortcuts: Shortcut::all(plan),
            candidates: Vec::with_capacity(count),
            kept: plan.router.forgets.then(|| Box::new(Bounded::new(ROOM))),
        };
        for (at, budget) in plan.router.provider_budgets.iter().enumerate() {
            let purse = Purse::Provider(at as u32);
            state.write(plan, SimTime::ZERO, Kept::Began(purse), budget.period);
            state.write(plan, SimTime::ZERO, Kept::Spent(purse), budget.period);
        }
        state
    }

    /// Under which name the calendar minutes of a deployment are counted that is a pattern: there is a counter for each
    /// model that is filled in [T 105f, 210].
    #[inline]
    pub fn counted_as(&self, plan: &Plan, deployment: DeploymentId, name: NameId) -> Option<NameId> {
        plan.first_to_fill(name, deployment).filter(|_| self.shared.is_none())
    }

    /// The counter of calendar minutes under a name that [`counted_as`](Self::counted_as) has found.
    pub fn minute_named(&mut self, deployment: DeploymentId, name: Option<NameId>) -> &mut MinuteCounter {
        match name {
            Some(first) => self.filled.entry((deployment, first)).or_default(),
            None => &mut self.minutes[deployment.index()],
        }
    }

    /// The counter of a deployment's calendar minutes.
    pub fn minute(&mut self, plan: &Plan, deployment: DeploymentId, name: NameId) -> &mut MinuteCounter {
        let name = self.counted_as(plan, deployment, name);
        self.minute_named(deployment, name)
    }

    /// The same to look at.
    #[inline]
    pub fn minute_of(&self, plan: &Plan, deployment: DeploymentId, name: NameId) -> &MinuteCounter {
        match self.counted_as(plan, deployment, name) {
            Some(first) => self.filled.get(&(deployment, first)).unwrap_or(&MinuteCounter::EMPTY),
            None => &self.minutes[deployment.index()],
        }
    }

    /// Forgets the counts of a minute that have lived long enough.
    #[inline]
    pub fn forget_minutes(&mut self, now: SimTime) {
        let Some(lives) = &mut self.lives else { return };
        for over in lives.over(now) {
            if let Some(counter) = self.counter_of(over.0) {
                over.forget(counter);
            }
        }
    }

    fn counter_of(&mut self, (deployment, first): Whose) -> Option<&mut MinuteCounter> {
        match first {
            Some(first) => self.filled.get_mut(&(deployment, first)),
            None => self.minutes.get_mut(deployment.index()),
        }
    }

    /// A counter of allowed failures.
    pub fn fail_counter(&mut self, deployment: DeploymentId, which: FailCounter) -> &mut ExpiringCounter<i64> {
        let counters = &mut self.fail_counters[deployment.index()];
        let at = counters.iter().position(|(kind, _)| *kind == which).unwrap_or_else(|| {
            counters.push((which, ExpiringCounter::default()));
            counters.len() - 1
        });
        &mut counters[at].1
    }
}

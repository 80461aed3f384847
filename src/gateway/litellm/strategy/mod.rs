//! How one deployment is chosen among those that may be called: one file a routing strategy.

mod cost;
mod latency;
mod least_busy;
mod rows;
pub(super) mod simple_shuffle;
#[cfg(test)]
mod twins;
mod usage_v1;
mod usage_v2;

use crate::gateway::Notes;
use crate::gateway::litellm::call::CallState;
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::kept::Kept;
use crate::gateway::litellm::plan::{Name, Plan, Strategy};
use crate::gateway::litellm::router::{Cx, LiteLlm};
use crate::random::Draws;
use crate::units::{DeploymentId, NameId, SimDuration, SimTime, Usage, WhyNot};

use cost::Spending;
use latency::Latencies;
use least_busy::InFlight;
use usage_v1::{MinuteUse, Moment};

/// A life that is over.
const LONG_AGO: SimTime = SimTime(i64::MIN);

/// Deployments that are all at their limits, as the strategy counts them.
const FULL: Failure = Failure::NO_DEPLOYMENT.because(WhyNot::DeploymentLimit);

/// The same as usage-based-routing-v2 says it on the router's synchronous path: an error that has no status, and is
/// tried again after a pause.
const FULL_SYNC: Failure = Failure::without_status(Class::Refused, 429).because(WhyNot::DeploymentLimit);

/// What a strategy remembers.
pub(super) enum StrategyState {
    /// Nothing, and it picks nothing.
    Nothing,
    /// Nothing.
    Stateless,
    /// Nothing: the counters of the minute are the router's.
    UsageV2,
    /// Calls in flight.
    LeastBusy(InFlight),
    /// Latencies.
    Latency(Latencies),
    /// Requests and tokens of the minute.
    Cost(Spending),
    /// Requests and tokens of the minute.
    UsageV1(MinuteUse),
    /// What each of `routing_groups` remembers.
    ByGroup(ByGroup),
}

/// A strategy for all names, and one for each of `routing_groups`. What strategies remember goes by the names of groups
/// in any case, so that only that of a name needs to hear of it [T 276].
pub(super) struct ByGroup {
    /// Which of them is a name's.
    of_names: Vec<usize>,
    /// The first is the router's.
    states: Vec<StrategyState>,
}

impl ByGroup {
    fn of(&mut self, name: NameId) -> &mut StrategyState {
        &mut self.states[self.of_names[name.index()]]
    }
}

/// What strategies learn from a success.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub deployment: DeploymentId,
    /// The group that it was called as.
    pub name: NameId,
    /// Seconds that it took, as the logging object counts them.
    pub elapsed: SimDuration,
    /// The same until the first token of a stream.
    pub first_token: Option<SimDuration>,
    pub usage: Usage,
}

impl StrategyState {
    /// Nothing has been called yet.
    pub fn new(plan: &Plan) -> Self {
        let (router, names) = (&plan.router, plan.names.len());
        let life = router.minute_lives[0];
        let of = |strategy: Strategy| Self::of_strategy(strategy, life, names, plan.deployments.len());
        if router.group_strategies.is_empty() {
            return of(router.strategy);
        }
        let of_name = |name: &Name| name.routing_group.map_or(0, |group| usize::from(group) + 1);
        let all = [router.strategy].into_iter().chain(router.group_strategies.iter().copied());
        Self::ByGroup(ByGroup { of_names: plan.names.iter().map(of_name).collect(), states: all.map(of).collect() })
    }

    fn of_strategy(strategy: Strategy, life: SimDuration, names: usize, deployments: usize) -> Self {
        match strategy {
            Strategy::SimpleShuffle => Self::Stateless,
            Strategy::UsageV2 => Self::UsageV2,
            Strategy::Nothing => Self::Nothing,
            Strategy::LeastBusy => Self::LeastBusy(InFlight::new(names, deployments)),
            Strategy::Latency(args) => Self::Latency(Latencies::new(args, names, deployments)),
            Strategy::Cost => Self::Cost(Spending::new(names, deployments)),
            Strategy::UsageV1 => Self::UsageV1(MinuteUse::new(life, names, deployments)),
        }
    }

    /// That of a name.
    fn of(&mut self, name: NameId) -> &mut Self {
        if let Self::ByGroup(groups) = self { groups.of(name) } else { self }
    }

    /// Requests of the minute that usage-based-routing knows of; none with other strategies.
    pub fn requests(&mut self, plan: &Plan, now: SimTime, name: NameId, deployment: DeploymentId) -> u64 {
        match self.of(name) {
            Self::UsageV1(state) => {
                let at = Moment { now, minute: plan.router.minutes.of(now) };
                state.look_up(at, plan.name(name).resolved, deployment)
            }
            _ => 0,
        }
    }

    /// A call goes out.
    #[inline]
    pub fn called(&mut self, now: SimTime, deployment: DeploymentId, name: NameId) {
        match self {
            Self::LeastBusy(state) => state.called(now, deployment, name),
            Self::ByGroup(groups) => groups.of(name).called(now, deployment, name),
            _ => {}
        }
    }

    /// A failure has been logged.
    pub fn failed(&mut self, now: SimTime, deployment: DeploymentId, name: NameId, failure: &Failure) {
        match self {
            Self::LeastBusy(state) => state.returned(now, deployment, name),
            Self::Latency(state) if failure.class == Class::Timeout => state.timed_out(now, deployment, name),
            Self::ByGroup(groups) => groups.of(name).failed(now, deployment, name, failure),
            _ => {}
        }
    }

    /// How long what it writes of a group as one map lives, if it does.
    pub fn life_of_map(&mut self, name: NameId) -> Option<SimDuration> {
        match self.of(name) {
            Self::Cost(_) => Some(cost::LIFE),
            _ => self.life_of_latencies(name),
        }
    }

    /// How long its latencies of a group live, if it has any.
    pub fn life_of_latencies(&mut self, name: NameId) -> Option<SimDuration> {
        if let Self::Latency(state) = self.of(name) { Some(state.life()) } else { None }
    }

    /// Whether it counts minutes of a group.
    pub fn counts_minutes_of(&mut self, name: NameId) -> bool {
        matches!(self.of(name), Self::UsageV1(_))
    }

    /// How many calls are in flight, if it counts them.
    pub fn in_flight(&mut self, now: SimTime, deployment: DeploymentId, name: NameId) -> Option<i64> {
        if let Self::LeastBusy(state) = self.of(name) { Some(state.count(deployment, name).get(now)) } else { None }
    }

    /// The router's cache has dropped an entry.
    pub fn forget(&mut self, kept: Kept) {
        match kept {
            Kept::GroupTokens(name, minute) | Kept::GroupRequests(name, minute) => {
                if let Self::UsageV1(state) = self.of(name) {
                    state.forget(name, minute, matches!(kept, Kept::GroupTokens(..)));
                }
            }
            _ => self.begin_anew(kept, LONG_AGO),
        }
    }

    /// The router's cache keeps an entry until then.
    pub fn begin_anew(&mut self, kept: Kept, until: SimTime) {
        let (Kept::Map(name) | Kept::InFlight(name, _)) = kept else { return };
        match (self.of(name), kept) {
            (Self::Latency(state), _) => state.keep_until(name, until),
            (Self::Cost(state), _) => state.keep_until(name, until),
            (Self::LeastBusy(state), Kept::InFlight(_, deployment)) => state.count(deployment, name).renew(until),
            _ => {}
        }
    }

    /// Whether successes matter to it.
    pub const fn learns(&self) -> bool {
        !matches!(self, Self::Stateless | Self::UsageV2 | Self::Nothing)
    }

    /// A success has been logged.
    pub fn succeeded(&mut self, plan: &Plan, now: SimTime, sample: &Sample) {
        let minute = plan.router.minutes.of(now);
        match self {
            Self::Stateless | Self::UsageV2 | Self::Nothing => {}
            Self::ByGroup(groups) => groups.of(sample.name).succeeded(plan, now, sample),
            Self::LeastBusy(state) => state.returned(now, sample.deployment, sample.name),
            Self::Latency(state) => state.answered(now, minute, sample),
            Self::Cost(state) => state.answered(now, minute, sample),
            Self::UsageV1(state) => state.answered(Moment { now, minute }, sample),
        }
    }
}

impl LiteLlm {
    /// Picks one of the candidates.
    pub(super) fn pick<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        name: NameId,
    ) -> Result<DeploymentId, Failure> {
        let (plan, state) = (&self.plan, &mut self.state);
        let minute = plan.router.minutes.of(cx.now);
        // The synchronous path of the router knows what an alias stands for when it asks for the strategy [T 283].
        let is_sync = plan.router.strategy == Strategy::UsageV1;
        let name = if is_sync { plan.name(name).resolved } else { name };
        if plan.router.uses_v2 {
            state.forget_minutes(cx.now);
            state.learn_minutes(cx.now, minute, None);
        }
        let tokens = u64::from(cx.request.prompt_tokens);
        let candidates = state.candidates.as_slice();
        match state.strategy.of(name) {
            StrategyState::UsageV2 => {
                let mut candidates = std::mem::take(&mut state.candidates);
                let ask = usage_v2::Ask { plan, minute, tokens };
                // Names that fill a model in have counters of their own, which take a search.
                if plan.name(name).filled.is_empty() {
                    ask.keep_least_used(&mut candidates, |id| &state.minutes[id.index()]);
                } else {
                    ask.keep_least_used(&mut candidates, |id| state.minute_of(plan, id, name));
                }
                let picked = usage_v2::pick(&candidates, cx.draws, call);
                state.candidates = candidates;
                picked.map_err(|full| if is_sync { FULL_SYNC } else { full })
            }
            StrategyState::Nothing | StrategyState::ByGroup(_) => Err(Failure::NO_DEPLOYMENT),
            StrategyState::Stateless => Ok(simple_shuffle::pick(plan, candidates, cx.draws, call)),
            StrategyState::LeastBusy(in_flight) => {
                in_flight.least_busy(cx.now, name, candidates).ok_or(Failure::NO_DEPLOYMENT)
            }
            StrategyState::Latency(latencies) => {
                let ask = latency::Ask { name, minute, tokens, stream: cx.request.stream, candidates };
                latencies.pick(plan, cx.now, &ask, cx.draws, call).ok_or(FULL)
            }
            StrategyState::Cost(spending) => {
                spending.cheapest(plan, cx.now, minute, name, tokens, candidates).ok_or(FULL)
            }
            StrategyState::UsageV1(minute_use) => {
                let name = plan.name(name).resolved;
                let at = Moment { now: cx.now, minute };
                minute_use.least_used(plan, at, name, tokens, candidates).ok_or(FULL)
            }
        }
    }
}

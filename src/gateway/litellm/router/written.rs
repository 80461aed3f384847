//! What is written to the router's cache, where it may have no room for everything (`kept`), in LiteLLM's order.

use super::LiteLlm;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::kept::Kept;
use crate::units::{DeploymentId, NameId, SimDuration, SimTime};

impl LiteLlm {
    /// A failure counts as a call of the minute, for a minute only (`async_deployment_callback_on_failure`).
    pub(super) fn write_calls(&mut self, now: SimTime, deployment: DeploymentId, name: NameId, life: SimDuration) {
        if self.state.kept.is_some() {
            let name = self.state.counted_as(&self.plan, deployment, name);
            let calls = Kept::Calls(deployment, name, self.plan.router.minutes.of(now));
            self.state.write(&self.plan, now, calls, life);
        }
    }

    /// Slots are about to be taken: a semaphore that is not there is made.
    #[inline(always)]
    pub(super) fn write_slots(&mut self, now: SimTime, deployment: DeploymentId) {
        if self.state.kept.is_some()
            && self.state.slots[deployment.index()].as_ref().is_some_and(|slots| slots.is_forgotten(now))
        {
            self.state.write(&self.plan, now, Kept::Slots(deployment), defaults::SEMAPHORE_LIFE);
        }
    }

    /// A success is counted, and what comes with it.
    #[cold]
    pub(super) fn write_success(&mut self, now: SimTime, deployment: DeploymentId, name: NameId) {
        self.state.write(&self.plan, now, Kept::Successes(deployment), defaults::OUTCOME_WINDOW);
        self.state.outcomes[deployment.index()].successes.add(now);
        self.write_minute(now, deployment, name);
    }

    /// Tokens and calls of a deployment with `rpm` or `tpm`: they live as long as anything in the cache, for the
    /// increments are written without a life time (`DualCache.async_increment_cache_pipeline`).
    fn write_minute(&mut self, now: SimTime, deployment: DeploymentId, name: NameId) {
        if self.plan.deployment(deployment).is_limited {
            let counted_as = self.state.counted_as(&self.plan, deployment, name);
            let tokens = Kept::Tokens(deployment, counted_as, self.plan.router.minutes.of(now));
            self.state.write(&self.plan, now, tokens, defaults::CACHE_LIFE);
            self.write_calls(now, deployment, name, defaults::CACHE_LIFE);
        }
    }

    /// What a strategy or a check of limits counts of the tokens of a minute, each of them.
    pub(super) fn write_tokens(&mut self, now: SimTime, deployment: DeploymentId, name: NameId, times: u64) {
        if self.state.kept.is_some() {
            let name = self.state.counted_as(&self.plan, deployment, name);
            let tokens = Kept::MinuteTokens(deployment, name, self.plan.router.minutes.of(now));
            let life = self.life_of_minute();
            (0..times).for_each(|_| self.state.write(&self.plan, now, tokens, life));
        }
    }

    /// Tokens that nobody reads again: those of an answer from the cache go by the model without its provider's name,
    /// those of a stream by none, and the check of limits leaves them out.
    pub(super) fn write_unnamed(&mut self, now: SimTime, stream: bool, deployment: DeploymentId) {
        let router = &self.plan.router;
        let (minute, by_strategy) = (router.minutes.of(now), usize::from(router.uses_v2));
        let (kept, times) = match stream {
            true => (Kept::Unnamed(deployment, minute), by_strategy),
            false => (Kept::Bare(deployment, minute), by_strategy + usize::from(router.enforce_rate_limits)),
        };
        let life = self.life_of_minute();
        (0..times).for_each(|_| self.state.write(&self.plan, now, kept, life));
    }

    /// How long the counts of usage-based-routing-v2 and of enforced limits are kept. The latter's do not go by the
    /// former's `ttl`; where both write, whatever comes first opens the life of both.
    fn life_of_minute(&self) -> SimDuration {
        if self.plan.router.uses_v2 { self.plan.router.minute_lives[1] } else { defaults::MINUTE_LIFE }
    }

    /// What a strategy has learned from a success. It is there already, for the second of two entries may be what the
    /// first is forgotten for.
    pub(super) fn write_learned(&mut self, now: SimTime, name: NameId) {
        if self.state.kept.is_none() {
            return;
        }
        let minute = self.plan.router.minutes.of(now);
        if let Some(life) = self.state.strategy.life_of_map(name) {
            self.state.write(&self.plan, now, Kept::Map(name), life);
        } else if self.state.strategy.counts_minutes_of(name) {
            let life = self.plan.router.minute_lives[0];
            self.state.write(&self.plan, now, Kept::GroupTokens(name, minute), life);
            self.state.write(&self.plan, now, Kept::GroupRequests(name, minute), life);
        }
    }

    /// What a strategy learns from a failure.
    pub(super) fn write_failed(&mut self, now: SimTime, deployment: DeploymentId, name: NameId, failure: &Failure) {
        if self.state.kept.is_none() {
            return;
        }
        match self.state.strategy.life_of_latencies(name).filter(|_| failure.class == Class::Timeout) {
            Some(life) => self.state.write(&self.plan, now, Kept::Map(name), life),
            None => self.write_returned(now, deployment, name),
        }
    }

    /// A call goes out: the strategy hears of it.
    #[inline]
    pub(super) fn tell_called(&mut self, now: SimTime, deployment: DeploymentId, name: NameId) {
        if self.state.kept.is_some() && self.state.strategy.in_flight(now, deployment, name).is_some() {
            self.state.write(&self.plan, now, Kept::InFlight(name, deployment), defaults::IN_FLIGHT_LIFE);
        }
        self.state.strategy.called(now, deployment, name);
    }

    /// A call has come back: least-busy's count goes down, and is written once more if that is below zero.
    pub(super) fn write_returned(&mut self, now: SimTime, deployment: DeploymentId, name: NameId) {
        if self.state.kept.is_none() {
            return;
        }
        if let Some(count) = self.state.strategy.in_flight(now, deployment, name) {
            let times = if count <= 0 { 2 } else { 1 };
            for _ in 0..times {
                self.state.write(&self.plan, now, Kept::InFlight(name, deployment), defaults::IN_FLIGHT_LIFE);
            }
        }
    }
}

//! When a deployment rests, and for how long (`router_utils/cooldown_handlers.py`,
//! `router.py:deployment_callback_on_failure`).

use super::{Cx, LiteLlm};
use crate::gateway::Notes;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::failure::{Class, Failure, Told};
use crate::gateway::litellm::kept::Kept;
use crate::gateway::litellm::plan::{Deployment, Found};
use crate::gateway::litellm::state::FailCounter;
use crate::gateway::parts::retry_after_secs;
use crate::random::Draws;
use crate::units::{DeploymentId, NameId, RetryAfter, SimDuration, SimTime};

const NANOS: i64 = 1_000_000_000;

impl LiteLlm {
    /// A failure is put down to a deployment: it counts, and the deployment may go to rest.
    pub(super) fn blame<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        deployment: DeploymentId,
        failure: &Failure,
    ) {
        let asked = self.body(cx.request).cooldown;
        self.blame_for(cx, deployment, failure, asked);
        self.write_calls(cx.now, deployment, cx.request.model, defaults::OUTCOME_WINDOW);
    }

    /// The same, where the request itself may say how long the deployment rests.
    fn blame_for<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        deployment: DeploymentId,
        failure: &Failure,
        asked: Option<SimDuration>,
    ) {
        let span = self.rest_span(cx.now, deployment, failure, asked);
        let window = defaults::OUTCOME_WINDOW;
        self.state.write(&self.plan, cx.now, Kept::Fails(deployment), window);
        self.state.outcomes[deployment.index()].fails.add(cx.now, 1, window);
        self.consider_rest(cx, deployment, failure, span);
    }

    /// A fallback target has failed: its final failure counts once more, because the request's logging object is silent
    /// after the first (`fallback_event_handlers.py:_trigger_cooldown_for_failed_deployment`) [T 20, 63].
    pub(super) fn blame_failed_hop<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, failure: &Failure) {
        let by_client = self.body(cx.request).client_side_timeout && failure.status == Some(408);
        if let Some(deployment) = failure.deployment
            && !by_client
        {
            self.blame_for(cx, deployment, failure, None);
        }
    }

    /// What the router tells a client whose group has no deployment left: the shortest cooldown of those that rest in
    /// it, from its start and not from now, else its own (`cooldown_cache.py:get_min_cooldown`; from source only).
    pub(super) fn rests_for(&self, now: SimTime, name: NameId) -> RetryAfter {
        let ids = match &self.plan.name(name).found {
            Found::Group(ids) => &**ids,
            Found::One(_) | Found::Nothing => &[],
        };
        let shortest = ids.iter().filter_map(|id| self.state.cooldowns.span(*id, now)).min();
        let span = shortest.unwrap_or(self.plan.router.cooldown.span);
        if span > SimDuration::ZERO {
            RetryAfter::Seconds(span.0.saturating_add(NANOS - 1) / NANOS)
        } else {
            RetryAfter::None
        }
    }

    /// The deployment's own time, else the upstream's wish (without a cap), else the router's [T 10, 59, 61]. The
    /// request's own stands in place of `litellm_params.cooldown_time` [T 261].
    fn rest_span(
        &self,
        now: SimTime,
        deployment: DeploymentId,
        failure: &Failure,
        asked: Option<SimDuration>,
    ) -> SimDuration {
        let wished = retry_after_secs(failure.retry_after, now).filter(|secs| *secs >= 0);
        let entry = self.plan.deployment(deployment);
        asked
            .filter(|_| !entry.cooldown_in_info)
            .or(entry.cooldown)
            .filter(|span| *span >= SimDuration::ZERO)
            .or_else(|| wished.map(SimDuration::from_secs))
            .unwrap_or(self.plan.router.cooldown.span)
    }

    /// Puts a deployment to rest for `span` if its failures have come to that (`_set_cooldown_deployments`).
    pub(super) fn consider_rest<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        deployment: DeploymentId,
        failure: &Failure,
        span: SimDuration,
    ) {
        let entry = self.plan.deployment(deployment);
        if self.plan.router.cooldown.disabled
            || span == SimDuration::ZERO
            || entry.is_wildcard
            || !may_rest(entry, failure)
        {
            return;
        }
        if self.trips(cx.now, deployment, failure, cx.request.model) {
            let until = self.state.cooldowns.add(deployment, cx.now, span);
            if let Some(shared) = &mut self.state.shared {
                shared.rest(deployment, cx.now, span);
            }
            cx.notes.cooldown(cx.now, deployment, until);
            let id = &self.plan.deployment(deployment).id;
            cx.notes.decided(cx.now, cx.id, || {
                let span = ((until - cx.now).as_secs_f64() * 1e3).round() / 1e3;
                format!("{id} rests for {span} s")
            });
        }
    }

    /// Whether this failure is one too many (`_should_cooldown_deployment`).
    fn trips(&mut self, now: SimTime, deployment: DeploymentId, failure: &Failure, called: NameId) -> bool {
        let entry = self.plan.deployment(deployment);
        if entry.fails_policy.is_some() || entry.allowed_fails.is_some() {
            return self.trips_by_own_rule(now, deployment, failure);
        }
        if !self.plan.router.cooldown.counts_failures {
            return self.trips_by_share(now, deployment, failure, called);
        }
        let window = self.plan.router.cooldown.span;
        self.count_failure(now, deployment, FailCounter::Shared, window) > self.allowed_by_router(failure.class)
    }

    /// The default rule: at once for 429 (unless the deployment is alone), 401 and 404; otherwise by the share of
    /// failures in the counters' windows [T 10, 13, 50, 62, 64].
    fn trips_by_share(&mut self, now: SimTime, deployment: DeploymentId, failure: &Failure, called: NameId) -> bool {
        let alone = self.plan.deployment(deployment).alone && !self.plan.name(called).has_alternatives;
        let status = failure.status.unwrap_or(500);
        if (status == 429 && !alone) || !Failure::status_is_transient(status) {
            return true;
        }
        let outcomes = &mut self.state.outcomes[deployment.index()];
        let fails = outcomes.fails.get(now);
        let successes = outcomes.successes.get(now);
        let total = fails + successes;
        (successes == 0 && total >= defaults::ALL_FAILED_TRAFFIC)
            || (2 * fails > total && total >= defaults::PERCENT_RULE_TRAFFIC && !alone)
    }

    /// `model_info.allowed_fails` (not for a deployment that is alone) and `model_info.allowed_fails_policy`, each kind
    /// of failure with a counter of its own [T 67].
    fn trips_by_own_rule(&mut self, now: SimTime, deployment: DeploymentId, failure: &Failure) -> bool {
        let entry = self.plan.deployment(deployment);
        let by_class = entry.fails_policy.and_then(|policy| policy.allowed(failure.class));
        if by_class.is_none() && entry.allowed_fails.is_some() && entry.alone {
            return false;
        }
        let window = entry.cooldown.unwrap_or(self.plan.router.cooldown.span);
        let (counter, allowed) = match (by_class, entry.allowed_fails) {
            (Some(allowed), _) => (FailCounter::Class(failure.class), allowed),
            (None, Some(allowed)) => (FailCounter::Generic, allowed),
            (None, None) => (FailCounter::Shared, self.allowed_by_router(failure.class)),
        };
        self.count_failure(now, deployment, counter, window) > allowed
    }

    /// Failures that the router allows; its policy goes first [T 55].
    fn allowed_by_router(&self, class: Class) -> i64 {
        let cooldown = &self.plan.router.cooldown;
        cooldown.policy.and_then(|policy| policy.allowed(class)).unwrap_or(cooldown.allowed)
    }

    /// The window runs from the first failure and is as long as the cooldown time, not a minute [T 51, 54, 66].
    fn count_failure(
        &mut self,
        now: SimTime,
        deployment: DeploymentId,
        which: FailCounter,
        window: SimDuration,
    ) -> i64 {
        self.state.write(&self.plan, now, Kept::Allowed(deployment, which), window);
        self.state.fail_counter(deployment, which).add(now, 1, window)
    }
}

/// 5xx and unknown statuses may lead to a rest, of the 4xx only 401, 404, 408 and 429; the router's own refusals and
/// lost connections never do (`_is_cooldown_required`). A deployment's policy that names the class overrides that.
fn may_rest(entry: &Deployment, failure: &Failure) -> bool {
    let by_status = match failure.status {
        None => false,
        Some(_) if failure.told.has(Told::LOST) => false,
        Some(status) => !(400..500).contains(&status) || matches!(status, 401 | 404 | 408 | 429),
    };
    by_status || entry.fails_policy.is_some_and(|policy| policy.allowed(failure.class).is_some())
}

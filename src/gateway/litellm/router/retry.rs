//! Retries within a hop: whether, how often, and after what pause (`router.py:async_function_with_retries`).

use super::fallback::Kind;
use super::{Cx, LiteLlm, Next};
use crate::gateway::litellm::call::{CallState, RetryRule, Waiting};
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::plan::{Body, CustomTarget, Found};
use crate::gateway::parts::retry_after_secs;
use crate::gateway::{Notes, Step};
use crate::random::{Draws, Purpose};
use crate::units::{NameId, SimDuration};

/// How a group is doing.
#[derive(Debug, Clone, Copy)]
struct Health {
    /// Deployments that do not rest.
    healthy: usize,
    /// All deployments; `None` when the name is the id of one.
    all: Option<usize>,
}

impl LiteLlm {
    /// A try of the innermost hop has failed: try again after a pause, or give the hop up.
    pub(super) fn try_failed<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        failure: Failure,
    ) -> Next {
        let Some(hop) = call.hop() else { return Next::GiveUp(failure) };
        let (name, retries, known_rule, of_entry) = (hop.name, hop.retries, hop.retry, hop.own);
        let asked = of_entry.num_retries.unwrap_or(self.own(cx.request, call).num_retries);
        let health = self.health(cx, name);
        let rule = known_rule.unwrap_or_else(|| self.retry_rule(asked, self.body(cx.request), name, &failure));
        if !rule.by_policy && !self.is_worth_retrying(self.own(cx.request, call), &of_entry, &failure, health) {
            cx.notes.decided(cx.now, cx.id, || format!("{}: not retried", failure.class.words()));
            return Next::HopFailed(failure);
        }
        if rule.allowed == 0 {
            return Next::HopFailed(failure);
        }
        if let Some(hop) = call.hop() {
            hop.retry = Some(rule);
            if let (Some(deployment), Some(status)) = (failure.deployment, failure.status)
                && !Failure::status_is_transient(status)
                && !hop.refused.contains(&deployment)
            {
                hop.refused.push(deployment);
            }
        }
        let pause = self.pause(cx, call, &failure, health, retries);
        self.wait(cx, call, failure, retries < rule.allowed, pause)
    }

    /// Pauses, then tries again or gives the hop up: the pause is also made after the last retry [T 01, 03].
    fn wait<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        failure: Failure,
        again: bool,
        pause: SimDuration,
    ) -> Next {
        if again && let Some(hop) = call.hop() {
            hop.retries += 1;
        }
        if pause == SimDuration::ZERO {
            self.log_deferred(cx, call);
            if cx.woken.is_empty() {
                return if again { Next::Try } else { Next::HopFailed(failure) };
            }
        }
        // Even a pause of no length lets a call go first that has been waiting for the slot given back just now.
        if pause > SimDuration::ZERO {
            cx.notes.decided(cx.now, cx.id, || format!("waits {} s", (pause.as_secs_f64() * 1e3).round() / 1e3));
        }
        call.waiting = if again { Waiting::Pause } else { Waiting::Failed(failure) };
        Next::Do(Step::Sleep(pause))
    }

    fn health<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, name: NameId) -> Health {
        match &self.plan.name(name).found {
            Found::Nothing => Health { healthy: 0, all: Some(0) },
            Found::One(_) => Health { healthy: 0, all: None },
            Found::Group(ids) => {
                self.state.learn_rests(cx.now);
                let resting = match self.state.cooldowns.any(cx.now) {
                    true => ids.iter().filter(|id| self.state.cooldowns.rests(**id, cx.now)).count(),
                    false => 0,
                };
                Health { healthy: ids.len() - resting, all: Some(ids.len() + self.plan.name(name).blocked) }
            }
        }
    }

    /// The first failure of a hop decides how often the hop is tried again: request, then deployment, then router; a
    /// retry policy overrides all unless the request asked for none [T 34, 70, 73, 75].
    fn retry_rule(&self, asked: Option<u32>, body: &Body, name: NameId, failure: &Failure) -> RetryRule {
        let router = &self.plan.router;
        let allowed = asked.or(failure.num_retries).unwrap_or(router.num_retries);
        let of_group = match &body.group_policies {
            Some(own) => own.iter().find(|(group, _)| *group == name).map(|(_, policy)| policy),
            None => self.plan.name(name).retry_policy.as_ref(),
        };
        let policy = of_group.or(router.retry_policy.as_ref());
        let granted = match asked {
            Some(0) => None,
            _ => policy.and_then(|policy| policy.retries(failure.class)),
        };
        RetryRule { allowed: granted.unwrap_or(allowed), by_policy: granted.is_some() }
    }

    /// `router.py:should_retry_this_error` [T 13, 15].
    fn is_worth_retrying(&self, body: &Body, entry: &CustomTarget, failure: &Failure, health: Health) -> bool {
        let router = &self.plan.router;
        let own = |kind: Kind| self.fallbacks_of(body, entry, kind);
        let has_own_fallbacks = match failure.class {
            Class::ContextWindow => own(Kind::Context).is_set(router.has_context_fallbacks),
            Class::ContentPolicy => own(Kind::Policy).is_set(router.has_policy_fallbacks),
            _ => false,
        };
        let hopeless =
            failure.status.is_some_and(|status| !Failure::status_is_transient(status) && !matches!(status, 401 | 403));
        let is_forbidden = matches!(failure.class, Class::Authentication | Class::PermissionDenied);
        let alone = is_forbidden && health.all.is_none_or(|all| all <= 1);
        !(has_own_fallbacks || hopeless || failure.class == Class::NotFound || alone || health.healthy == 0)
    }

    /// No pause while other deployments are healthy; otherwise back-off, or what the upstream asked for
    /// (`router.py:_time_to_sleep_before_retry`) [T 01, 04, 09, 12].
    fn pause<D: Draws, N: Notes>(
        &self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        failure: &Failure,
        health: Health,
        retries: u32,
    ) -> SimDuration {
        if health.all != Some(1) && health.healthy > 0 {
            return SimDuration::ZERO;
        }
        let draw = cx.draws.unit(Purpose::Jitter, call.pauses);
        call.pauses += 1;
        self.plan.router.backoff.pause(retries, retry_after_secs(failure.retry_after, cx.now), draw)
    }
}

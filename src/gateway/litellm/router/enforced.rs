//! Limits of the calendar minute, where they are enforced.

use super::{Cx, LiteLlm};
use crate::gateway::Notes;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::kept::Kept;
use crate::gateway::litellm::minute_lives::Counted;
use crate::random::Draws;
use crate::units::{DeploymentId, NameId, RetryAfter, WhyNot};

impl LiteLlm {
    /// The limits of the calendar minute, where they are enforced: requests are counted here, before the call
    /// (`pre_call_checks/model_rate_limit_check.py`, `lowest_tpm_rpm_v2.py:async_pre_call_check`) [T 92, 105].
    #[inline(always)]
    pub(super) fn over_minute_limit<D: Draws, N: Notes>(
        &mut self,
        cx: &Cx<'_, D, N>,
        deployment: DeploymentId,
        name: NameId,
    ) -> Option<Failure> {
        let router = &self.plan.router;
        match router.enforce_rate_limits || router.uses_v2 {
            true => self.over_enforced_limit(cx, deployment, name),
            false => None,
        }
    }

    fn over_enforced_limit<D: Draws, N: Notes>(
        &mut self,
        cx: &Cx<'_, D, N>,
        deployment: DeploymentId,
        name: NameId,
    ) -> Option<Failure> {
        let router = &self.plan.router;
        let by_strategy = router.uses_v2;
        let (minute, entry) = (router.minutes.of(cx.now), self.plan.deployment(deployment));
        if by_strategy {
            self.state.forget_minutes(cx.now);
            self.state.learn_minutes(cx.now, minute, Some(deployment));
        }
        let counted_as = self.state.counted_as(&self.plan, deployment, name);
        let kept = Kept::MinuteRequests(deployment, counted_as, minute);
        let state = &mut self.state;
        let limited = |num_retries: Option<u32>| {
            let failure = Failure::with_status(Class::RateLimit, 429).because(WhyNot::DeploymentLimit);
            let wait = RetryAfter::Seconds(defaults::LIMIT_RETRY_AFTER_SECS);
            let num_retries = num_retries.or(entry.num_retries);
            Some(Failure { retry_after: wait, deployment: Some(deployment), num_retries, ..failure })
        };
        if by_strategy {
            let limit = entry.rpm.unwrap_or(u64::MAX);
            if state.minute_named(deployment, counted_as).requests(minute).is_some_and(|used| used >= limit) {
                return limited(None);
            }
            if let Some(shared) = &mut state.shared {
                shared.push_request(cx.now, &state.place, deployment, minute);
            }
            if let Some(lives) = &mut state.lives {
                lives.counted_by_strategy(cx.now, (deployment, counted_as), Counted::Requests, minute);
            }
            state.write(&self.plan, cx.now, kept, self.plan.router.minute_lives[1]);
            if state.minute_named(deployment, counted_as).add_request(minute) > limit {
                return limited(None);
            }
        }
        if router.enforce_rate_limits {
            let tokens = state.minute_named(deployment, counted_as).tokens(minute);
            if entry.tpm.is_some_and(|limit| tokens.is_some_and(|used| used >= limit)) {
                return limited(Some(0));
            }
            let mut count = || {
                if let Some(lives) = &mut state.lives {
                    lives.counted_by_check(cx.now, (deployment, counted_as), Counted::Requests, minute);
                }
                let of_all = state.shared.as_mut().and_then(|shared| shared.count_request(cx.now, deployment, minute));
                of_all.unwrap_or_else(|| {
                    state.write(&self.plan, cx.now, kept, defaults::MINUTE_LIFE);
                    state.minute_named(deployment, counted_as).add_request(minute)
                })
            };
            if entry.rpm.is_some_and(|limit| count() > limit) {
                return limited(Some(0));
            }
        }
        None
    }
}

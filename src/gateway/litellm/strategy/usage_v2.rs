//! usage-based-routing-v2: the fewest tokens in this UTC minute (`router_strategy/lowest_tpm_rpm_v2.py`) [T 92, 93].

use crate::gateway::litellm::call::CallState;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::failure::{Class, Failure, Told};
use crate::gateway::litellm::plan::Plan;
use crate::gateway::parts::MinuteCounter;
use crate::random::{Draws, Purpose};
use crate::units::{DeploymentId, RetryAfter, WhyNot};

/// What a pick is for.
pub(super) struct Ask<'a> {
    pub plan: &'a Plan,
    pub minute: i64,
    pub tokens: u64,
}

impl Ask<'_> {
    /// Leaves those with the fewest tokens of this minute. A deployment is full one request before its `rpm`.
    pub fn keep_least_used<'a>(
        &self,
        candidates: &mut Vec<DeploymentId>,
        counter: impl Fn(DeploymentId) -> &'a MinuteCounter,
    ) {
        let (mut lowest, mut left) = (u64::MAX, 0);
        for at in 0..candidates.len() {
            let id = candidates[at];
            let used = counter(id).tokens(self.minute).unwrap_or(0);
            if used > lowest || self.is_full(id, used, counter(id)) {
                continue;
            }
            if used < lowest {
                (lowest, left) = (used, 0);
            }
            candidates[left] = id;
            left += 1;
        }
        candidates.truncate(left);
    }

    #[inline]
    fn is_full(&self, id: DeploymentId, used: u64, counter: &MinuteCounter) -> bool {
        let room = &self.plan.compared(id).by_usage;
        used + self.tokens > room.tokens
            || counter.requests(self.minute).is_some_and(|requests| requests + 1 >= room.requests)
    }
}

/// At random among those that are left.
pub(super) fn pick<D: Draws>(
    least_used: &[DeploymentId],
    draws: &mut D,
    call: &mut CallState,
) -> Result<DeploymentId, Failure> {
    if least_used.is_empty() {
        let wait = RetryAfter::Seconds(defaults::LIMIT_RETRY_AFTER_SECS);
        return Err(Failure {
            retry_after: wait,
            told: Told::NO_DEPLOYMENT,
            ..Failure::with_status(Class::RateLimit, 429).because(WhyNot::DeploymentLimit)
        });
    }
    let nth = call.next_pick();
    Ok(least_used[draws.below(Purpose::Pick, nth, least_used.len() as u32) as usize])
}

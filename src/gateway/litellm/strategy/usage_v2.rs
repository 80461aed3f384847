//! usage-based-routing-v2: the fewest tokens in this UTC minute (`router_strategy/lowest_tpm_rpm_v2.py`) [T 92, 93].

use crate::gateway::litellm::call::CallState;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::failure::{Class, Failure, Told};
use crate::gateway::litellm::plan::Plan;
use crate::gateway::parts::MinuteCounter;
use crate::random::{Draws, Purpose};
use crate::units::{DeploymentId, RetryAfter, WhyNot};
use smallvec::SmallVec;

/// At random among those with the fewest tokens. A deployment is full one request before its `rpm`.
pub(super) fn pick<D: Draws>(
    plan: &Plan,
    candidates: impl Iterator<Item = (DeploymentId, MinuteCounter)>,
    minute: i64,
    prompt_tokens: u64,
    draws: &mut D,
    call: &mut CallState,
) -> Result<DeploymentId, Failure> {
    let mut lowest = u64::MAX;
    let mut best: SmallVec<[DeploymentId; 8]> = SmallVec::new();
    for (id, counter) in candidates {
        let entry = plan.deployment(id);
        let used = counter.tokens(minute).unwrap_or(0);
        let is_full = entry.tpm.is_some_and(|limit| used + prompt_tokens > limit)
            || counter.requests(minute).is_some_and(|requests| entry.rpm.is_some_and(|limit| requests + 1 >= limit));
        if is_full || used > lowest {
            continue;
        }
        if used < lowest {
            best.clear();
            lowest = used;
        }
        best.push(id);
    }
    if best.is_empty() {
        let wait = RetryAfter::Seconds(defaults::LIMIT_RETRY_AFTER_SECS);
        return Err(Failure {
            retry_after: wait,
            told: Told::NO_DEPLOYMENT,
            ..Failure::with_status(Class::RateLimit, 429).because(WhyNot::DeploymentLimit)
        });
    }
    let nth = call.next_pick();
    Ok(best[draws.below(Purpose::Pick, nth, best.len() as u32) as usize])
}

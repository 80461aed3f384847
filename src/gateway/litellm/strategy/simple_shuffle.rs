//! simple-shuffle: at random, by the first of `weight`, `rpm` and `tpm` that any candidate sets
//! (`router_strategy/simple_shuffle.py`) [T 80–84].

use crate::gateway::litellm::call::CallState;
use crate::gateway::litellm::plan::Plan;
use crate::gateway::parts::pick_weighted;
use crate::random::{Draws, Purpose};
use crate::units::DeploymentId;

/// Picks one of at least one candidate. What has no weight next to something that has one is not picked; weights that
/// sum to nothing are passed over.
pub(super) fn pick<D: Draws>(
    plan: &Plan,
    candidates: &[DeploymentId],
    draws: &mut D,
    call: &mut CallState,
) -> DeploymentId {
    let nth = call.next_pick();
    if plan.router.is_weighted {
        for by in 0..3 {
            let weights = candidates.iter().map(|id| plan.deployment(*id).weights[by].unwrap_or(0.0));
            let sum: f64 = weights.clone().fold(0.0, |sum, weight| sum + weight);
            if sum > 0.0 {
                return candidates[pick_weighted(weights, sum, draws.unit(Purpose::Pick, nth))];
            }
        }
    }
    candidates[draws.below(Purpose::Pick, nth, candidates.len() as u32) as usize]
}

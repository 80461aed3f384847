//! simple-shuffle: at random, by the first of `weight`, `rpm` and `tpm` that any candidate sets
//! (`router_strategy/simple_shuffle.py`) [T 80–84].

use crate::gateway::litellm::call::CallState;
use crate::gateway::litellm::plan::Plan;
use crate::gateway::parts::{Shares, pick_weighted};
use crate::random::{Draws, Purpose};
use crate::units::DeploymentId;

/// The weights of a whole group, added up beforehand; `None` where nothing of it has a weight.
pub(in crate::gateway::litellm) fn shares(plan: &Plan, group: &[DeploymentId]) -> Option<Shares> {
    let weights_by =
        |by: usize| group.iter().map(move |id| plan.deployment(*id).weights[by].unwrap_or(0.0)).collect::<Vec<f64>>();
    let weighted = || (0..3).find_map(|by| Shares::new(&weights_by(by)));
    plan.router.is_weighted.then(weighted).flatten()
}

/// Picks one of a whole group: the same as [`pick`] of all its deployments.
#[inline(always)]
pub(in crate::gateway::litellm) fn pick_of_all<D: Draws>(
    shares: Option<&Shares>,
    group: &[DeploymentId],
    draws: &mut D,
    nth: u32,
) -> DeploymentId {
    match shares {
        Some(shares) => group[shares.pick(draws.unit(Purpose::Pick, nth))],
        None => group[draws.below(Purpose::Pick, nth, group.len() as u32) as usize],
    }
}

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

//! Deployments of which there are too many for the router's cache.

use crate::diagnostic::{Severity, codes};
use crate::gateway::litellm::defaults::CACHE_ITEMS;
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::{Deployment, Wire};

/// Entries that a busy deployment has at any time: picks, successes and failures of the last minute.
const OF_EACH: usize = 3;
/// Those that come with `rpm` or `tpm`: calls and tokens of each of the last ten minutes.
const OF_LIMITED: usize = 20;

pub(super) fn check(wire: &Wire, findings: &mut Findings) {
    let live = || wire.model_list.iter().filter(|deployment| !deployment.dropped);
    let limited = live().filter(|deployment| is_limited(deployment)).count();
    let entries = OF_EACH * live().count() + OF_LIMITED * limited;
    let Some(first) = live().next().filter(|_| entries > CACHE_ITEMS) else { return };
    let message = format!(
        "while all of these deployments are busy, the router has about {entries} entries for its cache of \
         {CACHE_ITEMS}, and forgets what ends soonest: failures by which deployments rest, and requests by which \
         they are full (simulated, except beside Redis)"
    );
    let help = "`rpm` and `tpm` make twenty entries of a deployment; `max_parallel_requests` and `weight` do without";
    findings.add(codes::CROWDED_CACHE, Severity::Note, first.model_name.span, message, Some(help.to_owned()));
}

fn is_limited(deployment: &Deployment) -> bool {
    let (params, info) = (&deployment.litellm_params, &deployment.model_info);
    let [rpm, tpm] = &deployment.limits_beside;
    [rpm, tpm, &params.rpm, &params.tpm, &info.rpm, &info.tpm].into_iter().any(Option::is_some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::litellm::keys::check;

    #[test]
    fn nine_deployments_with_rpm_are_too_many_and_so_are_sixty_seven_without() {
        let is_told = |count: usize, params: &str| {
            let one = format!("  - {{model_name: a, litellm_params: {{model: openai/gpt-4o{params}}}}}\n");
            let found = check("config.yaml", &format!("model_list:\n{}", one.repeat(count)));
            found.iter().any(|one| one.code == codes::CROWDED_CACHE)
        };
        assert!(!is_told(8, ", rpm: 100") && is_told(9, ", rpm: 100"));
        assert!(!is_told(66, "") && is_told(67, ""));
    }
}

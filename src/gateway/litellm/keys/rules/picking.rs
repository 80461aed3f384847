//! Weights and limits that do not do what they seem to.

use crate::diagnostic::codes;
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::{Deployment, Wire};
use std::collections::HashSet;

pub(super) fn check(wire: &Wire, findings: &mut Findings) {
    let strategy = wire.router_settings.routing_strategy.as_ref().map_or("simple-shuffle", |strategy| &strategy.value);
    if strategy != "simple-shuffle" {
        return;
    }
    let live = || wire.model_list.iter().filter(|deployment| !deployment.dropped);
    let weighted: HashSet<&str> = live().filter(|other| has_weight(other)).map(group).collect();
    for deployment in live() {
        weight(deployment, weighted.contains(group(deployment)), findings);
    }
    limits(wire, findings);
}

fn group(deployment: &Deployment) -> &str {
    &deployment.model_name.value
}

fn has_weight(deployment: &Deployment) -> bool {
    deployment.litellm_params.weight.as_ref().is_some_and(|weight| weight.value > 0.0)
}

fn weight(deployment: &Deployment, beside_weight: bool, findings: &mut Findings) {
    match &deployment.litellm_params.weight {
        Some(weight) if weight.value == 0.0 && beside_weight => {
            let message = "`weight: 0` is a standby: it is picked only while no deployment with a weight is healthy";
            findings.warn(codes::STANDBY, weight.span, message, "remove the deployment if it must never be used");
        }
        None if beside_weight => {
            let message = "this deployment has no weight beside one that has: it counts as 0 and gets no traffic";
            findings.warn(
                codes::STANDBY,
                deployment.model_name.span,
                message,
                "give each deployment of the group a weight",
            );
        }
        _ => {}
    }
}

/// simple-shuffle reads rpm and tpm as weights, and the proxy makes a concurrency limit of them.
fn limits(wire: &Wire, findings: &mut Findings) {
    let router = &wire.router_settings;
    let checks = router.optional_pre_call_checks.iter().flat_map(|checks| &checks.value);
    let is_enforced = router.enable_pre_call_checks.as_ref().is_some_and(|checks| checks.value)
        || checks.into_iter().any(|check| check.value == "enforce_model_rate_limits");
    let live = || wire.model_list.iter().filter(|deployment| !deployment.dropped);
    let rpm = live().find_map(|deployment| deployment.litellm_params.rpm.as_ref());
    let tpm = live().find_map(|deployment| deployment.litellm_params.tpm.as_ref());
    if let Some(limit) = rpm.or(tpm).filter(|_| !is_enforced) {
        let message = "with simple-shuffle rpm and tpm are no limits: they weight the pick and, without \
                       max_parallel_requests, cap the calls at the same time";
        let help = "use `optional_pre_call_checks: [enforce_model_rate_limits]` or usage-based-routing-v2 to have \
            them enforced";
        findings.warn(codes::LIMIT_IS_WEIGHT, limit.span, message, help);
    }
}

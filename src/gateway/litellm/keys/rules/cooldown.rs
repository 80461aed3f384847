//! Settings of cooldowns that change nothing.

use crate::diagnostic::codes;
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::Wire;
use std::collections::HashMap;

/// `litellm.allowed_fails`.
const DEFAULT_ALLOWED_FAILS: i64 = 3;

pub(super) fn check(wire: &Wire, findings: &mut Findings) {
    allowed_fails(wire, findings);
    single_deployments(wire, findings);
    let zero = wire.router_settings.cooldown_time.as_ref().filter(|seconds| seconds.value == 0.0);
    if let Some(zero) = zero {
        let message = "`cooldown_time: 0` means the default of 5 seconds";
        findings.warn(codes::COOLDOWN_ZERO, zero.span, message, "write `disable_cooldowns: true` to have none");
    }
}

/// The router counts failures only when its own value differs from the module's.
fn allowed_fails(wire: &Wire, findings: &mut Findings) {
    let module = wire.litellm_settings.allowed_fails.as_ref();
    let router = &wire.router_settings;
    if let Some(module) = module {
        let message =
            "`litellm_settings.allowed_fails` has no effect: it also moves the value that the router compares with";
        let help = "it works as router_settings.allowed_fails, with a value other than 3";
        findings.warn(codes::ALLOWED_FAILS, module.span, message, help);
    }
    let reference = module.map_or(DEFAULT_ALLOWED_FAILS, |module| module.value);
    let same = router.allowed_fails.as_ref().filter(|fails| fails.value == reference);
    if let Some(same) = same.filter(|_| router.allowed_fails_policy.is_none()) {
        let message = "`allowed_fails` has no effect at this value, which is the default: failures are judged by \
            their share (more than half of at least 5 requests a minute), not counted";
        let help = "choose another value, or set allowed_fails_policy, to have failures counted";
        findings.warn(codes::ALLOWED_FAILS, same.span, message, help);
    }
}

/// `model_info.allowed_fails` needs a second deployment in the group.
fn single_deployments(wire: &Wire, findings: &mut Findings) {
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    for deployment in wire.model_list.iter().filter(|deployment| !deployment.dropped) {
        *sizes.entry(&deployment.model_name.value).or_default() += 1;
    }
    for deployment in &wire.model_list {
        let size = sizes.get(&*deployment.model_name.value).copied().unwrap_or_default();
        if let Some(fails) = deployment.model_info.allowed_fails.as_ref().filter(|_| size < 2) {
            let message = "`model_info.allowed_fails` has no effect in a group of one deployment";
            findings.warn(codes::ALLOWED_FAILS, fails.span, message, "set router_settings.allowed_fails instead");
        }
    }
}

//! What is more than can be simulated.

use crate::diagnostic::Severity;
use crate::diagnostic::codes;
use crate::gateway::litellm::wire::Wire;
use crate::gateway::litellm::wire::fallbacks::Fallbacks;
use crate::gateway::litellm::wire::settings::RetryPolicy;
use crate::gateway::litellm::wire::value::{Reader, Spanned};

/// So many retries, and so deep fallbacks, are simulated. The gateway takes any number, and an upstream that is down would
/// be asked so often for each request.
pub const MOST_TRIES: i64 = 10_000;

/// Reports numbers of retries and depths of fallbacks beyond [`MOST_TRIES`].
pub(super) fn report(wire: &Wire, reader: &mut Reader) {
    let (router, module) = (&wire.router_settings, &wire.litellm_settings);
    let mut limit = |key: &str, value: &Spanned<i64>| {
        if value.value > MOST_TRIES {
            let message = format!("`{key}` is {}: at most {MOST_TRIES} is simulated", value.value);
            reader.report(codes::OUT_OF_RANGE, Severity::Error, value.span, message, Some("lower it"));
        }
    };
    let deployments = wire.model_list.iter().filter_map(|entry| entry.litellm_params.num_retries.as_ref());
    [&router.num_retries, &module.num_retries]
        .into_iter()
        .flatten()
        .chain(deployments)
        .for_each(|n| limit("num_retries", n));
    [&router.max_fallbacks, &module.max_fallbacks].into_iter().flatten().for_each(|n| limit("max_fallbacks", n));
    let of_groups = router.model_group_retry_policy.iter().flat_map(|groups| &groups.value).map(|(_, policy)| policy);
    for RetryPolicy(retries) in router.retry_policy.iter().chain(of_groups).map(|policy| &policy.value) {
        retries.iter().for_each(|(error, n)| limit(&error.value, n));
    }
    for Fallbacks(chain) in wire.fallback_lists().map(|list| &list.value) {
        for target in chain.iter().flat_map(|fallback| &fallback.targets) {
            if let Some(value) = target.value.num_retries {
                limit("num_retries", &Spanned { value, span: target.span });
            }
        }
    }
}

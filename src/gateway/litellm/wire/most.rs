//! What is more than can be simulated. One request tries each target of its fallbacks once at most, whatever way leads
//! there (`AttemptedFallbackTargets` in `router_utils/fallback_event_handlers.py`), so cycles and branching lists end;
//! with the retries at each target that bounds the upstream calls of a request.

use crate::diagnostic::codes;
use crate::diagnostic::{Severity, Span};
use crate::gateway::litellm::client::Client;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::wire::settings::RetryPolicy;
use crate::gateway::litellm::wire::value::{Reader, Spanned};
use crate::gateway::litellm::wire::{Deployment, Wire};
use std::collections::HashSet;

/// So many retries, and so deep fallbacks, are simulated. The gateway takes any number, and an upstream that is down
/// would be asked so often for each request.
pub const MOST_TRIES: i64 = 10_000;

/// So many upstream calls may come of one request: retries times targets of fallbacks.
pub const MOST_CALLS: u64 = 100_000;

/// How many upstream calls one request can lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Calls at one target: the first and its retries, each with those that the provider's client makes by itself.
    pub tries: u64,
    /// The group that is asked for, and everything that fallbacks can lead to.
    pub targets: u64,
}

impl Reach {
    /// The calls, if they are more than are simulated, in words.
    pub fn excess(self) -> Option<String> {
        let Self { tries, targets } = self;
        let calls = tries.saturating_mul(targets);
        (calls > MOST_CALLS).then(|| {
            format!(
                "one request can lead to {calls} upstream calls ({tries} tries at each of {targets} targets): at most \
                 {MOST_CALLS} are simulated"
            )
        })
    }
}

/// What is said on a way out of [`Reach::excess`].
pub const FEWER_CALLS: &str = "lower the retries, or shorten the lists of fallbacks";

/// A number of retries as it is written.
struct Retries<'w> {
    key: &'w str,
    number: i64,
    span: Span,
}

impl Wire {
    /// How many upstream calls one request can lead to at most.
    pub fn reach(&self) -> Reach {
        let most = retries(self).map(|retries| retries.number).max().unwrap_or(0);
        let tries = u64::try_from(most.max(i64::from(defaults::NUM_RETRIES))).unwrap_or(0).saturating_add(1);
        // With `drop_params` OpenAI's handler may do all of it twice.
        let drops = self.litellm_settings.drop_params.as_ref().is_some_and(|drops| drops.value);
        let of_client = |client: Client| client.most_calls() * if drops && client.is_openais() { 2 } else { 1 };
        let calls = self.model_list.iter().map(|entry| of_client(entry.client())).max().unwrap_or(1);
        Reach { tries: tries.saturating_mul(u64::from(calls)), targets: targets(self) }
    }
}

/// Every number of retries.
fn retries(wire: &Wire) -> impl Iterator<Item = Retries<'_>> {
    let (router, module) = (&wire.router_settings, &wire.litellm_settings);
    let deployments = wire.model_list.iter().filter_map(|entry| entry.litellm_params.num_retries.as_ref());
    let plain = [&router.num_retries, &module.num_retries].into_iter().flatten().chain(deployments);
    let of_groups = router.model_group_retry_policy.iter().flat_map(|groups| &groups.value).map(|(_, policy)| policy);
    let policies = router.retry_policy.iter().chain(of_groups).flat_map(|policy| {
        let RetryPolicy(retries) = &policy.value;
        retries.iter().map(|(error, n)| Retries { key: &error.value, number: n.value, span: n.span })
    });
    let lists = wire.fallback_lists().flat_map(|list| &list.value.0);
    let of_targets = lists.flat_map(|fallback| &fallback.targets).flat_map(|target| {
        let numbers = target.value.with_inner().into_iter().filter_map(|target| target.num_retries?);
        numbers.map(|number| Retries { key: "num_retries", number, span: target.span })
    });
    plain.map(|n| Retries { key: "num_retries", number: n.value, span: n.span }).chain(policies).chain(of_targets)
}

/// What a request can be sent to: what it asks for, each name in a list, each entry with parameters of its own, each
/// order of a group, and what weighted failover leaves of a group.
fn targets(wire: &Wire) -> u64 {
    let written = || wire.fallback_lists().flat_map(|list| &list.value.0).flat_map(|fallback| &fallback.targets);
    let lists = || written().flat_map(|target| target.value.with_inner());
    let defaults = [&wire.router_settings.default_fallbacks, &wire.litellm_settings.default_fallbacks];
    let named = lists().filter(|target| !target.has_params).map(|target| target.model.as_str());
    let by_default = defaults.into_iter().flatten().flat_map(|list| &list.value).map(|name| name.value.as_str());
    let names: HashSet<&str> = named.chain(by_default).collect();
    let with_params = lists().filter(|target| target.has_params).count();
    let is_ordered = |entry: &&Deployment| entry.litellm_params.order.is_some() || entry.model_info.order.is_some();
    let orders = wire.model_list.iter().filter(is_ordered).count();
    let is_weighted = wire.router_settings.enable_weighted_failover.as_ref().is_some_and(|flag| flag.value);
    let others = if is_weighted { wire.model_list.len() } else { 0 };
    (1 + names.len() + with_params + orders + others) as u64
}

/// Reports numbers of retries and depths of fallbacks beyond [`MOST_TRIES`], and more calls than [`MOST_CALLS`].
pub(super) fn report(wire: &Wire, reader: &mut Reader) {
    let before = reader.diagnostics.len();
    let mut limit = |key: &str, number: i64, span: Span| {
        if number > MOST_TRIES {
            let message = format!("`{key}` is {number}: at most {MOST_TRIES} is simulated");
            reader.report(codes::OUT_OF_RANGE, Severity::Error, span, message, Some("lower it"));
        }
    };
    retries(wire).for_each(|retries| limit(retries.key, retries.number, retries.span));
    let depths = [&wire.router_settings.max_fallbacks, &wire.litellm_settings.max_fallbacks];
    for Spanned { value, span } in depths.into_iter().flatten() {
        limit("max_fallbacks", *value, *span);
    }
    if reader.diagnostics.len() > before {
        return;
    }
    if let Some(message) = wire.reach().excess() {
        let most = retries(wire).max_by_key(|retries| retries.number).map(|retries| retries.span);
        let span = most.or_else(|| wire.fallback_lists().next().map(|list| list.span)).unwrap_or_default();
        reader.report(codes::OUT_OF_RANGE, Severity::Error, span, message, Some(FEWER_CALLS));
    }
}

//! The response cache.

use crate::diagnostic::codes;
use crate::diagnostic::{Severity, Span};
use crate::document::{Node, Value};
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::Wire;

/// Kinds of caches that the gateway can make.
const TYPES: [&str; 9] =
    ["local", "redis", "redis-semantic", "valkey-semantic", "qdrant-semantic", "s3", "gcs", "azure-blob", "disk"];

pub(super) fn check(root: &Node, wire: &Wire, findings: &mut Findings) {
    let settings = &wire.litellm_settings;
    let is_on = settings.cache.as_ref().is_some_and(|cache| cache.value);
    in_params(root, is_on, findings);
    if let Some(cache) = settings.cache.as_ref().filter(|cache| cache.value) {
        kind(root, wire, cache.span, findings);
    } else if let Some(params) = &settings.cache_params {
        let message = "`cache_params` without `cache: true` has no effect: nothing is cached";
        findings.warn(codes::CACHE_OFF, params.span, message, "add `cache: true` to litellm_settings");
    }
}

/// `litellm_params.cache` is passed into each call, where the cache expects a map.
fn in_params(root: &Node, is_on: bool, findings: &mut Findings) {
    let deployments = root.get("model_list").map(Node::items).unwrap_or_default();
    let params = deployments.iter().filter_map(|deployment| deployment.get("litellm_params"));
    let flags =
        params.filter_map(|params| params.entry("cache")).filter(|entry| matches!(entry.value.value, Value::Bool(_)));
    for entry in flags {
        let help = Some("remove it; caching is switched on by litellm_settings.cache".to_owned());
        let (code, severity, message) = if is_on {
            let message = "`litellm_params.cache` breaks every call of this deployment, because caching is on: the \
                cache expects a map there";
            (codes::BREAKS_CALLS, Severity::Error, message)
        } else {
            let message =
                "`litellm_params.cache` caches nothing, and breaks every call of this deployment once caching is on";
            (codes::INERT_KEY, Severity::Warning, message)
        };
        findings.add(code, severity, entry.key_span, message.into(), help);
    }
}

/// The kind of cache: one that exists, and for Redis with an address.
fn kind(root: &Node, wire: &Wire, cache: Span, findings: &mut Findings) {
    let params = root.get("litellm_settings").and_then(|settings| settings.get("cache_params"));
    let broken = params.filter(|params| !params.is_null() && !matches!(params.value, Value::Map(_)));
    let no_kind = params.and_then(|params| params.get("type")).filter(|kind| kind.is_null());
    if let Some(node) = broken.or(no_kind) {
        let message =
            "the gateway does not start: the cache needs a map of parameters, and a `type` if that is written";
        findings.add(
            codes::BREAKS_START,
            Severity::Error,
            node.span,
            message.into(),
            Some("write `type: local`".into()),
        );
        return;
    }
    let written = wire.litellm_settings.cache_params.as_ref().and_then(|params| params.value.r#type.as_ref());
    if let Some(kind) = written.filter(|kind| !TYPES.contains(&kind.value.as_str())) {
        let message = "the gateway does not start: it has no such kind of cache".to_owned();
        let help = Some(format!("one of {}", TYPES.join(", ")));
        findings.add(codes::BREAKS_START, Severity::Error, kind.span, message, help);
    }
    let is_redis = written.is_some_and(|kind| kind.value.starts_with("redis"));
    let has_params = params.is_some_and(|params| !params.entries().is_empty());
    let has_address = params.is_some_and(|params| {
        ["host", "url", "redis_startup_nodes", "startup_nodes", "sentinel_nodes"]
            .iter()
            .any(|key| params.get(key).is_some())
    });
    if (is_redis && !has_address) || !has_params {
        let message =
            "a Redis cache without an address: the gateway does not start unless REDIS_HOST or REDIS_URL is set";
        let help = "add `cache_params` with `host` and `port`, or `type: local`";
        findings.warn(codes::REDIS_ADDRESS, written.map_or(cache, |kind| kind.span), message, help);
    }
}

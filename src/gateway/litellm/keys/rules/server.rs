//! `general_settings` that mean something else, or need something else.

use crate::diagnostic::codes;
use crate::document::{Node, Value};
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::Wire;

/// Seconds below which a threshold is taken for a share of a budget.
const A_FEW_SECONDS: f64 = 2.0;

pub(super) fn check(root: &Node, wire: &Wire, findings: &mut Findings) {
    let Some(settings) = root.get("general_settings") else { return };
    if let Some(threshold) = settings.get("alerting_threshold").filter(|node| is_below(node, A_FEW_SECONDS)) {
        let message = "`alerting_threshold` is in seconds: every request slower than this raises an alert; it has \
            nothing to do with budgets";
        findings.warn(codes::ALERTING_SECONDS, threshold.span, message, "write e.g. 300, or remove it");
    }
    let buffer = settings.get("use_redis_transaction_buffer").filter(|node| node.value == Value::Bool(true));
    if let Some(buffer) = buffer.filter(|_| !has_redis(wire)) {
        let message = "`use_redis_transaction_buffer` without Redis: the gateway does not start unless REDIS_HOST \
            or REDIS_URL is set";
        findings.warn(
            codes::REDIS_ADDRESS,
            buffer.span,
            message,
            "add `cache: true` and `cache_params` with `type: redis`",
        );
    }
}

fn is_below(node: &Node, limit: f64) -> bool {
    match &node.value {
        #[expect(clippy::cast_precision_loss, reason = "compared with a small number")]
        Value::Int(number) => (*number as f64) < limit,
        Value::Float(number) => number.value < limit,
        _ => false,
    }
}

/// Whether the response cache is kept in Redis.
fn has_redis(wire: &Wire) -> bool {
    let settings = &wire.litellm_settings;
    let kind = settings.cache_params.as_ref().and_then(|params| params.value.r#type.as_ref());
    settings.cache.as_ref().is_some_and(|cache| cache.value) && kind.is_some_and(|kind| kind.value == "redis")
}

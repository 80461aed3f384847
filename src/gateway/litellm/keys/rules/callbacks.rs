//! Callbacks that cannot be loaded.

use crate::diagnostic::Severity;
use crate::diagnostic::codes;
use crate::document::{Node, Value};
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::nearest;

/// Callbacks that the gateway loads by name.
const KNOWN: &str = include_str!("callbacks.txt");

/// `callbacks` is loaded at start-up; a name that is not known is taken for a Python module.
pub(super) fn check(root: &Node, findings: &mut Findings) {
    let Some(settings) = root.get("litellm_settings") else { return };
    // Of these only lists are read, and only metrics loaded (`proxy_server.py:load_config`, `_service_logger.py`; tried
    // with LiteLLM 1.102.4, which starts with `failure_callback: [prometheus]`).
    for (key, is_metrics) in METRICS {
        let names = settings.get(key).map(Node::items).unwrap_or_default();
        for node in names.iter().filter(|node| node.as_str().is_some_and(is_metrics)) {
            needs_prometheus(node, findings);
        }
    }
    let Some(callbacks) = settings.get("callbacks") else { return };
    let one = std::slice::from_ref(callbacks);
    let names = if matches!(callbacks.value, Value::Str(_)) { one } else { callbacks.items() };
    for node in names {
        if let Some(name) = node.as_str() {
            callback(name, node, root, findings);
        }
    }
}

/// Whether a name asks for metrics.
type IsMetrics = fn(&str) -> bool;

/// Lists of callbacks of which those that give metrics are loaded at start-up.
const METRICS: [(&str, IsMetrics); 2] = [
    ("success_callback", |name| name.contains("prometheus") && !name.contains('.')),
    ("service_callback", |name| name == "prometheus_system"),
];

fn needs_prometheus(node: &Node, findings: &mut Findings) {
    let message = "`prometheus` needs the Python package prometheus_client: without it the gateway does not start";
    let help = "make sure that it is installed beside the gateway (the official image has it)";
    findings.warn(codes::NEEDS_PACKAGE, node.span, message, help);
}

fn callback(name: &str, node: &Node, root: &Node, findings: &mut Findings) {
    if name == "prometheus" {
        needs_prometheus(node, findings);
        return;
    }
    let is_configured = root.get("callback_settings").is_some_and(|settings| settings.get(name).is_some());
    let is_known = KNOWN.lines().any(|known| known == name);
    if is_known || is_configured || name.contains('.') {
        return;
    }
    let message =
        "the gateway does not start: this is no callback that it knows, nor a `module.name` of your own".to_owned();
    let help = match nearest(name, KNOWN.lines()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write `file_name.object_name` for a callback of your own".to_owned(),
    };
    findings.add(codes::BREAKS_START, Severity::Error, node.span, message, Some(help));
}

//! Walks over every key of a config and says what those do that are not simulated.

use crate::diagnostic::codes;
use crate::diagnostic::secrets::looks_secret;
use crate::diagnostic::{Severity, Span};
use crate::document::{Entry, Node};
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::keys::table::{Row, Verdict, home, row, working_keys};
use crate::gateway::litellm::wire::nearest;

/// Reports on all keys.
pub(super) fn keys(root: &Node, findings: &mut Findings) {
    section("top", root, findings);
    for deployment in root.get("model_list").map(Node::items).unwrap_or_default() {
        section("deployment", deployment, findings);
        child("litellm_params", deployment, findings);
        if let Some(info) = child("model_info", deployment, findings) {
            child("allowed_fails_policy", info, findings);
        }
    }
    if let Some(router) = child("router_settings", root, findings) {
        for part in ["retry_policy", "allowed_fails_policy", "routing_strategy_args"] {
            child(part, router, findings);
        }
        for group in router.get("model_group_retry_policy").map(Node::entries).unwrap_or_default() {
            section("retry_policy", &group.value, findings);
        }
    }
    if let Some(settings) = child("litellm_settings", root, findings) {
        child("cache_params", settings, findings);
    }
    child("general_settings", root, findings);
}

/// Reports on the keys of the section that stands under its own name.
fn child<'a>(name: &str, parent: &'a Node, findings: &mut Findings) -> Option<&'a Node> {
    let node = parent.get(name)?;
    section(name, node, findings);
    Some(node)
}

fn section(name: &str, node: &Node, findings: &mut Findings) {
    for Entry { key, key_span, .. } in node.entries() {
        match row(name, key) {
            Some(row) => known(name, key, *key_span, row, findings),
            None => unknown(name, key, *key_span, findings),
        }
    }
}

/// `section.key`, as far as a message may show it.
fn path(section: &str, key: &str) -> String {
    let key = if looks_secret(key) { "***" } else { key };
    match section {
        "top" | "deployment" => format!("`{key}`"),
        _ => format!("`{section}.{key}`"),
    }
}

fn known(section: &str, key: &str, span: Span, row: &Row, findings: &mut Findings) {
    let path = path(section, key);
    let help = (!row.works_as.is_empty()).then(|| format!("it works as {}", row.works_as));
    match row.verdict {
        Verdict::Modelled | Verdict::Irrelevant => {}
        Verdict::NotSimulated => {
            let message = format!("{path} is not simulated: {}", row.why);
            findings.add(codes::NOT_SIMULATED, Severity::Warning, span, message, help);
        }
        Verdict::Inert => {
            let message = format!("{path} does nothing here: {}", row.why);
            findings.add(codes::INERT_KEY, Severity::Warning, span, message, help);
        }
        Verdict::Breaks => {
            let message = format!("{path}: the gateway does not start, because this is {}", row.why);
            findings.add(codes::BREAKS_START, Severity::Error, span, message, help);
        }
    }
}

fn unknown(section: &str, key: &str, span: Span, findings: &mut Findings) {
    let path = path(section, key);
    if let Some(home) = home(section, key).filter(|_| !section.ends_with("_policy")) {
        let message = format!("{path} does nothing here: {}", fate(section));
        let help = Some(format!("it works as {home}.{key}"));
        findings.add(codes::INERT_KEY, Severity::Warning, span, message, help);
        return;
    }
    let is_told = !findings.has_many_warnings();
    let near = if is_told { nearest(key, working_keys(section)) } else { None };
    // Users keep notes of their own in model_info; only what looks like a slip is worth a warning there.
    let severity = if section == "model_info" && near.is_none() { Severity::Note } else { Severity::Warning };
    let message = format!("{path} is not a key of LiteLLM 1.102: {}", fate(section));
    let help = near.map(|near| format!("did you mean `{near}`?"));
    findings.add(codes::UNKNOWN_KEY, severity, span, message, help);
}

/// What the gateway does with a key that it does not know.
fn fate(section: &str) -> &'static str {
    match section {
        "litellm_params" => "the gateway sends it to the provider as a parameter of each call",
        "router_settings" => "the gateway ignores it with a warning in its log",
        "litellm_settings" => "it is set on the module, and nothing reads it",
        "retry_policy" | "allowed_fails_policy" => "the gateway drops it without a word, and the policy stays empty",
        "model_info" | "deployment" => "the gateway keeps it and does nothing with it",
        _ => "the gateway does not read it",
    }
}

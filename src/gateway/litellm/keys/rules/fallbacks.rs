//! Fallbacks that lead nowhere.

use crate::diagnostic::codes;
use crate::diagnostic::secrets::looks_secret;
use crate::diagnostic::{Severity, Span};
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::keys::rules::groups::{Groups, Reach};
use crate::gateway::litellm::wire::{Fallback, Fallbacks, Spanned, Wire, nearest};
use std::collections::HashMap;

pub(super) fn check(wire: &Wire, findings: &mut Findings) {
    let groups = Groups::of(wire);
    let (router, module) = (&wire.router_settings, &wire.litellm_settings);
    let lists = [
        &router.fallbacks,
        &router.context_window_fallbacks,
        &router.content_policy_fallbacks,
        &module.fallbacks,
        &module.context_window_fallbacks,
        &module.content_policy_fallbacks,
    ];
    for list in lists.into_iter().flatten() {
        rules(&list.value, &groups, findings);
    }
    let defaults = [&router.default_fallbacks, &module.default_fallbacks].into_iter().flatten();
    for target in defaults.flat_map(|list| &list.value).filter(|target| !is_letter(&target.value, target.span)) {
        reach(&target.value, target.span, &groups, findings);
    }
    inside_attempts(wire, findings);
    if let Some(list) = router.context_window_fallbacks.as_ref().or(module.context_window_fallbacks.as_ref()) {
        uncovered(list, &groups, findings);
    }
}

fn rules(list: &Fallbacks, groups: &Groups<'_>, findings: &mut Findings) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for Fallback { group, targets } in &list.0 {
        let name = shown(&group.value);
        if !groups.is_looked_up(&group.value) {
            let message = format!("no group is called {name}: these fallbacks are never used");
            let help = suggestion(&group.value, groups);
            findings.add(codes::FALLBACK_OF_NOTHING, Severity::Warning, group.span, message, help);
        }
        if let Some(line) = seen.insert(&group.value, group.span.line) {
            seen.insert(&group.value, line);
            let message = format!("{name} has fallbacks already in line {line}: only those are used");
            let help = Some("put all of them into one list".to_owned());
            findings.add(codes::FALLBACK_TWICE, Severity::Warning, group.span, message, help);
        }
        for target in targets.iter().filter(|target| !is_letter(&target.value.model, target.span)) {
            if target.value.model == group.value {
                let message = format!("{name} as its own fallback is skipped");
                findings.add(codes::FALLBACK_TO_ITSELF, Severity::Warning, target.span, message, None);
            } else {
                reach(&target.value.model, target.span, groups, findings);
            }
        }
    }
}

fn reach(target: &str, span: Span, groups: &Groups<'_>, findings: &mut Findings) {
    let name = shown(target);
    let (message, help) = match groups.reach(target) {
        Reach::Live => return,
        Reach::Dropped => {
            (format!("all deployments of {name} are dropped: this fallback fails when it is reached"), None)
        }
        Reach::Nowhere => {
            (format!("no group is called {name}: this fallback fails when it is reached"), suggestion(target, groups))
        }
    };
    findings.add(codes::FALLBACK_TO_NOTHING, Severity::Warning, span, message, help);
}

/// A letter of a text that should have been a list, which was reported where it was read.
fn is_letter(target: &str, span: Span) -> bool {
    const QUOTES: usize = 2;
    target.chars().count() == 1 && span.end - span.start > target.len() + QUOTES
}

/// A group's name in backticks, unless it looks like a credential.
fn shown(name: &str) -> String {
    if looks_secret(name) { "`***`".to_owned() } else { format!("`{name}`") }
}

fn suggestion(name: &str, groups: &Groups<'_>) -> Option<String> {
    nearest(name, groups.names().into_iter()).map(|near| format!("did you mean {}?", shown(near)))
}

/// Fallbacks in `litellm_params` run inside each attempt.
fn inside_attempts(wire: &Wire, findings: &mut Findings) {
    for fallbacks in wire.model_list.iter().filter_map(|deployment| deployment.litellm_params.fallbacks.as_ref()) {
        let message = "fallbacks in `litellm_params` run inside each attempt, at this deployment's address and \
            with its key unless they say otherwise: they double the upstream calls of a failure";
        findings.warn(codes::FALLBACK_IN_PARAMS, fallbacks.span, message, "it works as router_settings.fallbacks");
    }
}

/// Once there are fallbacks for long prompts, regular ones no longer serve them.
fn uncovered(list: &Spanned<Fallbacks>, groups: &Groups<'_>, findings: &mut Findings) {
    let is_covered =
        |group: &&str| list.value.0.iter().any(|rule| rule.group.value == **group || rule.group.value == "*");
    let targets = list.value.0.iter().flat_map(|rule| &rule.targets);
    let targets: Vec<&str> = targets.map(|target| target.value.model.as_str()).collect();
    let uncovered: Vec<String> =
        groups.names().into_iter().filter(|group| !is_covered(group) && !targets.contains(group)).map(shown).collect();
    if !uncovered.is_empty() {
        let message = format!(
            "with `context_window_fallbacks` set, a prompt that is too long for {} is an error even where \
             `fallbacks` exist",
            uncovered.join(", ")
        );
        findings.add(codes::CONTEXT_FALLBACK_MISSING, Severity::Note, list.span, message, None);
    }
}

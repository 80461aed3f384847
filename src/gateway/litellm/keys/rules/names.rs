//! Names that clash, and names of strategies.

use crate::diagnostic::codes;
use crate::diagnostic::secrets::looks_secret;
use crate::diagnostic::{Severity, Span};
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::keys::rules::groups::{Groups, Reach};
use crate::gateway::litellm::wire::{Spanned, Wire, nearest};
use std::collections::HashMap;

/// Strategies that are simulated.
const STRATEGIES: [&str; 6] = [
    "simple-shuffle",
    "least-busy",
    "latency-based-routing",
    "cost-based-routing",
    "usage-based-routing-v2",
    "usage-based-routing",
];

/// Strategies that the gateway has besides.
const OTHER_STRATEGIES: [&str; 2] = ["lar1", "provider-budget-routing"];

pub(super) fn check(wire: &Wire, findings: &mut Findings) {
    ids(wire, findings);
    aliases(wire, findings);
    strategy(wire, findings);
}

fn ids(wire: &Wire, findings: &mut Findings) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for id in wire.model_list.iter().filter_map(|deployment| deployment.model_info.id.as_ref()) {
        if let Some(line) = seen.insert(&id.value.0, id.span.line) {
            let message = format!("the same id stands in line {line}: both share cooldowns, counters and budgets");
            findings.add(codes::DUPLICATE_ID, Severity::Warning, id.span, message, Some("give each its own id".into()));
        }
    }
}

fn aliases(wire: &Wire, findings: &mut Findings) {
    let groups = Groups::of(wire);
    for (alias, target) in wire.router_settings.model_group_alias.iter().flat_map(|aliases| &aliases.value) {
        let (name, leads_to) = (alias.value.as_str(), target.value.model.as_str());
        let is_live = groups.reach_without_alias(leads_to) == Reach::Live;
        if name == leads_to && is_live {
            findings.warn(codes::ALIAS_CHAIN, alias.span, "an alias of itself does nothing", "leave it out");
            continue;
        }
        if groups.is_group(name) {
            let message = "this alias hides the group of the same name: its requests go to the alias's target";
            findings.warn(codes::ALIAS_HIDES_GROUP, alias.span, message, "rename one of them");
        }
        if groups.is_alias(leads_to) {
            chain(is_live, target.span, findings);
        } else if !is_live {
            let message = "this alias stands for a group without deployments: its requests get status 400".to_owned();
            let near = nearest(leads_to, groups.names().into_iter());
            let help = near.filter(|near| !looks_secret(near)).map(|near| format!("did you mean `{near}`?"));
            findings.add(codes::ALIAS_OF_NOTHING, Severity::Warning, target.span, message, help);
        }
    }
}

/// An alias that leads to the name of an alias (tried with LiteLLM 1.102.4): the second is not looked up, so that a
/// circle is no endless loop.
fn chain(is_live: bool, span: Span, findings: &mut Findings) {
    let message = if is_live {
        "an alias of a name that is an alias too: its requests go to the group of that name, not on to where that alias leads"
    } else {
        "an alias of an alias: only the first is looked up, so its requests get status 400"
    };
    findings.warn(codes::ALIAS_CHAIN, span, message, "name the group that is meant");
}

fn strategy(wire: &Wire, findings: &mut Findings) {
    let groups = wire.router_settings.routing_groups.iter().flat_map(|groups| &groups.value);
    let of_groups = groups.filter_map(|group| group.value.routing_strategy.as_ref());
    for strategy in wire.router_settings.routing_strategy.iter().chain(of_groups) {
        known_strategy(strategy, findings);
    }
}

fn known_strategy(strategy: &Spanned<String>, findings: &mut Findings) {
    let name = strategy.value.as_str();
    if OTHER_STRATEGIES.contains(&name) {
        let message = format!("`{name}` is not simulated");
        findings.add(codes::NOT_SIMULATED, Severity::Warning, strategy.span, message, None);
    } else if !STRATEGIES.contains(&name) {
        let message = "the gateway does not start: it has no such routing strategy".to_owned();
        let near = nearest(name, STRATEGIES.into_iter());
        let help =
            near.map_or_else(|| format!("one of {}", STRATEGIES.join(", ")), |near| format!("did you mean `{near}`?"));
        findings.add(codes::BREAKS_START, Severity::Error, strategy.span, message, Some(help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::litellm::keys::check;

    #[test]
    fn aliases_are_looked_up_once() {
        let models = "model_list:\n  - {model_name: a, litellm_params: {model: openai/gpt-4o}}\n";
        for (aliases, expected) in [("p: q, q: p", 2), ("p: p", 1), ("a: a", 1), ("p: a", 0), ("p: q, q: a", 1)] {
            let text = format!("{models}router_settings: {{model_group_alias: {{{aliases}}}}}\n");
            let found = check("config.yaml", &text);
            let chains = found.iter().filter(|one| one.code == codes::ALIAS_CHAIN).count();
            assert_eq!(chains, expected, "{aliases}: {found:#?}");
        }
    }
}

//! The groups of a config and the names that reach them.

use crate::gateway::litellm::wire::{Deployment, Wire};
use std::collections::HashSet;

/// Names that requests and fallbacks can use.
pub(super) struct Groups<'a> {
    written: HashSet<&'a str>,
    live: HashSet<&'a str>,
    others: HashSet<&'a str>,
    aliases: HashSet<&'a str>,
}

/// Whether a name leads anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// To a deployment.
    Live,
    /// To a group whose deployments are all dropped.
    Dropped,
    /// Nowhere.
    Nowhere,
}

impl<'a> Groups<'a> {
    pub(super) fn of(wire: &'a Wire) -> Self {
        let name = |deployment: &'a Deployment| deployment.model_name.value.as_str();
        let aliases = wire.router_settings.model_group_alias.iter().flat_map(|aliases| &aliases.value);
        let live = || wire.model_list.iter().filter(|deployment| !deployment.dropped);
        let ids = live().filter_map(|deployment| deployment.model_info.id.as_ref()).map(|id| id.value.0.as_str());
        let models = live().filter_map(|deployment| deployment.litellm_params.model.as_ref());
        let others = ids;
        Self {
            written: wire.model_list.iter().map(name).collect(),
            live: live().map(name).collect(),
            others: others.chain(models.map(|model| model.value.as_str())).collect(),
            aliases: aliases.map(|(alias, _)| alias.value.as_str()).collect(),
        }
    }

    /// Where a name leads: a group, an alias, a wildcard group, or the id or model of a deployment.
    pub(super) fn reach(&self, name: &str) -> Reach {
        if self.is_alias(name) { Reach::Live } else { self.reach_without_alias(name) }
    }

    /// Where the target of an alias leads: the gateway looks up one alias for a name, not a second one.
    pub(super) fn reach_without_alias(&self, name: &str) -> Reach {
        let by_wildcard = || self.live.iter().any(|group| group.contains('*') && matches(group, name));
        if self.live.contains(name) || self.others.contains(name) || by_wildcard() {
            Reach::Live
        } else if self.written.contains(name) {
            Reach::Dropped
        } else {
            Reach::Nowhere
        }
    }

    /// Whether requests of some name look up their fallbacks under `key`: the name itself, or without its provider.
    pub(super) fn is_looked_up(&self, key: &str) -> bool {
        let without_provider = |group: &&str| group.split_once('/').is_some_and(|(_, model)| model == key);
        key == "*" || self.reach(key) != Reach::Nowhere || self.written.iter().any(without_provider)
    }

    /// Groups with deployments, in order of their names.
    pub(super) fn names(&self) -> Vec<&'a str> {
        let mut names: Vec<&str> = self.live.iter().copied().collect();
        names.sort_unstable();
        names
    }

    /// Whether this is an alias.
    pub(super) fn is_alias(&self, name: &str) -> bool {
        self.aliases.contains(name)
    }

    /// Whether this is the name of a group.
    pub(super) fn is_group(&self, name: &str) -> bool {
        self.written.contains(name)
    }
}

/// `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(inner) = name.strip_prefix(start).and_then(|tail| tail.strip_suffix(end)) else { return false };
    let after = |tail: &str, part: &str| tail.find(part).map(|at| at + part.len());
    let mut tail = inner;
    middle.split('*').all(|part| match after(tail, part) {
        Some(at) => {
            tail = tail.split_at(at).1;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_any_text() {
        assert!(matches("openai/*", "openai/gpt-4o"));
        assert!(matches("*", "x"));
        assert!(matches("a*c*e", "abcde"));
        assert!(!matches("openai/*", "azure/gpt-4o"));
        assert!(!matches("aa*aa", "aaa"));
    }
}

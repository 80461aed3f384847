//! Fallback maps: which list a name leads to (`router_utils/fallback_event_handlers.py:get_fallback_model_group`).

use crate::gateway::litellm::lower::names::Names;
use crate::gateway::litellm::lower::settings;
use crate::gateway::litellm::plan::{CustomTarget, ListId, Plan, Target};
use crate::gateway::litellm::wire::{Fallback, Fallbacks, Wire, prefixes};

/// One entry of a map: whose list it is, and what is in it.
pub(super) struct Entry<'a> {
    pub group: &'a str,
    pub targets: Vec<(&'a str, Option<CustomTarget>)>,
}

/// Gives every name its lists.
pub(super) fn add(wire: &Wire, plan: &mut Plan, names: &Names) {
    let (router, module) = (&wire.router_settings, &wire.litellm_settings);
    let mut regular = entries(settings::regular_fallbacks(wire));
    let default = settings::default_fallbacks(wire);
    if !default.is_empty() {
        regular.push(Entry { group: "*", targets: default.iter().map(|name| (*name, None)).collect() });
    }
    let context = settings::either(&router.context_window_fallbacks, &module.context_window_fallbacks);
    let policy = settings::either(&router.content_policy_fallbacks, &module.content_policy_fallbacks);
    let lists = [regular, entries(context), entries(policy)].map(|map| numbered(&map, plan, names));
    for index in 0..plan.names.len() {
        let text = plan.names[index].text.clone();
        let name = &mut plan.names[index];
        name.fallbacks = find_with_generic(&lists[0], &text);
        name.context_fallbacks = find_exact(&lists[1], &text);
        name.policy_fallbacks = find_exact(&lists[2], &text);
    }
    plan.router.has_fallbacks = !lists[0].is_empty();
    plan.router.has_context_fallbacks = !lists[1].is_empty();
    plan.router.has_policy_fallbacks = !lists[2].is_empty();
}

/// The entries of a map.
fn entries(map: Option<&Fallbacks>) -> Vec<Entry<'_>> {
    map.map(|map| map.0.iter().map(entry).collect()).unwrap_or_default()
}

fn entry(fallback: &Fallback) -> Entry<'_> {
    let targets = fallback.targets.iter().map(|target| (target.value.model.as_str(), CustomTarget::of(&target.value)));
    Entry { group: &fallback.group.value, targets: targets.collect() }
}

/// Numbers the lists of a map.
pub(super) fn numbered(map: &[Entry<'_>], plan: &mut Plan, names: &Names) -> Vec<(String, ListId)> {
    map.iter().map(|entry| (entry.group.to_owned(), list(&entry.targets, plan, names))).collect()
}

/// Numbers a list. Entries with parameters of their own are told apart from bare names.
pub(super) fn list(targets: &[(&str, Option<CustomTarget>)], plan: &mut Plan, names: &Names) -> ListId {
    let id = ListId(plan.lists.len() as u32);
    let mut numbered = Vec::with_capacity(targets.len());
    for (model, custom) in targets {
        let Some(name) = names.id(model) else { continue };
        numbered.push(match custom {
            None => Target::Name(name),
            Some(custom) => {
                plan.customs.push(*custom);
                Target::Custom(name, plan.customs.len() as u32 - 1)
            }
        });
    }
    plan.lists.push(numbered.into());
    id
}

/// The first entry of exactly this name.
pub(super) fn find_exact(map: &[(String, ListId)], name: &str) -> Option<ListId> {
    map.iter().find(|(group, _)| group == name).map(|(_, list)| *list)
}

/// The first entry of exactly this name; else the last one that is the name without its provider; else the last `*`
/// [T 31, 32].
pub(super) fn find_with_generic(map: &[(String, ListId)], name: &str) -> Option<ListId> {
    let stripped = |group: &str| prefixes().any(|prefix| is_stripped(name, prefix, group));
    let last = |wanted: &dyn Fn(&str) -> bool| map.iter().rev().find(|(group, _)| wanted(group)).map(|(_, list)| *list);
    find_exact(map, name).or_else(|| last(&stripped)).or_else(|| last(&|group| group == "*"))
}

/// Whether `name` is `prefix/group`.
fn is_stripped(name: &str, prefix: &str, group: &str) -> bool {
    name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')).is_some_and(|rest| rest == group)
}

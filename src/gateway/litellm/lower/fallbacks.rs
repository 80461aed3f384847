//! Fallback maps: which list a name leads to (`router_utils/fallback_event_handlers.py:get_fallback_model_group`).

use crate::gateway::litellm::lower::names::Names;
use crate::gateway::litellm::lower::settings;
use crate::gateway::litellm::plan::{CustomTarget, FallbackOverride, ListId, Name, OverrideId, Plan, Target};
use crate::gateway::litellm::wire::{Fallback, FallbackTarget, Fallbacks, OwnFallbacks, Wire, prefixes};
use crate::units::NameId;

/// One entry of a map: whose list it is, and what is in it.
pub(super) struct Entry<'a> {
    pub group: &'a str,
    pub targets: Vec<FallbackTarget>,
}

/// Gives every name its lists.
pub(super) fn add(wire: &Wire, plan: &mut Plan, names: &Names) {
    let (router, module) = (&wire.router_settings, &wire.litellm_settings);
    let mut regular = entries(settings::regular_fallbacks(wire));
    let default = settings::default_fallbacks(wire);
    if !default.is_empty() {
        regular.push(Entry { group: "*", targets: default.iter().map(|name| FallbackTarget::named(name)).collect() });
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
    let targets = fallback.targets.iter().map(|target| target.value.clone());
    Entry { group: &fallback.group.value, targets: targets.collect() }
}

/// Numbers the lists of a map.
pub(super) fn numbered(map: &[Entry<'_>], plan: &mut Plan, names: &Names) -> Vec<(String, ListId)> {
    map.iter().map(|entry| (entry.group.to_owned(), list(&entry.targets, plan, names))).collect()
}

/// Numbers a list. Entries with parameters of their own are told apart from bare names.
pub(super) fn list(targets: &[FallbackTarget], plan: &mut Plan, names: &Names) -> ListId {
    let mut numbered = Vec::with_capacity(targets.len());
    for target in targets {
        let Some(name) = names.id(&target.model) else { continue };
        numbered.push(match target.has_params {
            true => Target::Custom(name, custom(target, plan, names)),
            false if target.is_map => Target::Map(name),
            false => Target::Name(name),
        });
    }
    let id = ListId(plan.lists.len() as u32);
    plan.lists.push(numbered.into());
    id
}

/// Numbers the parameters of an entry. Equal ones are one and the same target, wherever they stand
/// (`router_utils/fallback_event_handlers.py:fallback_attempt_key`) [T 279].
fn custom(target: &FallbackTarget, plan: &mut Plan, names: &Names) -> u32 {
    let known = |plan: &Plan| plan.custom_texts.iter().position(|text| **text == *target.identity);
    if let Some(at) = known(plan) {
        return at as u32;
    }
    let custom = parameters(target, plan, names);
    plan.customs.push(custom);
    plan.custom_texts.push(target.identity.as_str().into());
    plan.customs.len() as u32 - 1
}

fn parameters(target: &FallbackTarget, plan: &mut Plan, names: &Names) -> CustomTarget {
    let plain = CustomTarget::of(target);
    let mut fallbacks = [None; 3];
    for (kind, own) in target.fallbacks.iter().enumerate() {
        let Some(own) = own else { continue };
        let own = override_of(Some(own), kind, plan, names);
        plan.overrides.push(own);
        fallbacks[kind] = Some(OverrideId(plan.overrides.len() as u32 - 1));
    }
    CustomTarget { fallbacks, ..plain }
}

/// Fallbacks that a body or an entry brings along, of one of the kinds of [`OwnFallbacks::KEYS`].
pub(super) fn override_of(own: Option<&OwnFallbacks>, kind: usize, plan: &mut Plan, names: &Names) -> FallbackOverride {
    match own {
        None => FallbackOverride::Configured,
        Some(OwnFallbacks::Nothing) => FallbackOverride::Nothing,
        Some(OwnFallbacks::Flat(targets)) => FallbackOverride::Flat(list(targets, plan, names)),
        Some(OwnFallbacks::ByName(lists)) => {
            let entries: Vec<Entry<'_>> =
                lists.iter().map(|(group, targets)| Entry { group, targets: targets.clone() }).collect();
            let map = numbered(&entries, plan, names);
            let find = if kind == 0 { find_with_generic } else { find_exact };
            let of_name =
                |(index, name): (usize, &Name)| find(&map, &name.text).map(|list| (NameId::from_index(index), list));
            FallbackOverride::ByName(plan.names.iter().enumerate().filter_map(of_name).collect())
        }
    }
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

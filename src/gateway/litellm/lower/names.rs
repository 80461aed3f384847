//! Every name that can be asked for, and what it leads to (`router.py:_common_checks_available_deployment`).

use crate::gateway::litellm::client::is_prefixed;
use crate::gateway::litellm::lower::{Setting, pattern, settings};
use crate::gateway::litellm::plan::{Client, Found, Layer, Name, Plan};
use crate::gateway::litellm::wire::{
    Deployment, Fallbacks, OwnFallbacks, RoutingGroup, Spanned, Wire, prefixes, provider_of,
};
use crate::units::{DeploymentId, NameId};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// Names and tags, numbered.
#[derive(Default)]
pub(super) struct Names {
    texts: Vec<String>,
    ids: HashMap<String, NameId>,
    tags: HashMap<String, u32>,
}

impl Names {
    /// All names of a config file, and those that clients send.
    pub fn collect(wire: &Wire, setting: &Setting<'_>) -> Self {
        let mut names = Self::default();
        names.tag("default");
        for model in setting.models {
            names.intern(model);
        }
        for deployment in &wire.model_list {
            names.intern(&deployment.model_name.value);
        }
        let router = &wire.router_settings;
        for (alias, target) in router.model_group_alias.iter().flat_map(|aliases| &aliases.value) {
            names.intern(&alias.value);
            names.intern(&target.value.model);
        }
        for (alias, target) in module_aliases(wire, setting.layer) {
            names.intern(alias);
            names.intern(target);
        }
        for group in wire.router_settings.routing_groups.iter().flat_map(|groups| &groups.value) {
            names.intern(group_name(group));
        }
        for list in wire.fallback_lists() {
            names.intern_targets(&list.value);
        }
        for name in settings::default_fallbacks(wire) {
            names.intern(name);
        }
        let own =
            setting.bodies.iter().flat_map(|body| [&body.fallbacks, &body.context_fallbacks, &body.policy_fallbacks]);
        for target in own.flatten().flat_map(OwnFallbacks::targets) {
            names.intern(&target.model);
        }
        let checked = setting.bodies.iter().flat_map(|body| &body.checked_fallbacks);
        for name in setting.bodies.iter().filter_map(|body| body.asked_as.as_ref()).chain(checked) {
            names.intern(name);
        }
        names
    }

    fn intern_targets(&mut self, map: &Fallbacks) {
        for target in map.0.iter().flat_map(|fallback| &fallback.targets) {
            for target in target.value.with_inner() {
                self.intern(&target.model);
            }
        }
    }

    /// The number of a name.
    pub fn intern(&mut self, text: &str) -> NameId {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = NameId::from_index(self.texts.len());
        self.texts.push(text.to_owned());
        self.ids.insert(text.to_owned(), id);
        id
    }

    /// The number of a name that has been collected.
    pub fn id(&self, text: &str) -> Option<NameId> {
        self.ids.get(text).copied()
    }

    /// The number of a tag.
    pub fn tag(&mut self, text: &str) -> u32 {
        let next = self.tags.len() as u32;
        *self.tags.entry(text.to_owned()).or_insert(next)
    }
}

/// `litellm_settings.model_alias_map`: the proxy takes the names that clients send for others, before anything is
/// limited or routed [T 264].
fn module_aliases(wire: &Wire, layer: Layer) -> impl Iterator<Item = (&str, &str)> {
    let map = wire.litellm_settings.model_alias_map.iter().filter(move |_| layer == Layer::Proxy);
    map.flat_map(|map| &map.value).map(|(alias, target)| (alias.value.as_str(), target.value.as_str()))
}

/// `caching_groups`: names that share their answers, under the first of them that is known [T 271].
pub(super) fn share_answers(wire: &Wire, plan: &mut Plan, names: &Names) {
    let Some(groups) = &wire.router_settings.caching_groups else { return };
    plan.cached_as = (0..plan.names.len()).map(NameId::from_index).collect();
    // The first group that has a name counts.
    for group in groups.value.iter().rev() {
        let ids: Vec<NameId> = group.value.iter().filter_map(|name| names.id(&name.value)).collect();
        for id in &ids {
            plan.cached_as[id.index()] = ids[0];
        }
    }
}

/// Leads the names that clients send to what they stand for. Nobody else uses those names, so that this comes last.
pub(super) fn rename(wire: &Wire, plan: &mut Plan, names: &Names) {
    for (alias, target) in module_aliases(wire, plan.layer) {
        if let Some(id) = names.id(target) {
            plan.ids.insert(alias.into(), id);
        }
    }
}

fn group_name(group: &Spanned<RoutingGroup>) -> &str {
    group.value.group_name.as_ref().map_or("", |name| &name.value)
}

/// What names are made of; everything that a name is looked up in, once for all names.
struct Resolver<'a> {
    wire: &'a Wire,
    plan: &'a Plan,
    aliases: HashMap<&'a str, &'a str>,
    /// Those of them that are hidden.
    hidden: HashSet<&'a str>,
    /// The first deployment with each id.
    ids: HashMap<&'a str, DeploymentId>,
    /// Group of each deployment of the plan.
    by_group: HashMap<&'a str, Vec<DeploymentId>>,
    by_model: HashMap<&'a str, Vec<DeploymentId>>,
    /// Groups of all deployments, also of those that the gateway drops.
    written: HashSet<&'a str>,
    /// `routing_groups`.
    routing: Vec<&'a RoutingGroup>,
    /// Groups that are patterns, the most specific first.
    patterns: Vec<&'a str>,
}

/// Resolves every name.
pub(super) fn resolve(wire: &Wire, plan: &mut Plan, names: &Names) {
    let resolver = Resolver::new(wire, plan);
    let resolved = names.texts.iter().map(|text| resolver.name(text, names)).collect();
    plan.names = resolved;
    plan.ids = names.texts.iter().map(|text| (text.as_str().into(), names.ids[text])).collect();
}

/// The deployments under each of their names.
fn by<'a>(names: impl Iterator<Item = &'a str>) -> HashMap<&'a str, Vec<DeploymentId>> {
    let mut all: HashMap<&str, Vec<DeploymentId>> = HashMap::new();
    for (at, name) in names.enumerate() {
        all.entry(name).or_default().push(DeploymentId::from_index(at));
    }
    all
}

/// Each group that is a pattern, once.
fn patterns<'a>(groups: &[&'a str]) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    let mut patterns: Vec<&str> =
        groups.iter().copied().filter(|group| group.contains('*') && seen.insert(*group)).collect();
    patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern::specificity(pattern)));
    patterns
}

impl<'a> Resolver<'a> {
    fn new(wire: &'a Wire, plan: &'a Plan) -> Self {
        let kept = || wire.model_list.iter().filter(|deployment| !deployment.dropped);
        let model =
            |deployment: &'a Deployment| deployment.litellm_params.model.as_ref().map_or("", |model| &model.value);
        let groups: Vec<&str> = kept().map(|deployment| deployment.model_name.value.as_str()).collect();
        let (mut aliases, mut hidden, mut ids) = (HashMap::new(), HashSet::new(), HashMap::new());
        for (alias, target) in wire.router_settings.model_group_alias.iter().flat_map(|aliases| &aliases.value) {
            if let Entry::Vacant(new) = aliases.entry(alias.value.as_str()) {
                new.insert(target.value.model.as_str());
                hidden.extend(target.value.hidden.then_some(alias.value.as_str()));
            }
        }
        for (at, deployment) in plan.deployments.iter().enumerate() {
            ids.entry(&*deployment.id).or_insert(DeploymentId::from_index(at));
        }
        Self {
            wire,
            plan,
            aliases,
            hidden,
            ids,
            by_group: by(groups.iter().copied()),
            by_model: by(kept().map(model)),
            written: wire.model_list.iter().map(|deployment| deployment.model_name.value.as_str()).collect(),
            routing: wire
                .router_settings
                .routing_groups
                .iter()
                .flat_map(|groups| &groups.value)
                .map(|group| &group.value)
                .collect(),
            patterns: patterns(&groups),
        }
    }

    fn name(&self, text: &str, names: &Names) -> Name {
        let alias = self.alias(text);
        let target = alias.unwrap_or(text);
        let (found, blocked) = self.unblocked(self.found(text, target));
        let listed = self.listed(text);
        let is_blocked = !listed.is_empty() && listed.iter().all(|id| self.plan.deployment(*id).is_blocked);
        let orders = if let Found::Group(ids) = &found { self.orders(ids) } else { Box::default() };
        let listed_orders = self.orders(&listed);
        let is_served = self.is_served(target);
        let default = || settings::first_generic_fallback(self.wire).filter(|_| !is_served);
        let resolved =
            default().and_then(|first| names.id(first)).or_else(|| names.id(target)).or_else(|| names.id(text));
        let resolved = resolved.unwrap_or_default();
        let is_known = self.is_known(text, &found);
        let is_unlisted = matches!(found, Found::Group(_)) && (self.hidden.contains(text) || !is_served);
        let asks_usage = self.asks_usage(text);
        let by_model: Box<[_]> = self.by_model.get(text).map_or(Box::default(), |ids| ids.as_slice().into());
        let only_by_model = !by_model.is_empty()
            && !self.ids.contains_key(text)
            && alias.is_none()
            && !self.written.contains(text)
            && self.patterns.is_empty();
        let shadowed = self.group(text).filter(|_| matches!(found, Found::One(_))).unwrap_or_default();
        let name_text: Box<str> = text.into();
        Name {
            text: name_text.clone(),
            is_known,
            found,
            blocked,
            is_blocked,
            shadowed,
            resolved,
            orders,
            listed,
            listed_orders,
            asks_usage,
            routing_group: self.routing_group(&name_text),
            has_alternatives: self.called_group(target).is_some_and(|members| members.len() > 1),
            by_model,
            only_by_model,
            is_unlisted,
            is_bare: !prefixes().any(|provider| is_prefixed(text, provider)),
            ..Name::default()
        }
    }

    fn alias(&self, text: &str) -> Option<&str> {
        self.aliases.get(text).copied()
    }

    fn group(&self, name: &str) -> Option<Box<[DeploymentId]>> {
        self.by_group.get(name).map(|ids| ids.as_slice().into())
    }

    fn found(&self, text: &str, target: &str) -> Found {
        if let Some(id) = self.ids.get(text) {
            return Found::One(*id);
        }
        if let Some(members) = self.called_group(target) {
            return Found::Group(members);
        }
        let is_group = self.written.contains(target);
        if !is_group && let Some(matched) = self.by_pattern(target) {
            return Found::Group(matched);
        }
        if let Some(by_name) = self.group(target) {
            return Found::Group(by_name);
        }
        if let Some(by_model) = self.by_model.get(target) {
            return Found::Group(by_model.as_slice().into());
        }
        self.first_default(target)
    }

    /// The deployments of one of `routing_groups` that is called by its name: those of all its members. A group or an
    /// alias of that name hides it [T 276].
    fn called_group(&self, target: &str) -> Option<Box<[DeploymentId]>> {
        if self.written.contains(target) || self.alias(target).is_some() {
            return None;
        }
        let is_meant = |group: &&&RoutingGroup| group.group_name.as_ref().is_some_and(|name| name.value == target);
        let members = self.routing.iter().find(is_meant)?.models.iter().flat_map(|models| &models.value);
        Some(members.filter_map(|member| self.by_group.get(member.value.as_str())).flatten().copied().collect())
    }

    /// Which of `routing_groups` a name is in, or calls.
    fn routing_group(&self, text: &str) -> Option<u16> {
        let is_called = self.called_group(text).is_some();
        let has = |group: &&RoutingGroup| {
            let is_it = group.group_name.as_ref().is_some_and(|name| name.value == text);
            let mut members = group.models.iter().flat_map(|models| &models.value);
            if is_called { is_it } else { members.any(|member| member.value == text) }
        };
        self.routing.iter().position(has).map(|at| at as u16)
    }

    /// Those that are not blocked, and how many are. The id of one that is leads to it all the same.
    fn unblocked(&self, found: Found) -> (Found, usize) {
        let Found::Group(ids) = &found else { return (found, 0) };
        let open: Box<[_]> = ids.iter().copied().filter(|id| !self.plan.deployment(*id).is_blocked).collect();
        let blocked = ids.len() - open.len();
        (Found::Group(open), blocked)
    }

    /// Whether a group, a pattern or a model has this name.
    fn is_served(&self, target: &str) -> bool {
        self.by_group.contains_key(target)
            || self.called_group(target).is_some()
            || self.by_model.contains_key(target)
            || self.by_pattern(target).is_some()
    }

    /// A name that leads nowhere goes to the first default fallback; in the proxy only a fallback target can get here.
    fn first_default(&self, target: &str) -> Found {
        let first = settings::first_generic_fallback(self.wire).filter(|first| *first != target);
        first.and_then(|first| self.group(first)).map_or(Found::Nothing, Found::Group)
    }

    /// The deployments of the most specific pattern that matches the name, or the name with its provider in front.
    fn by_pattern(&self, name: &str) -> Option<Box<[DeploymentId]>> {
        let with_provider = || provider_of(name, None, None).map(|p| format!("{p}/{name}"));
        self.matching(name).or_else(|| self.matching(&with_provider()?))
    }

    fn matching(&self, name: &str) -> Option<Box<[DeploymentId]>> {
        let best = self.patterns.iter().find(|pattern| pattern::matches(pattern, name))?;
        self.group(best)
    }

    /// What is listed under a name (`router.py:get_model_list`). One that is a deployment's model, or only leads to a
    /// default fallback, has neither orders to fall back to nor others to fail over to.
    fn listed(&self, text: &str) -> Box<[DeploymentId]> {
        if let Some(members) = self.called_group(text) {
            return members;
        }
        let named = [Some(text), self.alias(text)].into_iter().flatten();
        let listed: Box<[_]> = named.filter_map(|name| self.by_group.get(name)).flatten().copied().collect();
        if listed.is_empty() { self.by_pattern(text).unwrap_or_default() } else { listed }
    }

    /// Whether a stream is asked for its usage (`common_request_processing.py:_stream_usage_tracking_updates`): where
    /// all deployments of the group can be asked, or the provider that is named, if there is no such group, unless
    /// `always_include_stream_usage` says so [T 205, 210]. The bare router asks for nothing.
    fn asks_usage(&self, text: &str) -> bool {
        let of_name =
            || provider_of(text, None, None).is_some_and(|provider| Client::of(provider, text).takes_stream_options());
        let all_of =
            |ids: &[DeploymentId]| ids.iter().all(|id| self.plan.deployment(*id).client.takes_stream_options());
        // An alias of a name that only a pattern matches is taken for no group.
        let group = self.group(text).or_else(|| self.group(self.alias(text)?)).or_else(|| self.by_pattern(text));
        let always = self.wire.general_settings.always_include_stream_usage.as_ref().map(|always| always.value);
        self.plan.layer == Layer::Proxy && always.unwrap_or_else(|| group.map_or_else(of_name, |ids| all_of(&ids)))
    }

    /// The orders of deployments, ascending, each once.
    fn orders(&self, ids: &[DeploymentId]) -> Box<[i32]> {
        let mut orders: Vec<i32> = ids.iter().filter_map(|id| self.plan.deployment(*id).order).collect();
        orders.sort_unstable();
        orders.dedup();
        orders.into()
    }

    /// Whether the proxy lets a request with this name through to the router (`route_llm_request.py`).
    fn is_known(&self, text: &str, found: &Found) -> bool {
        self.plan.layer == Layer::Router
            || self.written.contains(text)
            || matches!(found, Found::One(_))
            || self.alias(text).is_some()
            || self.called_group(text).is_some()
            || !self.patterns.is_empty()
            || self.by_model.contains_key(text)
    }
}

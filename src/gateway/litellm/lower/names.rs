//! Every name that can be asked for, and what it leads to (`router.py:_common_checks_available_deployment`).

use crate::gateway::litellm::lower::request::RequestFallbacks;
use crate::gateway::litellm::lower::{Setting, pattern, settings};
use crate::gateway::litellm::plan::{Found, Layer, Name, Plan};
use crate::gateway::litellm::wire::{Deployment, Fallbacks, Wire, provider_of};
use crate::units::{DeploymentId, NameId};
use std::collections::HashMap;

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
        for list in wire.fallback_lists() {
            names.intern_targets(&list.value);
        }
        for name in settings::default_fallbacks(wire) {
            names.intern(name);
        }
        let own =
            setting.bodies.iter().flat_map(|body| [&body.fallbacks, &body.context_fallbacks, &body.policy_fallbacks]);
        for target in own.flatten().flat_map(RequestFallbacks::models) {
            names.intern(target);
        }
        names
    }

    fn intern_targets(&mut self, map: &Fallbacks) {
        for target in map.0.iter().flat_map(|fallback| &fallback.targets) {
            self.intern(&target.value.model);
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

/// What names are made of.
struct Resolver<'a> {
    wire: &'a Wire,
    plan: &'a Plan,
    /// Group of each deployment of the plan.
    groups: &'a [String],
    models: &'a [String],
}

/// Resolves every name.
pub(super) fn resolve(wire: &Wire, plan: &mut Plan, names: &Names) {
    let kept = wire.model_list.iter().filter(|deployment| !deployment.dropped);
    let groups: Vec<String> = kept.clone().map(|deployment| deployment.model_name.value.clone()).collect();
    let model = |deployment: &Deployment| {
        deployment.litellm_params.model.as_ref().map(|model| model.value.clone()).unwrap_or_default()
    };
    let models: Vec<String> = kept.map(model).collect();
    let resolver = Resolver { wire, plan, groups: &groups, models: &models };
    let resolved = names.texts.iter().map(|text| resolver.name(text, names)).collect();
    plan.names = resolved;
}

impl Resolver<'_> {
    fn name(&self, text: &str, names: &Names) -> Name {
        let alias = self.alias(text);
        let target = alias.unwrap_or(text);
        let found = self.found(text, target);
        let orders = self.orders(text, &found);
        let resolved = names.id(target).or_else(|| names.id(text)).unwrap_or_default();
        let is_known = self.is_known(text, &found);
        let by_default = matches!(found, Found::Group(_)) && !self.is_served(target);
        Name { text: text.into(), is_known, found, resolved, orders, by_default, ..Name::default() }
    }

    fn alias(&self, text: &str) -> Option<&str> {
        let aliases = &self.wire.router_settings.model_group_alias.as_ref()?.value;
        aliases.iter().find(|(alias, _)| alias.value == text).map(|(_, target)| target.value.model.as_str())
    }

    fn indices(&self, keep: impl Fn(usize) -> bool) -> Box<[DeploymentId]> {
        (0..self.groups.len()).filter(|at| keep(*at)).map(DeploymentId::from_index).collect()
    }

    fn found(&self, text: &str, target: &str) -> Found {
        if let Some(at) = self.plan.deployments.iter().position(|deployment| &*deployment.id == text) {
            return Found::One(DeploymentId::from_index(at));
        }
        let is_group = self.wire.model_list.iter().any(|deployment| deployment.model_name.value == target);
        if !is_group && let Some(matched) = self.by_pattern(target) {
            return Found::Group(matched);
        }
        let by_name = self.indices(|at| self.groups[at] == target);
        if !by_name.is_empty() {
            return Found::Group(by_name);
        }
        let by_model = self.indices(|at| self.models[at] == target);
        if !by_model.is_empty() {
            return Found::Group(by_model);
        }
        self.first_default(target)
    }

    /// Whether a group, a pattern or a model has this name.
    fn is_served(&self, target: &str) -> bool {
        self.groups.iter().chain(self.models).any(|name| name == target) || self.by_pattern(target).is_some()
    }

    /// A name that leads nowhere goes to the first default fallback; in the proxy only a fallback target can get here.
    fn first_default(&self, target: &str) -> Found {
        let first = settings::first_generic_fallback(self.wire).filter(|first| *first != target);
        let by_name = first.map(|first| self.indices(|at| self.groups[at] == first)).unwrap_or_default();
        if by_name.is_empty() { Found::Nothing } else { Found::Group(by_name) }
    }

    /// The deployments of the most specific pattern that matches the name, or the name with its provider in front.
    fn by_pattern(&self, name: &str) -> Option<Box<[DeploymentId]>> {
        let with_provider = || provider_of(name, None, None).map(|p| format!("{p}/{name}"));
        self.matching(name).or_else(|| self.matching(&with_provider()?))
    }

    fn matching(&self, name: &str) -> Option<Box<[DeploymentId]>> {
        let mut patterns: Vec<&str> = Vec::new();
        for group in self.groups.iter().filter(|group| group.contains('*')) {
            if !patterns.contains(&group.as_str()) {
                patterns.push(group);
            }
        }
        patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern::specificity(pattern)));
        let best = patterns.into_iter().find(|pattern| pattern::matches(pattern, name))?;
        Some(self.indices(|at| self.groups[at] == best))
    }

    /// The orders of a name's deployments; those of a single deployment or of a default fallback do not count.
    fn orders(&self, text: &str, found: &Found) -> Box<[i32]> {
        let Found::Group(ids) = found else { return Box::default() };
        let by_model = !self.groups.iter().any(|group| group == text) && self.alias(text).is_none() && {
            let first = ids.first().map_or("", |id| self.groups[id.index()].as_str());
            !first.contains('*')
        };
        if by_model {
            return Box::default();
        }
        let mut orders: Vec<i32> = ids.iter().filter_map(|id| self.plan.deployment(*id).order).collect();
        orders.sort_unstable();
        orders.dedup();
        orders.into()
    }

    /// Whether the proxy lets a request with this name through to the router (`route_llm_request.py`).
    fn is_known(&self, text: &str, found: &Found) -> bool {
        let is_group = self.wire.model_list.iter().any(|deployment| deployment.model_name.value == text);
        let has_patterns = self.groups.iter().any(|group| group.contains('*'));
        let is_model = self.models.iter().any(|model| model == text);
        self.plan.layer == Layer::Router
            || is_group
            || matches!(found, Found::One(_))
            || self.alias(text).is_some()
            || has_patterns
            || is_model
    }
}

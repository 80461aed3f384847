//! A typed mirror of the proxy's `config.yaml`: everything optional, everything with its place, nothing interpreted.
//!
//! Reading reports wrong types and what the gateway itself refuses or drops at start-up; what keys are worth is the
//! business of `keys`.

mod consequence;
mod environment;
mod fallbacks;
mod mock;
mod model;
mod most;
mod nearest;
mod provider;
mod python;
mod settings;
#[cfg(test)]
mod tests;
mod value;

use crate::diagnostic::codes;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::document;
use crate::document::{Format, Node, Value};

pub use consequence::Section;
pub use fallbacks::{Fallback, FallbackTarget, Fallbacks, OwnFallbacks, unread_in_list};
pub use mock::{Mock, Mocked, Testing};
pub use model::{Deployment, InnerFallback, LitellmParams, ModelInfo, Prices};
pub use most::{FEWER_CALLS, MOST_CALLS, MOST_TRIES, Reach};
pub use nearest::nearest;
pub use provider::{prefixes, provider_of};
pub use python::{Seconds, python_digits, python_float};
pub use settings::{
    Alias, AllowedFailsPolicy, Budget, CacheParams, GeneralSettings, LitellmSettings, Margin, RetryPolicy,
    RouterSettings, RoutingGroup, StrategyArgs,
};
pub use value::{Endpoint, Named, Present, Secret, Spanned, boolean_in};

use crate::gateway::litellm::wire::value::{FromNode, Reader, is_falsy};

/// The config file of a LiteLLM proxy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wire {
    /// `model_list`, in order; dropped deployments are in it, marked.
    pub model_list: Vec<Deployment>,
    /// `router_settings`: arguments of the router.
    pub router_settings: RouterSettings,
    /// `litellm_settings`: attributes of the Python module.
    pub litellm_settings: LitellmSettings,
    /// `general_settings`: the proxy server's own.
    pub general_settings: GeneralSettings,
    /// Names under `environment_variables`; the values are not kept.
    pub environment_variables: Vec<Spanned<String>>,
    /// `routing_strategy` is written and empty: no deployment is ever picked.
    pub has_null_strategy: bool,
    /// Further models are in a database (`general_settings.store_model_in_db`), of which nothing is known.
    pub has_database_models: bool,
    /// Variables of the environment that name models or groups and are not known: their deployments are left out.
    pub unset: Vec<String>,
}

/// Reads a config file. `None` comes with at least one error.
pub fn read(file: &str, text: &str) -> (Option<Wire>, Vec<Diagnostic>) {
    let (node, mut diagnostics) = document::read(file, text, Format::of(file));
    let wire = node.and_then(|node| {
        let (wire, found) = Wire::from_node(file, &node);
        diagnostics.extend(found);
        wire
    });
    (wire, diagnostics)
}

impl Wire {
    /// The lists of fallbacks, of all kinds, with or without effect; the default ones name no
    /// group and are not among them.
    pub fn fallback_lists(&self) -> impl Iterator<Item = &Spanned<Fallbacks>> {
        let (router, module) = (&self.router_settings, &self.litellm_settings);
        let lists = [
            &router.fallbacks,
            &module.fallbacks,
            &router.context_window_fallbacks,
            &module.context_window_fallbacks,
            &router.content_policy_fallbacks,
            &module.content_policy_fallbacks,
        ];
        lists.into_iter().flatten()
    }

    /// Why there is nothing to simulate, and what helps, where no deployment is left.
    pub fn why_nothing(&self) -> Option<(String, String)> {
        let (why, help) = if self.model_list.iter().any(|deployment| !deployment.dropped) {
            return None;
        } else if !self.unset.is_empty() {
            let names = self.unset.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let why = format!("which models this gateway calls stands in the environment: {names}, not set here");
            (why, "set what is named, or write the models into the file".to_owned())
        } else if !self.model_list.is_empty() {
            let why =
                "no deployment of this gateway is left: it drops all of them when it starts, and refuses every request";
            (why.to_owned(), "the findings about the deployments say why".to_owned())
        } else if self.has_database_models {
            let why = "this file has no deployments: those in the gateway's database are not known here";
            (why.to_owned(), "write them under `model_list` to have them simulated".to_owned())
        } else {
            ("this gateway has no models".to_owned(), "add `model_list:` with one entry per deployment".to_owned())
        };
        Some((why, help))
    }

    /// Reads a config from a tree: a whole file, or the part of a trace case that holds it.
    pub fn from_node(file: &str, node: &Node) -> (Option<Self>, Vec<Diagnostic>) {
        let mut reader = Reader::new(file);
        let wire = match node.value {
            Value::Map(_) => Some(Self::sections(node, &mut reader)),
            _ => {
                reader.wrong(node, "a map with `model_list` and the settings");
                None
            }
        };
        if let Some(wire) = &wire {
            most::report(wire, &mut reader);
        }
        (wire, reader.diagnostics.all())
    }

    fn sections(node: &Node, reader: &mut Reader) -> Self {
        let environment = node.get("environment_variables");
        if let Some(other) = environment.filter(|other| !matches!(other.value, Value::Map(_))) {
            reader.not_a_collection(other, "a map");
        }
        reader.own_providers = own_providers(node);
        let has_database_models = has_database_models(node);
        Self {
            model_list: model_list(node, has_database_models, reader),
            has_database_models,
            unset: std::mem::take(&mut reader.unset),
            router_settings: section(node, "router_settings", reader),
            litellm_settings: section(node, "litellm_settings", reader),
            general_settings: section(node, "general_settings", reader),
            has_null_strategy: has_null_strategy(node, reader),
            environment_variables: environment
                .map(Node::entries)
                .unwrap_or_default()
                .iter()
                .map(|entry| Spanned { value: entry.key.to_string(), span: entry.key_span })
                .collect(),
        }
    }
}

/// A section, or its defaults when it is not there.
fn section<T: FromNode + Default>(node: &Node, key: &'static str, reader: &mut Reader) -> T {
    value::field(node, key, reader).map(|section| section.value).unwrap_or_default()
}

/// `routing_strategy: null` takes the place of the default, and no strategy is what picks no deployment
/// (`router.py:_validate_routing_strategy`) [T 234].
fn has_null_strategy(node: &Node, reader: &mut Reader) -> bool {
    let strategy = node.get("router_settings").and_then(|router| router.get("routing_strategy"));
    let Some(null) = strategy.filter(|strategy| strategy.is_null()) else { return false };
    let message = "no strategy is written: the gateway picks no deployment, and every call ends in 429".to_owned();
    let help = Some("leave the key out, or write `simple-shuffle`");
    reader.report(codes::WRONG_TYPE, Severity::Warning, null.span, message, help);
    true
}

/// Providers that the user has written a handler for (`proxy_server.py:load_config`, `utils.py:custom_llm_setup`).
fn own_providers(node: &Node) -> Vec<String> {
    let map = node.get("litellm_settings").and_then(|settings| settings.get("custom_provider_map"));
    let items = map.map(Node::items).unwrap_or_default();
    items.iter().filter_map(|item| item.get("provider")?.as_str()).map(str::to_owned).collect()
}

fn has_database_models(node: &Node) -> bool {
    let stored = node.get("general_settings").and_then(|settings| settings.get("store_model_in_db"));
    stored.is_some_and(|stored| stored.value == Value::Bool(true))
}

fn model_list(node: &Node, has_database_models: bool, reader: &mut Reader) -> Vec<Deployment> {
    let written = node.entry("model_list");
    let Some(list) = written.map(|entry| &entry.value).filter(|list| !is_falsy(list)) else {
        let nowhere = Span { end: node.span.start, ..node.span };
        let (span, what) =
            written.map_or((nowhere, "no `model_list`"), |entry| (entry.key_span, "`model_list` is empty"));
        let (severity, message, help) = if has_database_models {
            let message = format!("{what}: the models in the gateway's database are not known here");
            (Severity::Note, message, "write them under `model_list` to have them simulated")
        } else {
            let message = format!("{what}: this gateway has no models");
            (Severity::Error, message, "add `model_list:` with one entry per deployment")
        };
        reader.report(codes::NO_MODELS, severity, span, message, Some(help));
        return Vec::new();
    };
    if !matches!(list.value, Value::Seq(_)) {
        reader.not_a_collection(list, "a list of deployments");
        return Vec::new();
    }
    // Made in its size: a list that grows takes up to three times the room, which is much where
    // there are a hundred thousand.
    let mut deployments = Vec::with_capacity(list.items().len());
    deployments.extend(list.items().iter().filter_map(|item| Deployment::read(item, reader)));
    deployments
}

//! Changes that make single keys do what they were meant to: what turns a finding about a key
//! into one that can be priced.

use crate::audit::Remedy;
use crate::audit::config::quoted;
use crate::diagnostic::secrets::may_be_shown;
use crate::diagnostic::{Diagnostic, Span, codes};
use crate::document::{Entry, Node, Value};
use crate::gateway::litellm::wire::{Deployment, Wire, nearest, prefixes};

/// Sections that an inert key may be moved to by its help text: `it works as router_settings.cooldown_time`.
const SECTIONS: [&str; 3] = ["router_settings", "litellm_settings", "general_settings"];

/// What is written in a config.
pub(super) struct Known<'a> {
    root: Option<&'a Node>,
    wire: &'a Wire,
}

impl<'a> Known<'a> {
    /// Of a config as it is written, for the values of keys that the gateway does not read.
    pub(super) const fn new(root: Option<&'a Node>, wire: &'a Wire) -> Self {
        Self { root, wire }
    }

    /// The changes that remove a finding about a key.
    pub(super) fn remedies(&self, found: &Diagnostic) -> Vec<Remedy> {
        let remedy = match found.code {
            codes::INERT_KEY => self.move_key(found),
            codes::ALLOWED_FAILS => self.count_failures(found.span),
            codes::BUDGET_WITHOUT_PERIOD => self.add_period(found.span),
            codes::DROPPED_DEPLOYMENT => self.correct_prefix(found.span),
            codes::MADE_UP_ANSWERS => self.answer_really(found.span),
            codes::FALLBACK_IN_PARAMS => self.drop_inner_fallbacks(found.span),
            codes::LIMIT_IS_WEIGHT => Some(Remedy::new(
                "limits that are enforced",
                ["gateway.router_settings.optional_pre_call_checks=[enforce_model_rate_limits]".to_owned()],
            )),
            _ => None,
        };
        remedy.into_iter().collect()
    }

    /// Moves a key of a settings section to where it works.
    fn move_key(&self, found: &Diagnostic) -> Option<Remedy> {
        let root = self.root?;
        let (section, entry) = SECTIONS.iter().find_map(|section| {
            let entries = root.get(section).map(Node::entries).unwrap_or_default();
            entries.iter().find(|entry| entry.key_span == found.span).map(|entry| (*section, entry))
        })?;
        let target = found.help.as_deref()?.strip_prefix("it works as ")?;
        let target = target.split([' ', ',']).next()?;
        let target = if SECTIONS.contains(&target) { format!("{target}.{}", entry.key) } else { target.to_owned() };
        let is_setting = SECTIONS.iter().any(|section| target.starts_with(&format!("{section}.")));
        if !is_setting || (holds_text(&entry.value) && !may_be_shown(&entry.key)) {
            return None;
        }
        let value = flow(&entry.value)?;
        let moved = format!("gateway.{target}={value}");
        let removed = Remedy::removal(&format!("gateway.{section}.{}", entry.key));
        Some(Remedy::new(format!("{target}: {}", shortened(&value)), [removed, moved]))
    }

    /// `allowed_fails: 3` is read as "after the third failure"; that is what 2 does.
    fn count_failures(&self, span: Span) -> Option<Remedy> {
        let (router, module) = (&self.wire.router_settings.allowed_fails, &self.wire.litellm_settings.allowed_fails);
        let meant = [router, module].into_iter().flatten().find(|fails| fails.span == span)?.value;
        let fails = if meant == 3 { 2 } else { meant };
        let mut edits = Vec::new();
        if module.is_some() {
            edits.push(Remedy::removal("gateway.litellm_settings.allowed_fails"));
        }
        edits.push(format!("gateway.router_settings.allowed_fails={fails}"));
        Some(Remedy::new(format!("router_settings.allowed_fails: {fails}"), edits))
    }

    /// A budget for each day.
    fn add_period(&self, span: Span) -> Option<Remedy> {
        let has_budget = |budget: &Option<crate::gateway::litellm::wire::Spanned<crate::units::Money>>| {
            budget.as_ref().is_some_and(|budget| budget.span == span)
        };
        let index = self.wire.model_list.iter().position(|entry| has_budget(&entry.litellm_params.max_budget))?;
        let edit = format!("gateway.model_list[{index}].litellm_params.budget_duration=1d");
        let group = &self.wire.model_list[index].model_name.value;
        Some(Remedy::new(format!("budget_duration: 1d for {group}"), [edit]))
    }

    /// The nearest provider that exists in place of the prefix.
    fn correct_prefix(&self, span: Span) -> Option<Remedy> {
        let has_span = |model: &crate::gateway::litellm::wire::Spanned<String>| model.span == span;
        let mut entries = self.wire.model_list.iter().enumerate();
        let (index, model) = entries
            .find_map(|(index, entry)| Some((index, entry.litellm_params.model.as_ref().filter(|m| has_span(m))?)))?;
        let (prefix, name) = model.value.split_once('/')?;
        let prefix = match prefix {
            // The names of models and makers that are taken for providers.
            "claude" => "anthropic",
            "google" => "gemini",
            other => nearest(other, prefixes())?,
        };
        let corrected = quoted(&format!("{prefix}/{name}"))?;
        let edit = format!("gateway.model_list[{index}].litellm_params.model={corrected}");
        Some(Remedy::new(format!("model: {prefix}/{name}"), [edit]))
    }

    /// The provider is called.
    fn answer_really(&self, span: Span) -> Option<Remedy> {
        let is_here = |entry: &&Deployment| entry.litellm_params.model.as_ref().is_some_and(|model| model.span == span);
        let (index, entry) = self.wire.model_list.iter().enumerate().find(|(_, entry)| is_here(entry))?;
        let keys = [("mock_response", entry.mock.response.is_some()), ("mock_timeout", entry.mock.timeout.is_some())];
        let path = |key| Remedy::removal(&format!("gateway.model_list[{index}].litellm_params.{key}"));
        let written = keys.into_iter().filter(|(_, is_written)| *is_written).map(|(key, _)| path(key));
        Some(Remedy::new("real answers", written))
    }

    fn drop_inner_fallbacks(&self, span: Span) -> Option<Remedy> {
        let has_span = |fallbacks: &crate::gateway::litellm::wire::Spanned<Vec<_>>| fallbacks.span == span;
        let mut entries = self.wire.model_list.iter();
        let index = entries.position(|entry| entry.litellm_params.fallbacks.as_ref().is_some_and(has_span))?;
        let path = format!("gateway.model_list[{index}].litellm_params.fallbacks");
        Some(Remedy::new("no fallbacks in litellm_params", [Remedy::removal(&path)]))
    }
}

/// Whether there is a text in a value: whatever it is, it may be a secret.
fn holds_text(node: &Node) -> bool {
    match &node.value {
        Value::Str(_) => true,
        Value::Seq(items) => items.iter().any(holds_text),
        Value::Map(entries) => entries.iter().any(|entry| holds_text(&entry.value)),
        _ => false,
    }
}

/// A value on one line, as an edit writes it; none for what may be a secret or has to be escaped.
fn flow(node: &Node) -> Option<String> {
    let map = |entry: &Entry| Some(format!("{}: {}", quoted(&entry.key)?, flow(&entry.value)?));
    Some(match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.text.to_string(),
        Value::Str(text) | Value::Date(text) => quoted(text)?,
        Value::Seq(items) => format!("[{}]", items.iter().map(flow).collect::<Option<Vec<_>>>()?.join(", ")),
        Value::Map(entries) => format!("{{{}}}", entries.iter().map(map).collect::<Option<Vec<_>>>()?.join(", ")),
    })
}

/// No more of a value than a line of a table bears.
fn shortened(value: &str) -> String {
    const LONGEST: usize = 40;
    if value.chars().count() <= LONGEST {
        value.to_owned()
    } else {
        value.chars().take(LONGEST - 1).chain(['…']).collect()
    }
}

//! `billcast init`: a commented scenario.yaml for a gateway config, which runs as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::gateway::litellm::wire::{Deployment, Fallbacks, Spanned, Wire};
use crate::pricing::PriceTable;

/// Requests a minute that are suggested for each group until someone knows better.
const SUGGESTED_RATE: &str = "10/min";

/// What is worth knowing of a model group.
struct Group<'a> {
    name: &'a str,
    models: Vec<&'a str>,
    /// Of its first deployment.
    provider: Option<&'static str>,
    /// `model_info.mode` of its first deployment, or what the prices say of its model.
    mode: String,
}

impl Group<'_> {
    /// The traffic model that suits it; none for what is not billed by tokens of text.
    fn preset(&self) -> Option<&'static str> {
        match self.mode.as_str() {
            "chat" | "completion" | "responses" | "" => Some("chat"),
            "embedding" => Some("embedding"),
            _ => None,
        }
    }
}

/// The text of a scenario for the gateway config called `config`.
pub fn starter(name: &str, config: &str, wire: &Wire) -> String {
    let mut text = HEAD.to_owned();
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "name: {}", yaml(name));
    let _ = writeln!(
        text,
        "gateway: {}          # an unmodified LiteLLM proxy config, relative to this file",
        yaml(config)
    );
    text.push_str(HORIZON);
    text.push_str(TRAFFIC);
    let (suited, others): (Vec<_>, Vec<_>) = asked_for(wire).into_iter().partition(|group| group.preset().is_some());
    for group in &suited {
        let (model, preset) = (concrete(group), group.preset().unwrap_or_default());
        let _ = writeln!(text, "  {}:          # {}", yaml(group.name), group.models.join(", "));
        let _ = writeln!(text, "    preset: {preset}\n    model: {}\n    rate: {SUGGESTED_RATE}", yaml(&model));
    }
    if suited.is_empty() {
        text.truncate(text.len() - 1);
        text.push_str(" {}\n");
    }
    for group in &others {
        let (name, mode) = (one_line(group.name), one_line(&group.mode));
        let _ = writeln!(text, "  # {name}: {mode}, which no traffic model describes");
    }
    text.push_str(UPSTREAM);
    for provider in providers(wire) {
        let _ = writeln!(text, "  # {provider}: {{ bursts: {{ every: 6h, lasts: 15m, share: 90% }} }}");
    }
    text.push_str(KEYS);
    text
}

const HEAD: &str = "\
# A billcast scenario: what is sent to a gateway, and how the providers behind it answer.
# Everything that is left out is assumed, and each report lists what was assumed.
# For completion in an editor: `billcast schema > scenario.schema.json`, and then this line:
# yaml-language-server: $schema=scenario.schema.json

";

const HORIZON: &str = "\
prices: default               # or a file: LiteLLM's price map (JSON), or a CSV table

# What is played: this many hours from this moment, this many times.
# start: 2026-11-20 18:00 Europe/Berlin
hours: 48
runs: 200
seed: 1
";

const TRAFFIC: &str = "
# What is sent. One entry for each kind of request; `billcast models` lists the presets.
# Groups that are only fallen back to have no entry. The rates are a guess: write your own.
traffic:
";

const UPSTREAM: &str = "
# How providers answer: by provider, group, or deployment id. Their presets apply where nothing is said.
# upstream:
";

const KEYS: &str = "
# Virtual keys with their limits; name one in a traffic entry with `key: research`.
# keys:
  # research: { team: labs, rpm_limit: 100, max_budget: 50 }
";

/// The groups in the order of the config, without what the gateway drops.
fn groups(wire: &Wire) -> Vec<Group<'_>> {
    let (mut groups, mut places): (Vec<Group<'_>>, _) = (Vec::new(), BTreeMap::new());
    for deployment in kept(wire) {
        let name = deployment.model_name.value.as_str();
        let model = deployment.litellm_params.model.as_ref().map_or("", |model| model.value.as_str());
        let at = *places.entry(name).or_insert(groups.len());
        if at == groups.len() {
            let mode = mode(deployment, model);
            groups.push(Group { name, models: Vec::new(), provider: deployment.provider, mode });
        }
        groups[at].models.push(model);
    }
    groups
}

/// What a deployment is for: as its config says, else as its price does.
fn mode(deployment: &Deployment, model: &str) -> String {
    let written = deployment.model_info.mode.as_ref().map(|mode| mode.value.clone());
    let priced = || {
        let table = PriceTable::built_in().ok()?;
        Some(table.rows_of(model, deployment.provider).first()?.kind.clone())
    };
    written.or_else(priced).unwrap_or_default()
}

/// A text that cannot end the comment that it stands in.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn kept(wire: &Wire) -> impl Iterator<Item = &Deployment> {
    wire.model_list.iter().filter(|deployment| !deployment.dropped)
}

/// The providers, each once, by name.
fn providers(wire: &Wire) -> BTreeSet<&'static str> {
    kept(wire).filter_map(|deployment| deployment.provider).collect()
}

/// The groups that something falls back to.
fn fallback_targets(wire: &Wire) -> BTreeSet<&str> {
    let (router, module) = (&wire.router_settings, &wire.litellm_settings);
    let lists = [&router.fallbacks, &module.fallbacks];
    let chained = lists.into_iter().flatten().flat_map(|list| targets_of(&list.value));
    let defaults = [&router.default_fallbacks, &module.default_fallbacks];
    let default = defaults.into_iter().flatten().flat_map(|list| list.value.iter().map(text));
    chained.chain(default).collect()
}

fn targets_of(fallbacks: &Fallbacks) -> impl Iterator<Item = &str> {
    fallbacks.0.iter().flat_map(|fallback| fallback.targets.iter().map(|target| target.value.model.as_str()))
}

fn text(spanned: &Spanned<String>) -> &str {
    &spanned.value
}

/// The groups that clients are likely to ask for themselves: those that nothing falls back to, or the first of all.
fn asked_for(wire: &Wire) -> Vec<Group<'_>> {
    let targets = fallback_targets(wire);
    let (fallen_back_to, mut asked): (Vec<_>, Vec<_>) =
        groups(wire).into_iter().partition(|group| targets.contains(group.name));
    if asked.is_empty() {
        asked.extend(fallen_back_to.into_iter().next());
    }
    asked
}

/// A model name to ask for of each of these groups.
pub(super) fn asked_models(wire: &Wire) -> Vec<String> {
    asked_for(wire).iter().map(concrete).collect()
}

/// A model name that a pattern such as `openai/*` matches, by an example of its provider's; other names as they are.
fn concrete(group: &Group<'_>) -> String {
    let Some((prefix, rest)) = group.name.split_once('*') else { return group.name.to_owned() };
    let provider = group.provider.unwrap_or("openai");
    let begins = prefix.rsplit('/').next().unwrap_or_default();
    let example = example(provider, begins).unwrap_or_else(|| "gpt-5.4-mini".to_owned());
    let full = format!("{provider}/{example}");
    let of_full = full.strip_prefix(prefix).filter(|_| !prefix.is_empty());
    let filled = of_full.or_else(|| example.strip_prefix(begins)).unwrap_or(&example);
    format!("{prefix}{filled}{rest}")
}

/// A chat model of each provider that is in general use: neither the dearest nor one on its way out. A test holds them
/// against the built-in prices.
const EXAMPLES: [(&str, &str); 19] = [
    ("openai", "gpt-5.4-mini"),
    ("azure", "gpt-5.4-mini"),
    ("azure_ai", "claude-sonnet-4-6"),
    ("anthropic", "claude-sonnet-4-6"),
    ("bedrock", "global.anthropic.claude-sonnet-4-6"),
    ("gemini", "gemini-3.5-flash"),
    ("vertex_ai", "gemini-3.5-flash"),
    ("mistral", "mistral-medium-latest"),
    ("cohere_chat", "command-a"),
    ("deepseek", "deepseek-v4-flash"),
    ("xai", "grok-4.3"),
    ("groq", "openai/gpt-oss-120b"),
    ("openrouter", "anthropic/claude-sonnet-4-6"),
    ("together_ai", "openai/gpt-oss-120b"),
    ("fireworks_ai", "accounts/fireworks/models/gpt-oss-120b"),
    ("moonshot", "kimi-k3"),
    ("zai", "glm-5.2"),
    ("minimax", "MiniMax-M2.7"),
    ("perplexity", "sonar-pro"),
];

/// A chat model that the provider serves and whose name begins in some way: one in general use, else the first of the
/// built-in prices that is not retired; if there is none that begins so, any.
fn example(provider: &str, begins: &str) -> Option<String> {
    let table = PriceTable::built_in().ok()?;
    let is_sold = |model: &str| !table.rows_of(model, Some(provider)).is_empty();
    let own = EXAMPLES.iter().find(|(known, _)| *known == provider).map(|(_, model)| *model);
    let others = || EXAMPLES.iter().map(|(_, model)| *model).filter(|model| is_sold(model));
    let listed = || {
        let rows = table.rows().iter().filter(|row| row.kind == "chat" && row.retired_on.is_none());
        rows.map(|row| row.model.as_str()).filter(|model| is_sold(model))
    };
    let suits = |model: &&str| model.starts_with(begins);
    let found = own.filter(suits).or_else(|| others().find(suits)).or_else(|| listed().find(suits));
    found.or(own).or_else(|| listed().next()).map(str::to_owned)
}

/// A text as a YAML scalar: plain where that reads back as the same text, quoted otherwise.
fn yaml(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
        );
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::litellm::wire;

    fn wire_of(text: &str) -> Wire {
        wire::read("config.yaml", text).0.unwrap()
    }

    #[test]
    fn groups_that_are_only_fallen_back_to_get_no_traffic() {
        let wire = wire_of(
            "model_list:\n  - {model_name: cheap, litellm_params: {model: deepseek/deepseek-chat}}\n  \
             - {model_name: \"big: one\", litellm_params: {model: openai/gpt-4o}}\n\
             litellm_settings: {fallbacks: [{cheap: [\"big: one\"]}]}\n",
        );
        let text = starter("x", "config.yaml", &wire);
        assert!(text.contains("\n  cheap:          # deepseek/deepseek-chat\n"), "{text}");
        assert!(!text.contains("big: one"), "{text}");
        assert!(text.contains("  # openai: {"), "{text}");
    }

    #[test]
    fn the_traffic_suits_what_a_model_is_for() {
        let wire = wire_of(
            "model_list:\n  - {model_name: chat, litellm_params: {model: openai/gpt-4o}}\n  \
             - {model_name: known, litellm_params: {model: openai/text-embedding-3-small}}\n  \
             - {model_name: said, litellm_params: {model: openai/mine}, model_info: {mode: embedding}}\n  \
             - {model_name: art, litellm_params: {model: openai/dall-e-3}, model_info: {mode: image_generation}}\n",
        );
        let text = starter("x", "config.yaml", &wire);
        let preset_of = |name: &str| {
            let (_, entry) = text.split_once(&format!("\n  {name}: ")).unwrap_or_else(|| panic!("{name}: {text}"));
            entry.split_once("preset: ").unwrap().1.lines().next().unwrap()
        };
        assert_eq!(["chat", "known", "said"].map(preset_of), ["chat", "embedding", "embedding"]);
        assert!(text.contains("\n  # art: image_generation, ") && !text.contains("\n  art:"), "{text}");
    }

    #[test]
    fn a_pattern_gets_a_model_of_its_provider() {
        let entry = |name: &str, model: &str| {
            format!("  - {{model_name: \"{name}\", litellm_params: {{model: \"{model}\"}}}}\n")
        };
        let entries = [
            entry("anthropic/*", "anthropic/*"),
            entry("claude-*", "anthropic/claude-*"),
            entry("gpt-4o", "openai/gpt-4o"),
        ];
        let text = starter("x", "config.yaml", &wire_of(&format!("model_list:\n{}", entries.concat())));
        assert!(text.contains("model: anthropic/claude-") && text.contains("model: claude-"), "{text}");
        assert!(!text.contains("claude-claude") && !text.contains("anthropic/gpt"), "{text}");
        for (pattern, model, picked) in [
            ("vertex_ai/*", "vertex_ai/*", "vertex_ai/gemini-3.5-flash"),
            ("vertex_ai/claude-*", "vertex_ai/claude-*", "vertex_ai/claude-sonnet-4-6"),
            ("groq/*", "groq/*", "groq/openai/gpt-oss-120b"),
            ("openrouter/anthropic/*", "openrouter/anthropic/*", "openrouter/anthropic/claude-sonnet-4-6"),
            ("bedrock/*", "bedrock/*", "bedrock/global.anthropic.claude-sonnet-4-6"),
            ("openai/gpt-*", "openai/gpt-*", "openai/gpt-5.4-mini"),
            ("*", "*", "gpt-5.4-mini"),
        ] {
            let text = starter("x", "config.yaml", &wire_of(&format!("model_list:\n{}", entry(pattern, model))));
            assert!(text.contains(&format!("    model: {picked}\n")), "{pattern}: {text}");
        }
    }

    #[test]
    fn examples_are_priced_and_not_retired() {
        let book = crate::pricing::PriceBook::built_in().unwrap();
        let newest = PriceTable::built_in().unwrap().rows().iter().map(|row| row.as_of).max().unwrap();
        let at = newest.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        for (provider, model) in EXAMPLES {
            assert!(book.lookup(model, Some(provider), at).known().is_some(), "{provider} {model}: no price");
            assert!(book.retirement(model, Some(provider)).is_none(), "{provider} {model}: retired");
        }
    }

    #[test]
    fn where_all_groups_are_targets_the_first_gets_traffic() {
        let wire = wire_of(
            "model_list:\n  - {model_name: a, litellm_params: {model: openai/gpt-4o}}\n  \
             - {model_name: b, litellm_params: {model: openai/gpt-4o-mini}}\n\
             router_settings: {fallbacks: [{a: [b]}, {b: [a]}]}\n",
        );
        let text = starter("x", "config.yaml", &wire);
        assert!(text.contains("\n  a: ") && !text.contains("\n  b: "), "{text}");
    }

    #[test]
    fn any_name_reads_back() {
        for name in ["gpt-4o", "a: b", "#x", "on", "1.5", "*", "ü \"q\"", "line\nbreak"] {
            let read: String = serde_saphyr::from_str(&yaml(name)).unwrap();
            assert_eq!(read, name);
        }
    }
}

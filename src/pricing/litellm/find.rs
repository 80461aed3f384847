//! Which entry of the map LiteLLM 1.102.4 prices a call with (`cost_calculator.py:cost_per_token`, then
//! `utils.py:_get_model_info_helper`).

use std::borrow::Cow;
use std::sync::LazyLock;

use super::name::{azure_alias, databricks_endpoint, without_bedrock_route, without_version};
use super::providers::{is_provider, of_bare_key};
use super::{CostMap, MapEntry, size_class};
use crate::pricing::rule::Rule;
use crate::pricing::tariff::Tariff;
use crate::units::UnitPrice;

/// The entry a call is priced with.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<'m> {
    /// The entry.
    pub entry: &'m MapEntry,
    /// The provider the call is made with, which selects the rule.
    pub provider: String,
    /// Price of every input token on top.
    pub input_fee: UnitPrice,
}

impl<'m> Found<'m> {
    /// The entry's prices under the provider's rule.
    pub fn into_tariff(self) -> Tariff<'m> {
        let rule = Rule::of_litellm(&self.provider);
        Tariff { input_fee: self.input_fee, ..Tariff::new(&self.entry.key, Cow::Borrowed(&self.entry.card), rule) }
    }
}

impl CostMap {
    /// The entry for a call to `model` with an explicit provider or one inferred from the name. None: LiteLLM raises
    /// "isn't mapped yet", and the proxy reports a cost of zero.
    pub fn find(&self, model: &str, provider: Option<&str>) -> Option<Found<'_>> {
        let (model, provider, name) = self.cost_key(model, provider)?;
        let entry = match provider.as_str() {
            // Looked up over the network, and priced at zero whatever it finds.
            "huggingface" => return None,
            "databricks" => self.entry_for(databricks_endpoint(&name), &provider),
            "fireworks_ai" => {
                self.entry_for(&name, &provider).or_else(|| self.entry_for(size_class::fireworks(&name), &provider))
            }
            "vertex_ai" => self.entry_for(after_slash(&model), &provider),
            "azure_ai" => self.entry_for(&name, &provider).or_else(|| is_azure_router(&name).then(|| &*FEE_ALONE)),
            _ => self.entry_for(&name, &provider),
        }?;
        let input_fee = if provider == "azure_ai" { self.router_fee(&name)? } else { UnitPrice::ZERO };
        Some(Found { entry, provider, input_fee })
    }

    /// The provider LiteLLM infers for a name, and the name without its prefix (`get_llm_provider`).
    pub fn infer_provider(&self, model: &str) -> Option<(String, String)> {
        if let Some((prefix, rest)) = model.split_once('/')
            && is_provider(prefix)
        {
            return match prefix {
                // Other makers' models on Azure speak OpenAI's protocol, and keep their whole name.
                "azure" if self.is_foreign_on_azure(rest) => Some((model.to_owned(), "openai".to_owned())),
                _ => Some((rest.to_owned(), renamed(self, prefix, rest))),
            };
        }
        let entry = self.exact(model).and_then(|entry| entry.provider.as_deref());
        let provider = match entry.and_then(of_bare_key) {
            // A fine-tuned model is known by its pattern only.
            Some("openai") if model.starts_with("ft:") => provider_of_pattern(model)?,
            Some(provider) => provider,
            None => provider_of_pattern(model)?,
        };
        Some((model.to_owned(), renamed(self, provider, model)))
    }

    fn is_foreign_on_azure(&self, model: &str) -> bool {
        let of = |key: &str| self.exact(key).and_then(|entry| entry.provider.as_deref());
        of(model) == Some("cohere_chat") || of(&format!("mistral/{model}")) == Some("mistral")
    }

    /// The model without repeated prefixes, the provider, and the key `cost_per_token` settles on.
    fn cost_key(&self, model: &str, provider: Option<&str>) -> Option<(String, String, String)> {
        let Some(provider) = provider else {
            let (_, provider) = self.infer_provider(model)?;
            return Some((model.to_owned(), provider, self.first_known(model, model)));
        };
        let prefix = format!("{provider}/");
        let mut model = model;
        while let Some(rest) = model.strip_prefix(&prefix).filter(|rest| rest.starts_with(&prefix)) {
            model = rest;
        }
        let full = if model.starts_with(&prefix) { model.to_owned() } else { format!("{prefix}{model}") };
        Some((model.to_owned(), provider.to_owned(), self.first_known(&full, model)))
    }

    /// The first that is a key of the map: the name with its provider, as given, without its first segment.
    fn first_known(&self, full: &str, model: &str) -> String {
        let candidates = [full, model, after_slash(model)];
        candidates.into_iter().find(|name| self.exact(name).is_some()).unwrap_or(model).to_owned()
    }

    /// `_get_model_info_helper`: six spellings of the name, each accepted only if the entry's provider fits.
    fn entry_for(&self, model: &str, provider: &str) -> Option<&MapEntry> {
        let provider = if provider == "vertex_ai_beta" { "vertex_ai" } else { provider };
        let model = self.vertex_spelling(azure_alias(model), provider);
        let prefix = format!("{provider}/");
        let has_prefix = model.starts_with(&prefix);
        let split = if has_prefix { after_slash(&model) } else { &model };
        let stripped = without_version(split, provider);
        let bedrock = matches!(provider, "bedrock" | "bedrock_converse");
        let candidates = [
            if has_prefix { model.clone() } else { format!("{prefix}{model}") },
            model.clone(),
            if bedrock { without_bedrock_route(split).to_owned() } else { split.to_owned() },
            format!("{prefix}{stripped}"),
            stripped.clone(),
            format!("{prefix}{model}"),
        ];
        candidates.iter().find_map(|name| self.any_case(name).filter(|entry| fits(entry, provider)))
    }

    /// Vertex AI lists Llama under `meta/` and some models under `@latest`.
    fn vertex_spelling(&self, model: &str, provider: &str) -> String {
        let listed = |name: &str, families: &[&str]| {
            [name, &format!("vertex_ai/{name}")]
                .into_iter()
                .filter_map(|key| self.exact(key))
                .any(|entry| entry.provider.as_deref().is_some_and(|provider| families.contains(&provider)))
        };
        let (meta, latest) = (format!("meta/{model}"), format!("{model}@latest"));
        if provider == "vertex_ai" && listed(&meta, &["vertex_ai-llama_models"]) {
            meta
        } else if provider == "vertex_ai" && listed(&latest, &["vertex_ai-mistral_models", "vertex_ai-ai21_models"]) {
            latest
        } else {
            model.to_owned()
        }
    }

    /// Azure's model router costs a fee on every input token (`llms/azure_ai/cost_calculator.py`): the input price of
    /// the entry for the router itself, whose own calls bear no further fee. None when the map has no such entry.
    fn router_fee(&self, model: &str) -> Option<UnitPrice> {
        if !is_azure_router(model) || is_router_entry(model) {
            return Some(UnitPrice::ZERO);
        }
        self.entry_for("model_router", "azure_ai").map(|entry| entry.card.standard().input.unwrap_or_default())
    }
}

/// A router deployment that the map does not know costs the router's fee and nothing else.
static FEE_ALONE: LazyLock<MapEntry> = LazyLock::new(MapEntry::default);

fn is_azure_router(model: &str) -> bool {
    let model = model.to_lowercase();
    model.contains("model-router") || model.contains("model_router")
}

/// Whether this names the router's own entry.
fn is_router_entry(model: &str) -> bool {
    let model = model.to_lowercase();
    let name = model.strip_prefix("azure_ai/").unwrap_or(&model);
    matches!(name, "model-router" | "model_router")
}

/// Providers whose chat or text models have a provider of their own.
fn renamed(map: &CostMap, provider: &str, model: &str) -> String {
    let is_cohere_chat = || {
        map.exact(model).or_else(|| map.exact(&format!("cohere_chat/{model}"))).and_then(|e| e.provider.as_deref())
            == Some("cohere_chat")
    };
    match provider {
        "ai21" => "ai21_chat".to_owned(),
        "cohere" if is_cohere_chat() => "cohere_chat".to_owned(),
        "anthropic" if matches!(model, "claude-2" | "claude-instant-1") => "anthropic_text".to_owned(),
        _ => provider.to_owned(),
    }
}

/// Names that LiteLLM routes by pattern.
fn provider_of_pattern(model: &str) -> Option<&'static str> {
    let bedrock = model.find("anthropic.claude-").is_some_and(|at| {
        let head = &model[..at];
        head.is_empty()
            || head.strip_suffix('.').is_some_and(|region| {
                !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            })
    });
    match model {
        _ if model.contains("ft:gpt-3.5-turbo") || model.contains("ft:gpt-4") => Some("openai"),
        _ if model.starts_with("gpt-image") => Some("openai"),
        _ if bedrock => Some("bedrock"),
        _ if is_new_claude(model) => Some("anthropic"),
        _ => None,
    }
}

/// `claude-NAME-N` or `claude-NAME-N-M`, with or without a date of eight digits behind it.
fn is_new_claude(model: &str) -> bool {
    let model = model.to_ascii_lowercase();
    let Some((family, version)) = model.strip_prefix("claude-").and_then(|rest| rest.split_once('-')) else {
        return false;
    };
    let number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = version.split(['-', '.']).collect();
    let has_shape = match parts.as_slice() {
        [_] | [_, _] => true,
        [_, _, date] => date.len() == 8,
        _ => false,
    };
    has_shape && parts.iter().all(number) && !family.is_empty() && family.bytes().all(|b| b.is_ascii_lowercase())
}

/// `_check_provider_match`.
fn fits(entry: &MapEntry, provider: &str) -> bool {
    let Some(of_entry) = entry.provider.as_deref().filter(|of_entry| *of_entry != provider) else { return true };
    match provider {
        "vertex_ai" | "fireworks_ai" => of_entry.starts_with(provider),
        "litellm_proxy" | "github" => true,
        "azure_ai" => matches!(of_entry, "azure" | "openai"),
        _ => provider.starts_with("bedrock") && of_entry.starts_with("bedrock"),
    }
}

fn after_slash(model: &str) -> &str {
    model.split_once('/').map_or(model, |(_, rest)| rest)
}

//! `model_list`: one entry is one deployment.

use crate::diagnostic::codes;
use crate::diagnostic::{Severity, Span};
use crate::document::{Entry, Node, Value};
use crate::gateway::litellm::client::Client;
use crate::gateway::litellm::params::{Asked, NotTaken, cache_text};
use crate::gateway::litellm::wire::Section;
use crate::gateway::litellm::wire::mock::Mock;
use crate::gateway::litellm::wire::nearest::nearest;
use crate::gateway::litellm::wire::provider::{by_endpoint, prefixes, provider_of, unknown_prefix};
use crate::gateway::litellm::wire::settings::AllowedFailsPolicy;
use crate::gateway::litellm::wire::value::{Endpoint, FromNode, Reader, Secret, Spanned};
use crate::gateway::litellm::wire::value::{field, section, shown, spanned};
use crate::units::{Money, UnitPrice};

/// One deployment as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// The whole entry.
    pub span: Span,
    /// The group it belongs to.
    pub model_name: Spanned<String>,
    /// How it is called.
    pub litellm_params: LitellmParams,
    /// What is known about it.
    pub model_info: ModelInfo,
    /// `rpm` and `tpm` beside `litellm_params`.
    pub limits_beside: [Option<Spanned<i64>>; 2],
    /// Prices written in `litellm_params`; they win over those of `model_info`.
    pub params_prices: Prices,
    /// Prices written in `model_info`.
    pub info_prices: Prices,
    /// What `litellm_params` says of parameters that its provider may not take.
    pub asked: Asked,
    /// Answers of its that are made up.
    pub mock: Mock,
    /// Its own parameters that keep its answers apart from others in the response cache.
    pub cache_text: String,
    /// The provider as the gateway finds it.
    pub provider: Option<&'static str>,
    /// It is the provider of every model that is called there: it is named, or its address is known.
    pub has_one_provider: bool,
    /// The gateway leaves this deployment out when it starts.
    pub dropped: bool,
}

/// The price keys (`…_cost…`) of a deployment by name: US dollars for one unit.
pub type Prices = Vec<(String, Spanned<UnitPrice>)>;

section! {
    /// `litellm_params`.
    LitellmParams in LitellmParams {
        /// Provider prefix and model, e.g. `openai/gpt-4o`.
        model: String,
        /// The credential; only its presence is kept.
        api_key: Secret,
        /// Where the upstream is.
        api_base: Endpoint,
        /// The provider, instead of a prefix of `model`.
        custom_llm_provider: String,
        /// The model to price by; goes before that of `model_info`.
        base_model: String,
        /// Requests a minute.
        rpm: i64,
        /// Tokens a minute.
        tpm: i64,
        /// Weight of simple-shuffle.
        weight: f64,
        /// Rank within the group; lower goes first.
        order: f64,
        /// Longest gap between bytes, in seconds.
        timeout: f64,
        /// The same for streams.
        stream_timeout: f64,
        /// The same, read after `timeout`.
        request_timeout: f64,
        /// Retries of the provider's SDK; without effect behind the router.
        max_retries: i64,
        /// Retries of the router for this deployment.
        num_retries: i64,
        /// Calls at the same time; more wait.
        max_parallel_requests: i64,
        /// Seconds that the deployment rests after a trip.
        cooldown_time: f64,
        /// Budget of the deployment in US dollars; needs `budget_duration`.
        max_budget: Money,
        /// Its period, e.g. `1d`.
        budget_duration: String,
        /// Fallbacks inside each attempt, run by the SDK.
        fallbacks: Vec<Spanned<InnerFallback>>,
        /// Default for the request's `max_tokens`.
        max_tokens: i64,
        /// Without effect: the request decides.
        stream: bool,
        /// Breaks every call while responses are cached.
        cache: bool,
        /// Requests a minute that each key may send to this group.
        default_api_key_rpm_limit: i64,
        /// Tokens a minute of each key.
        default_api_key_tpm_limit: i64,
        /// Tags for tag routing.
        tags: Vec<Spanned<String>>,
        /// Region, for pre-call checks.
        region_name: String,
        /// Not read for cooldowns.
        allowed_fails: i64,
        /// Organisations; a list makes one deployment of each.
        organization: Organizations,
    }
}

section! {
    /// `model_info`.
    ModelInfo in ModelInfo {
        /// The deployment's id.
        id: Id,
        /// `chat`, `embedding`, ….
        mode: String,
        /// The model to price by.
        base_model: String,
        /// Context window.
        max_input_tokens: i64,
        /// Longest output.
        max_output_tokens: i64,
        /// Context window or longest output, in older files.
        max_tokens: i64,
        /// Seconds that the deployment rests after a trip; wins over all others.
        cooldown_time: f64,
        /// Failures before a trip.
        allowed_fails: i64,
        /// The same by kind of error.
        allowed_fails_policy: AllowedFailsPolicy,
        /// Whether requests are priced by the region that serves them.
        region_name: String,
        /// Rank within the group, where `litellm_params` has none.
        order: f64,
        /// Requests a minute, where `litellm_params` has none.
        rpm: i64,
        /// Tokens a minute, likewise.
        tpm: i64,
        /// An administrator has paused it.
        blocked: bool,
        /// Environments in which the deployment exists.
        supported_environments: Vec<Spanned<String>>,
    }
}

/// An entry of `litellm_params.fallbacks`: a model, or a map with parameters for it; without a `model` it is the
/// deployment's own (`litellm_core_utils/fallback_utils.py`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InnerFallback {
    /// The model, if one is named.
    pub model: Option<String>,
    /// The parameters of the map.
    pub asked: Asked,
}

/// How many organisations a deployment is written for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organizations(pub usize);

/// A deployment's id: text, or a number read as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id(pub String);

impl Deployment {
    /// Gives the deployment an id if none is written.
    pub fn name_if_nameless(&mut self, id: &str) {
        let span = self.span;
        self.model_info.id.get_or_insert_with(|| Spanned { value: Id(id.to_owned()), span });
    }

    /// Reads one entry of `model_list`; `None` when nothing can be made of it.
    pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        reader.dropped = false;
        reader.within(Section::Deployment, |reader| Self::read_entry(node, reader))
    }

    fn read_entry(node: &Node, reader: &mut Reader) -> Option<Self> {
        if !matches!(node.value, Value::Map(_)) {
            reader.wrong(node, "a map with `model_name` and `litellm_params`");
            return None;
        }
        let name = required(node, "model_name", reader)?;
        let model_name = reader.at_key("model_name", |reader| spanned(name, reader))?;
        let params = required(node, "litellm_params", reader)?;
        let info = node.get("model_info");
        // Here even an empty value is too much for the gateway.
        for part in [Some(params), info].into_iter().flatten().filter(|part| !matches!(part.value, Value::Map(_))) {
            reader.wrong(part, "a map");
        }
        let mut litellm_params = LitellmParams::from_node(params, reader)?;
        // Limits beside `litellm_params` count when there are none inside.
        let limits_beside = ["rpm", "tpm"].map(|key| field::<i64>(node, key, reader));
        let [rpm, tpm] = &limits_beside;
        litellm_params.rpm = litellm_params.rpm.or_else(|| rpm.clone());
        litellm_params.tpm = litellm_params.tpm.or_else(|| tpm.clone());
        if litellm_params.model.is_none() && params.get("model").is_none_or(Node::is_null) {
            reader.missing(params, "model");
        }
        let info = info.filter(|info| matches!(info.value, Value::Map(_)));
        let model_info = info.and_then(|info| ModelInfo::from_node(info, reader)).unwrap_or_default();
        let params_prices = prices(params, Section::LitellmParams, reader);
        let info_prices = info.map(|info| prices(info, Section::ModelInfo, reader)).unwrap_or_default();
        if let Some(tier) = info.and_then(|info| info.get("tier")) {
            check_tier(tier, reader);
        }
        let provider = provider(&litellm_params, params, reader);
        let api_base = params.get("api_base").and_then(Node::as_str);
        let has_one_provider = litellm_params.custom_llm_provider.as_ref().is_some_and(|name| !name.value.is_empty())
            || api_base.and_then(by_endpoint).is_some();
        let (asked, cache_text) = (Asked::read(params), cache_text(params));
        let dropped = reader.dropped;
        let span = node.span;
        Some(Self {
            span,
            model_name,
            litellm_params,
            model_info,
            limits_beside,
            params_prices,
            info_prices,
            asked,
            mock: Mock::read(params),
            cache_text,
            provider,
            has_one_provider,
            dropped,
        })
    }
}

impl Deployment {
    /// The model that is called, as it is written.
    pub fn model(&self) -> &str {
        self.litellm_params.model.as_ref().map_or("", |model| &model.value)
    }

    /// The model to price by, where one is given.
    pub fn base_model(&self) -> Option<&str> {
        self.params_base_model().or(self.info_base_model())
    }

    /// `litellm_params.base_model`.
    pub fn params_base_model(&self) -> Option<&str> {
        self.litellm_params.base_model.as_ref().map(|base| base.value.as_str())
    }

    /// `model_info.base_model`.
    pub fn info_base_model(&self) -> Option<&str> {
        self.model_info.base_model.as_ref().map(|base| base.value.as_str())
    }

    /// The parameters that its provider does not take for a model that it calls; at Azure, those of a `base_model` are
    /// taken as well (`get_supported_openai_params.py`; elsewhere too, but no other provider's models differ so much).
    pub fn not_taken(&self, model: &str) -> NotTaken {
        self.not_taken_at(self.provider.unwrap_or_default(), model)
    }

    /// The same for a model of another provider, as fallbacks inside an attempt may name one.
    pub fn not_taken_at(&self, provider: &str, model: &str) -> NotTaken {
        let of_base = self.base_model().filter(|_| provider == "azure").map(|base| NotTaken::of(provider, base));
        let own = NotTaken::of(provider, model);
        of_base.map_or(own, |of_base| own.and(of_base))
    }

    /// The provider of a model that a name fills in, where the gateway can tell it.
    pub fn provider_of_model(&self, model: &str) -> Option<&'static str> {
        self.provider.filter(|_| self.has_one_provider).or_else(|| provider_of(model, None, None)).or_else(|| {
            // Only what the user has a handler for has another prefix.
            self.provider.filter(|provider| *provider == OWN_PROVIDER && !model.starts_with('*'))
        })
    }

    /// With what its provider is called.
    pub fn client(&self) -> Client {
        Client::of(self.provider.unwrap_or_default(), self.model())
    }
}

fn required<'a>(node: &'a Node, key: &str, reader: &mut Reader) -> Option<&'a Node> {
    let found = node.get(key).filter(|value| !value.is_null());
    if found.is_none() {
        reader.missing(node, key);
    }
    found
}

/// `model_info.tier` is checked to be one of two words.
fn check_tier(tier: &Node, reader: &mut Reader) {
    if !tier.is_null() && !matches!(tier.as_str(), Some("free" | "paid")) {
        reader.within(Section::ModelInfo, |reader| {
            reader.at_key("tier", |reader| reader.wrong(tier, "`free` or `paid`"))
        });
    }
}

/// What all providers are called for which there is a handler of the user's own
/// (`litellm_settings.custom_provider_map`): nothing is known of them, and they are called like plain ones.
const OWN_PROVIDER: &str = "custom_handler";

/// The provider; a deployment whose provider the gateway cannot tell is dropped.
fn provider(params: &LitellmParams, node: &Node, reader: &mut Reader) -> Option<&'static str> {
    let Some(model) = &params.model else {
        reader.dropped = true;
        return None;
    };
    let custom =
        params.custom_llm_provider.as_ref().map(|custom| custom.value.as_str()).filter(|name| !name.is_empty());
    let api_base = node.get("api_base").and_then(Node::as_str);
    let prefix = model.value.split_once('/').map(|(prefix, _)| prefix);
    let is_own = custom.or(prefix).is_some_and(|name| reader.own_providers.iter().any(|own| own == name));
    let found = provider_of(&model.value, custom, api_base).or(is_own.then_some(OWN_PROVIDER));
    if found.is_none() {
        reader.dropped = true;
        let message = "the gateway cannot tell the provider of this model and leaves the deployment out".to_owned();
        let help = provider_help(&model.value);
        reader.report(codes::DROPPED_DEPLOYMENT, Severity::Warning, model.span, message, Some(&help));
    }
    found
}

fn provider_help(model: &str) -> String {
    match unknown_prefix(model) {
        Some(prefix) => match nearest(prefix, prefixes()) {
            Some(near) => format!("`{}` is no provider; did you mean `{near}/…`?", shown(prefix)),
            None => format!("`{}` is no provider: write e.g. `anthropic/…` or `openai/…`", shown(prefix)),
        },
        None => "write the provider in front, e.g. `openai/…`".to_owned(),
    }
}

/// All keys that are prices: US dollars for one unit.
fn prices(node: &Node, section: Section, reader: &mut Reader) -> Prices {
    // The one price that is a map.
    let is_price = |entry: &&Entry| entry.key.contains("_cost") && &*entry.key != "search_context_cost_per_query";
    let price = |entry: &Entry, reader: &mut Reader| {
        reader.at_key("input_cost_per_token", |reader| spanned(&entry.value, reader))
    };
    let entries = node.entries().iter().filter(is_price);
    reader.within(section, |reader| {
        entries.filter_map(|entry| Some((entry.key.to_string(), price(entry, reader)?))).collect()
    })
}

impl FromNode for InnerFallback {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        match node.value {
            Value::Str(_) | Value::Map(_) => {
                let model = node.as_str().or_else(|| node.get("model")?.as_str());
                Some(Self { model: model.map(str::to_owned), asked: Asked::read(node) })
            }
            _ => {
                reader.wrong(node, "the name of a model, or a map with a `model`");
                None
            }
        }
    }
}

impl FromNode for Organizations {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Str(_) => Some(Self(1)),
            Value::Seq(items) if items.iter().all(|item| item.as_str().is_some()) => Some(Self(items.len())),
            _ => {
                reader.wrong(node, "text, or a list of texts");
                None
            }
        }
    }
}

impl FromNode for Id {
    fn from_node(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Int(number) => Some(Self(number.to_string())),
            Value::Bool(value) => Some(Self(if *value { "True" } else { "False" }.to_owned())),
            _ => String::from_node(node, reader).map(Self),
        }
    }
}

//! The requests of a case.

use super::access::{Granted, fallback_names, refusal};
use super::content::{Tokenizer, content, counted};
use super::fields::Reader;
use super::{CaseRequest, Departure};
use crate::document::{Node, Value};
use crate::gateway::litellm::lower::RequestParams;
use crate::gateway::litellm::params::{self, Asked};
use crate::gateway::litellm::plan::{CacheControl, Layer};
use crate::gateway::litellm::wire::{
    FEWER_CALLS, MOST_TRIES, Mock, OwnFallbacks, Reach, RetryPolicy, Seconds, Spanned, python_digits, python_float,
};
use crate::units::{BodyId, KeyId, PromptId, SimDuration, SimTime, Tokens};
use std::collections::HashMap;

/// The recorder's master key, which requests without a `key` have.
const MASTER_KEY: &str = "sk-1234";
/// Requests that one case may have.
const MOST_REQUESTS: usize = 1_000_000;
/// Parameters that make up a failure or a pause: the proxy refuses a body with one, whatever it says
/// (`route_llm_request.py`) [T 235].
const MOCKS: [&str; 6] = [
    "mock_testing_fallbacks",
    "mock_testing_context_fallbacks",
    "mock_testing_content_policy_fallbacks",
    "mock_testing_rate_limit_error",
    "mock_timeout",
    "mock_delay",
];
/// Seconds from the start of a case to a request: the clock goes ten times as far in both directions.
const MOST_SECS: f64 = 1e9;

/// A request before its parts are numbered.
pub(super) struct Spec<'n> {
    pub id: String,
    at_secs: f64,
    node: &'n Node,
}

/// The requests in order of time; an entry with `n` stands for several.
pub(super) fn expand<'n>(list: &'n Node, reader: &mut Reader) -> Vec<Spec<'n>> {
    if !matches!(list.value, Value::Seq(_)) {
        reader.expected(list, "a list of requests");
    }
    let mut specs = Vec::new();
    for node in list.items() {
        let n = reader.count(node, "n").unwrap_or(1) as usize;
        let (from, every) = (reader.number(node, "t").unwrap_or(0.0), reader.number(node, "every").unwrap_or(0.0));
        let own_id = reader.text(node, "id");
        if specs.len() + n > MOST_REQUESTS {
            reader.nonsense(node, "a case may have a million requests at most");
            return specs;
        }
        let last = from + n.saturating_sub(1) as f64 * every;
        if !(from.abs() <= MOST_SECS && last.abs() <= MOST_SECS) {
            reader.nonsense(node, "requests may be a billion seconds from the start of a case at most");
            return specs;
        }
        for i in 0..n {
            let at_secs = ((from + i as f64 * every) * 1e6).round() / 1e6;
            let id = match &own_id {
                Some(id) if n == 1 => id.clone(),
                prefix => format!("{}{:04}", prefix.as_deref().unwrap_or("r"), specs.len()),
            };
            specs.push(Spec { id, at_secs, node });
        }
    }
    specs.sort_by(|a, b| a.at_secs.total_cmp(&b.at_secs));
    specs
}

/// Numbers bodies, prompts and keys.
pub(super) fn finish(
    specs: &[Spec<'_>],
    keys: &[Granted],
    (layer, takes_credentials): (Layer, bool),
    reach: Reach,
    reader: &mut Reader,
) -> (Vec<CaseRequest>, Vec<RequestParams>) {
    let mut numbering = Numbering { layer, takes_credentials, reach: Some(reach), ..Numbering::default() };
    let requests = specs.iter().filter_map(|spec| numbering.request(spec, keys, reader)).collect();
    (requests, numbering.bodies)
}

/// Numbers given so far.
#[derive(Default)]
struct Numbering {
    layer: Layer,
    /// `allow_client_side_credentials`: no body is refused for what it holds.
    takes_credentials: bool,
    /// What the config alone can make of a request.
    reach: Option<Reach>,
    bodies: Vec<RequestParams>,
    prompts: HashMap<String, u64>,
    classes: HashMap<String, u32>,
    /// Entries with `n` are read once.
    by_node: HashMap<usize, CaseRequest>,
}

impl Numbering {
    fn request(&mut self, spec: &Spec<'_>, keys: &[Granted], reader: &mut Reader) -> Option<CaseRequest> {
        let at = SimTime::from_secs_f64(spec.at_secs);
        let entry = spec.node.span.start;
        let request = match self.by_node.get(&entry) {
            Some(known) => CaseRequest { id: spec.id.clone(), at, ..known.clone() },
            None => {
                let request = CaseRequest { id: spec.id.clone(), at, ..self.read(spec.node, keys, reader)? };
                self.by_node.insert(entry, request.clone());
                request
            }
        };
        if self.layer == Layer::Router {
            return Some(request);
        }
        let granted = &keys[request.key.index()];
        let turned_away = granted.turns_away(&request.model, at);
        let model = granted.renamed(&request.model).to_owned();
        let body = match turned_away {
            Some(_) => self.number(RequestParams { turned_away, ..RequestParams::default() }),
            None => request.body,
        };
        Some(CaseRequest { model, body, ..request })
    }

    fn read(&mut self, node: &Node, keys: &[Granted], reader: &mut Reader) -> Option<CaseRequest> {
        reader.required(node, "model")?;
        let model = reader.text(node, "model")?;
        let prompt_tokens = reader.count(node, "prompt_tokens").unwrap_or(100);
        let content = content(node, prompt_tokens, reader);
        let params = node.get("params");
        let reserving = Tokenizer::of(&model);
        let key = key(node, keys, reader);
        let body = self.body(node, (params, &model), &keys[key.index()], reader);
        let next_prompt = self.prompts.len() as u64;
        // No prompt begins so.
        let own_key = params.and_then(own_cache_key).map(|key| format!("\0{key}"));
        let prompt = *self.prompts.entry(own_key.unwrap_or_else(|| content.clone())).or_insert(next_prompt);
        Some(CaseRequest {
            id: String::new(),
            at: SimTime::ZERO,
            model,
            key,
            body,
            prompt: PromptId(prompt),
            prompt_chars: content.chars().count() as u32,
            counted_tokens: Tokenizer::ALL.map(|tokenizer| counted(&content, tokenizer)),
            reserved_tokens: counted(&content, reserving),
            prompt_tokens,
            completion_tokens: reader.count(node, "completion_tokens").unwrap_or(20),
            max_tokens: params.and_then(|params| max_tokens(params, reader)),
            stream: reader.flag(node, "stream"),
            departure: departure(node, reader),
        })
    }

    fn body(
        &mut self,
        node: &Node,
        (params, model): (Option<&Node>, &str),
        granted: &Granted,
        reader: &mut Reader,
    ) -> BodyId {
        let said = Said::of(params, granted);
        let mut body = read_params(said, reader);
        body.session = named_session(params);
        if self.layer == Layer::Proxy {
            body.may_mock = granted.takes_mocks;
            body.checked_fallbacks = if granted.is_master() { Vec::new() } else { fallback_names(params) };
            body.is_overridden = said.settings.is_some();
            body.turned_away = params.filter(|_| !self.takes_credentials).and_then(refusal);
            body.is_key_fallbacks = granted.settings.is_some() && said.place("fallbacks") == said.settings;
            read_headers(node, &mut body, reader);
            body.asked_as = Some(model.to_owned()).filter(|model| granted.renamed(model) != model);
            body.tags = tags(node, params, granted);
            body.session = session(node, params);
            body.region = granted.region.clone().or(body.region);
            body.disable_fallbacks = granted.disable_fallbacks.unwrap_or(body.disable_fallbacks);
        }
        if asked_tries(&body) > MOST_TRIES {
            reader.nonsense(node, &format!("at most {MOST_TRIES} retries, and fallbacks so deep, are simulated"));
        } else if let Some(excess) = self.reach.and_then(|reach| with_body(reach, &body).excess()) {
            reader.nonsense(node, &format!("{excess}; {FEWER_CALLS}"));
        }
        let class = params.map(params::cache_text).unwrap_or_default();
        let namespace = params.and_then(|params| params.get("cache")?.get("namespace")?.as_str());
        // Those of a stream are another matter: the proxy adds to them.
        let options = params.filter(|_| !reader.flag(node, "stream")).and_then(|params| params.get("stream_options"));
        let options = options.filter(|options| !options.is_null()).map(params::text_of).unwrap_or_default();
        let class = format!("{}\n{class}\n{options}", namespace.unwrap_or_default());
        let next_class = self.classes.len() as u32;
        body.cache_class = *self.classes.entry(class).or_insert(next_class);
        self.number(body)
    }

    fn number(&mut self, body: RequestParams) -> BodyId {
        let found = self.bodies.iter().position(|known| *known == body);
        BodyId::from_index(found.unwrap_or_else(|| {
            self.bodies.push(body);
            self.bodies.len() - 1
        }))
    }
}

fn key(node: &Node, keys: &[Granted], reader: &mut Reader) -> KeyId {
    let Some(name) = reader.text(node, "key").filter(|name| name != MASTER_KEY) else { return KeyId(0) };
    let found = keys.iter().position(|key| key.name == name);
    if found.is_none()
        && let Some(place) = node.get("key")
    {
        // Not the nearest one: it may be a real one.
        reader.unknown_name(place.span, "`key`: there is no such key under `keys`", None);
    }
    KeyId::from_index(found.unwrap_or(0))
}

fn departure(node: &Node, reader: &mut Reader) -> Departure {
    let chunks = reader.count(node, "disconnect_after").filter(|chunks| *chunks > 0);
    let span = reader.number(node, "disconnect_at").map(SimDuration::from_secs_f64);
    match (chunks, span) {
        (Some(chunks), None) => Departure::AfterChunks(chunks),
        (Some(chunks), Some(span)) => Departure::AtFirst(span, chunks),
        (None, Some(span)) => Departure::After(span),
        (None, None) => Departure::Served,
    }
}

fn max_tokens(params: &Node, reader: &mut Reader) -> Option<Tokens> {
    reader.count(params, "max_tokens").or_else(|| reader.count(params, "max_completion_tokens"))
}

/// What a request says, and settings that stand in for what it does not say: those of its key or team, else those that
/// a body gives under `router_settings_override` (`route_llm_request.py`) [T 239, 262].
#[derive(Clone, Copy)]
struct Said<'n> {
    params: Option<&'n Node>,
    settings: Option<&'n Node>,
}

impl<'n> Said<'n> {
    fn of(params: Option<&'n Node>, granted: &'n Granted) -> Self {
        let own = || params.and_then(|params| params.get("router_settings_override"));
        Self { params, settings: granted.settings.as_ref().or_else(own) }
    }

    fn get(self, key: &str) -> Option<&'n Node> {
        self.params.and_then(|params| params.get(key))
    }

    /// Where a parameter stands that settings may also give.
    fn place(self, key: &str) -> Option<&'n Node> {
        self.settings.filter(|settings| self.get(key).is_none() && settings.get(key).is_some()).or(self.params)
    }
}

/// `model_group_retry_policy`.
fn group_policies(said: Said<'_>, reader: &mut Reader) -> Option<Vec<(String, RetryPolicy)>> {
    const KEY: &str = "model_group_retry_policy";
    let groups = said.place(KEY)?.get(KEY)?;
    let mut policy = |node: &Node| {
        let retries = node.entries().iter().filter_map(|entry| {
            let name = Spanned { value: entry.key.to_string(), span: entry.key_span };
            let value = reader.whole(node, &entry.key)?;
            Some((name, Spanned { value, span: entry.value.span }))
        });
        RetryPolicy(retries.collect())
    };
    Some(groups.entries().iter().map(|group| (group.key.to_string(), policy(&group.value))).collect())
}

fn read_params(said: Said<'_>, reader: &mut Reader) -> RequestParams {
    let fallbacks = |key: &str| said.place(key)?.get(key).map(OwnFallbacks::read);
    let timeout = said.place("timeout").and_then(|place| Seconds::read(place.get("timeout")));
    let of_body = |key: &str| said.params.and_then(|params| params.get(key));
    let request_timeout = || Seconds::read(of_body("request_timeout"));
    let is_int = |node: Option<&Node>| node.is_some_and(|node| matches!(node.value, Value::Int(_)));
    let of_place = said.place("timeout").and_then(|place| place.get("timeout"));
    let told = if timeout.is_some() { of_place } else { of_body("request_timeout") };
    let timeout = timeout.or_else(request_timeout);
    let stream_timeout = Seconds::read(of_body("stream_timeout"));
    RequestParams {
        num_retries: said.place("num_retries").and_then(|place| retries(place, reader)),
        timeout: timeout.and_then(Seconds::number),
        stream_timeout: stream_timeout.and_then(Seconds::number),
        unread_timeouts: [timeout, stream_timeout].map(|secs| secs == Some(Seconds::Unread)),
        whole_timeouts: [is_int(told), is_int(of_body("stream_timeout"))],
        fallbacks: fallbacks("fallbacks"),
        context_fallbacks: fallbacks("context_window_fallbacks"),
        policy_fallbacks: fallbacks("content_policy_fallbacks"),
        group_policies: group_policies(said, reader),
        ..said.params.map(|params| read_body(params, reader)).unwrap_or_default()
    }
}

fn read_body(params: &Node, reader: &mut Reader) -> RequestParams {
    let metadata_tags = params.get("metadata").and_then(|metadata| metadata.get("tags"));
    let tags = metadata_tags.or_else(|| params.get("tags")).map(Node::items).unwrap_or_default();
    RequestParams {
        disable_fallbacks: reader.flag(params, "disable_fallbacks"),
        max_fallbacks: match params.get("max_fallbacks") {
            // Its depth is compared with nothing, which fails.
            Some(null) if null.is_null() => Some(0),
            _ => reader.whole(params, "max_fallbacks"),
        },
        cooldown: reader.number(params, "cooldown_time"),
        tags: tags.iter().filter_map(Node::as_str).map(str::to_owned).collect(),
        cache: cache_control(params, reader),
        n: reader.count(params, "n"),
        has_stream_options: params.get("stream_options").is_some_and(|options| !options.is_null()),
        usage: params.get("stream_options").and_then(|options| is_true(options.get("include_usage")?)),
        asked: Asked::read(params),
        region: params.get("allowed_model_region").and_then(Node::as_str).map(str::to_owned),
        is_specific: params.get("specific_deployment").is_some_and(|flag| flag.value == Value::Bool(true)),
        mock: Mock::read(params),
        is_mock: MOCKS.iter().any(|key| params.get(key).is_some()),
        ..RequestParams::default()
    }
}

/// Retries: below zero there are none, and Python counts with truth values.
fn retries(node: &Node, reader: &mut Reader) -> Option<u32> {
    match reader.present(node, "num_retries")?.value {
        Value::Int(n) if n < 0 => Some(0),
        Value::Bool(one) => Some(u32::from(one)),
        _ => reader.count(node, "num_retries"),
    }
}

/// Headers that the proxy turns into parameters (`proxy/litellm_pre_call_utils.py`). One that is no number is an error
/// of the proxy's own [T 235].
fn read_headers(node: &Node, body: &mut RequestParams, reader: &mut Reader) {
    let Some(headers) = reader.present(node, "headers") else { return };
    for entry in headers.entries() {
        let Some(text) = entry.value.printed() else { continue };
        let is_read = match entry.key.to_ascii_lowercase().as_str() {
            "x-litellm-timeout" => {
                python_float(&text).map(|secs| (body.timeout, body.whole_timeouts[0]) = (Some(secs), false))
            }
            "x-litellm-stream-timeout" => {
                python_float(&text).map(|secs| (body.stream_timeout, body.whole_timeouts[1]) = (Some(secs), false))
            }
            "x-litellm-keepalive-seconds" => python_float(&text).map(drop),
            "x-litellm-num-retries" => python_int(&text).map(|n| body.num_retries = Some(n)),
            _ => Some(()),
        };
        body.is_unread |= is_read.is_none();
    }
}

/// A number as Python's `int` reads it; one below zero is none.
fn python_int(text: &str) -> Option<u32> {
    let number = python_digits(text)?.parse::<i128>().ok()?;
    Some(u32::try_from(number.max(0)).unwrap_or(u32::MAX))
}

/// The largest number of retries, or depth of fallbacks, that a body asks for.
fn asked_tries(body: &RequestParams) -> i64 {
    asked_retries(body).max(body.max_fallbacks.unwrap_or(0))
}

/// The largest number of retries that a body asks for.
fn asked_retries(body: &RequestParams) -> i64 {
    let fallbacks = [&body.fallbacks, &body.context_fallbacks, &body.policy_fallbacks];
    let targets = fallbacks.into_iter().flatten().flat_map(OwnFallbacks::targets);
    let of_targets = targets.filter_map(|target| target.num_retries?);
    let of_policies = body.group_policies.iter().flatten().flat_map(|(_, policy)| &policy.0);
    let all = body.num_retries.into_iter().map(i64::from).chain(of_targets);
    all.chain(of_policies.map(|(_, retries)| retries.value)).max().unwrap_or(0)
}

/// What the config and a body together can make of a request.
fn with_body(reach: Reach, body: &RequestParams) -> Reach {
    let own = [&body.fallbacks, &body.context_fallbacks, &body.policy_fallbacks];
    let targets = own.into_iter().flatten().flat_map(OwnFallbacks::targets).count();
    let tries = u64::try_from(asked_retries(body)).unwrap_or(0).saturating_add(1).max(reach.tries);
    Reach { tries, targets: reach.targets + targets as u64 }
}

/// The tags of a request: of its metadata, its key and team, and its body, or if that has none its headers. A body
/// with metadata gets the headers' tags there as well, before anybody asks for budgets
/// (`apply_client_tag_policy_pre_auth`) [T 224].
fn tags(node: &Node, params: Option<&Node>, granted: &Granted) -> Vec<String> {
    let of_body = |key: &str| params.and_then(|params| params.get(key));
    let texts = |tags: Option<&Node>| -> Vec<String> {
        tags.map(Node::items).unwrap_or_default().iter().filter_map(Node::as_str).map(str::to_owned).collect()
    };
    let headers = node.get("headers").map(Node::entries).unwrap_or_default();
    let header = headers.iter().find(|entry| entry.key.eq_ignore_ascii_case("x-litellm-tags"));
    let in_header: Vec<String> = header
        .and_then(|entry| entry.value.printed())
        .map(|text| text.split(',').map(|tag| tag.trim().to_owned()).collect())
        .unwrap_or_default();
    let metadata = [of_body("metadata"), of_body("litellm_metadata")];
    let slot = metadata[1].or(metadata[0]);
    let early =
        in_header.iter().filter(|tag| !tag.is_empty() && slot.is_some_and(|slot| matches!(slot.value, Value::Map(_))));
    let own = of_body("tags").filter(|tags| matches!(tags.value, Value::Seq(_)));
    let mut tags: Vec<String> =
        metadata.into_iter().flatten().flat_map(|metadata| texts(metadata.get("tags"))).collect();
    tags.extend(early.cloned());
    tags.extend(granted.tags.iter().cloned());
    tags.extend(if own.is_some() { texts(own) } else { in_header });
    tags
}

/// The session that a request belongs to: a header goes before what stands in the metadata [T 269].
fn session(node: &Node, params: Option<&Node>) -> Option<String> {
    let headers = node.get("headers").map(Node::entries).unwrap_or_default();
    let header = |name: &str| headers.iter().find(|entry| entry.key.eq_ignore_ascii_case(name))?.value.printed();
    let in_header = ["x-litellm-trace-id", "x-litellm-session-id"].into_iter().find_map(header);
    in_header.filter(|id| !id.is_empty()).or_else(|| named_session(params))
}

/// What stands in the metadata, which is all that the bare router has [T 289].
fn named_session(params: Option<&Node>) -> Option<String> {
    let metadata = ["litellm_metadata", "metadata"].into_iter().filter_map(|key| params?.get(key));
    metadata.filter_map(|metadata| metadata.get("session_id")).find_map(Node::printed)
}

/// What is not `true` is taken for `false`.
fn is_true(value: &Node) -> Option<bool> {
    Some(matches!(value.value, Value::Bool(true)))
}

/// `cache_key`; a number is another key than its text.
fn own_cache_key(params: &Node) -> Option<String> {
    let node = params.get("cache_key")?;
    match node.as_str() {
        Some("") => None,
        Some(text) => Some(format!("'{text}")),
        None => node.printed(),
    }
}

/// `cache` and `cache_key`, and `caching: false`, which keeps an answer but does not look for one [T 228].
/// Under no key nothing is kept.
fn cache_control(params: &Node, reader: &mut Reader) -> CacheControl {
    let is_off = params.get("caching").is_some_and(|caching| matches!(caching.value, Value::Bool(false)));
    let own_key = own_cache_key(params).is_some();
    let has_no_key = !own_key && params.get("cache_key").is_some();
    let plain = CacheControl { no_read: is_off, no_write: has_no_key, own_key, ..CacheControl::default() };
    let Some(node) = params.get("cache") else { return plain };
    let mut span = |key: &str| reader.number(node, key).map(SimDuration::from_secs_f64);
    let (ttl, max_age) = (span("ttl"), span("s-max-age").or_else(|| span("s-maxage")));
    CacheControl {
        ttl,
        max_age,
        no_read: plain.no_read || reader.flag(node, "no-cache"),
        no_write: plain.no_write || reader.flag(node, "no-store"),
        opt_in: reader.flag(node, "use-cache"),
        breaks: !is_off && !matches!(node.value, Value::Map(_)),
        ..plain
    }
}

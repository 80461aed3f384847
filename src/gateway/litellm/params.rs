//! Parameters of requests that a provider does not take: LiteLLM refuses such a request before the call with 400
//! (`utils.py:get_optional_params`), unless it is told to drop them [T 214–216].

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::document::{Entry, Node, Value};

use super::client::bare;
use super::wire::boolean_in;

/// The parameters that are told apart.
const NAMES: [&str; 19] = [
    "n",
    "temperature",
    OTHER_TEMPERATURE,
    "top_p",
    "stop",
    "max_tokens",
    "max_completion_tokens",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "response_format",
    "seed",
    "tools",
    "tool_choice",
    "logprobs",
    "top_logprobs",
    "parallel_tool_calls",
    "reasoning_effort",
    SENT_ALWAYS,
];

/// A temperature other than 1: models that reason take no other (`o_series_transformation.py`,
/// `gpt_5_transformation.py`) [T 232].
const OTHER_TEMPERATURE: &str = "temperature-but-1";

/// What the router adds to every call by itself: a provider that does not take it refuses everything [T 233].
const SENT_ALWAYS: &str = "max_retries";

static TABLE: LazyLock<Vec<(&str, Params)>> = LazyLock::new(|| {
    let rows = rows(include_str!("params.csv"));
    rows.filter_map(|row| row.split_once(',')).map(|(who, names)| (who, Params::named(names.split(' ')))).collect()
});

/// What is not taken, by provider and model.
type OfModels = HashMap<&'static str, HashMap<&'static str, Params>>;

/// What differs from that for single models.
static MODELS: LazyLock<OfModels> = LazyLock::new(|| {
    let mut all = OfModels::new();
    for row in rows(include_str!("params_of_models.csv")) {
        if let [provider, names, models] = row.split(',').collect::<Vec<_>>()[..] {
            let of_provider = all.entry(provider).or_default();
            of_provider.extend(models.split(' ').map(|model| (model, Params::named(names.split(' ')))));
        }
    }
    all
});

/// Levels of `reasoning_effort`; what is none of them is as good as the last.
const EFFORTS: [&str; 6] = ["none", "minimal", "low", "high", "xhigh", "medium"];

/// What is not taken beside a level of `reasoning_effort`, by provider and model.
type WithEffort = HashMap<&'static str, HashMap<&'static str, [Option<Params>; EFFORTS.len()]>>;

/// What differs from that for single models [T 272].
static WITH_EFFORT: LazyLock<WithEffort> = LazyLock::new(|| {
    let mut all = WithEffort::new();
    for row in rows(include_str!("params_with_effort.csv")) {
        if let [provider, levels, names, models] = row.split(',').collect::<Vec<_>>()[..] {
            let of_provider = all.entry(provider).or_default();
            for (model, level) in models.split(' ').flat_map(|model| levels.split(' ').map(move |level| (model, level)))
            {
                let places = of_provider.entry(model).or_default();
                places[place_of(level)] = Some(Params::named(names.split(' ')));
            }
        }
    }
    all
});

fn place_of(level: &str) -> usize {
    EFFORTS.iter().position(|known| *known == level).unwrap_or(EFFORTS.len() - 1)
}

/// The rows of a table, without its heading.
fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#')).skip(1)
}

/// Some of the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Params(u32);

impl Params {
    /// What a provider does not take for a model.
    pub fn not_taken(provider: &str, model: &str) -> Self {
        let name = bare(model, provider);
        if let Some(of_model) = MODELS.get(provider).and_then(|models| models.get(name)) {
            return *of_model;
        }
        let is_meant = |who: &str| match who.split_once('/') {
            Some((of, beginning)) => of == provider && name.starts_with(beginning),
            None => who == provider,
        };
        let rows = TABLE.iter().filter(|(who, _)| is_meant(who));
        rows.max_by_key(|(who, _)| who.len()).map(|(_, params)| *params).unwrap_or_default()
    }

    /// The same beside each level of `reasoning_effort`.
    fn not_taken_with_effort(provider: &str, model: &str) -> [Self; EFFORTS.len()] {
        let plain = Self::not_taken(provider, model);
        let found = WITH_EFFORT.get(provider).and_then(|models| models.get(bare(model, provider)));
        found.map_or([plain; EFFORTS.len()], |levels| levels.map(|params| params.unwrap_or(plain)))
    }

    /// Those of some names that are told apart.
    fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let bit = |name: &str| NAMES.iter().position(|known| *known == name).map_or(0, |place| 1 << place);
        Self(names.into_iter().fold(0, |params, name| params | bit(name)))
    }

    /// Those in both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `response_format` is among them.
    pub fn has_response_format(self) -> bool {
        self.names().any(|name| name == "response_format")
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let is_there = move |(place, name)| (self.0 >> place & 1 == 1).then_some(name);
        let said = |name| if name == OTHER_TEMPERATURE { "temperature" } else { name };
        NAMES.into_iter().enumerate().filter_map(is_there).map(said)
    }

    /// Those for which a request is refused although the module drops what is not taken [T 233].
    pub fn never_dropped(self) -> Self {
        self.and(Self::named([SENT_ALWAYS]))
    }

    /// These, and with the temperature any value of it.
    fn with_values(self) -> Self {
        let has_temperature = !self.and(Self::named(["temperature"])).is_empty();
        if has_temperature { self.or(Self::named([OTHER_TEMPERATURE])) } else { self }
    }
}

/// What a provider does not take for a model: without a `reasoning_effort`, and with each level of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NotTaken {
    plain: Params,
    with_effort: [Params; EFFORTS.len()],
}

impl NotTaken {
    /// What is not taken for a model.
    pub fn of(provider: &str, model: &str) -> Self {
        let with_effort = Params::not_taken_with_effort(provider, model);
        Self { plain: Params::not_taken(provider, model), with_effort }
    }

    /// What neither takes.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let with_effort = std::array::from_fn(|level| self.with_effort[level].and(other.with_effort[level]));
        Self { plain: self.plain.and(other.plain), with_effort }
    }

    /// Those for which a request is refused although the module drops what is not taken.
    #[must_use]
    pub fn never_dropped(self) -> Self {
        Self { plain: self.plain.never_dropped(), with_effort: self.with_effort.map(Params::never_dropped) }
    }

    /// Whether everything is taken.
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.with_effort.iter().all(|params| params.is_empty())
    }
}

/// What tells the answers of the response cache apart besides model, messages, `stream`, `stream_options` and
/// `max_tokens`: parameters of OpenAI's and Anthropic's endpoints (`litellm_core_utils/model_param_helper.py`).
const KEPT_APART_BY: &str = "audio background best_of cache_control chunking_strategy container context_management conversation dimensions \
    documents echo encoding_format file frequency_penalty function_call functions include inference_geo input \
    instruction instructions keywords known_speaker_names known_speaker_references language languages logit_bias \
    logprobs max_chunks_per_doc max_completion_tokens max_output_tokens max_tokens_per_doc max_tokens_per_query \
    max_tool_calls mcp_servers modalities moderation n output_config output_format parallel_tool_calls prediction \
    presence_penalty previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention query \
    rank_fields reasoning reasoning_effort response_format return_documents safeguards safety_identifier seed \
    service_tier speed stop stop_sequences store suffix system temperature text thinking timestamp_granularities \
    tool_choice tools top_k top_logprobs top_n top_p truncate_prompt_tokens truncation truncation_side user \
    verbosity web_search_options";

/// Those of a request, or of the `litellm_params` of a deployment, by which its answers are kept
/// apart from others, as text.
pub fn cache_text(params: &Node) -> String {
    let counts = |entry: &&Entry| KEPT_APART_BY.split(' ').any(|name| name == &*entry.key) && !entry.value.is_null();
    // The order in which they are written counts as well [T 228].
    let parts: Vec<String> = params
        .entries()
        .iter()
        .filter(counts)
        .map(|entry| match entry.value.as_str() {
            Some(text) => format!("{}={text}", entry.key),
            None => format!("{}={}", entry.key, text_of(&entry.value)),
        })
        .collect();
    parts.join("\n")
}

/// A value as text that tells it apart from others.
pub fn text_of(node: &Node) -> String {
    let named = |entry: &Entry| format!("{}:{}", entry.key, text_of(&entry.value));
    match &node.value {
        Value::Seq(items) => format!("[{}]", items.iter().map(text_of).collect::<Vec<_>>().join(",")),
        Value::Map(entries) => format!("{{{}}}", entries.iter().map(named).collect::<Vec<_>>().join(";")),
        Value::Str(text) => format!("'{text}'"),
        _ => node.printed().unwrap_or_default(),
    }
}

/// What a request, or the `litellm_params` of a deployment, says of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Asked {
    /// Those that are written.
    written: Params,
    /// Those of them that count: `n: 1` says nothing.
    meant: Params,
    /// `reasoning_effort`, by its place among the levels.
    effort: Option<u8>,
    /// `drop_params`.
    drops: Option<bool>,
    /// `additional_drop_params`.
    dropped: Option<Params>,
    /// `allowed_openai_params`.
    allowed: Option<Params>,
}

impl Asked {
    /// Reads a map of parameters.
    pub fn read(node: &Node) -> Self {
        let is_written = |name: &&str| node.get(name).is_some_and(|value| !value.is_null());
        let list = |key: &str| Some(Params::named(node.get(key)?.items().iter().filter_map(Node::as_str)));
        let written = Params::named(NAMES.into_iter().filter(is_written)).with_values();
        let ones = [("n", "n"), ("temperature", OTHER_TEMPERATURE)];
        let says_nothing = ones.into_iter().filter(|(key, _)| node.get(key).is_some_and(is_one)).map(|(_, name)| name);
        Self {
            written,
            meant: written.without(Params::named(says_nothing)),
            effort: node.get("reasoning_effort").and_then(effort),
            drops: node.get("drop_params").and_then(says),
            dropped: list("additional_drop_params").map(Params::with_values),
            allowed: list("allowed_openai_params").map(|names| names.without(Params::named([SENT_ALWAYS]))),
        }
    }

    /// Whether a `response_format` is written.
    pub fn wants_format(self) -> bool {
        self.written.has_response_format()
    }

    /// What both say together: a request goes before its deployment.
    #[must_use]
    pub fn before(self, deployment: Self) -> Self {
        Self {
            written: self.written.or(deployment.written),
            meant: self.meant.or(deployment.meant.without(self.written)),
            effort: self.effort.or(deployment.effort),
            drops: self.drops.or(deployment.drops),
            dropped: self.dropped.or(deployment.dropped),
            allowed: self.allowed.or(deployment.allowed),
        }
    }

    /// For which of the parameters that its provider does not take a request is refused, where the module's
    /// `drop_params` says nothing else.
    pub fn refused(self, not_taken: NotTaken) -> Params {
        let not_taken = self.effort.map_or(not_taken.plain, |level| not_taken.with_effort[usize::from(level)]);
        if self.drops == Some(true) {
            return Params::default();
        }
        let borne = self.dropped.unwrap_or_default().or(self.allowed.unwrap_or_default());
        self.meant.or(Params::named([SENT_ALWAYS])).without(borne).and(not_taken)
    }
}

/// A level, or a map with one.
fn effort(node: &Node) -> Option<u8> {
    let level = node.as_str().or_else(|| node.get("effort")?.as_str())?;
    Some(place_of(level) as u8)
}

/// `1`, as Python compares it.
fn is_one(node: &Node) -> bool {
    match &node.value {
        Value::Int(number) => *number == 1,
        Value::Bool(value) => *value,
        Value::Float(number) => number.value == 1.0,
        _ => false,
    }
}

/// `drop_params` may be text.
fn says(node: &Node) -> Option<bool> {
    match &node.value {
        Value::Bool(value) => Some(*value),
        Value::Int(number @ (0 | 1)) => Some(*number == 1),
        Value::Str(text) => boolean_in(text.trim()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{self, Format};
    use crate::gateway::litellm::wire::prefixes;
    use std::collections::BTreeSet;

    fn refused(request: &str, deployment: &str, (provider, model): (&str, &str)) -> Vec<&'static str> {
        let read = |text: &str| document::read("params.json", text, Format::Json).0.map(|node| Asked::read(&node));
        let both = read(request).unwrap().before(read(deployment).unwrap());
        both.refused(NotTaken::of(provider, model)).names().collect()
    }

    #[test]
    fn every_row_of_the_table_is_understood_and_about_a_known_provider() {
        let known: BTreeSet<&str> = prefixes().collect();
        assert!(
            TABLE.iter().all(|(who, params)| {
                known.contains(who.split('/').next().unwrap_or_default()) && !params.is_empty()
            })
        );
        assert!(MODELS.keys().all(|provider| known.contains(provider)));
        let of_providers = rows(include_str!("params.csv")).map(|row| row.split(',').nth(1).unwrap());
        let of_models = rows(include_str!("params_of_models.csv")).map(|row| row.split(',').nth(1).unwrap());
        let names: BTreeSet<&str> = of_providers.chain(of_models).flat_map(|names| names.split(' ')).collect();
        assert!(names.iter().all(|name| name.is_empty() || NAMES.contains(name)), "{names:?}");
    }

    #[test]
    fn the_most_special_row_counts() {
        let claude = Params::not_taken("vertex_ai", "vertex_ai/claude-sonnet-5");
        assert!(claude.names().any(|name| name == "seed"));
        assert!(Params::not_taken("vertex_ai", "gemini-x").names().all(|name| name == "logit_bias"));
        assert!(Params::not_taken("openai", "my-model").is_empty());
        assert_eq!(Params::not_taken("openai", "openai/gpt-4o").names().collect::<Vec<_>>(), ["reasoning_effort"]);
    }

    #[test]
    fn a_request_goes_before_its_deployment_and_may_drop_what_is_not_taken() {
        let anthropic = ("anthropic", "claude-haiku-4-5");
        assert_eq!(refused(r#"{"n": 2, "temperature": 0.5}"#, r#"{"seed": 7}"#, anthropic), ["n", "seed"]);
        assert_eq!(refused(r#"{"n": 1}"#, r#"{"n": 2}"#, anthropic), [""; 0]);
        assert_eq!(refused(r#"{"n": null}"#, "{}", anthropic), [""; 0]);
        assert_eq!(refused(r#"{"n": 2}"#, r#"{"drop_params": "true"}"#, anthropic), [""; 0]);
        assert_eq!(refused(r#"{"n": 2, "drop_params": false}"#, r#"{"drop_params": true}"#, anthropic), ["n"]);
        assert_eq!(refused(r#"{"n": 2, "seed": 1}"#, r#"{"additional_drop_params": ["n"]}"#, anthropic), ["seed"]);
        assert_eq!(refused(r#"{"n": 2, "seed": 1}"#, r#"{"allowed_openai_params": ["seed"]}"#, anthropic), ["n"]);
        assert_eq!(refused(r#"{"n": 2}"#, "{}", ("openai", "gpt-4o")), [""; 0]);
    }

    #[test]
    fn models_that_reason_take_no_temperature_but_1() {
        let o3 = ("openai", "o3-mini");
        assert_eq!(refused(r#"{"temperature": 0.5}"#, "{}", o3), ["temperature"]);
        assert_eq!(refused(r#"{"temperature": 1.0}"#, "{}", o3), [""; 0]);
        assert_eq!(refused(r#"{"temperature": 1}"#, r#"{"temperature": 0.5}"#, o3), [""; 0]);
        assert_eq!(refused(r#"{"temperature": 0, "additional_drop_params": ["temperature"]}"#, "{}", o3), [""; 0]);
        assert_eq!(refused(r#"{"temperature": 0.5}"#, "{}", ("openai", "gpt-4o")), [""; 0]);
    }

    #[test]
    fn what_a_model_takes_depends_on_its_effort() {
        let (newer, newest) = (("openai", "gpt-5.1"), ("openai", "gpt-5.5"));
        let beside = |effort: &str| format!(r#"{{"temperature": 0.3, "reasoning_effort": "{effort}"}}"#);
        assert_eq!(refused(&beside("low"), "{}", newer), ["temperature"]);
        assert_eq!(refused(&beside("none"), "{}", newer), [""; 0]);
        assert_eq!(
            refused(r#"{"temperature": 0.3}"#, r#"{"reasoning_effort": {"effort": "high"}}"#, newer),
            ["temperature"]
        );
        assert_eq!(refused(r#"{"temperature": 0.3}"#, "{}", newest), ["temperature"]);
        assert_eq!(refused(&beside("none"), "{}", newest), [""; 0]);
        assert_eq!(refused(r#"{"reasoning_effort": "xhigh"}"#, "{}", newer), ["reasoning_effort"]);
    }

    #[test]
    fn a_provider_that_does_not_take_what_is_always_sent_refuses_everything() {
        assert_eq!(refused("{}", "{}", ("gradient_ai", "x")), ["max_retries"]);
        assert_eq!(refused("{}", r#"{"drop_params": true}"#, ("gradient_ai", "x")), [""; 0]);
    }
}

//! The client with which LiteLLM calls a provider: whether it calls again by itself, how long it bears silence in
//! streams, and what its failures become (`litellm_core_utils/exception_mapping_utils.py`). Seen in the real proxy [T
//! 200–207]. What the texts of errors change in that is in `wording`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::gateway::Ended;
use crate::gateway::litellm::failure::{Class, Failure};
use crate::units::{DeploymentId, Meaning, Mention, Outcome, Phase, RetryAfter, SimDuration, SimTime};

/// The SDK's pauses: the first in seconds, of which each is the double, the longest, and the share that jitter takes
/// off (`openai/_constants.py`, `_base_client.py:_calculate_retry_timeout` of openai 2.54).
const SDK_PAUSE: (f64, f64, f64) = (0.5, 8.0, 0.25);

/// The longest `Retry-After` that the SDK obeys; after a longer one it does not call again (`_should_retry`).
const SDK_OBEYS: SimDuration = SimDuration::from_secs(120);

/// Silence that is borne in streams whose client is not told of their timeout.
const UNTOLD: SimDuration = SimDuration::from_secs(600);

/// The same for Google's streams, which are read by LiteLLM's common client.
const UNTOLD_GOOGLE: SimDuration = SimDuration::from_secs(6000);

static CLIENTS: LazyLock<BTreeMap<&str, Client>> = LazyLock::new(|| {
    let rows = include_str!("clients.csv").lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.filter_map(|row| row.split_once(','))
        .filter_map(|(provider, client)| Some((provider, client_named(client)?)))
        .collect()
});

fn client_named(row: &str) -> Option<Client> {
    let [again, rules, stream_options] = row.split(',').collect::<Vec<_>>()[..] else { return None };
    let again = match again {
        "never" => Again::Never,
        "if-lost" => Again::IfLost,
        "twice" => Again::Twice,
        _ => return None,
    };
    let rules = match rules {
        "openai" => Rules::OpenAi,
        "litellm-proxy" => Rules::LiteLlmProxy,
        "azure" => Rules::Azure,
        "anthropic" => Rules::Anthropic,
        "bedrock" => Rules::Bedrock,
        "bedrock-mantle" => Rules::BedrockMantle,
        "google" => Rules::Google,
        "openai-like" => Rules::OpenAiLike,
        "cohere" => Rules::Cohere,
        "openrouter" => Rules::OpenRouter,
        "huggingface" => Rules::HuggingFace,
        "cloudflare" => Rules::Cloudflare,
        "ollama" => Rules::Ollama,
        "status" => Rules::Status,
        _ => return None,
    };
    Some(Client { again, rules, refuses_stream_options: stream_options == "no" })
}

/// A client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Client {
    /// What it does by itself after a failure.
    pub again: Again,
    /// What its failures become.
    pub rules: Rules,
    /// Whether it does not take `stream_options`.
    refuses_stream_options: bool,
}

/// What a client does by itself after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Again {
    /// Nothing. The OpenAI SDK, which LiteLLM keeps from calling again.
    #[default]
    Never,
    /// It calls once more, at once, if the connection is lost: LiteLLM's own HTTP handler.
    IfLost,
    /// It calls twice more, each time after a longer pause: the OpenAI SDK for providers whose configuration
    /// does not take `max_retries`.
    Twice,
}

/// Whose failures they are mapped as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rules {
    /// OpenAI's, and those of most providers that are compatible.
    #[default]
    OpenAi,
    /// Those of another LiteLLM proxy: OpenAI's, but for what its texts tell.
    LiteLlmProxy,
    /// Azure OpenAI's.
    Azure,
    /// Anthropic's.
    Anthropic,
    /// Amazon Bedrock's.
    Bedrock,
    /// Those of Bedrock's older addresses.
    BedrockInvoke,
    /// Those of Bedrock's OpenAI-compatible address.
    BedrockMantle,
    /// Those of Gemini and Vertex AI.
    Google,
    /// Those of Anthropic's models at Vertex AI.
    VertexClaude,
    /// Databricks', and what LiteLLM calls like OpenAI's.
    OpenAiLike,
    /// Cohere's.
    Cohere,
    /// OpenRouter's.
    OpenRouter,
    /// Hugging Face's.
    HuggingFace,
    /// Cloudflare's: by their status, but for some texts.
    Cloudflare,
    /// Ollama's, in the same way.
    Ollama,
    /// Nobody's: they are known by their status only.
    Status,
}

impl Client {
    /// The client for a model of a provider.
    pub fn of(provider: &str, model: &str) -> Self {
        let client = CLIENTS.get(provider).copied().unwrap_or_default();
        let name = without_prefix(model, provider);
        let rules = match client.rules {
            Rules::Bedrock if name.starts_with("invoke/") => Rules::BedrockInvoke,
            Rules::Google if provider != "gemini" && name.starts_with("claude") => Rules::VertexClaude,
            rules => rules,
        };
        Self { rules, ..client }
    }

    /// Calls that it makes at most for one attempt of the gateway.
    pub const fn most_calls(self) -> u32 {
        match self.again {
            Again::Never => 1,
            Again::IfLost => 2,
            Again::Twice => 3,
        }
    }

    /// Whether it is LiteLLM's handler for OpenAI, with OpenAI's SDK.
    pub fn is_openais(self) -> bool {
        matches!(self.rules, Rules::OpenAi | Rules::LiteLlmProxy) && self.again != Again::IfLost
    }

    /// Whether OpenAI's SDK makes the calls.
    pub fn uses_sdk(self) -> bool {
        self.is_openais() || self.rules == Rules::Azure
    }

    /// The silence that it bears in streams, if no timeout of theirs reaches it: none but
    /// `litellm_settings.request_timeout` does.
    pub const fn untold_silence(self) -> Option<SimDuration> {
        match self.rules {
            Rules::Bedrock | Rules::BedrockInvoke => Some(UNTOLD),
            Rules::Google => Some(UNTOLD_GOOGLE),
            _ => None,
        }
    }

    /// Whether it takes being cancelled for a failure of the provider, so that retries and fallbacks go on although the
    /// client has gone (`llms/azure/azure.py:acompletion`).
    pub fn mistakes_cancelling(self, stream: bool) -> bool {
        self.rules == Rules::Azure && !stream
    }

    /// Whether it takes `stream_options`, by which a stream is asked for its usage.
    pub const fn takes_stream_options(self) -> bool {
        !self.refuses_stream_options
    }

    /// Whether its streams tell their usage without being asked.
    pub const fn tells_usage(self) -> bool {
        use Rules::{Anthropic, Bedrock, BedrockInvoke, Google, VertexClaude};
        matches!(self.rules, Anthropic | Bedrock | BedrockInvoke | Google | VertexClaude)
    }

    /// Whether the gateway's callbacks hear of a call that failed. Google's streams are opened outside of what they
    /// listen to: their failures count for no cooldown, no limit and no strategy.
    pub const fn is_heard(self, stream: bool) -> bool {
        !(stream && matches!(self.rules, Rules::Google))
    }

    /// The pause after which it calls again by itself, having done so `before` times; `None` if it does not. A uniform
    /// `draw` in [0, 1) is asked for where one is needed.
    pub fn pause(self, ended: &Ended, before: u32, now: SimTime, draw: impl FnOnce() -> f64) -> Option<SimDuration> {
        if ended.phase != Phase::BeforeHeaders || before + 1 >= self.most_calls() {
            return None;
        }
        let is_worth_it = match ended.outcome {
            Outcome::ConnectionError => true,
            Outcome::Timeout => self.again == Again::Twice,
            _ if self.again != Again::Twice => false,
            Outcome::Worded(_, wording) if wording.mention() == Mention::CallAgain => true,
            Outcome::Worded(_, wording) if wording.mention() == Mention::LeaveAlone => false,
            outcome => outcome.error_status().is_some_and(Failure::status_is_transient),
        };
        match self.again {
            _ if !is_worth_it => None,
            Again::Twice => sdk_pause(before, wished(ended.retry_after, now), draw),
            _ => Some(SimDuration::ZERO),
        }
    }

    /// What the end of a call becomes, after it has called again `before` times; `None` if it was good.
    pub fn failure(self, ended: &Ended, deployment: DeploymentId, stream: bool, before: u32) -> Option<Failure> {
        let failure = match ended.outcome {
            Outcome::Ok => return None,
            Outcome::Worded(_, wording) if wording.meaning() == Meaning::Answer => return None,
            Outcome::Timeout if ended.phase == Phase::BeforeHeaders => self.timed_out(stream, before),
            Outcome::Timeout | Outcome::Cut => Failure::with_status(Class::MidStream, 500),
            Outcome::Cancelled if self.mistakes_cancelling(stream) => Failure::with_status(Class::Api, 500),
            Outcome::Cancelled => Failure::without_status(Class::ApiConnection, 499),
            outcome if !self.is_heard(stream) => raw(outcome),
            Outcome::ContextWindow if self.rules.know_long_prompts() => Failure::with_status(Class::ContextWindow, 400),
            Outcome::ContentPolicy if self.rules.know_contents() => Failure::with_status(Class::ContentPolicy, 400),
            Outcome::ContextWindow | Outcome::ContentPolicy => Failure::with_status(Class::BadRequest, 400),
            Outcome::ConnectionError => self.lost(stream),
            Outcome::Status(status) => self.refused(status, stream, before),
            Outcome::Worded(status, wording) => self.refused(status, stream, before).worded(status, wording),
        };
        let failure = match ended.outcome {
            Outcome::Worded(_, wording) => failure.mentioning(wording.mention()),
            _ => failure,
        };
        let tells_when = self.is_heard(stream) && !matches!(self.rules, Rules::Cohere | Rules::Cloudflare);
        let retry_after = if tells_when { ended.retry_after } else { RetryAfter::None };
        Some(Failure { retry_after, deployment: Some(deployment), ..failure })
    }

    /// An error status.
    const fn refused(self, status: u16, stream: bool, before: u32) -> Failure {
        match before {
            // The handler's second call is made outside of what reads the status of the first.
            1.. if !stream && self.rules.is_anthropics() => Failure::with_status(Class::InternalServer, 500),
            _ => self.rules.refused(status),
        }
    }

    /// No answer came in time. Nobody expects that of the handler's second call, except for what calls Bedrock and
    /// Google: it becomes what a lost connection does (`custom_httpx/http_handler.py:post`) [T 278].
    fn timed_out(self, stream: bool, before: u32) -> Failure {
        let is_expected = match self.rules {
            _ if before == 0 || self.again != Again::IfLost => true,
            Rules::Bedrock => true,
            Rules::BedrockInvoke => stream,
            Rules::Google => !stream,
            _ => false,
        };
        match is_expected {
            true => Failure::with_status(Class::Timeout, 408),
            false if !self.is_heard(stream) => raw(Outcome::Timeout),
            false => self.lost(stream),
        }
    }

    /// A connection that could not be made.
    const fn lost(self, stream: bool) -> Failure {
        match (self.rules, self.again) {
            (Rules::BedrockInvoke | Rules::BedrockMantle, _) => Failure::with_status(Class::ServiceUnavailable, 503),
            (Rules::Bedrock, _) if stream => Failure::with_status(Class::ServiceUnavailable, 503),
            (Rules::Azure | Rules::Bedrock | Rules::Google, _)
            | (Rules::Status | Rules::Cloudflare | Rules::Ollama, Again::IfLost) => {
                Failure::with_status(Class::ApiConnection, 500)
            }
            (Rules::OpenRouter | Rules::HuggingFace, _) => Failure::with_status(Class::Api, 500),
            _ => Failure::with_status(Class::InternalServer, 500),
        }
    }
}

impl Rules {
    /// Whether the text of a refused prompt that is too long is understood.
    const fn know_long_prompts(self) -> bool {
        !matches!(
            self,
            Self::VertexClaude | Self::OpenRouter | Self::HuggingFace | Self::Cloudflare | Self::Ollama | Self::Status
        )
    }

    /// Whether LiteLLM's handler for Anthropic makes the calls.
    const fn is_anthropics(self) -> bool {
        matches!(self, Self::Anthropic | Self::VertexClaude)
    }

    /// Whether the text of a refused content is understood.
    const fn know_contents(self) -> bool {
        matches!(
            self,
            Self::OpenAi | Self::LiteLlmProxy | Self::Azure | Self::Anthropic | Self::Google | Self::VertexClaude
        )
    }

    /// An error status.
    const fn refused(self, status: u16) -> Failure {
        let class = Class::of_status(status);
        match (self, status) {
            (Self::Azure, 500) | (Self::OpenRouter, 500 | 502) | (Self::HuggingFace, 404 | 422 | 500 | 502 | 504) => {
                Failure::with_status(Class::Api, status)
            }
            (Self::OpenAi | Self::LiteLlmProxy | Self::Azure | Self::OpenRouter | Self::HuggingFace, _) => {
                Failure::with_status(class, status)
            }
            (Self::Anthropic, 413) => Failure::with_status(Class::BadRequest, 400),
            (Self::Anthropic, 529) => Failure::with_status(Class::InternalServer, 500),
            (Self::Bedrock | Self::BedrockInvoke | Self::BedrockMantle, 500) => {
                Failure::with_status(Class::ServiceUnavailable, 503)
            }
            (Self::OpenAiLike, 422 | 424) => Failure::with_status(Class::BadRequest, 400),
            (Self::Google | Self::VertexClaude, 403) => Failure::with_status(Class::BadRequest, 403),
            (Self::Google | Self::VertexClaude, 502) => Failure::with_status(Class::ApiConnection, 500),
            (_, 403) => Failure::with_status(Class::PermissionDenied, 403),
            (_, 400..500) if matches!(class, Class::Api) => Failure::with_status(Class::BadRequest, status),
            _ => Failure::with_status(class, status),
        }
    }
}

/// The client's own exception comes out as it is.
const fn raw(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Status(status) | Outcome::Worded(status, _) => Failure::with_status(Class::Raw, status),
        Outcome::ContextWindow | Outcome::ContentPolicy => Failure::with_status(Class::Raw, 400),
        _ => Failure::without_status(Class::Raw, 500),
    }
}

/// How long an answer asks to be left alone.
fn wished(header: RetryAfter, now: SimTime) -> Option<SimDuration> {
    match header {
        RetryAfter::None => None,
        RetryAfter::Seconds(secs) => Some(SimDuration::from_secs(secs)),
        RetryAfter::Fraction(span) => Some(span),
        RetryAfter::At(date) => Some(date.since(now)),
    }
}

/// How long the OpenAI SDK waits before it calls again, having done so `before` times, for a provider that asked for
/// `wished`; `None` if that is too long. A uniform `draw` in [0, 1) is asked for only if it is needed.
fn sdk_pause(before: u32, wished: Option<SimDuration>, draw: impl FnOnce() -> f64) -> Option<SimDuration> {
    let (first, longest, jitter) = SDK_PAUSE;
    match wished {
        Some(wished) if wished > SDK_OBEYS => None,
        Some(wished) if wished > SimDuration::ZERO => Some(wished),
        _ => {
            Some(SimDuration::from_secs_f64((first * 2f64.powi(before as i32)).min(longest) * (1.0 - jitter * draw())))
        }
    }
}

/// A model without the name of its provider in front.
pub fn without_prefix<'a>(model: &'a str, provider: &str) -> &'a str {
    model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model)
}

/// Whether the name of its provider stands in front of a model.
pub fn is_prefixed(model: &str, provider: &str) -> bool {
    without_prefix(model, provider) != model
}

/// A model without the names of its provider in front: a pattern may put one more there.
pub fn bare<'a>(mut model: &'a str, provider: &str) -> &'a str {
    while is_prefixed(model, provider) {
        model = without_prefix(model, provider);
    }
    model
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::litellm::wire::prefixes;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_of_the_table_is_understood_and_about_a_known_provider() {
        let known: BTreeSet<&str> = prefixes().collect();
        let rows = include_str!("clients.csv").lines().filter(|line| !line.starts_with('#')).skip(1);
        assert_eq!(rows.count(), CLIENTS.len());
        assert!(CLIENTS.keys().all(|provider| known.contains(provider)));
        assert!(CLIENTS.values().all(|client| *client != Client::default()));
    }

    #[test]
    fn the_sdk_pauses_as_openai_has_it() {
        let secs = |before, wished: Option<i64>, draw: f64| {
            sdk_pause(before, wished.map(SimDuration::from_secs), || draw).map(SimDuration::as_secs_f64)
        };
        assert_eq!((secs(0, None, 0.0), secs(1, None, 0.0)), (Some(0.5), Some(1.0)));
        assert_eq!((secs(0, None, 0.5), secs(9, None, 0.0)), (Some(0.4375), Some(8.0)));
        assert_eq!((secs(0, Some(7), 0.5), secs(0, Some(120), 0.0)), (Some(7.0), Some(120.0)));
        assert_eq!((secs(0, Some(121), 0.0), secs(1, Some(0), 0.0)), (None, Some(1.0)));
    }

    #[test]
    fn models_of_one_provider_may_have_different_clients() {
        let rules = |provider, model| Client::of(provider, model).rules;
        assert_eq!(rules("bedrock", "bedrock/anthropic.claude-x"), Rules::Bedrock);
        assert_eq!(rules("bedrock", "bedrock/invoke/anthropic.claude-x"), Rules::BedrockInvoke);
        assert_eq!(rules("vertex_ai", "vertex_ai/claude-sonnet-5"), Rules::VertexClaude);
        assert_eq!(rules("vertex_ai", "gemini-3.5-flash"), Rules::Google);
        assert_eq!(Client::of("openai", "openai/gpt-4o"), Client::default());
    }
}

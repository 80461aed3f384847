//! What LiteLLM reads out of the text of an error before it looks at its status
//! (`litellm_core_utils/exception_mapping_utils.py`): the checks stand in its order, the first that fits decides. A
//! text is read once, when a script is; what counts of it then travels as a [`Wording`].

use crate::gateway::litellm::client::{Client, Rules};
use crate::gateway::litellm::failure::{Class, Failure};
use crate::units::{Meaning, Mention, Wording};

/// What comes with an error, as far as it is text.
#[derive(Debug, Clone, Copy, Default)]
pub struct ErrorText<'a> {
    /// Its message.
    pub message: &'a str,
    /// Its type. Formats other than OpenAI's have types of their own.
    pub kind: &'a str,
    /// Its code, where it is not the status.
    pub code: Option<&'a str>,
    /// Its header `x-should-retry`, which OpenAI's SDK obeys.
    pub should_retry: Option<&'a str>,
}

/// What the text is taken for, and whether the status stays the answer's own: LiteLLM hands some of its exceptions the
/// answer, and these take its status.
type Read = Option<(Meaning, bool)>;

const OWN: bool = true;
const FIXED: bool = false;

impl Client {
    /// What it reads out of the text of an error with this status, in a call for a stream or another.
    pub fn reads(self, status: u16, error: ErrorText<'_>, stream: bool) -> Wording {
        let words = Words::of(self, status, error, stream);
        let read = match () {
            () if words.has_any(TIMED_OUT) => Some((Meaning::Timeout, FIXED)),
            () if self.uses_sdk() && status == 400 && words.says(NO_ROOM) => Some((Meaning::Answer, FIXED)),
            () => self.rules.read(status, &words),
        };
        let (meaning, keeps_status) = read.unwrap_or((Meaning::AsStatus, FIXED));
        let mention = match (words.mention(), error.should_retry) {
            (Mention::Nothing, Some("true")) => Mention::CallAgain,
            (Mention::Nothing, Some("false")) => Mention::LeaveAlone,
            (mention, _) => mention,
        };
        Wording::new(meaning, keeps_status, mention)
    }
}

impl Rules {
    fn read(self, status: u16, words: &Words<'_>) -> Read {
        match self {
            Self::OpenAi => openai(status, words),
            Self::LiteLlmProxy => told_by_proxy(words).or_else(|| openai(status, words)),
            Self::Azure => azure(status, words),
            Self::Anthropic => anthropic(words),
            Self::Bedrock | Self::BedrockInvoke => bedrock(words),
            Self::BedrockMantle => mantle(words).or_else(|| bedrock(words)),
            Self::Google => google(words),
            // A 403 is a bad request only if the text says the number, which Google's own always do.
            Self::VertexClaude => google(words).or_else(|| (status == 403).then_some((Meaning::NotAllowed, FIXED))),
            Self::OpenAiLike => openai_like(words),
            Self::Cohere => cohere(words),
            Self::HuggingFace => huggingface(words),
            Self::Cloudflare => cloudflare(words),
            Self::Ollama => ollama(words),
            Self::OpenRouter | Self::Status => None,
        }
    }
}

impl Failure {
    /// What this failure, told by its status, is with such a text.
    pub const fn worded(self, status: u16, wording: Wording) -> Self {
        let (class, fixed) = match wording.meaning() {
            Meaning::AsStatus | Meaning::Answer => return self,
            Meaning::BadRequest => (Class::BadRequest, 400),
            Meaning::ForbiddenRequest => (Class::BadRequest, 403),
            Meaning::LongPrompt => (Class::ContextWindow, 400),
            Meaning::RefusedContent => (Class::ContentPolicy, 400),
            Meaning::UnknownKey => (Class::Authentication, 401),
            Meaning::NotAllowed => (Class::PermissionDenied, 403),
            Meaning::NotFound => (Class::NotFound, 404),
            Meaning::Timeout => (Class::Timeout, 408),
            Meaning::RateLimit => (Class::RateLimit, 429),
            Meaning::ServerError => (Class::InternalServer, 500),
            Meaning::BadGateway => (Class::BadGateway, 502),
            Meaning::Unavailable => (Class::ServiceUnavailable, 503),
            Meaning::LostConnection => (Class::ApiConnection, 500),
            Meaning::Unknown => (Class::Api, 500),
        };
        Self::with_status(class, if wording.keeps_status() { status } else { fixed })
    }
}

/// Whoever is called, these mean that time ran out.
const TIMED_OUT: &[&str] =
    &["Request Timeout Error", "Request timed out", "Timed out generating response", "The read operation timed out"];

/// With a 400 the OpenAI SDK's caller makes an empty answer of it
/// (`llms/openai/common_utils.py:is_output_token_limit_error`).
const NO_ROOM: &str = "could not finish the message because max_tokens or model output limit was reached";

fn openai(status: u16, words: &Words<'_>) -> Read {
    let is_invalid = words.has("invalid_request_error");
    let is_refused = is_invalid && words.has("content_policy_violation")
        || words.has("Invalid prompt") && words.has("violating our usage policy")
        || words.says("request was rejected as a result of the safety system");
    Some(match () {
        () if words.tell_rate_limit(status) => (Meaning::RateLimit, FIXED),
        () if words.tell_long_prompt() => (Meaning::LongPrompt, OWN),
        () if is_invalid && words.has("model_not_found") => (Meaning::NotFound, OWN),
        () if words.has("A timeout occurred") => (Meaning::Timeout, FIXED),
        () if is_refused => (Meaning::RefusedContent, OWN),
        () if words.has_any(&["invalid_encrypted_content", "could not be verified"]) => (Meaning::BadRequest, OWN),
        () if is_invalid && !words.has("Incorrect API key provided") => (Meaning::BadRequest, OWN),
        () if words.has_any(&[
            "Web server is returning an unknown error",
            "The server had an error processing your request.",
        ]) =>
        {
            (Meaning::ServerError, FIXED)
        }
        () if words.has("Request too large") => (Meaning::RateLimit, FIXED),
        () if words.has(NO_KEY) && words.has("the OPENAI_API_KEY environment variable") => (Meaning::UnknownKey, OWN),
        () if words.has("Mistral API raised a streaming error") => (Meaning::Unknown, FIXED),
        () => return None,
    })
}

/// Another proxy tells the class of its exception in front, and that class it is again, if it can be made so
/// (`APIError` cannot) (`extract_and_raise_litellm_exception`).
fn told_by_proxy(words: &Words<'_>) -> Read {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let names = words.text.match_indices("litellm.").map(|(at, start)| &words.text[at + start.len()..]);
    let mut names = names.map(|rest| rest.split(|c| !is_word(c)).next().unwrap_or_default());
    let name = names.find_map(|name| Some(&name[..name.rfind("Error").filter(|at| *at > 0)? + "Error".len()]))?;
    Some(match name {
        "AuthenticationError" => (Meaning::UnknownKey, OWN),
        "NotFoundError" => (Meaning::NotFound, OWN),
        "BadRequestError" => (Meaning::BadRequest, OWN),
        "UnsupportedParamsError" => (Meaning::BadRequest, FIXED),
        "RateLimitError" => (Meaning::RateLimit, FIXED),
        "ContextWindowExceededError" => (Meaning::LongPrompt, OWN),
        "ContentPolicyViolationError" => (Meaning::RefusedContent, OWN),
        "ServiceUnavailableError" => (Meaning::Unavailable, FIXED),
        "BadGatewayError" => (Meaning::BadGateway, FIXED),
        "InternalServerError" => (Meaning::ServerError, FIXED),
        "PermissionDeniedError" => (Meaning::NotAllowed, OWN),
        "UnprocessableEntityError" => (Meaning::Unknown, OWN),
        "APIResponseValidationError" => (Meaning::Unknown, FIXED),
        "APIConnectionError"
        | "APIError"
        | "OpenAIError"
        | "BudgetExceededError"
        | "InvalidRequestError"
        | "JSONSchemaValidationError" => (Meaning::LostConnection, FIXED),
        _ => return None,
    })
}

/// What the OpenAI SDK says if it has been given no key.
const NO_KEY: &str = "The api_key client option must be set either by passing api_key to the client or by setting";

fn azure(status: u16, words: &Words<'_>) -> Read {
    Some(match () {
        () if words.has("Internal server error") => (Meaning::ServerError, FIXED),
        () if words.has("This model's maximum context length is") => (Meaning::LongPrompt, OWN),
        () if words.has("DeploymentNotFound") => (Meaning::NotFound, OWN),
        () if words.says_any(AZURE_REFUSALS) => (Meaning::RefusedContent, OWN),
        () if words.code == "invalid_encrypted_content" || words.has("could not be verified") => {
            (Meaning::BadRequest, OWN)
        }
        () if words.has("invalid_request_error") && status == 400 => (Meaning::BadRequest, OWN),
        () if words.has(NO_KEY) => (Meaning::UnknownKey, OWN),
        () if words.has("Connection error") => (Meaning::LostConnection, FIXED),
        () => return None,
    })
}

const AZURE_REFUSALS: &[&str] = &[
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "the response was filtered due to the prompt triggering azure openai's content management",
    "your task failed as a result of our safety system",
    "the model produced invalid content",
    "content_filter_policy",
    "your request was rejected as a result of our safety system",
];

fn anthropic(words: &Words<'_>) -> Read {
    Some(match () {
        () if words.has_any(&["prompt is too long", "prompt: length"]) || words.tell_long_prompt() => {
            (Meaning::LongPrompt, FIXED)
        }
        () if words.has_any(&["overloaded_error", "Overloaded"]) => (Meaning::ServerError, FIXED),
        () if words.has("Invalid API Key") => (Meaning::UnknownKey, FIXED),
        () if words.has("content filtering policy") => (Meaning::RefusedContent, FIXED),
        () if words.has("Client error '400 Bad Request'") => (Meaning::BadRequest, FIXED),
        () => return None,
    })
}

fn bedrock(words: &Words<'_>) -> Read {
    Some(match () {
        () if words.has_any(BEDROCK_LONG) => (Meaning::LongPrompt, OWN),
        () if words.has_any(BEDROCK_BAD) => (Meaning::BadRequest, OWN),
        () if words.has_any(BEDROCK_KEYS) => (Meaning::UnknownKey, OWN),
        () if words.has("AccessDeniedException") => (Meaning::NotAllowed, OWN),
        () if words.has_any(&["throttlingException", "ThrottlingException"]) => (Meaning::RateLimit, FIXED),
        () if words.has_any(&["Connect timeout on endpoint URL", "timed out"]) => (Meaning::Timeout, FIXED),
        () if words.has("Could not process image") => (Meaning::ServerError, FIXED),
        () => return None,
    })
}

const BEDROCK_LONG: &[&str] = &[
    "too many tokens",
    "expected maxLength:",
    "Input is too long",
    "prompt is too long",
    "prompt: length: 1..",
    "Too many input tokens",
];

const BEDROCK_BAD: &[&str] = &[
    "Conversation blocks and tool result blocks cannot be provided in the same turn.",
    "Malformed input request",
    "A conversation must start with a user message.",
];

const BEDROCK_KEYS: &[&str] =
    &["Unable to locate credentials", "The security token included in the request is invalid"];

/// Bedrock's OpenAI-compatible address has words of its own for a prompt that is too long.
fn mantle(words: &Words<'_>) -> Read {
    let is_invalid = words.has_any(&["invalid_request_error", "validation_error"]);
    let starts = words.text.match_indices("prompt tokens (").map(|(at, start)| &words.text[at + start.len()..]);
    let mut rests = starts.filter_map(|rest| past_digits(rest)?.strip_prefix(") exceed model maximum ("));
    let is_long = is_invalid && rests.any(|rest| past_digits(rest).is_some_and(|rest| rest.starts_with(')')));
    is_long.then_some((Meaning::LongPrompt, OWN))
}

/// What comes after the digits at the start of a text; `None` if there are none.
fn past_digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

fn google(words: &Words<'_>) -> Read {
    Some(match () {
        () if words.has_any(&["Vertex AI API has not been used in project", "Unable to find your project"]) => {
            (Meaning::BadRequest, FIXED)
        }
        () if words.has("400 Request payload size exceeds") || words.tell_long_prompt() => (Meaning::LongPrompt, FIXED),
        () if words.has_any(&["None Unknown Error.", "Content has no parts."]) => (Meaning::ServerError, FIXED),
        () if words.has("API key not valid.") => (Meaning::UnknownKey, FIXED),
        () if words.has("403") => (Meaning::ForbiddenRequest, FIXED),
        () if words.has_any(&["The response was blocked.", "Output blocked by content filtering policy"]) => {
            (Meaning::RefusedContent, FIXED)
        }
        () if words.has_any(GOOGLE_QUOTAS) => (Meaning::RateLimit, FIXED),
        () if words.has_any(&["500 Internal Server Error", "The model is overloaded."]) => {
            (Meaning::ServerError, FIXED)
        }
        () => return None,
    })
}

const GOOGLE_QUOTAS: &[&str] = &[
    "429 Quota exceeded",
    "Quota exceeded for",
    "Resource exhausted",
    "IndexError: list index out of range",
    "429 Unable to submit request because the service is temporarily out of capacity.",
];

fn openai_like(words: &Words<'_>) -> Read {
    Some(match () {
        () if words.has("authorization denied for") => (Meaning::UnknownKey, OWN),
        () if words.tell_long_prompt() => (Meaning::LongPrompt, OWN),
        () if words.has("token_quota_reached") => (Meaning::RateLimit, FIXED),
        () if words.has("The server received an invalid response from an upstream server.") => {
            (Meaning::ServerError, FIXED)
        }
        () if words.has("model_no_support_for_function") => (Meaning::BadRequest, FIXED),
        () => return None,
    })
}

fn cohere(words: &Words<'_>) -> Read {
    Some(match () {
        () if words.has_any(&["invalid api token", "No API key provided."]) => (Meaning::UnknownKey, OWN),
        () if words.has("invalid type: parameter") => (Meaning::BadRequest, OWN),
        () if words.has("too many tokens") => (Meaning::LongPrompt, OWN),
        () if words.says("internal server error") => (Meaning::ServerError, FIXED),
        () => return None,
    })
}

fn huggingface(words: &Words<'_>) -> Read {
    Some(match () {
        () if words.has("length limit exceeded") => (Meaning::LongPrompt, OWN),
        () if words.has("A valid user token is required") => (Meaning::BadRequest, OWN),
        () if words.has("Rate limit reached") => (Meaning::RateLimit, FIXED),
        () => return None,
    })
}

fn cloudflare(words: &Words<'_>) -> Read {
    Some(match () {
        () if words.has("Authentication error") => (Meaning::UnknownKey, OWN),
        () if words.has("must have required property") => (Meaning::BadRequest, OWN),
        () => return None,
    })
}

fn ollama(words: &Words<'_>) -> Read {
    Some(match () {
        () if words.has("no such file or directory") => (Meaning::BadRequest, OWN),
        () if words.has("Failed to establish a new connection") => (Meaning::Unavailable, FIXED),
        () if words.has("Invalid response object from API") => (Meaning::BadRequest, OWN),
        () if words.has("Read timed out") => (Meaning::Timeout, FIXED),
        () => return None,
    })
}

/// The text as LiteLLM searches it: the body of the answer, or what the OpenAI SDK makes of it.
struct Words<'a> {
    text: String,
    lower: String,
    code: &'a str,
}

impl<'a> Words<'a> {
    fn of(client: Client, status: u16, error: ErrorText<'a>, stream: bool) -> Self {
        let ErrorText { message, kind, code, .. } = error;
        let text = match client.rules {
            // Of a stream it has the bytes, printed as Python does.
            Rules::Anthropic | Rules::VertexClaude if stream => message.replace('\'', "\\'"),
            Rules::Anthropic | Rules::VertexClaude | Rules::Bedrock => message.to_owned(),
            Rules::Google => format!("{status} {message}"),
            // The SDK tells the status in front and prints the body as Python does.
            _ if client.uses_sdk() => {
                let is_quoted_twice = message.contains('\'') && message.contains('"');
                let printed = if is_quoted_twice { message.replace('\'', "\\'") } else { message.to_owned() };
                format!("{status} {printed} {kind} {}", code.unwrap_or_default())
            }
            _ => format!("{message} {kind} {}", code.map_or_else(|| status.to_string(), str::to_owned)),
        };
        Self { lower: text.to_lowercase(), text, code: code.unwrap_or_default() }
    }

    fn has(&self, phrase: &str) -> bool {
        self.text.contains(phrase)
    }

    fn has_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.has(phrase))
    }

    /// Whether a phrase in small letters is there, in whatever letters.
    fn says(&self, phrase: &str) -> bool {
        self.lower.contains(phrase)
    }

    fn says_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.says(phrase))
    }

    /// `ExceptionCheckers.is_error_str_rate_limit`
    fn tell_rate_limit(&self, status: u16) -> bool {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut numbers = self.text.split(|c| !is_word(c));
        let is_between = |c: char| c.is_whitespace() || c == '_' || c == '-';
        let mut rates = self.lower.match_indices("rate").map(|(at, rate)| &self.lower[at + rate.len()..]);
        status == 429 && numbers.any(|word| word == "429")
            || rates.any(|rest| rest.trim_start_matches(is_between).starts_with("limit"))
            || self.says("service tier capacity exceeded")
    }

    /// `ExceptionCheckers.is_error_str_context_window_exceeded`
    fn tell_long_prompt(&self) -> bool {
        let is_about_user = self.says("invalid 'user'") && self.says("string too long");
        !self.says("string_above_max_length")
            && !is_about_user
            && (self.says_any(LONG_PROMPTS)
                || self.says("current length is") && self.says("while limit is")
                || self.says("maximum input length is") && self.says("tokens"))
    }

    fn mention(&self) -> Mention {
        let has_none = self.has_any(&["No healthy deployment available", "No deployments available"]);
        let has_no_tags = self.has("Not allowed to access model due to tags configuration");
        match (has_none, has_no_tags, self.has("APIConnectionError")) {
            (true, _, true) => Mention::LostNoDeployment,
            (true, _, false) => Mention::NoDeployment,
            (false, true, true) => Mention::LostNoTags,
            (false, true, false) => Mention::NoTags,
            (false, false, true) => Mention::LostConnection,
            (false, false, false) => Mention::Nothing,
        }
    }
}

const LONG_PROMPTS: &[&str] = &[
    "exceed context limit",
    "this model's maximum context length is",
    "string too long. expected a string with maximum length",
    "model's maximum context limit",
    "is longer than the model's context length",
    "input tokens exceed the configured limit",
    "`inputs` tokens + `max_new_tokens` must be",
    "exceeds the available context size",
    "exceeds the maximum number of tokens allowed",
];

#[cfg(test)]
mod tests {
    use super::*;

    const CLAUDE: &str = "bedrock/anthropic.claude-3-5-haiku";

    fn told(model: &str, status: u16, error: ErrorText<'_>, stream: bool) -> (Class, u16) {
        let provider = model.split('/').next().unwrap();
        let wording = Client::of(provider, model).reads(status, error, stream);
        // Of no class that a text leads to.
        let plain = Failure::with_status(Class::Raw, status);
        let failure = plain.worded(status, wording);
        (failure.class, failure.status.unwrap())
    }

    fn read(model: &str, status: u16, message: &str) -> (Class, u16) {
        told(model, status, ErrorText { message, ..ErrorText::default() }, false)
    }

    #[test]
    fn one_text_is_taken_for_different_failures() {
        let long = "Prompt has too many tokens: input tokens exceed the configured limit";
        assert_eq!(read("openai/gpt-4o", 500, long), (Class::ContextWindow, 500));
        assert_eq!(read("anthropic/claude-3-haiku", 500, long), (Class::ContextWindow, 400));
        assert_eq!(read(CLAUDE, 413, long), (Class::ContextWindow, 413));
        assert_eq!(read("azure/gpt-4o", 500, long), (Class::Raw, 500));
        assert_eq!(read("openrouter/x/y", 500, long), (Class::Raw, 500));
    }

    #[test]
    fn the_first_check_that_fits_decides() {
        let all = "Request timed out, rate limit, Internal server error, content_policy_violation";
        assert_eq!(read("azure/gpt-4o", 400, all), (Class::Timeout, 408));
        assert_eq!(read("azure/gpt-4o", 400, &all[18..]), (Class::InternalServer, 500));
        assert_eq!(read("openai/gpt-4o", 400, &all[18..]), (Class::RateLimit, 429));
        assert_eq!(read("gemini/gemini-2.5-pro", 403, "The response was blocked."), (Class::BadRequest, 403));
        assert_eq!(read("gemini/gemini-2.5-pro", 500, "The response was blocked."), (Class::ContentPolicy, 400));
    }

    #[test]
    fn rate_limits_are_known_by_their_number_only_with_its_status() {
        let limited = ["Rate_Limit", "rate - limit", "ratelimit", "Service tier capacity exceeded"];
        assert!(limited.iter().all(|text| read("openai/gpt-4o", 400, text) == (Class::RateLimit, 429)));
        let others = ["429", "rates limited", "rate of limits"];
        assert!(others.iter().all(|text| read("openai/gpt-4o", 400, text) == (Class::Raw, 400)));
        assert_eq!(read("deepseek/x", 429, "4290 tokens"), (Class::RateLimit, 429));
        let coded = ErrorText { message: "4290 tokens", code: Some("x"), ..ErrorText::default() };
        assert_eq!(told("deepseek/x", 429, coded, false), (Class::Raw, 429));
        assert_eq!(told("openai/gpt-4o", 429, coded, false), (Class::RateLimit, 429));
    }

    #[test]
    fn how_python_prints_quotes_decides() {
        let told = |model, message, stream| told(model, 400, ErrorText { message, ..ErrorText::default() }, stream).0;
        let (plain, quoted) =
            ("this model's maximum context length is 8", "this model's maximum context length is \"8\"");
        assert_eq!([plain, quoted].map(|text| told("openai/gpt-4o", text, false)), [Class::ContextWindow, Class::Raw]);
        assert_eq!([plain, quoted].map(|text| told("deepseek/x", text, false)), [Class::ContextWindow; 2]);
        let claude = "anthropic/claude-3-haiku";
        assert_eq!([false, true].map(|stream| told(claude, plain, stream)), [Class::ContextWindow, Class::Raw]);
    }

    #[test]
    fn another_proxy_tells_its_class() {
        let proxy = |text: &str| read("litellm_proxy/x", 503, text);
        assert_eq!(proxy("litellm.ContextWindowExceededError: x"), (Class::ContextWindow, 503));
        assert_eq!(proxy("litellm.APIError: APIError: x"), (Class::ApiConnection, 500));
        assert_eq!(proxy("litellm.NopeError: litellm.NotFoundError: x"), (Class::Raw, 503));
        assert_eq!(proxy("litellm.Timeout: litellm.NotFoundErrors"), (Class::NotFound, 503));
        assert_eq!(read("openai/gpt-4o", 503, "litellm.NotFoundError: x"), (Class::Raw, 503));
    }

    #[test]
    fn numbers_belong_into_the_words_of_mantle() {
        let long = |text: &str| read("bedrock_mantle/x", 400, text).0 == Class::ContextWindow;
        assert!(long("validation_error: prompt tokens (9) exceed model maximum (8)"));
        assert!(!long("validation_error: prompt tokens (x) exceed model maximum (8)"));
        assert!(!long("validation_error: prompt tokens (9) exceed model maximum (8"));
        assert!(!long("prompt tokens (9) exceed model maximum (8)"));
    }
}

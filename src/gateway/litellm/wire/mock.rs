//! Answers that LiteLLM makes up itself instead of calling upstream (`main.py:mock_completion`) [T 268].

use crate::document::{Node, Value};
use crate::units::SimDuration;

/// `mock_response`, `mock_timeout` and `mock_delay`, where they are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mock {
    /// `mock_response`.
    pub response: Option<Mocked>,
    /// `mock_timeout`: the call takes as long as it may, and then fails.
    pub timeout: Option<bool>,
    /// `mock_delay`: how long the answer takes.
    pub delay: Option<SimDuration>,
    /// Failures that are made up without a call.
    pub testing: Testing,
}

/// `mock_testing_…`: a group fails before anything is called (`router.py:_handle_mock_testing_fallbacks`,
/// `_handle_mock_testing_rate_limit_error`) [T 292].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Testing {
    /// `mock_testing_fallbacks`, the same of context and of content policy, the first of them that is on.
    pub fallbacks: [Option<bool>; 3],
    /// `mock_testing_rate_limit_error`.
    pub rate_limit: Option<bool>,
}

impl Testing {
    fn read(node: &Node) -> Self {
        let is_true = |value: &Node| value.value == Value::Bool(true);
        let is_true_text = |value: &Node| value.as_str().is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
        let flag = |key: &str| node.get(key).map(|value| is_true(value) || is_true_text(value));
        let kinds =
            ["mock_testing_fallbacks", "mock_testing_context_fallbacks", "mock_testing_content_policy_fallbacks"];
        Self { fallbacks: kinds.map(flag), rate_limit: node.get("mock_testing_rate_limit_error").map(is_true) }
    }

    fn after(self, before: Self) -> Self {
        let fallbacks = std::array::from_fn(|kind| self.fallbacks[kind].or(before.fallbacks[kind]));
        Self { fallbacks, rate_limit: self.rate_limit.or(before.rate_limit) }
    }

    /// Whether a group fails.
    pub fn is_on(&self) -> bool {
        self.rate_limit == Some(true) || self.fallbacks.contains(&Some(true))
    }
}

/// What `mock_response` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mocked {
    /// Nothing: the upstream is called.
    Nothing,
    /// An answer; as a stream it has about so many tokens.
    Answer(u32),
    /// `litellm.RateLimitError`.
    RateLimit,
    /// `litellm.ContextWindowExceededError`.
    ContextWindow,
    /// `litellm.InternalServerError`.
    InternalServer,
    /// `Exception: content_filter_policy…`: a plain 400.
    Refused,
    /// `Exception: mock_streaming_error…`: a 529, or a stream that breaks before its first content.
    Broken,
}

/// Tokens of the text that stands beside tool calls that are made up (`main.py:DEFAULT_MOCK_RESPONSE`).
const TOKENS_BESIDE_CALLS: u32 = 6;
/// Characters of a token, on average.
const CHARS_PER_TOKEN: usize = 4;

impl Mock {
    /// What a map of parameters says.
    pub fn read(node: &Node) -> Self {
        let secs = |value: &Node| match &value.value {
            Value::Int(n) => *n as f64,
            Value::Float(number) => number.value,
            _ => 0.0,
        };
        let response = node.get("mock_response").map(Mocked::read);
        // Tool calls alone are made up beside a text.
        let calls = node.get("mock_tool_calls").filter(|calls| !calls.items().is_empty());
        let of_calls = || calls.map(|_| Mocked::Answer(TOKENS_BESIDE_CALLS));
        Self {
            response: response.filter(|response| *response != Mocked::Nothing).or_else(of_calls).or(response),
            timeout: node.get("mock_timeout").map(|value| value.value == Value::Bool(true)),
            delay: node.get("mock_delay").map(|value| SimDuration::from_secs_f64(secs(value).max(0.0))),
            testing: Testing::read(node),
        }
    }

    /// This, and where it says nothing what was said before.
    #[must_use]
    pub fn after(self, before: Self) -> Self {
        Self {
            response: self.response.or(before.response),
            timeout: self.timeout.or(before.timeout),
            delay: self.delay.or(before.delay),
            testing: self.testing.after(before.testing),
        }
    }

    /// What of it the fallbacks of a call have: a `mock_timeout` is for one target, and so are failures that lead to
    /// fallbacks (`router.py:async_function_with_fallbacks`) [T 277, 292].
    #[must_use]
    pub fn for_fallbacks(self) -> Self {
        let testing = Testing { fallbacks: [None; 3], ..self.testing };
        Self { timeout: None, testing, ..self }
    }

    /// Whether the upstream is left alone.
    pub fn is_on(&self) -> bool {
        self.timeout == Some(true) || self.response.is_some_and(|response| response != Mocked::Nothing)
    }
}

impl Mocked {
    fn read(node: &Node) -> Self {
        let Some(text) = node.as_str() else {
            return match &node.value {
                Value::Null | Value::Bool(false) | Value::Int(0) => Self::Nothing,
                Value::Seq(_) if node.items().is_empty() => Self::Nothing,
                Value::Map(_) if node.entries().is_empty() => Self::Nothing,
                _ => Self::Answer(1),
            };
        };
        match text {
            "" => Self::Nothing,
            "litellm.RateLimitError" => Self::RateLimit,
            "litellm.ContextWindowExceededError" => Self::ContextWindow,
            "litellm.InternalServerError" => Self::InternalServer,
            _ if text.starts_with("Exception: content_filter_policy") => Self::Refused,
            _ if text.starts_with("Exception: mock_streaming_error") => Self::Broken,
            _ => Self::Answer(text.chars().count().div_ceil(CHARS_PER_TOKEN) as u32),
        }
    }
}

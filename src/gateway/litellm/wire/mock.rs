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
        Self {
            response: node.get("mock_response").map(Mocked::read),
            timeout: node.get("mock_timeout").map(|value| value.value == Value::Bool(true)),
            delay: node.get("mock_delay").map(|value| SimDuration::from_secs_f64(secs(value).max(0.0))),
        }
    }

    /// This, and where it says nothing what was said before.
    #[must_use]
    pub fn after(self, before: Self) -> Self {
        Self {
            response: self.response.or(before.response),
            timeout: self.timeout.or(before.timeout),
            delay: self.delay.or(before.delay),
        }
    }

    /// What of it the fallbacks of a call have: a `mock_timeout` is for one target
    /// (`router.py:async_function_with_fallbacks`) [T 277].
    #[must_use]
    pub fn for_fallbacks(self) -> Self {
        Self { timeout: None, ..self }
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

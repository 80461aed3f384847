//! How an upstream call can end: the words that providers and gateways share.

use crate::units::{SimDuration, SimTime, Wording};

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A complete answer.
    Ok,
    /// An HTTP error status.
    Status(u16),
    /// An HTTP error status, and what is read out of the text that comes with it.
    Worded(u16, Wording),
    /// A 400 that says that the prompt is too long.
    ContextWindow,
    /// A 400 that says that the content was refused.
    ContentPolicy,
    /// No connection, or a connection lost before the headers.
    ConnectionError,
    /// The stream broke off after its headers.
    Cut,
    /// One of the attempt's limits ran out.
    Timeout,
    /// The gateway closed it.
    Cancelled,
}

impl Outcome {
    /// The HTTP error status that the upstream answered with.
    pub const fn error_status(self) -> Option<u16> {
        match self {
            Self::Status(status) | Self::Worded(status, _) => Some(status),
            Self::ContextWindow | Self::ContentPolicy => Some(400),
            Self::Ok | Self::ConnectionError | Self::Cut | Self::Timeout | Self::Cancelled => None,
        }
    }
}

/// How far an answer had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No response headers yet.
    BeforeHeaders,
    /// Headers, but no content.
    BeforeContent,
    /// Content was on its way to the client.
    AfterContent,
}

/// The upstream's wish for when to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// No header.
    None,
    /// Seconds from now.
    Seconds(i64),
    /// Seconds from now that are no whole number: the OpenAI SDK reads them, LiteLLM does not.
    Fraction(SimDuration),
    /// A date.
    At(SimTime),
}

//! How an upstream call can end: the words that providers and gateways share.

use crate::units::{SimDuration, SimTime};

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A complete answer.
    Ok,
    /// An HTTP error status.
    Status(u16),
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

//! How calls fail.

use crate::random::Dist;
use crate::units::{Outcome, RetryAfter, SimDuration};

/// One way for a call to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// An HTTP error status.
    Status(u16),
    /// A 400 that says that the content was refused.
    ContentPolicy,
    /// No connection, or one lost before the headers.
    Connection,
    /// No answer, ever.
    Hang,
    /// A stream that breaks off at a random place; without a stream, a lost connection.
    Cut,
}

impl Fault {
    /// How a call with this fault ends if nobody interrupts it.
    pub const fn outcome(self, stream: bool) -> Outcome {
        match self {
            Self::Status(status) => Outcome::Status(status),
            Self::ContentPolicy => Outcome::ContentPolicy,
            Self::Connection => Outcome::ConnectionError,
            Self::Hang => Outcome::Timeout,
            Self::Cut if stream => Outcome::Cut,
            Self::Cut => Outcome::ConnectionError,
        }
    }
}

/// A background error: it hits each call alike, at any time.
#[derive(Debug, Clone)]
pub struct BackgroundError {
    /// How the call fails.
    pub fault: Fault,
    /// Share of the calls.
    pub share: f64,
    /// Seconds until the error answer, where it differs from the deployment's usual ones.
    pub after_s: Option<Dist>,
}

/// What happens to calls during a window of trouble.
#[derive(Debug, Clone)]
pub struct Effect {
    /// How calls fail.
    pub fault: Fault,
    /// Share of the calls that fail during the window.
    pub share: f64,
    /// Share of the calls that fail outside the windows.
    pub share_outside: f64,
    /// Seconds until the error answer, where it differs from the deployment's usual ones.
    pub after_s: Option<Dist>,
    /// What the error answer says about coming back.
    pub retry_after: RetryAfter,
    /// Factor on the latency of calls that are answered during the window.
    pub latency_factor: f64,
}

impl Effect {
    /// Calls fail with this probability while it lasts, and nothing else changes.
    pub const fn failing(fault: Fault, share: f64) -> Self {
        Self { fault, share, share_outside: 0.0, after_s: None, retry_after: RetryAfter::None, latency_factor: 1.0 }
    }
}

/// Seconds rounded up, as headers give them.
pub(super) const fn whole_seconds_up(span: SimDuration) -> i64 {
    const NANOS: i64 = 1_000_000_000;
    span.0.div_euclid(NANOS) + if span.0.rem_euclid(NANOS) > 0 { 1 } else { 0 }
}

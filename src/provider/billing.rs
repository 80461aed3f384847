//! What a provider bills for calls that did not end well.

use crate::provider::service::Service;
use crate::units::{Outcome, SimDuration, Tokens, Usage};

/// How much of a call is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Billed {
    /// Nothing.
    Nothing,
    /// The input.
    Input,
    /// The input and the output that had been produced by then.
    Produced,
    /// The whole answer, whether anybody saw it or not.
    Full,
}

/// A provider's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Billing {
    /// A call without a stream that was closed before its answer (timeout, client gone).
    pub closed_call: Billed,
    /// A stream that was closed by its reader.
    pub closed_stream: Billed,
    /// A stream that the provider broke off.
    pub broken_stream: Billed,
    /// A call that the provider never answered.
    pub hung_call: Billed,
    /// An answer of 429 or another 4xx.
    pub refused: Billed,
    /// An answer of 5xx, or a lost connection.
    pub server_error: Billed,
    /// An answer that the content was refused.
    pub content_policy: Billed,
}

impl Default for Billing {
    /// What most providers do: errors are free, an abandoned call runs on and is billed, a closed stream stops.
    fn default() -> Self {
        Self {
            closed_call: Billed::Full,
            closed_stream: Billed::Produced,
            broken_stream: Billed::Produced,
            hung_call: Billed::Nothing,
            refused: Billed::Nothing,
            server_error: Billed::Nothing,
            content_policy: Billed::Input,
        }
    }
}

impl Billing {
    /// What is billed for a call that would have gone as `service` says and ended as `outcome` after `elapsed`.
    pub fn usage(&self, service: &Service, outcome: Outcome, elapsed: SimDuration, stream: bool) -> Usage {
        let billed = match (outcome, service.outcome) {
            (Outcome::Ok, _) => return service.usage,
            // Closed early: what counts is what the provider was doing.
            (Outcome::Timeout | Outcome::Cancelled, Outcome::Ok | Outcome::Cut) if stream => self.closed_stream,
            (Outcome::Timeout | Outcome::Cancelled, Outcome::Ok | Outcome::Cut) => self.closed_call,
            (_, Outcome::Timeout) => self.hung_call,
            (Outcome::Timeout | Outcome::Cancelled, _) => Billed::Nothing,
            (Outcome::Cut, _) => self.broken_stream,
            (Outcome::ContentPolicy, _) => self.content_policy,
            (Outcome::Status(500..) | Outcome::Worded(500.., _), _) | (Outcome::ConnectionError, _) => {
                self.server_error
            }
            (Outcome::Status(_) | Outcome::Worded(..) | Outcome::ContextWindow, _) => self.refused,
        };
        match billed {
            Billed::Nothing => Usage::default(),
            Billed::Input => Usage { output: 0, reasoning: 0, ..service.usage },
            Billed::Produced => produced(service, elapsed),
            Billed::Full => service.usage,
        }
    }
}

/// Input and the output made in `elapsed`: from the headers on (from the start without a stream) at an even pace.
fn produced(service: &Service, elapsed: SimDuration) -> Usage {
    let start = if service.headers < service.total { service.headers.0 } else { 0 };
    let whole = (service.total.0 - start).max(1);
    let part = (elapsed.0 - start).clamp(0, whole);
    let of = |tokens: Tokens| (i128::from(tokens) * i128::from(part) / i128::from(whole)) as Tokens;
    Usage { output: of(service.usage.output), reasoning: of(service.usage.reasoning), ..service.usage }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::RetryAfter;

    fn service(outcome: Outcome) -> Service {
        Service {
            outcome,
            retry_after: RetryAfter::None,
            headers: SimDuration::from_secs(1),
            first_token: SimDuration::from_secs(2),
            total: SimDuration::from_secs(11),
            chunks: 900,
            usage: Usage { reasoning: 100, ..Usage::plain(500, 1000) },
            alive: SimDuration::ZERO,
        }
    }

    fn billed(natural: Outcome, outcome: Outcome, seconds: i64, stream: bool) -> (u32, u32) {
        let usage = Billing::default().usage(&service(natural), outcome, SimDuration::from_secs(seconds), stream);
        (usage.input, usage.output)
    }

    #[test]
    fn what_is_billed_follows_what_the_provider_was_doing() {
        use Outcome::{Cancelled, ConnectionError, ContentPolicy, Cut, Ok, Status, Timeout};
        assert_eq!(billed(Ok, Ok, 11, true), (500, 1000));
        assert_eq!(billed(Ok, Cancelled, 6, true), (500, 500), "a closed stream stops");
        assert_eq!(billed(Ok, Cancelled, 6, false), (500, 1000), "an abandoned call runs on");
        assert_eq!(billed(Ok, Timeout, 1, true), (500, 0), "no output yet");
        assert_eq!(billed(Status(429), Status(429), 1, false), (0, 0));
        assert_eq!(billed(Status(500), Timeout, 1, false), (0, 0), "the error would have been free too");
        assert_eq!(billed(Timeout, Timeout, 600, false), (0, 0), "hung");
        assert_eq!(billed(ConnectionError, ConnectionError, 1, true), (0, 0));
        assert_eq!(billed(ContentPolicy, ContentPolicy, 1, true), (500, 0));
        assert_eq!(billed(Cut, Cut, 11, true), (500, 1000), "usage of a broken stream is what it had produced");
    }
}

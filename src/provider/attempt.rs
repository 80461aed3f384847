//! One call at one deployment: how long each part of its answer takes.

use crate::provider::deployment::{Deployment, Latency};
use crate::provider::fault::{BackgroundError, Fault};
use crate::provider::service::{Service, UpstreamCall};
use crate::random::{Dist, Here, Purpose, Unit};
use crate::traffic::Fate;
use crate::units::{Outcome, RetryAfter, SimDuration, Tokens, Usage};

/// A call with what is needed to draw its fate. It is passed as a copy: while nobody keeps its address, the common way
/// of a call needs no memory for it.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    /// Standing at the request.
    pub(super) draws: Here,
    pub(super) deployment: &'a Deployment,
    /// How long its answers take at the moment of the call.
    pub(super) latency: &'a Latency,
    pub(super) call: UpstreamCall,
}

/// Why an attempt fails, before its timing is known.
#[derive(Clone, Copy)]
pub(super) struct Failure<'a> {
    pub(super) fault: Fault,
    /// Seconds until the error answer, where the deployment's usual ones do not hold.
    pub(super) after_s: Option<&'a Dist>,
    pub(super) retry_after: RetryAfter,
}

impl<'a> Failure<'a> {
    pub(super) fn of(error: &'a BackgroundError) -> Self {
        Self { fault: error.fault, after_s: error.after_s.as_ref(), retry_after: RetryAfter::None }
    }
}

/// The moments of an answer, in seconds.
struct Moments {
    headers: f64,
    first_token: f64,
    total: f64,
}

impl Attempt<'_> {
    /// A uniform number for this try at this deployment.
    #[inline(always)]
    pub(super) fn unit(self, purpose: Purpose, which: u32) -> Unit {
        // Tries stay far below 2^20, so that several draws of one purpose fit beside each other.
        self.draws.unit(purpose, self.deployment.address, self.call.nth_try ^ which << 20)
    }

    /// Usage of the complete answer without a prompt cache; `max_tokens` of the call bounds the output.
    #[inline(always)]
    pub(super) fn complete_usage(self, fate: &Fate) -> Usage {
        let output = fate.output.min(self.call.max_tokens.unwrap_or(Tokens::MAX));
        Usage { reasoning: fate.reasoning.min(output), ..Usage::plain(fate.input, output) }
    }

    /// The call is turned away at the door.
    #[inline(never)]
    pub(super) fn refused(self, outcome: Outcome, retry_after: RetryAfter) -> Service {
        self.error(outcome, retry_after, None, 1.0)
    }

    fn error(self, outcome: Outcome, retry_after: RetryAfter, after_s: Option<&Dist>, factor: f64) -> Service {
        let seconds = after_s.unwrap_or(&self.deployment.error_s).draw(self.unit(Purpose::ErrorLatency, 0));
        let total = SimDuration::from_secs_f64(seconds * factor);
        Service { outcome, retry_after, ..Service::answer(total, Usage::default()) }
    }

    /// The call is answered in full, or fails.
    #[inline(always)]
    pub(super) fn served(self, failure: Option<Failure<'_>>, usage: Usage, latency_factor: f64) -> Service {
        match failure {
            None => self.answered(usage, latency_factor),
            Some(failure) => self.failed(failure, usage, latency_factor),
        }
    }

    /// The call is answered in full.
    #[inline(always)]
    pub(super) fn answered(self, usage: Usage, latency_factor: f64) -> Service {
        let moments = self.moments(usage, latency_factor);
        let total = SimDuration::from_secs_f64(moments.total);
        if !self.call.stream {
            return Service::answer(total, usage);
        }
        Service {
            outcome: Outcome::Ok,
            retry_after: RetryAfter::None,
            headers: SimDuration::from_secs_f64(moments.headers),
            first_token: SimDuration::from_secs_f64(moments.first_token),
            total,
            chunks: self.chunks(usage.output - usage.reasoning),
            usage,
            alive: SimDuration::ZERO,
        }
    }

    #[inline]
    fn chunks(self, visible: Tokens) -> u32 {
        visible.div_ceil(self.deployment.tokens_per_chunk.max(1)).max(1)
    }

    #[inline(always)]
    fn moments(self, usage: Usage, factor: f64) -> Moments {
        match self.latency {
            Latency::Total { total_s, first_token_share } => {
                let total = total_s.draw(self.unit(Purpose::Pace, 0)) * factor;
                let first_token = total * first_token_share;
                Moments { headers: first_token, first_token, total }
            }
            Latency::Paced { first_token_s, per_token_s } => {
                let headers = first_token_s.draw(self.unit(Purpose::FirstToken, 0)) * factor;
                let pace = per_token_s.draw(self.unit(Purpose::Pace, 0)) * factor;
                // Reasoning comes before the first token that is shown.
                let first_token = headers + pace * f64::from(usage.reasoning);
                let visible = (usage.output - usage.reasoning).saturating_sub(1);
                Moments { headers, first_token, total: first_token + pace * f64::from(visible) }
            }
        }
    }

    /// The call fails.
    #[cold]
    pub(super) fn failed(self, failure: Failure<'_>, usage: Usage, latency_factor: f64) -> Service {
        let outcome = failure.fault.outcome(self.call.stream);
        match failure.fault {
            Fault::Hang => Service { outcome, ..Service::answer(SimDuration::FOREVER, usage) },
            Fault::Cut if self.call.stream => self.cut(self.answered(usage, latency_factor)),
            Fault::Status(_) | Fault::ContentPolicy | Fault::Connection | Fault::Cut => {
                let mut service = self.error(outcome, failure.retry_after, failure.after_s, latency_factor);
                if failure.fault == Fault::ContentPolicy {
                    service.usage = Usage { output: 0, reasoning: 0, ..usage };
                }
                service
            }
        }
    }

    /// Breaks a stream off after a random part of its pieces; the usage is that of the part.
    fn cut(self, whole: Service) -> Service {
        let chunks = (self.unit(Purpose::Failure, 1).as_f64() * f64::from(whole.chunks)) as u32;
        let total = whole.chunk_at(chunks.max(1));
        Service { outcome: Outcome::Cut, total, chunks, usage: whole.usage_by_chunks(chunks), ..whole }
    }
}

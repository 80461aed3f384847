//! When and how an attempt ends once the gateway's patience is set against the provider's answer.

use crate::gateway::Limits;
use crate::provider::Service;
use crate::units::{Outcome, Phase, SimDuration};

/// The end of an attempt that nobody interrupts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conclusion {
    /// How long it takes; `FOREVER` if it never ends.
    pub after: SimDuration,
    /// How it ends.
    pub outcome: Outcome,
    /// How far the answer has come by then.
    pub phase: Phase,
}

/// Sets the limits of the gateway against the service of the provider: the first limit to run out ends the attempt.
/// What comes at the very moment a limit runs out has come in time.
#[inline(always)]
pub fn conclude(service: &Service, limits: &Limits, stream: bool) -> Conclusion {
    let after = patience_ends(service, limits, stream).min(limits.total);
    if after < service.total {
        return Conclusion { after, outcome: Outcome::Timeout, phase: phase_at(service, after, stream) };
    }
    Conclusion { after: service.total, outcome: service.outcome, phase: final_phase(service, stream) }
}

/// When the first silence that is too long has lasted too long; `FOREVER` if none does.
#[inline(always)]
fn patience_ends(service: &Service, limits: &Limits, stream: bool) -> SimDuration {
    let first_token_limit = if stream { limits.first_token } else { SimDuration::FOREVER };
    let headers_limit = (service.alive + limits.headers.min(limits.idle)).min(first_token_limit);
    if service.headers > headers_limit {
        return headers_limit;
    }
    if !stream || service.chunks == 0 {
        return SimDuration::FOREVER;
    }
    patience_with_stream_ends(service, limits, first_token_limit)
}

fn patience_with_stream_ends(service: &Service, limits: &Limits, first_token_limit: SimDuration) -> SimDuration {
    let silence = (service.headers + limits.idle.min(limits.content)).min(first_token_limit);
    if service.first_token > silence {
        silence
    } else if service.longest_gap() > limits.idle {
        service.first_token + limits.idle
    } else {
        SimDuration::FOREVER
    }
}

#[inline(always)]
fn final_phase(service: &Service, stream: bool) -> Phase {
    match service.outcome {
        Outcome::Ok => Phase::AfterContent,
        _ => phase_at(service, service.total, stream),
    }
}

/// How far the answer has come `elapsed` after its start.
pub fn phase_at(service: &Service, elapsed: SimDuration, stream: bool) -> Phase {
    match (stream, service.outcome) {
        (true, Outcome::Ok | Outcome::Cut) if service.chunks_by(elapsed) > 0 => Phase::AfterContent,
        (true, Outcome::Ok | Outcome::Cut) if elapsed >= service.headers => Phase::BeforeContent,
        _ => Phase::BeforeHeaders,
    }
}

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
pub fn conclude(service: &Service, limits: &Limits, stream: bool) -> Conclusion {
    let natural = Conclusion { after: service.total, outcome: service.outcome, phase: final_phase(service, stream) };
    let timeout = |after, phase| Conclusion { after, outcome: Outcome::Timeout, phase };
    let mut first_limit = None;
    let mut limit = |after: SimDuration, phase| {
        if after < natural.after && first_limit.is_none_or(|c: Conclusion| after < c.after) {
            first_limit = Some(timeout(after, phase));
        }
    };
    let headers_limit = limits.headers.min(limits.idle);
    if service.headers > headers_limit {
        limit(headers_limit, Phase::BeforeHeaders);
    } else if stream && service.chunks > 0 {
        let silence = SimDuration(service.headers.0.saturating_add(limits.idle.0)).min(limits.first_token);
        let silence = silence.max(service.headers);
        if service.first_token > silence {
            limit(silence, Phase::BeforeContent);
        } else if service.gap() > limits.idle {
            limit(service.first_token + limits.idle, Phase::AfterContent);
        }
    }
    limit(limits.total, phase_at(service, limits.total, stream));
    first_limit.unwrap_or(natural)
}

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

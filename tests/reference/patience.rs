//! How an attempt ends, found by walking through the answer piece by piece with a clock in hand.

use billcast::gateway::Limits;
use billcast::provider::Service;
use billcast::units::{Outcome, Phase, SimDuration};

/// When and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Time from the start.
    pub after: SimDuration,
    /// How.
    pub outcome: Outcome,
    /// How far the answer had come.
    pub phase: Phase,
}

/// The pieces of an answer in order: when each comes, and how far the answer is then.
fn pieces(service: &Service, stream: bool) -> Vec<(SimDuration, Phase)> {
    let streams = stream && matches!(service.outcome, Outcome::Ok | Outcome::Cut);
    if !streams {
        return Vec::new(); // Everything comes at once, at the end.
    }
    let headers = (service.headers, Phase::BeforeContent);
    let chunks = (1..=service.chunks).map(|n| (service.chunk_at(n), Phase::AfterContent));
    std::iter::once(headers).chain(chunks).collect()
}

/// How far the answer is after this time.
pub fn phase_after(service: &Service, elapsed: SimDuration, stream: bool) -> Phase {
    let arrived = pieces(service, stream).into_iter().rfind(|(at, _)| *at <= elapsed);
    arrived.map_or(Phase::BeforeHeaders, |(_, phase)| phase)
}

/// Walks through the answer; the first limit that runs out before the next piece comes ends it.
pub fn verdict(service: &Service, limits: &Limits, stream: bool) -> Verdict {
    let mut phase = Phase::BeforeHeaders;
    // Signs of life come until then.
    let mut last = service.alive;
    let mut coming = pieces(service, stream);
    coming.push((service.total, phase_at_end(service, stream)));
    for (at, next_phase) in coming {
        let silence = last + limits.idle;
        let deadline = match phase {
            Phase::BeforeHeaders if stream => silence.min(last + limits.headers).min(limits.first_token),
            Phase::BeforeHeaders => silence.min(last + limits.headers),
            Phase::BeforeContent => silence.min(last + limits.content).min(limits.first_token),
            Phase::AfterContent => silence,
        };
        let deadline = deadline.min(limits.total);
        if deadline < at {
            return Verdict { after: deadline, outcome: Outcome::Timeout, phase };
        }
        (phase, last) = (next_phase, at);
    }
    Verdict { after: service.total, outcome: service.outcome, phase }
}

fn phase_at_end(service: &Service, stream: bool) -> Phase {
    match service.outcome {
        Outcome::Ok => Phase::AfterContent,
        _ => phase_after(service, service.total, stream),
    }
}

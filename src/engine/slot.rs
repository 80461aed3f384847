//! What the engine keeps of a request in flight, and what its queued events carry.

use crate::engine::attempt::phase_at;
use crate::engine::machine::Arrival;
use crate::engine::observer::RequestRecord;
use crate::gateway::{Attempt, AttemptRole, Limits};
use crate::provider::{Service, UpstreamCall};
use crate::random::Here;
use crate::traffic::Leave;
use crate::units::{CallId, DeploymentId, NameId, Outcome, Phase, SimDuration, SimTime, Usage};

/// An attempt on its way; what was asked for and how it will be answered stand beside it in the slot.
#[derive(Debug, Clone, Copy)]
pub struct Flight {
    pub started: SimTime,
    pub nth_try: u32,
    pub outcome: Outcome,
    pub phase: Phase,
}

/// A request in flight. Events carry the counters below as they were when scheduled, so that events that have been
/// overtaken are recognised and dropped.
pub struct Slot<C, F> {
    pub record: RequestRecord,
    pub fate: F,
    pub leave: Leave,
    pub here: Here,
    pub call: C,
    pub flight: Option<Flight>,
    /// What was asked for last, and how it is answered: written and read in place, for they are large.
    pub attempt: Attempt,
    pub service: Service,
    /// Calls so far per deployment.
    tries: Vec<(DeploymentId, u32)>,
    /// Counts what has been scheduled for this slot: only the latest end or wake-up is still meant.
    pub step: u32,
    /// Counts the requests that have used this slot.
    pub generation: u32,
    pub busy: bool,
}

impl<C: Default, F: Copy> Slot<C, F> {
    /// A slot with its first request.
    pub fn new(arrival: &Arrival<F>) -> Self {
        Self {
            record: RequestRecord::new(arrival),
            fate: arrival.fate,
            leave: arrival.leave,
            here: arrival.here,
            call: C::default(),
            flight: None,
            attempt: NO_ATTEMPT,
            service: NO_SERVICE,
            tries: Vec::new(),
            step: 0,
            generation: 0,
            busy: true,
        }
    }

    /// The slot takes its next request.
    #[inline(always)]
    pub fn reuse(&mut self, arrival: &Arrival<F>) {
        self.record = RequestRecord::new(arrival);
        self.fate = arrival.fate;
        self.leave = arrival.leave;
        self.here = arrival.here;
        self.tries.clear();
        self.busy = true;
    }

    /// Whatever end or wake-up is pending is no longer meant.
    #[inline(always)]
    pub const fn forget_pending(&mut self) {
        self.step = self.step.wrapping_add(1);
    }

    /// The request is over: whatever is queued for it is not meant any more.
    #[inline(always)]
    pub const fn release(&mut self) {
        self.forget_pending();
        self.generation = self.generation.wrapping_add(1);
        self.busy = false;
    }

    /// The call in flight as the provider sees it.
    #[inline(always)]
    pub const fn upstream_call(&self, nth_try: u32) -> UpstreamCall {
        UpstreamCall {
            deployment: self.attempt.deployment,
            class: self.record.class,
            request: self.record.view.id,
            nth_try,
            stream: self.record.view.stream,
            max_tokens: self.attempt.max_tokens,
        }
    }

    /// How far the answer has come by now.
    pub fn phase(&self, now: SimTime) -> Phase {
        self.flight.map_or(Phase::BeforeHeaders, |flight| {
            phase_at(&self.service, now - flight.started, self.record.view.stream)
        })
    }

    /// Whether something of the answer has reached the client: its SDK waits no longer for the beginning.
    pub fn has_begun(&self, now: SimTime) -> bool {
        let is_flowing = self.record.view.stream && self.phase(now) == Phase::AfterContent;
        self.record.first_token.is_some() || is_flowing
    }

    /// Counts a call to a deployment; says how many there were before.
    #[inline(always)]
    pub fn count_try(&mut self, deployment: DeploymentId) -> u32 {
        match self.tries.iter_mut().find(|(id, _)| *id == deployment) {
            Some((_, n)) => {
                *n += 1;
                *n - 1
            }
            None => {
                self.tries.push((deployment, 1));
                0
            }
        }
    }
}

/// What stands in a slot before its first attempt.
pub const NO_ATTEMPT: Attempt = Attempt {
    deployment: DeploymentId(0),
    name: NameId(0),
    limits: Limits::NONE,
    max_tokens: None,
    role: AttemptRole::First,
};
const NO_SERVICE: Service = Service::answer(SimDuration::ZERO, Usage::plain(0, 0));

/// What a queued event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The end of an attempt or of a sleep.
    Step = 0,
    /// The client leaves.
    Leave = 1,
    /// The end of a plain request; its number stands where the others have their slot.
    Plain = 2,
}

/// The payload of a break of the gateway itself; no slot has this number.
pub const BREAK: u64 = u64::MAX;

pub const COUNTER_MASK: u32 = (1 << 30) - 1;

/// Packs an event: slot in the upper half, then 30 bits of the counter, then the kind.
pub const fn pack(kind: Kind, call: CallId, counter: u32) -> u64 {
    (call.0 as u64) << 32 | ((counter & COUNTER_MASK) as u64) << 2 | kind as u64
}

/// Kind, slot and counter of an event.
pub const fn unpack(payload: u64) -> (Kind, CallId, u32) {
    let kind = match payload & 3 {
        0 => Kind::Step,
        1 => Kind::Leave,
        _ => Kind::Plain,
    };
    (kind, CallId((payload >> 32) as u32), (payload >> 2) as u32 & COUNTER_MASK)
}

//! A run that somebody watches: everything that happens is shown to a watcher as well, with what it cost. The plain run
//! does not know of watchers, so it pays nothing for them.

use crate::engine::observer::{AttemptRecord, Observer, RequestRecord};
use crate::engine::recorder::{Recorder, cause_of};
use crate::gateway::{Attempt, Notes, Response};
use crate::ledger::Cause;
use crate::provider::Service;
use crate::units::{CallId, DeploymentId, Money, SimTime};

/// What the books say of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Booked {
    /// Why.
    pub cause: Cause,
    /// How much; nothing where no price is known.
    pub amount: Money,
    /// For a fallback: what of it is above the prices of the group asked for, as far as that is known.
    pub premium: Money,
    /// Whether it is known.
    pub is_premium_known: bool,
}

impl Booked {
    /// The premium, if it is known.
    pub fn known_premium(&self) -> Option<Money> {
        self.is_premium_known.then_some(self.premium)
    }
}

/// Is told of everything that happens in a run. What it does not care for it leaves out.
pub trait Watcher {
    /// A request has arrived.
    fn arrived(&mut self, call: CallId, request: &RequestRecord) {
        let _ = (call, request);
    }

    /// An attempt has started.
    fn attempted(&mut self, call: CallId, attempt: &Attempt, now: SimTime) {
        let _ = (call, attempt, now);
    }

    /// An attempt has ended and is booked.
    fn ended(&mut self, call: CallId, request: &RequestRecord, attempt: &AttemptRecord<'_>, booked: &Booked) {
        let _ = (call, request, attempt, booked);
    }

    /// A request is over; `fell_back` when another group than the one asked for has answered it well.
    fn responded(&mut self, call: CallId, request: &RequestRecord, response: &Response, now: SimTime, fell_back: bool) {
        let _ = (call, request, response, now, fell_back);
    }

    /// A deployment is put into cooldown.
    fn cooldown(&mut self, at: SimTime, deployment: DeploymentId, until: SimTime) {
        let _ = (at, deployment, until);
    }

    /// The gateway has decided something about a request.
    fn decided(&mut self, at: SimTime, call: CallId, decision: impl FnOnce() -> String) {
        let _ = (at, call, decision);
    }
}

/// Two watchers beside each other.
impl<A: Watcher, B: Watcher> Watcher for (A, B) {
    fn arrived(&mut self, call: CallId, request: &RequestRecord) {
        self.0.arrived(call, request);
        self.1.arrived(call, request);
    }

    fn attempted(&mut self, call: CallId, attempt: &Attempt, now: SimTime) {
        self.0.attempted(call, attempt, now);
        self.1.attempted(call, attempt, now);
    }

    fn ended(&mut self, call: CallId, request: &RequestRecord, attempt: &AttemptRecord<'_>, booked: &Booked) {
        self.0.ended(call, request, attempt, booked);
        self.1.ended(call, request, attempt, booked);
    }

    fn responded(&mut self, call: CallId, request: &RequestRecord, response: &Response, now: SimTime, fell_back: bool) {
        self.0.responded(call, request, response, now, fell_back);
        self.1.responded(call, request, response, now, fell_back);
    }

    fn cooldown(&mut self, at: SimTime, deployment: DeploymentId, until: SimTime) {
        self.0.cooldown(at, deployment, until);
        self.1.cooldown(at, deployment, until);
    }

    /// Only the second is told what the gateway decides: a text can be made only once.
    fn decided(&mut self, at: SimTime, call: CallId, decision: impl FnOnce() -> String) {
        self.1.decided(at, call, decision);
    }
}

/// The recorder of the run, with a watcher beside it.
pub(super) struct Watched<'a, 'b, W> {
    pub(super) recorder: Recorder<'a>,
    pub(super) watcher: &'b mut W,
}

impl<W: Watcher> Notes for Watched<'_, '_, W> {
    fn cooldown(&mut self, at: SimTime, deployment: DeploymentId, until: SimTime) {
        self.recorder.cooldown(at, deployment, until);
        self.watcher.cooldown(at, deployment, until);
    }

    fn decided(&mut self, at: SimTime, call: CallId, decision: impl FnOnce() -> String) {
        self.watcher.decided(at, call, decision);
    }
}

impl<W: Watcher> Observer for Watched<'_, '_, W> {
    fn arrived(&mut self, call: CallId, request: &RequestRecord) {
        self.recorder.arrived(call, request);
        self.watcher.arrived(call, request);
    }

    fn attempted(&mut self, call: CallId, request: &RequestRecord, attempt: &Attempt, service: &Service, now: SimTime) {
        self.recorder.attempted(call, request, attempt, service, now);
        self.watcher.attempted(call, attempt, now);
    }

    fn ended(&mut self, call: CallId, request: &RequestRecord, attempt: &AttemptRecord<'_>) {
        let books = |recorder: &Recorder<'_>| {
            let ledger = &recorder.run().ledger;
            (ledger.total(), ledger.fallback_premium(), ledger.unknown_premiums())
        };
        let before = books(&self.recorder);
        self.recorder.ended(call, request, attempt);
        let after = books(&self.recorder);
        let (amount, premium) = (after.0 - before.0, after.1 - before.1);
        let is_premium_known = before.2 == after.2;
        let booked = Booked { cause: cause_of(request, attempt), amount, premium, is_premium_known };
        self.watcher.ended(call, request, attempt, &booked);
    }

    fn responded(&mut self, call: CallId, request: &RequestRecord, response: &Response, now: SimTime) {
        let before = self.recorder.run().fallbacks;
        self.recorder.responded(call, request, response, now);
        let fell_back = self.recorder.run().fallbacks > before;
        self.watcher.responded(call, request, response, now, fell_back);
    }

    fn left_in_flight(&mut self, call: CallId, request: &RequestRecord) {
        self.recorder.left_in_flight(call, request);
    }
}

//! Light requests: those of which the gateway holds a little (of limits, a slot) until their first attempt has ended,
//! and that are answered in full. Like the requests in the fast lane they have a short row instead of a slot; what the
//! gateway holds stands beside it. A request that turns out to be heavy is taken up where it is, and goes on the long
//! way: the draws, the order of events and all that is told stay the same (`tests/reference_engine.rs` holds every
//! scenario against runs that go the long way throughout).

use crate::engine::lane::{ON_TAB, Plain, answered_until};
use crate::engine::machine::{Arrival, Arrivals, Asked, Engine, Parts, ending};
use crate::engine::observer::{Observer, RequestRecord};
use crate::engine::queue::Class;
use crate::engine::slot::{Kind, pack};
use crate::gateway::{ANY, Attempt, Gateway, Light, Response, Turn};
use crate::provider::{Service, Upstream};
use crate::random::Draws;
use crate::traffic::Leave;
use crate::units::{CallId, SimTime};

/// The counter in an event that ends a light request has this bit; in those of the fast lane it has not.
pub(super) const LIGHT: u32 = 1;

impl<G, U, S, D, O> Engine<'_, G, U, S, D, O>
where
    G: Gateway,
    U: Upstream,
    S: Arrivals<Fate = U::Fate>,
    D: Draws,
    O: Observer,
{
    /// A request has arrived that may be light. The provider's answer stands in one place, whoever looks at it: moved,
    /// it would be read in large pieces that have just been written in small ones, for which a processor waits.
    #[inline(always)]
    pub(super) fn arrive_lightly(&mut self, arrival: &Arrival<U::Fate>) {
        let (parts, mut held) = (&mut self.parts, G::Held::default());
        parts.draws.stand_at(arrival.here);
        let turn =
            Turn { now: arrival.at, call: ANY, draws: parts.draws, notes: parts.observer, woken: &mut parts.woken };
        let attempt = match parts.gateway.admit_lightly(turn, &arrival.view, &mut held) {
            Light::Attempt(attempt) => attempt,
            Light::Respond(response) => return parts.respond_lightly(arrival, &response),
            Light::Wait(deployment) if arrival.leave == Leave::Never => {
                return parts.wait_lightly(arrival, held, deployment);
            }
            Light::Wait(_) | Light::GoOn => return self.go_on_at_once(arrival, held),
        };
        let plain = Plain::new(arrival, &attempt);
        let service = parts.upstream.serve(arrival.at, arrival.here, &plain.upstream_call(), &arrival.fate);
        match answered_until(arrival.at, arrival, &attempt, &service) {
            Some(until) => {
                let plain = Plain { usage: service.usage, ..plain };
                parts.set_off_lightly(plain, held, &attempt, &service, until);
            }
            None => self.take_up_at_once(arrival, held, &attempt, &service),
        }
    }

    /// A request that has just arrived has been sent, but it will end in another way.
    #[inline(never)]
    fn take_up_at_once(&mut self, arrival: &Arrival<U::Fate>, held: G::Held, attempt: &Attempt, service: &Service) {
        self.parts.observer.arrived(ANY, &RequestRecord::new(arrival));
        self.take_up(arrival.at, arrival, held, attempt, service);
    }

    /// The request has been sent, but it will end in another way.
    #[inline(always)]
    pub(super) fn take_up(
        &mut self,
        now: SimTime,
        arrival: &Arrival<U::Fate>,
        held: G::Held,
        attempt: &Attempt,
        service: &Service,
    ) {
        let id = self.occupy(arrival);
        let (parts, slot) = (&mut self.parts, &mut self.slots[id.index()]);
        parts.expect_leave(slot, now, id);
        parts.gateway.take_up((arrival.at, now), &slot.record.view, &mut slot.call, held, attempt);
        slot.attempt = *attempt;
        let nth_try = slot.count_try(attempt.deployment);
        parts.fly(slot, now, id, nth_try, service);
    }

    /// A request that has just arrived has been let in, and nothing else.
    #[inline(never)]
    fn go_on_at_once(&mut self, arrival: &Arrival<U::Fate>, held: G::Held) {
        self.parts.observer.arrived(ANY, &RequestRecord::new(arrival));
        self.go_on(arrival.at, arrival, held);
    }

    /// The request has been let in, and nothing else.
    pub(super) fn go_on(&mut self, now: SimTime, arrival: &Arrival<U::Fate>, held: G::Held) {
        let id = self.occupy(arrival);
        let (parts, slot) = (&mut self.parts, &mut self.slots[id.index()]);
        parts.expect_leave(slot, now, id);
        let turn = Turn { now, call: id, draws: parts.draws, notes: parts.observer, woken: &mut parts.woken };
        let step = parts.gateway.go_on(turn, &slot.record.view, &mut slot.call, held);
        self.perform(now, id, step);
    }
}

impl<G, U, S, D, O> Parts<'_, G, U, S, D, O>
where
    G: Gateway,
    U: Upstream,
    S: Arrivals<Fate = U::Fate>,
    D: Draws,
    O: Observer,
{
    /// A request is on its way that will be answered in full at the moment `until`.
    #[inline(always)]
    fn set_off_lightly(&mut self, plain: Plain, held: G::Held, attempt: &Attempt, service: &Service, until: SimTime) {
        let way = self.set_off(&plain, attempt, service, until);
        let place = self.light.put((plain, held), &mut self.woken);
        self.queue.push(until, Class::AttemptEnd, pack(Kind::Plain, place, LIGHT | way));
    }

    /// The request is over before anything was sent.
    #[inline(never)]
    fn respond_lightly(&mut self, arrival: &Arrival<U::Fate>, response: &Response) {
        self.observer.arrived(ANY, &RequestRecord::new(arrival));
        self.respond_to(arrival.at, arrival, response);
    }

    /// Its client has the answer.
    #[inline(always)]
    pub(super) fn respond_to(&mut self, now: SimTime, arrival: &Arrival<U::Fate>, response: &Response) {
        let record = RequestRecord::new(arrival);
        self.observer.responded(ANY, &record, response, now);
        let asked = Asked { fate: arrival.fate, leave: arrival.leave };
        self.arrivals.responded(now, &record, asked, ending(response));
    }

    /// A light request is answered.
    #[inline(never)]
    pub(super) fn answer_lightly(&mut self, now: SimTime, place: CallId, way: u32) {
        let is_on_tab = way & ON_TAB != 0;
        let (plain, held) = self.light.take(place);
        let moments = (plain.started, now);
        plain.book(moments, is_on_tab, self.upstream, self.observer);
        let turn = Turn { now, call: ANY, draws: self.draws, notes: self.observer, woken: &mut self.woken };
        self.gateway.lightly_answered(turn, &plain.view, &plain.answer(), *held);
        plain.respond(moments, is_on_tab, self.observer, self.arrivals);
    }
}

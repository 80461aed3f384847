//! Light requests: those of which the gateway holds a little (of limits, a slot) until their first attempt has ended, and
//! that are answered in full. Like the requests in the fast lane they have a short row instead of a slot; what the gateway
//! holds stands beside it. A request that turns out to be heavy is taken up where it is, and goes on the long way: the
//! draws, the order of events and all that is told stay the same (`tests/reference_engine.rs` holds every scenario against
//! runs that go the long way throughout).

use crate::engine::lane::{ANY, ON_TAB, Plain};
use crate::engine::machine::{Arrival, Arrivals, Asked, Engine, Parts, ending};
use crate::engine::observer::{Observer, RequestRecord};
use crate::engine::queue::Class;
use crate::engine::room::MOST_ROWS;
use crate::engine::slot::{Kind, pack};
use crate::gateway::{Attempt, FULL, Gateway, Light, Response, Turn};
use crate::provider::{Service, Upstream};
use crate::random::Draws;
use crate::units::{CallId, SimTime};

/// The counter in an event that ends a light request has this bit; in those of the fast lane it has not.
pub(super) const LIGHT: u32 = 1;

/// The light requests on their way, with what the gateway holds of each. Places are used again.
#[derive(Debug)]
pub(super) struct Rows<H> {
    rows: Vec<(Plain, H)>,
    free: Vec<CallId>,
}

impl<H> Default for Rows<H> {
    fn default() -> Self {
        Self { rows: Vec::new(), free: Vec::new() }
    }
}

impl<H: Copy> Rows<H> {
    #[inline(always)]
    fn put(&mut self, plain: Plain, held: H, woken: &mut Vec<CallId>) -> CallId {
        let Some(id) = self.free.pop() else {
            self.rows.push((plain, held));
            if self.rows.len() > MOST_ROWS {
                woken.push(FULL);
            }
            return CallId::from_index(self.rows.len() - 1);
        };
        self.rows[id.index()] = (plain, held);
        id
    }
}

/// What has become of a request that may be light.
enum Sent<H> {
    /// It is on its way, or over.
    Lightly,
    /// It has been sent, but this is how its provider will answer.
    Heavy(H, Attempt, Service),
    /// It has been let in, and nothing else.
    In(H),
}

impl<G, U, S, D, O> Engine<'_, G, U, S, D, O>
where
    G: Gateway,
    U: Upstream,
    S: Arrivals<Fate = U::Fate>,
    D: Draws,
    O: Observer,
{
    /// A request has arrived that may be light.
    #[inline(always)]
    pub(super) fn arrive_lightly(&mut self, arrival: &Arrival<U::Fate>) {
        match self.parts.send(arrival) {
            Sent::Lightly => {}
            Sent::Heavy(held, attempt, service) => self.take_up(arrival, held, &attempt, &service),
            Sent::In(held) => self.go_on(arrival, held),
        }
    }

    #[inline(never)]
    fn take_up(&mut self, arrival: &Arrival<U::Fate>, held: G::Held, attempt: &Attempt, service: &Service) {
        let (now, id) = (arrival.at, self.occupy(arrival));
        let (parts, slot) = (&mut self.parts, &mut self.slots[id.index()]);
        parts.expect_leave(slot, now, id);
        parts.gateway.take_up(now, &slot.record.view, &mut slot.call, held, attempt);
        slot.attempt = *attempt;
        let nth_try = slot.count_try(attempt.deployment);
        parts.fly(slot, now, id, nth_try, service);
    }

    #[inline(never)]
    fn go_on(&mut self, arrival: &Arrival<U::Fate>, held: G::Held) {
        let (now, id) = (arrival.at, self.occupy(arrival));
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
    #[inline(always)]
    fn send(&mut self, arrival: &Arrival<U::Fate>) -> Sent<G::Held> {
        let now = arrival.at;
        self.draws.stand_at(arrival.here);
        let turn = Turn { now, call: ANY, draws: self.draws, notes: self.observer, woken: &mut self.woken };
        let mut held = G::Held::default();
        let attempt = match self.gateway.admit_lightly(turn, &arrival.view, &mut held) {
            Light::Attempt(attempt) => attempt,
            Light::Respond(response) => {
                self.respond_lightly(arrival, &response);
                return Sent::Lightly;
            }
            Light::GoOn => {
                self.observer.arrived(ANY, &RequestRecord::new(arrival));
                return Sent::In(held);
            }
        };
        let (plain, service, until) = self.try_plainly(arrival, &attempt);
        let Some(until) = until else {
            self.observer.arrived(ANY, &RequestRecord::new(arrival));
            return Sent::Heavy(held, attempt, service);
        };
        let way = self.set_off(&plain, &attempt, &service, until);
        let place = self.light.put(plain, held, &mut self.woken);
        self.queue.push(until, Class::AttemptEnd, pack(Kind::Plain, place, LIGHT | way));
        Sent::Lightly
    }

    /// The request is over before anything was sent.
    #[inline(never)]
    fn respond_lightly(&mut self, arrival: &Arrival<U::Fate>, response: &Response) {
        let (now, record) = (arrival.at, RequestRecord::new(arrival));
        self.observer.arrived(ANY, &record);
        self.observer.responded(ANY, &record, response, now);
        let asked = Asked { fate: arrival.fate, leave: arrival.leave };
        self.arrivals.responded(now, &record, asked, ending(response));
    }

    /// A light request is answered.
    #[inline(never)]
    pub(super) fn answer_lightly(&mut self, now: SimTime, place: CallId, way: u32) {
        self.light.free.push(place);
        let is_on_tab = way & ON_TAB != 0;
        let (plain, held) = &self.light.rows[place.index()];
        plain.book(now, is_on_tab, self.upstream, self.observer);
        let turn = Turn { now, call: ANY, draws: self.draws, notes: self.observer, woken: &mut self.woken };
        self.gateway.lightly_answered(turn, &plain.view, &plain.answer(), *held);
        plain.respond(now, is_on_tab, self.observer, self.arrivals);
    }
}

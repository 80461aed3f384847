//! Light requests that find no free slot and wait in line for one. Until then nothing is kept but the request and what
//! the gateway holds of it, from then on what is kept of any light request (a waiter of `bench-full` takes 2,240
//! instructions so instead of 3,300). Whoever may leave the line goes the long way, the slow twin.

use crate::engine::lane::{Plain, answered_until};
use crate::engine::light::LIGHT;
use crate::engine::machine::{Arrival, Arrivals, Engine, Parts};
use crate::engine::observer::{Observer, RequestRecord};
use crate::engine::places::Places;
use crate::engine::queue::Class;
use crate::engine::slot::{Kind, pack};
use crate::gateway::{ANY, Gateway, Light, Turn};
use crate::provider::Upstream;
use crate::random::Draws;
use crate::units::{CallId, DeploymentId, SimTime};

/// The counter in an event that ends a light request has this bit if it has waited.
pub(super) const WAITED: u32 = 4;

/// The numbers of those in a line have this bit; slots are fewer.
const WAITER: u32 = 1 << 31;

/// A light request that stands, or stood, in a line.
#[derive(Debug, Clone, Copy)]
enum Waiter<F, H> {
    /// For a slot of this deployment.
    InLine(Arrival<F>, H, DeploymentId),
    /// It arrived then, has been sent, and will be answered in full.
    Sent(SimTime, Plain, H),
    /// Nobody has this place.
    Gone,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Waits<F, H>(Places<Waiter<F, H>>);

impl<F, H> Default for Waits<F, H> {
    fn default() -> Self {
        Self(Places::default())
    }
}

/// What the owner of a place is called in a line.
const fn called(place: CallId) -> CallId {
    CallId(WAITER | place.0)
}

/// The place of who is called this in a line.
fn place_of(id: CallId) -> Option<CallId> {
    (id.0 & WAITER != 0).then_some(CallId(id.0 & !WAITER))
}

impl<F: Copy, H: Copy> Waits<F, H> {
    /// Whoever waits at a place does so no longer.
    fn leave(&mut self, place: CallId) {
        self.0.take(place);
        self.0[place] = Waiter::Gone;
    }

    /// Those who still wait, with their numbers.
    pub(super) fn in_line(&self) -> impl Iterator<Item = (CallId, RequestRecord)> {
        self.0.rows().iter().enumerate().filter_map(|(place, row)| match row {
            Waiter::InLine(arrival, ..) => Some((called(CallId::from_index(place)), RequestRecord::new(arrival))),
            _ => None,
        })
    }
}

impl<G, U, S, D, O> Engine<'_, G, U, S, D, O>
where
    G: Gateway,
    U: Upstream,
    S: Arrivals<Fate = U::Fate>,
    D: Draws,
    O: Observer,
{
    /// If it waits lightly whom the gateway has woken, it is sent now, or answered from the
    /// cache. `false` if it does not.
    #[inline(never)]
    pub(super) fn wake_lightly(&mut self, now: SimTime, id: CallId) -> bool {
        let parts = &mut self.parts;
        let Some(place) = place_of(id) else { return false };
        let Waiter::InLine(arrival, mut held, deployment) = parts.waits.0[place] else { return false };
        parts.draws.stand_at(arrival.here);
        let turn = Turn { now, call: ANY, draws: parts.draws, notes: parts.observer, woken: &mut parts.woken };
        match parts.gateway.woke_lightly(turn, &arrival.view, &mut held, deployment) {
            Light::Attempt(attempt) => {
                let plain = Plain { started: now, ..Plain::new(&arrival, &attempt) };
                let service = parts.upstream.serve(now, arrival.here, &plain.upstream_call(), &arrival.fate);
                if let Some(until) = answered_until(now, &arrival, &attempt, &service) {
                    parts.observer.attempted(ANY, &plain.record(arrival.at), &attempt, &service, now);
                    let plain = Plain { usage: service.usage, ..plain };
                    parts.waits.0[place] = Waiter::Sent(arrival.at, plain, held);
                    parts.queue.push(until, Class::AttemptEnd, pack(Kind::Plain, place, LIGHT | WAITED));
                    return true;
                }
                parts.waits.leave(place);
                self.take_up(now, &arrival, held, &attempt, &service);
            }
            Light::Respond(response) => {
                parts.waits.leave(place);
                parts.respond_to(now, &arrival, &response);
            }
            Light::GoOn | Light::Wait(_) => {
                parts.waits.leave(place);
                self.go_on(now, &arrival, held);
            }
        }
        true
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
    /// A light request finds no free slot. Its client waits for ever.
    #[inline(never)]
    pub(super) fn wait_lightly(&mut self, arrival: &Arrival<U::Fate>, mut held: G::Held, deployment: DeploymentId) {
        self.observer.arrived(ANY, &RequestRecord::new(arrival));
        let place = self.waits.0.put(Waiter::Gone, &mut self.woken);
        let (now, call) = (arrival.at, called(place));
        let turn = Turn { now, call, draws: self.draws, notes: self.observer, woken: &mut self.woken };
        self.gateway.wait_lightly(turn, &mut held, deployment);
        self.waits.0[place] = Waiter::InLine(*arrival, held, deployment);
    }

    /// A light request is answered that has waited.
    #[inline(never)]
    pub(super) fn answer_waiter(&mut self, now: SimTime, place: CallId) {
        let Waiter::Sent(arrived, plain, held) = self.waits.0[place] else { return };
        self.waits.leave(place);
        plain.book((arrived, now), false, self.upstream, self.observer);
        let turn = Turn { now, call: ANY, draws: self.draws, notes: self.observer, woken: &mut self.woken };
        self.gateway.lightly_answered(turn, &plain.view, &plain.answer(), held);
        plain.respond((arrived, now), false, self.observer, self.arrivals);
    }
}

//! The loop: takes the next event or arrival, asks the gateway what to do, does it.

use crate::engine::attempt::{Conclusion, conclude, phase_at};
use crate::engine::lane::{ON_TAB, Passed, Plain};
use crate::engine::light::LIGHT;
use crate::engine::observer::{AttemptRecord, Observer, RequestRecord};
use crate::engine::places::Places;
use crate::engine::queue::{Class, Queue};
use crate::engine::room::{MOST_EVENTS, MOST_SLOTS, Overfull, push_within};
use crate::engine::slot::{BREAK, COUNTER_MASK, Flight, Kind, Slot, pack, unpack};
use crate::engine::waits::{WAITED, Waits};
use crate::gateway::{Attempt, Ended, Event, FULL, Gateway, Response, Source, Step, Turn};
use crate::provider::{Service, Upstream};
use crate::random::Draws;
use crate::traffic::{Ending, Leave, Request};
use crate::units::{CallId, ClassId, Outcome, Phase, RequestId, RetryAfter, SimDuration, SimTime, Usage};

/// A request on its way in.
pub type Arrival<F> = Request<F>;

/// What a request was made of beside what the gateway saw.
#[derive(Debug, Clone, Copy)]
pub struct Asked<F> {
    /// What the provider side knows of it.
    pub fate: F,
    /// The client's patience.
    pub leave: Leave,
}

/// Arrivals in order of time.
pub trait Arrivals {
    /// What the provider side needs to know of a request.
    type Fate: Copy + Default;

    /// The moment of the next arrival, or never.
    fn next_at(&self) -> SimTime;

    /// Takes the next arrival: writes it to `next`. `false` if there is none.
    fn take(&mut self, next: &mut Arrival<Self::Fate>) -> bool;

    /// Whether requests come by themselves, whatever becomes of others: then [`take_open`](Self::take_open) takes them.
    fn is_open(&self) -> bool {
        false
    }

    /// Takes the next arrival, where arrivals [are open](Self::is_open). `None` if there is none.
    fn take_open(&mut self) -> Option<Arrival<Self::Fate>> {
        None
    }

    /// A request has been answered well.
    fn answered(&mut self, now: SimTime, class: ClassId, request: RequestId) {
        let _ = (now, class, request);
    }

    /// A request is over for its client, which has an answer or has gone (closed-loop traffic sends its next one,
    /// clients that try again do so).
    fn responded(&mut self, now: SimTime, request: &RequestRecord, asked: Asked<Self::Fate>, ending: Ending) {
        let _ = (now, request, asked, ending);
    }
}

/// The engine of one replication: gateway, provider side and arrivals, driven to the end.
pub struct Engine<'a, G: Gateway, U: Upstream, S, D, O> {
    pub(super) parts: Parts<'a, G, U, S, D, O>,
    pub(super) slots: Vec<Slot<G::Call, U::Fate>>,
}

/// Everything but the slots: most of what happens concerns one slot, which is looked up once.
pub(super) struct Parts<'a, G: Gateway, U: Upstream, S, D, O> {
    pub(super) gateway: &'a mut G,
    pub(super) upstream: &'a mut U,
    pub(super) arrivals: &'a mut S,
    pub(super) draws: &'a mut D,
    pub(super) observer: &'a mut O,
    pub(super) queue: Queue,
    /// The requests in the fast lane.
    pub(super) lane: Places<Plain>,
    /// The light requests on their way, with what the gateway holds of each.
    pub(super) light: Places<(Plain, G::Held)>,
    pub(super) waits: Waits<U::Fate, G::Held>,
    free: Vec<CallId>,
    pub(super) woken: Vec<CallId>,
}

type SlotOf<G, U> = Slot<<G as Gateway>::Call, <U as Upstream>::Fate>;

impl<'a, G, U, S, D, O> Engine<'a, G, U, S, D, O>
where
    G: Gateway,
    U: Upstream,
    S: Arrivals<Fate = U::Fate>,
    D: Draws,
    O: Observer,
{
    /// An engine at time zero.
    pub fn new(
        gateway: &'a mut G,
        upstream: &'a mut U,
        arrivals: &'a mut S,
        draws: &'a mut D,
        observer: &'a mut O,
    ) -> Self {
        let (queue, free, woken) = (Queue::default(), Vec::new(), Vec::new());
        let (lane, light, waits) = (Places::default(), Places::default(), Waits::default());
        let parts = Parts { gateway, upstream, arrivals, draws, observer, queue, lane, light, waits, free, woken };
        Self { parts, slots: Vec::new() }
    }

    /// Runs until nothing is left to happen.
    ///
    /// # Errors
    /// [`Overfull`] when more is in flight than is kept; what was told until then is no run.
    pub fn run(mut self) -> Result<(), Overfull> {
        self.schedule_break();
        let mut arrival = Arrival::default();
        let is_open = O::ADDS_UP && self.parts.arrivals.is_open();
        loop {
            let arrival_at = self.parts.arrivals.next_at();
            let event_at = self.parts.queue.next_at();
            if event_at <= arrival_at {
                let Some(event) = self.parts.queue.pop() else { break };
                self.happen(event.at(), event.payload);
            } else if is_open {
                let Some(request) = self.parts.arrivals.take_open() else { break };
                if !self.parts.settle_at_once(&request) {
                    arrival = request;
                    self.arrive(&arrival);
                }
            } else if !self.take_and_arrive(&mut arrival) {
                break;
            }
            if !self.parts.woken.is_empty() {
                self.wake_parked(arrival_at.min(event_at))?;
            }
            if !O::ADDS_UP && self.parts.observer.has_enough() {
                break;
            }
        }
        for (index, slot) in self.slots.iter().enumerate().filter(|(_, slot)| slot.busy) {
            self.parts.observer.left_in_flight(CallId::from_index(index), &slot.record);
        }
        for (id, record) in self.parts.waits.in_line() {
            self.parts.observer.left_in_flight(id, &record);
        }
        Ok(())
    }

    /// Takes the next arrival; `false` if there is none.
    #[inline(never)]
    fn take_and_arrive(&mut self, arrival: &mut Arrival<U::Fate>) -> bool {
        let is_there = self.parts.arrivals.take(arrival);
        if is_there {
            self.arrive(arrival);
        }
        is_there
    }

    /// A request has arrived. Not in the loop itself: that is short then for those that are settled at once.
    #[inline(never)]
    fn arrive(&mut self, arrival: &Arrival<U::Fate>) {
        if O::ADDS_UP
            && let Some(attempt) = self.parts.plain_attempt(arrival)
        {
            match self.parts.pass(arrival, &attempt) {
                Passed::Plain => {}
                Passed::Served(service) => self.arrive_at_slot(arrival, Some(service)),
            }
            return;
        }
        if O::ADDS_UP && self.parts.gateway.may_be_light(&arrival.view) {
            return self.arrive_lightly(arrival);
        }
        self.arrive_at_slot(arrival, None);
    }

    /// The long way, for requests that may be anything. `served` is the provider's answer to the first attempt,
    /// where it is known already.
    #[inline(never)]
    fn arrive_at_slot(&mut self, arrival: &Arrival<U::Fate>, served: Option<Service>) {
        let (now, id) = (arrival.at, self.occupy(arrival));
        let slot = &mut self.slots[id.index()];
        match (self.parts.admit(slot, now, id), served) {
            (Step::Attempt(attempt), None) => self.parts.start_attempt(slot, now, id, &attempt),
            (Step::Attempt(attempt), Some(service)) => {
                slot.attempt = attempt;
                let nth_try = slot.count_try(attempt.deployment);
                self.parts.fly(slot, now, id, nth_try, &service);
            }
            (step, _) => self.perform(now, id, step),
        }
    }

    /// Finds a slot for a new request.
    #[inline(always)]
    pub(super) fn occupy(&mut self, arrival: &Arrival<U::Fate>) -> CallId {
        if let Some(id) = self.parts.free.pop() {
            self.slots[id.index()].reuse(arrival);
            return id;
        }
        if !push_within(MOST_SLOTS, &mut self.slots, Slot::new(arrival)) {
            self.parts.woken.push(FULL);
        }
        CallId::from_index(self.slots.len() - 1)
    }

    #[inline(always)]
    fn happen(&mut self, now: SimTime, payload: u64) {
        if payload == BREAK {
            return self.break_down(now);
        }
        let (kind, id, counter) = unpack(payload);
        if O::ADDS_UP && kind == Kind::Plain {
            return match counter & LIGHT {
                0 => self.parts.answer(now, id, counter & ON_TAB != 0),
                _ if counter & WAITED != 0 => self.parts.answer_waiter(now, id),
                _ => self.parts.answer_lightly(now, id, counter),
            };
        }
        self.happen_to_slot(now, kind, id, counter);
    }

    /// Something happens to a request that has a slot. Not in the loop itself, which is short then for all others.
    #[inline(never)]
    fn happen_to_slot(&mut self, now: SimTime, kind: Kind, id: CallId, counter: u32) {
        let slot = &mut self.slots[id.index()];
        match kind {
            Kind::Step if slot.step & COUNTER_MASK == counter => {
                // The attempt in flight, or the sleep, has come to its end.
                let ended = self.parts.end_attempt(slot, now, id, false);
                match self.parts.tell(slot, now, id, ended.as_ref().map_or(Event::Woke, Event::Ended)) {
                    Step::Respond(response) => self.parts.respond(slot, now, id, &response),
                    step => self.perform(now, id, step),
                }
            }
            Kind::Leave if slot.busy && slot.generation & COUNTER_MASK == counter => self.client_leaves(now, id),
            Kind::Step | Kind::Leave | Kind::Plain => {}
        }
    }

    #[cold]
    fn client_leaves(&mut self, now: SimTime, id: CallId) {
        let slot = &mut self.slots[id.index()];
        let ending = match slot.leave {
            Leave::TimesOut(_) if slot.has_begun(now) => return,
            Leave::TimesOut(_) => Ending::TimedOut,
            Leave::AtFirst(_) if slot.record.client_gone => return,
            Leave::Never | Leave::After(_) | Leave::AfterChunks(_) | Leave::AtFirst(_) => Ending::Left,
        };
        slot.record.client_gone = true;
        let asked = Asked { fate: slot.fate, leave: slot.leave };
        self.parts.arrivals.responded(now, &slot.record, asked, ending);
        let phase = slot.phase(now);
        self.resume(now, id, Event::ClientLeft(phase));
    }

    #[cold]
    fn resume(&mut self, now: SimTime, id: CallId, event: Event<'_>) {
        let step = self.parts.tell(&mut self.slots[id.index()], now, id, event);
        self.perform(now, id, step);
    }

    /// Does what the gateway says. The commonest steps are taken before it comes to this.
    #[inline(never)]
    pub(super) fn perform(&mut self, now: SimTime, id: CallId, step: Step) {
        let (parts, slot) = (&mut self.parts, &mut self.slots[id.index()]);
        match step {
            Step::Attempt(attempt) => parts.start_attempt(slot, now, id, &attempt),
            Step::Respond(response) => parts.respond(slot, now, id, &response),
            Step::Sleep(span) => parts.schedule(slot, now + span, Class::WakeUp, id),
            Step::Park => slot.forget_pending(),
            Step::CarryOn => {}
            Step::CancelAttempt => self.cancel_attempt(now, id),
        }
    }

    #[cold]
    fn cancel_attempt(&mut self, now: SimTime, id: CallId) {
        let slot = &mut self.slots[id.index()];
        slot.forget_pending();
        if let Some(ended) = self.parts.end_attempt(slot, now, id, true) {
            self.resume(now, id, Event::Ended(&ended));
        }
    }

    fn schedule_break(&mut self) {
        let at = self.parts.gateway.next_break();
        self.parts.queue.push(at, Class::Deadline, BREAK);
    }

    /// A process of the gateway ends or begins. The calls in it are over, in the order in which they came: what they
    /// had upstream is closed, and nobody answers them.
    #[cold]
    fn break_down(&mut self, now: SimTime) {
        const RESET: Response = Response::new(0, false, None, Source::Lost);
        let parts = &mut self.parts;
        parts.gateway.break_down(now);
        let mut lost = Vec::new();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if slot.busy && parts.gateway.is_lost(&slot.record.view, &mut slot.call) {
                slot.record.lost = true;
                lost.push((slot.record.arrived, slot.record.class, slot.record.view.id, index));
            }
        }
        lost.sort_unstable();
        for (.., index) in lost {
            parts.respond(&mut self.slots[index], now, CallId::from_index(index), &RESET);
        }
        self.schedule_break();
    }

    /// Resumes the parked calls that the gateway has woken, in its order, at this same moment.
    #[cold]
    fn wake_parked(&mut self, now: SimTime) -> Result<(), Overfull> {
        if self.parts.woken.contains(&FULL) {
            return Err(Overfull);
        }
        let mut next = 0;
        while let Some(&id) = self.parts.woken.get(next) {
            next += 1;
            if !self.wake_lightly(now, id) {
                self.resume(now, id, Event::Woke);
            }
        }
        self.parts.woken.clear();
        Ok(())
    }
}

/// When a client has read this many pieces of a stream, if there are so many. The last one of a whole answer
/// says that it is finished.
fn read_by(pieces: u64, service: &Service, outcome: Outcome) -> Option<SimDuration> {
    let pieces = u32::try_from(pieces).ok()?;
    let is_finish = outcome == Outcome::Ok && pieces == service.chunks.checked_add(1)?;
    let is_content = (1..=service.chunks).contains(&pieces);
    (is_content || is_finish).then(|| service.chunk_at(pieces.min(service.chunks)))
}

impl<G, U, S, D, O> Parts<'_, G, U, S, D, O>
where
    G: Gateway,
    U: Upstream,
    S: Arrivals<Fate = U::Fate>,
    D: Draws,
    O: Observer,
{
    /// A request has arrived; the gateway says what to do.
    #[inline(always)]
    fn admit(&mut self, slot: &mut SlotOf<G, U>, now: SimTime, id: CallId) -> Step {
        self.observer.arrived(id, &slot.record);
        self.expect_leave(slot, now, id);
        self.draws.stand_at(slot.here);
        let turn = Turn { now, call: id, draws: self.draws, notes: self.observer, woken: &mut self.woken };
        self.gateway.admit(turn, &slot.record.view, &mut slot.call)
    }

    /// Its client may leave at a moment that is known.
    #[inline(always)]
    pub(super) fn expect_leave(&mut self, slot: &SlotOf<G, U>, now: SimTime, id: CallId) {
        if let Some(patience) = slot.leave.after() {
            self.queue.push(now + patience, Class::Deadline, pack(Kind::Leave, id, slot.generation));
            if self.queue.behind() > MOST_EVENTS {
                self.woken.push(FULL);
            }
        }
    }

    /// Tells the gateway what has happened; it says what to do.
    #[inline(always)]
    fn tell(&mut self, slot: &mut SlotOf<G, U>, now: SimTime, id: CallId, event: Event<'_>) -> Step {
        self.draws.stand_at(slot.here);
        let turn = Turn { now, call: id, draws: self.draws, notes: self.observer, woken: &mut self.woken };
        self.gateway.resume(turn, &slot.record.view, &mut slot.call, event)
    }

    #[inline(always)]
    fn start_attempt(&mut self, slot: &mut SlotOf<G, U>, now: SimTime, id: CallId, attempt: &Attempt) {
        slot.attempt = *attempt;
        let nth_try = slot.count_try(attempt.deployment);
        let service = self.upstream.serve(now, slot.here, &slot.upstream_call(nth_try), &slot.fate);
        self.fly(slot, now, id, nth_try, &service);
    }

    /// The attempt is on its way to this end.
    #[inline(always)]
    pub(super) fn fly(&mut self, slot: &mut SlotOf<G, U>, now: SimTime, id: CallId, nth_try: u32, service: &Service) {
        slot.record.attempts += 1;
        self.observer.attempted(id, &slot.record, &slot.attempt, service, now);
        let stream = slot.record.view.stream;
        let Conclusion { after, outcome, phase } = conclude(service, &slot.attempt.limits, stream);
        slot.flight = Some(Flight { started: now, nth_try, outcome, phase });
        slot.service = *service;
        if let Some(n) = slot.leave.after_chunks()
            && let Some(read) = read_by(n, service, outcome)
            && stream
            && read <= after
            && !slot.record.client_gone
        {
            // Whoever leaves with the last piece does not see the end.
            self.queue.push(now + read, Class::AttemptEnd, pack(Kind::Leave, id, slot.generation));
        }
        self.schedule(slot, now + after, Class::AttemptEnd, id);
    }

    /// Ends the attempt in flight, if there is one, as it concludes or because it is cancelled: the provider bills, the
    /// observer books, the gateway will be told.
    #[inline(always)]
    fn end_attempt(&mut self, slot: &mut SlotOf<G, U>, now: SimTime, id: CallId, cancelled: bool) -> Option<Ended> {
        let flight = slot.flight.take()?;
        let stream = slot.record.view.stream;
        let (service, elapsed) = (&slot.service, now - flight.started);
        let (outcome, phase) = match cancelled {
            true => (Outcome::Cancelled, phase_at(service, elapsed, stream)),
            false => (flight.outcome, flight.phase),
        };
        let usage = match (outcome, phase) {
            (Outcome::Ok, _) => service.usage,
            (_, Phase::AfterContent) => self.upstream.counted_part(service, elapsed),
            _ => Usage::default(),
        };
        let has_streamed = stream && phase == Phase::AfterContent && service.chunks_by(elapsed) > 0;
        let ended = Ended {
            outcome,
            phase,
            retry_after: if outcome == service.outcome { service.retry_after } else { RetryAfter::None },
            started: flight.started,
            first_token: has_streamed.then(|| flight.started + service.first_token),
            usage,
        };
        slot.record.first_token = slot.record.first_token.or(ended.first_token);
        let call = slot.upstream_call(flight.nth_try);
        let billed = self.upstream.ended(now, &call, service, outcome, elapsed);
        let record = AttemptRecord { attempt: &slot.attempt, ended: &ended, at: now, billed };
        self.observer.ended(id, &slot.record, &record);
        Some(ended)
    }

    /// Makes this the one pending step of the call.
    #[inline(always)]
    fn schedule(&mut self, slot: &mut SlotOf<G, U>, at: SimTime, class: Class, id: CallId) {
        slot.forget_pending();
        self.queue.push(at, class, pack(Kind::Step, id, slot.step));
    }

    /// The request is over. An attempt that is still in flight is closed first.
    #[inline(always)]
    fn respond(&mut self, slot: &mut SlotOf<G, U>, now: SimTime, id: CallId, response: &Response) {
        if slot.flight.is_some() {
            self.close_attempt(slot, now, id);
        }
        slot.release();
        self.observer.responded(id, &slot.record, response, now);
        if !slot.record.client_gone {
            let asked = Asked { fate: slot.fate, leave: slot.leave };
            self.arrivals.responded(now, &slot.record, asked, ending(response));
        }
        self.free.push(id);
    }

    #[cold]
    fn close_attempt(&mut self, slot: &mut SlotOf<G, U>, now: SimTime, id: CallId) {
        self.end_attempt(slot, now, id, true);
    }
}

/// What an answer is for its client.
pub(super) const fn ending(response: &Response) -> Ending {
    if response.ok { Ending::Good } else { Ending::Failed(response.http_status, response.retry_after) }
}

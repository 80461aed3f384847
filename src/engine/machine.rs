//! The loop: takes the next event or arrival, asks the gateway what to do, does it.

use crate::engine::attempt::{Conclusion, conclude, phase_at};
use crate::engine::queue::{Class, Queue};
use crate::gateway::{Attempt, Ended, Event, Gateway, Notes, RequestView, Response, Step, Turn};
use crate::provider::{Service, Upstream, UpstreamCall};
use crate::random::Draws;
use crate::traffic::{Ending, Leave};
use crate::units::{CallId, ClassId, DeploymentId, Outcome, Phase, RetryAfter, SimTime, Usage};

/// A request on its way in.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<F> {
    /// When it arrives.
    pub at: SimTime,
    /// Its traffic class.
    pub class: ClassId,
    /// What the gateway may see of it.
    pub view: RequestView,
    /// What it may not.
    pub fate: F,
    /// The client's patience.
    pub leave: Leave,
}

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
    type Fate: Copy;

    /// The moment of the next arrival, or never.
    fn next_at(&self) -> SimTime;

    /// Takes the next arrival.
    fn take(&mut self) -> Option<Arrival<Self::Fate>>;

    /// A request is over for its client, which has an answer or has gone (closed-loop traffic sends its next one, clients
    /// that try again do so).
    fn responded(&mut self, now: SimTime, request: &RequestRecord, asked: Asked<Self::Fate>, ending: Ending) {
        let _ = (now, request, asked, ending);
    }
}

/// One upstream attempt after its end.
#[derive(Debug, Clone, Copy)]
pub struct AttemptRecord<'a> {
    /// What the gateway asked for.
    pub attempt: &'a Attempt,
    /// How the provider would have answered.
    pub service: &'a Service,
    /// How it ended.
    pub ended: &'a Ended,
    /// When it ended.
    pub at: SimTime,
    /// What the provider bills for it.
    pub billed: Usage,
}

/// The request that an event is about.
#[derive(Debug, Clone, Copy)]
pub struct RequestRecord {
    /// When it arrived.
    pub arrived: SimTime,
    /// Its traffic class.
    pub class: ClassId,
    /// What the gateway saw.
    pub view: RequestView,
    /// Upstream attempts so far.
    pub attempts: u32,
    /// When the first token of the answer reached the client.
    pub first_token: Option<SimTime>,
    /// Whether the client has gone.
    pub client_gone: bool,
}

/// Watches a run: a recorder of sums in a forecast, a list of everything in a trace.
pub trait Observer: Notes {
    /// A request has arrived.
    fn arrived(&mut self, call: CallId, request: &RequestRecord);
    /// An attempt has started.
    fn attempted(&mut self, call: CallId, request: &RequestRecord, attempt: &Attempt, service: &Service, now: SimTime);
    /// An attempt has ended.
    fn ended(&mut self, call: CallId, request: &RequestRecord, attempt: &AttemptRecord<'_>);
    /// A request is over.
    fn responded(&mut self, call: CallId, request: &RequestRecord, response: &Response, now: SimTime);
    /// The horizon is over and this request never came to an end.
    fn left_in_flight(&mut self, call: CallId, request: &RequestRecord);
}

/// An attempt on its way.
#[derive(Debug, Clone, Copy)]
struct InFlight {
    attempt: Attempt,
    upstream: UpstreamCall,
    service: Service,
    started: SimTime,
    conclusion: Conclusion,
}

/// A request in flight. Events carry the counters below as they were when scheduled, so that events that have been
/// overtaken are recognised and dropped.
struct Slot<C, F> {
    record: RequestRecord,
    fate: F,
    leave: Leave,
    call: C,
    /// The attempt on its way; read in place, for it is large.
    in_flight: Option<InFlight>,
    /// Calls so far per deployment.
    tries: Vec<(DeploymentId, u32)>,
    /// Counts what has been scheduled for this slot: only the latest end or wake-up is still meant.
    step: u32,
    /// Counts the requests that have used this slot.
    generation: u32,
    busy: bool,
}

impl<C, F> Slot<C, F> {
    /// Whether something of the answer has reached the client: its SDK waits no longer for the beginning.
    fn has_begun(&self, now: SimTime) -> bool {
        let begins = |flight: &InFlight| {
            flight.upstream.stream && phase_at(&flight.service, now - flight.started, true) == Phase::AfterContent
        };
        self.record.first_token.is_some() || self.in_flight.as_ref().is_some_and(begins)
    }
}

/// What a queued event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The end of an attempt or of a sleep.
    Step = 0,
    /// The client leaves.
    Leave = 1,
}

const COUNTER_MASK: u32 = (1 << 31) - 1;

/// Packs an event: slot in the upper half, then 31 bits of the counter, then the kind.
const fn pack(kind: Kind, call: CallId, counter: u32) -> u64 {
    (call.0 as u64) << 32 | ((counter & COUNTER_MASK) as u64) << 1 | kind as u64
}

const fn unpack(payload: u64) -> (Kind, CallId, u32) {
    let kind = if payload & 1 == 0 { Kind::Step } else { Kind::Leave };
    (kind, CallId((payload >> 32) as u32), (payload >> 1) as u32 & COUNTER_MASK)
}

/// The engine of one replication: gateway, provider side and arrivals, driven to the end.
pub struct Engine<'a, G: Gateway, U: Upstream, S, D, O> {
    gateway: &'a mut G,
    upstream: &'a mut U,
    arrivals: &'a mut S,
    draws: &'a mut D,
    observer: &'a mut O,
    queue: Queue,
    slots: Vec<Slot<G::Call, U::Fate>>,
    free: Vec<CallId>,
    woken: Vec<CallId>,
}

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
        let (queue, slots, free, woken) = (Queue::default(), Vec::new(), Vec::new(), Vec::new());
        Self { gateway, upstream, arrivals, draws, observer, queue, slots, free, woken }
    }

    /// Runs until nothing is left to happen.
    pub fn run(mut self) {
        loop {
            let arrival_at = self.arrivals.next_at();
            let event_at = self.queue.next_at();
            if event_at <= arrival_at {
                let Some(event) = self.queue.pop() else { break };
                self.happen(event.at(), event.payload);
            } else {
                let Some(arrival) = self.arrivals.take() else { break };
                self.arrive(arrival);
            }
        }
        for (index, slot) in self.slots.iter().enumerate().filter(|(_, slot)| slot.busy) {
            self.observer.left_in_flight(CallId::from_index(index), &slot.record);
        }
    }

    fn arrive(&mut self, arrival: Arrival<U::Fate>) {
        let now = arrival.at;
        let id = self.occupy(&arrival);
        let slot = &mut self.slots[id.index()];
        self.observer.arrived(id, &slot.record);
        if let Leave::After(patience) | Leave::TimesOut(patience) = arrival.leave {
            self.queue.push(now + patience, Class::Deadline, pack(Kind::Leave, id, slot.generation));
        }
        self.draws.begin_request(u64::from(arrival.class.0), arrival.view.id.0);
        let turn = Turn { now, call: id, draws: self.draws, notes: self.observer, woken: &mut self.woken };
        let step = self.gateway.admit(turn, &slot.record.view, &mut slot.call);
        self.perform(now, id, step);
        self.wake_parked(now);
    }

    /// Finds a slot for a new request.
    fn occupy(&mut self, arrival: &Arrival<U::Fate>) -> CallId {
        let record = RequestRecord {
            arrived: arrival.at,
            class: arrival.class,
            view: arrival.view,
            attempts: 0,
            first_token: None,
            client_gone: false,
        };
        if let Some(id) = self.free.pop() {
            let slot = &mut self.slots[id.index()];
            slot.record = record;
            slot.fate = arrival.fate;
            slot.leave = arrival.leave;
            slot.tries.clear();
            slot.busy = true;
            return id;
        }
        self.slots.push(Slot {
            record,
            fate: arrival.fate,
            leave: arrival.leave,
            call: G::Call::default(),
            in_flight: None,
            tries: Vec::new(),
            step: 0,
            generation: 0,
            busy: true,
        });
        CallId::from_index(self.slots.len() - 1)
    }

    fn happen(&mut self, now: SimTime, payload: u64) {
        let (kind, id, counter) = unpack(payload);
        let slot = &self.slots[id.index()];
        match kind {
            Kind::Step if slot.step & COUNTER_MASK == counter => self.step_is_due(now, id),
            Kind::Leave if slot.busy && slot.generation & COUNTER_MASK == counter => self.client_leaves(now, id),
            Kind::Step | Kind::Leave => return,
        }
        self.wake_parked(now);
    }

    /// The attempt in flight, or the sleep, has come to its end.
    fn step_is_due(&mut self, now: SimTime, id: CallId) {
        let event = self.end_attempt(now, id, false).map_or(Event::Woke, Event::Ended);
        self.resume(now, id, event);
    }

    /// Ends the attempt in flight, if there is one, as it concludes or because it is cancelled: the provider bills, the
    /// observer books, the gateway will be told.
    fn end_attempt(&mut self, now: SimTime, id: CallId, cancelled: bool) -> Option<Ended> {
        let slot = &mut self.slots[id.index()];
        let flight = slot.in_flight.as_ref()?;
        let (service, elapsed) = (&flight.service, now - flight.started);
        let (outcome, phase) = if cancelled {
            (Outcome::Cancelled, phase_at(service, elapsed, flight.upstream.stream))
        } else {
            (flight.conclusion.outcome, flight.conclusion.phase)
        };
        let usage = match (outcome, phase) {
            (Outcome::Ok, _) => service.usage,
            (_, Phase::AfterContent) => self.upstream.counted_part(service, elapsed),
            _ => Usage::default(),
        };
        let has_streamed = flight.upstream.stream && phase == Phase::AfterContent && service.chunks_by(elapsed) > 0;
        let ended = Ended {
            outcome,
            phase,
            retry_after: if outcome == service.outcome { service.retry_after } else { RetryAfter::None },
            started: flight.started,
            first_token: has_streamed.then(|| flight.started + service.first_token),
            usage,
        };
        slot.record.first_token = slot.record.first_token.or(ended.first_token);
        let billed = self.upstream.ended(now, &flight.upstream, service, outcome, elapsed);
        let record = AttemptRecord { attempt: &flight.attempt, service, ended: &ended, at: now, billed };
        self.observer.ended(id, &slot.record, &record);
        slot.in_flight = None;
        Some(ended)
    }

    fn client_leaves(&mut self, now: SimTime, id: CallId) {
        let slot = &mut self.slots[id.index()];
        let ending = match slot.leave {
            Leave::TimesOut(_) if slot.has_begun(now) => return,
            Leave::TimesOut(_) => Ending::TimedOut,
            Leave::Never | Leave::After(_) | Leave::AfterChunks(_) => Ending::Left,
        };
        slot.record.client_gone = true;
        let asked = Asked { fate: slot.fate, leave: slot.leave };
        self.arrivals.responded(now, &slot.record, asked, ending);
        let phase = slot.in_flight.as_ref().map_or(Phase::BeforeHeaders, |flight| {
            phase_at(&flight.service, now - flight.started, flight.upstream.stream)
        });
        self.resume(now, id, Event::ClientLeft(phase));
    }

    /// Tells the gateway what has happened and does what it says.
    fn resume(&mut self, now: SimTime, id: CallId, event: Event) {
        let slot = &mut self.slots[id.index()];
        self.draws.begin_request(u64::from(slot.record.class.0), slot.record.view.id.0);
        let turn = Turn { now, call: id, draws: self.draws, notes: self.observer, woken: &mut self.woken };
        let step = self.gateway.resume(turn, &slot.record.view, &mut slot.call, event);
        self.perform(now, id, step);
    }

    fn perform(&mut self, now: SimTime, id: CallId, step: Step) {
        match step {
            Step::Attempt(attempt) => self.start_attempt(now, id, attempt),
            Step::Sleep(span) => self.schedule(now + span, Class::WakeUp, id),
            Step::Park => self.forget_pending(id),
            Step::CarryOn => {}
            Step::CancelAttempt => self.cancel_attempt(now, id),
            Step::Respond(response) => self.respond(now, id, &response),
        }
    }

    fn start_attempt(&mut self, now: SimTime, id: CallId, attempt: Attempt) {
        let slot = &mut self.slots[id.index()];
        let upstream = UpstreamCall {
            deployment: attempt.deployment,
            class: slot.record.class,
            request: slot.record.view.id,
            nth_try: count_try(&mut slot.tries, attempt.deployment),
            stream: slot.record.view.stream,
            max_tokens: attempt.max_tokens,
        };
        slot.record.attempts += 1;
        let service = self.upstream.serve(now, &upstream, &slot.fate);
        self.observer.attempted(id, &slot.record, &attempt, &service, now);
        let conclusion = conclude(&service, &attempt.limits, upstream.stream);
        slot.in_flight = Some(InFlight { attempt, upstream, service, started: now, conclusion });
        if let Leave::AfterChunks(n) = slot.leave
            && upstream.stream
            && (1..=service.chunks).contains(&n)
            && service.chunk_at(n) < conclusion.after
            && !slot.record.client_gone
        {
            let generation = slot.generation;
            self.queue.push(now + service.chunk_at(n), Class::Deadline, pack(Kind::Leave, id, generation));
        }
        self.schedule(now + conclusion.after, Class::AttemptEnd, id);
    }

    /// Whatever end or wake-up is pending for the call is no longer meant.
    fn forget_pending(&mut self, id: CallId) {
        let slot = &mut self.slots[id.index()];
        slot.step = slot.step.wrapping_add(1);
    }

    /// Makes this the one pending step of the call; what never happens is not queued.
    fn schedule(&mut self, at: SimTime, class: Class, id: CallId) {
        let slot = &mut self.slots[id.index()];
        slot.step = slot.step.wrapping_add(1);
        if at < SimTime::NEVER {
            self.queue.push(at, class, pack(Kind::Step, id, slot.step));
        }
    }

    fn cancel_attempt(&mut self, now: SimTime, id: CallId) {
        self.forget_pending(id);
        if let Some(ended) = self.end_attempt(now, id, true) {
            self.resume(now, id, Event::Ended(ended));
        }
    }

    /// The request is over. An attempt that is still in flight is closed first.
    fn respond(&mut self, now: SimTime, id: CallId, response: &Response) {
        self.end_attempt(now, id, true);
        let slot = &mut self.slots[id.index()];
        slot.step = slot.step.wrapping_add(1);
        slot.generation = slot.generation.wrapping_add(1);
        slot.busy = false;
        self.observer.responded(id, &slot.record, response, now);
        if !slot.record.client_gone {
            let asked = Asked { fate: slot.fate, leave: slot.leave };
            self.arrivals.responded(now, &slot.record, asked, ending(response));
        }
        self.free.push(id);
    }

    /// Resumes the parked calls that the gateway has woken, in its order, at this same moment.
    fn wake_parked(&mut self, now: SimTime) {
        let mut next = 0;
        while let Some(&id) = self.woken.get(next) {
            next += 1;
            self.resume(now, id, Event::Woke);
        }
        self.woken.clear();
    }
}

/// What an answer is for its client.
const fn ending(response: &Response) -> Ending {
    if response.ok { Ending::Good } else { Ending::Failed(response.http_status, response.retry_after) }
}

/// Counts a call to a deployment; says how many there were before.
fn count_try(tries: &mut Vec<(DeploymentId, u32)>, deployment: DeploymentId) -> u32 {
    match tries.iter_mut().find(|(id, _)| *id == deployment) {
        Some((_, n)) => {
            *n += 1;
            *n - 1
        }
        None => {
            tries.push((deployment, 1));
            0
        }
    }
}

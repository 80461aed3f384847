//! The engine once more, with obvious data structures: every event in one sorted map, every request
//! under its own number, what no longer applies taken out of the map instead of being recognised later. Slow; the fast
//! engine must agree with it event for event.

pub mod erratic;
pub mod gateway;
pub mod log;
pub mod patience;
pub mod world;

use std::collections::{BTreeMap, HashMap};

use billcast::engine::{Arrival, Arrivals, Asked, AttemptRecord, Observer, Overfull, RequestRecord};
use billcast::gateway::{Attempt, Ended, Event, Gateway, Response, Source, Step, Turn};
use billcast::provider::{Service, Upstream, UpstreamCall};
use billcast::random::Addressed;
use billcast::traffic::{Ending, Leave};
use billcast::units::{CallId, DeploymentId, Outcome, Phase, RetryAfter, SimDuration, SimTime, Usage};
use patience::{Verdict, verdict};

/// What happens at one instant happens in this order (the house's event order).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    AttemptEnd,
    /// A client leaves, a process of the gateway ends.
    Deadline,
    WakeUp,
}

type Key = (SimTime, Class, u64);

enum What {
    AttemptEnd(CallId),
    ClientLeaves(CallId),
    WakeUp(CallId),
    Break,
}

#[derive(Clone, Copy)]
struct Flight {
    attempt: Attempt,
    call: UpstreamCall,
    service: Service,
    started: SimTime,
    verdict: Verdict,
}

struct Live<C, F> {
    record: RequestRecord,
    fate: F,
    leave: Leave,
    call: C,
    flight: Option<Flight>,
    calls: HashMap<DeploymentId, u32>,
    /// The end of the attempt or of the sleep that the request waits for.
    pending: Option<Key>,
    /// When the client leaves, as things stand.
    leaving: Option<Key>,
}

impl<C, F: Copy> Live<C, F> {
    fn asked(&self) -> Asked<F> {
        Asked { fate: self.fate, leave: self.leave }
    }

    /// Whether the client has something of a stream in hand.
    fn reads(&self, now: SimTime) -> bool {
        let now_reading = |flight: &Flight| {
            flight.call.stream
                && patience::phase_after(&flight.service, now - flight.started, true) == Phase::AfterContent
        };
        self.record.first_token.is_some() || self.flight.is_some_and(|flight| now_reading(&flight))
    }
}

/// The slow twin of `billcast::engine::Engine`.
pub struct Reference<'a, G: Gateway, U: Upstream, S, O> {
    gateway: &'a mut G,
    upstream: &'a mut U,
    arrivals: &'a mut S,
    draws: &'a mut Addressed,
    observer: &'a mut O,
    events: BTreeMap<Key, What>,
    live: BTreeMap<CallId, Live<G::Call, U::Fate>>,
    events_so_far: u64,
    calls_so_far: u32,
    /// The calls that have been woken since something happened; gateways see all of them until
    /// the last has had its turn.
    woken: Vec<CallId>,
}

impl<'a, G, U, S, O> Reference<'a, G, U, S, O>
where
    G: Gateway,
    U: Upstream,
    S: Arrivals<Fate = U::Fate>,
    O: Observer,
{
    /// An engine at time zero.
    pub fn new(
        gateway: &'a mut G,
        upstream: &'a mut U,
        arrivals: &'a mut S,
        draws: &'a mut Addressed,
        observer: &'a mut O,
    ) -> Self {
        let (events, live, woken) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        let (events_so_far, calls_so_far) = (0, 0);
        Self { gateway, upstream, arrivals, draws, observer, events, live, events_so_far, calls_so_far, woken }
    }

    /// Runs until nothing is left to happen. It has room for everything.
    pub fn run(mut self) -> Result<(), Overfull> {
        self.queue_break();
        while let Some(now) = self.happen() {
            let mut turns = 0;
            while let Some(&id) = self.woken.get(turns) {
                turns += 1;
                self.tell(now, id, Event::Woke);
            }
            self.woken.clear();
        }
        for (id, live) in &self.live {
            self.observer.left_in_flight(*id, &live.record);
        }
        Ok(())
    }

    /// Lets the next thing happen; says when. Requests arrive when everything else at that moment is done.
    fn happen(&mut self) -> Option<SimTime> {
        let arrival = self.arrivals.next_at();
        if arrival < SimTime::NEVER && self.events.keys().next().is_none_or(|(at, ..)| *at > arrival) {
            let mut request = Arrival::default();
            if self.arrivals.take(&mut request) {
                self.arrive(request.at, &request);
            }
            return Some(arrival);
        }
        let ((now, _, _), what) = self.events.pop_first()?;
        match what {
            What::AttemptEnd(id) => self.attempt_is_over(now, id),
            What::ClientLeaves(id) => self.client_leaves(now, id),
            What::WakeUp(id) => {
                self.live(id).pending = None;
                self.tell(now, id, Event::Woke);
            }
            What::Break => self.break_down(now),
        }
        Some(now)
    }

    fn live(&mut self, id: CallId) -> &mut Live<G::Call, U::Fate> {
        self.live.get_mut(&id).expect("a live request")
    }

    fn add(&mut self, at: SimTime, class: Class, what: What) -> Option<Key> {
        if at == SimTime::NEVER {
            return None;
        }
        let key = (at, class, self.events_so_far);
        self.events_so_far += 1;
        self.events.insert(key, what);
        Some(key)
    }

    fn queue_break(&mut self) {
        let at = self.gateway.next_break();
        self.add(at, Class::Deadline, What::Break);
    }

    /// A process of the gateway ends or begins: what it had is over in the order in which it
    /// came, and nobody answers it.
    fn break_down(&mut self, now: SimTime) {
        self.gateway.break_down(now);
        let mut lost = BTreeMap::new();
        for (id, live) in &mut self.live {
            if self.gateway.is_lost(&live.record.view, &mut live.call) {
                live.record.lost = true;
                lost.insert((live.record.arrived, live.record.class, live.record.view.id), *id);
            }
        }
        for id in lost.into_values() {
            self.respond(now, id, &Response::new(0, false, None, Source::Lost));
        }
        self.queue_break();
    }

    fn arrive(&mut self, now: SimTime, arrival: &Arrival<U::Fate>) {
        let id = CallId(self.calls_so_far);
        self.calls_so_far += 1;
        let record = RequestRecord {
            arrived: now,
            class: arrival.class,
            view: arrival.view,
            attempts: 0,
            first_token: None,
            client_gone: false,
            lost: false,
        };
        self.observer.arrived(id, &record);
        let leaving = match arrival.leave {
            Leave::After(patience) | Leave::TimesOut(patience) => {
                self.add(now + patience, Class::Deadline, What::ClientLeaves(id))
            }
            // Only cases of `trace` have clients that leave by whichever comes first.
            Leave::Never | Leave::AfterChunks(_) | Leave::AtFirst(_) => None,
        };
        let mut call = G::Call::default();
        self.draws.begin_request(u64::from(arrival.class.0), arrival.view.id.0);
        let turn = Turn { now, call: id, draws: self.draws, notes: self.observer, woken: &mut self.woken };
        let step = self.gateway.admit(turn, &arrival.view, &mut call);
        let (fate, leave) = (arrival.fate, arrival.leave);
        let calls = HashMap::new();
        self.live.insert(id, Live { record, fate, leave, call, flight: None, calls, pending: None, leaving });
        self.perform(now, id, step);
    }

    fn tell(&mut self, now: SimTime, id: CallId, event: Event<'_>) {
        let live = self.live.get_mut(&id).expect("a live request");
        self.draws.begin_request(u64::from(live.record.class.0), live.record.view.id.0);
        let turn = Turn { now, call: id, draws: self.draws, notes: self.observer, woken: &mut self.woken };
        let step = self.gateway.resume(turn, &live.record.view, &mut live.call, event);
        self.perform(now, id, step);
    }

    fn perform(&mut self, now: SimTime, id: CallId, step: Step) {
        match step {
            Step::Attempt(attempt) => self.attempt(now, id, attempt),
            Step::Sleep(span) => {
                let pending = self.add(now + span, Class::WakeUp, What::WakeUp(id));
                self.live(id).pending = pending;
            }
            Step::Park | Step::CarryOn => {}
            Step::CancelAttempt => {
                let ended = self.close_early(now, id);
                self.tell(now, id, Event::Ended(&ended));
            }
            Step::Respond(response) => self.respond(now, id, &response),
        }
    }

    fn attempt(&mut self, now: SimTime, id: CallId, attempt: Attempt) {
        let live = self.live.get_mut(&id).expect("a live request");
        let calls = live.calls.entry(attempt.deployment).or_default();
        let call = UpstreamCall {
            deployment: attempt.deployment,
            class: live.record.class,
            request: live.record.view.id,
            nth_try: *calls,
            stream: live.record.view.stream,
            max_tokens: attempt.max_tokens,
        };
        *calls += 1;
        live.record.attempts += 1;
        self.draws.begin_request(u64::from(call.class.0), call.request.0);
        let service = self.upstream.serve(now, self.draws.here(), &call, &live.fate);
        self.observer.attempted(id, &live.record, &attempt, &service, now);
        let verdict = verdict(&service, &attempt.limits, call.stream);
        live.flight = Some(Flight { attempt, call, service, started: now, verdict });
        let (leave, gone) = (live.leave, live.record.client_gone);
        // What a client reads, piece by piece; behind those with content comes one that says that this was all.
        let mut pieces: Vec<SimDuration> = (1..=service.chunks).map(|nth| service.chunk_at(nth)).collect();
        if verdict.outcome == Outcome::Ok {
            pieces.extend(pieces.last().copied());
        }
        if let Leave::AfterChunks(n) = leave
            && let Some(last) = n.checked_sub(1).and_then(|at| pieces.get(at as usize))
            && call.stream
            && !gone
        {
            // Added before the end of the attempt: at the same instant it comes first.
            let leaving = self.add(now + *last, Class::AttemptEnd, What::ClientLeaves(id));
            self.live(id).leaving = leaving;
        }
        let pending = self.add(now + verdict.after, Class::AttemptEnd, What::AttemptEnd(id));
        self.live(id).pending = pending;
    }

    fn attempt_is_over(&mut self, now: SimTime, id: CallId) {
        let verdict = self.live(id).flight.expect("an attempt in flight").verdict;
        let ended = self.close(now, id, verdict.outcome, verdict.phase);
        self.tell(now, id, Event::Ended(&ended));
    }

    /// The gateway closes the attempt before it has come to its end.
    fn close_early(&mut self, now: SimTime, id: CallId) -> Ended {
        let flight = self.live(id).flight.expect("an attempt in flight");
        let phase = patience::phase_after(&flight.service, now - flight.started, flight.call.stream);
        self.close(now, id, Outcome::Cancelled, phase)
    }

    fn close(&mut self, now: SimTime, id: CallId, outcome: Outcome, phase: Phase) -> Ended {
        let live = self.live.get_mut(&id).expect("a live request");
        let flight = live.flight.take().expect("an attempt in flight");
        if let Some(key) = live.pending.take() {
            self.events.remove(&key);
        }
        if let Leave::AfterChunks(_) = live.leave
            && let Some(key) = live.leaving.take()
        {
            self.events.remove(&key); // Nobody counts the pieces of a stream that has ended.
        }
        let elapsed = now - flight.started;
        let usage = match phase {
            _ if outcome == Outcome::Ok => flight.service.usage,
            Phase::AfterContent => flight.service.usage_by(elapsed),
            Phase::BeforeHeaders | Phase::BeforeContent => Usage::default(),
        };
        let content = flight.call.stream && phase == Phase::AfterContent && flight.service.chunks > 0;
        let first_token = content.then(|| flight.started + flight.service.first_token);
        let retry_after = match flight.service.outcome == outcome {
            true => flight.service.retry_after,
            false => RetryAfter::None,
        };
        let ended = Ended { outcome, phase, retry_after, started: flight.started, first_token, usage };
        let billed = self.upstream.ended(now, &flight.call, &flight.service, outcome, elapsed);
        if live.record.first_token.is_none() {
            live.record.first_token = first_token;
        }
        let record = AttemptRecord { attempt: &flight.attempt, ended: &ended, at: now, billed };
        self.observer.ended(id, &live.record, &record);
        ended
    }

    fn client_leaves(&mut self, now: SimTime, id: CallId) {
        let live = self.live.get_mut(&id).expect("a live request");
        live.leaving = None;
        let times_out = matches!(live.leave, Leave::TimesOut(_));
        if times_out && live.reads(now) {
            return;
        }
        live.record.client_gone = true;
        let (asked, ending) = (live.asked(), if times_out { Ending::TimedOut } else { Ending::Left });
        self.arrivals.responded(now, &live.record, asked, ending);
        let live = self.live(id);
        let phase = match &live.flight {
            Some(flight) => patience::phase_after(&flight.service, now - flight.started, flight.call.stream),
            None => Phase::BeforeHeaders,
        };
        self.tell(now, id, Event::ClientLeft(phase));
    }

    fn respond(&mut self, now: SimTime, id: CallId, response: &Response) {
        if self.live(id).flight.is_some() {
            self.close_early(now, id);
        }
        let live = self.live.remove(&id).expect("a live request");
        for key in live.pending.into_iter().chain(live.leaving) {
            self.events.remove(&key);
        }
        self.observer.responded(id, &live.record, response, now);
        if live.record.client_gone {
            return; // It has been told already.
        }
        let ending = match response.ok {
            true => Ending::Good,
            false => Ending::Failed(response.http_status, response.retry_after),
        };
        self.arrivals.responded(now, &live.record, live.asked(), ending);
    }
}

//! The processes of a gateway while a run lasts: which one takes a request, and what ends with them.

use super::Replicated;
use super::plan::{Change, FleetPlan, SeatChange};
use crate::gateway::{Event, Gateway, Notes, RequestView, Response, Source, Step, Turn};
use crate::random::{Draws, Purpose, Replication, Seed, address_of, mix, stream};
use crate::units::{SimDuration, SimTime};

/// Status of what no process takes.
const UNAVAILABLE: u16 = 503;

/// Several processes of one gateway.
pub struct Fleet<'p, G: Replicated> {
    plan: &'p FleetPlan,
    /// The gateway, with the memory of process `current`.
    inner: G,
    current: u32,
    processes: Vec<Process<G::Memory>>,
    /// Processes that have ended and whose requests are all over.
    free: Vec<u32>,
    /// The process in each seat that takes new requests.
    seats: Vec<Option<u32>>,
    /// Until when a seat stays empty: a later end prolongs it.
    empty_until: Vec<SimTime>,
    /// Requests in each replica.
    busy: Vec<u32>,
    /// The process behind each connection that clients keep open, and how often it had to be opened.
    connections: Vec<(u32, u32)>,
    changes: std::iter::Peekable<std::vec::IntoIter<SeatChange>>,
    /// Processes that take no new requests, and when they end.
    draining: Vec<(SimTime, u32)>,
    /// Random bits of this replication.
    bits: u64,
    made: u64,
}

/// One process.
struct Process<M> {
    /// What it remembers, unless it is the current one.
    memory: M,
    replica: u32,
    /// Requests in it.
    busy: u32,
    state: Stage,
}

/// Where a process is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serving,
    Draining,
    /// It has ended; the requests in it are being lost.
    Ended,
    Free,
}

/// A request in a fleet.
#[derive(Debug, Default)]
pub struct FleetCall<C> {
    inner: C,
    process: u32,
    /// The gateway's own code has not seen it yet.
    outside: bool,
}

impl<'p, G: Replicated> Fleet<'p, G> {
    /// All processes have just started. `end` is the end of the horizon: nothing breaks after it.
    pub fn new(plan: &'p FleetPlan, mut inner: G, seed: Seed, replication: Replication, end: SimTime) -> Self {
        inner.becomes_several();
        let mut fleet = Self {
            plan,
            inner,
            current: 0,
            processes: Vec::new(),
            free: Vec::new(),
            seats: vec![None; plan.seats() as usize],
            empty_until: vec![SimTime::ZERO; plan.seats() as usize],
            busy: vec![0; plan.replicas as usize],
            connections: Vec::new(),
            changes: plan.changes(seed, replication, end).into_iter().peekable(),
            draining: Vec::new(),
            bits: stream(seed, replication, address_of("fleet")),
            made: 0,
        };
        (0..plan.seats()).for_each(|seat| fleet.start(SimTime::ZERO, seat));
        fleet.connections = (0..plan.connections.unwrap_or(0)).map(|number| (fleet.drawn(number, 0), 0)).collect();
        fleet
    }

    /// A new process takes a seat.
    fn start(&mut self, now: SimTime, seat: u32) {
        if self.seats[seat as usize].is_some() || now < self.empty_until[seat as usize] {
            return;
        }
        self.made += 1;
        let identity = mix(self.bits ^ mix(self.made));
        let at = self.free.pop().unwrap_or(self.processes.len() as u32);
        let mut memory = self.inner.started(at, identity);
        if at == self.current {
            self.inner.exchange(&mut memory);
        }
        let process = Process { memory, replica: seat / self.plan.workers, busy: 0, state: Stage::Serving };
        match self.processes.get_mut(at as usize) {
            Some(slot) => *slot = process,
            None => self.processes.push(process),
        }
        self.seats[seat as usize] = Some(at);
    }

    /// A seat's process ends at once, or with its last request.
    fn stop(&mut self, now: SimTime, change: &SeatChange) {
        let seat = change.seat as usize;
        self.empty_until[seat] = self.empty_until[seat].max(change.back);
        let Some(process) = self.seats[seat].take() else { return };
        match change.change {
            Change::Drain(grace) if self.processes[process as usize].busy > 0 => {
                self.processes[process as usize].state = Stage::Draining;
                self.draining.push((now + grace, process));
            }
            _ => self.end(process),
        }
    }

    fn end(&mut self, process: u32) {
        let ended = &mut self.processes[process as usize];
        self.busy[ended.replica as usize] -= std::mem::take(&mut ended.busy);
        ended.state = Stage::Ended;
        self.inner.crashed(process);
    }

    /// Ended processes, whose requests the engine has answered by now, may be used again.
    fn clear_ended(&mut self) {
        for (index, process) in self.processes.iter_mut().enumerate() {
            if process.state == Stage::Ended {
                process.state = Stage::Free;
                self.free.push(index as u32);
            }
        }
    }

    /// The process that takes a new request, if one does.
    fn place<D: Draws>(&mut self, draws: &mut D) -> Option<u32> {
        let u = draws.unit(Purpose::Worker, 0);
        if !self.connections.is_empty() {
            return self.connected(u);
        }
        let (soft, hard) = (self.plan.concurrency.soft, self.plan.concurrency.hard);
        let found = soft.and_then(|soft| self.nth_with_room(u, Some(soft.min(hard.unwrap_or(soft)))));
        found.or_else(|| self.nth_with_room(u, hard))
    }

    /// One of the processes in replicas with fewer than `limit` requests.
    fn nth_with_room(&self, u: f64, limit: Option<u32>) -> Option<u32> {
        let has_room = |process: &&u32| {
            limit.is_none_or(|limit| self.busy[self.processes[**process as usize].replica as usize] < limit)
        };
        let usable = || self.seats.iter().flatten().filter(has_room);
        let count = usable().count();
        usable().nth(((u * count as f64) as usize).min(count.saturating_sub(1))).copied()
    }

    /// The process behind the connection that a request comes on. One that has lost its process is opened anew.
    fn connected(&mut self, u: f64) -> Option<u32> {
        let number = ((u * self.connections.len() as f64) as usize).min(self.connections.len() - 1);
        let (process, opened) = self.connections[number];
        let is_open = self.seats.contains(&Some(process));
        let process = if is_open { process } else { self.drawn(number as u32, opened + 1) };
        if !is_open {
            self.connections[number] = (process, opened + 1);
        }
        let entry = self.processes.get(process as usize)?;
        let has_room = self.plan.concurrency.hard.is_none_or(|most| self.busy[entry.replica as usize] < most);
        (entry.state == Stage::Serving && has_room).then_some(process)
    }

    /// The process that a connection is given to; none is a number that no process has.
    fn drawn(&self, connection: u32, opened: u32) -> u32 {
        let address = u64::from(connection) << 32 | u64::from(opened);
        let u = (mix(self.bits ^ mix(address)) >> 11) as f64 / (1u64 << 53) as f64;
        self.nth_with_room(u, None).unwrap_or(u32::MAX)
    }

    /// Puts the memory of a process in place.
    fn enter(&mut self, process: u32) {
        if process != self.current {
            self.inner.exchange(&mut self.processes[self.current as usize].memory);
            self.inner.exchange(&mut self.processes[process as usize].memory);
            self.current = process;
        }
    }

    /// A request is over as soon as it is answered.
    fn done(&mut self, process: u32, step: Step) -> Step {
        if let Step::Respond(_) = step {
            let entry = &mut self.processes[process as usize];
            entry.busy -= 1;
            self.busy[entry.replica as usize] -= 1;
            if entry.busy == 0 && entry.state == Stage::Draining {
                entry.state = Stage::Free;
                self.draining.retain(|(_, other)| *other != process);
                self.free.push(process);
            }
        }
        step
    }
}

impl<G: Replicated> Gateway for Fleet<'_, G> {
    type Call = FleetCall<G::Call>;
    type Held = ();

    fn admit<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        request: &RequestView,
        call: &mut Self::Call,
    ) -> Step {
        let Some(process) = self.place(turn.draws) else {
            return Step::Respond(Response::new(UNAVAILABLE, false, None, Source::NoProcess));
        };
        let entry = &mut self.processes[process as usize];
        entry.busy += 1;
        self.busy[entry.replica as usize] += 1;
        call.process = process;
        call.outside = self.plan.overhead.is_some();
        if let Some(overhead) = &self.plan.overhead {
            let seconds = overhead.sample(turn.draws.unit(Purpose::Overhead, 0));
            return Step::Sleep(SimDuration::from_secs_f64(seconds));
        }
        self.enter(process);
        let step = self.inner.admit(turn, request, &mut call.inner);
        self.done(process, step)
    }

    fn resume<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        request: &RequestView,
        call: &mut Self::Call,
        event: Event,
    ) -> Step {
        let process = call.process;
        let step = if call.outside {
            // A client that leaves now is only noticed later on.
            if let Event::ClientLeft(_) = event {
                return Step::CarryOn;
            }
            call.outside = false;
            self.enter(process);
            self.inner.admit(turn, request, &mut call.inner)
        } else {
            self.enter(process);
            self.inner.resume(turn, request, &mut call.inner, event)
        };
        self.done(process, step)
    }

    fn next_break(&mut self) -> SimTime {
        let of_seats = self.changes.peek().map_or(SimTime::NEVER, |change| change.at);
        self.draining.iter().map(|(at, _)| *at).fold(of_seats, SimTime::min)
    }

    fn break_down(&mut self, now: SimTime) {
        self.clear_ended();
        let due = |(at, process): &(SimTime, u32)| (*at <= now).then_some(*process);
        for process in self.draining.iter().filter_map(due).collect::<Vec<_>>() {
            self.end(process);
        }
        self.draining.retain(|(at, _)| *at > now);
        while let Some(change) = self.changes.next_if(|change| change.at <= now) {
            match change.change {
                Change::Start => self.start(now, change.seat),
                Change::Kill | Change::Drain(_) => self.stop(now, &change),
            }
        }
    }

    fn is_lost(&mut self, request: &RequestView, call: &mut Self::Call) -> bool {
        let is_lost = self.processes[call.process as usize].state == Stage::Ended;
        if is_lost && !call.outside {
            self.inner.lost(request, &mut call.inner);
        }
        is_lost
    }
}

//! Arrivals that wait for answers: workers in a loop, and the turns of sessions.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::random::{Addressed, Dist, Purpose};
use crate::traffic::arrivals::{MOST_TURNS, TURN_BITS};
use crate::traffic::open::OpenArrivals;
use crate::units::{RequestId, SimDuration, SimTime};

/// Least seconds from a failed answer to the next request of a user who does not think: a refusal takes a round
/// trip, and without it a user who is always refused at once would never let time pass. Nor would one who is
/// always answered at once.
const ROUND_TRIP_S: f64 = 0.001;

/// Requests that are due, earliest first, then by number.
#[derive(Debug, Clone, Default)]
struct Due(BinaryHeap<Reverse<(SimTime, RequestId)>>);

impl Due {
    fn next_at(&self) -> SimTime {
        self.0.peek().map_or(SimTime::NEVER, |Reverse((at, _))| *at)
    }

    fn push(&mut self, at: SimTime, id: RequestId, end: SimTime) {
        if at < end {
            self.0.push(Reverse((at, id)));
        }
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn pop(&mut self) -> Option<(SimTime, RequestId)> {
        self.0.pop().map(|Reverse(due)| due)
    }
}

const WORKER_SHIFT: u32 = 32;

/// Users who send, wait for the answer, think, and send again.
#[derive(Debug, Clone)]
pub(super) struct Workers {
    due: Due,
    think_s: Dist,
    end: SimTime,
    count: u32,
    /// How many requests of this moment came at once after an answer.
    at_once: (SimTime, u32),
}

impl Workers {
    pub(super) fn new(count: u32, think_s: Dist, start: SimTime, ramp: SimDuration, end: SimTime) -> Self {
        let mut due = Due::default();
        for worker in 0..count {
            let wait = SimDuration((i128::from(ramp.0) * i128::from(worker) / i128::from(count)) as i64);
            due.push(start + wait, RequestId(u64::from(worker) << WORKER_SHIFT), end);
        }
        Self { due, think_s, end, count, at_once: (SimTime::ZERO, 0) }
    }

    pub(super) fn next_at(&self) -> SimTime {
        self.due.next_at()
    }

    pub(super) fn take(&mut self) -> Option<(SimTime, RequestId)> {
        self.due.pop()
    }

    /// The worker of this request has its answer; `draws` stands at the request.
    pub(super) fn responded(&mut self, now: SimTime, id: RequestId, ok: bool, draws: &Addressed) {
        let least = if ok && !self.is_stuck(now) { 0.0 } else { ROUND_TRIP_S };
        let think = self.think_s.sample(draws.unit_at(Purpose::Think, 0, 0)).max(least);
        let next = now + SimDuration::from_secs_f64(think);
        self.at_once.1 += u32::from(next == now);
        self.due.push(next, RequestId(id.0 + 1), self.end);
    }

    /// Whether each of them has been answered at this moment already, and somebody twice.
    fn is_stuck(&mut self, now: SimTime) -> bool {
        if self.at_once.0 != now {
            self.at_once = (now, 0);
        }
        self.at_once.1 >= self.count
    }
}

/// Conversations: the session's number in the upper bits of the request id, the turn in the lower ones.
#[derive(Debug, Clone)]
pub(super) struct Sessions {
    pub(super) starts: OpenArrivals,
    due: Due,
    turns: Dist,
    think_s: Dist,
    pub(super) follow_up: Dist,
    end: SimTime,
}

impl Sessions {
    pub(super) fn new(starts: OpenArrivals, turns: Dist, think_s: Dist, follow_up: Dist, end: SimTime) -> Self {
        Self { starts, due: Due::default(), turns, think_s, follow_up, end }
    }

    pub(super) fn next_at(&self) -> SimTime {
        self.due.next_at().min(self.starts.next_at)
    }

    pub(super) fn take(&mut self) -> Option<(SimTime, RequestId)> {
        if self.due.next_at() <= self.starts.next_at {
            return self.due.pop();
        }
        let at = self.starts.next_at;
        (at != SimTime::NEVER).then(|| (at, RequestId(self.starts.step() << TURN_BITS)))
    }

    /// How many conversations wait for their next turn.
    pub(super) fn waiting(&self) -> usize {
        self.due.len()
    }

    /// The turn is over; a failed one ends the session. `draws` is moved to the session.
    pub(super) fn responded(&mut self, now: SimTime, id: RequestId, ok: bool, draws: &mut Addressed, stream: u64) {
        let (first, turn) = turn_of(id);
        draws.begin_request(stream, first.0);
        let turns = self.turns.sample_count(draws.unit_at(Purpose::Turns, 0, 0)).min(MOST_TURNS);
        if ok && turn + 1 < turns {
            let think = self.think_s.sample(draws.unit_at(Purpose::Think, 0, turn));
            self.due.push(now + SimDuration::from_secs_f64(think), RequestId(id.0 + 1), self.end);
        }
    }
}

/// The conversation that a turn belongs to, and which turn of it this is, by the turn's number.
pub const fn session_of(id: RequestId) -> (u64, u32) {
    let (first, turn) = turn_of(id.first_try());
    (first.0 >> TURN_BITS, turn)
}

/// The first request of a session and the turn within it.
pub(super) const fn turn_of(id: RequestId) -> (RequestId, u32) {
    let turn = id.0 & (MOST_TURNS as u64 - 1);
    (RequestId(id.0 - turn), turn as u32)
}

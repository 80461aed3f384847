//! Clients that send a failed request again, as the SDKs of the providers do by themselves.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::random::{Addressed, Purpose, Replication, Seed};
use crate::traffic::request::{Leave, Request};
use crate::units::{RequestView, RetryAfter, SimDuration, SimTime};

/// How the SDK of a client tries again (`openai` 2.54, `_base_client.py`; `anthropic` does the same): after a lost
/// connection, its own timeout, and the statuses 408, 409, 429 and 5xx.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retries {
    /// Most further requests after the first (`max_retries`).
    pub most: u32,
    /// Pause before the first of them; it doubles from one to the next, and up to a quarter of
    /// it is taken off at random.
    pub first: SimDuration,
    /// The pause grows up to this.
    pub longest: SimDuration,
    /// A `Retry-After` up to this is obeyed; a later one ends the tries.
    pub obeys: SimDuration,
}

/// Further tries that ids have room for.
pub const MOST_RETRIES: u32 = 255;
/// Share of a pause that chance may take off.
const JITTER: f64 = 0.25;

/// How a request ended for its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Well.
    Good,
    /// With this HTTP status (0: the connection was lost), and the gateway's wish for when to come back.
    Failed(u16, RetryAfter),
    /// The client's own patience ran out: its SDK closed the connection.
    TimedOut,
    /// The user has gone.
    Left,
}

impl Retries {
    /// How long the client waits before it sends the request again; `None` if it does not. `tried` requests have gone
    /// before this one.
    fn pause(&self, tried: u32, ending: Ending, chance: f64) -> Option<SimDuration> {
        let advice = match ending {
            Ending::Good | Ending::Left => return None,
            Ending::TimedOut => RetryAfter::None,
            Ending::Failed(0 | 408 | 409 | 429 | 500.., advice) => advice,
            Ending::Failed(..) => return None,
        };
        if tried >= self.most {
            return None;
        }
        if let RetryAfter::Seconds(seconds) = advice
            && seconds > 0
        {
            let wait = SimDuration::from_secs(seconds);
            return (wait <= self.obeys).then_some(wait);
        }
        let doubled = self.first.as_secs_f64() * libm::ldexp(1.0, tried.min(MOST_RETRIES) as i32);
        let pause = doubled.min(self.longest.as_secs_f64()) * (1.0 - JITTER * chance);
        Some(SimDuration::from_secs_f64(pause))
    }
}

/// Requests that are to be sent at a known moment: further tries, and what comes beside others.
#[derive(Debug, Clone)]
pub(super) struct Later {
    due: BinaryHeap<Reverse<Due>>,
    draws: Addressed,
    count: u64,
}

/// Ordered by moment, then by when it was decided.
#[derive(Debug, Clone)]
struct Due {
    key: (SimTime, u64),
    request: Request,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl Later {
    pub(super) fn new(seed: Seed, replication: Replication) -> Self {
        Self { due: BinaryHeap::new(), draws: Addressed::new(seed, replication), count: 0 }
    }

    pub(super) fn next_at(&self) -> SimTime {
        self.due.peek().map_or(SimTime::NEVER, |Reverse(due)| due.key.0)
    }

    pub(super) fn take(&mut self) -> Option<Request> {
        self.due.pop().map(|Reverse(due)| due.request)
    }

    /// How many wait for their moment.
    pub(super) fn waiting(&self) -> usize {
        self.due.len()
    }

    /// Adds a request that is sent at its moment.
    pub(super) fn put(&mut self, request: Request) {
        self.due.push(Reverse(Due { key: (request.at, self.count), request }));
        self.count += 1;
    }

    /// Sends a request again, if its client does that after such an ending. A user who would be gone by then is gone.
    pub(super) fn again(&mut self, now: SimTime, request: &Request, ending: Ending, retries: &Retries) -> bool {
        self.draws.begin_request(u64::from(request.class.0), request.view.id.0);
        let chance = self.draws.unit_at(Purpose::ClientRetry, 0, 0);
        let Some(pause) = retries.pause(request.view.id.tried(), ending, chance) else { return false };
        let at = now + pause;
        let spent = at - request.at;
        let leave = match request.leave {
            Leave::After(patience) if patience <= spent => return false,
            Leave::After(patience) => Leave::After(SimDuration(patience.0 - spent.0)),
            other => other,
        };
        let view = RequestView { id: request.view.id.next_try(), ..request.view };
        self.draws.begin_request(u64::from(request.class.0), view.id.0);
        self.put(Request { at, view, leave, here: self.draws.here(), ..*request });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDK: Retries = Retries {
        most: 2,
        first: SimDuration(500_000_000),
        longest: SimDuration(8_000_000_000),
        obeys: SimDuration(120_000_000_000),
    };

    fn pause_s(retries: &Retries, tried: u32, ending: Ending, chance: f64) -> Option<f64> {
        retries.pause(tried, ending, chance).map(SimDuration::as_secs_f64)
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_chance_takes_off_a_quarter_at_most() {
        let patient = Retries { most: 9, ..SDK };
        let at = |tried, chance| pause_s(&patient, tried, Ending::TimedOut, chance).unwrap();
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(|tried| at(tried, 0.0)), [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]);
        assert_eq!(at(1, 0.5), 0.875);
        assert_eq!(pause_s(&SDK, 2, Ending::TimedOut, 0.0), None, "two retries are two retries");
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let tries = |status| pause_s(&SDK, 0, Ending::Failed(status, RetryAfter::None), 0.0).is_some();
        assert!([408, 409, 429, 500, 502, 503, 504, 529].into_iter().all(tries));
        assert!(![200, 400, 401, 403, 404, 413, 422, 499].into_iter().any(tries));
        assert_eq!(pause_s(&SDK, 0, Ending::Good, 0.0), None);
        assert_eq!(pause_s(&SDK, 0, Ending::Left, 0.0), None);
    }

    #[test]
    fn a_retry_after_is_obeyed_up_to_two_minutes_and_ends_the_tries_beyond() {
        let after = |seconds| pause_s(&SDK, 0, Ending::Failed(429, RetryAfter::Seconds(seconds)), 0.9);
        assert_eq!(after(60), Some(60.0));
        assert_eq!(after(120), Some(120.0));
        assert_eq!(after(121), None);
        assert!(after(0).unwrap() < 0.5, "no wait is no advice");
    }
}

//! A counter that is told of counts before their time, in any order. Who knows when something will happen says so at
//! once, and nobody has to come back at that moment; what has come due is counted when somebody asks, or when much
//! has gathered. Its slow twin is [`ExpiringCounter`], told of each count at its moment. At one instant all counts
//! come before the question.

use crate::gateway::parts::ExpiringCounter;
use crate::units::{SimDuration, SimTime};

/// As many are gathered before they are looked at, or twice as many as were not due the last time.
const GATHERED: usize = 64;

/// A counter with a fixed window, opened by the first count after the last one's end.
#[derive(Debug, Clone)]
pub struct AheadCounter {
    counter: ExpiringCounter,
    life: SimDuration,
    /// Moments of counts that have not been counted.
    ahead: Vec<SimTime>,
    /// How many of them may gather.
    room: usize,
}

impl AheadCounter {
    /// A counter with windows of this length.
    pub fn new(life: SimDuration) -> Self {
        Self { counter: ExpiringCounter::default(), life, ahead: Vec::new(), room: GATHERED }
    }

    /// Counts one now, which is never in the past of what was said before.
    #[inline(always)]
    pub fn add(&mut self, now: SimTime) {
        if self.ahead.is_empty() {
            self.counter.add(now, 1, self.life);
        } else {
            self.add_ahead(now, now);
        }
    }

    /// Counts one at the moment `at`; it is `now`.
    #[inline(always)]
    pub fn add_ahead(&mut self, now: SimTime, at: SimTime) {
        self.ahead.push(at);
        if self.ahead.len() >= self.room {
            self.catch_up(now);
        }
    }

    /// The open window ends then.
    pub const fn renew(&mut self, until: SimTime) {
        self.counter.renew(until);
    }

    /// Forgets what has been counted.
    pub fn forget(&mut self) {
        self.counter = ExpiringCounter::default();
    }

    /// The count at this moment.
    pub fn get(&mut self, now: SimTime) -> u64 {
        self.catch_up(now);
        self.counter.get(now)
    }

    /// Counts all that has come due. Nearly all of it falls into the open window, where its order does not matter; the
    /// first that does not opens the next one.
    #[inline(never)]
    fn catch_up(&mut self, now: SimTime) {
        let (window, ahead) = (&mut self.counter, &mut self.ahead);
        loop {
            let (before, mut first) = (ahead.len(), SimTime::NEVER);
            ahead.retain(|at| {
                let is_due_later = !window.holds(*at);
                if is_due_later {
                    first = first.min(*at);
                }
                is_due_later || *at > now
            });
            window.add_within((before - ahead.len()) as u64);
            if first > now {
                break;
            }
            window.add(first, 0, self.life);
        }
        self.room = GATHERED.max(2 * self.ahead.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The slow twin: each count is told at its moment.
        #[test]
        fn counts_ahead_are_counts_in_time(
            said in prop::collection::vec((0i64..30, prop::option::of(0i64..90)), 0..400),
            knows_ahead in any::<bool>(),
        ) {
            let life = SimDuration(60);
            let (mut ahead, mut now) = (AheadCounter::new(life), 0);
            let mut moments: Vec<i64> = Vec::new();
            for (later, takes) in said {
                now += later;
                match takes {
                    Some(takes) if knows_ahead && takes > 10 => {
                        ahead.add_ahead(SimTime(now), SimTime(now + takes));
                        moments.push(now + takes);
                    }
                    Some(_) => {
                        ahead.add(SimTime(now));
                        moments.push(now);
                    }
                    None => {
                        moments.sort_unstable();
                        let mut slow = ExpiringCounter::<u64>::default();
                        for at in moments.iter().filter(|at| **at <= now) {
                            slow.add(SimTime(*at), 1, life);
                        }
                        prop_assert_eq!(ahead.get(SimTime(now)), slow.get(SimTime(now)));
                    }
                }
            }
        }
    }
}

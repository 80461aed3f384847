//! Repetitions among arrivals that can be drawn again from their numbers alone: no prompt is remembered, an original is
//! drawn again from its address.

use std::collections::VecDeque;

use crate::random::{Here, Purpose};
use crate::traffic::class::Repeats;
use crate::traffic::open::OpenArrivals;
use crate::units::SimTime;

/// Finds the originals that repetitions repeat.
#[derive(Debug, Clone)]
pub(super) struct Repeater {
    repeats: Repeats,
    young: Young,
}

/// Attempts to find an original among young requests before a repetition is let go as an original.
const MOST_TRIES: u32 = 32;

impl Repeater {
    /// For the arrivals of a walk that stands at its beginning.
    pub(super) fn new(repeats: Repeats, walk: &OpenArrivals) -> Self {
        let young = Young::of(&repeats, walk);
        Self { repeats, young }
    }

    /// Whether a request is a repetition, by its address alone.
    #[inline]
    fn is_repetition(&self, here: Here) -> bool {
        here.unit(Purpose::Duplicate, 0, 0).as_f64() < self.repeats.share
    }

    /// The original that request `number` (whose draws are `here`) repeats, if it is a repetition and any
    /// original is young enough. `at` says where the draws of a request are, `length` how long it is. To be asked
    /// for each request in turn.
    #[inline]
    pub(super) fn original(
        &mut self,
        now: SimTime,
        number: u64,
        here: Here,
        at: impl Fn(u64) -> Here,
        length: impl Fn(Here) -> u64,
    ) -> Option<u64> {
        let oldest = SimTime(now.0.saturating_sub(self.repeats.window.0));
        self.young.remember(oldest, now);
        if !self.is_repetition(here) {
            return None;
        }
        let young = self.young.count(oldest, number);
        if young == 0 { None } else { self.find((number, young), here, at, length) }
    }

    #[inline(never)]
    fn find(
        &self,
        (number, young): (u64, u64),
        here: Here,
        at: impl Fn(u64) -> Here,
        length: impl Fn(Here) -> u64,
    ) -> Option<u64> {
        let wanted = self.repeats.longest_of.max(1);
        let mut best: Option<(u64, u64)> = None;
        let mut left = wanted;
        for nth in 1..MOST_TRIES {
            let pick = (here.unit(Purpose::Duplicate, 0, nth).as_f64() * young as f64) as u64;
            let candidate = number - 1 - pick.min(young - 1);
            let there = at(candidate);
            if self.is_repetition(there) {
                continue;
            }
            if wanted == 1 {
                return Some(candidate);
            }
            let longer = (length(there), candidate);
            best = Some(best.map_or(longer, |b| b.max(longer)));
            left -= 1;
            if left == 0 {
                break;
            }
        }
        best.map(|(_, candidate)| candidate)
    }
}

/// How many arrivals before the present one are young enough.
#[derive(Debug, Clone)]
enum Young {
    /// Their moments and that of the present one, oldest first (100 instructions an arrival less than walking
    /// behind). Those that are too old are forgotten only when somebody counts or room is needed: how many
    /// they are is not foreseeable.
    Remembered(VecDeque<SimTime>),
    /// Too many to remember: a copy of the walk follows, and what it has not reached yet is young enough.
    Behind(Box<OpenArrivals>),
}

/// Of more arrivals than this in a window, none is remembered.
const MOST_REMEMBERED: f64 = 4096.0;

impl Young {
    fn of(repeats: &Repeats, walk: &OpenArrivals) -> Self {
        if walk.peak_per_second() * repeats.window.as_secs_f64() <= MOST_REMEMBERED {
            return Self::Remembered(VecDeque::new());
        }
        Self::Behind(Box::new(walk.clone()))
    }

    /// There is an arrival at `now`.
    #[inline]
    fn remember(&mut self, oldest: SimTime, now: SimTime) {
        if let Self::Remembered(moments) = self {
            if moments.len() == moments.capacity() {
                forget(moments, oldest);
            }
            moments.push_back(now);
        }
    }

    /// Those before the last arrival, which is `number`, that are not older than `oldest`.
    #[inline]
    fn count(&mut self, oldest: SimTime, number: u64) -> u64 {
        match self {
            Self::Remembered(moments) => {
                forget(moments, oldest);
                moments.len() as u64 - 1
            }
            Self::Behind(walk) => walked(walk, oldest, number),
        }
    }
}

#[inline(never)]
fn forget(moments: &mut VecDeque<SimTime>, oldest: SimTime) {
    while moments.front().is_some_and(|at| *at < oldest) {
        moments.pop_front();
    }
}

#[inline(never)]
fn walked(behind: &mut OpenArrivals, oldest: SimTime, number: u64) -> u64 {
    while behind.next_at < oldest {
        behind.step();
    }
    number.saturating_sub(behind.next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Addressed, Dist, Intensity, Replication, Seed};
    use crate::units::SimDuration;
    use std::sync::Arc;

    /// The slow twin of what is remembered is the walk behind.
    #[test]
    fn as_many_are_young_whether_they_are_remembered_or_walked_behind() {
        let hour = SimDuration::from_secs(3600);
        let stairs = Intensity::constant(0.5, hour).modulated(vec![(SimTime(hour.0 / 2), SimTime(hour.0))], 40.0, 1.0);
        let draws = Addressed::new(Seed(5), Replication(0));
        for window in [SimDuration::ZERO, SimDuration::from_secs(3), SimDuration::from_secs(60), hour] {
            let mut walk = OpenArrivals::new(Arc::new(stairs.clone()), 1.0, Dist::unit_exponential(), draws, 3);
            let (mut fast, mut slow) = (Young::Remembered(VecDeque::new()), Young::Behind(Box::new(walk.clone())));
            let mut most = 0;
            while walk.next_at < SimTime::NEVER {
                let (now, number) = (walk.next_at, walk.step());
                let oldest = SimTime(now.0 - window.0);
                fast.remember(oldest, now);
                slow.remember(oldest, now);
                if number % 5 == 0 || number % 100 > 90 {
                    let count = fast.count(oldest, number);
                    assert_eq!(count, slow.count(oldest, number), "{number} within {window:?}");
                    most = most.max(count);
                }
            }
            assert!(most > 30 || window.0 < hour.0 / 60, "{most}");
        }
    }

    /// The draws of a request are at its address, whatever stands in front of it.
    #[test]
    fn an_original_is_no_repetition() {
        let mut draws = Addressed::new(Seed(5), Replication(0));
        let hour = SimDuration::from_secs(3600);
        let even = Arc::new(Intensity::constant(2.0, hour));
        for longest_of in [1, 3] {
            let mut walk = OpenArrivals::new(Arc::clone(&even), 1.0, Dist::unit_exponential(), draws, 3);
            let repeats = Repeats { share: 0.4, window: SimDuration::from_secs(60), longest_of };
            let mut repeater = Repeater::new(repeats, &walk);
            let mut repeated = 0;
            while walk.next_at < SimTime::NEVER {
                let (now, here) = (walk.next_at, walk.here);
                let number = walk.step();
                let at = |request| {
                    let mut elsewhere = draws;
                    elsewhere.begin_request(3, request);
                    elsewhere.here()
                };
                let original = repeater.original(now, number, here, at, |here| here.bits(Purpose::InputTokens, 0, 0));
                if let Some(original) = original {
                    assert!(original < number && !repeater.is_repetition(at(original)));
                    repeated += 1;
                }
            }
            assert!((2500..3300).contains(&repeated), "{repeated}");
            draws.begin_request(0, 0);
        }
    }
}

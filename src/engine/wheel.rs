//! The near future: a ring of buckets by time, each with room for a few events in no order. Adding one is a write;
//! the next is the least of the first bucket that has any, found without branches that cannot be foreseen (15 ns a
//! request of `bench-full` less than a row in order, where each is searched its place and what is later moved).
//! What a bucket has no room for, or is beyond the ring, stands elsewhere. Buckets become narrower or wider until
//! few events are left out.

use crate::engine::queue::Queued;
use crate::units::SimTime;

/// Events of the near future.
#[derive(Debug)]
pub(super) struct Wheel {
    buckets: Box<[[Queued; SLOTS]; BUCKETS]>,
    /// How many stand in each bucket.
    counts: [u8; BUCKETS],
    /// A bit for each bucket that has any.
    full: u64,
    /// A bucket is 2 to this power nanoseconds wide.
    shift: u32,
    /// The number of the bucket of the present, counted from time zero.
    now: u64,
    /// The earliest, and where it stands.
    first: Queued,
    place: (usize, usize),
    /// How many were left out since the width was looked at, for either reason.
    crowded: u32,
    beyond: u32,
    /// The number of the event at which it was looked at.
    looked_at: u64,
}

/// Why an event is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// Its bucket is full.
    Crowded,
    /// It is too far ahead.
    Beyond,
}

const BUCKETS: usize = 64;
const SLOTS: usize = 4;
/// The width at the beginning: a quarter of a second.
const SHIFT: u32 = 28;
const NARROWEST: u32 = 10;
const WIDEST: u32 = 40;
/// The width is looked at when so many have been left out.
const MANY: u32 = 512;
/// One in more than so many is not worth a change.
const FEW: u32 = 8;

impl Default for Wheel {
    fn default() -> Self {
        Self {
            buckets: Box::new([[Queued::NEVER; SLOTS]; BUCKETS]),
            counts: [0; BUCKETS],
            full: 0,
            shift: SHIFT,
            now: 0,
            first: Queued::NEVER,
            place: (0, 0),
            crowded: 0,
            beyond: 0,
            looked_at: 0,
        }
    }
}

impl Wheel {
    /// The earliest event, or one that never happens.
    #[inline(always)]
    pub(super) const fn first(&self) -> &Queued {
        &self.first
    }

    /// Adds an event, if there is room for it.
    #[inline(always)]
    pub(super) fn push(&mut self, event: Queued) -> Result<(), NoRoom> {
        let number = self.number(event.at());
        // What is in the past of the ring is beyond it as well.
        if number.wrapping_sub(self.now) >= BUCKETS as u64 {
            return Err(NoRoom::Beyond);
        }
        let bucket = number as usize % BUCKETS;
        let slot = usize::from(self.counts[bucket]);
        if slot >= SLOTS {
            return Err(NoRoom::Crowded);
        }
        self.buckets[bucket][slot] = event;
        self.counts[bucket] += 1;
        self.full |= 1 << bucket;
        if event.rank() < self.first.rank() {
            (self.first, self.place) = (event, (bucket, slot));
        }
        Ok(())
    }

    /// Takes the earliest event; there is one.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Queued {
        let (event, (bucket, slot)) = (self.first, self.place);
        let (bucket, slot) = (bucket % BUCKETS, slot % SLOTS);
        let last = usize::from(self.counts[bucket].wrapping_sub(1)) % SLOTS;
        let events = &mut self.buckets[bucket];
        events[slot] = events[last];
        events[last] = Queued::NEVER;
        self.counts[bucket] = last as u8;
        self.full &= !(u64::from(last == 0) << bucket);
        self.now = self.number(event.at());
        self.find_first();
        event
    }

    /// The present has come this far: nothing in the wheel is earlier.
    #[inline]
    pub(super) fn pass(&mut self, now: SimTime) {
        self.now = self.number(now);
    }

    /// Finds the earliest event: buckets stand in order from that of the present on.
    #[inline(always)]
    fn find_first(&mut self) {
        let present = (self.now % BUCKETS as u64) as u32;
        let ahead = self.full.rotate_right(present).trailing_zeros();
        let bucket = (present + ahead) as usize % BUCKETS;
        // Free slots hold what never happens, and so does every slot where all buckets are empty.
        let events = &self.buckets[bucket];
        let earlier = |one: usize, other: usize| if events[other].rank() < events[one].rank() { other } else { one };
        let slot = earlier(earlier(0, 1), earlier(2, 3));
        (self.first, self.place) = (events[slot], (bucket, slot));
    }

    #[inline(always)]
    const fn number(&self, at: SimTime) -> u64 {
        at.0 as u64 >> self.shift
    }

    /// The event with this number has been left out. Where many are and buckets of another width leave out fewer, the
    /// width changes; what is in the wheel is handed out then.
    pub(super) fn left_out(&mut self, why: NoRoom, number: u64, out: impl FnMut(Queued)) {
        match why {
            NoRoom::Crowded => self.crowded += 1,
            NoRoom::Beyond => self.beyond += 1,
        }
        if self.crowded + self.beyond < MANY {
            return;
        }
        let (crowded, beyond) = (std::mem::take(&mut self.crowded), std::mem::take(&mut self.beyond));
        let are_few = number - std::mem::replace(&mut self.looked_at, number) > u64::from(MANY * FEW);
        let shift = match (crowded, beyond) {
            _ if are_few => self.shift,
            _ if crowded > 3 * beyond => self.shift.saturating_sub(1).max(NARROWEST),
            _ if beyond > 3 * crowded => (self.shift + 1).min(WIDEST),
            _ => self.shift,
        };
        if shift != self.shift {
            self.resize(shift, out);
        }
    }

    fn resize(&mut self, shift: u32, out: impl FnMut(Queued)) {
        let present = self.now << self.shift;
        let events = self.buckets.iter().flatten().copied();
        events.filter(|event| event.at() < SimTime::NEVER).for_each(out);
        let looked_at = self.looked_at;
        *self = Self { shift, now: present >> shift, looked_at, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::queue::{Class, Queue};

    /// Takes one and adds one, `count` times, with `pending` events that come after a random time.
    fn churn(queue: &mut Queue, pending: u32, spread: i64, count: u32) {
        let mut state = 1u64;
        let mut later = || {
            state = crate::random::mix(state);
            (state % spread as u64) as i64
        };
        for _ in 0..pending {
            queue.push(SimTime(later()), Class::AttemptEnd, 0);
        }
        let mut last = SimTime::ZERO;
        for _ in 0..count {
            let event = queue.pop().expect("as many as were added");
            assert!(event.at() >= last, "the clock never goes back");
            last = event.at();
            queue.push(SimTime(last.0 + later()), Class::AttemptEnd, 0);
        }
    }

    #[test]
    fn buckets_take_the_width_that_leaves_few_out() {
        // From thousands within a millisecond to a few within days.
        for (pending, spread) in [(100, 1_000_000), (100, 1_000_000_000), (20, 10_000_000_000), (3, 10_000_000_000_000)]
        {
            let mut queue = Queue::default();
            churn(&mut queue, pending, spread, 200_000);
            let outside = queue.behind();
            assert!(outside * 4 <= pending as usize, "{outside} of {pending} within {spread} ns stand in the heap");
        }
    }
}

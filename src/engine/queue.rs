//! The event queue: a wheel for what is near, and a 4-ary heap for what is far or does not fit. Whatever stands where,
//! the earliest of both comes next.

use crate::engine::wheel::{NoRoom, Wheel};
use crate::units::SimTime;

/// Order of events at the same instant: what has ended counts before what starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// The end of an upstream attempt: its effects are seen by everything else at that instant.
    AttemptEnd = 1,
    /// A client gives up, or a process of the gateway ends: after an answer that came just in time.
    Deadline = 2,
    /// A sleep is over.
    WakeUp = 3,
    // Arrivals come last: they are not queued, the loop takes them when nothing queued is due.
}

/// When an event happens, and in which order at the same instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventKey {
    at: SimTime,
    /// Class in the upper 4 bits, sequence number below: first scheduled, first served.
    order: u64,
}

/// A queued event: its key and an opaque payload.
#[derive(Debug, Clone, Copy)]
pub struct Queued {
    key: EventKey,
    /// What the loop needs to know of it.
    pub payload: u64,
}

/// Pending events, earliest first.
#[derive(Debug)]
pub struct Queue {
    /// Those of the near future.
    wheel: Wheel,
    /// All others: too far ahead, or their bucket was full. Some may be due before any in the wheel.
    far: Heap,
    /// The moment of the first in the heap, or never.
    far_at: SimTime,
    sequence: u64,
}

const CLASS_SHIFT: u32 = 60;

impl Queued {
    /// What no event is behind.
    pub(super) const NEVER: Self = Self { key: EventKey { at: SimTime::NEVER, order: u64::MAX }, payload: 0 };

    /// The moment of the event.
    pub const fn at(&self) -> SimTime {
        self.key.at
    }

    /// Its place in the order of all, as one number: no moment is before time zero.
    #[inline(always)]
    pub(super) const fn rank(&self) -> u128 {
        (self.key.at.0 as u128) << 64 | self.key.order as u128
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self { wheel: Wheel::default(), far: Heap::default(), far_at: SimTime::NEVER, sequence: 0 }
    }
}

impl Queue {
    /// The moment of the earliest event, or never.
    #[inline(always)]
    pub fn next_at(&self) -> SimTime {
        self.wheel.first().at().min(self.far_at)
    }

    /// How many events wait in the heap: there memory grows.
    pub const fn behind(&self) -> usize {
        self.far.heap.len()
    }

    /// Adds an event; what never happens is not queued.
    #[inline(always)]
    pub fn push(&mut self, at: SimTime, class: Class, payload: u64) {
        if at == SimTime::NEVER {
            return;
        }
        let order = ((class as u64) << CLASS_SHIFT) | self.sequence;
        self.sequence += 1;
        let event = Queued { key: EventKey { at, order }, payload };
        if let Err(why) = self.wheel.push(event) {
            self.push_far(event, why);
        }
    }

    /// Takes the earliest event.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<Queued> {
        if self.far_at <= self.wheel.first().at() {
            return self.pop_either();
        }
        Some(self.wheel.pop())
    }

    #[cold]
    fn push_far(&mut self, event: Queued, why: NoRoom) {
        self.far.push(event);
        self.wheel.left_out(why, self.sequence, |event| self.far.push(event));
        self.look_far();
    }

    /// The first in the heap may be the earliest of all.
    #[inline(never)]
    fn pop_either(&mut self) -> Option<Queued> {
        let far = *self.far.heap.first()?;
        if self.wheel.first().key < far.key {
            return Some(self.wheel.pop());
        }
        self.far.pop();
        self.look_far();
        self.wheel.pass(far.at());
        Some(far)
    }

    fn look_far(&mut self) {
        self.far_at = self.far.heap.first().map_or(SimTime::NEVER, Queued::at);
    }
}

/// A 4-ary heap in one flat vector: shallower than a binary heap, and the four children share a cache line pair.
#[derive(Debug, Default)]
struct Heap {
    heap: Vec<Queued>,
}

const ARITY: usize = 4;

impl Heap {
    fn push(&mut self, event: Queued) {
        self.heap.push(event);
        self.sift_up(self.heap.len() - 1);
    }

    fn pop(&mut self) -> Option<Queued> {
        let last = self.heap.pop()?;
        match self.heap.first_mut() {
            None => Some(last),
            Some(root) => {
                let first = std::mem::replace(root, last);
                self.sift_down();
                Some(first)
            }
        }
    }

    fn sift_up(&mut self, mut child: usize) {
        let moving = self.heap[child];
        while child > 0 {
            let parent = (child - 1) / ARITY;
            if self.heap[parent].key <= moving.key {
                break;
            }
            self.heap[child] = self.heap[parent];
            child = parent;
        }
        self.heap[child] = moving;
    }

    fn sift_down(&mut self) {
        let moving = self.heap[0];
        let mut parent = 0;
        loop {
            let first = parent * ARITY + 1;
            let children = &self.heap[first.min(self.heap.len())..(first + ARITY).min(self.heap.len())];
            let Some((offset, least)) = children.iter().enumerate().min_by_key(|(_, event)| event.key) else { break };
            if moving.key <= least.key {
                break;
            }
            let child = first + offset;
            self.heap[parent] = *least;
            parent = child;
        }
        self.heap[parent] = moving;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The slow twin: a stable sort by (time, class).
        #[test]
        fn pops_in_the_order_of_a_stable_sort(events in prop::collection::vec((0i64..50, 1u8..4), 0..300)) {
            let class = |c| match c { 1 => Class::AttemptEnd, 2 => Class::Deadline, _ => Class::WakeUp };
            let mut queue = Queue::default();
            for (payload, &(at, c)) in events.iter().enumerate() {
                queue.push(SimTime(at), class(c), payload as u64);
            }
            let mut sorted: Vec<_> = events.iter().enumerate().map(|(i, &(at, c))| (at, c, i as u64)).collect();
            sorted.sort_by_key(|&(at, c, _)| (at, c));
            let popped: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|e| (e.at().0, e.payload)).collect();
            prop_assert_eq!(popped, sorted.into_iter().map(|(at, _, i)| (at, i)).collect::<Vec<_>>());
        }

        /// The slow twin: the earliest of a list, while events come and go and their number passes all limits.
        #[test]
        fn taking_and_adding_in_any_order(
            steps in prop::collection::vec((0i64..1000, 0u32..100), 0..2000), width in 0u32..40,
        ) {
            let mut queue = Queue::default();
            let mut list: Vec<(i64, u64)> = Vec::new();
            let mut now = 0;
            for (payload, &(later, chance)) in steps.iter().enumerate() {
                let at = now + (later << width);
                queue.push(SimTime(at), Class::AttemptEnd, payload as u64);
                list.push((at, payload as u64));
                // Takes a little less than one for each that is added, then more.
                let takes = if payload < steps.len() / 2 { u32::from(chance < 90) } else { u32::from(chance < 90) * 2 };
                for _ in 0..takes {
                    let least = list.iter().copied().min();
                    prop_assert_eq!(queue.next_at(), least.map_or(SimTime::NEVER, |(at, _)| SimTime(at)));
                    prop_assert_eq!(queue.pop().map(|event| (event.at().0, event.payload)), least);
                    list.retain(|event| Some(*event) != least);
                    now = least.map_or(now, |(at, _)| at);
                }
            }
        }
    }
}

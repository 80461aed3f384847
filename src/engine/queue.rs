//! The event queue: a 4-ary heap in one flat vector. Shallower than a binary heap, and the four children share a cache
//! line pair; events are plain 24-byte values.

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
#[derive(Debug, Default)]
pub struct Queue {
    heap: Vec<Queued>,
    sequence: u64,
}

const ARITY: usize = 4;
const CLASS_SHIFT: u32 = 60;

impl Queued {
    /// The moment of the event.
    pub const fn at(&self) -> SimTime {
        self.key.at
    }
}

impl Queue {
    /// The moment of the earliest event, or never.
    pub fn next_at(&self) -> SimTime {
        self.heap.first().map_or(SimTime::NEVER, Queued::at)
    }

    /// Adds an event.
    pub fn push(&mut self, at: SimTime, class: Class, payload: u64) {
        let order = ((class as u64) << CLASS_SHIFT) | self.sequence;
        self.sequence += 1;
        self.heap.push(Queued { key: EventKey { at, order }, payload });
        self.sift_up(self.heap.len() - 1);
    }

    /// Takes the earliest event.
    pub fn pop(&mut self) -> Option<Queued> {
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
        fn pops_in_the_order_of_a_stable_sort(events in prop::collection::vec((0i64..50, 1u8..4), 0..200)) {
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
    }
}

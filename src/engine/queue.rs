//! The event queue. Few events are pending in most worlds, so the earliest of them stand in order in one short row:
//! taking one is a step along the row, adding one moves the few that are later. What does not fit waits in a 4-ary heap.
//! With 16 pending, one in and one out takes a third of what the heap alone takes; with thousands, as much.

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
    /// The earliest events, ascending from `first` on.
    near: Vec<Queued>,
    first: usize,
    /// All others: none is earlier than any in `near`.
    far: Heap,
    sequence: u64,
}

/// Most events in the row; beyond, moving them costs more than a heap.
const NEAR: usize = 48;
/// Length of the row with what has been taken from it, before it is moved to its beginning.
const ROW: usize = 4 * NEAR;
const CLASS_SHIFT: u32 = 60;

impl Queued {
    /// The moment of the event.
    pub const fn at(&self) -> SimTime {
        self.key.at
    }
}

impl Queue {
    /// The moment of the earliest event, or never.
    #[inline]
    pub fn next_at(&self) -> SimTime {
        self.near.get(self.first).map_or(SimTime::NEVER, Queued::at)
    }

    /// How many events wait behind the row: there memory grows.
    pub const fn behind(&self) -> usize {
        self.far.heap.len()
    }

    /// Adds an event.
    #[inline(always)]
    pub fn push(&mut self, at: SimTime, class: Class, payload: u64) {
        let order = ((class as u64) << CLASS_SHIFT) | self.sequence;
        self.sequence += 1;
        let event = Queued { key: EventKey { at, order }, payload };
        let has_room = self.near.len() - self.first < NEAR && self.near.len() < ROW;
        if has_room && (self.far.is_empty() || self.is_near(&event)) {
            insert(&mut self.near, self.first, event);
        } else {
            self.push_far(event);
        }
    }

    /// Takes the earliest event.
    #[inline]
    pub fn pop(&mut self) -> Option<Queued> {
        let event = *self.near.get(self.first)?;
        self.first += 1;
        if self.first == self.near.len() {
            self.refill();
        }
        Some(event)
    }

    /// Whether the event is earlier than the latest of the row.
    #[inline]
    fn is_near(&self, event: &Queued) -> bool {
        self.near.last().is_some_and(|latest| event.key < latest.key)
    }

    /// The row is full, or the event belongs beyond it.
    #[cold]
    fn push_far(&mut self, event: Queued) {
        if !self.far.is_empty() && !self.is_near(&event) {
            self.far.push(event);
            return;
        }
        self.near.drain(..self.first);
        self.first = 0;
        insert(&mut self.near, 0, event);
        if self.near.len() > NEAR
            && let Some(latest) = self.near.pop()
        {
            self.far.push(latest);
        }
    }

    /// The row is used up: it begins anew with the earliest events of the heap.
    fn refill(&mut self) {
        self.near.clear();
        self.first = 0;
        while self.near.len() < NEAR / 2
            && let Some(event) = self.far.pop()
        {
            self.near.push(event);
        }
    }
}

/// Adds an event to a row that is in order from `first` on.
#[inline(always)]
fn insert(row: &mut Vec<Queued>, first: usize, event: Queued) {
    let place = first + row[first..].partition_point(|other| other.key < event.key);
    row.insert(place, event);
}

/// A 4-ary heap in one flat vector: shallower than a binary heap, and the four children share a cache line pair.
#[derive(Debug, Default)]
struct Heap {
    heap: Vec<Queued>,
}

const ARITY: usize = 4;

impl Heap {
    const fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

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
        fn taking_and_adding_in_any_order(steps in prop::collection::vec((0i64..1000, 0u32..100), 0..2000)) {
            let mut queue = Queue::default();
            let mut list: Vec<(i64, u64)> = Vec::new();
            let mut now = 0;
            for (payload, &(later, chance)) in steps.iter().enumerate() {
                let at = now + later;
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

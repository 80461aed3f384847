//! Requests that wait for their moment, the next one first: the nearest stand in order, all others in none until they are the
//! nearest. Of a hundred that wait each is looked at five times before it comes, without a branch that cannot be foreseen,
//! where a heap takes 200 instructions (a third of the time of self-exciting arrivals). The slow twin is `BinaryHeap`.

use crate::units::{RequestId, SimTime};

/// A moment and the request that comes then in one number, so that they are compared at once.
type Entry = u128;

/// Requests that wait.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// The nearest, the next one last.
    near: Vec<Entry>,
    /// All that are later.
    far: Vec<Entry>,
    /// None of those that are near is after this, and none of those that are far before it.
    bound: Entry,
}

/// So many are brought near at a time; of many the same part, so that none is looked at too often.
const FEW: usize = 16;
const PART: usize = 8;
/// More than this are not near.
const MANY: usize = 4 * FEW;

impl Due {
    /// The moment of the next, or never.
    #[inline(always)]
    pub(super) fn next_at(&self) -> SimTime {
        self.near.last().map_or(SimTime::NEVER, |next| at(*next))
    }

    /// Takes the next.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<RequestId> {
        let next = self.near.pop()?;
        if self.near.is_empty() {
            self.bring_near();
        }
        Some(RequestId(next as u64))
    }

    /// One more will come.
    #[inline]
    pub(super) fn push(&mut self, at: SimTime, id: RequestId) {
        // Moments of a run are not negative.
        let entry = Entry::from(at.0.max(0).cast_unsigned()) << u64::BITS | Entry::from(id.0);
        if self.near.is_empty() {
            self.bound = entry;
        } else if entry > self.bound {
            return self.far.push(entry);
        }
        let place = self.near.partition_point(|other| *other > entry);
        self.near.insert(place, entry);
        if self.near.len() > MANY {
            self.send_away();
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.near.len() + self.far.len()
    }

    /// The nearest of those that are far become near.
    #[inline(never)]
    fn bring_near(&mut self) {
        if self.far.is_empty() {
            return;
        }
        // Those that stay come first, so that the others can be cut off.
        let stay = self.far.len() - (self.far.len() / PART).max(FEW).min(self.far.len());
        let (_, farthest, _) = self.far.select_nth_unstable_by(stay, |a, b| b.cmp(a));
        self.bound = *farthest;
        self.near.extend(self.far.drain(stay..));
        self.near.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Half of those that are near have become too many.
    #[cold]
    fn send_away(&mut self) {
        self.far.extend(self.near.drain(..MANY / 2));
        self.bound = self.near[0];
    }
}

fn at(entry: Entry) -> SimTime {
    SimTime(((entry >> u64::BITS) as u64).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    proptest! {
        /// Some come all at once, some long after the others, and now and then all are taken.
        #[test]
        fn comes_in_the_order_of_a_heap(
            steps in prop::collection::vec((0u8..9, 0i64..1 << 40, 1usize..120), 0..120),
        ) {
            let (mut fast, mut slow, mut now, mut id) = (Due::default(), BinaryHeap::new(), 0, 0u64);
            for (kind, delay, count) in steps {
                for nth in 0..count as i64 {
                    if kind < 5 {
                        let at = now + (delay >> (5 * kind)) * (nth % 7);
                        id += 1;
                        fast.push(SimTime(at), RequestId(id * 77 % 1_000));
                        slow.push(Reverse((SimTime(at), RequestId(id * 77 % 1_000))));
                    } else {
                        let expected = slow.pop().map(|Reverse(next)| next);
                        prop_assert_eq!(fast.next_at(), expected.map_or(SimTime::NEVER, |(at, _)| at));
                        prop_assert_eq!(fast.pop(), expected.map(|(_, id)| id));
                        now = expected.map_or(now, |(at, _)| at.0);
                    }
                    prop_assert_eq!(fast.len(), slow.len());
                    prop_assert_eq!(fast.near.is_empty(), slow.is_empty());
                }
            }
        }
    }
}

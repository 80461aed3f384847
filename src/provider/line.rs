//! When the calls at a gate will end: who comes to a full gate waits until enough of them have.
//!
//! A line may be long, and everybody who comes asks for one place in it. So the ends are kept in two parts, those
//! before that place and all others: it moves by one with each call that comes or goes, where counting from the first
//! would walk along the whole line. The slow twin, in the tests, counts.

use std::collections::BTreeMap;

use crate::units::SimTime;

/// The ends of calls, in two parts: none of the first is later than any of the others.
#[derive(Debug, Clone, Default)]
pub(super) struct Ends {
    first: Ordered,
    others: Ordered,
}

/// Ends in order, and how many of them there are.
#[derive(Debug, Clone, Default)]
struct Ordered {
    calls: BTreeMap<SimTime, u32>,
    count: usize,
}

impl Ends {
    /// A call will end then.
    pub fn add(&mut self, end: SimTime) {
        let is_first = self.first.last().is_some_and(|last| end < last);
        let part = if is_first { &mut self.first } else { &mut self.others };
        part.add(end);
    }

    /// A call that was to end then is over.
    pub fn remove(&mut self, end: SimTime) {
        if !self.first.remove(end) {
            self.others.remove(end);
        }
    }

    /// The end that comes after so many others, if there are as many.
    pub fn after(&mut self, others: usize) -> Option<SimTime> {
        while self.first.count > others {
            let last = self.first.last()?;
            self.first.remove(last);
            self.others.add(last);
        }
        while self.first.count < others {
            let next = self.others.first()?;
            self.others.remove(next);
            self.first.add(next);
        }
        self.others.first()
    }
}

impl Ordered {
    fn first(&self) -> Option<SimTime> {
        self.calls.first_key_value().map(|(end, _)| *end)
    }

    fn last(&self) -> Option<SimTime> {
        self.calls.last_key_value().map(|(end, _)| *end)
    }

    fn add(&mut self, end: SimTime) {
        *self.calls.entry(end).or_default() += 1;
        self.count += 1;
    }

    /// Whether it was there.
    fn remove(&mut self, end: SimTime) -> bool {
        let Some(calls) = self.calls.get_mut(&end) else { return false };
        *calls -= 1;
        if *calls == 0 {
            self.calls.remove(&end);
        }
        self.count -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The slow twin is a sorted list. Calls that come at once, that were never there, and more places than calls
        /// are among the steps.
        #[test]
        fn the_nth_end_is_that_of_a_sorted_list(
            steps in prop::collection::vec((0u8..5, 0i64..30, 0usize..20), 0..300),
        ) {
            let (mut fast, mut slow) = (Ends::default(), Vec::new());
            for (step, end, others) in steps {
                let end = SimTime(end);
                match step {
                    0..3 => {
                        fast.add(end);
                        slow.push(end);
                        slow.sort_unstable();
                    }
                    3 => {
                        fast.remove(end);
                        if let Some(at) = slow.iter().position(|there| *there == end) {
                            slow.remove(at);
                        }
                    }
                    _ => prop_assert_eq!(fast.after(others), slow.get(others).copied()),
                }
                prop_assert_eq!(fast.first.count + fast.others.count, slow.len());
            }
        }
    }

    #[test]
    fn a_long_line_is_asked_as_fast_as_a_short_one() {
        // As many calls in line, each of which asked for the last place: to count would take 10¹¹ steps.
        const CALLS: usize = 300_000;
        let mut ends = Ends::default();
        for call in 0..CALLS {
            ends.add(SimTime(call as i64));
            assert_eq!(ends.after(call), Some(SimTime(call as i64)));
        }
        for call in 0..CALLS {
            ends.remove(SimTime(call as i64));
            let left = CALLS - call - 1;
            assert_eq!(ends.after(left / 2).is_some(), left > 0);
        }
    }
}

//! A fair semaphore: who finds no free slot waits in line.

use crate::units::CallId;
use std::collections::VecDeque;

/// What asking for a slot led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// It is held.
    Held,
    /// The caller waits in line; whoever gives a slot back wakes it.
    Queued,
}

/// Slots of one deployment.
#[derive(Debug, Clone)]
pub struct Slots {
    free: u32,
    line: VecDeque<CallId>,
}

impl Slots {
    /// All of `n` slots are free.
    pub const fn new(n: u32) -> Self {
        Self { free: n, line: VecDeque::new() }
    }

    /// Takes a slot or a place in the line.
    pub fn take(&mut self, call: CallId) -> Slot {
        if self.free > 0 && self.line.is_empty() {
            self.free -= 1;
            return Slot::Held;
        }
        self.line.push_back(call);
        Slot::Queued
    }

    /// Gives a slot back: it passes to the first in line, who is returned.
    pub fn give_back(&mut self) -> Option<CallId> {
        let next = self.line.pop_front();
        if next.is_none() {
            self.free += 1;
        }
        next
    }

    /// Leaves the line.
    pub fn leave(&mut self, call: CallId) {
        self.line.retain(|waiting| *waiting != call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_come_first_served() {
        let mut slots = Slots::new(1);
        let [a, b, c] = [0, 1, 2].map(CallId);
        assert_eq!([slots.take(a), slots.take(b), slots.take(c)], [Slot::Held, Slot::Queued, Slot::Queued]);
        slots.leave(b);
        assert_eq!(slots.give_back(), Some(c));
        assert_eq!(slots.give_back(), None);
        assert_eq!(slots.take(b), Slot::Held);
    }
}

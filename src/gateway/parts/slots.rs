//! A fair semaphore in a cache: who finds no free slot waits in line, and after a while the whole semaphore is
//! forgotten and made anew, whatever is still in flight.

use crate::units::{CallId, SimDuration, SimTime};
use std::collections::VecDeque;

/// What asking for a slot led to. The number says which semaphore it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// It is held.
    Held(u32),
    /// The caller waits in line; whoever gives a slot back wakes it.
    Queued(u32),
}

/// One semaphore.
#[derive(Debug, Clone)]
struct Semaphore {
    number: u32,
    free: u32,
    line: VecDeque<CallId>,
}

/// Slots of one deployment.
#[derive(Debug, Clone)]
pub struct Slots {
    size: u32,
    life: SimDuration,
    /// When the newest semaphore is forgotten.
    expires: SimTime,
    /// The newest last; older ones stay until all their slots have come back.
    semaphores: Vec<Semaphore>,
    made: u32,
}

impl Slots {
    /// Semaphores of `size` slots that live for `life` from their first use.
    pub const fn new(size: u32, life: SimDuration) -> Self {
        Self { size, life, expires: SimTime(i64::MIN), semaphores: Vec::new(), made: 0 }
    }

    /// Whether the next to ask finds no semaphore, so that one is made.
    pub fn is_forgotten(&self, now: SimTime) -> bool {
        now > self.expires
    }

    /// The semaphore is forgotten before its time.
    pub const fn forget(&mut self) {
        self.expires = SimTime(i64::MIN);
    }

    /// Takes a slot or a place in the line.
    pub fn take(&mut self, now: SimTime, call: CallId) -> Slot {
        if let Some(number) = self.take_free(now) {
            return Slot::Held(number);
        }
        let Some(newest) = self.semaphores.last_mut() else { return Slot::Held(self.made) };
        newest.line.push_back(call);
        Slot::Queued(newest.number)
    }

    /// Takes a slot if nobody has to wait for it.
    pub fn take_free(&mut self, now: SimTime) -> Option<u32> {
        if now > self.expires {
            self.expires = now + self.life;
            self.made += 1;
            let size = self.size;
            self.semaphores.retain(|old| old.free < size || !old.line.is_empty());
            self.semaphores.push(Semaphore { number: self.made, free: size, line: VecDeque::new() });
        }
        let newest = self.semaphores.last_mut()?;
        if newest.free == 0 || !newest.line.is_empty() {
            return None;
        }
        newest.free -= 1;
        Some(newest.number)
    }

    /// Gives a slot back: it passes to the first in line, who is returned.
    pub fn give_back(&mut self, number: u32) -> Option<CallId> {
        let semaphore = self.semaphores.iter_mut().find(|semaphore| semaphore.number == number)?;
        let next = semaphore.line.pop_front();
        if next.is_none() {
            semaphore.free += 1;
        }
        next
    }

    /// Leaves the line.
    pub fn leave(&mut self, call: CallId) {
        for semaphore in &mut self.semaphores {
            semaphore.line.retain(|waiting| *waiting != call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: SimDuration = SimDuration::from_secs(600);
    const START: SimTime = SimTime::ZERO;

    #[test]
    fn first_come_first_served() {
        let mut slots = Slots::new(1, LIFE);
        let [a, b, c] = [0, 1, 2].map(CallId);
        assert_eq!(
            [slots.take(START, a), slots.take(START, b), slots.take(START, c)],
            [Slot::Held(1), Slot::Queued(1), Slot::Queued(1)]
        );
        slots.leave(b);
        assert_eq!(slots.give_back(1), Some(c));
        assert_eq!(slots.give_back(1), None);
        assert_eq!(slots.take(START, b), Slot::Held(1));
    }

    #[test]
    fn a_forgotten_semaphore_limits_nobody_any_more() {
        let mut slots = Slots::new(1, LIFE);
        let [a, b, c] = [0, 1, 2].map(CallId);
        assert_eq!([slots.take(START, a), slots.take(START, b)], [Slot::Held(1), Slot::Queued(1)]);
        let later = START + SimDuration::from_secs(601);
        assert_eq!(slots.take(later, c), Slot::Held(2));
        assert_eq!(slots.give_back(1), Some(b), "the old line is still served by the old slots");
    }
}

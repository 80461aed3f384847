//! Answers of the response cache that are kept equally long. They end in the order in which they came, so that they
//! stand in a ring: a new one goes to its end, what is over leaves from its beginning. An answer is found by a hash
//! through the newest of its hash; each knows the one before it, and whoever left is known by its number alone. So
//! nothing has to be looked up, or taken out of an index, to keep an answer or to drop one (an index with places that
//! are freed took 130 instructions more a request of `bench-full`). The slow twin is in the tests of `responses.rs`.

use super::responses::Packed;
use crate::units::{SimDuration, SimTime, Usage};

/// An answer that is kept: one line of memory.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Kept {
    pub key: Packed,
    pub since: SimTime,
    pub expires: SimTime,
    pub usage: Usage,
    /// The number of the answer that came before with a hash like it.
    pub before: u32,
}

/// Answers that are kept equally long.
#[derive(Debug)]
pub(super) struct Shelf {
    pub life: SimDuration,
    /// A power of two of places; an answer stands where its number says.
    ring: Box<[Kept]>,
    /// The number of the oldest answer. Numbers begin again after the last.
    first: u32,
    count: u32,
    /// The number of the newest answer of each hash, possibly of one that has left.
    newest: Box<[u32]>,
}

/// Places at the beginning.
const FEW: usize = 16;
/// So many hashes for each place: more of them are alone, but take more memory (8 came to the same time).
const HASHES: usize = 2;

impl Shelf {
    pub fn new(life: SimDuration) -> Self {
        Self { life, ring: vec![Kept::NONE; FEW].into(), first: 0, count: 0, newest: nobody(FEW, 0) }
    }

    #[inline(always)]
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    /// When the oldest answer is over.
    #[inline(always)]
    pub fn first_end(&self) -> Option<SimTime> {
        (self.count > 0).then(|| self.ring[self.place(self.first)].expires)
    }

    /// Whether this is the key of the oldest answer.
    #[inline(always)]
    pub fn begins_with(&self, key: &Packed) -> bool {
        self.count > 0 && self.ring[self.place(self.first)].key == *key
    }

    /// Drops the oldest answer; there must be one.
    #[inline(always)]
    pub fn drop_first(&mut self) {
        self.first = self.first.wrapping_add(1);
        self.count -= 1;
    }

    /// Drops what is over.
    #[inline(always)]
    pub fn drop_what_is_over(&mut self, now: SimTime) {
        while self.first_end().is_some_and(|end| end <= now) {
            self.drop_first();
        }
    }

    /// The place of the answer to this.
    #[inline(always)]
    pub fn find(&self, key: &Packed, hash: u32) -> Option<usize> {
        let newest = self.newest[self.slot(hash)];
        if self.age(newest) < self.count { self.search(*key, newest) } else { None }
    }

    #[inline(never)]
    fn search(&self, key: Packed, mut number: u32) -> Option<usize> {
        loop {
            let place = self.place(number);
            let Kept { key: its, before, .. } = &self.ring[place];
            if *its == key {
                return Some(place);
            }
            // Whoever left came before all who are here, or so long ago that its number is another's by now.
            if self.age(*before) >= self.age(number) {
                return None;
            }
            number = *before;
        }
    }

    #[inline(always)]
    pub fn get(&self, place: usize) -> &Kept {
        &self.ring[place]
    }

    /// Keeps an answer, unless there are so many already. What is there is kept as long as it was. Whether it is kept.
    #[inline(always)]
    pub fn put(&mut self, now: SimTime, (key, hash): (Packed, u32), usage: Usage, most: usize) -> bool {
        if let Some(place) = self.find(&key, hash) {
            let kept = &mut self.ring[place];
            (kept.since, kept.usage) = (now, usage);
            return true;
        }
        if self.len() >= most {
            return false;
        }
        if self.len() == self.ring.len() {
            self.grow();
        }
        let number = self.first.wrapping_add(self.count);
        let (slot, place) = (self.slot(hash), self.place(number));
        let before = std::mem::replace(&mut self.newest[slot], number);
        self.ring[place] = Kept { key, since: now, expires: now + self.life, usage, before };
        self.count += 1;
        true
    }

    /// Twice as many places.
    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let mut ring: Box<[Kept]> = vec![Kept::NONE; 2 * self.ring.len()].into();
        self.newest = nobody(ring.len(), self.first);
        for number in (0..self.count).map(|age| self.first.wrapping_add(age)) {
            let mut kept = self.ring[self.place(number)];
            let slot = self.slot(kept.key.hash());
            kept.before = std::mem::replace(&mut self.newest[slot], number);
            ring[number as usize & (2 * self.ring.len() - 1)] = kept;
        }
        self.ring = ring;
    }

    /// How many came between the oldest and the one of this number: as many as there are, or more, if it has left.
    #[inline(always)]
    const fn age(&self, number: u32) -> u32 {
        number.wrapping_sub(self.first)
    }

    #[inline(always)]
    fn place(&self, number: u32) -> usize {
        number as usize & (self.ring.len() - 1)
    }

    #[inline(always)]
    fn slot(&self, hash: u32) -> usize {
        hash as usize & (self.newest.len() - 1)
    }
}

impl Kept {
    const NONE: Self =
        Self { key: Packed::NONE, since: SimTime::ZERO, expires: SimTime::ZERO, usage: Usage::plain(0, 0), before: 0 };
}

/// Hashes of so many places, of which nobody has one: the number before the first.
fn nobody(places: usize, first: u32) -> Box<[u32]> {
    vec![first.wrapping_sub(1); HASHES * places].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_fills_a_line_of_memory() {
        assert_eq!(size_of::<Kept>(), 64);
    }

    #[test]
    fn numbers_that_begin_again_lead_nowhere_else() {
        let mut shelf = Shelf::new(SimDuration::from_secs(60));
        shelf.first = u32::MAX - 20;
        shelf.newest = nobody(FEW, shelf.first);
        for prompt in 0..40 {
            if prompt >= 10 {
                shelf.drop_first();
            }
            shelf.put(SimTime(i64::from(prompt)), (Packed::of_prompt(prompt), 7), Usage::plain(prompt, 1), 100);
            let found = |prompt| shelf.find(&Packed::of_prompt(prompt), 7).map(|place| shelf.get(place).usage.input);
            for other in 0..=prompt {
                assert_eq!(found(other), (other + 10 > prompt).then_some(other), "{other} after {prompt}");
            }
        }
    }
}

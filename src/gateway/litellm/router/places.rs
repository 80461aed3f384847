//! Where things are that are found by a hash: an index of lines. A line holds a byte of the hash and the place of
//! up to eight; the bytes are compared all at once. So what is not there is known without a look at anything
//! else, in steps that can be foreseen (27 ns a request of `bench-full` less than chains of places, which took
//! three branches that could not be foreseen). What finds its line full stands in the next one that has room. The
//! slow twin is in the tests.

/// Places by hash. Each place stands here once at most.
#[derive(Debug)]
pub(super) struct Places {
    /// A power of two of them.
    lines: Box<[Line]>,
}

/// Up to eight places: one line of memory.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Line {
    /// A byte for each place, 0 where there is none.
    tags: u64,
    places: [u32; SLOTS],
    /// How many stand behind this line that belong into it or before it.
    passed: u32,
}

const SLOTS: usize = 8;
/// Lines are half full at most.
const FULL: usize = SLOTS / 2;
/// The lowest and the highest bit of each byte.
const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = LOW << 7;

impl Default for Places {
    fn default() -> Self {
        Self::of(0)
    }
}

impl Places {
    /// Room for so many.
    pub(super) fn of(count: usize) -> Self {
        Self { lines: vec![Line::default(); count.div_ceil(FULL).next_power_of_two()].into() }
    }

    /// Whether there is room for so many.
    #[inline]
    pub(super) const fn has_room(&self, count: usize) -> bool {
        count <= self.lines.len() * FULL
    }

    /// The line into which a hash belongs.
    #[inline]
    pub(super) const fn home(&self, hash: u32) -> usize {
        hash as usize & (self.lines.len() - 1)
    }

    /// A place of this hash, which belongs into `home`, that is the one looked for. Mostly there is nothing like it.
    #[inline]
    pub(super) fn find(&self, home: usize, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let Line { tags, passed, .. } = &self.lines[home];
        if same(*tags, tag(hash)) | u64::from(*passed) == 0 { None } else { self.search(home, tag(hash), is_it) }
    }

    #[inline(never)]
    fn search(&self, home: usize, tag: u8, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = home;
        loop {
            let Line { tags, places, passed } = &self.lines[at];
            let found = slots(same(*tags, tag)).map(|slot| places[slot]).find(|place| is_it(*place));
            at = self.behind(at);
            if found.is_some() || *passed == 0 || at == home {
                return found;
            }
        }
    }

    /// Adds a place; there must be room. Nearly always there is some in its own line.
    #[inline]
    pub(super) fn put(&mut self, home: usize, hash: u32, place: u32) {
        if !self.lines[home].put(hash, place) {
            self.put_behind(home, hash, place);
        }
    }

    #[inline(never)]
    fn put_behind(&mut self, home: usize, hash: u32, place: u32) {
        let mut at = home;
        while !self.lines[at].put(hash, place) {
            self.lines[at].passed += 1;
            at = self.behind(at);
        }
    }

    /// Takes a place out that stands here with this hash: nearly always as the first of its own line that is like it.
    #[inline]
    pub(super) fn take(&mut self, hash: u32, place: u32) {
        let home = self.home(hash);
        let Line { tags, places, .. } = &mut self.lines[home];
        let like_it = same(*tags, tag(hash));
        if like_it != 0 && places[slot(like_it)] == place {
            *tags &= !(0xFF << shift(like_it));
        } else {
            self.search_and_take(home, hash, place);
        }
    }

    #[inline(never)]
    fn search_and_take(&mut self, home: usize, hash: u32, place: u32) {
        let mut at = home;
        loop {
            let Line { tags, places, passed } = &mut self.lines[at];
            if let Some(slot) = slots(same(*tags, tag(hash))).find(|slot| places[*slot] == place) {
                *tags &= !(0xFF << (8 * slot));
                return;
            }
            *passed -= 1;
            at = self.behind(at);
        }
    }

    #[inline]
    const fn behind(&self, line: usize) -> usize {
        (line + 1) & (self.lines.len() - 1)
    }
}

impl Line {
    /// Adds a place, if there is room.
    #[inline(always)]
    fn put(&mut self, hash: u32, place: u32) -> bool {
        // Each byte that stands for a place has its highest bit set.
        let vacant = !self.tags & HIGH;
        if vacant == 0 {
            return false;
        }
        self.tags |= u64::from(tag(hash)) << shift(vacant);
        self.places[slot(vacant)] = place;
        true
    }
}

/// Seven bits of the hash that do not choose the line, and one that tells it from nothing.
#[inline]
const fn tag(hash: u32) -> u8 {
    (hash >> 25) as u8 | 0x80
}

/// The high bits of the bytes that are this tag; possibly those of some others too, but only above one that is.
#[inline]
const fn same(tags: u64, tag: u8) -> u64 {
    let differ = tags ^ (tag as u64 * LOW);
    // What is zero borrows; what is one, above it, as well.
    differ.wrapping_sub(LOW) & !differ & HIGH
}

/// The first slot of these bits, of which there are some.
#[inline]
const fn slot(bits: u64) -> usize {
    bits.trailing_zeros() as usize / 8 % SLOTS
}

/// How far the byte of that slot is from the lowest.
#[inline]
const fn shift(bits: u64) -> u32 {
    bits.trailing_zeros() / 8 * 8
}

/// The slots of these bits.
#[inline]
fn slots(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = bits.trailing_zeros() as usize / 8;
        bits &= bits.wrapping_sub(1);
        (slot < SLOTS).then_some(slot)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The slow twin is a list. There are few hashes, so that lines overflow, also around the end.
        #[test]
        fn finds_what_a_list_holds(
            room in 1usize..64,
            steps in prop::collection::vec((0u32..80, any::<bool>()), 0..500),
        ) {
            let (mut fast, mut slow) = (Places::of(room), Vec::new());
            let lines = fast.lines.len() as u32;
            let hash = |place: u32| (place % 3) << 25 | lines.wrapping_sub(place / 3 % 4);
            for (place, is_added) in steps {
                let there = slow.iter().position(|other| *other == place);
                prop_assert_eq!(fast.find(fast.home(hash(place)), hash(place), |other| other == place), there.map(|_| place));
                match there {
                    Some(at) => {
                        slow.swap_remove(at);
                        fast.take(hash(place), place);
                    }
                    None if is_added && slow.len() < fast.lines.len() * SLOTS => {
                        slow.push(place);
                        let home = fast.home(hash(place));
                        fast.put(home, hash(place), place);
                    }
                    None => {}
                }
                let is_there = |place: &u32| fast.find(fast.home(hash(*place)), hash(*place), |other| other == *place).is_some();
                prop_assert!(slow.iter().all(is_there));
            }
            slow.iter().for_each(|place| fast.take(hash(*place), *place));
            prop_assert!(fast.lines.iter().all(|line| line.tags == 0 && line.passed == 0));
        }
    }
}

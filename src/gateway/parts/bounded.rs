//! What a cache in memory still holds that has room for a limited number of entries: each write drops what is over,
//! and then, while the cache is full, what ends soonest. That may be the very entry that is written, which then begins
//! anew.
//!
//! Most writes find their entry and change nothing: a table says so in a few instructions (trees took 1,100 more a
//! request with eight deployments that have limits). The slow twin is in the tests below.

use crate::units::{SimDuration, SimTime};
use foldhash::fast::FixedState;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// The entries of such a cache. Their values are elsewhere.
#[derive(Debug, Clone)]
pub struct Bounded<K> {
    most: usize,
    ends: HashMap<K, SimTime, FixedState>,
    /// The same in order: by their ends, then as they were written.
    order: VecDeque<(SimTime, K)>,
}

impl<K: Copy + Eq + Hash> Bounded<K> {
    /// An empty cache for so many entries.
    pub fn new(most: usize) -> Self {
        let ends = HashMap::with_capacity_and_hasher(most, FixedState::default());
        Self { most, ends, order: VecDeque::with_capacity(most) }
    }

    /// Writes an entry. Its life runs from the write that makes it, and later ones do not prolong it. `forget` is told
    /// what is dropped before its end; of what ends at the same instant the first by `name` is.
    pub fn write(
        &mut self,
        now: SimTime,
        key: K,
        life: SimDuration,
        name: impl Fn(K) -> Box<str>,
        mut forget: impl FnMut(K),
    ) {
        while let Some((end, first)) = self.order.front().copied()
            && (end <= now || self.order.len() >= self.most)
        {
            let is_over = end <= now;
            let dropped = if is_over { first } else { self.first_by_name(&name) };
            self.remove(dropped);
            if !is_over {
                forget(dropped);
            }
        }
        if let Entry::Vacant(free) = self.ends.entry(key) {
            let end = *free.insert(now + life);
            let place = self.order.partition_point(|(other, _)| *other <= end);
            self.order.insert(place, (end, key));
        }
    }

    /// What is dropped of a cache that is full. Names are made only where more than one entry ends at that instant.
    fn first_by_name(&self, name: impl Fn(K) -> Box<str>) -> K {
        let (end, first) = self.order[0];
        let same = self.order.iter().take_while(|(other, _)| *other == end).map(|(_, key)| *key);
        let is_alone = self.order.get(1).is_none_or(|(other, _)| *other != end);
        if is_alone { first } else { same.min_by_key(|key| name(*key)).unwrap_or(first) }
    }

    /// Removes an entry, if it is there.
    pub fn remove(&mut self, key: K) {
        if let Some(end) = self.ends.remove(&key) {
            let first = self.order.partition_point(|(other, _)| *other < end);
            let place = self.order.iter().skip(first).position(|(_, other)| *other == key);
            place.map(|place| self.order.remove(first + place));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(cache: &mut Bounded<u32>, at: i64, key: u32, life: i64) -> Vec<u32> {
        let mut gone = Vec::new();
        cache.write(SimTime(at), key, SimDuration(life), |key| key.to_string().into(), |key| gone.push(key));
        gone
    }

    #[test]
    fn what_ends_soonest_goes_first_even_if_it_is_what_is_written() {
        let mut cache = Bounded::new(3);
        for (at, key, life) in [(0, 1, 60), (1, 2, 600), (2, 3, 60)] {
            assert!(write(&mut cache, at, key, life).is_empty());
        }
        assert_eq!(write(&mut cache, 3, 2, 600), [1], "a full cache makes room even for what it holds");
        assert_eq!(write(&mut cache, 4, 4, 600), [0; 0], "there was room");
        assert_eq!(write(&mut cache, 5, 3, 60), [3], "it begins anew");
        assert_eq!(write(&mut cache, 64, 5, 60), [3], "it ends at 65");
        cache.remove(4);
        assert_eq!(write(&mut cache, 70, 6, 60), [0; 0]);
    }

    #[test]
    fn what_is_over_is_not_forgotten_and_equals_go_by_name() {
        let mut cache = Bounded::new(2);
        write(&mut cache, 0, 10, 60);
        write(&mut cache, 0, 9, 60);
        assert_eq!(write(&mut cache, 0, 8, 60), [10]);
        assert_eq!(write(&mut cache, 60, 7, 60), [0; 0]);
    }

    proptest! {
        /// The slow twin is a list.
        #[test]
        fn holds_what_a_list_holds(
            most in 1usize..8,
            steps in prop::collection::vec((0i64..4, 0u32..12, 1i64..30, 0u32..10), 0..200),
        ) {
            let (mut fast, mut slow, mut now) = (Bounded::new(most), Vec::<(SimTime, String, u32)>::new(), 0);
            for (later, key, life, kind) in steps {
                now += later;
                if kind == 0 {
                    fast.remove(key);
                    slow.retain(|(.., other)| *other != key);
                    continue;
                }
                slow.retain(|(end, ..)| *end > SimTime(now));
                let mut gone = Vec::new();
                while slow.len() >= most {
                    slow.sort();
                    gone.push(slow.remove(0).2);
                }
                if slow.iter().all(|(.., other)| *other != key) {
                    slow.push((SimTime(now + life), key.to_string(), key));
                }
                prop_assert_eq!(write(&mut fast, now, key, life), gone);
                prop_assert_eq!(fast.ends.len(), slow.len());
            }
        }
    }
}

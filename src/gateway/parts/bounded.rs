//! What a cache in memory still holds that has room for a limited number of entries: each write drops what is over,
//! and then, while the cache is full, what ends soonest. That may be the very entry that is written, which then begins
//! anew.

use crate::units::{SimDuration, SimTime};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// The entries of such a cache. Their values are elsewhere.
#[derive(Debug, Clone)]
pub struct Bounded<K> {
    most: usize,
    ends: BTreeMap<K, (SimTime, Box<str>)>,
    /// The same in order; among those that end at the same instant by name.
    order: BTreeSet<(SimTime, Box<str>, K)>,
}

impl<K: Copy + Ord> Bounded<K> {
    /// An empty cache for so many entries.
    pub const fn new(most: usize) -> Self {
        Self { most, ends: BTreeMap::new(), order: BTreeSet::new() }
    }

    /// Writes an entry. Its life runs from the write that makes it, and later ones do not prolong it. `forget` is told
    /// what is dropped before its end.
    pub fn write(
        &mut self,
        now: SimTime,
        key: K,
        life: SimDuration,
        name: impl FnOnce() -> Box<str>,
        mut forget: impl FnMut(K),
    ) {
        while let Some((end, ..)) = self.order.first()
            && (*end <= now || self.ends.len() >= self.most)
        {
            let is_over = *end <= now;
            let Some((.., dropped)) = self.order.pop_first() else { break };
            self.ends.remove(&dropped);
            if !is_over {
                forget(dropped);
            }
        }
        if let Entry::Vacant(free) = self.ends.entry(key) {
            let (end, name) = (now + life, name());
            free.insert((end, name.clone()));
            self.order.insert((end, name, key));
        }
    }

    /// Removes an entry, if it is there.
    pub fn remove(&mut self, key: K) {
        if let Some((end, name)) = self.ends.remove(&key) {
            self.order.remove(&(end, name, key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(cache: &mut Bounded<u32>, at: i64, key: u32, life: i64) -> Vec<u32> {
        let mut gone = Vec::new();
        cache.write(SimTime(at), key, SimDuration(life), || key.to_string().into(), |key| gone.push(key));
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
}

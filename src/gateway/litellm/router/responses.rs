//! The answers that the response cache keeps. They stand in one row whose places are used again, found by a hash
//! through an index of places, and in order of their ends: keeping one, and dropping the one that ends soonest,
//! takes a few steps each, none of which looks at the row for more than one answer, and nothing is allocated. The
//! slow twin is in the tests.

use super::places::Places;
use crate::units::{NameId, PromptId, SimDuration, SimTime, Tokens, Usage};
use std::collections::VecDeque;

/// What tells answers apart: the group (not the deployment), the prompt, in what form it was asked
/// for, and the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub name: NameId,
    pub prompt: PromptId,
    pub form: Form,
    pub class: u32,
    pub max_tokens: Option<Tokens>,
}

/// In what form an answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// As a whole.
    Whole,
    /// As a stream.
    Stream,
    /// As a stream that tells its usage.
    StreamWithUsage,
    /// As a stream that shall not tell it.
    StreamWithoutUsage,
}

/// An answer that is kept: one line of memory, for nearly each that is touched has to be fetched from far away.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Kept {
    key: Packed,
    since: SimTime,
    expires: SimTime,
    usage: Usage,
}

/// A key in 20 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Packed {
    prompt: [u32; 2],
    /// The name, and the form.
    name: u32,
    /// The class, and whether there is a `max_tokens`.
    class: u32,
    max_tokens: Tokens,
}

impl Packed {
    #[inline]
    fn new(key: &Key) -> Self {
        Self {
            prompt: [key.prompt.0 as u32, (key.prompt.0 >> 32) as u32],
            name: key.name.0 << 2 | key.form as u32,
            class: key.class << 1 | u32::from(key.max_tokens.is_some()),
            max_tokens: key.max_tokens.unwrap_or(0),
        }
    }

    /// Products that do not wait for each other; their upper halves depend on all bits below.
    #[inline]
    const fn hash(&self) -> u32 {
        let prompt = (self.prompt[1] as u64) << 32 | self.prompt[0] as u64;
        let place = (self.name as u64) << 32 | self.class as u64;
        let most = self.max_tokens as u64;
        let spread = prompt.wrapping_mul(SPREAD[0]) ^ place.wrapping_mul(SPREAD[1]) ^ most.wrapping_mul(SPREAD[2]);
        (spread >> 32) as u32
    }

    fn key(&self) -> Key {
        Key {
            name: NameId(self.name >> 2),
            prompt: PromptId(u64::from(self.prompt[1]) << 32 | u64::from(self.prompt[0])),
            form: [Form::Whole, Form::Stream, Form::StreamWithUsage, Form::StreamWithoutUsage]
                [(self.name & 3) as usize],
            class: self.class >> 1,
            max_tokens: (self.class & 1 == 1).then_some(self.max_tokens),
        }
    }
}

/// Odd multipliers (golden ratio and two of the constants of random numbers).
const SPREAD: [u64; 3] = [0x9E37_79B9_7F4A_7C15, 0xD1B5_4A32_D192_ED03, 0xBF58_476D_1CE4_E5B9];

/// So many bits of a prompt say which class it is of, and whether another request brought it along; within those,
/// prompts are numbered as they come. Whatever stands there, it divides them.
const FIRST_BITS: u32 = 9;

#[inline(always)]
const fn first_bits(prompt: PromptId) -> usize {
    (prompt.0 >> (u64::BITS - FIRST_BITS)) as usize
}

/// When an answer is over, and where it is: dropping it needs no look at it.
#[derive(Debug, Clone, Copy)]
struct Ending {
    at: SimTime,
    place: u32,
    hash: u32,
}

/// Answers that are kept.
#[derive(Debug)]
pub(in crate::gateway::litellm) struct Responses {
    /// More are not kept.
    most: usize,
    row: Vec<Kept>,
    /// Places of the row that are free.
    free: Vec<u32>,
    /// Places of the row by hash of the key.
    places: Places,
    /// The greatest prompt that was ever kept, of those that begin with the same bits.
    greatest: Box<[u64; 1 << FIRST_BITS]>,
    /// The ends of what is kept, soonest first. Nearly all are kept equally long, so that a new one belongs at the end.
    ends: VecDeque<Ending>,
}

impl Default for Responses {
    fn default() -> Self {
        Self::of_at_most(MOST_ANSWERS)
    }
}

impl Responses {
    fn of_at_most(most: usize) -> Self {
        let (row, free, ends) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { most, row, free, places: Places::default(), greatest: Box::new([0; 1 << FIRST_BITS]), ends }
    }

    /// Whether nothing like this prompt has been kept so far. Where prompts are numbered as they come, that is said of
    /// nearly all that are new, and of no other: they need not be looked up (70 instructions less).
    #[inline(always)]
    pub(super) fn is_new(&self, prompt: PromptId) -> bool {
        prompt.0 > self.greatest[first_bits(prompt)]
    }

    /// The answer to this, if it is not over, and not older than that.
    #[inline]
    pub(super) fn get(&self, now: SimTime, key: &Key, max_age: Option<SimDuration>) -> Option<Usage> {
        let key = Packed::new(key);
        let hash = key.hash();
        let place = self.place(&key, hash, self.places.home(hash))?;
        let kept = self.row.get(place as usize).filter(|kept| now <= kept.expires)?;
        let is_fresh = max_age.is_none_or(|most| now - kept.since <= most);
        is_fresh.then_some(kept.usage)
    }

    /// Keeps an answer. One that is still there keeps its end. Says whether there is room for
    /// it; too many are not kept.
    #[inline(always)]
    pub(super) fn put(
        &mut self,
        now: SimTime,
        key: Key,
        usage: Usage,
        life: SimDuration,
        capacity: Option<usize>,
    ) -> bool {
        self.make_room(now, capacity);
        let greatest = &mut self.greatest[first_bits(key.prompt)];
        *greatest = key.prompt.0.max(*greatest);
        let key = Packed::new(&key);
        let hash = key.hash();
        let has_room = self.places.has_room(self.ends.len() + 1) || self.grow();
        let home = self.places.home(hash);
        if let Some(place) = self.place(&key, hash, home) {
            let kept = &mut self.row[place as usize];
            (kept.since, kept.usage) = (now, usage);
            return true;
        }
        if !has_room {
            return false;
        }
        let expires = now + life;
        let place = self.settle(Kept { key, since: now, expires, usage });
        self.places.put(home, hash, place);
        self.will_end(expires, place, hash);
        true
    }

    /// Writes an answer into a free place.
    #[inline]
    fn settle(&mut self, kept: Kept) -> u32 {
        if let Some(place) = self.free.pop() {
            self.row[place as usize] = kept;
            return place;
        }
        self.row.push(kept);
        (self.row.len() - 1) as u32
    }

    /// The place of an answer.
    #[inline]
    fn place(&self, key: &Packed, hash: u32, home: usize) -> Option<u32> {
        // A copy, so that the key need not stand in memory unless it comes to a search.
        let key = *key;
        self.places.find(home, hash, move |place| self.row[place as usize].key == key)
    }

    /// A larger index, unless there are as many answers as are kept at most.
    #[cold]
    fn grow(&mut self) -> bool {
        if self.ends.len() >= self.most {
            return false;
        }
        self.places = Places::of(2 * self.ends.len().max(FEW));
        for Ending { hash, place, .. } in &self.ends {
            self.places.put(self.places.home(*hash), *hash, *place);
        }
        true
    }

    /// Puts an end in its place: what ends at the same moment stands in order of its key.
    #[inline]
    fn will_end(&mut self, at: SimTime, place: u32, hash: u32) {
        if self.ends.back().is_none_or(|last| last.at < at) {
            self.ends.push_back(Ending { at, place, hash });
        } else {
            self.will_end_among(at, place, hash);
        }
    }

    #[inline(never)]
    fn will_end_among(&mut self, at: SimTime, place: u32, hash: u32) {
        let ending = Ending { at, place, hash };
        let order = |ending: &Ending| (ending.at, self.row[ending.place as usize].key.key());
        let own = order(&ending);
        let at = self.ends.partition_point(|other| order(other) < own);
        self.ends.insert(at, ending);
    }

    /// Drops what is over, then what ends soonest while the cache is full
    /// (`InMemoryCache.evict_cache`; from source only).
    #[inline]
    fn make_room(&mut self, now: SimTime, capacity: Option<usize>) {
        if self.ends.front().is_some_and(|first| first.at <= now) {
            self.drop_what_is_over(now);
        }
        while self.ends.len() >= capacity.unwrap_or(usize::MAX) && self.drop_first() {}
    }

    #[inline(never)]
    fn drop_what_is_over(&mut self, now: SimTime) {
        while self.ends.front().is_some_and(|first| first.at <= now) {
            self.drop_first();
        }
    }

    /// Drops what ends soonest, if there is anything.
    #[inline(always)]
    fn drop_first(&mut self) -> bool {
        let Some(Ending { place, hash, .. }) = self.ends.pop_front() else { return false };
        self.places.take(hash, place);
        self.free.push(place);
        true
    }
}

/// Answers that a run keeps: they come to about a gigabyte and a half. The index has room for just as many.
pub const MOST_ANSWERS: usize = 1 << 24;

/// Room in the index at the beginning.
const FEW: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const LIFE: SimDuration = SimDuration::from_secs(60);

    fn key(prompt: u64) -> Key {
        Key { name: NameId(0), prompt: PromptId(prompt), form: Form::Whole, class: 0, max_tokens: None }
    }

    fn secs(secs: i64) -> SimTime {
        SimTime(secs * 1_000_000_000)
    }

    fn hit(responses: &Responses, at: i64, prompt: u64) -> bool {
        responses.get(secs(at), &key(prompt), None).is_some()
    }

    #[test]
    fn keys_are_packed_without_loss_and_answers_fill_a_line() {
        assert_eq!(size_of::<Kept>(), 64);
        let (whole, stream, with_usage) = (Form::Whole, Form::Stream, Form::StreamWithUsage);
        for (form, max_tokens) in [(whole, None), (stream, Some(0)), (whole, Some(7)), (with_usage, Some(u32::MAX))] {
            let (name, class) = (NameId(u32::MAX >> 2), u32::MAX >> 1);
            let key = Key { name, prompt: PromptId(0xFEDC_BA98_7654_3210), form, class, max_tokens };
            assert_eq!(Packed::new(&key).key(), key);
        }
    }

    #[test]
    fn a_full_cache_drops_what_ends_soonest() {
        let mut responses = Responses::default();
        for prompt in 0..4 {
            responses.put(SimTime(prompt as i64), key(prompt), Usage::plain(1, 1), LIFE, Some(3));
        }
        assert_eq!([0, 1, 2, 3].map(|prompt| hit(&responses, 1, prompt)), [false, true, true, true]);
    }

    #[test]
    fn for_more_than_the_most_there_is_no_room() {
        let mut responses = Responses::of_at_most(2 * FEW);
        let mut put = |at, prompt| responses.put(secs(at), key(prompt), Usage::plain(1, 1), LIFE, None);
        assert!((0..2 * FEW as u64).all(|prompt| put(0, prompt)));
        assert!(!put(1, 1_000) && put(1, 5), "what is there already is still kept");
        assert!(put(61, 1_000), "what is over makes room");
    }

    #[test]
    fn answers_that_are_kept_for_different_times_end_in_order() {
        let mut responses = Responses::default();
        for (prompt, secs) in [(0, 50), (1, 10), (3, 10), (2, 30), (4, 60), (5, 20)] {
            let life = SimDuration::from_secs(secs);
            responses.put(SimTime::ZERO, key(prompt), Usage::plain(1, 1), life, None);
        }
        let of = |place: u32| responses.row[place as usize].key.key().prompt.0;
        let ends: Vec<(i64, u64)> =
            responses.ends.iter().map(|ending| (ending.at.whole_secs(), of(ending.place))).collect();
        assert_eq!(ends, [(10, 1), (10, 3), (20, 5), (30, 2), (50, 0), (60, 4)]);
    }

    #[test]
    fn an_unbounded_cache_forgets_only_what_is_over() {
        let mut responses = Responses::default();
        for prompt in 0..1000 {
            responses.put(secs(prompt as i64), key(prompt), Usage::plain(1, 1), LIFE, None);
        }
        assert!(hit(&responses, 999, 940) && !hit(&responses, 999, 930));
        assert!(responses.row.len() <= 61, "what is over takes no memory");
    }

    /// The slow twin: a map of all answers, searched from end to end.
    #[derive(Default)]
    struct Slow(BTreeMap<Key, (SimTime, SimTime, Usage)>);

    impl Slow {
        fn put(&mut self, now: SimTime, key: Key, usage: Usage, life: SimDuration, capacity: Option<usize>) {
            while let Some((end, first)) = self.0.iter().map(|(key, kept)| (kept.1, *key)).min() {
                if end > now && capacity.is_none_or(|most| self.0.len() < most) {
                    break;
                }
                self.0.remove(&first);
            }
            let end = self.0.get(&key).map_or(now + life, |kept| kept.1);
            self.0.insert(key, (now, end, usage));
        }

        fn get(&self, now: SimTime, key: &Key, max_age: Option<SimDuration>) -> Option<Usage> {
            let (since, end, usage) = self.0.get(key)?;
            (now <= *end && max_age.is_none_or(|most| now - *since <= most)).then_some(*usage)
        }
    }

    proptest! {
        #[test]
        fn keeps_what_a_map_keeps(
            steps in prop::collection::vec((0i64..3, 0u64..40, 1i64..50, any::<bool>()), 0..600),
            capacity in prop::option::of(1usize..150),
            max_age in prop::option::of(0i64..40),
        ) {
            let (mut fast, mut slow) = (Responses::default(), Slow::default());
            let mut now = 0;
            for (at, (later, prompt, life, stream)) in steps.into_iter().enumerate() {
                now += later;
                let form = if stream { Form::Stream } else { Form::Whole };
                let key = Key { form, ..key(prompt) };
                let (usage, life) = (Usage::plain(at as u32, 1), SimDuration::from_secs(life));
                let age = max_age.map(SimDuration::from_secs);
                prop_assert_eq!(fast.get(secs(now), &key, age), slow.get(secs(now), &key, age));
                prop_assert!(!fast.is_new(key.prompt) || slow.get(secs(now), &key, None).is_none());
                fast.put(secs(now), key, usage, life, capacity);
                slow.put(secs(now), key, usage, life, capacity);
                prop_assert_eq!(fast.ends.len(), slow.0.len());
            }
        }
    }
}

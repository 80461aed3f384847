//! The answers that the response cache keeps, on a shelf for each time for which some are kept: mostly there is one.
//! Keeping one, and dropping the one that ends soonest, takes a few steps each, and nothing is allocated. The slow
//! twin is in the tests.

use super::shelf::Shelf;
use crate::gateway::litellm::plan::CachePlan;
use crate::units::{NameId, PromptId, SimDuration, SimTime, Tokens, Usage};
use std::cmp::Reverse;

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

/// A key in 20 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed {
    prompt: [u32; 2],
    /// The name, and the form.
    name: u32,
    /// The class, and whether there is a `max_tokens`.
    class: u32,
    max_tokens: Tokens,
}

impl Packed {
    pub const NONE: Self = Self { prompt: [0; 2], name: 0, class: 0, max_tokens: 0 };

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
    pub const fn hash(&self) -> u32 {
        let prompt = (self.prompt[1] as u64) << 32 | self.prompt[0] as u64;
        let place = (self.name as u64) << 32 | self.class as u64;
        let most = self.max_tokens as u64;
        let spread = prompt.wrapping_mul(SPREAD[0]) ^ place.wrapping_mul(SPREAD[1]) ^ most.wrapping_mul(SPREAD[2]);
        (spread >> 32) as u32
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

/// Answers that are kept.
#[derive(Debug)]
pub(in crate::gateway::litellm) struct Responses {
    /// The cache is full with so many: what ends soonest makes room.
    capacity: usize,
    /// More than so many are not kept.
    most: usize,
    /// Those that are kept as long as most are: what is done with them alone stands in straight lines.
    shelf: Shelf,
    /// Those that are kept for other times.
    others: Vec<Shelf>,
    /// The greatest prompt that was ever kept, of those that begin with the same bits.
    greatest: Box<[u64; 1 << FIRST_BITS]>,
}

impl Responses {
    /// Nothing is kept so far.
    pub(in crate::gateway::litellm) fn new(plan: Option<&CachePlan>) -> Self {
        Self::kept_for(plan.map_or(SimDuration::ZERO, |plan| plan.ttl), plan.and_then(|plan| plan.capacity))
    }

    /// Most answers will be kept for so long.
    fn kept_for(life: SimDuration, capacity: Option<usize>) -> Self {
        let (capacity, greatest) = (capacity.unwrap_or(usize::MAX).max(1), Box::new([0; 1 << FIRST_BITS]));
        Self { capacity, most: MOST_ANSWERS, shelf: Shelf::new(life), others: Vec::new(), greatest }
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
        let kept = self.shelves().find_map(|shelf| Some(shelf.get(shelf.find(&key, hash)?)))?;
        let is_fresh = now <= kept.expires && max_age.is_none_or(|most| now - kept.since <= most);
        is_fresh.then_some(kept.usage)
    }

    fn shelves(&self) -> impl Iterator<Item = &Shelf> {
        std::iter::once(&self.shelf).chain(&self.others)
    }

    fn count(&self) -> usize {
        self.shelf.len() + self.others.iter().map(Shelf::len).sum::<usize>()
    }

    /// Keeps an answer. One that is still there keeps its end. Says whether there is room for
    /// it; too many are not kept. What is over is dropped before, and what ends soonest while the cache is full
    /// (`InMemoryCache.evict_cache`). Of what ends at the same moment, which LiteLLM drops in order of hashes, the
    /// oldest goes. A stream is written twice, and a full cache makes room each time [T 313].
    #[inline(always)]
    pub(super) fn put(&mut self, now: SimTime, key: Key, usage: Usage, life: SimDuration) -> bool {
        let greatest = &mut self.greatest[first_bits(key.prompt)];
        *greatest = key.prompt.0.max(*greatest);
        let is_stream = key.form != Form::Whole;
        let key = Packed::new(&key);
        let key = (key, key.hash());
        if !self.others.is_empty() || life != self.shelf.life {
            let is_kept = self.put_on_shelves(now, key, usage, life);
            return if is_stream { self.put_on_shelves(now, key, usage, life) } else { is_kept };
        }
        let shelf = &mut self.shelf;
        shelf.drop_what_is_over(now);
        if shelf.len() >= self.capacity {
            shelf.drop_first();
        }
        let is_kept = shelf.put(now, key, usage, self.most);
        if is_stream && shelf.len() >= self.capacity {
            // It may be what ends soonest itself.
            let is_first = shelf.begins_with(&key.0);
            shelf.drop_first();
            return if is_first { shelf.put(now, key, usage, self.most) } else { is_kept };
        }
        is_kept
    }

    #[cold]
    #[inline(never)]
    fn put_on_shelves(&mut self, now: SimTime, key: (Packed, u32), usage: Usage, life: SimDuration) -> bool {
        self.shelf.drop_what_is_over(now);
        self.others.iter_mut().for_each(|shelf| shelf.drop_what_is_over(now));
        if self.count() >= self.capacity {
            self.drop_soonest();
        }
        let room = self.most.saturating_sub(self.count());
        let shelf = self.shelf_for(key, life);
        shelf.put(now, key, usage, shelf.len() + room)
    }

    /// Where an answer to this is kept, or shall be.
    fn shelf_for(&mut self, (key, hash): (Packed, u32), life: SimDuration) -> &mut Shelf {
        let there = self.shelves().position(|shelf| shelf.find(&key, hash).is_some());
        let at = there.or_else(|| self.shelves().position(|shelf| shelf.life == life));
        match at {
            Some(0) => &mut self.shelf,
            Some(other) => &mut self.others[other - 1],
            None => {
                self.others.retain(|shelf| shelf.len() > 0);
                self.others.push_mut(Shelf::new(life))
            }
        }
    }

    /// Drops what ends soonest; there must be something.
    fn drop_soonest(&mut self) {
        let shelves = std::iter::once(&mut self.shelf).chain(&mut self.others);
        let soonest = shelves.filter_map(|shelf| Some(((shelf.first_end()?, Reverse(shelf.life)), shelf)));
        if let Some((_, shelf)) = soonest.min_by_key(|(end, _)| *end) {
            shelf.drop_first();
        }
    }
}

/// Answers that a run keeps: with the index they come to a little more than a gigabyte.
pub const MOST_ANSWERS: usize = 1 << 24;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    impl Packed {
        pub const fn of_prompt(prompt: u32) -> Self {
            Self { prompt: [prompt, 0], ..Self::NONE }
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

    #[test]
    fn keys_are_packed_without_loss() {
        let (whole, stream, with_usage) = (Form::Whole, Form::Stream, Form::StreamWithUsage);
        for (form, max_tokens) in [(whole, None), (stream, Some(0)), (whole, Some(7)), (with_usage, Some(u32::MAX))] {
            let (name, class) = (NameId(u32::MAX >> 2), u32::MAX >> 1);
            let key = Key { name, prompt: PromptId(0xFEDC_BA98_7654_3210), form, class, max_tokens };
            assert_eq!(Packed::new(&key).key(), key);
        }
    }

    #[test]
    fn a_full_cache_drops_what_ends_soonest() {
        let mut responses = Responses::kept_for(LIFE, Some(3));
        for prompt in 0..4 {
            responses.put(SimTime(prompt as i64), key(prompt), Usage::plain(1, 1), LIFE);
        }
        assert_eq!([0, 1, 2, 3].map(|prompt| hit(&responses, 1, prompt)), [false, true, true, true]);
    }

    #[test]
    fn for_more_than_the_most_there_is_no_room() {
        const MOST: u64 = 40;
        let mut responses = Responses { most: MOST as usize, ..Responses::kept_for(LIFE, None) };
        let mut put = |at, prompt| responses.put(secs(at), key(prompt), Usage::plain(1, 1), LIFE);
        assert!((0..MOST).all(|prompt| put(0, prompt)));
        assert!(!put(1, 1_000) && put(1, 5), "what is there already is still kept");
        assert!(put(61, 1_000), "what is over makes room");
    }

    #[test]
    fn answers_that_are_kept_for_different_times_end_in_order() {
        let mut responses = Responses::kept_for(LIFE, None);
        for (prompt, secs) in [(0, 50), (1, 10), (3, 10), (2, 30), (4, 60), (5, 20)] {
            let life = SimDuration::from_secs(secs);
            responses.put(SimTime::ZERO, key(prompt), Usage::plain(1, 1), life);
        }
        let mut dropped = Vec::new();
        while responses.count() > 0 {
            let there = [0, 1, 2, 3, 4, 5].map(|prompt| hit(&responses, 0, prompt));
            responses.drop_soonest();
            dropped.extend((0..6).filter(|prompt| there[*prompt as usize] && !hit(&responses, 0, *prompt)));
        }
        assert_eq!(dropped, [1, 3, 5, 2, 0, 4]);
    }

    #[test]
    fn an_unbounded_cache_forgets_only_what_is_over() {
        let mut responses = Responses::kept_for(LIFE, None);
        for prompt in 0..1000 {
            responses.put(secs(prompt as i64), key(prompt), Usage::plain(1, 1), LIFE);
        }
        assert!(hit(&responses, 999, 940) && !hit(&responses, 999, 930));
        assert!(responses.count() <= 61, "what is over takes no memory");
    }

    /// The slow twin: a list in order of coming, searched from end to end.
    #[derive(Default)]
    struct Slow(Vec<Answer>);

    #[derive(Clone, Copy)]
    struct Answer {
        key: Key,
        since: SimTime,
        end: SimTime,
        usage: Usage,
    }

    impl Slow {
        fn put(&mut self, now: SimTime, key: Key, usage: Usage, life: SimDuration, capacity: Option<usize>) {
            self.0.retain(|kept| kept.end > now);
            while capacity.is_some_and(|most| self.0.len() >= most.max(1)) {
                let (first, _) = self.0.iter().enumerate().min_by_key(|(_, kept)| kept.end).expect("not empty");
                self.0.remove(first);
            }
            match self.0.iter_mut().find(|kept| kept.key == key) {
                Some(kept) => (kept.since, kept.usage) = (now, usage),
                None => self.0.push(Answer { key, since: now, end: now + life, usage }),
            }
        }

        fn get(&self, now: SimTime, key: &Key, max_age: Option<SimDuration>) -> Option<Usage> {
            let Answer { since, end, usage, .. } = *self.0.iter().find(|kept| kept.key == *key)?;
            (now <= end && max_age.is_none_or(|most| now - since <= most)).then_some(usage)
        }
    }

    proptest! {
        #[test]
        fn keeps_what_a_map_keeps(
            steps in prop::collection::vec((0i64..3, 0u64..40, prop_oneof![Just(20), 1i64..50], any::<bool>()), 0..600),
            capacity in prop::option::of(1usize..150),
            max_age in prop::option::of(0i64..40),
        ) {
            let (mut fast, mut slow) = (Responses::kept_for(LIFE, capacity), Slow::default());
            let mut now = 0;
            for (at, (later, prompt, life, stream)) in steps.into_iter().enumerate() {
                now += later;
                let form = if stream { Form::Stream } else { Form::Whole };
                let key = Key { form, ..key(prompt) };
                let (usage, life) = (Usage::plain(at as u32, 1), SimDuration::from_secs(life));
                let age = max_age.map(SimDuration::from_secs);
                prop_assert_eq!(fast.get(secs(now), &key, age), slow.get(secs(now), &key, age));
                prop_assert!(!fast.is_new(key.prompt) || slow.get(secs(now), &key, None).is_none());
                fast.put(secs(now), key, usage, life);
                slow.put(secs(now), key, usage, life, capacity);
                if stream {
                    slow.put(secs(now), key, usage, life, capacity);
                }
                prop_assert_eq!(fast.count(), slow.0.len());
            }
        }
    }
}

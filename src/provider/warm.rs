//! What a deployment's provider remembers of prompts: beginnings that a class shares, and what
//! was said in conversations.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::provider::attempt::Attempt;
use crate::provider::deployment::{CacheWrites, PromptCache};
use crate::random::{Mixer, Purpose};
use crate::traffic::{Fate, session_of};
use crate::units::{SimTime, Tokens, Usage};

/// The prompt cache behind one deployment.
#[derive(Debug, Clone, Default)]
pub(super) struct Warm {
    /// Last use of each class's shared prefix.
    classes: Vec<SimTime>,
    /// Last turn of each conversation, by class and number: when it was, and how long its prompt.
    sessions: HashMap<(u32, u64), (SimTime, Tokens), BuildHasherDefault<Mixer>>,
    /// Conversations at which the cold ones are forgotten.
    most: usize,
}

const LONG_AGO: SimTime = SimTime(i64::MIN);
/// Fewer conversations than this are not worth forgetting.
const FEW: usize = 1_024;

impl Warm {
    /// How much of the input the cache provides, and how much is written to it.
    #[inline(always)]
    pub(super) fn read(&mut self, now: SimTime, at: Attempt<'_>, cache: &PromptCache, fate: &Fate) -> (Tokens, Tokens) {
        if fate.session {
            return self.read_session(now, at, cache, fate);
        }
        if fate.prefix < cache.least_tokens || fate.prefix == 0 {
            return (0, 0);
        }
        let is_found = self.knows_class(now, at, cache) && at.unit(Purpose::PromptCache, 0).as_f64() < cache.hit_share;
        if is_found { (fate.prefix, 0) } else { (0, fate.prefix) }
    }

    /// A turn of a conversation finds what its last turn left at this very deployment, if that was not too long ago.
    /// Where nothing was said before, it finds what the class shares. All of its prompt is written for the next turn.
    #[cold]
    fn read_session(&mut self, now: SimTime, at: Attempt<'_>, cache: &PromptCache, fate: &Fate) -> (Tokens, Tokens) {
        let (session, turn) = session_of(at.call.request);
        let key = (at.call.class.0, session);
        let own = self.sessions.insert(key, (now, fate.input));
        self.forget(now, cache);
        let known = match own {
            Some((last, tokens)) if (now - last) <= cache.ttl => tokens.min(fate.prefix),
            None if turn == 0 && self.knows_class(now, at, cache) => fate.prefix,
            Some(_) | None => 0,
        };
        let is_found = known >= cache.least_tokens && at.unit(Purpose::PromptCache, 0).as_f64() < cache.hit_share;
        let cached = if is_found { known } else { 0 };
        (cached, if fate.input >= cache.least_tokens { fate.input - cached } else { 0 })
    }

    /// Whether the class has used its prefix here a short while ago; it uses it now.
    #[inline]
    fn knows_class(&mut self, now: SimTime, at: Attempt<'_>, cache: &PromptCache) -> bool {
        let class = at.call.class.index();
        if class >= self.classes.len() {
            self.learn_of(class);
        }
        let last = std::mem::replace(&mut self.classes[class], now);
        last != LONG_AGO && (now - last) <= cache.ttl
    }

    #[cold]
    fn learn_of(&mut self, class: usize) {
        self.classes.resize(class + 1, LONG_AGO);
    }

    /// Forgets conversations that are cold, now and then.
    fn forget(&mut self, now: SimTime, cache: &PromptCache) {
        if self.sessions.len() >= self.most.max(FEW) {
            self.sessions.retain(|_, (last, _)| (now - *last) <= cache.ttl);
            self.most = self.sessions.len() * 2;
        }
    }
}

/// Divides the input into what the cache provides, what is written to it, and the rest.
#[inline(always)]
pub(super) fn divide(usage: &mut Usage, cache: &PromptCache, (cached, written): (Tokens, Tokens)) {
    usage.cached = cached;
    match cache.writes {
        CacheWrites::Free => {}
        CacheWrites::FiveMinutes => usage.cache_write = written,
        CacheWrites::OneHour => usage.cache_write_1h = written,
    }
}

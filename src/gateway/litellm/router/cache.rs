//! The response cache (`caching/caching_handler.py`, `caching/caching.py`) [T 107, 130–132].
//!
//! It is asked inside the attempt: a deployment has been picked by then and holds its slot, so that a group that rests
//! answers nothing even to a prompt that is in the cache.

use super::logging::Success;
use super::{Cx, LiteLlm, Next};
use crate::gateway::litellm::call::{CallState, Flight};
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::plan::{Body, CachePlan};
use crate::gateway::{Ended, Notes, RequestView, Response, Source, Step};
use crate::random::{Draws, Mixer};
use crate::units::{DeploymentId, NameId, PromptId, SimDuration, SimTime, Tokens, Usage};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// What tells answers apart: the group (not the deployment), the prompt, whether it is a stream, and the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    name: NameId,
    prompt: PromptId,
    stream: bool,
    class: u32,
    max_tokens: Option<Tokens>,
}

impl Hash for Key {
    /// Three words instead of six fields.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.prompt.0);
        state.write_u64(u64::from(self.name.0) << 32 | u64::from(self.class));
        state.write_u64(self.max_tokens.map_or(0, |most| u64::from(most) << 2 | 2) | u64::from(self.stream));
    }
}

/// An answer that is kept.
#[derive(Debug, Clone, Copy)]
struct Kept {
    since: SimTime,
    expires: SimTime,
    usage: Usage,
}

/// Answers that are kept.
#[derive(Debug, Default)]
pub(in crate::gateway::litellm) struct Responses {
    kept: HashMap<Key, Kept, BuildHasherDefault<Mixer>>,
    /// Ends of what is kept, soonest first. Nearly all are kept equally long, so that a new one belongs at the end.
    ends: VecDeque<(SimTime, Key)>,
}

impl Responses {
    fn get(&self, now: SimTime, key: &Key, max_age: Option<SimDuration>) -> Option<Usage> {
        let kept = self.kept.get(key).filter(|kept| now <= kept.expires)?;
        let is_fresh = max_age.is_none_or(|most| now - kept.since <= most);
        is_fresh.then_some(kept.usage)
    }

    /// Keeps an answer. One that is still there keeps its end.
    fn put(&mut self, now: SimTime, key: Key, usage: Usage, life: SimDuration, capacity: Option<usize>) {
        self.make_room(now, capacity);
        match self.kept.entry(key) {
            Entry::Occupied(mut kept) => {
                let expires = kept.get().expires;
                kept.insert(Kept { since: now, expires, usage });
            }
            Entry::Vacant(free) => {
                let expires = now + life;
                free.insert(Kept { since: now, expires, usage });
                self.will_end((expires, key));
            }
        }
    }

    /// Puts an end in its place. (A heap takes 250 instructions a request more.)
    fn will_end(&mut self, end: (SimTime, Key)) {
        let place = match self.ends.back() {
            Some(last) if end < *last => self.ends.partition_point(|other| *other < end),
            _ => self.ends.len(),
        };
        self.ends.insert(place, end);
    }

    /// Drops what is over, then what ends soonest while the cache is full (`InMemoryCache.evict_cache`; from source only).
    fn make_room(&mut self, now: SimTime, capacity: Option<usize>) {
        while let Some((end, key)) = self.ends.front().copied() {
            let is_full = capacity.is_some_and(|most| self.kept.len() >= most);
            if end > now && !is_full {
                break;
            }
            self.ends.pop_front();
            self.kept.remove(&key);
        }
    }
}

/// Whether this request takes part (`should_use_cache`).
const fn takes_part(plan: &CachePlan, body: &Body) -> bool {
    !plan.opt_in || body.cache.opt_in
}

impl LiteLlm {
    fn cache_key(&self, request: &RequestView, call: &CallState, name: NameId, deployment: DeploymentId) -> Key {
        let own = request.max_tokens.or(call.output_cap);
        Key {
            name,
            prompt: request.prompt,
            stream: request.stream,
            class: self.body(request).cache_class,
            max_tokens: own.or(self.plan.deployment(deployment).max_tokens),
        }
    }

    /// An answer from the cache, if there is one. It counts as a success of the deployment and costs nothing.
    pub(super) fn ask_cache<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: &Flight,
    ) -> Option<Next> {
        let plan = self.plan.proxy.cache?;
        let body = self.body(cx.request);
        if body.cache.no_read || !takes_part(&plan, body) {
            return None;
        }
        let key = self.cache_key(cx.request, call, flight.name, flight.deployment);
        let usage = self.state.responses.get(cx.now, &key, body.cache.max_age)?;
        cx.notes.decided(cx.now, cx.id, || "answered from the cache".to_owned());
        call.log.about = Some((flight.deployment, flight.name));
        self.give_slot_back(cx, flight);
        self.log_deferred(cx, call);
        let since = self.counted_since(call, flight, cx.request.stream);
        let success = Success { flight: *flight, since, usage, first_token: None, from_cache: true };
        self.log_success(cx.now, cx.request.stream, success);
        self.release_after_success(cx, call, (flight.name, usage, 0.0));
        let served_by = Some(flight.deployment);
        Some(Next::Do(Step::Respond(Response::new(200, true, served_by, Source::Cache))))
    }

    /// `litellm_params.cache: true` fails inside the SDK while responses are cached: its lookup takes the flag for a map
    /// [T 107]. The failure has no status, and the logging object does not know the deployment yet.
    pub(super) fn break_on_cache<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: &Flight,
    ) -> Option<Next> {
        let entry = self.plan.deployment(flight.deployment);
        if !entry.breaks_on_cache {
            return None;
        }
        let (deployment, num_retries) = (Some(flight.deployment), entry.num_retries);
        let failure = Failure { deployment, num_retries, ..Failure::without_status(Class::Refused, 400) };
        self.log_failure(cx, call, &failure);
        self.give_slot_back(cx, flight);
        Some(Next::Failed(failure))
    }

    /// Keeps an answer.
    pub(super) fn keep_response<D: Draws, N: Notes>(
        &mut self,
        cx: &Cx<'_, D, N>,
        call: &CallState,
        flight: &Flight,
        ended: &Ended,
    ) {
        let Some(plan) = self.plan.proxy.cache else { return };
        let body = self.body(cx.request);
        if body.cache.no_write || !takes_part(&plan, body) {
            return;
        }
        let life = body.cache.ttl.unwrap_or(plan.ttl);
        let key = self.cache_key(cx.request, call, flight.name, flight.deployment);
        self.state.responses.put(cx.now, key, ended.usage, life, plan.capacity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: SimDuration = SimDuration::from_secs(60);

    fn key(prompt: u64) -> Key {
        Key { name: NameId(0), prompt: PromptId(prompt), stream: false, class: 0, max_tokens: None }
    }

    fn hit(responses: &Responses, secs: i64, prompt: u64) -> bool {
        responses.get(SimTime(secs * 1_000_000_000), &key(prompt), None).is_some()
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
    fn answers_that_are_kept_for_different_times_end_in_order() {
        let mut responses = Responses::default();
        for (prompt, secs) in [(0, 50), (1, 10), (2, 30), (3, 10), (4, 60), (5, 20)] {
            let life = SimDuration::from_secs(secs);
            responses.put(SimTime::ZERO, key(prompt), Usage::plain(1, 1), life, None);
        }
        let ends: Vec<(i64, u64)> =
            responses.ends.iter().map(|(end, key)| (end.0 / 1_000_000_000, key.prompt.0)).collect();
        assert_eq!(ends, [(10, 1), (10, 3), (20, 5), (30, 2), (50, 0), (60, 4)]);
    }

    #[test]
    fn an_unbounded_cache_forgets_only_what_is_over() {
        let mut responses = Responses::default();
        for prompt in 0..1000 {
            responses.put(SimTime(prompt as i64 * 1_000_000_000), key(prompt), Usage::plain(1, 1), LIFE, None);
        }
        assert!(hit(&responses, 999, 940) && !hit(&responses, 999, 930));
        assert!(responses.kept.len() <= 61, "what is over takes no memory");
    }
}

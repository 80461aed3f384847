//! Limits of virtual keys, their users and teams: requests, tokens and parallel requests
//! (`proxy/hooks/parallel_request_limiter_v3.py`) [T 160–162, 165, 190].
//!
//! A window lasts 60 s and begins with the first request, on a whole second. The counters live in a cache of their own,
//! 60 s from their first write: around the end of a window the two do not quite agree, and that shows.

use super::budget::Spend;
use super::purses::Account;
use super::{Cx, LiteLlm};
use crate::gateway::Notes;
use crate::gateway::litellm::call::Held;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::keyring::Window;
use crate::gateway::litellm::plan::{Plan, Redis};
use crate::gateway::parts::ExpiringCounter;
use crate::random::Draws;
use crate::units::{KeyId, NameId, RequestView, RetryAfter, SimDuration, SimTime, Usage};

/// Output that is reserved where a request says nothing, at most (`DEFAULT_MAX_TOKENS_ESTIMATE` / 4).
const OUTPUT_FLOOR: u64 = 1024;
/// Characters that are taken for one token.
const CHARS_PER_TOKEN: u64 = 4;
/// Life of a counter that is first written by a settlement: the cache's default.
const SETTLED_LIFE: SimDuration = SimDuration::from_secs(600);
const LONG_AGO: SimTime = SimTime(i64::MIN);

/// What keys, users and teams have used.
#[derive(Debug, Default)]
pub(in crate::gateway::litellm) struct KeyUse {
    windows: Vec<WindowUse>,
    /// Requests at the same time, by key.
    in_flight: Vec<u64>,
    pub(super) accounts: Vec<Account>,
    pub(super) model_budgets: Vec<Spend>,
    /// How many of the plan's resets of budgets have been.
    pub(super) resets: usize,
    /// Nanoseconds from a whole second to time zero.
    offset: SimDuration,
}

/// What one window has counted. Its end is a moment, so that nothing is divided (a quarter fewer instructions for all limits
/// of a key, with the windows of a request in one row).
#[derive(Debug, Clone)]
struct WindowUse {
    /// From this moment on it is over: 60 whole seconds after the one in which it began, or when that has expired.
    over_from: SimTime,
    /// When its beginning expires.
    expires: SimTime,
    requests: ExpiringCounter<i64>,
    tokens: ExpiringCounter<i64>,
}

impl Default for WindowUse {
    /// It has never begun.
    fn default() -> Self {
        let (requests, tokens) = (ExpiringCounter::default(), ExpiringCounter::default());
        Self { over_from: LONG_AGO, expires: LONG_AGO, requests, tokens }
    }
}

impl KeyUse {
    /// Nothing has been used.
    pub fn new(plan: &Plan) -> Self {
        if !plan.keys.limits_any {
            return Self::default();
        }
        Self {
            windows: vec![WindowUse::default(); plan.keys.windows],
            in_flight: vec![0; plan.keys.count()],
            accounts: plan.keys.spent.iter().map(|spent| Account::new(*spent)).collect(),
            model_budgets: vec![Spend::NOTHING; plan.keys.model_budgets.len()],
            resets: 0,
            offset: plan.router.minutes.offset,
        }
    }

    /// Counts a request in all windows; `false` if it is one too many in any. What is over a limit already is refused
    /// without counting anywhere.
    #[inline]
    fn count_request(&mut self, now: SimTime, windows: &[Window]) -> bool {
        let Self { windows: used, offset, .. } = self;
        let limited = windows.iter().filter_map(|window| Some((window.counter as usize, window.rpm? as i64)));
        if limited.clone().any(|(counter, limit)| used[counter].requests.get(now) > limit) {
            return false;
        }
        // Every window counts it, those too that come after one in which it is too many.
        limited.fold(true, |fits, (counter, limit)| used[counter].count_request(now, *offset) <= limit && fits)
    }

    /// Takes tokens out of all windows; out of none if they do not fit into each.
    #[inline]
    fn reserve_tokens(&mut self, now: SimTime, windows: &[Window], tokens: u64) -> bool {
        let Self { windows: used, offset, .. } = self;
        let limited = windows.iter().filter_map(|window| Some((window.counter as usize, window.tpm? as i64)));
        let tokens = tokens as i64;
        if limited.clone().any(|(counter, limit)| used[counter].used_tokens(now) + tokens > limit) {
            return false;
        }
        limited.for_each(|(counter, _)| used[counter].take_tokens(now, *offset, tokens));
        true
    }

    /// Corrects the tokens of all windows that count them.
    #[inline]
    fn add_tokens(&mut self, now: SimTime, windows: &[Window], tokens: i64) {
        if tokens != 0 {
            for window in windows.iter().filter(|window| window.tpm.is_some()) {
                self.windows[window.counter as usize].tokens.add(now, tokens, SETTLED_LIFE);
            }
        }
    }
}

impl WindowUse {
    /// Whether the window is over (or has never begun).
    #[inline]
    fn is_over(&self, now: SimTime) -> bool {
        now >= self.over_from
    }

    /// It begins now, on the whole second; `offset` leads from a whole second to time zero. What has been written of its
    /// beginning before, and has not expired, keeps its end.
    fn begin(&mut self, now: SimTime, offset: SimDuration) {
        if self.expires <= now {
            self.expires = now + defaults::KEY_WINDOW;
        }
        let into_second = (now.0 + offset.0).rem_euclid(1_000_000_000);
        let by_seconds = SimTime(now.0 - into_second) + defaults::KEY_WINDOW;
        self.over_from = by_seconds.min(SimTime(self.expires.0.saturating_add(1)));
    }

    /// Counts a request; the count.
    #[inline]
    fn count_request(&mut self, now: SimTime, offset: SimDuration) -> i64 {
        let count = if self.is_over(now) {
            self.begin(now, offset);
            1
        } else {
            self.requests.get(now) + 1
        };
        self.requests.set(now, count, defaults::KEY_WINDOW);
        count
    }

    #[inline]
    fn used_tokens(&self, now: SimTime) -> i64 {
        if self.is_over(now) { 0 } else { self.tokens.get(now) }
    }

    #[inline]
    fn take_tokens(&mut self, now: SimTime, offset: SimDuration, tokens: i64) {
        let used = self.used_tokens(now);
        if self.is_over(now) {
            self.begin(now, offset);
        }
        self.tokens.set(now, used + tokens, defaults::KEY_WINDOW);
    }
}

impl LiteLlm {
    /// Whether the key, its user or its team is over a limit; the status of the answer if so, and its `Retry-After`: that
    /// of a limit is the length of its window. Budgets go first, as part of authentication.
    pub(super) fn over_key_limit<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        held: &mut Held,
    ) -> Option<(u16, RetryAfter)> {
        if let Some(status) = self.over_budget(cx, held) {
            return Some((status, RetryAfter::None));
        }
        if self.takes_limits(cx, held) || self.takes_limits_of_fallback(cx, held) {
            return None;
        }
        self.settle_budget(cx, held, 0.0);
        Some((429, RetryAfter::Seconds(defaults::KEY_WINDOW.0 / 1_000_000_000)))
    }

    /// A limit that is reached leads to the model's fallbacks, as if the client had asked for the first one that may be
    /// called; limits that hold for all models are asked, and counted, again each time
    /// (`common_request_processing.py:_pre_call_with_fallbacks`) [T 190o].
    fn takes_limits_of_fallback<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, held: &mut Held) -> bool {
        let asked = cx.request.model;
        let list = self.plan.name(asked).fallbacks.filter(|_| !self.body(cx.request).disable_fallbacks);
        let Some(list) = list else { return false };
        for at in 0..self.plan.list(list).len() {
            let target = self.plan.list(list)[at].name();
            if target == asked {
                continue;
            }
            (held.model, held.output_cap) = (target, None);
            if self.takes_limits(cx, held) {
                let name = &self.plan.name(target).text;
                cx.notes.decided(cx.now, cx.id, || format!("the key is over a limit: {name} is asked instead"));
                return true;
            }
        }
        (held.model, held.output_cap) = (asked, None);
        false
    }

    /// Requests, then parallel requests, then tokens: a request that is refused by a later one stays counted by the
    /// first.
    fn takes_limits<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held) -> bool {
        let (request, model) = (cx.request, held.model);
        let key = self.plan.keys.get(request.key);
        let used = &mut self.state.keys;
        let windows = key.windows(model);
        if !used.count_request(cx.now, windows) {
            return false;
        }
        if let Some(limit) = key.parallel {
            let in_flight = &mut used.in_flight[request.key.index()];
            if *in_flight + 1 > limit {
                return false;
            }
            *in_flight += 1;
            held.parallel = true;
        }
        let Some(least) = windows.iter().filter_map(|window| window.tpm).min() else { return true };
        let completions = u64::from(self.plan.bodies[request.body.index()].n.max(1));
        let tokens = tokens_to_reserve(cx, held, least, completions);
        if used.reserve_tokens(cx.now, windows, tokens) {
            held.tokens = tokens;
            return true;
        }
        self.free_parallel(cx, held);
        false
    }

    /// Which limit a refused request has met, as far as the counters still tell: that of its key, user or team.
    #[cold]
    pub(super) fn words_of_limit(&self, request: &RequestView, now: SimTime) -> String {
        let (key, used) = (self.plan.keys.get(request.key), &self.state.keys);
        for window in key.windows(request.model) {
            let requests = used.windows[window.counter as usize].requests.get(now);
            if let Some(rpm) = window.rpm.filter(|rpm| requests > *rpm as i64) {
                return format!("{rpm} requests a minute");
            }
        }
        match (key.parallel, key.windows(request.model).iter().filter_map(|window| window.tpm).min()) {
            (Some(limit), _) if used.in_flight[request.key.index()] >= limit => format!("{limit} requests at once"),
            (_, Some(tpm)) => format!("{tpm} tokens a minute"),
            (_, None) => "of requests".to_owned(),
        }
    }

    fn free_parallel<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held) {
        if std::mem::take(&mut held.parallel) {
            self.state.keys.in_flight[cx.request.key.index()] -= 1;
        }
    }

    /// A failure has been logged, or the request is over without an answer: parallel place and tokens are given back.
    /// That happens at the first failed attempt already, whatever the retries bring.
    pub(super) fn give_limits_back<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held) {
        if !self.plan.proxy.has_key_limits {
            return;
        }
        self.free_parallel(cx, held);
        if held.tokens > 0 && !std::mem::replace(&mut held.tokens_returned, true) {
            let rest = held.tokens_used as i64 - held.tokens as i64;
            let windows = self.plan.keys.get(cx.request.key).windows(held.model);
            self.state.keys.add_tokens(cx.now, windows, rest);
        }
    }

    /// The request is over without an answer.
    pub(super) fn release_after_failure<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held) {
        self.give_limits_back(cx, held);
        self.settle_budget(cx, held, 0.0);
    }

    /// The request has been answered by this group: the reservation is replaced by what was really used. The reservation
    /// is taken off even if a failure before had given it back. Where nothing was reserved, the windows of the group that
    /// has answered are charged: a fallback counts for its target [T 190h].
    pub(super) fn release_after_success<D: Draws, N: Notes>(
        &mut self,
        cx: &Cx<'_, D, N>,
        held: &mut Held,
        (served_as, usage, dollars): (NameId, Usage, f64),
    ) {
        if !self.plan.proxy.has_key_limits {
            return;
        }
        self.free_parallel(cx, held);
        let counted_as = if held.tokens > 0 { held.model } else { served_as };
        let windows = self.plan.keys.get(cx.request.key).windows(counted_as);
        self.state.keys.add_tokens(
            cx.now,
            windows,
            self.plan.proxy.counted_tokens.of(&usage) as i64 - held.tokens as i64,
        );
        self.spend_model_budgets(cx, served_as, dollars);
        self.settle_budget(cx, held, dollars);
    }

    /// The process that had a request has ended: what is held in Redis for it expires; what was held in the process is
    /// gone with it.
    pub(super) fn let_go(&mut self, key: KeyId, held: &mut Held) {
        if self.plan.redis == Redis::Proxy && self.plan.proxy.has_key_limits {
            self.state.keys.in_flight[key.index()] -= u64::from(std::mem::take(&mut held.parallel));
            self.drop_reservation(key, held);
        }
    }
}

/// What is taken out of the windows of tokens in advance. A small limit also caps the answer.
fn tokens_to_reserve<D: Draws, N: Notes>(
    cx: &Cx<'_, D, N>,
    held: &mut Held,
    least_limit: u64,
    completions: u64,
) -> u64 {
    let floor = OUTPUT_FLOOR.min((least_limit / 4).max(1));
    if floor < OUTPUT_FLOOR && cx.request.max_tokens.is_none() {
        held.output_cap = Some(floor as u32);
    }
    let input = (u64::from(cx.request.prompt_chars) / CHARS_PER_TOKEN).max(1);
    let explicit = cx.request.max_tokens.or(held.output_cap).map(u64::from);
    input + explicit.unwrap_or_else(|| input.max(floor)) * completions
}

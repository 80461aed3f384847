//! Limits of virtual keys: requests, tokens and parallel requests (`proxy/hooks/parallel_request_limiter_v3.py`)
//! [T 160–162, 165].
//!
//! A window lasts 60 s and begins with the first request, on a whole second. The counters live in a cache of their own,
//! 60 s from their first write: around the end of a window the two do not quite agree, and that shows.

use super::{Cx, LiteLlm};
use crate::gateway::Notes;
use crate::gateway::litellm::call::CallState;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::plan::{Key, Plan, Redis};
use crate::gateway::litellm::shared::SPEND_COUNTER_LIFE;
use crate::gateway::parts::ExpiringCounter;
use crate::random::Draws;
use crate::units::{KeyId, RetryAfter, SimDuration, SimTime, Usage};

/// Output that is reserved where a request says nothing, at most (`DEFAULT_MAX_TOKENS_ESTIMATE` / 4).
const OUTPUT_FLOOR: u64 = 1024;
/// Output that a budget reserves where neither request nor model limit it (`DEFAULT_MAX_OUTPUT_TOKENS_FALLBACK`).
const LONGEST_OUTPUT: u32 = 16_384;
/// Characters that are taken for one token.
const CHARS_PER_TOKEN: u64 = 4;
/// Life of a counter that is first written by a settlement: the cache's default.
const SETTLED_LIFE: SimDuration = SimDuration::from_secs(600);

/// What keys have used.
#[derive(Debug, Default)]
pub(in crate::gateway::litellm) struct KeyWindows {
    keys: Vec<KeyUse>,
    /// How many of the plan's resets of budgets have been.
    resets: usize,
    /// Nanoseconds from a whole second to time zero.
    offset: SimDuration,
}

/// What one key has used.
#[derive(Debug, Clone, Default)]
struct KeyUse {
    /// The second in which the window began; absent when it has expired.
    window: ExpiringCounter<i64>,
    requests: ExpiringCounter<i64>,
    tokens: ExpiringCounter<i64>,
    in_flight: u64,
    /// Dollars spent and reserved.
    pub dollars: f64,
    /// Until when a process of several trusts its own sum; `None` where it always does.
    dollars_until: Option<SimTime>,
}

impl KeyWindows {
    /// Nothing has been used.
    pub fn new(plan: &Plan) -> Self {
        let key_use = |key: &Key| KeyUse { dollars: key.spent, ..KeyUse::default() };
        Self { keys: plan.keys.iter().map(key_use).collect(), resets: 0, offset: plan.router.minutes.offset }
    }

    /// The whole second of a moment.
    const fn second(&self, now: SimTime) -> i64 {
        (now.0 + self.offset.0).div_euclid(1_000_000_000)
    }
}

impl KeyUse {
    /// Whether the window is over (or has never begun).
    fn window_is_over(&self, now: SimTime, second: i64) -> bool {
        !self.window.is_open(now) || second - self.window.get(now) >= defaults::KEY_WINDOW.0 / 1_000_000_000
    }

    /// Counts a request; `false` if that is one too many. What is over the limit already is refused without counting.
    fn count_request(&mut self, now: SimTime, second: i64, limit: u64) -> bool {
        let limit = limit as i64;
        if self.requests.get(now) > limit {
            return false;
        }
        if self.window_is_over(now, second) {
            self.window.set(now, second, defaults::KEY_WINDOW);
            self.requests.set(now, 1, defaults::KEY_WINDOW);
        } else {
            let count = self.requests.get(now) + 1;
            self.requests.set(now, count, defaults::KEY_WINDOW);
        }
        self.requests.get(now) <= limit
    }

    /// Takes tokens out of the window; `false` if they do not fit.
    fn reserve_tokens(&mut self, now: SimTime, second: i64, tokens: u64, limit: u64) -> bool {
        let over = self.window_is_over(now, second);
        let used = if over { 0 } else { self.tokens.get(now) };
        if used + tokens as i64 > limit as i64 {
            return false;
        }
        if over {
            self.window.set(now, second, defaults::KEY_WINDOW);
        }
        self.tokens.set(now, used + tokens as i64, defaults::KEY_WINDOW);
        true
    }
}

impl LiteLlm {
    /// Whether the key is over one of its limits; the status of the answer if so, and its `Retry-After`: that of a limit
    /// is the length of its window (`parallel_request_limiter_v3.py`). Budgets go first, as part of authentication.
    pub(super) fn over_key_limit<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
    ) -> Option<(u16, RetryAfter)> {
        self.reset_budgets(cx.now);
        let key = *self.plan.key(cx.request.key);
        if key.budget.is_some() && self.plan.proxy.unverified_budgets {
            return Some((503, RetryAfter::None));
        }
        if !self.reserve_budget(cx, call, &key) {
            return Some((429, RetryAfter::None));
        }
        if self.takes_limits(cx, call, &key) {
            return None;
        }
        self.settle_budget(cx, call, 0.0);
        Some((429, RetryAfter::Seconds(defaults::KEY_WINDOW.0 / 1_000_000_000)))
    }

    /// Forgets what was spent of the budgets that have begun anew by now.
    fn reset_budgets(&mut self, now: SimTime) {
        let windows = &mut self.state.keys;
        while let Some((at, key)) = self.plan.proxy.budget_resets.get(windows.resets)
            && *at <= now
        {
            windows.keys[key.index()].dollars = 0.0;
            windows.resets += 1;
        }
    }

    /// Requests, then parallel requests, then tokens: a request that is refused by a later one stays counted by the
    /// first.
    fn takes_limits<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, call: &mut CallState, key: &Key) -> bool {
        let completions = u64::from(self.body(cx.request).n.max(1));
        let windows = &mut self.state.keys;
        let second = windows.second(cx.now);
        let used = &mut windows.keys[cx.request.key.index()];
        if key.rpm.is_some_and(|limit| !used.count_request(cx.now, second, limit)) {
            return false;
        }
        if let Some(limit) = key.parallel {
            if used.in_flight + 1 > limit {
                return false;
            }
            used.in_flight += 1;
            call.held.parallel = true;
        }
        let Some(limit) = key.tpm else { return true };
        let floor = OUTPUT_FLOOR.min((limit / 4).max(1));
        if floor < OUTPUT_FLOOR && cx.request.max_tokens.is_none() {
            call.output_cap = Some(floor as u32);
        }
        let input = (u64::from(cx.request.prompt_chars) / CHARS_PER_TOKEN).max(1);
        let explicit = cx.request.max_tokens.or(call.output_cap).map(u64::from);
        let tokens = input + explicit.unwrap_or_else(|| input.max(floor)) * completions;
        if used.reserve_tokens(cx.now, second, tokens, limit) {
            call.held.tokens = tokens;
            return true;
        }
        self.free_parallel(cx, call);
        false
    }

    fn free_parallel<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, call: &mut CallState) {
        if std::mem::take(&mut call.held.parallel) {
            self.state.keys.keys[cx.request.key.index()].in_flight -= 1;
        }
    }

    /// A failure has been logged, or the request is over without an answer: parallel place and tokens are given back.
    /// That happens at the first failed attempt already, whatever the retries bring.
    pub(super) fn give_limits_back<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, call: &mut CallState) {
        if !self.plan.proxy.has_key_limits {
            return;
        }
        self.free_parallel(cx, call);
        if call.held.tokens > 0 && !std::mem::replace(&mut call.held.tokens_returned, true) {
            let used = &mut self.state.keys.keys[cx.request.key.index()];
            let rest = call.held.tokens_used as i64 - call.held.tokens as i64;
            used.tokens.add(cx.now, rest, SETTLED_LIFE);
        }
    }

    /// The request is over without an answer.
    pub(super) fn release_after_failure<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, call: &mut CallState) {
        self.give_limits_back(cx, call);
        self.settle_budget(cx, call, 0.0);
    }

    /// The request has been answered: the reservation is replaced by what was really used. The reservation is taken off
    /// even if a failure before had given it back.
    pub(super) fn release_after_success<D: Draws, N: Notes>(
        &mut self,
        cx: &Cx<'_, D, N>,
        call: &mut CallState,
        usage: Usage,
        dollars: f64,
    ) {
        if !self.plan.proxy.has_key_limits {
            return;
        }
        self.free_parallel(cx, call);
        let delta = usage.total() as i64 - call.held.tokens as i64;
        if delta != 0 {
            self.state.keys.keys[cx.request.key.index()].tokens.add(cx.now, delta, SETTLED_LIFE);
        }
        self.settle_budget(cx, call, dollars);
    }

    /// Reserves the greatest cost that the request may have; `false` if the budget is used up. What does not fit is cut
    /// to what is left [T 163, 164, 166] (`proxy/spend_tracking/budget_reservation.py`).
    fn reserve_budget<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, call: &mut CallState, key: &Key) -> bool {
        let Some(budget) = key.budget else { return true };
        if self.plan.name(cx.request.model).greatest.is_some_and(|group| group.is_free) {
            return true;
        }
        self.reseed_budget(cx);
        let greatest = self.greatest_cost(cx);
        let proxy = &self.plan.proxy;
        let used = &mut self.state.keys.keys[cx.request.key.index()];
        if used.dollars >= budget {
            return false;
        }
        let Some(greatest) = greatest.filter(|cost| *cost > 0.0 && budget > 0.0 && !proxy.no_reservation) else {
            return true;
        };
        let after = used.dollars + greatest;
        let left = budget - (after - greatest);
        if after <= budget {
            used.dollars = after;
            call.held.dollars = Some(greatest);
            return true;
        }
        if left <= 1e-12 || (proxy.fail_closed && after - budget > 1e-12) {
            return false;
        }
        used.dollars = after + (left - greatest);
        call.held.dollars = Some(left);
        true
    }

    /// The reservation becomes what was really spent.
    fn settle_budget<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, call: &mut CallState, dollars: f64) {
        if !self.plan.proxy.has_key_limits {
            return;
        }
        let index = cx.request.key.index();
        let used = &mut self.state.keys.keys[index];
        used.dollars += dollars - call.held.dollars.take().unwrap_or(0.0);
        if let Some(shared) = self.state.shared.as_mut().filter(|_| dollars > 0.0) {
            shared.spend(cx.now, &self.state.place, index, dollars);
        }
    }

    /// One process of several keeps a sum of its own for a minute, then takes it from the database anew, which knows the
    /// others' spend but not what is still to be written. With Redis there is one sum for all.
    fn reseed_budget<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>) {
        let Some(shared) = self.state.shared.as_mut().filter(|_| self.plan.redis != Redis::Proxy) else { return };
        let index = cx.request.key.index();
        let used = &mut self.state.keys.keys[index];
        if used.dollars_until.is_none_or(|until| cx.now > until) {
            used.dollars = shared.spent(cx.now, index);
            used.dollars_until = Some(cx.now + SPEND_COUNTER_LIFE);
        }
    }

    /// The process that had a request has ended: what is held in Redis for it expires; what was held in the process is
    /// gone with it.
    pub(super) fn let_go(&mut self, key: KeyId, call: &mut CallState) {
        if self.plan.redis == Redis::Proxy && self.plan.proxy.has_key_limits {
            let used = &mut self.state.keys.keys[key.index()];
            used.in_flight -= u64::from(std::mem::take(&mut call.held.parallel));
            used.dollars -= call.held.dollars.take().unwrap_or(0.0);
        }
    }

    /// The cost of the whole prompt and the longest answer at the highest prices of the group.
    fn greatest_cost<D: Draws, N: Notes>(&self, cx: &Cx<'_, D, N>) -> Option<f64> {
        let request = cx.request;
        let group = self.plan.name(request.model).greatest?;
        let longest = group.max_output_tokens.unwrap_or(LONGEST_OUTPUT);
        let output = request.max_tokens.unwrap_or(LONGEST_OUTPUT).min(longest);
        let completions = f64::from(self.body(request).n.max(1));
        let input = f64::from(request.prompt_tokens) * group.input;
        Some(input + f64::from(output) * completions * group.output)
    }
}

//! Limits of virtual keys, their users and teams: requests, tokens and parallel requests
//! (`proxy/hooks/parallel_request_limiter_v3.py`) [T 160–162, 165, 190].

use super::budget::Spend;
use super::fallback::chosen;
use super::purses::Account;
use super::slips::{Charge, Slip, Slips};
use super::windows::{SETTLED_LIFE, Windows};
use super::{Cx, LiteLlm};
use crate::gateway::Notes;
use crate::gateway::litellm::call::Held;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::plan::{Plan, Redis, Target};
use crate::random::Draws;
use crate::units::{DeploymentId, KeyId, NameId, RequestView, RetryAfter, SimTime, Usage, WhyNot};

/// Output that is reserved where a request says nothing, at most (`DEFAULT_MAX_TOKENS_ESTIMATE` / 4).
const OUTPUT_FLOOR: u64 = 1024;
/// Characters that are taken for one token.
const CHARS_PER_TOKEN: u64 = 4;

/// What keys, users and teams have used.
#[derive(Debug, Default)]
pub(in crate::gateway::litellm) struct KeyUse {
    windows: Windows,
    /// Requests at the same time, by key.
    in_flight: Vec<u64>,
    pub(super) accounts: Vec<Account>,
    pub(super) model_budgets: Vec<Spend>,
    /// How many of the plan's resets of budgets have been.
    pub(super) resets: usize,
}

impl KeyUse {
    /// Nothing has been used.
    pub fn new(plan: &Plan) -> Self {
        if !plan.keys.limits_any {
            return Self::default();
        }
        let mut windows = Windows::new(plan.keys.windows, plan.router.minutes.offset);
        windows.slips = Slips::new(&plan.keys);
        Self {
            windows,
            in_flight: vec![0; plan.keys.count()],
            accounts: plan.keys.spent.iter().map(|spent| Account::new(*spent)).collect(),
            model_budgets: vec![Spend::NOTHING; plan.keys.model_budgets.len()],
            resets: 0,
        }
    }
}

/// How a request is refused at the door.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused {
    /// Why.
    pub why: WhyNot,
    /// The status of the answer.
    pub status: u16,
    /// That of a limit is the length of its window.
    pub retry_after: RetryAfter,
}

impl Refused {
    /// Without a wish for when to come back.
    pub const fn new(why: WhyNot, status: u16) -> Self {
        Self { why, status, retry_after: RetryAfter::None }
    }

    const fn over_limit(why: WhyNot) -> Self {
        Self { why, status: 429, retry_after: RetryAfter::Seconds(defaults::KEY_WINDOW.whole_secs()) }
    }
}

impl LiteLlm {
    /// Whether the key, its user or its team is over a limit, and how that is answered.
    #[inline(always)]
    pub(super) fn over_key_limit<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        held: &mut Held,
    ) -> Option<Refused> {
        if self.takes_at_once(cx, held) { None } else { self.over_any_limit(cx, held) }
    }

    /// Nearly every request is of a key with one window, which is open and has room (30 instructions less). `false`
    /// if anything else may have to be asked, by the slow twin: [`LiteLlm::over_any_limit`].
    #[inline(always)]
    fn takes_at_once<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held) -> bool {
        let key = self.plan.keys.get(cx.request.key);
        let Some(window) = key.only_window().filter(|_| !self.plan.proxy.refuses_bodies) else { return false };
        let used = &mut self.state.keys;
        let in_flight = &mut used.in_flight[cx.request.key.index()];
        if *in_flight >= key.parallel.unwrap_or(u64::MAX) {
            return false;
        }
        let tokens = window.tpm.map_or(0, |least| {
            let completions = u64::from(self.plan.bodies[cx.request.body.index()].n.max(1));
            tokens_to_reserve(cx, held, least, completions)
        });
        let fits = used.windows.count_within(cx.now, window, tokens);
        if fits {
            held.tokens = tokens;
            held.parallel = key.parallel.is_some();
            *in_flight += u64::from(held.parallel);
        }
        fits
    }

    /// The same for any key. Budgets go first, as part of authentication.
    #[inline(never)]
    fn over_any_limit<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, held: &mut Held) -> Option<Refused> {
        if let Some(why) = self.over_budget(cx, held) {
            return Some(Refused::new(why, if why == WhyNot::UnverifiedBudget { 503 } else { 429 }));
        }
        if self.plan.proxy.refuses_bodies && self.body(cx.request).is_unread {
            self.settle_budget(cx, held, 0.0);
            return Some(Refused::new(WhyNot::Unreadable, 500));
        }
        let Err(why) = self.takes_limits(cx, held) else { return None };
        let refused = self.refused_by_fallbacks(cx, held, why)?;
        self.settle_budget(cx, held, 0.0);
        Some(refused)
    }

    /// A limit that is reached leads to the model's fallbacks, as if the client had asked for the first one that may be
    /// called; limits that hold for all models are asked, and counted, again each time. An entry that is a map is
    /// taken for a name there, which fails (`common_request_processing.py:_pre_call_with_fallbacks`) [T 190o, 227,
    /// 280]. How it is refused, where none may be called: for the limit that was met first.
    #[cold]
    fn refused_by_fallbacks<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        held: &mut Held,
        why: WhyNot,
    ) -> Option<Refused> {
        let asked = cx.request.model;
        let over_limit = Some(Refused::over_limit(why));
        let (body, configured) = (self.body(cx.request), self.plan.name(asked).fallbacks);
        let list = if body.is_key_fallbacks { chosen(&body.fallbacks, asked, configured) } else { configured };
        let list = list.filter(|_| !body.disable_fallbacks);
        let Some(list) = list else { return over_limit };
        for at in 0..self.plan.list(list).len() {
            let target = match self.plan.list(list)[at] {
                Target::Custom(..) | Target::Map(_) => {
                    (held.model, held.output_cap) = (asked, None);
                    return Some(Refused::new(why, 500));
                }
                target => target.name(),
            };
            if target == asked {
                continue;
            }
            (held.model, held.output_cap) = (target, None);
            if self.takes_limits(cx, held).is_ok() {
                let name = &self.plan.name(target).text;
                cx.notes.decided(cx.now, cx.id, || format!("the key is over a limit: {name} is asked instead"));
                return None;
            }
        }
        (held.model, held.output_cap) = (asked, None);
        over_limit
    }

    /// Requests, then parallel requests, then tokens: a request that is refused by a later one stays counted by the
    /// first.
    #[inline(always)]
    fn takes_limits<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held) -> Result<(), WhyNot> {
        let (request, model) = (cx.request, held.model);
        let key = self.plan.keys.get(request.key);
        let windows = match &key.if_healthy {
            Some(healthy) if !self.has_failed(cx.now, model) => healthy.windows(model),
            _ => key.windows(model),
        };
        let used = &mut self.state.keys;
        let fits = match used.windows.slips {
            None => used.windows.count_request(cx.now, windows),
            Some(_) => used.windows.count_request_writing(cx.now, windows, &self.plan.keys),
        };
        if !fits {
            let met = used.windows.too_many_requests(cx.now, windows);
            return Err(met.map_or(WhyNot::KeyRequests, |window| window.whose.requests()));
        }
        let in_flight = &mut used.in_flight[request.key.index()];
        if *in_flight >= key.parallel.unwrap_or(u64::MAX) {
            return Err(WhyNot::KeyParallel);
        }
        held.parallel = key.parallel.is_some();
        *in_flight += u64::from(held.parallel);
        if held.parallel {
            used.windows.write_parallel(cx.now, request.key, &self.plan.keys);
        }
        let least = match windows {
            [window] => window.tpm,
            _ => windows.iter().filter_map(|window| window.tpm).min(),
        };
        let Some(least) = least else { return Ok(()) };
        let completions = u64::from(self.plan.bodies[request.body.index()].n.max(1));
        let tokens = tokens_to_reserve(cx, held, least, completions);
        let fits = match used.windows.slips {
            None => used.windows.reserve_tokens(cx.now, windows, tokens),
            Some(_) => used.windows.reserve_tokens_writing(cx.now, windows, tokens, &self.plan.keys),
        };
        if fits {
            held.tokens = tokens;
            return Ok(());
        }
        let met = used.windows.too_many_tokens(cx.now, windows, tokens);
        let why = met.map_or(WhyNot::KeyTokens, |window| window.whose.tokens());
        self.free_parallel(cx, held);
        Err(why)
    }

    /// Whether a deployment that is listed under a name has failed more than once in the minute: only then limits of
    /// the kind `dynamic` hold (`_check_model_has_recent_failures`) [T 236].
    #[cold]
    fn has_failed(&self, now: SimTime, name: NameId) -> bool {
        let fails = |id: &DeploymentId| self.state.outcomes[id.index()].fails.get(now);
        self.plan.name(name).listed.iter().any(|id| fails(id) > defaults::DYNAMIC_LIMIT_FAILS)
    }

    /// Which limit a refused request has met.
    #[cold]
    pub(super) fn words_of_limit(&self, request: &RequestView, why: WhyNot) -> String {
        let key = self.plan.keys.get(request.key);
        let windows = || key.windows(request.model).iter();
        let requests = windows().filter(|window| window.whose.requests() == why).find_map(|window| window.rpm);
        let tokens = windows().filter(|window| window.whose.tokens() == why).find_map(|window| window.tpm);
        let parallel = key.parallel.filter(|_| why == WhyNot::KeyParallel);
        let limit = requests.or(tokens).or(parallel).map(|limit| format!("{limit} "));
        format!("{}{}", limit.unwrap_or_default(), why.words())
    }

    fn free_parallel<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held) {
        let (key, had) = (cx.request.key, std::mem::take(&mut held.parallel));
        self.state.keys.in_flight[key.index()] -= u64::from(had);
        if had {
            self.state.keys.windows.write_parallel(cx.now, key, &self.plan.keys);
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
            let counted = &mut self.state.keys.windows;
            for window in windows.iter().filter(|window| rest != 0 && window.tpm.is_some()) {
                counted.write(cx.now, Slip::Tokens(window.counter), SETTLED_LIFE, &self.plan.keys);
            }
            counted.add_tokens(cx.now, windows, rest);
        }
    }

    /// The request is over without an answer.
    pub(super) fn release_after_failure<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held) {
        self.give_limits_back(cx, held);
        self.settle_budget(cx, held, 0.0);
    }

    /// The client of a stream that had begun has gone before its first piece: neither a success nor a failure is
    /// logged, and only the parallel place is given back. What was reserved stays reserved [T 119l].
    pub(super) fn release_place_only<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held) {
        if self.plan.proxy.has_key_limits {
            self.free_parallel(cx, held);
            self.lose_reservation(cx, held);
        }
    }

    /// The request has been answered by nothing: its place and its dollars are given back, what was
    /// reserved of tokens is not.
    pub(super) fn release_but_tokens<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, held: &mut Held) {
        if self.plan.proxy.has_key_limits {
            self.free_parallel(cx, held);
            self.settle_budget(cx, held, 0.0);
        }
    }

    /// The request has been answered by this group: the reservation is replaced by what was really used. The
    /// reservation is taken off even if a failure before had given it back. Where nothing was reserved, the windows of
    /// the group that has answered are charged: a fallback counts for its target [T 190h].
    #[inline(always)]
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
        let key = self.plan.keys.get(cx.request.key);
        let tokens = self.plan.proxy.counted_tokens.of(&usage);
        let more = tokens as i64 - held.tokens as i64;
        if let Some(window) = key.only_window() {
            return self.state.keys.windows.add_tokens(cx.now, std::slice::from_ref(window), more);
        }
        let counted_as = if held.tokens > 0 { held.model } else { served_as };
        let windows = key.windows(counted_as);
        if self.state.keys.windows.slips.is_some() {
            let (plans, holders) = (&self.plan.keys, &*key.holders);
            let charge = Charge { plans, holders, windows, name: counted_as, tokens, more };
            self.state.keys.windows.add_tokens_writing(cx.now, &charge);
        } else {
            self.state.keys.windows.add_tokens(cx.now, windows, more);
        }
        if key.spends() {
            self.spend_model_budgets(cx, served_as, dollars);
            self.settle_budget(cx, held, dollars);
        }
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

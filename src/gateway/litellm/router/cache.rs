//! The response cache (`caching/caching_handler.py`, `caching/caching.py`) [T 107, 130–132].
//!
//! It is asked inside the attempt: a deployment has been picked by then and holds its slot, so that a group that rests
//! answers nothing even to a prompt that is in the cache.

use super::logging::Success;
use super::responses::{Form, Key};
use super::{Cx, LiteLlm, Next};
use crate::gateway::litellm::call::{CallState, Flight, Held};
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::plan::{Body, CachePlan};
use crate::gateway::{FULL, Notes, RequestView, Response, Source, Step};
use crate::random::Draws;
use crate::units::{DeploymentId, NameId, SimDuration, SimTime, Usage, WhyNot};

/// Marks keys of streams of calls inside attempts with fallbacks; classes leave this bit free.
const INSIDE: u32 = 1 << 30;

/// Whether this request takes part (`should_use_cache`).
const fn takes_part(plan: &CachePlan, body: &Body) -> bool {
    !plan.opt_in || body.cache.opt_in
}

impl LiteLlm {
    #[inline(always)]
    fn cache_key(&self, request: &RequestView, held: &Held, (deployment, name): (DeploymentId, NameId)) -> Key {
        if self.body(request).cache.own_key {
            return Key { name: NameId(0), prompt: request.prompt, form: Form::Whole, class: 0, max_tokens: None };
        }
        let own = request.max_tokens.or(held.output_cap);
        let entry = self.plan.deployment(deployment);
        Key {
            name: self.plan.cached_as.get(name.index()).copied().unwrap_or(name),
            prompt: request.prompt,
            form: self.form(request),
            class: self.body(request).cache_class + entry.cache_class,
            max_tokens: own.or(entry.max_tokens),
        }
    }

    /// `stream_options` is one of the parameters that tell answers apart [T 205].
    #[inline(always)]
    fn form(&self, request: &RequestView) -> Form {
        match request.stream {
            false => Form::Whole,
            true if self.plan.asks_usage(request.model, request.body) => Form::StreamWithUsage,
            true if self.body(request).has_stream_options => Form::StreamWithoutUsage,
            true => Form::Stream,
        }
    }

    /// Looks a request up that this deployment would be called for.
    #[inline(always)]
    pub(super) fn cached(
        &self,
        now: SimTime,
        request: &RequestView,
        held: &Held,
        called: (DeploymentId, NameId),
    ) -> Option<Usage> {
        let plan = self.plan.proxy.cache.as_ref()?;
        if self.state.responses.is_new(request.prompt) {
            return None;
        }
        let body = self.body(request);
        if body.cache.no_read || !takes_part(plan, body) {
            return None;
        }
        let key = self.cache_key(request, held, called);
        let found = self.state.responses.get(now, &key, body.cache.max_age);
        match self.plan.deployment(called.0).inner_fallbacks {
            0 => found,
            _ => found.or_else(|| self.state.responses.get(now, &self.inside_key(key, request), body.cache.max_age)),
        }
    }

    /// Calls inside an attempt with fallbacks have keys of their own, and of streams only theirs are kept [T 337].
    #[cold]
    fn inside_key(&self, key: Key, request: &RequestView) -> Key {
        let mark = if self.body(request).cache.own_key { 0 } else { INSIDE };
        Key { class: key.class | mark, ..key }
    }

    /// An answer from the cache, if there is one. It counts as a success of the deployment and costs nothing.
    pub(super) fn ask_cache<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: &Flight,
    ) -> Option<Next> {
        let usage = self.cached(cx.now, cx.request, &call.held, (flight.deployment, flight.name))?;
        cx.notes.decided(cx.now, cx.id, || "answered from the cache".to_owned());
        call.log.about = Some((flight.deployment, flight.name));
        self.give_slot_back(cx, flight);
        if cx.request.stream && call.client_left {
            return Some(self.left_before_cached_stream(cx, call, flight, &usage));
        }
        self.log_deferred(cx, call);
        let since = self.counted_since(call, flight, cx.request.stream);
        let first_token = cx.request.stream.then_some(cx.now);
        let success = Success { flight: *flight, since, usage, first_token, from_cache: true, takes_over: false };
        self.log_success(cx.now, cx.request.stream, success);
        self.release_after_success(cx, &mut call.held, (flight.name, usage, 0.0));
        let served_by = Some(flight.deployment);
        Some(Next::Do(Step::Respond(Response::new(200, true, served_by, Source::Cache))))
    }

    /// `litellm_params.cache: true` fails inside the SDK while responses are cached: its lookup takes the flag for a
    /// map [T 107]. The failure has no status, and the logging object does not know the deployment yet.
    #[cold]
    pub(super) fn break_on_cache<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: &Flight,
    ) -> Next {
        let entry = self.plan.deployment(flight.deployment);
        let (deployment, num_retries) = (Some(flight.deployment), entry.num_retries);
        let failure = Failure::without_status(Class::Refused, 400).because(WhyNot::Parameters);
        let failure = Failure { deployment, num_retries, ..failure };
        self.log_failure(cx, call, &failure);
        self.give_slot_back(cx, flight);
        Next::Failed(failure)
    }

    /// Keeps an answer.
    #[inline(never)]
    pub(super) fn keep_response<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, held: &Held, success: &Success) {
        if let Some((key, life)) = self.to_keep(cx.request, held, success) {
            self.keep(cx, key, success.usage, life);
        }
    }

    /// What an answer is kept under and for how long, if it is kept.
    #[inline(always)]
    pub(super) fn to_keep(&self, request: &RequestView, held: &Held, success: &Success) -> Option<(Key, SimDuration)> {
        let plan = self.plan.proxy.cache.as_ref()?;
        let body = self.body(request);
        let is_kept = !body.cache.no_write && takes_part(plan, body);
        let called = (success.flight.deployment, success.flight.name);
        is_kept.then(|| {
            let key = self.cache_key(request, held, called);
            let is_inside = request.stream && self.plan.deployment(called.0).inner_fallbacks > 0;
            let key = if is_inside { self.inside_key(key, request) } else { key };
            (key, body.cache.ttl.unwrap_or(plan.ttl))
        })
    }

    #[inline(always)]
    pub(super) fn keep<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        key: Key,
        usage: Usage,
        life: SimDuration,
    ) {
        if !self.state.responses.put(cx.now, key, usage, life) {
            cx.woken.push(FULL);
        }
    }
}

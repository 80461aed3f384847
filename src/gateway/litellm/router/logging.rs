//! What the proxy's logging object makes of failures and successes: counters, cooldowns, budgets, strategies all hang
//! on it (`litellm_core_utils/litellm_logging.py`).
//!
//! One logging object serves a whole client request. Its failure handlers run once, unless the request is a stream
//! (`has_run_logging` returns early) [T 01, 15, 20, 69, 120]. The bare router makes a new one for every attempt.

use super::disconnect::CLIENT_CLOSED;
use super::responses::Key;
use super::{Cx, LiteLlm};
use crate::gateway::Notes;
use crate::gateway::litellm::call::{CallState, Flight, Held};
use crate::gateway::litellm::failure::Failure;
use crate::gateway::litellm::minute_lives::Counted;
use crate::gateway::litellm::plan::Layer;
use crate::gateway::litellm::strategy::Sample;
use crate::random::Draws;
use crate::units::{SimDuration, SimTime, Usage};

/// A success that is logged when the next in line has gone on.
#[derive(Debug)]
pub(in crate::gateway::litellm) struct Late {
    success: Success,
    /// Whether it was a stream.
    stream: bool,
    /// What its answer is kept under and for how long, if that is still to be done.
    kept: Option<(Key, SimDuration)>,
}

/// A success, as the callbacks see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Success {
    /// The call that led to it.
    pub flight: Flight,
    /// Since when the logging object counts.
    pub since: SimTime,
    /// Tokens of the answer.
    pub usage: Usage,
    /// When its first token came, if it came in a stream.
    pub first_token: Option<SimTime>,
    /// It comes from the cache and costs nothing.
    pub from_cache: bool,
    /// It is a stream that takes over from one that broke, and nobody tells its usage.
    pub takes_over: bool,
}

impl LiteLlm {
    /// The failure of a call: it is logged before anything is decided about retries.
    pub(super) fn log_failure<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        failure: &Failure,
    ) {
        let counts_once = !cx.request.stream && (self.plan.layer == Layer::Proxy || self.has_inner_fallbacks(call));
        if counts_once && call.log.failed {
            return;
        }
        call.log.failed = counts_once;
        self.give_limits_back(cx, &mut call.held);
        if let Some((deployment, name)) = call.log.about {
            self.blame(cx, deployment, failure);
            // A cancelled call counts as a failure, but stays in the count of least-busy [T 119m].
            if failure.status.is_some() || failure.http_status != CLIENT_CLOSED {
                self.write_failed(cx.now, deployment, name, failure);
                self.state.strategy.failed(cx.now, deployment, name, failure);
            }
        }
    }

    /// All calls inside an attempt share a logging object, at the bare router too [T 335].
    fn has_inner_fallbacks(&self, call: &CallState) -> bool {
        call.log.about.is_some_and(|(deployment, _)| self.plan.deployment(deployment).inner_fallbacks > 0)
    }

    /// A failure that is logged by a task of its own: it is put down to whatever has been called by the time that the
    /// event loop turns. A hop that fails before any call is thus blamed on the deployment that serves the fallback
    /// [T 51, 54, 56, 90, 99, 116]. The bare router has no logging object at that point.
    pub(super) fn log_later(&self, call: &mut CallState, failure: Failure) {
        if self.plan.layer == Layer::Proxy {
            call.log.deferred.push(failure);
        }
    }

    /// The event loop turns: failures that waited for it are logged.
    #[inline]
    pub(super) fn log_deferred<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState) {
        if !call.log.deferred.is_empty() {
            self.log_all_deferred(cx, call);
        }
    }

    #[cold]
    fn log_all_deferred<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState) {
        let mut deferred = std::mem::take(&mut call.log.deferred);
        for failure in deferred.drain(..) {
            self.log_failure(cx, call, &failure);
        }
        // Its memory is used again; nothing is put off while failures are logged.
        call.log.deferred = deferred;
    }

    /// Since when the time of an answer counts: a stream's from the arrival of the request, because the proxy's logging
    /// object is as old; other answers' from their attempt.
    pub(super) fn counted_since(&self, call: &CallState, flight: &Flight, stream: bool) -> SimTime {
        if stream && self.plan.layer == Layer::Proxy { call.arrived } else { flight.started }
    }

    /// A success of which the slot has passed on to a call that has been waiting for it: that call has looked
    /// at limits and cache by the time that a task of its own logs the success, and keeps the answer if it
    /// was a stream [T 98o, 98p].
    #[cold]
    pub(super) fn log_when_next_has_gone<D: Draws, N: Notes>(
        &mut self,
        cx: &Cx<'_, D, N>,
        held: &Held,
        success: Success,
    ) {
        let stream = cx.request.stream;
        let kept = if stream { self.to_keep(cx.request, held, &success) } else { None };
        self.state.late.push(Late { success, stream, kept });
    }

    /// A call that was waiting for a slot has gone on: what ended before it is logged.
    #[inline]
    pub(super) fn log_late<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>) {
        while let Some(Late { success, stream, kept }) = self.state.late.pop() {
            self.log_success(cx.now, stream, success);
            if let Some((key, life)) = kept {
                self.keep(cx, key, success.usage, life);
            }
        }
    }

    /// The call that was waiting is about to go out: streams that ended before it are logged by now, other answers
    /// are not [T 294].
    #[cold]
    pub(super) fn log_late_streams<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>) {
        let others: Vec<Late> = self.state.late.extract_if(.., |late| !late.stream).collect();
        self.log_late(cx);
        self.state.late = others;
    }

    /// A success.
    #[inline(always)]
    pub(super) fn log_success(&mut self, now: SimTime, stream: bool, success: Success) {
        if self.state.kept.is_some() {
            return self.log_success_writing(now, stream, success);
        }
        let deployment = success.flight.deployment;
        if !self.plan.deployment(deployment).is_unmapped {
            self.state.outcomes[deployment.index()].successes.add(now);
        }
        if self.state.strategy.learns() {
            self.state.strategy.succeeded(&self.plan, now, &success_sample(now, success));
        }
        if self.plan.router.counts_minutes && self.is_named(stream, &success) {
            self.count_tokens(now, success);
        }
        self.spend(now, success);
    }

    /// The same where what is written may be too much for the router's cache.
    #[cold]
    #[inline(never)]
    fn log_success_writing(&mut self, now: SimTime, stream: bool, success: Success) {
        let Flight { deployment, name, .. } = success.flight;
        if !self.plan.deployment(deployment).is_unmapped {
            self.write_success(now, deployment, name);
        }
        if self.state.strategy.learns() {
            self.write_returned(now, deployment, name);
            self.state.strategy.succeeded(&self.plan, now, &success_sample(now, success));
            self.write_learned(now, name);
        }
        if self.plan.router.counts_minutes && self.is_named(stream, &success) {
            self.count_tokens(now, success);
        } else {
            self.write_unnamed(now, stream, deployment);
        }
        self.spend(now, success);
    }

    /// Tokens count in the calendar minute of their deployment.
    #[inline(never)]
    fn count_tokens(&mut self, now: SimTime, success: Success) {
        let (router, deployment) = (&self.plan.router, success.flight.deployment);
        let minute = router.minutes.of(now);
        // The strategy and the check of limits count into one counter, each of them.
        let times = if router.enforce_rate_limits && router.uses_v2 { 2 } else { 1 };
        let tokens = success.usage.total() * times;
        if self.state.lives.is_some() {
            self.begin_life_of_tokens(now, success.flight);
        }
        self.write_tokens(now, deployment, success.flight.name, times);
        self.state.minute(&self.plan, deployment, success.flight.name).add_tokens(minute, tokens);
        if let Some(shared) = &mut self.state.shared {
            shared.count_tokens(now, deployment, minute, tokens);
        }
    }

    /// Tokens are counted that are forgotten before their minute is over.
    #[cold]
    fn begin_life_of_tokens(&mut self, now: SimTime, flight: Flight) {
        self.state.forget_minutes(now);
        let counted_as = self.state.counted_as(&self.plan, flight.deployment, flight.name);
        let (router, whose) = (&self.plan.router, (flight.deployment, counted_as));
        let Some(lives) = &mut self.state.lives else { return };
        match router.uses_v2 {
            true => lives.counted_by_strategy(now, whose, Counted::Tokens, router.minutes.of(now)),
            false => lives.counted_by_check(now, whose, Counted::Tokens, router.minutes.of(now)),
        }
    }

    /// A stream's answer does not carry the name that its tokens would be counted under, unless LiteLLM counts the
    /// tokens of a stream that has taken over from another [T 220]. One from the cache has a name without provider,
    /// which is that of a deployment where none is written [T 282].
    fn is_named(&self, stream: bool, success: &Success) -> bool {
        let Flight { deployment, name, .. } = success.flight;
        match success.from_cache {
            true => !stream && self.plan.is_bare(name, deployment),
            false => !stream || success.takes_over,
        }
    }
}

/// What strategies learn from a success.
fn success_sample(now: SimTime, success: Success) -> Sample {
    let flight = success.flight;
    Sample {
        deployment: flight.deployment,
        name: flight.name,
        elapsed: now - success.since,
        first_token: success.first_token.map(|at| at - success.since),
        usage: success.usage,
    }
}

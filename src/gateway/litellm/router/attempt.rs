//! One attempt: a slot, the checks before the call, the call, and what its end means.

use super::disconnect::patience_for_content;
use super::logging::Success;
use super::{Cx, LiteLlm, Next};
use crate::gateway::litellm::call::{CallState, Flight, Frame, Waiting};
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::plan::{CustomTarget, Layer};
use crate::gateway::parts::Slot;
use crate::gateway::{Attempt, AttemptRole, Ended, Limits, Notes, RequestView, Response, Source, Step};
use crate::random::{Draws, Purpose};
use crate::units::{DeploymentId, NameId, Outcome, Phase, SimDuration, WhyNot};

/// The status by which a provider complains of parameters.
const UNPROCESSABLE: u16 = 422;

impl LiteLlm {
    /// Takes a slot of the deployment, or waits in line for one [T 98, 104].
    #[inline(always)]
    pub(super) fn take_slot<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        deployment: DeploymentId,
    ) -> Next {
        if self.state.slots[deployment.index()].is_none() {
            return Next::Call(deployment, None);
        }
        if self.plan.deployment(deployment).parallel == Some(0) {
            // A semaphore of less than nothing cannot be made, which is told as an error of the router's own.
            return Next::Failed(Failure::without_status(Class::Refused, 500).because(WhyNot::DeploymentLimit));
        }
        self.write_slots(cx.now, deployment);
        let Some(slots) = &mut self.state.slots[deployment.index()] else { return Next::Call(deployment, None) };
        match slots.take(cx.now, cx.id) {
            Slot::Held(number) => Next::Call(deployment, Some(number)),
            Slot::Queued(number) => {
                let id = &self.plan.deployment(deployment).id;
                cx.notes.decided(cx.now, cx.id, || format!("waits in line for a slot of {id}"));
                call.waiting = Waiting::Slot(deployment, number);
                Next::Do(Step::Park)
            }
        }
    }

    /// The call holds its slot: the last checks, the cache, then upstream.
    #[inline(always)]
    pub(super) fn begin_call<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        deployment: DeploymentId,
        slot: Option<u32>,
    ) -> Next {
        let Some(hop) = call.hop() else { return Next::GiveUp(Failure::NO_DEPLOYMENT) };
        let name = hop.name;
        let flight = Flight { deployment, name, started: cx.now, slot };
        if let Some(failure) = self.over_minute_limit(cx, deployment, name) {
            self.refuse_before_call(cx, call, &flight, failure);
            return Next::Failed(failure);
        }
        if self.plan.router.affinity.is_some() {
            self.claim_pins(cx, deployment);
        }
        if self.plan.is_unplaced(name, deployment) {
            cx.notes.decided(cx.now, cx.id, || "LiteLLM cannot tell the provider of the model".to_owned());
            // Not even fallbacks inside the attempt are reached.
            call.inner_left = 0;
            return self.refuse_params(cx, call, flight);
        }
        if self.plan.proxy.cache.is_some() {
            if self.plan.deployment(deployment).breaks_on_cache || self.body(cx.request).cache.breaks {
                return self.break_on_cache(cx, call, &flight);
            }
            if let Some(next) = self.ask_cache(cx, call, &flight) {
                return next;
            }
        }
        if self.plan.ends_calls && self.mock_of(cx.request, call, deployment).timeout == Some(true) {
            return self.mock_timeout(cx, call, flight);
        }
        call.inner_left = self.plan.deployment(deployment).inner_fallbacks;
        if self.plan.refuses(name, deployment, cx.request.body) {
            return self.refuse_or_delay(cx, call, flight);
        }
        call.log.about = Some((deployment, name));
        if slot.is_some() && !self.state.late.is_empty() {
            self.log_late_streams(cx);
        }
        self.tell_called(cx.now, deployment, name);
        call.flight = Some(flight);
        (call.again, call.dropped_params) = (0, false);
        if self.plan.ends_calls
            && let Some(next) = self.end_before_call(cx, call, deployment)
        {
            return next;
        }
        self.send(cx, call, deployment)
    }

    /// The provider does not take a parameter of the request [T 214], or LiteLLM does not know whom to call [T 240]:
    /// the SDK fails before it tells the logging object of the proxy which deployment it is about. The bare router's is
    /// new and knows it [T 214m].
    #[cold]
    pub(super) fn refuse_params<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: Flight,
    ) -> Next {
        let failure = Failure::with_status(Class::BadRequest, 400).because(WhyNot::Parameters);
        self.fail_unseen(cx, call, flight, failure)
    }

    /// An attempt fails before the logging object of the proxy knows whom it is about.
    #[cold]
    pub(super) fn fail_unseen<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: Flight,
        failure: Failure,
    ) -> Next {
        let entry = self.plan.deployment(flight.deployment);
        let (deployment, num_retries) = (Some(flight.deployment), entry.num_retries);
        let failure = Failure { deployment, num_retries, ..failure };
        if self.plan.layer == Layer::Router {
            call.log.about = Some((flight.deployment, flight.name));
        }
        self.log_failure(cx, call, &failure);
        if call.inner_left > 0 {
            return self.inner_fallback(cx, call, flight);
        }
        call.log.failed &= self.plan.layer == Layer::Proxy;
        self.give_slot_back(cx, &flight);
        Next::Failed(failure)
    }

    /// Sends the call.
    #[inline(always)]
    pub(super) fn send<D: Draws, N: Notes>(
        &mut self,
        cx: &Cx<'_, D, N>,
        call: &mut CallState,
        deployment: DeploymentId,
    ) -> Next {
        let (role, content) = (role(call), patience_for_content(call));
        call.attempts += 1;
        let name = call.flight.map_or(cx.request.model, |flight| flight.name);
        let mut attempt = self.attempt(cx.request, (deployment, name), content, role);
        if let Some(own) = call.hop().map(|hop| hop.own).filter(|own| *own != CustomTarget::default()) {
            let silence = self.timeout_of_entry(cx.request, deployment, &own);
            (attempt.limits.headers, attempt.limits.idle) = (silence, silence);
            attempt.max_tokens = own.max_tokens.unwrap_or(attempt.max_tokens);
        }
        Next::Do(Step::Attempt(attempt))
    }

    /// The longest silence that is borne where the entry of a fallback list has timeouts of its own.
    #[cold]
    pub(super) fn timeout_of_entry(
        &self,
        request: &RequestView,
        deployment: DeploymentId,
        own: &CustomTarget,
    ) -> SimDuration {
        let body = self.body(request);
        let timeout = own.timeout.unwrap_or(body.timeout).or(own.request_timeout.flatten());
        let asked = (timeout, own.stream_timeout.unwrap_or(body.stream_timeout));
        self.timeout_asked_for(request, deployment, asked)
    }

    /// What is sent upstream.
    #[inline(always)]
    pub(super) fn attempt(
        &self,
        request: &RequestView,
        (deployment, name): (DeploymentId, NameId),
        content: SimDuration,
        role: AttemptRole,
    ) -> Attempt {
        let silence = self.timeout(request, deployment);
        let forever = SimDuration::FOREVER;
        Attempt {
            deployment,
            name,
            limits: Limits { headers: silence, first_token: forever, content, idle: silence, total: forever },
            max_tokens: request.max_tokens.or(self.plan.deployment(deployment).max_tokens),
            role,
        }
    }

    /// The longest silence that is borne: the timeout is httpx's read timeout, not a total [T 110–114]. The order of
    /// its sources is that of `router.py:_get_timeout`.
    #[inline(always)]
    fn timeout(&self, request: &RequestView, deployment: DeploymentId) -> SimDuration {
        let (body, entry) = (self.body(request), self.plan.deployment(deployment));
        if body.timeout.is_none() && body.stream_timeout.is_none() {
            return entry.silence[usize::from(request.stream)];
        }
        self.timeout_asked_for(request, deployment, (body.timeout, body.stream_timeout))
    }

    fn timeout_asked_for(
        &self,
        request: &RequestView,
        deployment: DeploymentId,
        (timeout, stream_timeout): (Option<SimDuration>, Option<SimDuration>),
    ) -> SimDuration {
        let entry = self.plan.deployment(deployment);
        let silence = entry.silence[usize::from(request.stream)];
        if request.stream && entry.client.untold_silence().is_some() {
            return silence;
        }
        let of_stream = if request.stream { stream_timeout.or(entry.stream_timeout) } else { None };
        of_stream.or(timeout).unwrap_or(silence)
    }

    /// A limit has been hit before the call: the deployment may go to rest at once, and the failure is logged later.
    fn refuse_before_call<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: &Flight,
        failure: Failure,
    ) {
        let entry = self.plan.deployment(flight.deployment);
        cx.notes.decided(cx.now, cx.id, || {
            let limit = |name: &str, limit: Option<u64>| limit.map(|limit| format!("{name} {limit}"));
            let limits: Vec<String> =
                [limit("rpm", entry.rpm), limit("tpm", entry.tpm)].into_iter().flatten().collect();
            format!("{} is over its limit of this minute ({} in the config)", entry.id, limits.join(", "))
        });
        self.log_later(call, failure);
        self.consider_rest(cx, flight.deployment, &failure, self.plan.router.cooldown.span);
        self.give_slot_back(cx, flight);
    }

    /// The slot passes to the next in line. Says whether there is one.
    #[inline]
    pub(super) fn give_slot_back<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, flight: &Flight) -> bool {
        let Some(number) = flight.slot else { return false };
        let Some(slots) = &mut self.state.slots[flight.deployment.index()] else { return false };
        let next = slots.give_back(number);
        cx.woken.extend(next);
        next.is_some()
    }

    /// The attempt in flight has ended.
    #[inline(always)]
    pub(super) fn attempt_ended<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        ended: &Ended,
    ) -> Next {
        let Some(flight) = call.flight.take() else { return Next::GiveUp(Failure::NO_DEPLOYMENT) };
        match ended.outcome {
            Outcome::Ok => self.served(cx, call, &flight, ended),
            Outcome::Cancelled if !self.mistakes_cancelling(cx, &flight) => self.cancelled(cx, call, &flight, ended),
            _ => self.attempt_failed(cx, call, flight, ended),
        }
    }

    #[inline]
    fn mistakes_cancelling<D: Draws, N: Notes>(&self, cx: &Cx<'_, D, N>, flight: &Flight) -> bool {
        self.plan.deployment(flight.deployment).client.mistakes_cancelling(cx.request.stream)
    }

    fn attempt_failed<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: Flight,
        ended: &Ended,
    ) -> Next {
        let (client, stream) = (self.plan.deployment(flight.deployment).client, cx.request.stream);
        let Some(failure) = client.failure(ended, flight.deployment, stream, call.again) else {
            return self.served(cx, call, &flight, ended);
        };
        if ended.phase != Phase::BeforeHeaders {
            return self.stream_broken(cx, call, &flight, ended);
        }
        if ended.outcome.error_status() == Some(UNPROCESSABLE) && self.plan.proxy.drops_params && client.is_openais() {
            return self.unprocessable(cx, call, flight);
        }
        let (nth, is_steady) = (call.attempts, self.plan.router.backoff.jitter_secs == 0.0);
        let draw = || if is_steady { 0.0 } else { cx.draws.unit(Purpose::ClientPause, nth) };
        if let Some(pause) = client.pause(ended, call.again, cx.now, draw) {
            return self.client_calls_again(cx, call, flight, pause);
        }
        let num_retries = self.plan.deployment(flight.deployment).num_retries;
        let failure = Failure { num_retries, ..failure };
        if client.is_heard(stream) {
            self.log_failure(cx, call, &failure);
        }
        self.try_inner_fallbacks(cx, call, flight, failure)
    }

    /// With `drop_params` LiteLLM's handler for OpenAI calls once more, without what the provider complains of, and
    /// gives nothing back if that fails in the same way (`llms/openai/openai.py:acompletion`) [T 221].
    #[cold]
    fn unprocessable<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: Flight,
    ) -> Next {
        if !call.dropped_params {
            cx.notes.decided(cx.now, cx.id, || "drop_params: calls again without what was complained of".to_owned());
            (call.again, call.dropped_params) = (0, true);
            self.tell_called(cx.now, flight.deployment, flight.name);
            call.flight = Some(flight);
            return self.send(cx, call, flight.deployment);
        }
        if call.inner_left > 0 {
            return self.inner_fallback(cx, call, flight);
        }
        self.give_slot_back(cx, &flight);
        let entry = self.plan.deployment(flight.deployment);
        if entry.inner_fallbacks > 0 {
            let failure = Failure { num_retries: entry.num_retries, ..Failure::with_status(Class::Api, 500) };
            self.log_failure(cx, call, &failure);
            return Next::Failed(self.after_inner_fallbacks(call, &flight, failure));
        }
        self.nothing_answered(cx, call)
    }

    /// Nothing comes back where an answer belongs: the client gets an empty one, with 200, or a stream that
    /// fails. Nobody logs it, so that the tokens that were reserved for a call without stream stay so. The bare
    /// router's own code breaks on it.
    fn nothing_answered<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, call: &mut CallState) -> Next {
        if self.plan.layer == Layer::Router {
            return Next::GiveUp(Failure::without_status(Class::Api, 500));
        }
        if cx.request.stream {
            self.release_after_failure(cx, &mut call.held);
            return Next::Do(Step::Respond(Response::new(500, false, None, Source::Upstream)));
        }
        self.release_but_tokens(cx, &mut call.held);
        Next::Do(Step::Respond(Response::new(200, true, None, Source::Upstream)))
    }

    /// The provider's client calls again by itself: nothing of the gateway hears of it, and the slot
    /// stays taken [T 201, 202].
    fn client_calls_again<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: Flight,
        pause: SimDuration,
    ) -> Next {
        call.again += 1;
        call.flight = Some(flight);
        cx.notes.decided(cx.now, cx.id, || match pause {
            SimDuration::ZERO => "the provider's client calls again by itself".to_owned(),
            _ => format!("the provider's client calls again by itself after {} s", pause.as_secs_f64()),
        });
        if pause == SimDuration::ZERO {
            return self.send(cx, call, flight.deployment);
        }
        call.waiting = Waiting::Client;
        Next::Do(Step::Sleep(pause))
    }

    /// The pause of the provider's client is over.
    pub(super) fn client_woke<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, call: &mut CallState) -> Next {
        match call.flight {
            Some(flight) => self.send(cx, call, flight.deployment),
            None => Next::GiveUp(Failure::NO_DEPLOYMENT),
        }
    }

    /// Whether a stream tells its usage, asked or not.
    fn tells_usage(&self, request: &RequestView, deployment: DeploymentId) -> bool {
        let client = self.plan.deployment(deployment).client;
        client.tells_usage() || (client.takes_stream_options() && self.plan.asks_usage(request.model, request.body))
    }

    /// The answer is complete.
    #[inline(always)]
    pub(super) fn served<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: &Flight,
        ended: &Ended,
    ) -> Next {
        let is_awaited = self.give_slot_back(cx, flight);
        self.log_deferred(cx, call);
        let since = self.counted_since(call, flight, cx.request.stream);
        let (usage, first_token) = (ended.usage, ended.first_token);
        let takes_over = call.broken > 0 && !self.tells_usage(cx.request, flight.deployment);
        let success = Success { flight: *flight, since, usage, first_token, from_cache: false, takes_over };
        if is_awaited {
            self.log_when_next_has_gone(cx, &call.held, success);
        } else {
            self.log_success(cx.now, cx.request.stream, success);
        }
        let is_cancelled = call.client_left && self.plan.proxy.cancel_on_disconnect;
        if self.plan.proxy.has_key_limits {
            if is_cancelled {
                self.return_dollars_twice(cx, &mut call.held);
            }
            // What is counted for a stream that takes over and tells no usage has no price [T 229].
            let dollars = if takes_over { 0.0 } else { self.cost(cx.now, flight, &ended.usage) };
            self.release_after_success(cx, &mut call.held, (flight.name, ended.usage, dollars));
        }
        if self.plan.proxy.cache.is_some() && !(is_awaited && cx.request.stream) {
            self.keep_response(cx, &call.held, &success);
        }
        if is_cancelled {
            return self.gone(cx, call, None);
        }
        Next::Do(Step::Respond(Response::new(200, true, Some(flight.deployment), Source::Upstream)))
    }
}

/// Why the ledger books an attempt.
fn role(call: &CallState) -> AttemptRole {
    match call.frames.as_slice() {
        [Frame::Hop(_)] if call.attempts == 0 => AttemptRole::First,
        [Frame::Hop(_)] => AttemptRole::Retry,
        _ => AttemptRole::Fallback,
    }
}

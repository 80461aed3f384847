//! Clients that leave (`proxy/common_request_processing.py`) [T 117–119].

use super::logging::Success;
use super::{Cx, LiteLlm, Next};
use crate::gateway::litellm::call::{CallState, Flight, Waiting};
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::plan::Layer;
use crate::gateway::{Ended, Notes, Response, Source, Step};
use crate::random::Draws;
use crate::units::{DeploymentId, Phase, SimDuration, SimTime, Tokens, Usage};

/// The status that is written down when the client has gone.
pub(super) const CLIENT_CLOSED: u16 = 499;

impl LiteLlm {
    /// The client has gone. Once a stream has begun, it is closed upstream at once; before that, and without a stream,
    /// everything goes on and is paid, unless `cancel_on_disconnect` is set.
    pub(super) fn client_left<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        phase: Phase,
    ) -> Next {
        call.client_left = true;
        let is_proxy = self.plan.layer == Layer::Proxy;
        let has_begun = cx.request.stream && (phase != Phase::BeforeHeaders || call.streamed.is_some());
        let cancels = is_proxy && self.plan.proxy.cancel_on_disconnect;
        if !has_begun && !cancels {
            return Next::Do(Step::CarryOn);
        }
        if let Waiting::Client | Waiting::Mock = call.waiting
            && let Some(flight) = call.flight.take()
        {
            return self.left_before_answer(cx, call, &flight, Phase::BeforeHeaders);
        }
        if call.flight.is_some() {
            return Next::Do(Step::CancelAttempt);
        }
        if let Waiting::Slot(deployment, _) = call.waiting
            && let Some(slots) = &mut self.state.slots[deployment.index()]
        {
            slots.leave(cx.id);
        }
        let streamed = call.streamed;
        self.gone(cx, call, streamed)
    }

    /// The attempt has been closed because the client has gone.
    pub(super) fn cancelled<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: &Flight,
        ended: &Ended,
    ) -> Next {
        if cx.request.stream && ended.phase == Phase::AfterContent {
            self.give_slot_back(cx, flight);
            return self.left_within_stream(cx, call, flight, ended);
        }
        self.left_before_answer(cx, call, flight, ended.phase)
    }

    /// Nothing of the answer had come.
    fn left_before_answer<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: &Flight,
        phase: Phase,
    ) -> Next {
        self.give_slot_back(cx, flight);
        // A stream whose headers have come is in other hands [T 119n].
        if !cx.request.stream || phase == Phase::BeforeHeaders {
            self.log_failure(cx, call, &Failure::without_status(Class::ApiConnection, CLIENT_CLOSED));
        }
        // The headers of a stream that broke before are the client's already.
        let begun = if phase == Phase::BeforeHeaders { None } else { Some(flight.deployment) };
        let streamed = call.streamed.or(begun);
        self.gone(cx, call, streamed)
    }

    /// The client has gone after the first token. The proxy counts what it has collected of the stream: of one that
    /// took over from another it has collected nothing, and the bare router counts nothing at all [T 260].
    fn left_within_stream<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: &Flight,
        ended: &Ended,
    ) -> Next {
        if self.plan.layer == Layer::Proxy && call.broken == 0 {
            self.count_what_came(cx, call, flight, (ended.usage.output, ended.first_token));
        } else {
            self.log_deferred(cx, call);
            self.release_place_only(cx, &mut call.held);
        }
        let served_by = Some(flight.deployment);
        Next::Do(Step::Respond(Response::new(200, true, served_by, Source::Upstream)))
    }

    /// A stream comes from the cache when its client has gone: it is stopped at its first piece, which is the whole
    /// answer, and is paid for like one that was called for [T 130m].
    pub(super) fn left_before_cached_stream<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: &Flight,
        usage: &Usage,
    ) -> Next {
        self.count_what_came(cx, call, flight, (usage.output, Some(cx.now)));
        let served_by = Some(flight.deployment);
        Next::Do(Step::Respond(Response::new(CLIENT_CLOSED, false, served_by, Source::ClientLeft)))
    }

    /// What had come of a stream is logged as a success; LiteLLM counts its tokens itself, the prompt's as well.
    fn count_what_came<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: &Flight,
        (output, first_token): (Tokens, Option<SimTime>),
    ) {
        let usage = Usage::plain(cx.request.prompt_tokens, output);
        self.log_deferred(cx, call);
        let since = self.counted_since(call, flight, true);
        let success = Success { flight: *flight, since, usage, first_token, from_cache: false, takes_over: false };
        self.log_success(cx.now, cx.request.stream, success);
        let dollars = self.cost(cx.now, flight, &usage);
        self.release_after_success(cx, &mut call.held, (flight.name, usage, dollars));
    }

    /// Nobody is there to be answered. If a stream had begun, its deployment is named.
    pub(super) fn gone<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        served_by: Option<DeploymentId>,
    ) -> Next {
        self.log_deferred(cx, call);
        if served_by.is_some() {
            self.release_place_only(cx, &mut call.held);
        } else {
            self.release_after_failure(cx, &mut call.held);
        }
        Next::Do(Step::Respond(Response::new(CLIENT_CLOSED, false, served_by, Source::ClientLeft)))
    }
}

/// How long a stream that has begun may go without its first token: not at all if nobody waits for it any more. The
/// proxy notices that the client of a stream has gone when it begins to answer.
pub(super) fn patience_for_content(call: &CallState) -> SimDuration {
    if call.client_left { SimDuration::ZERO } else { SimDuration::FOREVER }
}

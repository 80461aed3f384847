//! Streams that break after their headers (`router.py:_acompletion_streaming_iterator`,
//! `streaming_handler.py:_handle_stream_fallback_error`).

use super::{Cx, LiteLlm, Next};
use crate::gateway::litellm::call::{CallState, Flight, Frame};
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::plan::Layer;
use crate::gateway::litellm::wire::Testing;
use crate::gateway::{Ended, Notes, Response, Source, Step};
use crate::random::Draws;
use crate::units::{Phase, Usage};

impl LiteLlm {
    /// Before the first content the fallbacks are walked at once, without retries; after content there is nothing but
    /// an error inside the stream, which keeps its status 200 [T 114, 116].
    pub(super) fn stream_broken<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: &Flight,
        ended: &Ended,
    ) -> Next {
        if call.client_left {
            self.give_slot_back(cx, flight);
            return self.gone(cx, call, Some(flight.deployment));
        }
        // The exception that is logged is httpx's own, which has no status: it counts, but no deployment rests for it.
        let failure = Failure::without_status(Class::ApiConnection, 500);
        if ended.phase == Phase::AfterContent {
            let usage = Usage::plain(cx.request.prompt_tokens, ended.usage.output);
            call.held.tokens_used = self.plan.proxy.counted_tokens.of(&usage);
        }
        if self.plan.layer == Layer::Proxy {
            self.log_later(call, failure);
        } else {
            self.log_failure(cx, call, &failure);
        }
        self.give_slot_back(cx, flight);
        if ended.phase == Phase::AfterContent {
            self.log_deferred(cx, call);
            self.release_after_failure(cx, &mut call.held);
            let served_by = Some(flight.deployment);
            return Next::Do(Step::Respond(Response::new(200, false, served_by, Source::Upstream)));
        }
        // The parameters of the attempt are what its fallbacks begin with [T 291].
        if let Some(hop) = call.hop() {
            hop.own.mock.testing = Testing::default();
            call.refused_before = hop.refused.clone();
        }
        // The hop had been left with a stream in hand, and so had the walks around it: only the hop's own fallbacks
        // are still to come.
        if let Some(at) = call.frames.iter().rposition(|frame| matches!(frame, Frame::Hop(_))) {
            call.frames.truncate(at + 1);
            call.frames.drain(..at);
        }
        // The request's own retries and fallbacks are forgotten by then, and no deployment is named on the
        // failure. A stream takes over the headers of the one that it falls back to, but not of what that
        // one falls back to [T 116m].
        if call.broken < 2 {
            call.streamed = Some(flight.deployment);
        }
        call.broken += 1;
        Next::HopFailed(Failure::with_status(Class::MidStream, 500))
    }
}

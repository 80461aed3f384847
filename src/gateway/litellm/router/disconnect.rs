//! Clients that leave (`proxy/common_request_processing.py`).

use super::logging::Success;
use super::{Cx, LiteLlm, Next};
use crate::gateway::litellm::call::{CallState, Flight, Waiting};
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::plan::Layer;
use crate::gateway::{Ended, Notes, Response, Source, Step};
use crate::random::Draws;

/// The status that is written down when the client has gone.
const CLIENT_CLOSED: u16 = 499;

impl LiteLlm {
    /// The client has gone. A stream is closed upstream at once [T 117]; other calls run to their end and are paid
    /// [T 118], unless `cancel_on_disconnect` is set [T 119].
    pub(super) fn client_left<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState) -> Next {
        call.client_left = true;
        let cancels = self.plan.proxy.cancel_on_disconnect && self.plan.layer == Layer::Proxy;
        if !cx.request.stream && !cancels {
            return Next::Do(Step::CarryOn);
        }
        if call.flight.is_some() {
            return Next::Do(Step::CancelAttempt);
        }
        if !cancels {
            return Next::Do(Step::CarryOn);
        }
        if let Waiting::Slot(deployment) = call.waiting
            && let Some(slots) = &mut self.state.slots[deployment.index()]
        {
            slots.leave(cx.id);
        }
        self.gone(cx, call)
    }

    /// The attempt has been closed because the client has gone.
    pub(super) fn cancelled<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: &Flight,
        ended: &Ended,
    ) -> Next {
        self.give_slot_back(cx, flight);
        if !cx.request.stream {
            self.log_failure(cx, call, &Failure::without_status(Class::ApiConnection, CLIENT_CLOSED));
            return self.gone(cx, call);
        }
        self.log_deferred(cx, call);
        self.log_success(cx, Success { flight, usage: ended.usage, ended: Some(ended) });
        let dollars = self.plan.deployment(flight.deployment).cost(&ended.usage);
        self.release_after_success(cx, call, ended.usage, dollars);
        let served_by = Some(flight.deployment);
        Next::Do(Step::Respond(Response { http_status: 200, ok: true, served_by, source: Source::Upstream }))
    }

    fn gone<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState) -> Next {
        self.log_deferred(cx, call);
        self.release_after_failure(cx, call);
        let (http_status, source) = (CLIENT_CLOSED, Source::ClientLeft);
        Next::Do(Step::Respond(Response { http_status, ok: false, served_by: None, source }))
    }
}

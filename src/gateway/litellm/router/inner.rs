//! Fallbacks inside an attempt: `litellm_params.fallbacks` [T 106].

use super::{Cx, LiteLlm, Next};
use crate::gateway::Notes;
use crate::gateway::litellm::call::{CallState, Flight};
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::plan::Layer;
use crate::random::Draws;
use crate::units::{BodyId, DeploymentId, RetryAfter, WhyNot};

impl LiteLlm {
    /// An attempt has failed: fallbacks inside it are tried, if there are any left.
    pub(super) fn try_inner_fallbacks<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: Flight,
        failure: Failure,
    ) -> Next {
        if call.inner_left > 0 {
            return self.inner_fallback(cx, call, flight);
        }
        self.give_slot_back(cx, &flight);
        Next::Failed(self.after_inner_fallbacks(call, &flight, failure))
    }

    /// `litellm_params.fallbacks` are run by the SDK inside the attempt, against the same deployment [T 106].
    pub(super) fn inner_fallback<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: Flight,
    ) -> Next {
        let nth = self.plan.deployment(flight.deployment).inner_fallbacks.saturating_sub(call.inner_left);
        call.inner_left = call.inner_left.saturating_sub(1);
        if self.refuses_inside(flight.deployment, nth, cx.request.body) {
            return self.inner_fallback_refused(cx, call, flight);
        }
        call.log.about = Some((flight.deployment, flight.name));
        (call.again, call.dropped_params) = (0, false);
        self.tell_called(cx.now, flight.deployment, flight.name);
        call.flight = Some(flight);
        if self.plan.ends_calls
            && let Some(next) = self.end_before_call(cx, call, flight.deployment)
        {
            return next;
        }
        self.send(cx, call, flight.deployment)
    }

    /// Whether such a fallback does not take this body, or cannot be called at all.
    #[cold]
    fn refuses_inside(&self, id: DeploymentId, nth: u32, body: BodyId) -> bool {
        let inside = self.plan.inside.get(&id).and_then(|all| all.get(nth as usize));
        inside.is_some_and(|inside| inside.is_unplaced || self.plan.is_in_row(inside.refusals, body))
    }

    /// The model of the fallback does not take a parameter of the request, or LiteLLM does not know whom to
    /// call: the next one is tried [T 330].
    #[cold]
    fn inner_fallback_refused<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: Flight,
    ) -> Next {
        cx.notes.decided(cx.now, cx.id, || "the fallback inside the attempt is refused before its call".to_owned());
        let failure = Failure::with_status(Class::BadRequest, 400).because(WhyNot::Parameters);
        let num_retries = self.plan.deployment(flight.deployment).num_retries;
        let failure = Failure { deployment: Some(flight.deployment), num_retries, ..failure };
        if self.plan.layer == Layer::Router {
            call.log.about = Some((flight.deployment, flight.name));
        }
        self.log_failure(cx, call, &failure);
        self.try_inner_fallbacks(cx, call, flight, failure)
    }

    /// When inner fallbacks have failed as well, their failure comes out as a plain exception without a status.
    pub(super) fn after_inner_fallbacks(&self, call: &mut CallState, flight: &Flight, failure: Failure) -> Failure {
        if self.plan.layer == Layer::Router {
            // The next attempt has a logging object of its own.
            call.log.failed = false;
        }
        match self.plan.deployment(flight.deployment).inner_fallbacks {
            0 => failure,
            _ => {
                Failure { status: None, retry_after: RetryAfter::None, http_status: 500, class: Class::Api, ..failure }
            }
        }
    }
}

//! Fallbacks inside an attempt: `litellm_params.fallbacks` [T 106].

use super::{Cx, LiteLlm, Next};
use crate::gateway::Notes;
use crate::gateway::litellm::call::{CallState, Flight};
use crate::gateway::litellm::failure::{Class, Failure};
use crate::random::Draws;
use crate::units::RetryAfter;

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
        Next::Failed(self.after_inner_fallbacks(&flight, failure))
    }

    /// `litellm_params.fallbacks` are run by the SDK inside the attempt, against the same deployment [T 106].
    pub(super) fn inner_fallback<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: Flight,
    ) -> Next {
        call.inner_left -= 1;
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

    /// When inner fallbacks have failed as well, their failure comes out as a plain exception without a status.
    pub(super) fn after_inner_fallbacks(&self, flight: &Flight, failure: Failure) -> Failure {
        match self.plan.deployment(flight.deployment).inner_fallbacks {
            0 => failure,
            _ => {
                Failure { status: None, retry_after: RetryAfter::None, http_status: 500, class: Class::Api, ..failure }
            }
        }
    }
}

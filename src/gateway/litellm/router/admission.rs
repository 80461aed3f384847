//! What happens before any routing: keys, limits, budgets, and whether the model is known.

use super::{Cx, LiteLlm, Next};
use crate::gateway::Notes;
use crate::gateway::litellm::call::CallState;
use crate::gateway::litellm::plan::Layer;
use crate::gateway::{Response, Source, Step};
use crate::random::Draws;
use crate::units::RetryAfter;

impl LiteLlm {
    /// A request has arrived.
    #[inline(always)]
    pub(super) fn admission<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState) -> Next {
        if self.plan.layer == Layer::Proxy {
            if self.plan.proxy.has_key_limits
                && let Some((status, retry_after)) = self.over_key_limit(cx, call)
            {
                cx.notes.decided(cx.now, cx.id, || match retry_after {
                    RetryAfter::None => "a budget of the key, its user or its team is used up".to_owned(),
                    _ => format!("the key is over a limit: {}", self.words_of_limit(cx.request, cx.now)),
                });
                return refused(status, retry_after);
            }
            // An unknown name is refused before the router: default fallbacks do not help [T 29].
            if !self.plan.name(call.model).is_known {
                self.release_after_failure(cx, call);
                cx.notes.decided(cx.now, cx.id, || "the proxy does not know this model".to_owned());
                return refused(400, RetryAfter::None);
            }
        }
        call.begin(call.model);
        Next::Try
    }
}

/// The proxy answers by itself.
fn refused(http_status: u16, retry_after: RetryAfter) -> Next {
    let response = Response::new(http_status, false, None, Source::Admission);
    Next::Do(Step::Respond(Response { retry_after, ..response }))
}

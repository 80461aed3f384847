//! What happens before any routing: keys, limits, budgets, and whether the model is known.

use super::{Cx, LiteLlm, Next};
use crate::gateway::Notes;
use crate::gateway::litellm::call::{CallState, Held};
use crate::gateway::litellm::plan::Layer;
use crate::gateway::{Response, Source, Step};
use crate::random::Draws;
use crate::units::RetryAfter;

impl LiteLlm {
    /// A request has arrived.
    #[inline(always)]
    pub(super) fn admission<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState) -> Next {
        if let Some(response) = self.over_limit(cx, &mut call.held) {
            return Next::Do(Step::Respond(response));
        }
        self.let_in(cx, call)
    }

    /// The answer of a proxy whose key is over a limit.
    #[inline(always)]
    pub(super) fn over_limit<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        held: &mut Held,
    ) -> Option<Response> {
        let proxy = &self.plan.proxy;
        if self.plan.layer != Layer::Proxy || !(proxy.has_key_limits || proxy.refuses_bodies) {
            return None;
        }
        if !proxy.has_key_limits {
            return self.body(cx.request).is_unread.then(|| refused(500, RetryAfter::None));
        }
        let (status, retry_after) = self.over_key_limit(cx, held)?;
        cx.notes.decided(cx.now, cx.id, || match retry_after {
            RetryAfter::None if self.body(cx.request).is_unread => "the proxy cannot read a header".to_owned(),
            RetryAfter::None => "a budget of the key, its user or its team is used up".to_owned(),
            _ => format!("the key is over a limit: {}", self.words_of_limit(cx.request, cx.now)),
        });
        Some(refused(status, retry_after))
    }

    /// No limit is in the way.
    #[inline(always)]
    pub(super) fn let_in<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState) -> Next {
        // An unknown name is refused before the router: default fallbacks do not help [T 29].
        if self.plan.layer == Layer::Proxy && !self.plan.name(call.held.model).is_known {
            self.release_after_failure(cx, &mut call.held);
            cx.notes.decided(cx.now, cx.id, || "the proxy does not know this model".to_owned());
            return Next::Do(Step::Respond(refused(400, RetryAfter::None)));
        }
        if self.plan.proxy.refuses_bodies && self.plan.layer == Layer::Proxy && self.body(cx.request).is_mock {
            self.release_after_failure(cx, &mut call.held);
            cx.notes.decided(cx.now, cx.id, || "the proxy makes up no failures".to_owned());
            return Next::Do(Step::Respond(refused(400, RetryAfter::None)));
        }
        call.begin(call.held.model);
        Next::Try
    }
}

/// The proxy answers by itself.
fn refused(http_status: u16, retry_after: RetryAfter) -> Response {
    let response = Response::new(http_status, false, None, Source::Admission);
    Response { retry_after, ..response }
}

//! What happens before any routing: keys, limits, budgets, and whether the model is known.

use super::limits::Refused;
use super::{Cx, LiteLlm, Next};
use crate::gateway::Notes;
use crate::gateway::litellm::call::{CallState, Held};
use crate::gateway::litellm::plan::Layer;
use crate::gateway::{Response, Source, Step};
use crate::random::Draws;
use crate::units::{RetryAfter, WhyNot};

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
        if proxy.refuses_bodies
            && let Some(status) = self.body(cx.request).turned_away
        {
            cx.notes.decided(cx.now, cx.id, || "the proxy turns it away".to_owned());
            return Some(refused(Refused::new(WhyNot::TurnedAway, status)));
        }
        if !proxy.has_key_limits {
            return self.body(cx.request).is_unread.then(|| refused(Refused::new(WhyNot::Unreadable, 500)));
        }
        let how = self.over_key_limit(cx, held)?;
        cx.notes.decided(cx.now, cx.id, || match how.retry_after {
            RetryAfter::None if how.why == WhyNot::Unreadable => "the proxy cannot read a header".to_owned(),
            RetryAfter::None if how.status == 500 => {
                "a fallback with parameters of its own breaks the limit".to_owned()
            }
            RetryAfter::None if how.status == 503 => "a budget cannot be looked up".to_owned(),
            RetryAfter::None => format!("the {} is used up", how.why.words()),
            _ => format!("the key is over a limit: {}", self.words_of_limit(cx.request, how.why)),
        });
        Some(refused(how))
    }

    /// The proxy knows the model, or does not look it up: requests with settings of their own go straight to the
    /// router (`route_llm_request.py`) [T 295].
    #[inline(always)]
    fn is_taken<D: Draws, N: Notes>(&self, cx: &Cx<'_, D, N>, call: &CallState) -> bool {
        self.plan.name(call.held.model).is_known || self.body(cx.request).is_overridden
    }

    #[inline(always)]
    fn is_blocked<D: Draws, N: Notes>(&self, cx: &Cx<'_, D, N>, call: &CallState) -> bool {
        self.plan.name(call.held.model).is_blocked && !self.body(cx.request).is_overridden
    }

    /// A body asks for what the proxy asks for itself where only a deployment's model has this name [T 270].
    #[cold]
    fn is_named_twice<D: Draws, N: Notes>(&self, cx: &Cx<'_, D, N>, call: &CallState) -> bool {
        let is_by_model = self.plan.name(call.held.model).only_by_model;
        self.plan.layer == Layer::Proxy
            && is_by_model
            && self.body(cx.request).is_specific
            && !self.body(cx.request).is_overridden
    }

    /// No limit is in the way.
    #[inline(always)]
    pub(super) fn let_in<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState) -> Next {
        // An unknown name is refused before the router: default fallbacks do not help [T 29].
        if self.plan.layer == Layer::Proxy && !self.is_taken(cx, call) {
            self.release_after_failure(cx, &mut call.held);
            cx.notes.decided(cx.now, cx.id, || "the proxy does not know this model".to_owned());
            return Next::Do(Step::Respond(refused(Refused::new(WhyNot::UnknownModel, 400))));
        }
        if self.plan.proxy.refuses_bodies && self.plan.layer == Layer::Proxy && self.body(cx.request).is_mock {
            self.release_after_failure(cx, &mut call.held);
            cx.notes.decided(cx.now, cx.id, || "the proxy makes up no failures".to_owned());
            return Next::Do(Step::Respond(refused(Refused::new(WhyNot::Unreadable, 400))));
        }
        if self.plan.layer == Layer::Proxy && self.is_blocked(cx, call) {
            self.release_after_failure(cx, &mut call.held);
            cx.notes.decided(cx.now, cx.id, || "all that could serve this model are blocked".to_owned());
            return Next::Do(Step::Respond(refused(Refused::new(WhyNot::BlockedModel, 403))));
        }
        if self.plan.has_specific && self.is_named_twice(cx, call) {
            self.release_after_failure(cx, &mut call.held);
            cx.notes.decided(cx.now, cx.id, || "the proxy asks for a specific deployment twice, and breaks".to_owned());
            return Next::Do(Step::Respond(refused(Refused::new(WhyNot::Unreadable, 500))));
        }
        call.begin(call.held.model);
        Next::Try
    }
}

/// The proxy answers by itself.
fn refused(how: Refused) -> Response {
    let Refused { why, status, retry_after } = how;
    Response { retry_after, ..Response::new(status, false, None, Source::Admission(why)) }
}

//! Answers that are made up: no upstream is called, all else goes as if one had been (`main.py:mock_completion`)
//! [T 268].

use super::{Cx, LiteLlm, Next};
use crate::gateway::litellm::call::{CallState, Flight, Waiting};
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::plan::Mock;
use crate::gateway::litellm::wire::Mocked;
use crate::gateway::{Ended, Notes, Step};
use crate::random::Draws;
use crate::units::{DeploymentId, Outcome, Phase, RequestView, RetryAfter, SimDuration, Tokens, Usage, WhyNot};

/// Tokens of a prompt and of an answer that are told where nothing is streamed.
const TOLD: (Tokens, Tokens) = (10, 20);

impl LiteLlm {
    /// What is made up for the call at hand: parameters of a fallback entry go before those of the deployment.
    pub(super) fn mock_of(&self, call: &mut CallState, deployment: DeploymentId) -> Mock {
        let own = call.hop().map(|hop| hop.own.mock).unwrap_or_default();
        own.after(self.plan.deployment(deployment).mock)
    }

    /// What becomes of a call that is not made: its timeout cannot be read, or its answer is made up.
    #[cold]
    pub(super) fn end_before_call<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        deployment: DeploymentId,
    ) -> Option<Next> {
        if self.has_unread_timeout(cx.request, deployment) {
            cx.notes.decided(cx.now, cx.id, || "the timeout of the request is no number".to_owned());
            let flight = call.flight.take()?;
            let num_retries = self.plan.deployment(deployment).num_retries;
            let failure = Failure::with_status(Class::ApiConnection, 500).because(WhyNot::Parameters);
            let failure = Failure { num_retries, deployment: Some(deployment), ..failure };
            self.log_failure(cx, call, &failure);
            return Some(self.try_inner_fallbacks(cx, call, flight, failure));
        }
        self.mock_of(call, deployment).is_on().then(|| self.mock(cx, call, deployment))
    }

    /// Whether the timeout that counts is written so that it cannot be read [T 273].
    fn has_unread_timeout(&self, request: &RequestView, deployment: DeploymentId) -> bool {
        let (body, entry) = (self.body(request), self.plan.deployment(deployment));
        let [timeout, stream_timeout] = body.unread_timeouts;
        let has_own = body.stream_timeout.is_some() || entry.stream_timeout.is_some();
        match request.stream {
            true => stream_timeout || (timeout && !has_own),
            false => timeout,
        }
    }

    /// Begins such an answer.
    #[cold]
    pub(super) fn mock<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        deployment: DeploymentId,
    ) -> Next {
        let mock = self.mock_of(call, deployment);
        let own = call.hop().map(|hop| hop.own).unwrap_or_default();
        cx.notes.decided(cx.now, cx.id, || "makes up the answer: no upstream is called".to_owned());
        let pause = match mock.timeout {
            Some(true) => self.timeout_of_entry(cx.request, deployment, &own),
            _ => mock.delay.unwrap_or(SimDuration::ZERO),
        };
        if pause == SimDuration::ZERO {
            return self.mock_over(cx, call);
        }
        call.waiting = Waiting::Mock;
        Next::Do(Step::Sleep(pause))
    }

    /// It is there.
    pub(super) fn mock_over<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState) -> Next {
        let Some(flight) = call.flight.take() else { return Next::GiveUp(Failure::NO_DEPLOYMENT) };
        let mock = self.mock_of(call, flight.deployment);
        let failure = match mock.response {
            _ if mock.timeout == Some(true) => Failure::with_status(Class::Timeout, 408),
            Some(Mocked::RateLimit) => Failure::with_status(Class::RateLimit, 429),
            Some(Mocked::ContextWindow) => Failure::with_status(Class::ContextWindow, 400),
            Some(Mocked::InternalServer) => Failure::with_status(Class::InternalServer, 500),
            Some(Mocked::Refused) => Failure::with_status(Class::BadRequest, 400),
            Some(Mocked::Broken) if cx.request.stream => {
                let ended = self.mock_end(cx, call, &flight, Outcome::Cut, 0);
                return self.stream_broken(cx, call, &flight, &ended);
            }
            Some(Mocked::Broken) => Failure::with_status(Class::Api, 529),
            Some(Mocked::Answer(tokens)) => {
                let ended = self.mock_end(cx, call, &flight, Outcome::Ok, tokens);
                return self.served(cx, call, &flight, &ended);
            }
            Some(Mocked::Nothing) | None => return Next::GiveUp(Failure::NO_DEPLOYMENT),
        };
        let num_retries = self.plan.deployment(flight.deployment).num_retries;
        let failure = Failure { num_retries, deployment: Some(flight.deployment), ..failure };
        self.log_failure(cx, call, &failure);
        self.try_inner_fallbacks(cx, call, flight, failure)
    }

    /// Its end as that of a call. Where a budget has been reserved for it, its prompt has been counted.
    fn mock_end<D: Draws, N: Notes>(
        &self,
        cx: &Cx<'_, D, N>,
        call: &CallState,
        flight: &Flight,
        outcome: Outcome,
        tokens: Tokens,
    ) -> Ended {
        let counted = cx.request.stream || call.held.dollars.is_some();
        let input = if counted { cx.request.prompt_tokens } else { TOLD.0 };
        let output = if cx.request.stream { tokens } else { TOLD.1 };
        Ended {
            outcome,
            phase: Phase::BeforeContent,
            retry_after: RetryAfter::None,
            started: flight.started,
            first_token: cx.request.stream.then_some(cx.now),
            usage: Usage::plain(input, output),
        }
    }
}

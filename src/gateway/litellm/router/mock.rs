//! Answers that are made up: no upstream is called, all else goes as if one had been (`main.py:mock_completion`)
//! [T 268].

use super::{Cx, LiteLlm, Next};
use crate::gateway::litellm::call::{CallState, Flight, Waiting};
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::plan::{CustomTarget, Mock, unless_whole};
use crate::gateway::litellm::wire::Mocked;
use crate::gateway::{Ended, Notes, Step};
use crate::random::Draws;
use crate::units::{DeploymentId, NameId, Outcome, Phase, RequestView, RetryAfter, SimDuration, Tokens, Usage, WhyNot};

/// Tokens of a prompt and of an answer that are told where nothing is streamed.
const TOLD: (Tokens, Tokens) = (10, 20);

impl LiteLlm {
    /// What is made up for the call at hand: parameters of a fallback entry go before those of the request, and these
    /// before those of the deployment.
    pub(super) fn mock_of(&self, request: &RequestView, call: &mut CallState, deployment: DeploymentId) -> Mock {
        let Some(hop) = call.hop() else { return Mock::default() };
        let of_body = self.body(request).mock;
        let of_body = if hop.in_walk { of_body.for_fallbacks() } else { of_body };
        hop.own.mock.after(of_body).after(self.plan.deployment(deployment).mock)
    }

    /// A group that fails before anything is called, as its request wants it: for its fallbacks at once, or as a rate
    /// limit, which is tried again [T 292].
    #[cold]
    pub(super) fn made_up_failure<D: Draws, N: Notes>(
        &self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        name: NameId,
    ) -> Option<Next> {
        // What had been asked for went with the call whose stream has broken.
        let of_body = if call.streamed.is_some() { Mock::default() } else { self.body(cx.request).mock };
        let hop = call.hop().filter(|hop| hop.retry.is_none())?;
        let of_body = if hop.in_walk { of_body.for_fallbacks() } else { of_body };
        let testing = hop.own.mock.after(of_body).testing;
        let kinds = [(Class::InternalServer, 500), (Class::ContextWindow, 400), (Class::ContentPolicy, 400)];
        let kind = testing.fallbacks.iter().zip(kinds).find(|(flag, _)| **flag == Some(true));
        if kind.is_none() && testing.rate_limit != Some(true) {
            return None;
        }
        cx.notes.decided(cx.now, cx.id, || "makes up a failure: nothing is called".to_owned());
        if let Some((_, (class, status))) = kind {
            return Some(Next::HopFailed(Failure::with_status(class, status).because(WhyNot::Parameters)));
        }
        let num_retries = match &*self.plan.name(name).listed {
            [only] => self.plan.deployment(*only).num_retries,
            _ => None,
        };
        let failure = Failure::with_status(Class::RateLimit, 429).because(WhyNot::Parameters);
        Some(Next::Failed(Failure { num_retries, ..failure }))
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
        self.mock_of(cx.request, call, deployment).is_on().then(|| self.mock(cx, call, deployment))
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
        let mock = self.mock_of(cx.request, call, deployment);
        cx.notes.decided(cx.now, cx.id, || "makes up the answer: no upstream is called".to_owned());
        self.mock_after(cx, call, mock.delay.unwrap_or(SimDuration::ZERO))
    }

    /// `mock_timeout`: the SDK fails before it tells the logging object which deployment it is about, and before the
    /// fallbacks inside the attempt (`main.py:acompletion`) [T 277].
    #[cold]
    pub(super) fn mock_timeout<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: Flight,
    ) -> Next {
        cx.notes.decided(cx.now, cx.id, || "makes up a timeout: no upstream is called".to_owned());
        (call.inner_left, call.flight) = (0, Some(flight));
        let own = call.hop().map(|hop| hop.own).unwrap_or_default();
        let pause = self.mock_pause(cx.request, flight.deployment, &own);
        self.mock_after(cx, call, pause)
    }

    /// How long that takes: the timeout that the SDK is told, whether its provider's client would obey it or not.
    /// Whole numbers are not waited for, except those of deployments, which become decimal ones.
    fn mock_pause(&self, request: &RequestView, deployment: DeploymentId, own: &CustomTarget) -> SimDuration {
        let (body, entry) = (self.body(request), self.plan.deployment(deployment));
        let told = |of_entry: Option<Option<SimDuration>>, of_body: Option<SimDuration>, is_whole: bool| match of_entry
        {
            Some(secs) => secs.map(unless_whole),
            None => of_body.map(|secs| if is_whole { SimDuration::ZERO } else { secs }),
        };
        let [is_whole, is_stream_whole] = body.whole_timeouts;
        let timeout = told(own.timeout, body.timeout, is_whole).or(own.request_timeout.flatten().map(unless_whole));
        let [of_call, of_stream] = entry.mock_pauses;
        match request.stream {
            false => timeout.unwrap_or(of_call),
            true => told(own.stream_timeout, body.stream_timeout, is_stream_whole)
                .or(entry.stream_timeout.map(|_| of_stream))
                .or(timeout)
                .unwrap_or(of_stream),
        }
    }

    /// A `mock_delay` is waited for before anything is refused [T 338].
    #[cold]
    pub(super) fn refuse_or_delay<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        flight: Flight,
    ) -> Next {
        let id = &self.plan.deployment(flight.deployment).id;
        cx.notes.decided(cx.now, cx.id, || format!("{id} does not take a parameter of the request"));
        let mock =
            if self.plan.ends_calls { self.mock_of(cx.request, call, flight.deployment) } else { Mock::default() };
        match mock.delay.filter(|delay| mock.is_on() && *delay > SimDuration::ZERO) {
            Some(delay) => {
                call.flight = Some(flight);
                self.mock_after(cx, call, delay)
            }
            None => self.refuse_params(cx, call, flight),
        }
    }

    fn mock_after<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        call: &mut CallState,
        pause: SimDuration,
    ) -> Next {
        if pause == SimDuration::ZERO {
            return self.mock_over(cx, call);
        }
        call.waiting = Waiting::Mock;
        Next::Do(Step::Sleep(pause))
    }

    /// It is there.
    pub(super) fn mock_over<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState) -> Next {
        let Some(flight) = call.flight.take() else { return Next::GiveUp(Failure::NO_DEPLOYMENT) };
        let mock = self.mock_of(cx.request, call, flight.deployment);
        let is_first = call.inner_left == self.plan.deployment(flight.deployment).inner_fallbacks;
        if is_first && mock.timeout != Some(true) && self.plan.refuses(flight.name, flight.deployment, cx.request.body)
        {
            return self.refuse_params(cx, call, flight);
        }
        if mock.timeout == Some(true) {
            return self.fail_unseen(cx, call, flight, Failure::with_status(Class::Timeout, 408));
        }
        let failure = match mock.response {
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

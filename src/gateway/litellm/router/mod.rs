//! The state machine: what LiteLLM does with one request, step by step.
//!
//! A request visits *hops* (groups of deployments). Within a hop it makes attempts, with pauses between them
//! (`retry`); when a hop has failed, a *walk* over fallback targets makes further hops (`fallback`), depth first.
//! `drive` runs the machine until something has to happen outside of it.

mod admission;
mod affinity;
mod attempt;
mod budget;
mod cache;
mod candidates;
mod cooldown;
mod disconnect;
mod enforced;
mod fallback;
mod inner;
mod light;
mod limits;
mod logging;
mod mock;
mod purses;
mod responses;
mod retry;
mod shelf;
mod shortcut;
mod slips;
mod stream;
mod windows;
mod written;

use crate::gateway::litellm::call::{CallState, Flight, Held, Waiting};
use crate::gateway::litellm::failure::{Class, Failure};
use crate::gateway::litellm::plan::{Body, Layer, Plan};
use crate::gateway::litellm::shared::{Place, Shared};
use crate::gateway::litellm::state::State;
pub(super) use budget::Budgets;
pub(super) use limits::KeyUse;
pub(super) use logging::Late;
use logging::Success;
pub use responses::MOST_ANSWERS;
pub(super) use responses::Responses;
pub(super) use shortcut::Shortcut;

use crate::gateway::fleet::Replicated;
use crate::gateway::{Attempt, Event, Gateway, Light, Notes, PlainAnswer, RequestView, Response, Source, Step, Turn};
use crate::random::Draws;
use crate::units::{CallId, DeploymentId, RetryAfter, SimTime, Usage, WhyNot};

/// A LiteLLM proxy (or bare router) in operation.
pub struct LiteLlm {
    pub(super) plan: Plan,
    pub(super) state: State,
}

/// What one process remembers.
pub struct Memory(State);

/// What one step of the machine may use.
pub(super) struct Cx<'a, D: Draws, N: Notes> {
    pub now: SimTime,
    pub id: CallId,
    pub draws: &'a mut D,
    pub notes: &'a mut N,
    pub woken: &'a mut Vec<CallId>,
    pub request: &'a RequestView,
}

impl<'a, D: Draws, N: Notes> Cx<'a, D, N> {
    #[inline(always)]
    fn new(turn: Turn<'a, D, N>, request: &'a RequestView) -> Self {
        let Turn { now, call: id, draws, notes, woken } = turn;
        Self { now, id, draws, notes, woken, request }
    }
}

/// What happens next within the machine.
pub(super) enum Next {
    /// The machine has something to be done outside.
    Do(Step),
    /// The innermost hop picks a deployment.
    Try,
    /// The call may go to this deployment: the slot that it needs is held.
    Call(DeploymentId, Option<u32>),
    /// The try of the innermost hop has failed.
    Failed(Failure),
    /// The innermost hop has failed for good.
    HopFailed(Failure),
    /// The innermost walk goes on to its next target.
    WalkOn,
    /// The request is over, without an answer.
    GiveUp(Failure),
}

impl LiteLlm {
    /// A gateway that has just started.
    pub fn new(plan: Plan) -> Self {
        let state = State::new(&plan);
        Self { plan, state }
    }

    pub(super) fn body(&self, request: &RequestView) -> &Body {
        &self.plan.bodies[request.body.index()]
    }

    /// What the request itself says about retries and fallbacks; nothing once its stream has broken.
    pub(super) fn own(&self, request: &RequestView, call: &CallState) -> &Body {
        if call.streamed.is_some() { &self.plan.nothing_asked } else { self.body(request) }
    }

    /// What an answer of this call costs in LiteLLM's own books, in dollars.
    pub(super) fn cost(&self, now: SimTime, flight: &Flight, usage: &Usage) -> f64 {
        self.plan.cost(now, (flight.name, flight.deployment), usage)
    }

    /// Runs the machine until something has to happen outside. What happens to nearly every request stands in a
    /// straight line in front of the loop, so that nothing is passed through memory on the way.
    #[inline(always)]
    fn drive<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState, mut next: Next) -> Step {
        if let Next::Try = next {
            next = self.try_hop(cx, call);
            if let Next::Call(deployment, slot) = next {
                next = self.begin_call(cx, call, deployment, slot);
            }
        }
        match next {
            Next::Do(step) if call.log.deferred.is_empty() => step,
            next => self.drive_on(cx, call, next),
        }
    }

    #[inline(never)]
    fn drive_on<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState, mut next: Next) -> Step {
        loop {
            next = match next {
                Next::Do(step) => {
                    self.log_deferred(cx, call);
                    return step;
                }
                Next::Try => self.try_hop(cx, call),
                Next::Call(deployment, slot) => self.begin_call(cx, call, deployment, slot),
                Next::Failed(failure) => self.try_failed(cx, call, failure),
                Next::HopFailed(failure) => self.hop_failed(cx, call, failure),
                Next::WalkOn => self.walk_on(cx, call),
                Next::GiveUp(failure) => self.give_up(cx, call, failure),
            }
        }
    }

    /// The request is over, without an answer.
    fn give_up<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, call: &mut CallState, failure: Failure) -> Next {
        self.log_deferred(cx, call);
        self.release_after_failure(cx, &mut call.held);
        let source = match failure.why {
            WhyNot::Upstream => Source::Upstream,
            why => Source::NoDeployment(why),
        };
        // A stream that had begun has its deployment in the headers already, where there are any.
        let served_by = call.streamed.filter(|_| self.plan.layer == Layer::Proxy);
        // Only the router's own exception brings a header along (`common_request_processing.py`); those of upstreams
        // are renamed to `llm_provider-retry-after`, which no client obeys.
        let retry_after = match failure.class {
            Class::NoDeployment => self.rests_for(cx.now, call.held.model),
            _ => RetryAfter::None,
        };
        let response = Response::new(failure.answered_with(), false, served_by, source);
        Next::Do(Step::Respond(Response { retry_after, ..response }))
    }
}

impl Gateway for LiteLlm {
    type Call = CallState;
    type Held = Held;

    #[inline(always)]
    fn admit<D: Draws, N: Notes>(&mut self, turn: Turn<'_, D, N>, request: &RequestView, call: &mut CallState) -> Step {
        let mut cx = Cx::new(turn, request);
        call.reset(cx.now, request.model);
        let next = self.admission(&mut cx, call);
        self.drive(&mut cx, call, next)
    }

    #[inline(always)]
    fn plain_attempt<D: Draws>(&mut self, now: SimTime, draws: &mut D, request: &RequestView) -> Option<Attempt> {
        self.plain_pick(now, draws, request)
    }

    fn fell_back_plainly<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        request: &RequestView,
        attempt: &Attempt,
    ) {
        self.blame_for_home(&mut Cx::new(turn, request), attempt);
    }

    #[inline(always)]
    fn tallied_attempt<D: Draws>(&mut self, now: SimTime, draws: &mut D, request: &RequestView) -> Option<Attempt> {
        self.tallied_pick(now, draws, request)
    }

    #[inline(always)]
    fn tally(&mut self, now: SimTime, at: SimTime, deployment: DeploymentId) {
        self.state.outcomes[deployment.index()].successes.add_ahead(now, at);
    }

    #[inline(always)]
    fn plainly_answered(&mut self, now: SimTime, request: &RequestView, answer: &PlainAnswer) {
        let PlainAnswer { deployment, name, started, usage } = *answer;
        let flight = Flight { deployment, name, started, slot: None };
        let success =
            Success { flight, since: started, usage, first_token: None, from_cache: false, takes_over: false };
        self.log_success(now, request.stream, success);
    }

    #[inline(always)]
    fn may_be_light(&self, request: &RequestView) -> bool {
        self.state.shortcuts[request.model.index()].is_light
    }

    #[inline(always)]
    fn admit_lightly<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        request: &RequestView,
        held: &mut Held,
    ) -> Light {
        self.begin_lightly(&mut Cx::new(turn, request), held)
    }

    fn go_on<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        request: &RequestView,
        call: &mut CallState,
        held: Held,
    ) -> Step {
        let mut cx = Cx::new(turn, request);
        call.reset(cx.now, request.model);
        call.held = held;
        let next = self.let_in(&mut cx, call);
        self.drive_on(&mut cx, call, next)
    }

    fn wait_lightly<D: Draws, N: Notes>(&mut self, turn: Turn<'_, D, N>, held: &mut Held, deployment: DeploymentId) {
        self.stand_in_line(turn.now, turn.call, held, deployment);
    }

    fn woke_lightly<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        request: &RequestView,
        held: &mut Held,
        deployment: DeploymentId,
    ) -> Light {
        let mut cx = Cx::new(turn, request);
        let step = self.send_lightly(&mut cx, held, (deployment, request.model));
        self.log_late(&mut cx);
        step
    }

    fn take_up(
        &mut self,
        moments: (SimTime, SimTime),
        _: &RequestView,
        call: &mut CallState,
        held: Held,
        attempt: &Attempt,
    ) {
        self.make_heavy(moments, call, held, attempt);
    }

    #[inline(always)]
    fn lightly_answered<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        request: &RequestView,
        answer: &PlainAnswer,
        held: Held,
    ) {
        self.end_lightly(&mut Cx::new(turn, request), answer, held);
    }

    #[inline(always)]
    fn resume<D: Draws, N: Notes>(
        &mut self,
        turn: Turn<'_, D, N>,
        request: &RequestView,
        call: &mut CallState,
        event: Event<'_>,
    ) -> Step {
        let mut cx = Cx::new(turn, request);
        let next = match event {
            Event::Ended(ended) => match self.attempt_ended(&mut cx, call, ended) {
                Next::Do(step) if call.log.deferred.is_empty() => return step,
                next => next,
            },
            Event::Woke => match std::mem::take(&mut call.waiting) {
                Waiting::Slot(deployment, number) => {
                    let step = self.drive_on(&mut cx, call, Next::Call(deployment, Some(number)));
                    self.log_late(&mut cx);
                    return step;
                }
                Waiting::Failed(failure) => Next::HopFailed(failure),
                Waiting::Client => self.client_woke(&cx, call),
                Waiting::Mock => self.mock_over(&mut cx, call),
                Waiting::Pause | Waiting::Nothing => Next::Try,
            },
            Event::ClientLeft(phase) => self.client_left(&mut cx, call, phase),
        };
        self.drive_on(&mut cx, call, next)
    }
}

impl Replicated for LiteLlm {
    type Memory = Memory;

    fn becomes_several(&mut self) {
        self.state.shared = Some(Box::new(Shared::new(&self.plan)));
    }

    fn started(&self, seat: u32, identity: u64) -> Memory {
        Memory(State { place: Place::new(seat, identity), ..State::new(&self.plan) })
    }

    fn exchange(&mut self, memory: &mut Memory) {
        self.state.exchange(&mut memory.0, &self.plan);
    }

    fn crashed(&mut self, seat: u32) {
        if let Some(shared) = &mut self.state.shared {
            shared.crashed(seat);
        }
    }

    fn lost(&mut self, request: &RequestView, call: &mut CallState) {
        self.let_go(request.key, &mut call.held);
    }
}

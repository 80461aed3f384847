//! Light requests: let in, sent to a deployment at once, answered in full. Of nearly every request nothing has to be
//! kept on its way but what it holds of limits; frames, logs and flights are made for the others only. What is told
//! here in a straight line is what `drive` and `attempt_ended`, the slow twins, do for such a request step by step.

use super::logging::Success;
use super::{Cx, LiteLlm};
use crate::gateway::litellm::call::{CallState, Flight, Held};
use crate::gateway::parts::Slot;
use crate::gateway::{Attempt, AttemptRole, Light, Notes, PlainAnswer, Response, Source};
use crate::random::Draws;
use crate::units::{CallId, DeploymentId, NameId, SimDuration, SimTime};

/// What became of a pick.
enum Picked {
    /// This deployment can be called.
    Free((DeploymentId, NameId)),
    /// All its slots are taken.
    Taken(DeploymentId),
    /// More has to be asked.
    Nothing,
}

impl LiteLlm {
    /// A request has arrived that may be light.
    #[inline(always)]
    pub(super) fn begin_lightly<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, held: &mut Held) -> Light {
        *held = Held { model: cx.request.model, ..Held::default() };
        if let Some(response) = self.over_limit(cx, held) {
            return Light::Respond(response);
        }
        let called = match self.pick_lightly(cx, held) {
            Picked::Free(called) => called,
            Picked::Taken(deployment) => return Light::Wait(deployment),
            Picked::Nothing => return Light::GoOn,
        };
        self.send_lightly(cx, held, called)
    }

    /// The cache, then upstream: for a request that has its slot, if one is needed.
    #[inline(always)]
    pub(super) fn send_lightly<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        held: &mut Held,
        called: (DeploymentId, NameId),
    ) -> Light {
        if let Some(usage) = self.cached(cx.now, cx.request, held, called) {
            let answer = PlainAnswer { deployment: called.0, name: called.1, started: cx.now, usage };
            self.succeed_lightly(cx, held, &answer, true);
            return Light::Respond(Response::new(200, true, Some(called.0), Source::Cache));
        }
        Light::Attempt(self.attempt(cx.request, called, SimDuration::FOREVER, AttemptRole::First))
    }

    /// Picks a deployment and takes its slot.
    #[inline(always)]
    fn pick_lightly<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, held: &mut Held) -> Picked {
        let name = cx.request.model;
        if held.model != name {
            return Picked::Nothing;
        }
        let Some(deployment) = self.pick_of_rest(cx.now, cx.draws, name, 0) else { return Picked::Nothing };
        if self.state.kept.is_some() {
            self.count_pick(cx, deployment);
            self.write_slots(cx.now, deployment);
        }
        let Some(slots) = &mut self.state.slots[deployment.index()] else { return Picked::Free((deployment, name)) };
        held.slot = slots.take_free(cx.now);
        if held.slot.is_some() { Picked::Free((deployment, name)) } else { Picked::Taken(deployment) }
    }

    /// Waits in line for a slot.
    pub(super) fn stand_in_line(&mut self, now: SimTime, id: CallId, held: &mut Held, deployment: DeploymentId) {
        let slots = self.state.slots[deployment.index()].as_mut();
        held.slot = slots.map(|slots| match slots.take(now, id) {
            Slot::Held(number) | Slot::Queued(number) => number,
        });
    }

    /// It is answered in full: by its deployment, or from the cache.
    #[inline(always)]
    fn succeed_lightly<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        held: &mut Held,
        answer: &PlainAnswer,
        from_cache: bool,
    ) {
        let PlainAnswer { deployment, name, started, usage } = *answer;
        let flight = Flight { deployment, name, started, slot: held.slot };
        let is_awaited = self.give_slot_back(cx, &flight);
        let success = Success { flight, since: started, usage, first_token: None, from_cache, takes_over: false };
        if is_awaited && !from_cache {
            self.log_when_next_has_gone(cx, held, success);
        } else {
            self.log_success(cx.now, cx.request.stream, success);
        }
        if self.plan.proxy.has_key_limits {
            let is_free = from_cache || !self.plan.keys.get(cx.request.key).spends();
            let dollars = if is_free { 0.0 } else { self.cost(cx.now, &flight, &usage) };
            self.release_after_success(cx, held, (name, usage, dollars));
        }
        if !(from_cache || (is_awaited && cx.request.stream)) {
            self.keep_response(cx, held, &success);
        }
    }

    /// Its attempt has been answered.
    #[inline(always)]
    pub(super) fn end_lightly<D: Draws, N: Notes>(
        &mut self,
        cx: &mut Cx<'_, D, N>,
        answer: &PlainAnswer,
        mut held: Held,
    ) {
        self.succeed_lightly(cx, &mut held, answer, false);
    }

    /// Its attempt has been sent, but will not be answered in full: the request is what it would be on the long way.
    pub(super) fn make_heavy(
        &self,
        (arrived, now): (SimTime, SimTime),
        call: &mut CallState,
        held: Held,
        attempt: &Attempt,
    ) {
        let (deployment, name) = (attempt.deployment, held.model);
        call.reset(arrived, name);
        call.begin(name);
        call.held = held;
        (call.picks, call.attempts) = (1, 1);
        call.log.about = Some((deployment, name));
        call.flight = Some(Flight { deployment, name, started: now, slot: held.slot });
        call.inner_left = self.plan.deployment(deployment).inner_fallbacks;
    }
}

//! Requests of a key or a session stay at the deployment that was called for them before [T 269].

use super::{Cx, LiteLlm};
use crate::gateway::Notes;
use crate::gateway::litellm::affinity::Pin;
use crate::gateway::litellm::kept::Kept;
use crate::gateway::litellm::plan::{AffinityFlags, Layer};
use crate::random::Draws;
use crate::units::{DeploymentId, NameId, RequestView};

impl LiteLlm {
    /// Under what a request's deployment is remembered: for its session first, then for its key. The bare router knows
    /// no keys.
    fn pins_of(&self, request: &RequestView, group: NameId, flags: AffinityFlags) -> [Option<Pin>; 2] {
        let session = self.body(request).session.filter(|_| flags.of_session);
        let has_key = flags.of_key && self.plan.layer == Layer::Proxy;
        [session.map(|session| (group, request.key, Some(session))), has_key.then_some((group, request.key, None))]
    }

    /// Leaves only the deployment that was called before, if it is among the candidates. Higher orders are asked for
    /// as they are.
    #[cold]
    pub(super) fn keep_pinned<D: Draws, N: Notes>(&mut self, cx: &mut Cx<'_, D, N>, name: NameId) {
        let (Some(affinity), [first, others @ ..]) = (&self.plan.router.affinity, self.state.candidates.as_slice())
        else {
            return;
        };
        let group = self.plan.deployment(*first).group;
        if others.iter().any(|id| self.plan.deployment(*id).group != group) {
            return;
        }
        let flags = affinity.of(self.plan.name(name).resolved);
        let is_there = |id: &DeploymentId| self.state.candidates.contains(id);
        let pins = self.pins_of(cx.request, group, flags).into_iter().flatten();
        let found = pins.filter_map(|pin| self.state.pins.get(cx.now, &pin)).find(is_there);
        if let Some(pinned) = found {
            let id = &self.plan.deployment(pinned).id;
            cx.notes.decided(cx.now, cx.id, || format!("stays at {id}, which was called before"));
            self.state.candidates.retain(|id| *id == pinned);
        }
    }

    /// A deployment is called.
    #[cold]
    pub(super) fn claim_pins<D: Draws, N: Notes>(&mut self, cx: &Cx<'_, D, N>, deployment: DeploymentId) {
        let Some(affinity) = &self.plan.router.affinity else { return };
        let group = self.plan.deployment(deployment).group;
        for pin in self.pins_of(cx.request, group, affinity.of(group)).into_iter().flatten() {
            if self.state.pins.claim(cx.now, pin, deployment, affinity.life) {
                self.state.write_anew(&self.plan, cx.now, Kept::Pin(pin), affinity.life);
            }
        }
    }
}

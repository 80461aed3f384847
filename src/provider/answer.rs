//! Plain answers: what the providers say of a call that nothing happens to. The slow twin is `State::serve`, which
//! knows everything that may happen; here whatever may be the case ends in `None`, and nothing stands in memory (100
//! instructions a call less).

use crate::provider::attempt::Attempt;
use crate::provider::providers::Providers;
use crate::provider::service::{Service, UpstreamCall};
use crate::provider::world::State;
use crate::random::Here;
use crate::traffic::Fate;
use crate::units::SimTime;

impl State {
    /// What `State::serve` says of a plain answer.
    #[inline(always)]
    pub(super) fn answer(
        &mut self,
        plan: &Providers,
        now: SimTime,
        here: Here,
        call: &UpstreamCall,
        fate: &Fate,
    ) -> Option<Service> {
        let deployment = &plan.deployments()[call.deployment.index()];
        if !deployment.is_simple() || now >= deployment.unauthorized_from || now >= deployment.retired_from {
            return None;
        }
        let at = Attempt { draws: here, deployment, latency: deployment.latency_at(now), call: *call };
        let latency_factor = self.calm(plan, now, at)?;
        Some(at.answered(at.complete_usage(fate), latency_factor))
    }
}

//! Plain answers: what the providers say of a call that nothing happens to. The slow twin is `State::serve`, which knows
//! everything that may happen; here whatever may be the case ends in `None`, and nothing stands in memory (100 instructions
//! a call less).

use crate::provider::attempt::Attempt;
use crate::provider::providers::Providers;
use crate::provider::service::{Service, UpstreamCall};
use crate::provider::world::State;
use crate::random::{Here, Purpose};
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
        let latency_factor = self.pass_troubles(plan, now, at)?;
        Some(at.answered(at.complete_usage(fate), latency_factor))
    }

    /// The factor on the latency of a call that meets no trouble, `None` if it does: what `State::meet_troubles` finds,
    /// without saying how calls fail.
    #[inline(always)]
    fn pass_troubles(&mut self, plan: &Providers, now: SimTime, at: Attempt<'_>) -> Option<f64> {
        let deployment = at.deployment;
        let mut latency_factor = 1.0;
        let mut is_calm = true;
        if deployment.troubles.is_empty() && deployment.errors.is_empty() {
            return Some(latency_factor);
        }
        let mut luck = Luck { u: at.unit(Purpose::Failure, 0).as_f64(), passed: 0.0 };
        for &index in &deployment.troubles {
            let trouble = &plan.troubles()[index];
            let active = self.phases[index].active(&trouble.timeline, now);
            if active {
                latency_factor *= trouble.effect.latency_factor;
                is_calm = false;
            }
            if !luck.passes(if active { trouble.effect.share } else { trouble.effect.share_outside }) {
                return None;
            }
        }
        for error in &deployment.errors {
            if !luck.passes(error.share) {
                return None;
            }
        }
        if is_calm {
            self.count_luck(now, &at.call, false);
        }
        Some(latency_factor)
    }
}

/// One uniform number against one cause after the other.
struct Luck {
    u: f64,
    /// The share of the last cause that it has passed: it is stretched only where another follows.
    passed: f64,
}

impl Luck {
    #[inline(always)]
    fn passes(&mut self, share: f64) -> bool {
        if share <= 0.0 {
            return true;
        }
        if self.passed > 0.0 {
            self.u = (self.u - self.passed) / (1.0 - self.passed);
        }
        self.passed = share;
        self.u >= share
    }
}

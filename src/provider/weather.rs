//! The weather at a deployment: which of its troubles are on, and so how likely a call is to meet none. It changes only
//! when one of them begins or ends, and is kept until then in a few bytes, so that nearly no call asks one trouble
//! after the other (80 instructions and two lines of memory a call less). The slow twin is `State::meet_troubles`.

use crate::provider::attempt::Attempt;
use crate::provider::deployment::Deployment;
use crate::provider::providers::Providers;
use crate::provider::timeline::{Timeline, Walk, Window};
use crate::provider::world::State;
use crate::random::Purpose;
use crate::units::SimTime;

/// Where a trouble stands: `window` is the current or the next one, or the empty one before the first.
#[derive(Debug, Clone)]
pub(super) struct Phase {
    pub(super) walk: Walk,
    pub(super) window: Window,
}

impl Phase {
    /// Whether `now` is within a window. Time never goes back.
    #[inline]
    pub(super) fn active(&mut self, timeline: &Timeline, now: SimTime) -> bool {
        if now >= self.window.end {
            self.advance(timeline, now);
        }
        now >= self.window.start
    }

    #[cold]
    fn advance(&mut self, timeline: &Timeline, now: SimTime) {
        const NEVER: Window = Window { start: SimTime::NEVER, end: SimTime::NEVER };
        while now >= self.window.end && self.window.end != SimTime::NEVER {
            self.window = self.walk.next(timeline).unwrap_or(NEVER);
        }
    }
}

/// How things are at a deployment for the time being.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    /// From this moment on it may be otherwise.
    until: SimTime,
    /// The factor on the latency of answers.
    latency_factor: f64,
    /// A call whose number is not below this meets no trouble.
    safe: f64,
}

impl Weather {
    /// Nobody has looked yet.
    pub(super) const UNKNOWN: Self = Self { until: SimTime(i64::MIN), latency_factor: 1.0, safe: 0.0 };
}

/// Far more than rounding can move a number that is stretched after each cause.
const MARGIN: f64 = 1e-9;

impl State {
    /// The factor on the latency of a call that surely meets no trouble. Who is not sure asks one
    /// trouble after the other.
    #[inline(always)]
    pub(super) fn calm(&mut self, plan: &Providers, now: SimTime, at: Attempt<'_>) -> Option<f64> {
        let place = at.call.deployment.index();
        if now >= self.weather[place].until {
            self.weather[place] = self.look(plan, now, at.deployment);
        }
        let Weather { latency_factor, safe, .. } = self.weather[place];
        // Where nothing can go wrong nothing is drawn.
        let is_safe = safe <= 0.0 || at.unit(Purpose::Failure, 0).as_f64() >= safe;
        if is_safe {
            self.count_luck(plan, now, at, false);
        }
        is_safe.then_some(latency_factor)
    }

    #[cold]
    fn look(&mut self, plan: &Providers, now: SimTime, deployment: &Deployment) -> Weather {
        let (mut until, mut latency_factor, mut unharmed) = (SimTime::NEVER, 1.0, 1.0);
        let mut bears = |share: f64| unharmed *= 1.0 - share.clamp(0.0, 1.0);
        for &index in &deployment.troubles {
            let (trouble, phase) = (&plan.troubles()[index], &mut self.phases[index]);
            let active = phase.active(&trouble.timeline, now);
            until = until.min(if active { phase.window.end } else { phase.window.start });
            if active {
                latency_factor *= trouble.effect.latency_factor;
            }
            bears(if active { trouble.effect.share } else { trouble.effect.share_outside });
        }
        deployment.errors.iter().for_each(|error| bears(error.share));
        let safe = if unharmed < 1.0 { 1.0 - unharmed + MARGIN } else { 0.0 };
        Weather { until, latency_factor, safe }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{BackgroundError, Begin, Effect, Fault, Latency, Trouble, UpstreamCall};
    use crate::random::{Addressed, Dist, Replication, Seed};
    use crate::units::{ClassId, DeploymentId, RequestId, SimDuration};
    use std::sync::Arc;

    /// Three troubles that overlap, one of them often, and an error.
    fn stormy() -> Arc<Providers> {
        let trouble = |address: u32, quiet_s: f64, share: f64, share_outside: f64| {
            let mut effect = Effect { share_outside, ..Effect::failing(Fault::Status(503), share) };
            effect.latency_factor = 1.0 + f64::from(address) / 3.0;
            Trouble {
                address: address.into(),
                timeline: Timeline::markov(quiet_s, 40.0, Begin::Quiet).unwrap(),
                effect,
            }
        };
        let troubles = vec![trouble(1, 50.0, 0.3, 0.0), trouble(2, 300.0, 0.9, 0.01), trouble(3, 900.0, 0.0, 0.0)];
        let latency = Latency::Total { total_s: Dist::constant(1.0).unwrap(), first_token_share: 0.2 };
        let bare = || Deployment::new(9, latency.clone(), Dist::constant(0.1).unwrap());
        let error = BackgroundError { fault: Fault::Status(500), share: 0.02, after_s: None };
        let all = Deployment { troubles: vec![0, 1, 2], errors: vec![error], ..bare() };
        let slow = Deployment { troubles: vec![2], ..bare() };
        Arc::new(Providers::new(vec![all, slow, bare()], troubles, vec![]).unwrap())
    }

    #[test]
    fn a_call_is_calm_where_it_meets_no_trouble() {
        let plan = stormy();
        let (mut fast, mut slow) =
            (State::new(&plan, Seed(4), Replication(0)), State::new(&plan, Seed(4), Replication(0)));
        let mut draws = Addressed::new(Seed(4), Replication(0));
        let (mut unsure, mut calm) = (0, 0);
        for request in 0..60_000u64 {
            let now = SimTime::ZERO + SimDuration(request as i64 * 97_000_000);
            draws.begin_request(0, request);
            let deployment = DeploymentId((request % 3) as u32);
            let entry = &plan.deployments()[deployment.index()];
            let call = UpstreamCall {
                deployment,
                class: ClassId(0),
                request: RequestId(request),
                nth_try: 0,
                stream: false,
                max_tokens: None,
            };
            let at = Attempt { draws: draws.here(), deployment: entry, latency: entry.latency_at(now), call };
            let (failure, factor) = slow.meet_troubles(&plan, now, at);
            match fast.calm(&plan, now, at) {
                Some(same) => {
                    assert!(failure.is_none() && same.to_bits() == factor.to_bits(), "{request}");
                    calm += 1;
                }
                None => unsure += u32::from(failure.is_none()),
            }
        }
        assert!(calm > 40_000 && unsure <= 1, "{calm} calm, {unsure} not sure");
    }
}

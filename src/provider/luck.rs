//! The luck of calls: how many failed by chance. Every call fails with a probability that is known before, whatever
//! the gateway does, so failures less those expected have mean zero: an ideal control variate for what single
//! failures set off (cooldowns, retries, fallbacks). It is kept apart by how many calls had failed shortly before,
//! for the fourth failure of a minute matters more than the first. Only calls while no trouble is active count: in a
//! burst, failing is no chance.

use crate::provider::attempt::Attempt;
use crate::provider::deployment::Deployment;
use crate::provider::providers::Providers;
use crate::provider::service::UpstreamCall;
use crate::provider::world::{State, UpstreamWorld};
use crate::units::{ClassId, RequestId, SimDuration, SimTime};

/// Kinds of calls: after no, one, two, and three or more failures shortly before.
pub const LUCK_KINDS: usize = 4;

/// Failures are counted together for so long from the first of them: the minute that gateways count in.
const SHORTLY: SimDuration = SimDuration::from_secs(60);

/// How many calls failed by chance beyond those expected, after no, one, two, and three or more failures shortly
/// before. Each has mean zero over the runs, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Luck(pub [f64; LUCK_KINDS]);

/// The calls of one deployment while no trouble is active.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tries {
    /// The probability that a call fails.
    share: f64,
    calls: [u64; LUCK_KINDS],
    failed: [u64; LUCK_KINDS],
    recent: usize,
    /// Until then the recent failures are recent.
    until: SimTime,
    /// The first try that was counted last: it may be asked about again.
    counted: Option<(ClassId, RequestId)>,
}

impl Tries {
    /// Nothing has been called yet.
    fn new(plan: &Providers, deployment: &Deployment) -> Self {
        let outside = deployment.troubles.iter().map(|&index| plan.troubles()[index].effect.share_outside);
        let shares = outside.chain(deployment.errors.iter().map(|error| error.share));
        let share = 1.0 - shares.map(|share| 1.0 - share).product::<f64>();
        let (calls, failed) = ([0; LUCK_KINDS], [0; LUCK_KINDS]);
        Self { share, calls, failed, recent: 0, until: SimTime::ZERO, counted: None }
    }

    /// A call has failed by chance, or has not. A first try that is asked about twice counts once.
    fn count(&mut self, now: SimTime, call: &UpstreamCall, failed: bool) {
        let first_try = (call.nth_try == 0).then_some((call.class, call.request));
        if first_try.is_some() && first_try == self.counted {
            return;
        }
        self.counted = first_try.or(self.counted);
        if now >= self.until {
            self.recent = 0;
        }
        self.calls[self.recent] += 1;
        if failed {
            self.failed[self.recent] += 1;
            if self.recent == 0 {
                self.until = now + SHORTLY;
            }
            self.recent = (self.recent + 1).min(LUCK_KINDS - 1);
        }
    }
}

/// What is counted at the start of a run.
pub(super) fn tries(plan: &Providers) -> Vec<Tries> {
    let counted = plan.deployments().iter().filter(|_| plan.counts_luck);
    counted.map(|deployment| Tries::new(plan, deployment)).collect()
}

impl State {
    /// Notes whether a call has failed by chance, where that is counted.
    #[inline(always)]
    pub(super) fn count_luck(&mut self, plan: &Providers, now: SimTime, at: Attempt<'_>, failed: bool) {
        if !self.tries.is_empty() {
            self.count_try(plan, now, at, failed);
        }
    }

    #[cold]
    fn count_try(&mut self, plan: &Providers, now: SimTime, at: Attempt<'_>, failed: bool) {
        let troubles = &at.deployment.troubles;
        let is_active = |&index: &usize| self.phases[index].active(&plan.troubles()[index].timeline, now);
        if !troubles.iter().any(is_active) {
            self.tries[at.call.deployment.index()].count(now, &at.call, failed);
        }
    }
}

impl UpstreamWorld {
    /// The luck of the calls so far, of all deployments together; none where it
    /// [is not counted](Providers::counting_luck).
    pub fn luck(&self) -> Luck {
        let tries = &self.state.tries;
        let beyond = |kind: usize, t: &Tries| t.failed[kind] as f64 - t.share * t.calls[kind] as f64;
        // From a positive zero: the sum of nothing would be a negative one.
        let beyond = |kind: usize| tries.iter().fold(0.0, |sum, t| sum + beyond(kind, t));
        Luck(std::array::from_fn(beyond))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{BackgroundError, Effect, Fault, Latency, Timeline, Trouble, Upstream, Window};
    use crate::random::{Dist, Here, Replication, Seed};
    use crate::traffic::Fate;
    use crate::units::DeploymentId;
    use std::sync::Arc;

    const FATE: Fate = Fate { input: 800, output: 250, reasoning: 0, prefix: 600, session: false };

    fn call(request: u64, nth_try: u32) -> UpstreamCall {
        UpstreamCall {
            deployment: DeploymentId(0),
            class: ClassId(0),
            request: RequestId(request),
            nth_try,
            stream: false,
            max_tokens: None,
        }
    }

    /// A deployment that fails a tenth of its calls by chance, and all of them in the second thousand of seconds.
    fn providers() -> Arc<Providers> {
        let second = |s: i64| SimTime(s * 1_000_000_000);
        let window = Window { start: second(1_000), end: second(2_000) };
        let effect = Effect { share_outside: 0.04, ..Effect::failing(Fault::Status(529), 1.0) };
        let trouble = Trouble { address: 9, timeline: Timeline::Scheduled(vec![window]), effect };
        let error = BackgroundError { fault: Fault::Status(429), share: 0.0625, after_s: None };
        let latency = Latency::Total { total_s: Dist::constant(2.0).unwrap(), first_token_share: 0.2 };
        let plain = Deployment::new(5, latency, Dist::constant(0.1).unwrap());
        let deployment = Deployment { troubles: vec![0], errors: vec![error], ..plain };
        Arc::new(Providers::new(vec![deployment], vec![trouble], vec![]).unwrap().counting_luck())
    }

    #[test]
    fn luck_has_mean_zero_in_every_kind_though_calls_stop_after_failures() {
        // The caller tries a failed call again and sends nothing for half a minute after a second failure: who calls
        // depends on what has failed. 4 standard errors of 4,000 runs: 1 in 16,000 tests would fail by chance.
        let plan = providers();
        let mut sums = [[0.0; 2]; LUCK_KINDS];
        for run in 0..4_000 {
            let mut world = plan.replicate(Seed(11), Replication(run));
            let (mut now, mut request) = (0, 0);
            while now < 3_000 {
                let at = SimTime(now * 1_000_000_000);
                let here = Here::of(Seed(11), Replication(run), 0, request);
                let fails =
                    |nth| world.serve(at, here, &call(request, nth), &FATE).outcome != crate::units::Outcome::Ok;
                now += if (0..2).all(fails) { 30 } else { 7 };
                request += 1;
            }
            for (sum, luck) in sums.iter_mut().zip(world.luck().0) {
                sum[0] += luck;
                sum[1] += luck * luck;
            }
        }
        for (kind, [sum, squares]) in sums.into_iter().enumerate() {
            assert!(squares > 0.0, "kind {kind} never happens");
            assert!(sum.abs() < 4.0 * squares.sqrt(), "kind {kind}: {sum} ± {}", squares.sqrt());
        }
    }

    #[test]
    fn what_is_asked_twice_counts_once_and_troubles_do_not_count() {
        let plan = providers();
        let mut world = plan.replicate(Seed(1), Replication(0));
        let mut expected = 0.0;
        for request in 0..100 {
            let here = Here::of(Seed(1), Replication(0), 0, request);
            let plain = world.answer(SimTime::ZERO, here, &call(request, 0), &FATE);
            let failed =
                world.serve(SimTime::ZERO, here, &call(request, 0), &FATE).outcome != crate::units::Outcome::Ok;
            assert_eq!(plain.is_none(), failed);
            expected += f64::from(u8::from(failed)) - 0.1;
        }
        let luck = world.luck();
        assert!((luck.0.iter().sum::<f64>() - expected).abs() < 1e-9, "{luck:?} {expected}");
        let here = Here::of(Seed(1), Replication(0), 0, 100);
        world.serve(SimTime(1_500_000_000_000), here, &call(100, 0), &FATE);
        assert_eq!(world.luck(), luck);
    }
}

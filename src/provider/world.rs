//! The providers of one replication: the upstream side of a forecast.

use std::sync::Arc;

use crate::provider::Upstream;
use crate::provider::attempt::{Attempt, Failure};
use crate::provider::gate::{Bound, Gate};
use crate::provider::gated::charges;
use crate::provider::luck::{self, Tries};
use crate::provider::providers::{Providers, Trouble};
use crate::provider::service::{Service, UpstreamCall};
use crate::provider::timeline::{Walk, Window};
use crate::provider::warm::{Warm, divide};
use crate::provider::weather::{Phase, Weather};
use crate::random::{Here, Purpose, Replication, Seed};
use crate::traffic::Fate;
use crate::units::{Outcome, RetryAfter, SimDuration, SimTime, Tokens, Usage};

/// The providers of one replication.
#[derive(Debug, Clone)]
pub struct UpstreamWorld {
    plan: Arc<Providers>,
    pub(super) state: State,
}

#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) phases: Vec<Phase>,
    /// The weather at each deployment.
    pub(super) weather: Vec<Weather>,
    pub(super) gates: Vec<Gate>,
    /// Whether calls wait in line anywhere.
    pub(super) has_lines: bool,
    /// Prompt prefixes that the deployments know.
    warm: Vec<Warm>,
    /// The limit that the last refused call hit, until somebody asks.
    pub(super) hit: Option<Bound>,
    /// What is counted of each deployment's luck; empty where nobody asks.
    pub(super) tries: Vec<Tries>,
}

impl UpstreamWorld {
    /// The limit that refused the last call, if one did since this was asked before.
    pub fn take_hit(&mut self) -> Option<Bound> {
        self.state.hit.take()
    }

    pub(super) fn new(plan: Arc<Providers>, seed: Seed, replication: Replication) -> Self {
        let state = State::new(&plan, seed, replication);
        Self { plan, state }
    }
}

impl State {
    /// Where all stand at the beginning of a replication.
    pub(super) fn new(plan: &Providers, seed: Seed, replication: Replication) -> Self {
        let start = |(index, trouble): (usize, &Trouble)| Phase {
            walk: Walk::new(&trouble.timeline, seed, replication, trouble.address).pushed(plan.push(index)),
            window: Window { start: SimTime::ZERO, end: SimTime::ZERO },
        };
        Self {
            phases: plan.troubles().iter().enumerate().map(start).collect(),
            weather: vec![Weather::UNKNOWN; plan.deployments().len()],
            gates: plan.limits().iter().cloned().map(Gate::new).collect(),
            has_lines: plan.limits().iter().any(|limits| limits.queue.is_some()),
            warm: vec![Warm::default(); plan.deployments().len()],
            hit: None,
            tries: luck::tries(plan),
        }
    }
}

impl Upstream for UpstreamWorld {
    type Fate = Fate;

    #[inline(always)]
    fn serve(&mut self, now: SimTime, here: Here, call: &UpstreamCall, fate: &Fate) -> Service {
        self.state.serve(&self.plan, now, here, call, fate)
    }

    #[inline(always)]
    fn answer(&mut self, now: SimTime, here: Here, call: &UpstreamCall, fate: &Fate) -> Option<Service> {
        self.state.answer(&self.plan, now, here, call, fate)
    }

    #[inline(always)]
    fn ended(
        &mut self,
        now: SimTime,
        call: &UpstreamCall,
        service: &Service,
        outcome: Outcome,
        elapsed: SimDuration,
    ) -> Usage {
        let deployment = &self.plan.deployments()[call.deployment.index()];
        let billed = match outcome {
            Outcome::Ok => service.usage,
            _ => deployment.billing.usage(service, outcome, elapsed, call.stream),
        };
        if deployment.has_gates() && occupies(service.outcome) {
            let began = SimTime(now.0.saturating_sub(elapsed.0));
            self.state.leave_gates(deployment, now, (began, began + service.total), billed);
        }
        billed
    }
}

/// Whether a call that would end so passes the provider's gate and stays behind it until it ends.
pub const fn occupies(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Ok | Outcome::Cut | Outcome::Timeout)
}

impl State {
    #[inline(always)]
    fn serve(&mut self, plan: &Providers, now: SimTime, here: Here, call: &UpstreamCall, fate: &Fate) -> Service {
        let deployment = &plan.deployments()[call.deployment.index()];
        let at = Attempt { draws: here, deployment, latency: deployment.latency_at(now), call: *call };
        if now >= deployment.unauthorized_from {
            return at.refused(Outcome::Status(401), RetryAfter::None);
        }
        if now >= deployment.retired_from {
            return at.refused(Outcome::Status(404), RetryAfter::None);
        }
        // No input is as long as the greatest number there is.
        if fate.input >= deployment.context_tokens.unwrap_or(Tokens::MAX) {
            return at.refused(Outcome::ContextWindow, RetryAfter::None);
        }
        let (failure, latency_factor) = match self.calm(plan, now, at) {
            Some(latency_factor) => (None, latency_factor),
            None => self.meet_troubles(plan, now, at),
        };
        let mut usage = at.complete_usage(fate);
        let service = match failure {
            Some(failure) if !occupies(failure.fault.outcome(call.stream)) => {
                if let Some(limits) = deployment.limits {
                    self.gates[limits].count_failure(now);
                }
                return at.failed(failure, usage, latency_factor);
            }
            other => other,
        };
        if let Some(cache) = &deployment.prompt_cache {
            divide(&mut usage, cache, self.warm[call.deployment.index()].read(now, at, cache, fate));
        }
        // The answer is made in one place for both: less code in the hot path.
        let line = match deployment.has_gates() {
            true => match self.enter_gates(now, deployment, &charges(&at.call, &usage)) {
                Ok(line) => Some(line),
                Err(refused) => return self.refusal(at, refused),
            },
            false => None,
        };
        let service = at.served(service, usage, latency_factor);
        let Some(line) = line else { return service };
        let service = service.after(line);
        self.will_end(deployment, now + service.total);
        service
    }

    /// Sets one uniform number against all that may go wrong, one cause after the other: after each the number is
    /// stretched again, so that the causes are independent and one draw is enough.
    #[inline(never)]
    pub(super) fn meet_troubles<'a>(
        &mut self,
        plan: &'a Providers,
        now: SimTime,
        at: Attempt<'a>,
    ) -> (Option<Failure<'a>>, f64) {
        let deployment = at.deployment;
        let mut latency_factor = 1.0;
        let mut failure = None;
        if deployment.troubles.is_empty() && deployment.errors.is_empty() {
            return (failure, latency_factor);
        }
        let mut u = at.unit(Purpose::Failure, 0).as_f64();
        let mut fails = |share: f64| {
            if share <= 0.0 {
                return false;
            }
            if u < share {
                // Whatever is asked next must not fail again.
                u = 1.0;
                return true;
            }
            u = (u - share) / (1.0 - share);
            false
        };
        for &index in &deployment.troubles {
            let trouble = &plan.troubles()[index];
            let effect = &trouble.effect;
            let phase = &mut self.phases[index];
            let active = phase.active(&trouble.timeline, now);
            if active {
                latency_factor *= effect.latency_factor;
            }
            if fails(if active { effect.share } else { effect.share_outside }) {
                failure = Some(Failure {
                    fault: effect.fault,
                    after_s: effect.after_s.as_ref(),
                    retry_after: effect.retry_after,
                });
            }
        }
        for error in &deployment.errors {
            if fails(error.share) {
                failure = Some(Failure::of(error));
            }
        }
        self.count_luck(plan, now, at, failure.is_some());
        (failure, latency_factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::deployment::{CacheWrites, PromptCache};
    use crate::provider::{BackgroundError, Begin, Deployment, Effect, Fault, Latency, Limits, Timeline};
    use crate::random::Dist;
    use crate::units::{ClassId, DeploymentId, RequestId};

    const FATE: Fate = Fate { input: 800, output: 250, reasoning: 0, prefix: 600, session: false };

    fn lognormal(median: f64, sigma: f64) -> Dist {
        format!("lognormal(median={median}, sigma={sigma})")
            .parse::<crate::random::DistSpec>()
            .unwrap()
            .compile()
            .unwrap()
    }

    /// Deployments A and B of the shared benchmark W1.
    fn w1() -> Arc<Providers> {
        let deployment = |address, median| {
            let latency = Latency::Total { total_s: lognormal(median, 0.6), first_token_share: 0.2 };
            Deployment::new(address, latency, Dist::constant(0.1).unwrap())
        };
        let effect = Effect { share_outside: 0.002, ..Effect::failing(Fault::Status(429), 0.9) };
        let timeline = Timeline::markov(21_600.0, 900.0, Begin::Quiet).unwrap();
        let bursts = Trouble { address: 1, timeline, effect };
        let a = Deployment { troubles: vec![0], ..deployment(11, 1.5) };
        Arc::new(Providers::new(vec![a, deployment(22, 2.0)], vec![bursts], vec![]).unwrap())
    }

    /// The draws of a request of the only class.
    fn here(replication: u64, request: u64) -> Here {
        Here::of(Seed(7), Replication(replication), 0, request)
    }

    fn call(deployment: u32, request: u64) -> UpstreamCall {
        UpstreamCall {
            deployment: DeploymentId(deployment),
            class: ClassId(0),
            request: RequestId(request),
            nth_try: 0,
            stream: false,
            max_tokens: None,
        }
    }

    fn one(deployment: Deployment, troubles: Vec<Trouble>, limits: Vec<Limits>) -> UpstreamWorld {
        Arc::new(Providers::new(vec![deployment], troubles, limits).unwrap()).replicate(Seed(3), Replication(0))
    }

    fn quick() -> Deployment {
        let latency = Latency::Total { total_s: Dist::constant(2.0).unwrap(), first_token_share: 0.2 };
        Deployment::new(5, latency, Dist::constant(0.1).unwrap())
    }

    #[test]
    fn w1_rejects_as_often_inside_and_outside_of_bursts_as_said() {
        let plan = w1();
        let mut inside = (0.0, 0.0);
        let mut outside = (0.0, 0.0);
        for r in 0..40 {
            let end = SimTime(172_800_000_000_000);
            let windows = plan.windows(0, Seed(7), Replication(r), end);
            let mut world = plan.replicate(Seed(7), Replication(r));
            for n in 0..17_280 {
                let now = SimTime(n * 10_000_000_000);
                let service = world.serve(now, here(r, n as u64), &call(0, n as u64), &FATE);
                let counts =
                    if windows.iter().any(|w| w.start <= now && now < w.end) { &mut inside } else { &mut outside };
                counts.1 += 1.0;
                if service.outcome == Outcome::Status(429) {
                    counts.0 += 1.0;
                    assert_eq!(service.total, SimDuration::from_secs_f64(0.1));
                }
                assert_eq!(world.serve(now, here(r, n as u64), &call(1, n as u64), &FATE).outcome, Outcome::Ok);
            }
        }
        for ((failed, calls), share) in [(inside, 0.9), (outside, 0.002f64)] {
            // 4 standard deviations of a binomial share.
            let error = 4.0 * (share * (1.0 - share) / calls).sqrt();
            assert!(
                (failed / calls - share).abs() < error,
                "{} of {calls}, expected {share} ± {error}",
                failed / calls
            );
        }
    }

    #[test]
    fn the_same_try_meets_the_same_fate_whatever_else_is_called() {
        let plan = w1();
        let mut alone = plan.replicate(Seed(7), Replication(1));
        let mut busy = plan.replicate(Seed(7), Replication(1));
        for n in 0..20_000i64 {
            let now = SimTime(n * 8_640_000_000);
            busy.serve(now, here(1, n as u64 + 1), &call(1, n as u64 + 1), &FATE);
            busy.serve(
                now,
                Here::of(Seed(7), Replication(1), 3, 5),
                &UpstreamCall { class: ClassId(3), ..call(0, 5) },
                &FATE,
            );
            let (a, b) = (
                alone.serve(now, here(1, n as u64), &call(0, n as u64), &FATE),
                busy.serve(now, here(1, n as u64), &call(0, n as u64), &FATE),
            );
            assert_eq!((a.outcome, a.total), (b.outcome, b.total));
        }
    }

    #[test]
    fn independent_causes_share_one_draw_without_correlation() {
        let error = |status, share| BackgroundError { fault: Fault::Status(status), share, after_s: None };
        let mut world = one(
            Deployment { errors: vec![error(500, 0.2), error(429, 0.3), error(503, 0.1)], ..quick() },
            vec![],
            vec![],
        );
        let mut seen = std::collections::BTreeMap::new();
        for n in 0..100_000 {
            let outcome = world.serve(SimTime::ZERO, here(0, n), &call(0, n), &FATE).outcome;
            *seen.entry(format!("{outcome:?}")).or_insert(0.0) += 1.0;
        }
        for (outcome, share) in [("Status(500)", 0.2), ("Status(429)", 0.24), ("Status(503)", 0.056), ("Ok", 0.504f64)]
        {
            let error = 4.0 * (share * (1.0 - share) / 1e5f64).sqrt();
            assert!((seen[outcome] / 1e5 - share).abs() < error, "{outcome}: {}", seen[outcome]);
        }
    }

    #[test]
    fn keys_go_stale_and_models_retire_at_their_moment() {
        let moment = SimTime(1_000);
        let mut world = one(Deployment { unauthorized_from: moment, ..quick() }, vec![], vec![]);
        assert_eq!(world.serve(SimTime(999), here(0, 1), &call(0, 1), &FATE).outcome, Outcome::Ok);
        assert_eq!(world.serve(moment, here(0, 2), &call(0, 2), &FATE).outcome, Outcome::Status(401));
        let mut world = one(Deployment { retired_from: moment, context_tokens: Some(800), ..quick() }, vec![], vec![]);
        assert_eq!(world.serve(SimTime(999), here(0, 1), &call(0, 1), &FATE).outcome, Outcome::ContextWindow);
        assert_eq!(world.serve(moment, here(0, 2), &call(0, 2), &FATE).outcome, Outcome::Status(404));
    }

    #[test]
    fn slow_periods_stretch_latency_and_errors_say_when_to_come_back() {
        let window = Window { start: SimTime::ZERO, end: SimTime(100_500_000_000) };
        let effect = Effect {
            latency_factor: 3.0,
            retry_after: RetryAfter::Seconds(100),
            ..Effect::failing(Fault::Status(529), 0.5)
        };
        let trouble = Trouble { address: 9, timeline: Timeline::Scheduled(vec![window]), effect };
        let mut world = one(Deployment { troubles: vec![0], ..quick() }, vec![trouble], vec![]);
        for n in 0..50 {
            let service = world.serve(SimTime(500_000_000), here(0, n), &call(0, n), &FATE);
            match service.outcome {
                Outcome::Ok => assert_eq!(service.total, SimDuration::from_secs(6)),
                _ => assert_eq!(service.retry_after, RetryAfter::Seconds(100)),
            }
        }
        assert_eq!(world.serve(window.end, here(0, 99), &call(0, 99), &FATE).total, SimDuration::from_secs(2));
    }

    #[test]
    fn prompt_caches_warm_up_and_cool_down() {
        let ttl = SimDuration::from_secs(300);
        let cache = PromptCache { ttl, least_tokens: 100, hit_share: 1.0, writes: CacheWrites::FiveMinutes };
        let mut world = one(Deployment { prompt_cache: Some(cache), ..quick() }, vec![], vec![]);
        let mut usage = |second: i64, class| {
            let usage = world
                .serve(
                    SimTime(second * 1_000_000_000),
                    here(0, 1),
                    &UpstreamCall { class: ClassId(class), ..call(0, 1) },
                    &FATE,
                )
                .usage;
            (usage.cached, usage.cache_write)
        };
        assert_eq!(usage(0, 0), (0, 600));
        assert_eq!(usage(300, 0), (600, 0));
        assert_eq!(usage(300, 1), (0, 600), "another class has another prefix");
        assert_eq!(usage(601, 0), (0, 600), "cold after 5 idle minutes");
    }

    #[test]
    fn a_conversation_is_warm_only_where_its_last_turn_was() {
        let ttl = SimDuration::from_secs(300);
        let cache = PromptCache { ttl, least_tokens: 100, hit_share: 1.0, writes: CacheWrites::FiveMinutes };
        let deployment = |address| Deployment { prompt_cache: Some(cache), address, ..quick() };
        let both = Providers::new(vec![deployment(5), deployment(6)], vec![], vec![]).unwrap();
        let mut world = Arc::new(both).replicate(Seed(3), Replication(0));
        let mut turn = |second: i64, deployment, session: u64, turn: u64, input, prefix| {
            let fate = Fate { input, prefix, session: true, ..FATE };
            let usage = world
                .serve(
                    SimTime(second * 1_000_000_000),
                    here(0, session << 12 | turn),
                    &call(deployment, session << 12 | turn),
                    &fate,
                )
                .usage;
            (usage.cached, usage.cache_write)
        };
        assert_eq!(turn(0, 0, 1, 0, 1_000, 0), (0, 1_000));
        assert_eq!(turn(60, 0, 1, 1, 1_400, 1_250), (1_000, 400), "the answer was not in the prompt");
        assert_eq!(turn(90, 0, 2, 1, 1_400, 1_250), (0, 1_400), "another conversation said something else");
        assert_eq!(turn(120, 1, 1, 2, 1_800, 1_650), (0, 1_800), "cold after a fallback");
        assert_eq!(turn(150, 1, 1, 3, 2_200, 2_050), (1_800, 400));
        assert_eq!(turn(200, 0, 1, 4, 2_600, 2_450), (1_400, 1_200), "what the primary heard last is still there");
        assert_eq!(turn(501, 0, 1, 5, 3_000, 2_850), (0, 3_000), "cold after five idle minutes");
    }

    #[test]
    fn limits_answer_429_and_free_their_places() {
        let limits = Limits { concurrency: Some(1), retry_after: true, ..Limits::default() };
        let mut world = one(Deployment { limits: Some(0), ..quick() }, vec![], vec![limits]);
        let first = world.serve(SimTime::ZERO, here(0, 1), &call(0, 1), &FATE);
        let second = world.serve(SimTime::ZERO, here(0, 2), &call(0, 2), &FATE);
        assert_eq!((first.outcome, second.outcome), (Outcome::Ok, Outcome::Status(429)));
        assert_eq!(second.retry_after, RetryAfter::Seconds(1));
        let elapsed = SimDuration::from_secs_f64(0.1);
        assert_eq!(world.ended(SimTime(1), &call(0, 2), &second, second.outcome, elapsed), Usage::default());
        assert_eq!(world.serve(SimTime(2), here(0, 3), &call(0, 3), &FATE).outcome, Outcome::Status(429));
        world.ended(SimTime(3), &call(0, 1), &first, Outcome::Ok, first.total);
        assert_eq!(world.serve(SimTime(3), here(0, 4), &call(0, 4), &FATE).outcome, Outcome::Ok);
    }

    #[test]
    fn streams_reason_before_they_speak() {
        let paced =
            Latency::Paced { first_token_s: Dist::constant(1.0).unwrap(), per_token_s: Dist::constant(0.01).unwrap() };
        let mut world = one(Deployment { latency: paced, ..quick() }, vec![], vec![]);
        let fate = Fate { reasoning: 100, ..FATE };
        let service = world.serve(SimTime::ZERO, here(0, 1), &UpstreamCall { stream: true, ..call(0, 1) }, &fate);
        let seconds = [service.headers, service.first_token, service.total].map(SimDuration::as_secs_f64);
        assert_eq!(seconds, [1.0, 2.0, 3.49]);
        assert_eq!(service.chunks, 150);
    }
}

//! The strategies as LiteLLM has them, plainly: maps in order of appearance, each row looked for among all. The fast
//! ones pick the same.

use proptest::prelude::*;

use super::Sample;
use super::cost::Spending;
use super::latency::{self, Latencies};
use super::least_busy::InFlight;
use super::usage_v1::{MinuteUse, Moment};
use super::usage_v2;
use crate::gateway::litellm::call::CallState;
use crate::gateway::litellm::plan::{Compared, Deployment, LatencyArgs, Name, Plan};
use crate::gateway::parts::MinuteCounter;
use crate::random::{Draws, Here, Purpose};
use crate::units::{DeploymentId, NameId, SimDuration, SimTime, Usage};

const DEPLOYMENTS: u16 = 6;
const NAMES: usize = 2;
const ARGS: LatencyArgs =
    LatencyArgs { ttl: SimDuration::from_secs(90), buffer: 0.3, samples: 3, ttft_percentile: None };

/// What happens, a second or two minutes later.
#[derive(Debug, Clone)]
struct Step {
    after: i64,
    name: NameId,
    deployment: DeploymentId,
    what: u8,
    /// Of the candidates, a bit each.
    candidates: u8,
    tokens: u32,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let names = (0..NAMES).prop_map(NameId::from_index);
    let deployments = (0..DEPLOYMENTS).prop_map(|id| DeploymentId(id.into()));
    let after = prop_oneof![9 => 0i64..3, 1 => 30i64..200];
    let step = (after, names, deployments, 0u8..10, 1u8..64, 0u32..40);
    let step = step.prop_map(|(after, name, deployment, what, candidates, tokens)| Step {
        after,
        name,
        deployment,
        what,
        candidates,
        tokens,
    });
    proptest::collection::vec(step, 0..120)
}

impl Step {
    /// In an order that is not that of their numbers.
    fn candidates(&self) -> Vec<DeploymentId> {
        let order = [3u16, 0, 5, 1, 4, 2].into_iter();
        order.filter(|id| self.candidates >> id & 1 == 1).map(|id| DeploymentId(id.into())).collect()
    }

    fn sample(&self) -> Sample {
        let millis = 100 + 10 * i64::from(self.tokens % 7);
        Sample {
            deployment: self.deployment,
            name: self.name,
            elapsed: SimDuration(millis * 1_000_000),
            first_token: (self.what.is_multiple_of(2)).then_some(SimDuration(millis * 200_000)),
            usage: Usage::plain(self.tokens, self.tokens % 5),
        }
    }
}

/// Deployments without limits, with one, with both, and with limits of 0.
fn plan() -> Plan {
    let limits =
        [(None, None), (Some(4), None), (None, Some(150)), (Some(6), Some(200)), (Some(0), None), (None, Some(0))];
    let entry = |(rpm, tpm)| Deployment { rpm, tpm, ..Deployment::default() };
    let deployments: Vec<Deployment> = limits.into_iter().map(entry).collect();
    let prices = [2.0, 1.0, 1.0, 3.0, 1.0, 2.0];
    let compared = deployments.iter().zip(prices).map(|(entry, price)| Compared::new(entry, price)).collect();
    let names = (0..NAMES).map(|at| Name { resolved: NameId::from_index(at), ..Name::default() }).collect();
    Plan { deployments, compared, names, ..Plan::default() }
}

/// Picks the one that is wanted, and remembers of how many.
struct Wanted {
    at: u32,
    of: u32,
}

impl Draws for Wanted {
    fn stand_at(&mut self, _: Here) {}

    fn unit(&mut self, _: Purpose, _: u32) -> f64 {
        0.5
    }

    fn below(&mut self, _: Purpose, _: u32, n: u32) -> u32 {
        self.of = n;
        self.at.min(n - 1)
    }
}

/// All that a pick may come to, in order of their numbers.
fn all(mut pick: impl FnMut(&mut Wanted, &mut CallState) -> Option<DeploymentId>) -> Vec<DeploymentId> {
    let (mut draws, mut picks) = (Wanted { at: 0, of: 1 }, Vec::new());
    while draws.at < draws.of {
        let picked = pick(&mut draws, &mut CallState::default());
        picks.extend(picked);
        draws.at += 1;
    }
    picks.sort();
    picks
}

/// A map that remembers the order in which its keys came.
type Map<T> = Vec<(DeploymentId, T)>;

fn entry<T: Default>(map: &mut Map<T>, id: DeploymentId) -> &mut T {
    let at = map.iter().position(|(other, _)| *other == id).unwrap_or_else(|| {
        map.push((id, T::default()));
        map.len() - 1
    });
    &mut map[at].1
}

fn get<T: Copy>(map: &Map<T>, id: DeploymentId) -> Option<T> {
    map.iter().find(|(other, _)| *other == id).map(|(_, value)| *value)
}

/// `lowest_tpm_rpm.py`.
#[derive(Default)]
struct PlainUse {
    minute: i64,
    expires: Option<SimTime>,
    tokens: Map<u64>,
    requests: Map<u64>,
}

impl PlainUse {
    fn enter(&mut self, at: Moment) {
        if self.minute != at.minute || self.expires.is_some_and(|expires| at.now > expires) {
            *self = Self { minute: at.minute, ..Self::default() };
        }
    }

    fn answered(&mut self, at: Moment, life: SimDuration, sample: &Sample) {
        self.enter(at);
        if self.expires.is_none_or(|expires| expires <= at.now) {
            self.expires = Some(at.now + life);
        }
        *entry(&mut self.tokens, sample.deployment) += sample.usage.total();
        *entry(&mut self.requests, sample.deployment) += 1;
    }

    fn look_up(&mut self, at: Moment, id: DeploymentId) -> u64 {
        self.enter(at);
        if self.requests.is_empty() { 0 } else { *entry(&mut self.requests, id) }
    }

    fn least_used(
        &mut self,
        plan: &Plan,
        at: Moment,
        prompt: u64,
        candidates: &[DeploymentId],
    ) -> Option<DeploymentId> {
        self.enter(at);
        let before = self.tokens.clone();
        for id in candidates {
            entry(&mut self.tokens, *id);
        }
        let mut least: Option<(DeploymentId, u64)> = None;
        for (id, used) in &self.tokens {
            let Deployment { rpm, tpm, .. } = plan.deployment(*id);
            let is_full = tpm.is_some_and(|limit| used + prompt > limit)
                || get(&self.requests, *id).is_some_and(|requests| rpm.is_some_and(|limit| requests + 1 >= limit));
            if candidates.contains(id) && !is_full && least.is_none_or(|(_, fewest)| *used < fewest) {
                least = Some((*id, *used));
            }
        }
        if before.is_empty() {
            self.tokens = before;
        }
        least.map(|(id, _)| id)
    }
}

/// What `lowest_cost.py` and `lowest_latency.py` have in one map, which is gone a fixed time after its first write.
#[derive(Default)]
struct PlainMap {
    expires: Option<SimTime>,
    rows: Map<PlainRow>,
}

#[derive(Default, Clone)]
struct PlainRow {
    minute: MinuteCounter,
    latencies: Vec<f64>,
    first_tokens: Vec<f64>,
}

impl PlainMap {
    fn write(&mut self, now: SimTime, life: SimDuration, id: DeploymentId) -> &mut PlainRow {
        if self.expires.is_none_or(|expires| now > expires) {
            self.rows.clear();
        }
        if self.expires.is_none_or(|expires| expires <= now) {
            self.expires = Some(now + life);
        }
        entry(&mut self.rows, id)
    }

    fn answered(&mut self, now: SimTime, life: SimDuration, minute: i64, sample: &Sample) {
        let row = self.write(now, life, sample.deployment);
        row.minute.add_tokens(minute, sample.usage.total());
        row.minute.add_request(minute);
        let (secs, output) = (sample.elapsed.as_secs_f64(), sample.usage.output);
        row.latencies.push(if output == 0 { secs } else { secs / f64::from(output) });
        row.first_tokens.extend(sample.first_token.map(SimDuration::as_secs_f64));
    }

    /// The rows of the candidates that have room. What is seen for the first time stays if anything else was there.
    fn fitting(
        &mut self,
        plan: &Plan,
        now: SimTime,
        (minute, prompt): (i64, u64),
        candidates: &[DeploymentId],
    ) -> Map<PlainRow> {
        let is_known = self.expires.is_some_and(|expires| now <= expires) && !self.rows.is_empty();
        let mut rows = if is_known { self.rows.clone() } else { Vec::new() };
        for id in candidates {
            if !rows.iter().any(|(other, _)| other == id) {
                rows.push((*id, PlainRow { latencies: vec![0.0], ..PlainRow::default() }));
            }
        }
        if is_known {
            self.rows = rows.clone();
        }
        rows.retain(|(id, row)| {
            let Deployment { rpm, tpm, .. } = plan.deployment(*id);
            let has_tokens = tpm.is_none_or(|l| l == 0 || row.minute.tokens(minute).unwrap_or(0) + prompt <= l);
            let has_requests = rpm.is_none_or(|l| l == 0 || row.minute.requests(minute).unwrap_or(0) < l);
            candidates.contains(id) && has_tokens && has_requests
        });
        rows
    }

    /// All that may be picked by latency.
    fn fast(rows: &Map<PlainRow>, stream: bool) -> Vec<DeploymentId> {
        let last = |samples: &[f64]| {
            let kept = &samples[samples.len().saturating_sub(ARGS.samples)..];
            kept.iter().fold(0.0, |sum, sample| sum + sample) / kept.len() as f64
        };
        let latency = |row: &PlainRow| {
            if stream && !row.first_tokens.is_empty() { last(&row.first_tokens) } else { last(&row.latencies) }
        };
        let lowest = rows.iter().map(|(_, row)| latency(row)).fold(f64::INFINITY, f64::min);
        let is_fast = |row: &PlainRow| latency(row) <= lowest + ARGS.buffer * lowest;
        let mut fast: Vec<_> = rows.iter().filter(|(_, row)| is_fast(row)).map(|(id, _)| *id).collect();
        fast.sort();
        fast
    }
}

fn minute_of(now: SimTime) -> i64 {
    now.0.div_euclid(60_000_000_000)
}

proptest! {
    #[test]
    fn usage_v1_picks_what_its_twin_does(steps in steps(), secs in prop_oneof![0i64..12, Just(60)]) {
        let (plan, mut now) = (plan(), SimTime::ZERO);
        let life = SimDuration::from_secs(secs);
        let mut fast = MinuteUse::new(life, NAMES, usize::from(DEPLOYMENTS));
        let mut plain: [PlainUse; NAMES] = std::array::from_fn(|_| PlainUse { minute: i64::MIN, ..PlainUse::default() });
        for step in steps {
            now += SimDuration::from_secs(step.after);
            let (twin, candidates) = (&mut plain[step.name.index()], step.candidates());
            let at = Moment { now, minute: minute_of(now) };
            match step.what {
                0..4 => { fast.answered(at, &step.sample()); twin.answered(at, life, &step.sample()); }
                4 => prop_assert_eq!(fast.look_up(at, step.name, step.deployment), twin.look_up(at, step.deployment)),
                _ => prop_assert_eq!(
                    fast.least_used(&plan, at, step.name, step.tokens.into(), &candidates),
                    twin.least_used(&plan, at, step.tokens.into(), &candidates)
                ),
            }
        }
    }

    #[test]
    fn cost_picks_what_its_twin_does(steps in steps()) {
        let (plan, mut now) = (plan(), SimTime::ZERO);
        let mut fast = Spending::new(NAMES, usize::from(DEPLOYMENTS));
        let mut plain: [PlainMap; NAMES] = Default::default();
        for step in steps {
            now += SimDuration::from_secs(3 * step.after);
            let (minute, twin, candidates) = (minute_of(now), &mut plain[step.name.index()], step.candidates());
            if step.what < 5 {
                fast.answered(now, minute, &step.sample());
                twin.answered(now, SimDuration::from_secs(600), minute, &step.sample());
                continue;
            }
            let tokens = u64::from(step.tokens);
            let mut cheapest: Option<(f64, DeploymentId)> = None;
            for (id, _) in twin.fitting(&plan, now, (minute, tokens), &candidates) {
                let price = plan.compared(id).price;
                if cheapest.is_none_or(|(lowest, _)| price < lowest) {
                    cheapest = Some((price, id));
                }
            }
            let picked = fast.cheapest(&plan, now, minute, step.name, tokens, &candidates);
            prop_assert_eq!(picked, cheapest.map(|(_, id)| id));
        }
    }

    #[test]
    fn latency_may_pick_what_its_twin_may(steps in steps()) {
        let (plan, mut now) = (plan(), SimTime::ZERO);
        let mut fast = Latencies::new(ARGS, NAMES, usize::from(DEPLOYMENTS));
        let mut plain: [PlainMap; NAMES] = Default::default();
        for step in steps {
            now += SimDuration::from_secs(step.after);
            let (minute, twin, candidates) = (minute_of(now), &mut plain[step.name.index()], step.candidates());
            match step.what {
                0..4 => {
                    fast.answered(now, minute, &step.sample());
                    twin.answered(now, ARGS.ttl, minute, &step.sample());
                }
                4 => {
                    fast.timed_out(now, step.deployment, step.name);
                    twin.write(now, ARGS.ttl, step.deployment).latencies.push(1000.0);
                }
                _ => {
                    let (tokens, stream) = (step.tokens.into(), step.what % 2 == 1);
                    let ask = latency::Ask { name: step.name, minute, tokens, stream, candidates: &candidates };
                    let picks = all(|draws, call| fast.pick(&plan, now, &ask, draws, call));
                    let fitting = twin.fitting(&plan, now, (minute, tokens), &candidates);
                    prop_assert_eq!(picks, PlainMap::fast(&fitting, stream));
                }
            }
        }
    }

    #[test]
    fn least_busy_picks_what_its_twin_does(steps in steps()) {
        let mut fast = InFlight::new(NAMES, usize::from(DEPLOYMENTS));
        let mut plain: [Map<i64>; NAMES] = Default::default();
        for (now, step) in steps.into_iter().enumerate() {
            let (now, twin, candidates) = (SimTime(now as i64), &mut plain[step.name.index()], step.candidates());
            match step.what {
                0..4 => { fast.called(now, step.deployment, step.name); *entry(twin, step.deployment) += 1; }
                4..7 => {
                    fast.returned(now, step.deployment, step.name);
                    let count = entry(twin, step.deployment);
                    *count = (*count - 1).max(0);
                }
                _ => {
                    let fewest = candidates.iter().copied().min_by_key(|id| get(twin, *id).unwrap_or(0));
                    prop_assert_eq!(fast.least_busy(now, step.name, &candidates), fewest);
                }
            }
        }
    }

    #[test]
    fn usage_v2_may_pick_what_its_twin_may(steps in steps()) {
        let (plan, mut now) = (plan(), SimTime::ZERO);
        let mut counters = [MinuteCounter::EMPTY; DEPLOYMENTS as usize];
        for step in steps {
            now += SimDuration::from_secs(step.after);
            let (minute, candidates) = (minute_of(now), step.candidates());
            let counter = &mut counters[step.deployment.index()];
            match step.what {
                0..3 => { counter.add_request(minute); }
                3..5 => counter.add_tokens(minute, step.tokens.into()),
                _ => {
                    let tokens = u64::from(step.tokens);
                    let has_room = |id: &DeploymentId| {
                        let (Deployment { rpm, tpm, .. }, counter) = (plan.deployment(*id), counters[id.index()]);
                        tpm.is_none_or(|limit| counter.tokens(minute).unwrap_or(0) + tokens <= limit)
                            && counter.requests(minute).is_none_or(|count| rpm.is_none_or(|limit| count + 1 < limit))
                    };
                    let used = |id: &DeploymentId| counters[id.index()].tokens(minute).unwrap_or(0);
                    let fitting: Vec<_> = candidates.iter().copied().filter(has_room).collect();
                    let fewest = fitting.iter().map(used).min();
                    let mut expected: Vec<_> = fitting.into_iter().filter(|id| Some(used(id)) == fewest).collect();
                    expected.sort();
                    let mut least_used = candidates;
                    let ask = usage_v2::Ask { plan: &plan, minute, tokens };
                    ask.keep_least_used(&mut least_used, |id| &counters[id.index()]);
                    prop_assert_eq!(all(|draws, call| usage_v2::pick(&least_used, draws, call).ok()), expected);
                }
            }
        }
    }
}

//! Probabilities of rare weekends by importance sampling on what decides a weekend: the volumes, and when troubles come
//! and how long they stay. Pilot runs learn in which direction bad weekends lie (the cross-entropy method: Rubinstein
//! and Kroese, The Cross-Entropy Method, 2004); then most runs are drawn from that harsher world and each is weighed by
//! how much likelier the harsher world made it. Every fifth run is an ordinary one, so that no weight exceeds five (a
//! defensive mixture: Hesterberg, Technometrics 37, 1995).

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::simulate;
use crate::experiment::forecast::RunRow;
use crate::experiment::metric::{CONFIDENCE, Metric};
use crate::experiment::replicate::{Options, Progress, in_order, threads};
use crate::random::{Replication, Scores, Seed};
use crate::scenario::World;
use crate::stats::{Estimate, Interval, Moments, normal_quantile};
use crate::units::{SimDuration, SimTime};

/// How likely a run is to be above a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Rare {
    /// The probability, with its 95% interval.
    pub probability: Estimate,
    /// Runs that were weighed.
    pub runs: u64,
    /// Of those: above the limit.
    pub hits: u64,
    /// Runs that showed the way; not weighed.
    pub pilot_runs: u64,
    /// Runs without importance sampling that would be as sure.
    pub worth_runs: f64,
    /// Whether it was interrupted before all runs were weighed.
    pub is_partial: bool,
}

/// Runs of one pilot stage.
const PILOT: u64 = 200;
/// Pilot stages at most.
const STAGES: u64 = 8;
/// The worst of a stage show where to go.
const ELITE_SHARE: f64 = 0.1;
/// Every how-many-th run is an ordinary one.
const ORDINARY: u64 = 5;
/// Scores are not pushed further than this.
const FARTHEST: f64 = 3.0;
/// A push below so many standard errors is noise.
const NOISE: f64 = 2.0;
/// The numbers of pilot runs begin here: no forecast has as many runs.
const PILOT_NUMBERS: u64 = 1 << 40;

/// Shifts of all kinds of draws that decide a weekend.
#[derive(Debug, Clone)]
struct Direction {
    volumes: Vec<f64>,
    troubles: Vec<[f64; 2]>,
}

/// A run: how bad, and the scores of its draws in the order of [`Direction::all`].
struct Seen {
    figure: f64,
    scores: Vec<Scores>,
}

/// Estimates the probability that `metric` of a run is above `limit`. If `progress` stops it, the first runs without
/// gaps are weighed; `None` if it stops it before there is one: pilot runs alone say nothing.
pub fn rare(world: &World, options: &Options, metric: Metric, limit: f64, progress: &dyn Progress) -> Option<Rare> {
    let pool = threads(options, options.runs);
    let job = || estimate(world, options, metric, limit, progress);
    match &pool {
        Ok(pool) => pool.install(job),
        Err(_) => job(),
    }
}

fn estimate(world: &World, options: &Options, metric: Metric, limit: f64, progress: &dyn Progress) -> Option<Rare> {
    let (direction, pilot_runs) = learn(world, options, metric, limit, progress)?;
    let harsh = direction.applied(world);
    let see = |number: u64| {
        let world = if number % ORDINARY == ORDINARY - 1 { world } else { &harsh };
        see(world, options.seed, Replication(number), metric)
    };
    let seen = watched(0..options.runs, pilot_runs, options.runs, progress, see);
    if seen.is_empty() {
        return None;
    }
    let weighed = |seen: &Seen| if seen.figure > limit { direction.weight(&seen.scores) } else { 0.0 };
    let terms: Vec<f64> = seen.iter().map(weighed).collect();
    let hits = seen.iter().filter(|seen| seen.figure > limit).count() as u64;
    let is_partial = (terms.len() as u64) < options.runs;
    Some(Rare { is_partial, ..summary(&terms, hits, pilot_runs) })
}

/// The mean of the weighed hits with its interval.
fn summary(terms: &[f64], hits: u64, pilot_runs: u64) -> Rare {
    let runs = terms.len() as u64;
    let moments: Moments = terms.iter().copied().collect();
    // Weights make the estimate right on average, and in single cases more than everything.
    let p = moments.mean().min(1.0);
    let error = libm::sqrt(moments.variance() / runs.max(1) as f64);
    let reach = error * normal_quantile(0.5 + CONFIDENCE / 2.0);
    // Without a hit there is no spread; that there is none bounds what ordinary runs can be.
    let most = ORDINARY as f64 * Estimate::of_share(hits, runs, CONFIDENCE).interval.high;
    let high = if hits == 0 { most } else { p + reach };
    // One run shows no spread either.
    let (low, high) = if runs < 2 { (0.0, 1.0) } else { ((p - reach).max(0.0), high.min(1.0)) };
    let interval = Interval { low, high };
    let is_measured = error > 0.0 && p < 1.0;
    let worth_runs = if is_measured { p * (1.0 - p) / (error * error) } else { runs as f64 };
    let probability = Estimate { point: p, std_error: error, interval };
    Rare { probability, runs, hits, pilot_runs, worth_runs, is_partial: false }
}

/// Simulates runs on all threads, in the order of their numbers; when stopped, the first of them without gaps.
fn watched(
    numbers: Range<u64>,
    done: u64,
    of: u64,
    progress: &dyn Progress,
    see: impl Fn(u64) -> Seen + Sync,
) -> Vec<Seen> {
    let finished = AtomicU64::new(0);
    let one = |number| {
        if progress.stop() {
            return None;
        }
        let seen = see(number);
        progress.done(done + finished.fetch_add(1, Ordering::Relaxed) + 1, done + of);
        Some(seen)
    };
    let mut all = Vec::new();
    in_order(numbers, one, |seen| all.push(seen));
    all
}

/// Finds the direction stage by stage: each begins where the worst of the one before were.
fn learn(
    world: &World,
    options: &Options,
    metric: Metric,
    limit: f64,
    progress: &dyn Progress,
) -> Option<(Direction, u64)> {
    let mut direction = Direction::none(world);
    for stage in 0..STAGES {
        let begin = PILOT_NUMBERS + stage * PILOT;
        let pushed = direction.applied(world);
        let see = |number| see(&pushed, options.seed, Replication(number), metric);
        let seen = watched(begin..begin + PILOT, stage * PILOT, options.runs + PILOT, progress, see);
        if (seen.len() as u64) < PILOT {
            return None;
        }
        let mut figures: Vec<f64> = seen.iter().map(|seen| seen.figure).collect();
        figures.sort_unstable_by(f64::total_cmp);
        let worst = figures[(PILOT as f64 * (1.0 - ELITE_SHARE)) as usize];
        let elite: Vec<&Seen> = seen.iter().filter(|seen| seen.figure >= worst.min(limit)).collect();
        direction = direction.towards(&elite);
        if worst > limit {
            return Some((direction, (stage + 1) * PILOT));
        }
    }
    Some((direction, STAGES * PILOT))
}

fn see(world: &World, seed: Seed, replication: Replication, metric: Metric) -> Seen {
    let run = simulate(world, seed, replication, world.horizon.max(SimDuration(1)));
    let mut scores = world.traffic.scores(seed, replication);
    scores.extend(world.providers.scores(seed, replication, until(world)).into_iter().flatten());
    Seen { figure: metric.of(&RunRow::of(&run)), scores }
}

fn until(world: &World) -> SimTime {
    SimTime::ZERO + world.horizon
}

impl Direction {
    fn none(world: &World) -> Self {
        let (classes, troubles) = (world.traffic.classes().len(), world.providers.troubles().len());
        Self { volumes: vec![0.0; classes + 1], troubles: vec![[0.0; 2]; troubles] }
    }

    /// The shifts of all kinds of draws: volumes, then quiet times and lengths of each trouble.
    fn all(&self) -> impl Iterator<Item = f64> {
        self.volumes.iter().copied().chain(self.troubles.iter().flatten().copied())
    }

    /// The harsher world.
    fn applied(&self, world: &World) -> World {
        World {
            traffic: Arc::new(world.traffic.pushed(&self.volumes)),
            providers: Arc::new(world.providers.pushed(&self.troubles, until(world))),
            ..world.clone()
        }
    }

    /// How many times likelier the ordinary world makes a run than the mixture that it was drawn from.
    fn weight(&self, scores: &[Scores]) -> f64 {
        let log_ratio: f64 = self.all().zip(scores).map(|(shift, scores)| scores.log_ratio(shift)).sum();
        let ordinary = 1.0 / ORDINARY as f64;
        1.0 / (ordinary + (1.0 - ordinary) * libm::exp(log_ratio))
    }

    /// The mean scores of the worst runs, weighed back to the ordinary world; what may be noise stays where it was.
    fn towards(&self, elite: &[&Seen]) -> Self {
        let pure = |scores: &[Scores]| self.all().zip(scores).map(|(shift, s)| -s.log_ratio(shift)).sum::<f64>();
        let logs: Vec<f64> = elite.iter().map(|seen| pure(&seen.scores)).collect();
        let highest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = logs.iter().map(|log| libm::exp(log - highest)).collect();
        let mean = |kind: usize| {
            let (mut sum, mut count, mut squares) = (0.0, 0.0, 0.0);
            for (seen, weight) in elite.iter().zip(&weights) {
                let scores = seen.scores[kind];
                sum += weight * scores.sum;
                count += weight * f64::from(scores.count);
                squares += weight * weight * f64::from(scores.count);
            }
            let mean = if count > 0.0 { sum / count } else { 0.0 };
            let is_noise = mean * mean * count * count < NOISE * NOISE * squares;
            if is_noise { 0.0 } else { mean.clamp(-FARTHEST, FARTHEST) }
        };
        let volumes: Vec<f64> = (0..self.volumes.len()).map(mean).collect();
        let first = self.volumes.len();
        let troubles = (0..self.troubles.len()).map(|t| [mean(first + 2 * t), mean(first + 2 * t + 1)]).collect();
        Self { volumes, troubles }
    }
}

//! Replications on all cores. Each run depends on its number only and runs are folded in the order of their numbers, so the
//! result is the same on any number of threads.

use std::ops::Range;

use rayon::prelude::*;

use crate::engine::Run;
use crate::experiment::fold::Fold;
use crate::random::{Replication, Seed};

/// How much to simulate.
#[derive(Debug, Clone)]
pub struct Options {
    /// Replications; with a precision: the most that are tried.
    pub runs: u64,
    /// Seed of the forecast.
    pub seed: Seed,
    /// Worker threads; 0 for one a core.
    pub threads: usize,
    /// Stop when half the width of the 95% confidence interval of the P95 bill is below this share of it.
    pub precision: Option<f64>,
    /// The command that gives this result again.
    pub command: String,
}

/// Watches replications from outside.
pub trait Progress: Sync {
    /// So many of so many runs are done.
    fn done(&self, runs: u64, of: u64);

    /// Whether to stop after the runs that are under way.
    fn stop(&self) -> bool;
}

/// Nobody watches.
pub struct Unwatched;

impl Progress for Unwatched {
    fn done(&self, _: u64, _: u64) {}

    fn stop(&self) -> bool {
        false
    }
}

/// Runs are handed out in batches of this size, whatever the number of threads: the stopping rule looks in between.
const BATCH: u64 = 32;
/// Fewer runs than this say nothing about a 95th percentile.
const FEWEST_FOR_PRECISION: u64 = 64;

/// Simulates runs until there are enough, or until `progress` says stop: then the fold holds the first runs without gaps.
pub fn replicate(options: &Options, progress: &dyn Progress, simulate: impl Fn(Replication) -> Run + Sync) -> Fold {
    replicate_these(options, 0..options.runs, progress, simulate)
}

/// Simulates the runs of these numbers until there are enough, or until `progress` says stop: then the fold holds the first
/// of them without gaps.
pub fn replicate_these(
    options: &Options,
    numbers: Range<u64>,
    progress: &dyn Progress,
    simulate: impl Fn(Replication) -> Run + Sync,
) -> Fold {
    let mut fold = Fold::default();
    let all = numbers.end - numbers.start;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    while fold.runs() < all && !progress.stop() && !precise_enough(&fold, options.precision) {
        let done = fold.runs();
        let first = numbers.start + done;
        let batch = first..numbers.end.min(first + BATCH);
        let job = || run_batch(batch.clone(), progress, done, all, &simulate);
        // Without a pool of its own (no threads to be had) the work is done on the current thread.
        let runs = match &pool {
            Ok(pool) => pool.install(job),
            Err(_) => job(),
        };
        runs.iter().map_while(Option::as_ref).for_each(|run| fold.add(run));
    }
    fold
}

/// Does something for each of the first runs, on all cores; the results stand in the order of the runs. Those that
/// `progress` stopped are left out.
pub fn each_run<T: Send>(
    options: &Options,
    runs: u64,
    progress: &dyn Progress,
    job: impl Fn(Replication) -> T + Sync,
) -> Vec<T> {
    let one = |number| (!progress.stop()).then(|| job(Replication(number)));
    let all = || (0..runs).into_par_iter().map(one).collect::<Vec<Option<T>>>();
    let done = match rayon::ThreadPoolBuilder::new().num_threads(options.threads).build() {
        Ok(pool) => pool.install(all),
        Err(_) => all(),
    };
    done.into_iter().map_while(|result| result).collect()
}

fn run_batch(
    batch: Range<u64>,
    progress: &dyn Progress,
    done: u64,
    of: u64,
    simulate: &(impl Fn(Replication) -> Run + Sync),
) -> Vec<Option<Run>> {
    let finished = std::sync::atomic::AtomicU64::new(done);
    let one = |replication| {
        if progress.stop() {
            return None;
        }
        let run = simulate(Replication(replication));
        progress.done(finished.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, of);
        Some(run)
    };
    batch.into_par_iter().map(one).collect()
}

/// Whether the confidence interval of the P95 bill is narrow enough.
fn precise_enough(fold: &Fold, precision: Option<f64>) -> bool {
    let Some(precision) = precision else { return false };
    if fold.runs() < FEWEST_FOR_PRECISION {
        return false;
    }
    let bill = fold.bill_stats();
    let [low, high] = bill.ci95_p95.map(crate::experiment::fold::dollars);
    let half_width = (high - low) / 2.0;
    half_width <= precision * crate::experiment::fold::dollars(bill.p95)
}

//! Replications on all cores. Each run depends on its number only and runs are folded in the order of their numbers, so
//! the result is the same on any number of threads.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

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

/// Simulates runs until there are enough, or until `progress` says stop: then the fold holds the
/// first runs without gaps.
pub fn replicate(options: &Options, progress: &dyn Progress, simulate: impl Fn(Replication) -> Run + Sync) -> Fold {
    replicate_these(options, 0..options.runs, progress, simulate)
}

/// Simulates the runs of these numbers until there are enough, or until `progress` says stop: then the fold holds the
/// first of them without gaps.
pub fn replicate_these(
    options: &Options,
    numbers: Range<u64>,
    progress: &dyn Progress,
    simulate: impl Fn(Replication) -> Run + Sync,
) -> Fold {
    let mut fold = Fold::default();
    let all = numbers.end - numbers.start;
    let pool = threads(options, all.min(BATCH));
    while fold.runs() < all && !progress.stop() && !precise_enough(&fold, options.precision) {
        let done = fold.runs();
        let first = numbers.start + done;
        let batch = first..numbers.end.min(first + BATCH);
        let finished = AtomicU64::new(done);
        let one = |number| {
            if progress.stop() {
                return None;
            }
            let run = simulate(Replication(number));
            progress.done(finished.fetch_add(1, Ordering::Relaxed) + 1, all);
            Some(run)
        };
        let job = || in_order(batch, one, |run: Run| fold.add(&run));
        // Without a pool of its own (no threads to be had) the work is done on the current thread.
        match &pool {
            Ok(pool) => pool.install(job),
            Err(_) => job(),
        }
    }
    fold
}

/// As many threads as are wanted, and no more than there are jobs at once: a thousand idle ones
/// take seconds to come and go.
pub(super) fn threads(options: &Options, jobs: u64) -> Result<ThreadPool, ThreadPoolBuildError> {
    let most = usize::try_from(jobs.max(1)).unwrap_or(usize::MAX);
    ThreadPoolBuilder::new().num_threads(options.threads.min(most)).build()
}

/// Does jobs on all threads of the pool that it is called in and hands their results over in the order of their
/// numbers, each as soon as all before it are there: of worlds with thousands of deployments a run takes hundreds of
/// megabytes, and only about as many as there are threads are kept. The first job that gives nothing is the last one
/// that counts.
pub(super) fn in_order<T: Send>(jobs: Range<u64>, job: impl Fn(u64) -> Option<T> + Sync, take: impl FnMut(T) + Send) {
    let next = AtomicU64::new(jobs.start);
    let row = Mutex::new(Row { due: jobs.start, early: BTreeMap::new(), take });
    let work = || {
        while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < jobs.end) {
            let Some(result) = job(number) else { break };
            row.lock().unwrap_or_else(PoisonError::into_inner).put(number, result);
        }
    };
    match rayon::current_thread_index() {
        Some(_) => rayon::scope(|scope| (0..rayon::current_num_threads()).for_each(|_| scope.spawn(|_| work()))),
        // Outside a pool rayon starts one of its own, and panics where there are no threads to be had.
        None => work(),
    }
}

/// Results that wait for those before them.
struct Row<T, F> {
    due: u64,
    early: BTreeMap<u64, T>,
    take: F,
}

impl<T, F: FnMut(T)> Row<T, F> {
    fn put(&mut self, number: u64, result: T) {
        self.early.insert(number, result);
        while let Some(result) = self.early.remove(&self.due) {
            (self.take)(result);
            self.due += 1;
        }
    }
}

/// Does something for each of the first runs, on all cores; the results stand in the order of the runs. When `progress`
/// stops it, they are those of the first runs without gaps.
pub fn each_run<T: Send>(
    options: &Options,
    runs: u64,
    progress: &dyn Progress,
    job: impl Fn(Replication) -> T + Sync,
) -> Vec<T> {
    let one = |number| (!progress.stop()).then(|| job(Replication(number)));
    let mut done = Vec::new();
    let mut all = || in_order(0..runs, one, |result| done.push(result));
    match threads(options, runs) {
        Ok(pool) => pool.install(all),
        Err(_) => all(),
    }
    done
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_their_numbers_up_to_the_first_gap() {
        for threads in [1, 2, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut taken = Vec::new();
            let slow = |number: u64| {
                // The first of each few takes longest.
                std::hint::black_box((0..(7 - number % 7) * 10_000).map(std::hint::black_box).sum::<u64>());
                (number != 40).then_some(number)
            };
            pool.install(|| in_order(3..60, slow, |number| taken.push(number)));
            assert_eq!(taken, (3..40).collect::<Vec<_>>(), "{threads}");
        }
    }

    #[test]
    fn without_a_pool_everything_is_done_where_it_is_asked_for() {
        let here = std::thread::current().id();
        let mut taken = Vec::new();
        in_order(3..9, |number| Some((number, std::thread::current().id())), |done| taken.push(done));
        assert_eq!(taken, (3..9).map(|number| (number, here)).collect::<Vec<_>>());
    }
}

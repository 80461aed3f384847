//! The same runs of several worlds: run by run all of them, so that an interrupted comparison still compares.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::engine::{Run, simulate};
use crate::experiment::fold::Fold;
use crate::experiment::replicate::{Options, Progress};
use crate::provider::Luck;
use crate::random::Replication;
use crate::scenario::World;
use crate::units::SimDuration;

/// Runs of each world that are under way before they are folded.
const BATCH: u64 = 32;
/// Counters by hour.
const STEP: SimDuration = SimDuration::from_secs(3600);

/// The runs of one of several worlds.
#[derive(Debug, Clone, Default)]
pub struct Played {
    pub fold: Fold,
    /// Run by run, where it is counted.
    pub luck: Vec<Luck>,
}

impl Played {
    fn add(&mut self, run: &Run) {
        self.fold.add(run);
        self.luck.push(run.luck);
    }
}

/// Simulates the same runs of every world; there are equally many of each, those that all worlds have completed.
pub fn replicate_together(worlds: &[World], options: &Options, progress: &dyn Progress) -> Vec<Played> {
    let mut played = vec![Played::default(); worlds.len()];
    let (done, all) = (AtomicU64::new(0), options.runs * worlds.len() as u64);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    let mut first = 0;
    while first < options.runs && !progress.stop() {
        let batch: Vec<u64> = (first..options.runs.min(first + BATCH)).collect();
        let one = |job: usize| {
            let (run, world) = (batch[job / worlds.len()], &worlds[job % worlds.len()]);
            let result = (!progress.stop()).then(|| simulate(world, options.seed, Replication(run), STEP));
            progress.done(done.fetch_add(1, Ordering::Relaxed) + 1, all);
            result
        };
        let job = || (0..batch.len() * worlds.len()).into_par_iter().map(one).collect::<Vec<Option<Run>>>();
        // Without a pool of its own (no threads to be had) the work is done on the current thread.
        let runs = pool.as_ref().map_or_else(|_| job(), |pool| pool.install(job));
        for row in runs.chunks(worlds.len()).take_while(|row| row.iter().all(Option::is_some)) {
            row.iter().flatten().zip(&mut played).for_each(|(run, played)| played.add(run));
        }
        first += batch.len() as u64;
    }
    played
}

//! The same runs of several worlds: run by run all of them, so that an interrupted comparison still compares.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::{Run, simulate};
use crate::experiment::fold::Fold;
use crate::experiment::replicate::{Options, Progress, in_order, threads};
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
    let sides = worlds.len() as u64;
    let (done, all) = (AtomicU64::new(0), options.runs * sides);
    let pool = threads(options, BATCH.min(options.runs) * sides);
    let mut first = 0;
    while first < options.runs && !progress.stop() {
        let last = options.runs.min(first + BATCH);
        let one = |job: u64| {
            let (run, world) = (first + job / sides, &worlds[(job % sides) as usize]);
            let result = (!progress.stop()).then(|| simulate(world, options.seed, Replication(run), STEP));
            progress.done(done.fetch_add(1, Ordering::Relaxed) + 1, all);
            result
        };
        let mut row: Vec<Run> = Vec::new();
        let take = |run: Run| {
            row.push(run);
            if row.len() == worlds.len() {
                row.drain(..).zip(&mut played).for_each(|(run, played)| played.add(&run));
            }
        };
        let job = || in_order(0..(last - first) * sides, one, take);
        // Without a pool of its own (no threads to be had) the work is done on the current thread.
        match &pool {
            Ok(pool) => pool.install(job),
            Err(_) => job(),
        }
        first = last;
    }
    played
}

//! Many configurations in the same random weekends: what the bill does when parameters move.

mod axis;
mod design;
mod tornado;

use std::collections::BTreeSet;

use crate::engine::simulate;
use crate::experiment::assemble::{failure_rate, fallback_share, requests, unpriced_models, upstream_calls};
use crate::experiment::common::Common;
use crate::experiment::contrast::contrast;
use crate::experiment::fold::{Fold, dollars};
use crate::experiment::forecast::{MoneyStats, RateStats, RunRow};
use crate::experiment::metric::{Metric, Stat};
use crate::experiment::replicate::{Options, Progress, replicate};
use crate::experiment::run::labels;
use crate::scenario::{Edit, World};
use crate::stats::Estimate;
use crate::units::{Money, SimDuration};

pub use axis::{Axis, Range, Values, fixed, secret};
pub use design::{Design, design};
pub use tornado::{Bar, Swing, Tornado, swings, tornado};

pub(in crate::experiment) use axis::{number, written};

/// Configurations and what they lead to.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// What was varied.
    pub axes: Vec<Axis>,
    /// The scenario as it is.
    pub base: Point,
    /// Configuration by configuration, in the order of the design.
    pub points: Vec<Point>,
    /// Models without a price that were called: bills lack what goes there.
    pub unpriced: BTreeSet<String>,
    /// Whether it was interrupted before all configurations were done.
    pub is_partial: bool,
    /// Replications of each configuration; where it was interrupted before the first of them, those
    /// of the scenario as it is.
    pub runs: u64,
    /// Seed of all.
    pub seed: u64,
    /// What all configurations have in common.
    pub common: Common,
    /// The command that gives this result again.
    pub command: String,
}

/// One configuration.
#[derive(Debug, Clone)]
pub struct Point {
    /// The value of each axis, as it would be written.
    pub values: Vec<String>,
    /// The bill.
    pub bill: MoneyStats,
    /// Share of requests without a good answer.
    pub failure_rate: RateStats,
    /// Share of requests answered by another group.
    pub fallback_share: RateStats,
    /// Mean client requests.
    pub requests: f64,
    /// Mean upstream calls.
    pub upstream_calls: f64,
    /// Mean fallback premium.
    pub fallback_premium: Money,
    /// Mean over the runs of their P95 latency, seconds.
    pub latency_p95_s: f64,
    /// Mean bill less that of the scenario as it is, dollars, paired.
    pub delta: Estimate,
}

/// Counters by hour are not needed here: one step for the whole horizon is cheaper.
const NO_STEPS: SimDuration = SimDuration(i64::MAX);

/// Runs of one world.
pub(in crate::experiment) struct Played {
    pub(in crate::experiment) rows: Vec<RunRow>,
    /// Models without a price that they called.
    pub(in crate::experiment) unpriced: BTreeSet<String>,
}

/// Plays one world of those that make up the whole.
pub(in crate::experiment) fn play(world: &World, options: &Options, progress: &dyn Progress, place: Place) -> Played {
    let part = Part { whole: progress, place, runs: options.runs };
    let fold: Fold = replicate(options, &part, |replication| simulate(world, options.seed, replication, NO_STEPS));
    Played { unpriced: unpriced_models(&fold.deployments, &labels(world)), rows: fold.rows }
}

/// Which of how many configurations is played.
#[derive(Debug, Clone, Copy)]
pub(in crate::experiment) struct Place {
    pub(in crate::experiment) index: u64,
    pub(in crate::experiment) of: u64,
}

/// Progress of one configuration as progress of all.
struct Part<'a> {
    whole: &'a dyn Progress,
    place: Place,
    runs: u64,
}

impl Progress for Part<'_> {
    fn done(&self, runs: u64, _: u64) {
        self.whole.done(self.place.index * self.runs + runs, self.place.of * self.runs);
    }

    fn stop(&self) -> bool {
        self.whole.stop()
    }
}

/// Plays every configuration of a design. `load` compiles the scenario with changes.
///
/// # Errors
/// Those of `load`, before anything is simulated.
pub fn sweep<E: From<crate::scenario::Problem>>(
    axes: &[Axis],
    points: &[Vec<String>],
    options: &Options,
    progress: &dyn Progress,
    load: &dyn Fn(Vec<Edit>) -> Result<World, E>,
) -> Result<Sweep, E> {
    let edits = |values: &[String]| {
        axes.iter().zip(values).map(|(axis, value)| axis.edit(value)).collect::<Result<Vec<_>, _>>()
    };
    let base = load(Vec::new())?;
    // A value that cannot be used is better known before an hour of simulation.
    for values in points {
        load(edits(values)?)?;
    }
    let of = points.len() as u64 + 1;
    let Played { rows: base_rows, unpriced } = play(&base, options, progress, Place { index: 0, of });
    let mut sweep = Sweep {
        axes: axes.to_vec(),
        base: Point::new(Vec::new(), &base_rows, &base_rows),
        points: Vec::new(),
        unpriced,
        is_partial: (base_rows.len() as u64) < options.runs,
        runs: base_rows.len() as u64,
        seed: options.seed.0,
        common: Common::of(&base),
        command: options.command.clone(),
    };
    for (index, values) in points.iter().enumerate() {
        let world = load(edits(values)?)?;
        let found = play(&world, options, progress, Place { index: index as u64 + 1, of });
        if (found.rows.len() as u64) < options.runs {
            sweep.is_partial = true;
            break;
        }
        sweep.unpriced.extend(found.unpriced);
        sweep.points.push(Point::new(values.clone(), &base_rows, &found.rows));
    }
    Ok(sweep)
}

impl Point {
    fn new(values: Vec<String>, base: &[RunRow], rows: &[RunRow]) -> Self {
        let runs = rows.len().max(1) as u64;
        let mean = |metric: Metric| Stat::Mean.of(&metric.series(rows));
        Self {
            values,
            bill: crate::experiment::fold::money_stats(rows.iter().map(|row| row.bill).collect()),
            failure_rate: failure_rate(rows),
            fallback_share: fallback_share(rows),
            // To the last digit as a run says them.
            requests: requests(rows).mean,
            upstream_calls: upstream_calls(rows).mean,
            fallback_premium: rows.iter().map(|row| row.fallback_premium).sum::<Money>().divided_by(runs),
            latency_p95_s: mean(Metric::LatencyP95),
            delta: contrast(&bills(base), &bills(rows), Stat::Mean).delta,
        }
    }
}

fn bills(rows: &[RunRow]) -> Vec<f64> {
    rows.iter().map(|row| dollars(row.bill)).collect()
}

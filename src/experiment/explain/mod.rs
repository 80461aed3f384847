//! One run told step by step: what went wrong when, which edges of the fallback graph the money took, and why the run
//! is dearer than the median one.

mod drivers;
mod limits;
mod request;
mod weekend;

use std::collections::BTreeSet;

use crate::engine::{Run, simulate, simulate_metered};
use crate::experiment::assemble::{Labels, unpriced_models};
use crate::experiment::fold::by_bill;
use crate::experiment::forecast::{About, RunRow};
use crate::experiment::replicate::{Options, Progress, replicate};
use crate::experiment::run::{HOUR, about, labels, local_time};
use crate::random::{Replication, Seed};
use crate::scenario::World;
use crate::stats::quantile_of_sorted;
use crate::units::{ClassId, Money, RequestId};

pub use drivers::{Driver, DriverKind};
pub use limits::{LimitStory, RefusingLimit};
pub use request::{RequestEvent, RequestStory, Step};
pub use weekend::{Attributed, DearRequest, WindowStory};

use limits::{Hits, Noting};
use request::Follower;
use weekend::Weekend;

/// Which run is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Choice {
    /// This one.
    Run(u64),
    /// The one at this percentile of the bill, from 0 to 1.
    At(f64),
}

/// A request by its traffic class and its number in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestName {
    /// Name of the class; may be left out where there is only one.
    pub class: Option<String>,
    /// Its number.
    pub number: u64,
}

/// Why something cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// The percentile needs runs, and none was done.
    #[error("no run was simulated")]
    NoRuns,
    /// The request needs a class.
    #[error("which traffic class? write one of {0} before the number, as in `{1}:{2}`")]
    WhichClass(String, String, u64),
    /// There is no such class.
    #[error("`{0}` is no traffic class of this scenario; expected one of {1}")]
    NoClass(String, String),
    /// There is no such request in that run.
    #[error("run {run} has no request {request}: {}", numbers(*highest))]
    NoRequest {
        /// What was asked for.
        request: String,
        /// In which run.
        run: u64,
        /// The highest number that came in its class.
        highest: Option<u64>,
    },
}

/// What numbers the requests of a class have.
fn numbers(highest: Option<u64>) -> String {
    match highest {
        Some(highest) => format!("the highest number in its class is {highest}"),
        None => "none of its class came".to_owned(),
    }
}

/// One run, told.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// What was simulated.
    pub about: About,
    /// Local time at the start.
    pub start: String,
    /// The run.
    pub run: RunRow,
    /// Models without a price that it called: its bill lacks what went there.
    pub unpriced: BTreeSet<String>,
    /// Share of the runs that are cheaper.
    pub cheaper_share: f64,
    /// The run at the median of the bill.
    pub median: RunRow,
    /// Why the run costs more (or less) than the median one: sums to the difference exactly.
    pub drivers: Vec<Driver>,
    /// When the world was out of order, and what that did; in order of time.
    pub windows: Vec<WindowStory>,
    /// The same for what went wrong outside of all windows.
    pub outside: Attributed,
    /// Limits that refused something, most refusals first.
    pub limits: Vec<LimitStory>,
    /// The fallback graph of the run beside that of the median run, dearest first.
    pub edges: Vec<EdgeStory>,
    /// The dearest requests of the run.
    pub dearest: Vec<DearRequest>,
    /// One request, if that was asked for.
    pub request: Option<RequestStory>,
}

/// One edge of the fallback graph in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeStory {
    /// The group that was asked for.
    pub from: String,
    /// The group that answered.
    pub to: String,
    /// Answers that were charged.
    pub answers: u64,
    /// What they cost.
    pub amount: Money,
    /// What of it is above the prices of the group asked for; `None` where those are not known.
    pub premium: Option<Money>,
    /// The premium in the median run.
    pub median_premium: Money,
}

/// Finds the run and tells it.
///
/// # Errors
/// [`ExplainError`] when the request is not there.
pub fn explain(
    world: &World,
    options: &Options,
    choice: Choice,
    request: Option<&RequestName>,
    progress: &dyn Progress,
) -> Result<Explanation, ExplainError> {
    let asked = request.map(|name| find_class(world, name)).transpose()?;
    let fold = replicate(options, progress, |replication| simulate(world, options.seed, replication, world.horizon));
    let by_bill = by_bill(&fold.rows);
    let number = match choice {
        Choice::Run(number) => number,
        Choice::At(p) => at(&by_bill, p)?,
    };
    let (weekend, run, follower) = watch(world, options.seed, number, asked);
    let highest = follower.highest();
    let request = follower.story(world);
    if let (Some(name), None) = (asked, &request) {
        let request = format!("{}:{}", world.names.classes[name.0.index()], name.1.0);
        return Err(ExplainError::NoRequest { request, run: number, highest });
    }
    let median_number = at(&by_bill, 0.5)?;
    let median = simulate(world, options.seed, Replication(median_number), HOUR);
    let (row, median_row) = (RunRow::of(&run), RunRow::of(&median));
    let cheaper = by_bill.iter().filter(|(bill, _)| *bill < row.bill).count();
    let labels = labels(world);
    Ok(Explanation {
        about: about(world, options, &fold),
        start: local_time(world, 0),
        cheaper_share: cheaper as f64 / by_bill.len().max(1) as f64,
        drivers: drivers::drivers(&row, &median_row),
        edges: edges(&run, &median, &labels),
        dearest: weekend.dearest(world),
        outside: weekend.outside(),
        limits: weekend.limits(world),
        windows: weekend.windows(world),
        run: row,
        unpriced: unpriced_models(&run.deployments, &labels),
        median: median_row,
        request,
    })
}

fn at(by_bill: &[(Money, u64)], p: f64) -> Result<u64, ExplainError> {
    quantile_of_sorted(by_bill, p).map(|(_, number)| *number).ok_or(ExplainError::NoRuns)
}

/// Plays the run once more under watch.
fn watch(world: &World, seed: Seed, number: u64, asked: Option<(ClassId, RequestId)>) -> (Weekend<'_>, Run, Follower) {
    let replication = Replication(number);
    let mut named = world.clone();
    for (planned, name) in named.gateway.deployments.iter_mut().zip(&world.names.deployments) {
        // What the config does not name is named in decisions as it is in reports.
        if planned.id.is_empty() {
            planned.id = name.name.as_str().into();
        }
    }
    let hits = Hits::default();
    let mut watcher = (Weekend::new(world, seed, replication, hits.clone()), Follower::new(asked, hits.clone()));
    let wrap = |inner| Noting { inner, hits };
    let (run, _) = simulate_metered(&named, seed, replication, wrap, &mut watcher);
    let (weekend, follower) = watcher;
    (weekend, run, follower)
}

fn find_class(world: &World, name: &RequestName) -> Result<(ClassId, RequestId), ExplainError> {
    let classes = &world.names.classes;
    let known = classes.join(", ");
    let index = match &name.class {
        Some(class) => classes.iter().position(|known| known == class),
        None if classes.len() == 1 => Some(0),
        None => {
            let first = classes.first().cloned().unwrap_or_default();
            return Err(ExplainError::WhichClass(known, first, name.number));
        }
    };
    let unknown = || ExplainError::NoClass(name.class.clone().unwrap_or_default(), known.clone());
    index.map(|index| (ClassId::from_index(index), RequestId(name.number))).ok_or_else(unknown)
}

fn edges(run: &Run, median: &Run, labels: &Labels) -> Vec<EdgeStory> {
    let premium_of = |from, to| {
        let found = median.ledger.edges().find(|(a, b, _)| (*a, *b) == (from, to));
        found.map_or(Money::ZERO, |(_, _, edge)| edge.premium)
    };
    let mut all: Vec<EdgeStory> = run
        .ledger
        .edges()
        .map(|(from, to, edge)| EdgeStory {
            from: labels.groups[from.index()].clone(),
            to: labels.groups[to.index()].clone(),
            answers: edge.charges,
            amount: edge.amount,
            premium: edge.known_premium(),
            median_premium: premium_of(from, to),
        })
        .collect();
    all.sort_by(|a, b| b.premium.cmp(&a.premium).then_with(|| b.amount.cmp(&a.amount)));
    all
}

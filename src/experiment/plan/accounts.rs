//! What accounts may spend, and what would be spent if nothing were refused. These limits are the provider's and stay
//! as they are: a plan says how far they reach.

use std::ops::Range;

use crate::engine::{AttemptRecord, Booked, RequestRecord, Watcher, simulate_watched};
use crate::experiment::assemble::demand;
use crate::experiment::fold::dollars;
use crate::experiment::forecast::Demand;
use crate::experiment::plan::PlanError;
use crate::experiment::replicate::{Options, Progress, each_run};
use crate::provider::{Meter, Refill, next_month};
use crate::scenario::World;
use crate::stats::Histogram;
use crate::units::{CallId, SimDuration, SimTime};

/// One limit on what an account may spend.
#[derive(Debug, Clone, PartialEq)]
pub struct SpendPlan {
    /// The deployments of the account.
    pub deployments: Vec<String>,
    /// Their provider.
    pub provider: String,
    /// What it is a limit of.
    pub period: SpendPeriod,
    /// US dollars that are left in a period: of the month of the start, what was not spent before the run.
    pub limit: f64,
    /// US dollars in a period if nothing were refused: over all periods of all runs.
    pub used: Demand,
    /// The part of the limit that the 99.9th percentile leaves free; negative where it is not enough.
    pub headroom: f64,
    /// Share of the runs in which a period goes beyond the limit.
    pub over_share: f64,
}

/// What a limit on what an account may spend is a limit of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendPeriod {
    /// So many seconds.
    Seconds(i64),
    /// A calendar month, of which the whole run is a part.
    Run,
    /// The calendar month in which the run starts, of several.
    FirstMonth,
    /// Each calendar month after it, the last as far as the run goes.
    LaterMonth,
}

/// What an account spends in each period of a run.
struct Spend<'a> {
    account_of: &'a [Option<usize>],
    account: usize,
    /// When periods end; the last ends with the run.
    ends: &'a [SimTime],
    spent: Vec<f64>,
}

impl Watcher for Spend<'_> {
    fn ended(&mut self, _: CallId, _: &RequestRecord, attempt: &AttemptRecord<'_>, booked: &Booked) {
        if self.account_of[attempt.attempt.deployment.index()] != Some(self.account) {
            return;
        }
        let period = self.ends.partition_point(|end| *end <= attempt.at);
        self.spent[period.min(self.ends.len() - 1)] += dollars(booked.amount);
    }
}

/// When the periods of a limit end, the last with the run.
fn ends(meter: &Meter, horizon: SimDuration) -> Vec<SimTime> {
    let last = SimTime(horizon.0);
    let next = |at: SimTime| match meter.refill {
        Refill::Monthly { start, .. } => SimTime(next_month(start, at)),
        _ => at + SimDuration(meter.period.0.max(1)),
    };
    let within = std::iter::successors(Some(next(SimTime::ZERO)), |at| Some(next(*at))).take_while(|at| *at < last);
    within.chain([last]).collect()
}

/// The accounts whose limits are known, each once.
fn accounts(world: &World) -> Vec<usize> {
    let mut all: Vec<usize> = world.providers.deployments().iter().filter_map(|one| one.account).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether an account has limits.
pub(super) fn has_any(world: &World) -> bool {
    accounts(world).into_iter().any(|account| !world.providers.limits()[account].meters.is_empty())
}

/// How far the limits of accounts reach. `free` is the world without any limits. Those that were played
/// in full come into `found`.
pub(super) fn spends(
    world: &World,
    free: &World,
    options: &Options,
    progress: &dyn Progress,
    found: &mut Vec<SpendPlan>,
) -> Result<(), PlanError> {
    let accounts = accounts(world);
    let place = |account: usize| accounts.iter().position(|other| *other == account);
    let account_of: Vec<Option<usize>> =
        world.providers.deployments().iter().map(|one| one.account.and_then(place)).collect();
    let limits = |account: usize| world.providers.limits()[accounts[account]].meters.iter();
    let each = (0..accounts.len()).flat_map(|account| limits(account).map(move |meter| (account, meter)));
    for (account, meter) in each {
        let ends = ends(meter, world.horizon);
        let runs: Vec<Vec<f64>> = each_run(options, options.runs, progress, |replication| {
            let spent = vec![0.0; ends.len()];
            let mut spend = Spend { account_of: &account_of, account, ends: &ends, spent };
            simulate_watched(free, options.seed, replication, world.horizon, &mut spend);
            spend.spent
        });
        if progress.stop() {
            return Err(PlanError::Interrupted);
        }
        let names = || account_of.iter().zip(&world.names.deployments).filter(|(of, _)| **of == Some(account));
        let deployments: Vec<String> = names().map(|(_, name)| name.name.clone()).collect();
        let provider = names().next().map_or_else(String::new, |(_, name)| name.provider.to_owned());
        let plan = |(period, limit, periods): (SpendPeriod, f64, Range<usize>)| {
            let runs = runs.iter().map(|run| &run[periods.clone()]);
            spend_plan(deployments.clone(), provider.clone(), (period, limit), runs)
        };
        found.extend(parts(meter, ends.len()).into_iter().map(plan));
    }
    Ok(())
}

/// A limit of months has less left in the first of them; the others are told apart from it.
fn parts(meter: &Meter, periods: usize) -> Vec<(SpendPeriod, f64, Range<usize>)> {
    let Meter { limit, refill, period, .. } = *meter;
    match refill {
        Refill::Monthly { spent, .. } if periods == 1 => vec![(SpendPeriod::Run, limit - spent, 0..1)],
        Refill::Monthly { spent, .. } => {
            vec![(SpendPeriod::FirstMonth, limit - spent, 0..1), (SpendPeriod::LaterMonth, limit, 1..periods)]
        }
        _ => vec![(SpendPeriod::Seconds(period.whole_secs()), limit, 0..periods)],
    }
}

/// What the runs spend in the periods of a limit.
fn spend_plan<'a>(
    deployments: Vec<String>,
    provider: String,
    (period, limit): (SpendPeriod, f64),
    runs: impl ExactSizeIterator<Item = &'a [f64]> + Clone,
) -> SpendPlan {
    let mut all = Histogram::default();
    runs.clone().flatten().for_each(|spent| all.add(*spent));
    let used = demand(&all);
    let count = runs.len().max(1);
    let over = runs.filter(|run| run.iter().any(|spent| *spent > limit)).count();
    SpendPlan {
        deployments,
        provider,
        period,
        limit,
        used,
        headroom: 1.0 - used.p999 / limit.max(f64::MIN_POSITIVE),
        over_share: over as f64 / count as f64,
    }
}

//! What accounts may spend, and what would be spent if nothing were refused. These limits are the provider's and stay
//! as they are: a plan says how far they reach.

use crate::engine::{AttemptRecord, Booked, RequestRecord, Watcher, simulate_watched};
use crate::experiment::assemble::demand;
use crate::experiment::fold::dollars;
use crate::experiment::forecast::Demand;
use crate::experiment::plan::PlanError;
use crate::experiment::replicate::{Options, Progress, each_run};
use crate::provider::{Meter, Refill};
use crate::scenario::World;
use crate::stats::Histogram;
use crate::units::{CallId, SimDuration};

/// One limit on what an account may spend.
#[derive(Debug, Clone, PartialEq)]
pub struct SpendPlan {
    /// The deployments of the account.
    pub deployments: Vec<String>,
    /// Their provider.
    pub provider: String,
    /// The period in seconds; none where the limit does not end within a run.
    pub seconds: Option<i64>,
    /// US dollars that are left in a period: of a month, what was not spent before the run.
    pub limit: f64,
    /// US dollars in a period if nothing were refused: over all periods, or over the runs.
    pub used: Demand,
    /// The part of the limit that the 99.9th percentile leaves free; negative where it is not enough.
    pub headroom: f64,
    /// Share of the runs in which a period goes beyond the limit.
    pub over_share: f64,
}

/// What each account spends in each step of a run.
struct Spend<'a> {
    account_of: &'a [Option<usize>],
    /// By account, then by step.
    steps: Vec<Vec<f64>>,
    step: SimDuration,
}

impl Watcher for Spend<'_> {
    fn ended(&mut self, _: CallId, _: &RequestRecord, attempt: &AttemptRecord<'_>, booked: &Booked) {
        let Some(account) = self.account_of[attempt.attempt.deployment.index()] else { return };
        let steps = &mut self.steps[account];
        let index = ((attempt.at.0 / self.step.0.max(1)) as usize).min(steps.len() - 1);
        steps[index] += dollars(booked.amount);
    }
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
        let is_endless = matches!(meter.refill, Refill::Monthly { .. });
        let step = if is_endless { world.horizon } else { meter.period };
        let length = ((world.horizon.0.max(1) - 1) / step.0.max(1) + 1) as usize;
        let runs: Vec<Vec<f64>> = each_run(options, options.runs, progress, |replication| {
            let steps = vec![vec![0.0; length]; accounts.len()];
            let mut spend = Spend { account_of: &account_of, steps, step };
            simulate_watched(free, options.seed, replication, world.horizon, &mut spend);
            spend.steps.swap_remove(account)
        });
        if progress.stop() {
            return Err(PlanError::Interrupted);
        }
        found.push(spend_plan(world, &account_of, account, meter, &runs));
    }
    Ok(())
}

fn spend_plan(
    world: &World,
    account_of: &[Option<usize>],
    account: usize,
    meter: &Meter,
    runs: &[Vec<f64>],
) -> SpendPlan {
    let (seconds, limit) = match meter.refill {
        Refill::Monthly { spent, .. } => (None, meter.limit - spent),
        _ => (Some(meter.period.whole_secs()), meter.limit),
    };
    let mut all = Histogram::default();
    runs.iter().flatten().for_each(|spent| all.add(*spent));
    let used = demand(&all);
    let is_over = |run: &&Vec<f64>| run.iter().any(|spent| *spent > limit);
    let names = || account_of.iter().zip(&world.names.deployments).filter(|(of, _)| **of == Some(account));
    SpendPlan {
        deployments: names().map(|(_, name)| name.name.clone()).collect(),
        provider: names().next().map_or_else(String::new, |(_, name)| name.provider.to_owned()),
        seconds,
        limit,
        used,
        headroom: 1.0 - used.p999 / limit.max(f64::MIN_POSITIVE),
        over_share: runs.iter().filter(is_over).count() as f64 / runs.len().max(1) as f64,
    }
}

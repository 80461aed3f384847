//! Capacity: what is asked of each pool of rate limits, which limit binds first, the smallest limits that would do, and
//! how much more traffic today's limits bear.

mod accounts;
mod budgets;
mod line;
mod provisioned;
mod search;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::{DemandTotals, Metered, PoolRecord, Pools, Watcher, simulate_metered};
use crate::experiment::assemble::{demand, unpriced_models};
use crate::experiment::fold::{Fold, share, unanswered};
use crate::experiment::forecast::{Demand, RunRow};
use crate::experiment::replicate::{Options, Progress, each_run};
use crate::experiment::run::{about, labels, local_time};
use crate::provider::{Bound, Counted, Limits, Meter, ProviderError, Refill, TokenCharge};
use crate::random::Replication;
use crate::scenario::World;
use crate::stats::{Histogram, quantile_of_sorted};
use crate::units::{Money, SimDuration, SimTime};

pub use accounts::{SpendPeriod, SpendPlan};
pub use budgets::{BudgetOf, BudgetPlan, MOST_BUDGETS, SoughtBudgets, seek_budgets};
pub use provisioned::{Commitment, Offer, OfferError};
pub use told::{Binding, CapacityPlan, LimitKind, LimitPlan, Load, Missing, Outcome, PoolPlan, TokensOf};

const MINUTE: SimDuration = SimDuration::from_secs(60);
/// Growth is not sought beyond this.
pub const MOST_GROWTH: f64 = 64.0;
/// Growth is found to this share of it.
const GROWTH_PRECISION: f64 = 0.02;
/// Calls whose order is kept for the search; more runs than that hold are simulated without.
const MOST_EVENTS: u64 = 12_000_000;

/// What is wanted of a plan.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The share of a pool's calls that its limits may refuse.
    pub target: f64,
    /// Paid capacity that is offered.
    pub offers: Vec<Offer>,
}

impl Wanted {
    /// Whether every offer is about something in this world.
    ///
    /// # Errors
    /// [`OfferError`] about the first that is not.
    pub fn check(&self, world: &World) -> Result<(), PlanError> {
        self.offers.iter().try_for_each(|offer| offer.targets(world).map(|_| ())).map_err(PlanError::Offer)
    }
}

/// Makes a plan. Today's limits are played first, then the world without limits, then the limits that are proposed.
///
/// Where `progress` stops it, the plan holds what was found out by then, and says what is missing: of today's limits
/// what the first runs tell, of all else what was played in full.
///
/// # Errors
/// [`ProviderError`] when a limit cannot be simulated; [`OfferError`] as text when an offer names no deployment;
/// [`PlanError::Interrupted`] when it was, before a first run.
pub fn plan(
    world: &World,
    options: &Options,
    wanted: &Wanted,
    progress: &dyn Progress,
) -> Result<CapacityPlan, PlanError> {
    let pooled = Pooled::of(world);
    let runs = pooled.play_some(world, options, options.runs, progress, false);
    let first = runs.first().ok_or(PlanError::Interrupted)?;
    let calls = first.pools.iter().map(|record| record.calls).sum::<u64>().max(1);
    let kept = (MOST_EVENTS / (2 * calls)).clamp(1, options.runs);
    let mut made = CapacityPlan {
        about: about(world, options, &fold_of(&runs)),
        missing: missing(world, wanted),
        target: wanted.target,
        pools: (0..pooled.limits.len()).map(|index| pooled.plan(world, index, &runs)).collect(),
        unpriced: runs.iter().flat_map(|run| run.unpriced.clone()).collect(),
        spends: Vec::new(),
        budgets: Vec::new(),
        today: outcome(&runs),
        planned: None,
        commitments: Vec::new(),
    };
    drop(runs);
    match made.complete(&Basis { world, pooled: &pooled, options, progress }, wanted, kept) {
        Ok(()) => {}
        Err(PlanError::Interrupted) => made.about.partial = true,
        Err(other) => return Err(other),
    }
    Ok(made)
}

/// What a plan has beside today's limits.
fn missing(world: &World, wanted: &Wanted) -> Vec<Missing> {
    let mut all = vec![Missing::Smallest, Missing::Together, Missing::Growth];
    all.extend(accounts::has_any(world).then_some(Missing::Spends));
    all.extend((!wanted.offers.is_empty()).then_some(Missing::Commitments));
    all
}

/// What a plan is made from.
struct Basis<'a> {
    world: &'a World,
    pooled: &'a Pooled,
    options: &'a Options,
    progress: &'a dyn Progress,
}

impl CapacityPlan {
    /// Finds out all else, one thing after the other, until it is interrupted.
    fn complete(&mut self, basis: &Basis<'_>, wanted: &Wanted, kept: u64) -> Result<(), PlanError> {
        let Basis { world, pooled, options, progress } = *basis;
        let lifted = World { providers: Arc::new(world.providers.without_limits()?), ..world.clone() };
        let free = pooled.play(&lifted, options, kept, progress, true)?;
        self.unpriced.extend(free.iter().flat_map(|run| run.unpriced.clone()));
        let needed = search::needed(pooled, &free, self.target);
        for (index, pool) in self.pools.iter_mut().enumerate() {
            pool.limits = pooled.limit_plans(index, &free, &needed[index]);
        }
        self.has(Missing::Smallest);
        let (proposed, planned) = search::proposal(world, pooled, &needed, options, (self.target, kept), progress)?;
        for (pool, limits) in self.pools.iter_mut().zip(&proposed) {
            pool.limits.iter_mut().zip(figures(limits)).for_each(|(plan, limit)| plan.proposed = Some(limit));
        }
        self.planned = Some(planned);
        self.has(Missing::Together);
        let growth = growth(world, pooled, options, self.target, progress)?;
        self.pools.iter_mut().zip(growth).for_each(|(pool, growth)| pool.growth = growth);
        self.has(Missing::Growth);
        accounts::spends(world, &lifted, options, progress, &mut self.spends)?;
        self.has(Missing::Spends);
        provisioned::commitments(world, options, &wanted.offers, progress, &mut self.commitments)?;
        self.has(Missing::Commitments);
        Ok(())
    }
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A limit cannot be simulated.
    #[error(transparent)]
    Limit(#[from] ProviderError),
    /// An offer makes no sense here.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// It was interrupted before what was to be found out was played in full.
    #[error("interrupted before there was a plan")]
    Interrupted,
}

/// The pools of a world.
struct Pooled {
    pools: Pools,
    /// Today's limits of each pool; empty where there are none.
    limits: Vec<Limits>,
    /// What is sought for each pool: its own limits, or the usual ones.
    sought: Vec<Limits>,
}

/// A run and what its pools saw.
struct Played {
    row: RunRow,
    pools: Vec<PoolRecord>,
    /// Models without a price that it called.
    unpriced: BTreeSet<String>,
}

/// Nobody watches beside the meters.
struct Nobody;

impl Watcher for Nobody {}

impl Pooled {
    fn of(world: &World) -> Self {
        let providers = &world.providers;
        let mut limits: Vec<Limits> = Vec::new();
        let mut known: BTreeMap<usize, usize> = BTreeMap::new();
        let mut pool = |deployment: &crate::provider::Deployment| {
            let mut new = |of_pool: Limits| {
                limits.push(of_pool);
                limits.len() - 1
            };
            match deployment.limits {
                Some(shared) => *known.entry(shared).or_insert_with(|| new(providers.limits()[shared].clone())),
                None => new(Limits::default()),
            }
        };
        let of_deployment: Vec<usize> = providers.deployments().iter().map(&mut pool).collect();
        let sought: Vec<Limits> = limits.iter().map(sought).collect();
        let meters = sought.iter().map(|limits| limits.meters.clone()).collect();
        Self { pools: Pools { of_deployment, meters }, limits, sought }
    }

    /// Plays runs with meters in front of the providers: all of them, or it was interrupted.
    fn play(
        &self,
        world: &World,
        options: &Options,
        runs: u64,
        progress: &dyn Progress,
        events: bool,
    ) -> Result<Vec<Played>, PlanError> {
        let played = self.play_some(world, options, runs, progress, events);
        if progress.stop() { Err(PlanError::Interrupted) } else { Ok(played) }
    }

    /// The same; when it was interrupted, the first of them.
    fn play_some(
        &self,
        world: &World,
        options: &Options,
        runs: u64,
        progress: &dyn Progress,
        events: bool,
    ) -> Vec<Played> {
        let labels = labels(world);
        each_run(options, runs, progress, |replication: Replication| {
            let wrap = |inner| Metered::new(inner, &self.pools, events);
            let (run, metered) = simulate_metered(world, options.seed, replication, wrap, &mut Nobody);
            let unpriced = unpriced_models(&run.deployments, &labels);
            Played { row: RunRow::of(&run), pools: metered.finish(world.horizon), unpriced }
        })
    }

    fn members(&self, pool: usize) -> impl Iterator<Item = usize> {
        let of = &self.pools.of_deployment;
        (0..of.len()).filter(move |deployment| of[*deployment] == pool)
    }

    /// What today's limits do.
    fn plan(&self, world: &World, index: usize, runs: &[Played]) -> PoolPlan {
        let names: Vec<_> = self.members(index).map(|deployment| &world.names.deployments[deployment]).collect();
        let records = || runs.iter().map(|run| &run.pools[index]);
        let (offered, admitted) = (merged(records().map(|r| &r.offered)), merged(records().map(|r| &r.admitted)));
        PoolPlan {
            deployments: names.iter().map(|name| name.name.clone()).collect(),
            model: names.first().map_or_else(String::new, |name| name.model.clone()),
            provider: names.first().map_or_else(String::new, |name| name.provider.to_owned()),
            offered: load(&offered),
            admitted: load(&admitted),
            refused_share: refused_share(runs, index),
            limits: self.limits_today(index),
            binds: self.binding(world, index, runs),
            growth: None,
        }
    }

    /// The limits that are there, and what is sought beside them.
    fn limits_today(&self, index: usize) -> Vec<LimitPlan> {
        let today = &self.limits[index];
        let meters = self.sought[index].meters.iter().enumerate();
        let mut plans: Vec<LimitPlan> = meters
            .map(|(number, meter)| LimitPlan::new(kind_of(meter), today.meters.get(number).map(|meter| meter.limit)))
            .collect();
        plans.push(LimitPlan::new(LimitKind::Concurrency, today.concurrency.map(f64::from)));
        plans
    }

    /// The same with what would be used of them, and the smallest that would do alone.
    fn limit_plans(&self, index: usize, free: &[Played], needed: &Limits) -> Vec<LimitPlan> {
        let records = || free.iter().map(|run| &run.pools[index]);
        let used = |number: usize| {
            let mut uses = Histogram::default();
            records().for_each(|record| uses.merge(&record.uses[number]));
            whole(&uses)
        };
        let at_once = whole(&merged(records().map(|record| &record.admitted)).concurrency);
        let uses = (0..self.sought[index].meters.len()).map(used).chain([at_once]);
        let plans = self.limits_today(index).into_iter().zip(uses).zip(figures(needed));
        plans.map(|((plan, used), needed)| plan.with(used, needed)).collect()
    }

    fn binding(&self, world: &World, index: usize, runs: &[Played]) -> Option<Binding> {
        let mut first: Vec<(SimTime, Bound)> = runs.iter().filter_map(|run| run.pools[index].first_refusal).collect();
        first.sort_unstable();
        let (at, _) = *quantile_of_sorted(&first, 0.5)?;
        let mut bounds: Vec<Bound> = first.iter().map(|(_, bound)| *bound).collect();
        bounds.sort_unstable();
        let most = bounds.chunk_by(|a, b| a == b).max_by_key(|same| same.len())?[0];
        let kind = match most {
            Bound::Meter(number) => kind_of(&self.limits[index].meters[number]),
            Bound::Concurrency => LimitKind::Concurrency,
        };
        Some(Binding {
            kind,
            run_share: first.len() as f64 / runs.len() as f64,
            at: local_time(world, at.0),
            at_hour: at.as_secs_f64() / 3600.0,
        })
    }
}

/// What is sought for a pool: its own limits, or requests and tokens a minute where it has none.
fn sought(limits: &Limits) -> Limits {
    if !limits.meters.is_empty() {
        return limits.clone();
    }
    let usual =
        |counted| Meter { counted, limit: 1.0, period: MINUTE, refill: Refill::Window { offset: SimDuration::ZERO } };
    let meters = vec![usual(Counted::Requests), usual(Counted::Tokens(TokenCharge::Used))];
    Limits { meters, ..limits.clone() }
}

/// What a meter counts.
pub(in crate::experiment) fn kind_of(meter: &Meter) -> LimitKind {
    let seconds = meter.period.whole_secs();
    match meter.counted {
        Counted::Requests => LimitKind::Requests(seconds),
        Counted::Dollars => LimitKind::Dollars(seconds),
        Counted::Tokens(TokenCharge::UncachedInput) => LimitKind::Tokens(seconds, TokensOf::Input),
        Counted::Tokens(TokenCharge::Output) => LimitKind::Tokens(seconds, TokensOf::Output),
        Counted::Tokens(_) => LimitKind::Tokens(seconds, TokensOf::All),
    }
}

/// Limits as numbers, in the order of their plans.
fn figures(limits: &Limits) -> impl Iterator<Item = f64> {
    let at_once = limits.concurrency.map_or(0.0, f64::from);
    limits.meters.iter().map(|meter| meter.limit).chain([at_once])
}

fn merged<'a>(all: impl Iterator<Item = &'a DemandTotals>) -> DemandTotals {
    let mut sum = DemandTotals::default();
    all.for_each(|totals| sum.merge(totals));
    sum
}

fn load(totals: &DemandTotals) -> Load {
    let DemandTotals { calls, tokens, concurrency } = totals;
    Load { calls: whole(calls), tokens: whole(tokens), concurrency: whole(concurrency) }
}

/// Percentiles of what is counted in whole numbers: histograms know them to a hundredth only.
fn whole(counts: &Histogram) -> Demand {
    let Demand { p50, p95, p999, peak } = demand(counts);
    Demand { p50: p50.round(), p95: p95.round(), p999: p999.round(), peak: peak.round() }
}

fn refused_share(runs: &[Played], pool: usize) -> f64 {
    let records = || runs.iter().map(|run| &run.pools[pool]);
    share(records().map(PoolRecord::refused_calls).sum(), records().map(|record| record.calls).sum())
}

fn outcome(runs: &[Played]) -> Outcome {
    let rows = || runs.iter().map(|run| &run.row);
    let bill: Money = rows().map(|row| row.bill).sum();
    let requests: u64 = rows().map(|row| row.requests).sum();
    let pools = runs.first().map_or(0, |run| run.pools.len());
    Outcome {
        bill: bill.divided_by(runs.len().max(1) as u64),
        failure_rate: share(rows().map(unanswered).sum(), requests),
        fallback_share: share(rows().map(|row| row.fallbacks).sum(), requests),
        refused: (0..pools).map(|pool| refused_share(runs, pool)).collect(),
    }
}

fn fold_of(runs: &[Played]) -> Fold {
    Fold { rows: runs.iter().map(|run| run.row.clone()).collect(), ..Fold::default() }
}

/// The same world with other limits, or none.
fn with_limits(
    world: &World,
    pooled: &Pooled,
    limits: impl Fn(usize) -> Option<Limits>,
) -> Result<World, ProviderError> {
    let mut all = Vec::new();
    let mut place = vec![None; pooled.limits.len()];
    for (index, place) in place.iter_mut().enumerate() {
        if let Some(limits) = limits(index) {
            all.push(limits);
            *place = Some(all.len() - 1);
        }
    }
    let of_deployment: Vec<Option<usize>> = pooled.pools.of_deployment.iter().map(|pool| place[*pool]).collect();
    let providers = Arc::new(world.providers.with_limits(all, &of_deployment)?);
    Ok(World { providers, ..world.clone() })
}

/// The factor on all traffic at which each pool's limits refuse more than the target, between the last factor that was
/// tried without and the first with.
fn growth(
    world: &World,
    pooled: &Pooled,
    options: &Options,
    target: f64,
    progress: &dyn Progress,
) -> Result<Vec<Option<f64>>, PlanError> {
    /// Paired draws: the same requests at every factor, so few runs are enough.
    const RUNS: u64 = 8;
    let has_limits = |limits: &Limits| !limits.meters.is_empty() || limits.concurrency.is_some();
    if !pooled.limits.iter().any(has_limits) {
        return Ok(vec![None; pooled.limits.len()]);
    }
    let mut known: Vec<(f64, Vec<f64>)> = Vec::new();
    let mut refused = |factor: f64| -> Result<Vec<f64>, PlanError> {
        if let Some((_, refused)) = known.iter().find(|(other, _)| *other == factor) {
            return Ok(refused.clone());
        }
        let grown = World { traffic: Arc::new(world.traffic.scaled(factor)), ..world.clone() };
        let runs = pooled.play(&grown, options, options.runs.min(RUNS), progress, false)?;
        let refused = outcome(&runs).refused;
        known.push((factor, refused.clone()));
        Ok(refused)
    };
    let mut breaks = |pool: usize| {
        let mut is_over = |factor: f64| refused(factor).map(|refused| refused[pool] > target);
        let (mut low, mut high) = (0.0, 1.0);
        while !is_over(high)? {
            (low, high) = (high, high * 2.0);
            if high > MOST_GROWTH {
                return Ok(None);
            }
        }
        while high - low > GROWTH_PRECISION * high && high > GROWTH_PRECISION {
            let middle = (low + high) / 2.0;
            if is_over(middle)? { high = middle } else { low = middle }
        }
        Ok(Some(low))
    };
    let limited = pooled.limits.iter().enumerate();
    limited.map(|(pool, limits)| if has_limits(limits) { breaks(pool) } else { Ok(None) }).collect()
}

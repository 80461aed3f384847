//! Capacity: what is asked of each pool of rate limits, which limit binds first, the smallest limits that would do, and
//! how much more traffic today's limits bear.

mod accounts;
mod budgets;
mod line;
mod provisioned;
mod search;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::{DemandTotals, Metered, PoolRecord, Pools, Watcher, simulate_metered};
use crate::experiment::assemble::demand;
use crate::experiment::fold::{Fold, share, unanswered};
use crate::experiment::forecast::{About, Demand, RunRow};
use crate::experiment::replicate::{Options, Progress, each_run};
use crate::experiment::run::{about, local_time};
use crate::provider::{Bound, Counted, Limits, Meter, ProviderError, Refill, TokenCharge};
use crate::random::Replication;
use crate::scenario::World;
use crate::stats::{Histogram, nearest_rank};
use crate::units::{Money, SimDuration, SimTime};

pub use accounts::SpendPlan;
pub use budgets::{BudgetOf, BudgetPlan, MOST_BUDGETS, seek_budgets};
pub use provisioned::{Commitment, Offer, OfferError};

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

/// What limits could be.
#[derive(Debug, Clone)]
pub struct CapacityPlan {
    /// What was simulated.
    pub about: About,
    /// The share of calls that limits may refuse.
    pub target: f64,
    /// Pool by pool.
    pub pools: Vec<PoolPlan>,
    /// What accounts may spend, and what they would.
    pub spends: Vec<SpendPlan>,
    /// Budgets of the gateway, where they were sought.
    pub budgets: Vec<BudgetPlan>,
    /// With today's limits.
    pub today: Outcome,
    /// With the smallest limits that meet the target, simulated again.
    pub planned: Outcome,
    /// Paid capacity beside pay as you go.
    pub commitments: Vec<Commitment>,
}

/// What a whole scenario comes to under some limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Mean bill of a horizon.
    pub bill: Money,
    /// Requests without a good answer.
    pub failure_rate: f64,
    /// Requests that another group answered.
    pub fallback_share: f64,
    /// Share of each pool's calls that limits refuse.
    pub refused: Vec<f64>,
}

/// One pool: the deployments that share limits.
#[derive(Debug, Clone)]
pub struct PoolPlan {
    /// Its deployments.
    pub deployments: Vec<String>,
    /// Their model.
    pub model: String,
    /// Their provider.
    pub provider: String,
    /// What the gateway sends.
    pub offered: Load,
    /// What the provider takes up.
    pub admitted: Load,
    /// Share of the calls that limits refuse.
    pub refused_share: f64,
    /// Its limits, those that are not set today as well.
    pub limits: Vec<LimitPlan>,
    /// The limit that is hit first, if any is.
    pub binds: Option<Binding>,
    /// The factor on all traffic at which its limits refuse more than the target; none where they never do up to
    /// [`MOST_GROWTH`].
    pub growth: Option<f64>,
}

/// Load by minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Calls a minute.
    pub calls: Demand,
    /// Tokens a minute.
    pub tokens: Demand,
    /// Calls at once.
    pub concurrency: Demand,
}

/// One limit of a pool.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitPlan {
    /// What it counts.
    pub kind: LimitKind,
    /// Today's limit, if there is one.
    pub today: Option<f64>,
    /// What would be counted in a period if every call were let in.
    pub used: Demand,
    /// The part of the limit that the 99.9th percentile leaves free; negative where it is not enough.
    pub headroom: Option<f64>,
    /// The smallest limit that refuses no more than the target, the others lifted.
    pub needed: f64,
    /// What meets the target together with the other limits.
    pub proposed: f64,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitKind {
    /// Requests in a period of so many seconds.
    Requests(i64),
    /// Tokens in such a period, and which.
    Tokens(i64, TokensOf),
    /// US dollars in such a period.
    Dollars(i64),
    /// Calls at once.
    Concurrency,
}

/// Which tokens are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokensOf {
    /// Input and output, or input and `max_tokens`.
    All,
    /// Input that no prompt cache provides.
    Input,
    /// Output.
    Output,
}

/// The limit that is hit first.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// Which.
    pub kind: LimitKind,
    /// Share of the runs in which a limit of the pool is hit at all.
    pub run_share: f64,
    /// Local time of the first refusal in the median of those runs.
    pub at: String,
    /// Hours since the start of the same.
    pub at_hour: f64,
}

/// Makes a plan. Today's limits are played first, then the world without limits, then the limits that are proposed.
///
/// # Errors
/// [`ProviderError`] when a limit cannot be simulated; [`OfferError`] as text when an offer names no deployment;
/// [`PlanError::Interrupted`] when it was: its worlds are held against each other, and a part of them is no plan.
pub fn plan(
    world: &World,
    options: &Options,
    wanted: &Wanted,
    progress: &dyn Progress,
) -> Result<CapacityPlan, PlanError> {
    let pooled = Pooled::of(world);
    let runs = pooled.play(world, options, options.runs, progress, false)?;
    let lifted = World { providers: Arc::new(world.providers.without_limits()?), ..world.clone() };
    let calls = runs[0].1.iter().map(|record| record.calls).sum::<u64>().max(1);
    let kept = (MOST_EVENTS / (2 * calls)).clamp(1, options.runs);
    let free = pooled.play(&lifted, options, kept, progress, true)?;
    let needed = search::needed(&pooled, &free, wanted.target);
    let (proposed, planned) = search::proposal(world, &pooled, &needed, options, (wanted.target, kept), progress)?;
    let growth = growth(world, &pooled, options, wanted.target, progress)?;
    let plan =
        |index: usize| pooled.plan(world, index, &runs, &free, [&needed[index], &proposed[index]], growth[index]);
    let fold = fold_of(&runs);
    let made = CapacityPlan {
        about: about(world, options, &fold),
        target: wanted.target,
        pools: (0..pooled.limits.len()).map(plan).collect(),
        spends: accounts::spends(world, &lifted, options, progress),
        budgets: Vec::new(),
        today: outcome(&runs),
        planned,
        commitments: provisioned::commitments(world, options, &wanted.offers, progress)?,
    };
    if progress.stop() { Err(PlanError::Interrupted) } else { Ok(made) }
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
    /// It was interrupted before every world that the plan needs was played.
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
type Played = (RunRow, Vec<PoolRecord>);

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
        let played = each_run(options, runs, progress, |replication: Replication| {
            let wrap = |inner| Metered::new(inner, &self.pools, events);
            let (run, metered) = simulate_metered(world, options.seed, replication, wrap, &mut Nobody);
            (RunRow::of(&run), metered.finish(world.horizon))
        });
        if progress.stop() { Err(PlanError::Interrupted) } else { Ok(played) }
    }

    fn members(&self, pool: usize) -> impl Iterator<Item = usize> {
        let of = &self.pools.of_deployment;
        (0..of.len()).filter(move |deployment| of[*deployment] == pool)
    }

    fn plan(
        &self,
        world: &World,
        index: usize,
        runs: &[Played],
        free: &[Played],
        found: [&Limits; 2],
        growth: Option<f64>,
    ) -> PoolPlan {
        let names: Vec<_> = self.members(index).map(|deployment| &world.names.deployments[deployment]).collect();
        let records = || runs.iter().map(|(_, pools)| &pools[index]);
        let (offered, admitted) = (merged(records().map(|r| &r.offered)), merged(records().map(|r| &r.admitted)));
        PoolPlan {
            deployments: names.iter().map(|name| name.name.clone()).collect(),
            model: names.first().map_or_else(String::new, |name| name.model.clone()),
            provider: names.first().map_or_else(String::new, |name| name.provider.to_owned()),
            offered: load(&offered),
            admitted: load(&admitted),
            refused_share: refused_share(runs, index),
            limits: self.limit_plans(index, free, found),
            binds: self.binding(world, index, runs),
            growth,
        }
    }

    fn limit_plans(&self, index: usize, free: &[Played], found: [&Limits; 2]) -> Vec<LimitPlan> {
        let today = &self.limits[index];
        let records = || free.iter().map(|(_, pools)| &pools[index]);
        let meter = |(number, meter): (usize, &Meter)| {
            let mut uses = Histogram::default();
            records().for_each(|record| uses.merge(&record.uses[number]));
            let limit = today.meters.get(number).map(|meter| meter.limit);
            limit_plan(kind_of(meter), limit, whole(&uses), found.map(|limits| limits.meters[number].limit))
        };
        let mut plans: Vec<LimitPlan> = self.sought[index].meters.iter().enumerate().map(meter).collect();
        let at_once = merged(records().map(|record| &record.admitted)).concurrency;
        let needed = found.map(|limits| limits.concurrency.map_or(0.0, f64::from));
        plans.push(limit_plan(LimitKind::Concurrency, today.concurrency.map(f64::from), whole(&at_once), needed));
        plans
    }

    fn binding(&self, world: &World, index: usize, runs: &[Played]) -> Option<Binding> {
        let mut first: Vec<(SimTime, Bound)> =
            runs.iter().filter_map(|(_, pools)| pools[index].first_refusal).collect();
        if first.is_empty() {
            return None;
        }
        first.sort_unstable();
        let (at, _) = first[nearest_rank(first.len(), 0.5)];
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
    let seconds = meter.period.0 / 1_000_000_000;
    match meter.counted {
        Counted::Requests => LimitKind::Requests(seconds),
        Counted::Dollars => LimitKind::Dollars(seconds),
        Counted::Tokens(TokenCharge::UncachedInput) => LimitKind::Tokens(seconds, TokensOf::Input),
        Counted::Tokens(TokenCharge::Output) => LimitKind::Tokens(seconds, TokensOf::Output),
        Counted::Tokens(_) => LimitKind::Tokens(seconds, TokensOf::All),
    }
}

fn limit_plan(kind: LimitKind, today: Option<f64>, used: Demand, [needed, proposed]: [f64; 2]) -> LimitPlan {
    let headroom = today.map(|limit| 1.0 - used.p999 / limit.max(f64::MIN_POSITIVE));
    LimitPlan { kind, today, used, headroom, needed, proposed }
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
    let records = || runs.iter().map(|(_, pools)| &pools[pool]);
    share(records().map(PoolRecord::refused_calls).sum(), records().map(|record| record.calls).sum())
}

fn outcome(runs: &[Played]) -> Outcome {
    let rows = || runs.iter().map(|(row, _)| row);
    let bill: Money = rows().map(|row| row.bill).sum();
    let requests: u64 = rows().map(|row| row.requests).sum();
    let pools = runs.first().map_or(0, |(_, pools)| pools.len());
    Outcome {
        bill: bill.divided_by(runs.len().max(1) as u64),
        failure_rate: share(rows().map(unanswered).sum(), requests),
        fallback_share: share(rows().map(|row| row.fallbacks).sum(), requests),
        refused: (0..pools).map(|pool| refused_share(runs, pool)).collect(),
    }
}

fn fold_of(runs: &[Played]) -> Fold {
    Fold { rows: runs.iter().map(|(row, _)| row.clone()).collect(), ..Fold::default() }
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

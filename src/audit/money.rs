//! What a finding costs: the scenario as it is against the same scenario with the change that removes it, run by run
//! under the same random world.

use std::collections::BTreeMap;

use crate::audit::config::quoted;
use crate::audit::{Finding, Remedy};
use crate::diagnostic::{codes, masked};
use crate::engine::simulate;
use crate::experiment::{Fold, MoneyStats, Options, Progress, RunRow, money_stats, replicate, share};
use crate::scenario::{Edit, Problem, World};
use crate::stats::Paired;
use crate::units::Money;

/// Changes that are simulated: a config with thousands of groups has thousands of findings.
const MOST_PRICED: usize = 64;
/// Confidence of intervals.
const CONFIDENCE: f64 = 0.95;

/// What a world costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Mean bill of a horizon.
    pub mean: Money,
    /// 95th percentile of the bill.
    pub p95: Money,
    /// Requests without a good answer, in millionths of all.
    pub failure_ppm: u64,
    /// Billed calls to models without a known price, in millionths of all calls: the bill lacks what they cost.
    pub unpriced_ppm: u64,
}

/// What a change would save.
#[derive(Debug, Clone, PartialEq)]
pub struct Stake {
    /// As it is.
    pub with: Side,
    /// After the change.
    pub without: Side,
    /// Mean saved by the change; negative where it costs.
    pub saved_mean: Money,
    /// Half the width of its 95% confidence interval.
    pub saved_half_width: Money,
    /// The difference of the 95th percentiles.
    pub saved_p95: Money,
    /// Share of the runs in which the change is cheaper.
    pub cheaper_share: f64,
}

/// A change and what came of pricing it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// The change.
    pub remedy: Remedy,
    /// What it saves, or why that cannot be said.
    pub stake: Result<Stake, String>,
}

/// The prices of all findings.
#[derive(Debug, Clone, PartialEq)]
pub struct Pricing {
    /// The scenario as it is.
    pub base: Side,
    /// Runs of each side.
    pub runs: u64,
    /// Whether it was interrupted.
    pub partial: bool,
    /// Finding by finding: its changes, in order.
    pub findings: Vec<Vec<Tried>>,
}

/// Prices every change of every finding; `edited` compiles the scenario with more edits.
pub fn price(
    world: &World,
    findings: &[Finding],
    options: &Options,
    progress: &dyn Progress,
    edited: impl Fn(Vec<Edit>) -> Result<World, Problem>,
) -> Pricing {
    let fold = play(world, options, progress);
    let budgets = budgets(world, &fold);
    let mut known: Vec<(Vec<String>, Result<Stake, String>)> = Vec::new();
    let mut price = |remedy: &Remedy| {
        // Several findings may have the same remedy: it is simulated once.
        if let Some((_, stake)) = known.iter().find(|(edits, _)| *edits == remedy.edits) {
            return Tried { remedy: remedy.clone(), stake: stake.clone() };
        }
        if known.len() >= MOST_PRICED {
            let why = format!("a check tries at most {MOST_PRICED} changes, those of errors and warnings first");
            return Tried { remedy: remedy.clone(), stake: Err(why) };
        }
        let load = |edits| if progress.stop() { Ok(None) } else { edited(edits).map(Some) };
        let played = |changed| Some(play(&changed, options, progress)).filter(|fold| fold.runs() == options.runs);
        let stake = match edits(remedy).and_then(load) {
            Err(problem) => Err(first_line(&problem)),
            Ok(changed) => {
                changed.and_then(played).map(|changed| stake(&fold, &changed)).ok_or_else(|| "interrupted".to_owned())
            }
        };
        known.push((remedy.edits.clone(), stake.clone()));
        Tried { remedy: remedy.clone(), stake }
    };
    let remedies = |finding: &Finding| match finding.diagnostic.code {
        codes::NO_BUDGET => budgets.iter().cloned().collect(),
        _ => finding.remedies.clone(),
    };
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(findings[*index].diagnostic.severity));
    let mut priced: Vec<Vec<Tried>> = findings.iter().map(|_| Vec::new()).collect();
    for index in order {
        priced[index] = remedies(&findings[index]).iter().map(&mut price).collect();
    }
    let runs = fold.runs();
    Pricing { base: side(&fold, runs as usize), runs, partial: runs < options.runs, findings: priced }
}

/// A daily budget for each provider of twice what is spent there on average.
fn budgets(world: &World, fold: &Fold) -> Option<Remedy> {
    const TIMES: f64 = 2.0;
    const LEAST: f64 = 0.01;
    let days = world.horizon.as_secs_f64() / 86_400.0;
    let mut spent: BTreeMap<&str, f64> = BTreeMap::new();
    for bills in &fold.deployment_bills {
        for (name, bill) in world.names.deployments.iter().zip(bills) {
            *spent.entry(name.provider).or_default() += bill.picos() as f64 / 1e12;
        }
    }
    let daily = |total: f64| (TIMES * total / fold.runs().max(1) as f64 / days.max(1.0)).max(LEAST);
    let budget = |(provider, total): (&&str, &f64)| {
        Some(format!("{}: {{budget_limit: {:.2}, time_period: 1d}}", quoted(provider)?, daily(*total)))
    };
    let all: Option<Vec<String>> = spent.iter().map(budget).collect();
    let edit = format!("gateway.router_settings.provider_budget_config={{{}}}", all?.join(", "));
    let amounts: Vec<String> =
        spent.iter().map(|(provider, total)| format!("{provider} ${:.2}", daily(*total))).collect();
    let change = format!("an assumed budget a day of twice what is spent on average: {}", amounts.join(", "));
    Some(Remedy::new(change, [edit]))
}

fn edits(remedy: &Remedy) -> Result<Vec<Edit>, Problem> {
    let edit = |(flag, text): (&str, &str)| if flag == "unset" { Edit::remove(text) } else { Edit::parse(text) };
    remedy.flags().map(edit).collect()
}

fn first_line(problem: &Problem) -> String {
    let first = problem.diagnostics.first();
    first.map_or_else(|| "the change cannot be made".to_owned(), |found| masked(&found.message).into_owned())
}

fn play(world: &World, options: &Options, progress: &dyn Progress) -> Fold {
    replicate(options, progress, |replication| simulate(world, options.seed, replication, world.horizon))
}

/// What the first `runs` runs cost.
fn side(fold: &Fold, runs: usize) -> Side {
    let rows = &fold.rows[..runs];
    let MoneyStats { mean, p95, .. } = money_stats(rows.iter().map(|row| row.bill).collect());
    let sum = |of: fn(&RunRow) -> u64| rows.iter().map(of).sum::<u64>();
    let ppm = |part: u64, whole: u64| (share(part, whole) * 1e6).round() as u64;
    let unpriced = fold.deployments.iter().map(|totals| totals.unpriced_calls).sum();
    let calls = fold.rows.iter().map(|row| row.attempts).sum();
    let failure_ppm = ppm(sum(|row| row.failed + row.rejected + row.lost), sum(|row| row.requests));
    Side { mean, p95, failure_ppm, unpriced_ppm: ppm(unpriced, calls) }
}

/// What the change from `with` to `without` saves.
fn stake(with: &Fold, without: &Fold) -> Stake {
    let n = with.rows.len().min(without.rows.len());
    let (before, after) = (side(with, n), side(without, n));
    let (with, without) = (&with.rows[..n], &without.rows[..n]);
    let dollars = |rows: &[RunRow]| rows.iter().map(|row| row.bill.picos() as f64 / 1e12).collect::<Vec<f64>>();
    let paired = Paired::compare(&dollars(without), &dollars(with), CONFIDENCE);
    let half = (paired.difference.interval.high - paired.difference.interval.low) / 2.0;
    let half = if half.is_finite() { half } else { 0.0 };
    let cheaper = with.iter().zip(without).filter(|(a, b)| b.bill < a.bill).count();
    Stake {
        saved_mean: before.mean - after.mean,
        saved_half_width: Money::from_picos((half * 1e12).round() as i128),
        saved_p95: before.p95 - after.p95,
        cheaper_share: cheaper as f64 / n.max(1) as f64,
        with: before,
        without: after,
    }
}

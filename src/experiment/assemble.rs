//! From folded runs to a forecast: names for numbers, sums for means.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::{Billed, ChargeSum, DeploymentTotals, ErrorClass, RequestTotals};
use crate::experiment::fold::{
    Fold, StepSeries, band, count_stats, latency, money_stats, rate_stats, share, unanswered,
};
use crate::experiment::forecast::{
    CountStats, Demand, DeploymentRow, EdgeRow, ErrorCounts, HourRow, MeterRow, MoneyBand, RateStats, RunRow, ShareRow,
    UnpricedRow, WhyNotRow,
};
use crate::stats::Histogram;
use crate::units::{Money, TokenKind, WhyNot, WhyNots};

/// What a deployment is called, and what limits it.
#[derive(Debug, Clone, Default)]
pub struct DeploymentLabel {
    /// Its id in the gateway.
    pub name: String,
    /// Its group.
    pub group: String,
    /// The upstream model.
    pub model: String,
    /// Behind a pattern: the models that are filled in, by number.
    pub models: Vec<String>,
    /// The provider.
    pub provider: String,
    /// Whether the model has a price.
    pub priced: bool,
    /// Upstream limit of calls a minute.
    pub rpm_limit: Option<f64>,
    /// Upstream limit of tokens a minute.
    pub tpm_limit: Option<f64>,
    /// Limit of calls in flight.
    pub concurrency_limit: Option<f64>,
}

/// What a class or key is called.
#[derive(Debug, Clone, Default)]
pub struct ShareLabel {
    /// Its name.
    pub name: String,
    /// Its team.
    pub team: Option<String>,
}

/// The names of a world's things, in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// Deployments.
    pub deployments: Vec<DeploymentLabel>,
    /// Groups.
    pub groups: Vec<String>,
    /// Virtual keys.
    pub keys: Vec<ShareLabel>,
    /// Traffic classes.
    pub classes: Vec<ShareLabel>,
    /// Local time at the begin of each step of time.
    pub steps: Vec<String>,
}

/// Deployment by deployment.
pub fn deployment_rows(fold: &Fold, labels: &Labels, horizon_s: f64) -> Vec<DeploymentRow> {
    let runs = fold.runs().max(1);
    let bills = |index: usize| fold.deployment_bills.iter().map(|bills| bills[index]).collect();
    let row = |(index, (totals, label)): (usize, (&DeploymentTotals, &DeploymentLabel))| {
        let bill = money_stats(bills(index));
        let mean = |n: u64| n as f64 / runs as f64;
        DeploymentRow {
            name: label.name.clone(),
            group: label.group.clone(),
            model: label.model.clone(),
            provider: label.provider.clone(),
            priced: label.priced,
            bill_mean: bill.mean,
            bill_p95: bill.p95,
            attempts: mean(totals.attempts),
            served: mean(totals.served),
            errors: errors(totals, runs),
            input_tokens: mean(totals.input_tokens),
            output_tokens: mean(totals.output_tokens),
            unpriced_tokens: mean(totals.unpriced_answered),
            latency_s: latency(&totals.latency),
            cooldowns: mean(totals.cooldowns),
            cooldown_share: totals.cooling.as_secs_f64() / runs as f64 / horizon_s.max(f64::MIN_POSITIVE),
            requests_per_minute: demand(&totals.demand.calls),
            tokens_per_minute: demand(&totals.demand.tokens),
            concurrency: demand(&totals.demand.concurrency),
            rpm_limit: label.rpm_limit,
            tpm_limit: label.tpm_limit,
            concurrency_limit: label.concurrency_limit,
            meters: meter_rows(&totals.billed, runs, bill.mean),
        }
    };
    fold.deployments.iter().zip(&labels.deployments).enumerate().map(row).collect()
}

/// Means by meter that sum to the mean bill: the residue of rounding goes to the dearest.
fn meter_rows(billed: &Billed, runs: u64, mean: Money) -> Vec<MeterRow> {
    let row = |(kind, sum): (TokenKind, ChargeSum)| MeterRow {
        kind,
        quantity: sum.quantity as f64 / runs as f64,
        amount: sum.amount.divided_by(runs),
    };
    let counted = billed.iter().filter(|(_, sum)| *sum != ChargeSum::default());
    let mut rows: Vec<MeterRow> = counted.map(row).collect();
    let residue = mean - rows.iter().map(|row| row.amount).sum::<Money>();
    if let Some(dearest) = rows.iter_mut().max_by_key(|row| row.amount) {
        dearest.amount += residue;
    }
    rows
}

/// Mean errors of a run by class.
pub fn errors(totals: &DeploymentTotals, runs: u64) -> ErrorCounts {
    let mean = |class: ErrorClass| totals.errors[class as usize] as f64 / runs as f64;
    ErrorCounts {
        rate_limited: mean(ErrorClass::RateLimited),
        server: mean(ErrorClass::Server),
        timeout: mean(ErrorClass::Timeout),
        auth: mean(ErrorClass::Auth),
        client: mean(ErrorClass::Client),
        cancelled: mean(ErrorClass::Cancelled),
    }
}

/// Percentiles and peak of what was counted in each period.
pub fn demand(minutes: &Histogram) -> Demand {
    let at = |p| minutes.quantile(p);
    Demand { p50: at(0.5), p95: at(0.95), p999: at(0.999), peak: minutes.max() }
}

/// Hour by hour.
pub fn hour_rows(fold: &Fold, labels: &Labels) -> Vec<HourRow> {
    let runs = fold.runs().max(1);
    let deployments = fold.deployments.len();
    let row = |(index, series): (usize, &StepSeries)| {
        let spend = &fold.step_spend[index * deployments..(index + 1) * deployments];
        HourRow {
            hour: u32::try_from(index).unwrap_or(u32::MAX),
            label: labels.steps.get(index).cloned().unwrap_or_default(),
            requests: band(series.requests.clone()),
            attempts: band(series.attempts.clone()),
            failure_rate: band(series.failure_rate.clone()),
            fallback_share: band(series.fallback_share.clone()),
            spend: MoneyBand::of_dollars(band(series.spend.clone())),
            cumulative_spend: MoneyBand::of_dollars(band(series.cumulative.clone())),
            spend_by_deployment: spend.iter().map(|&amount| amount.divided_by(runs)).collect(),
        }
    };
    fold.steps.iter().enumerate().map(row).collect()
}

/// Requests without a good answer, by what stood in the way: of all keys.
pub fn why_not_rows(fold: &Fold) -> Vec<WhyNotRow> {
    let mut all = WhyNots::default();
    fold.why_not.iter().for_each(|key| all.merge(key));
    why_nots(&all, fold.runs())
}

fn why_nots(counts: &WhyNots, runs: u64) -> Vec<WhyNotRow> {
    let row = |(why, count): (WhyNot, u64)| WhyNotRow { why, requests: count as f64 / runs.max(1) as f64 };
    counts.iter().map(row).collect()
}

/// Virtual keys, one by one.
pub fn key_rows(fold: &Fold, labels: &[ShareLabel]) -> Vec<ShareRow> {
    let mut rows = share_rows(fold, labels, &fold.keys, &fold.key_bills);
    let told = |(row, counts): (&mut ShareRow, &WhyNots)| row.why_not = why_nots(counts, fold.runs());
    rows.iter_mut().zip(&fold.why_not).for_each(told);
    rows
}

/// Classes or keys, one by one.
pub fn share_rows(fold: &Fold, labels: &[ShareLabel], totals: &[RequestTotals], bills: &[Vec<Money>]) -> Vec<ShareRow> {
    let runs = fold.runs().max(1) as f64;
    let row = |(index, (label, totals)): (usize, (&ShareLabel, &RequestTotals))| {
        let bill = money_stats(bills.iter().map(|bills| bills[index]).collect());
        ShareRow {
            name: label.name.clone(),
            team: label.team.clone(),
            requests: totals.requests as f64 / runs,
            failed: totals.failed as f64 / runs,
            bill_mean: bill.mean,
            bill_p95: bill.p95,
            priced: bill.mean != Money::ZERO || totals.unpriced == 0,
            why_not: Vec::new(),
        }
    };
    labels.iter().zip(totals).enumerate().map(row).collect()
}

/// The fallback graph, dearest edge first.
pub fn edge_rows(fold: &Fold, labels: &Labels) -> Vec<EdgeRow> {
    let runs = fold.runs().max(1);
    let mut rows: Vec<EdgeRow> = fold
        .edges
        .iter()
        .map(|((from, to), edge)| EdgeRow {
            from: labels.groups[from.index()].clone(),
            to: labels.groups[to.index()].clone(),
            charges: edge.charges as f64 / runs as f64,
            amount: edge.amount.divided_by(runs),
            premium: edge.known_premium().map(|premium| premium.divided_by(runs)),
        })
        .collect();
    rows.sort_by(|a, b| b.premium.cmp(&a.premium).then_with(|| b.amount.cmp(&a.amount)));
    rows
}

/// Models without a price, with what went there: behind a pattern those that were called, of which some may have one.
pub fn unpriced_rows(fold: &Fold, labels: &Labels) -> Vec<UnpricedRow> {
    let runs = fold.runs().max(1) as f64;
    let row = |(model, [calls, input, output]): (&str, [u64; 3])| UnpricedRow {
        model: model.to_owned(),
        calls: calls as f64 / runs,
        input_tokens: input as f64 / runs,
        output_tokens: output as f64 / runs,
    };
    unpriced(&fold.deployments, labels).into_iter().map(row).collect()
}

/// Models without a price that were called.
pub fn unpriced_models(deployments: &[DeploymentTotals], labels: &Labels) -> BTreeSet<String> {
    let called = unpriced(deployments, labels).into_iter().filter(|(_, [calls, ..])| *calls > 0);
    called.map(|(model, _)| model.to_owned()).collect()
}

/// Calls, input and output tokens at models without a price.
fn unpriced<'a>(deployments: &[DeploymentTotals], labels: &'a Labels) -> BTreeMap<&'a str, [u64; 3]> {
    let mut by_model = BTreeMap::<&str, [u64; 3]>::new();
    let mut add = |model, counts: &[u64; 3]| {
        by_model.entry(model).or_default().iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    };
    for (totals, label) in deployments.iter().zip(&labels.deployments) {
        let called = label.models.iter().zip(&totals.unpriced_models).filter(|(_, [calls, ..])| *calls > 0);
        called.clone().for_each(|(model, counts)| add(model.as_str(), counts));
        if !label.priced && called.count() == 0 {
            add(&label.model, &[totals.unpriced_calls, totals.unpriced_input, totals.unpriced_output]);
        }
    }
    by_model
}

/// The share of requests without a good answer, over the runs.
pub fn failure_rate(rows: &[RunRow]) -> RateStats {
    rate_stats(rows.iter().map(|row| share(unanswered(row), row.requests)).collect())
}

/// What clients want, over the runs.
pub fn intents(rows: &[RunRow]) -> CountStats {
    count_stats(rows.iter().map(|row| row.intents() as f64).collect())
}

/// The share of what clients want that is never answered, over the runs.
pub fn unanswered_rate(rows: &[RunRow]) -> RateStats {
    rate_stats(rows.iter().map(|row| share(row.unanswered(), row.intents())).collect())
}

/// The share of requests answered by another group, over the runs.
pub fn fallback_share(rows: &[RunRow]) -> RateStats {
    rate_stats(rows.iter().map(|row| share(row.fallbacks, row.requests)).collect())
}

/// Client requests, over the runs.
pub fn requests(rows: &[RunRow]) -> CountStats {
    count_stats(rows.iter().map(|row| row.requests as f64).collect())
}

/// Upstream calls, over the runs.
pub fn upstream_calls(rows: &[RunRow]) -> CountStats {
    count_stats(rows.iter().map(|row| row.attempts as f64).collect())
}

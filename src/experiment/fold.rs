//! Folds runs, in the order of their numbers, into what a forecast says.

use crate::engine::{DeploymentTotals, RequestTotals, Run};
use crate::experiment::forecast::{Band, CountStats, LatencyStats, MoneyStats, RateStats, RunRow};
use crate::ledger::{Cause, Causes, Edge};
use crate::random::BLOCK;
use crate::stats::{Histogram, block_mean, block_ranks, nearest_rank, worth_runs};
use crate::units::{GroupId, Money, WhyNots};

/// Confidence of all intervals.
const CONFIDENCE: f64 = 0.95;

/// Everything that is kept of the runs seen so far.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Fold {
    /// One row a run.
    pub rows: Vec<RunRow>,
    /// Latency of all answered requests.
    pub latency: Histogram,
    /// Counters by deployment, summed.
    pub deployments: Vec<DeploymentTotals>,
    /// Bills by deployment, run by run.
    pub deployment_bills: Vec<Vec<Money>>,
    /// Requests by class, summed.
    pub classes: Vec<RequestTotals>,
    /// Bills by class, run by run.
    pub class_bills: Vec<Vec<Money>>,
    /// Requests by key, summed.
    pub keys: Vec<RequestTotals>,
    /// Requests without a good answer by key and what stood in the way, summed.
    pub why_not: Vec<WhyNots>,
    /// Bills by key, run by run.
    pub key_bills: Vec<Vec<Money>>,
    /// Edges of the fallback graph, summed.
    #[serde(with = "crate::experiment::part::pairs")]
    pub edges: std::collections::BTreeMap<(GroupId, GroupId), Edge>,
    /// By step of time, run by run.
    pub steps: Vec<StepSeries>,
    /// Charges by step of time, run by run.
    pub hour_bills: Vec<Vec<Money>>,
    /// Charges by step and deployment, summed.
    pub step_spend: Vec<Money>,
    /// Bills by cause, summed.
    pub by_cause: Causes<Money>,
    /// The bill, summed.
    pub bill: Money,
    /// What the gateway would report, summed.
    pub reported: Money,
    /// What fallbacks cost above home prices, summed.
    pub premium: Money,
}

/// One step of time over all runs.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct StepSeries {
    /// Requests that arrived.
    pub requests: Vec<f64>,
    /// Upstream calls.
    pub attempts: Vec<f64>,
    /// Share of failed requests.
    pub failure_rate: Vec<f64>,
    /// Share of requests that fell back.
    pub fallback_share: Vec<f64>,
    /// Dollars.
    pub spend: Vec<f64>,
    /// Dollars since the start.
    pub cumulative: Vec<f64>,
}

impl Fold {
    /// Adds the next run.
    pub fn add(&mut self, run: &Run) {
        self.rows.push(RunRow::of(run));
        self.latency.merge(&run.latency);
        self.add_deployments(run);
        add_requests(&mut self.classes, &run.classes);
        add_requests(&mut self.keys, &run.keys);
        add_why_nots(&mut self.why_not, &run.why_not);
        self.class_bills.push(run.ledger.by_class().to_vec());
        self.key_bills.push(run.ledger.by_key().to_vec());
        for (from, to, edge) in run.ledger.edges() {
            self.edges.entry((from, to)).or_default().merge(edge);
        }
        self.add_steps(run);
        for (cause, amount) in run.ledger.by_cause().iter() {
            self.by_cause[cause] += *amount;
        }
        self.bill += run.ledger.total();
        self.reported += run.reported_spend;
        self.premium += run.ledger.fallback_premium();
    }

    fn add_deployments(&mut self, run: &Run) {
        self.deployment_bills.push(run.ledger.by_deployment().to_vec());
        self.deployments.resize_with(run.deployments.len(), DeploymentTotals::default);
        for (sum, totals) in self.deployments.iter_mut().zip(&run.deployments) {
            sum.merge(totals);
        }
    }

    fn add_steps(&mut self, run: &Run) {
        self.steps.resize_with(run.steps.len(), StepSeries::default);
        self.step_spend.resize(run.spend_by_deployment.len(), Money::ZERO);
        for (sum, amount) in self.step_spend.iter_mut().zip(&run.spend_by_deployment) {
            *sum += *amount;
        }
        self.hour_bills.push(run.steps.iter().map(|step| step.spend).collect());
        let mut cumulative = Money::ZERO;
        for (series, step) in self.steps.iter_mut().zip(&run.steps) {
            cumulative += step.spend;
            series.requests.push(step.requests as f64);
            series.attempts.push(step.attempts as f64);
            series.failure_rate.push(share(step.failed, step.requests));
            series.fallback_share.push(share(step.fallbacks, step.requests));
            series.spend.push(dollars(step.spend));
            series.cumulative.push(dollars(cumulative));
        }
    }

    /// Number of runs so far.
    pub fn runs(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Statistics of the bill.
    pub fn bill_stats(&self) -> MoneyStats {
        money_stats(self.rows.iter().map(|row| row.bill).collect())
    }

    /// The mean bill by cause; sums to the mean bill exactly, the residue of rounding goes to the largest cause.
    pub fn mean_by_cause(&self) -> Causes<Money> {
        let runs = self.runs().max(1);
        let mut means = Causes::default();
        for (cause, amount) in self.by_cause.iter() {
            means[cause] = amount.divided_by(runs);
        }
        let largest = Cause::ALL.into_iter().max_by_key(|&cause| means[cause]).unwrap_or(Cause::FirstAttempt);
        let residue = self.bill.divided_by(runs) - means.total();
        means[largest] += residue;
        means
    }
}

/// Requests without a good answer.
pub const fn unanswered(row: &RunRow) -> u64 {
    row.failed + row.rejected + row.lost
}

/// Dollars as a float, for statistics and charts only.
pub fn dollars(amount: Money) -> f64 {
    amount.picos() as f64 / 1e12
}

/// A float of dollars back to money, for interval ends of means.
pub fn money(dollars: f64) -> Money {
    Money::from_picos((dollars * 1e12).round() as i128)
}

/// `part` / `whole`, 0 of nothing.
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

pub(super) fn add_requests(sums: &mut Vec<RequestTotals>, run: &[RequestTotals]) {
    sums.resize_with(run.len(), RequestTotals::default);
    for (sum, totals) in sums.iter_mut().zip(run) {
        sum.requests += totals.requests;
        sum.failed += totals.failed;
        sum.unpriced += totals.unpriced;
    }
}

pub(super) fn add_why_nots(sums: &mut Vec<WhyNots>, run: &[WhyNots]) {
    sums.resize_with(run.len().max(sums.len()), WhyNots::default);
    sums.iter_mut().zip(run).for_each(|(sum, counts)| sum.merge(counts));
}

impl RunRow {
    /// What is kept of a run.
    pub(super) fn of(run: &Run) -> Self {
        Self {
            run: run.replication,
            bill: run.ledger.total(),
            by_cause: *run.ledger.by_cause(),
            requests: run.requests,
            served: run.served,
            cache_hits: run.cache_hits,
            failed: run.failed,
            rejected: run.rejected,
            abandoned: run.abandoned,
            lost: run.lost,
            in_flight: run.in_flight,
            client_retries: run.client_retries,
            fallbacks: run.fallbacks,
            attempts: run.attempts,
            most_attempts: run.most_attempts,
            fallback_premium: run.ledger.fallback_premium(),
            reported_spend: run.reported_spend,
            latency_s: latency(&run.latency),
        }
    }
}

/// Quantiles of a latency histogram; none where nothing was timed, which is not the same as an answer at once.
pub fn latency(histogram: &Histogram) -> Option<LatencyStats> {
    let at = |p| histogram.quantile(p);
    (histogram.count() > 0).then(|| LatencyStats { p50: at(0.5), p95: at(0.95), p99: at(0.99) })
}

/// Statistics of amounts in the order of their runs: nearest-rank percentiles, so that each is the bill of a real run.
pub fn money_stats(by_run: Vec<Money>) -> MoneyStats {
    let n = by_run.len();
    if n == 0 {
        return MoneyStats::default();
    }
    let mut amounts = by_run.clone();
    amounts.sort_unstable();
    let at = |p: f64| amounts[nearest_rank(n, p)];
    let interval = |p: f64| {
        let below: Vec<bool> = by_run.iter().map(|&amount| amount <= at(p)).collect();
        // A sample too small to bound a side gives its own end: the widest that it can say.
        let (low, high) = block_ranks(&below, p, BLOCK as usize, CONFIDENCE);
        [amounts[low.map_or(0, |rank| rank as usize)], amounts[high.map_or(n - 1, |rank| rank as usize)]]
    };
    let mean = amounts.iter().copied().sum::<Money>().divided_by(n as u64);
    let in_dollars: Vec<f64> = by_run.iter().map(|&amount| dollars(amount)).collect();
    let half = money(half_width(&in_dollars));
    MoneyStats {
        mean,
        // A bill is never negative, whatever the normal approximation says of a skewed one.
        ci95_mean: [(mean - half).max(Money::ZERO), mean + half],
        worth_runs: worth_runs(&in_dollars, BLOCK as usize),
        p5: at(0.05),
        p50: at(0.5),
        ci95_p50: interval(0.5),
        p80: at(0.8),
        p95: at(0.95),
        ci95_p95: interval(0.95),
        p99: at(0.99),
        max: amounts[n - 1],
    }
}

/// Half the width of the confidence interval of the mean of values in the order of their runs; 0
/// where one run cannot tell.
fn half_width(values: &[f64]) -> f64 {
    let interval = block_mean(values, BLOCK as usize, CONFIDENCE).interval;
    let half = (interval.high - interval.low) / 2.0;
    if half.is_finite() { half } else { 0.0 }
}

/// Statistics of a share in the order of the runs.
pub fn rate_stats(shares: Vec<f64>) -> RateStats {
    let ci95_half_width = half_width(&shares);
    let band = band(shares);
    RateStats { mean: band.mean, ci95_half_width, p50: band.p50, p95: band.p95 }
}

/// Statistics of a number, one a run.
pub fn count_stats(numbers: Vec<f64>) -> CountStats {
    let band = band(numbers);
    CountStats { mean: band.mean, p5: band.p5, p95: band.p95 }
}

/// Runs by what they cost: bill and number, the cheapest first.
pub fn by_bill(rows: &[RunRow]) -> Vec<(Money, u64)> {
    let mut by_bill: Vec<_> = rows.iter().map(|row| (row.bill, row.run)).collect();
    by_bill.sort_unstable();
    by_bill
}

/// Low, middle and high of numbers, one a run.
pub fn band(mut numbers: Vec<f64>) -> Band {
    let n = numbers.len();
    if n == 0 {
        return Band::default();
    }
    let mean = numbers.iter().sum::<f64>() / n as f64;
    numbers.sort_unstable_by(f64::total_cmp);
    let at = |p: f64| numbers[nearest_rank(n, p)];
    Band { p5: at(0.05), p50: at(0.5), mean, p95: at(0.95) }
}

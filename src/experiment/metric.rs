//! What is measured of each run, and which statistic of it over the runs is meant: `bill.p95`, `failure_rate.mean`.

use crate::experiment::fold::{dollars, share, unanswered};
use crate::experiment::forecast::RunRow;
use crate::ledger::Cause;
use crate::stats::{Estimate, Interval, Moments, binomial_ranks, nearest_rank};

/// Confidence of all intervals.
pub const CONFIDENCE: f64 = 0.95;

/// A number that each run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The bill.
    Bill,
    /// The part of the bill with this cause.
    Cause(Cause),
    /// What fallbacks cost above the prices of the groups asked for.
    FallbackPremium,
    /// What the gateway itself would report as spend.
    ReportedSpend,
    /// Requests without a good answer, as a share of all.
    FailureRate,
    /// Requests answered by another group, as a share of all.
    FallbackShare,
    /// Requests answered from the response cache, as a share of all.
    CacheHitShare,
    /// Client requests.
    Requests,
    /// Upstream calls.
    UpstreamCalls,
    /// Upstream calls for one client request.
    CallsPerRequest,
    /// The most upstream calls that a single request took.
    MaxAttempts,
    /// Median latency of the run's answers.
    LatencyP50,
    /// 95th percentile of the latency of the run's answers.
    LatencyP95,
    /// 99th percentile of the latency of the run's answers.
    LatencyP99,
}

/// What a metric is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// US dollars.
    Dollars,
    /// A share, from 0 to 1.
    Share,
    /// Things.
    Count,
    /// Seconds.
    Seconds,
}

impl Metric {
    /// All metrics by their names.
    pub const ALL: [(&'static str, Self); 20] = [
        ("bill", Self::Bill),
        ("failure_rate", Self::FailureRate),
        ("fallback_share", Self::FallbackShare),
        ("fallback_premium", Self::FallbackPremium),
        ("reported_spend", Self::ReportedSpend),
        ("cache_hit_share", Self::CacheHitShare),
        ("requests", Self::Requests),
        ("upstream_calls", Self::UpstreamCalls),
        ("calls_per_request", Self::CallsPerRequest),
        ("max_attempts", Self::MaxAttempts),
        ("latency_p50", Self::LatencyP50),
        ("latency_p95", Self::LatencyP95),
        ("latency_p99", Self::LatencyP99),
        ("first_attempt", Self::Cause(Cause::FirstAttempt)),
        ("retry", Self::Cause(Cause::Retry)),
        ("fallback", Self::Cause(Cause::Fallback)),
        ("abandoned", Self::Cause(Cause::Abandoned)),
        ("failed_attempt", Self::Cause(Cause::FailedAttempt)),
        ("cache_write", Self::Cause(Cause::CacheWrite)),
        ("commitment", Self::Cause(Cause::Commitment)),
    ];

    /// The metric of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(other, _)| *other == name).map(|(_, metric)| *metric)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, metric)| *metric == self).map_or("", |(name, _)| name)
    }

    /// What it is counted in.
    pub const fn measure(self) -> Measure {
        match self {
            Self::Bill | Self::Cause(_) | Self::FallbackPremium | Self::ReportedSpend => Measure::Dollars,
            Self::FailureRate | Self::FallbackShare | Self::CacheHitShare => Measure::Share,
            Self::Requests | Self::UpstreamCalls | Self::CallsPerRequest | Self::MaxAttempts => Measure::Count,
            Self::LatencyP50 | Self::LatencyP95 | Self::LatencyP99 => Measure::Seconds,
        }
    }

    /// Its value in a run.
    pub fn of(self, row: &RunRow) -> f64 {
        match self {
            Self::Bill => dollars(row.bill),
            Self::Cause(cause) => dollars(row.by_cause[cause]),
            Self::FallbackPremium => dollars(row.fallback_premium),
            Self::ReportedSpend => dollars(row.reported_spend),
            Self::FailureRate => share(unanswered(row), row.requests),
            Self::FallbackShare => share(row.fallbacks, row.requests),
            Self::CacheHitShare => share(row.cache_hits, row.requests),
            Self::Requests => row.requests as f64,
            Self::UpstreamCalls => row.attempts as f64,
            Self::CallsPerRequest => share(row.attempts, row.requests),
            Self::MaxAttempts => f64::from(row.most_attempts),
            // Each run has a number, so that runs can be paired: 0 where nothing was answered.
            Self::LatencyP50 => row.latency_s.unwrap_or_default().p50,
            Self::LatencyP95 => row.latency_s.unwrap_or_default().p95,
            Self::LatencyP99 => row.latency_s.unwrap_or_default().p99,
        }
    }

    /// Its value in each run.
    pub fn series(self, rows: &[RunRow]) -> Vec<f64> {
        rows.iter().map(|row| self.of(row)).collect()
    }
}

/// A statistic over the runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stat {
    /// The mean.
    Mean,
    /// The largest of all runs.
    Max,
    /// The smallest number that this share of the runs does not exceed.
    Quantile(f64),
}

impl Stat {
    /// Reads `mean`, `max`, `median`, `p95`, `p99.9`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "mean" => Some(Self::Mean),
            "max" => Some(Self::Max),
            "median" => Some(Self::Quantile(0.5)),
            _ => {
                let percent: f64 = name.strip_prefix('p')?.parse().ok()?;
                (percent > 0.0 && percent < 100.0).then_some(Self::Quantile(percent / 100.0))
            }
        }
    }

    /// Its value for some runs; NaN for none.
    pub fn of(self, values: &[f64]) -> f64 {
        if values.is_empty() {
            return f64::NAN;
        }
        match self {
            Self::Mean => values.iter().copied().collect::<Moments>().mean(),
            Self::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Quantile(p) => quantile(&mut values.to_vec(), p),
        }
    }

    /// Its value with an interval: Student's for the mean, order statistics for quantiles. The largest of the runs is
    /// what it is.
    pub fn estimate(self, values: &[f64]) -> Estimate {
        match self {
            Self::Mean => values.iter().copied().collect::<Moments>().estimate(CONFIDENCE),
            Self::Max => exactly(self.of(values)),
            Self::Quantile(p) => {
                let mut sorted = values.to_vec();
                sorted.sort_unstable_by(f64::total_cmp);
                let (low, high) = binomial_ranks(sorted.len() as u64, p, CONFIDENCE);
                let at = |rank: Option<u64>, none: f64| rank.map_or(none, |rank| sorted[rank as usize]);
                let interval = Interval { low: at(low, f64::NEG_INFINITY), high: at(high, f64::INFINITY) };
                // Half the width of the interval is about two standard errors.
                let std_error = (interval.high - interval.low) / 4.0;
                Estimate { point: self.of(values), std_error, interval }
            }
        }
    }
}

/// A number that is known exactly.
pub const fn exactly(value: f64) -> Estimate {
    Estimate { point: value, std_error: 0.0, interval: Interval { low: value, high: value } }
}

/// The nearest-rank quantile; the order of the values is lost.
pub fn quantile(values: &mut [f64], p: f64) -> f64 {
    let rank = nearest_rank(values.len(), p);
    *values.select_nth_unstable_by(rank, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_metrics_and_back() {
        for (name, metric) in Metric::ALL {
            assert_eq!((Metric::named(name), metric.name()), (Some(metric), name));
        }
        for (name, stat) in [
            ("mean", Stat::Mean),
            ("max", Stat::Max),
            ("median", Stat::Quantile(0.5)),
            ("p5", Stat::Quantile(0.05)),
            ("p99.9", Stat::Quantile(99.9 / 100.0)),
        ] {
            assert_eq!(Stat::named(name), Some(stat));
        }
        assert!(["p0", "p100", "p", "95", "pp", "p-3", "pnan"].iter().all(|name| Stat::named(name).is_none()));
    }

    #[test]
    fn statistics_of_a_few_runs() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!([Stat::Mean, Stat::Max, Stat::Quantile(0.95)].map(|stat| stat.of(&values)), [50.5, 100.0, 95.0]);
        let interval = Stat::Quantile(0.5).estimate(&values).interval;
        assert_eq!((interval.low, interval.high), (40.0, 61.0));
        assert!(Stat::Quantile(0.95).estimate(&values[..20]).interval.high.is_infinite());
    }
}

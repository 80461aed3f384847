//! Exact quantiles of replication totals, with intervals that assume nothing about their distribution.

use crate::stats::estimate::{Estimate, Interval};

/// Observations in rising order.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    sorted: Vec<f64>,
}

impl Sample {
    /// Sorts the observations; those that are not numbers are left out.
    pub fn new(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        Self { sorted }
    }

    /// The observations in rising order.
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// The quantile at `p`, interpolated between order statistics (definition 7 of Hyndman and Fan); NaN for none.
    pub fn quantile(&self, p: f64) -> f64 {
        let Some(last) = self.sorted.len().checked_sub(1) else { return f64::NAN };
        let place = p.clamp(0.0, 1.0) * last as f64;
        let (low, high) = (place.floor() as usize, place.ceil() as usize);
        self.sorted[low] + (self.sorted[high] - self.sorted[low]) * (place - place.floor())
    }

    /// The quantile at `p` with an interval between order statistics: the number of observations below the true quantile
    /// is binomial, whatever they are distributed like. The ends are infinite when there are too few observations.
    pub fn estimate(&self, p: f64, confidence: f64) -> Estimate {
        let (low, high) = binomial_ranks(self.sorted.len() as u64, p, confidence);
        let low = low.map_or(f64::NEG_INFINITY, |rank| self.sorted[rank as usize]);
        let high = high.map_or(f64::INFINITY, |rank| self.sorted[rank as usize]);
        // Half the width of the interval that would hold one standard error of the binomial to each side.
        const ONE_SIGMA: f64 = 0.682_689_492_137_085_9;
        let sigma = match binomial_ranks(self.sorted.len() as u64, p, ONE_SIGMA) {
            (Some(l), Some(h)) => 0.5 * (self.sorted[h as usize] - self.sorted[l as usize]),
            _ => f64::NAN,
        };
        Estimate { point: self.quantile(p), std_error: sigma, interval: Interval { low, high } }
    }
}

/// Index of the nearest-rank quantile in a sorted sample of `n` > 0 numbers: the smallest number that at least a share
/// `p` of the sample does not exceed.
pub fn nearest_rank(n: usize, p: f64) -> usize {
    // A tiny slack, so that 0.95 · 20 = 19.000000000000004 does not round up to the next rank.
    let rank = (p * n as f64 - 1e-9).ceil().max(1.0) as usize;
    rank.min(n) - 1
}

/// Ranks (from 0) of the order statistics between which the true quantile lies with at least `confidence`: each side
/// misses it with at most half of the rest. `None` where the sample is too small to bound that side.
pub fn binomial_ranks(n: u64, p: f64, confidence: f64) -> (Option<u64>, Option<u64>) {
    let miss = (1.0 - confidence) / 2.0;
    let (mut low, mut high) = (None, None);
    let mut below = 0.0;
    // P(at most k of n are below the quantile): the k-th order statistic is above it with that probability.
    for k in 0..n {
        if below <= miss {
            low = k.checked_sub(1);
        }
        below += binomial(n, k, p);
        if high.is_none() && 1.0 - below <= miss {
            high = Some(k);
        }
    }
    (low, high.filter(|_| n > 0))
}

fn binomial(n: u64, k: u64, p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        return if (p <= 0.0 && k == 0) || (p >= 1.0 && k == n) { 1.0 } else { 0.0 };
    }
    let (n, k) = (n as f64, k as f64);
    let log_ways = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
    libm::exp(log_ways + k * libm::log(p) + (n - k) * libm::log1p(-p))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::mix;

    #[test]
    fn quantiles_interpolate_between_order_statistics() {
        let sample = Sample::new([4.0, 1.0, f64::NAN, 3.0, 2.0]);
        assert_eq!([0.0, 0.5, 0.95, 1.0].map(|p| sample.quantile(p)), [1.0, 2.5, 3.8499999999999996, 4.0]);
        assert!(Sample::new([]).quantile(0.5).is_nan());
    }

    #[test]
    fn nearest_ranks_do_not_suffer_from_rounding() {
        assert_eq!([(20, 0.95), (100, 0.5), (1, 0.99), (10, 1.0)].map(|(n, p)| nearest_rank(n, p)), [18, 49, 0, 9]);
    }

    #[test]
    fn ranks_are_those_of_the_tables() {
        // Conover, Practical Nonparametric Statistics: the median of 20 lies between the 6th and the 15th.
        assert_eq!(binomial_ranks(20, 0.5, 0.95), (Some(5), Some(14)));
        // 59 observations are the fewest whose largest is above P95 with 95% (one side); 64 are too few for 97.5%.
        assert_eq!(binomial_ranks(64, 0.95, 0.95).1, None);
        assert!(binomial_ranks(73, 0.95, 0.95).1.is_some());
        assert_eq!(binomial_ranks(0, 0.5, 0.95), (None, None));
    }

    #[test]
    fn intervals_cover_the_true_quantile_as_often_as_they_say() {
        // 2,000 samples of 200 uniform numbers. Coverage is at least 95%; 3 standard errors of the count are 1.5%.
        let mut covered = 0;
        for s in 0..2000u64 {
            let sample = Sample::new((0..200u64).map(|k| (mix(s << 32 | k) >> 11) as f64 / (1u64 << 53) as f64));
            covered += u32::from(sample.estimate(0.95, 0.95).interval.contains(0.95));
        }
        assert!((1870..=1990).contains(&covered), "{covered}");
    }
}

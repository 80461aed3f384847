//! Ranks of quantiles in sorted samples, with intervals that assume nothing about their distribution.

/// Index of the nearest-rank quantile in a sorted sample of `n` > 0 numbers: the smallest number that at least a share
/// `p` of the sample does not exceed.
pub fn nearest_rank(n: usize, p: f64) -> usize {
    // A tiny slack, so that 0.95 · 20 = 19.000000000000004 does not round up to the next rank.
    let rank = (p * n as f64 - 1e-9).ceil().max(1.0) as usize;
    rank.min(n) - 1
}

/// The nearest-rank quantile of a sorted sample; `None` of nothing.
pub fn quantile_of_sorted<T>(sorted: &[T], p: f64) -> Option<&T> {
    (!sorted.is_empty()).then(|| &sorted[nearest_rank(sorted.len(), p)])
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
    fn nearest_ranks_do_not_suffer_from_rounding() {
        assert_eq!([(20, 0.95), (100, 0.5), (1, 0.99), (10, 1.0)].map(|(n, p)| nearest_rank(n, p)), [18, 49, 0, 9]);
        assert_eq!((quantile_of_sorted(&[1, 2, 5], 0.5), quantile_of_sorted::<u8>(&[], 0.5)), (Some(&2), None));
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
            let mut sample: Vec<f64> =
                (0..200u64).map(|k| (mix(s << 32 | k) >> 11) as f64 / (1u64 << 53) as f64).collect();
            sample.sort_unstable_by(f64::total_cmp);
            let (low, high) = binomial_ranks(200, 0.95, 0.95);
            let at = |rank: Option<u64>| sample[rank.expect("a large enough sample") as usize];
            covered += u32::from(at(low) <= 0.95 && 0.95 <= at(high));
        }
        assert!((1870..=1990).contains(&covered), "{covered}");
    }
}

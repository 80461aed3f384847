//! Quantiles of a sorted sample as order statistics, with distribution-free confidence intervals.

/// Index of the nearest-rank `p` quantile in a sorted sample of `n` > 0 numbers: the smallest number that at least a share
/// `p` of the sample does not exceed.
pub fn quantile_rank(n: usize, p: f64) -> usize {
    // A tiny slack, so that 0.95 · 20 = 19.000000000000004 does not round up to the next rank.
    let rank = (p * n as f64 - 1e-9).ceil().max(1.0) as usize;
    rank.min(n) - 1
}

/// Indices of the order statistics between which the true `p` quantile lies with at least the given confidence, as far as
/// a sample of `n` > 0 numbers allows (the number of observations below the quantile is binomial).
///
/// Source: the sign-test interval for quantiles, e.g. David and Nagaraja, *Order Statistics*, 7.1.
pub fn quantile_interval_ranks(n: usize, p: f64, confidence: f64) -> (usize, usize) {
    let tail = (1.0 - confidence) / 2.0;
    let mut below = 0.0;
    let (mut low, mut high) = (0, n - 1);
    for (count, probability) in binomial(n, p).into_iter().enumerate() {
        // P(fewer than `count + 1` observations below the quantile) ≤ tail: the quantile lies above that observation.
        let up_to_here = below + probability;
        if up_to_here <= tail {
            low = count.min(n - 1);
        }
        if below < 1.0 - tail && up_to_here >= 1.0 - tail {
            high = count.min(n - 1);
            break;
        }
        below = up_to_here;
    }
    (low, high.max(low))
}

/// Probabilities of 0..=n successes, through logarithms so that large `n` do not underflow.
fn binomial(n: usize, p: f64) -> Vec<f64> {
    let (success, failure) = (p.ln(), (1.0 - p).ln());
    let mut log_choose = 0.0;
    let mut probabilities = Vec::with_capacity(n + 1);
    for k in 0..=n {
        probabilities.push((log_choose + k as f64 * success + (n - k) as f64 * failure).exp());
        log_choose += ((n - k) as f64).ln() - ((k + 1) as f64).ln();
    }
    probabilities
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest() {
        assert_eq!(quantile_rank(20, 0.95), 18);
        assert_eq!(quantile_rank(100, 0.5), 49);
        assert_eq!(quantile_rank(1, 0.99), 0);
        assert_eq!(quantile_rank(10, 1.0), 9);
    }

    #[test]
    fn intervals_cover_as_often_as_they_say() {
        // Exact coverage from the binomial: P(low observations ≤ B < high + 1), where B counts those below the quantile.
        for (n, p) in [(100, 0.5), (200, 0.95), (1000, 0.95), (64, 0.8)] {
            let (low, high) = quantile_interval_ranks(n, p, 0.95);
            let coverage: f64 = binomial(n, p)[low + 1..=high].iter().sum();
            assert!((0.94..0.999).contains(&coverage), "n={n} p={p}: {low}..{high} covers {coverage}");
        }
    }

    #[test]
    fn small_samples_give_their_whole_range() {
        assert_eq!(quantile_interval_ranks(1, 0.95, 0.95), (0, 0));
        assert_eq!(quantile_interval_ranks(5, 0.95, 0.95).1, 4);
    }
}

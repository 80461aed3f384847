//! Two numbers that go together: a Gaussian copula.

use crate::random::addressed::Unit;
use crate::random::score::NormalScores;

/// Couples uniform numbers by the correlation of their normal scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Copula {
    rho: f64,
    /// Weight of the part that is independent.
    rest: f64,
    scores: &'static NormalScores,
}

impl Copula {
    /// With this correlation, from -1 to 1; `None` without any.
    pub fn new(rho: f64) -> Option<Self> {
        (rho != 0.0).then(|| Self { rho, rest: libm::sqrt(1.0 - rho * rho), scores: NormalScores::get() })
    }

    /// A normal score that has the correlation with the score of `first`, made of one of its `own`: the place of the
    /// second number, for [`Dist::count_at_score`](crate::random::Dist::count_at_score).
    #[inline(always)]
    pub fn score(self, first: Unit, own: Unit) -> f64 {
        self.rho * self.scores.of(first) + self.rest * self.scores.of(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Addressed, DistSpec, Purpose, Replication, Seed, normal_cdf, normal_quantile};

    /// Pairs of uniform numbers.
    fn pairs(count: u64) -> impl Iterator<Item = (Unit, Unit)> {
        let mut draws = Addressed::new(Seed(9), Replication(0));
        (0..count).map(move |request| {
            draws.begin_request(0, request);
            let here = draws.here();
            (here.unit(Purpose::InputTokens, 0, 0), here.unit(Purpose::OutputTokens, 0, 0))
        })
    }

    #[test]
    fn the_second_is_that_of_exact_scores() {
        let dist = "lognormal(median=250, p95=900)".parse::<DistSpec>().unwrap().compile().unwrap();
        for rho in [-0.9, -0.3, 0.07, 0.44, 0.66, 1.0] {
            let copula = Copula::new(rho).unwrap();
            for (first, own) in pairs(20_000) {
                let score = |unit: Unit| normal_quantile(unit.as_f64());
                let exact = rho * score(first) + libm::sqrt(1.0 - rho * rho) * score(own);
                assert!((copula.score(first, own) - exact).abs() < 3e-4, "{first:?}, {own:?}");
                let (count, twin) = (dist.count_at_score(exact), dist.sample_count(normal_cdf(exact)));
                assert!(count.abs_diff(twin) <= 1 + twin / 1000, "{count}, {twin}");
            }
        }
    }

    #[test]
    fn scores_are_normal_and_correlated_as_said() {
        let (copula, n) = (Copula::new(0.6).unwrap(), 200_000);
        let mut sums = [0.0; 3];
        for (first, own) in pairs(n) {
            let (one, other) = (copula.scores.of(first), copula.score(first, own));
            sums = [sums[0] + other, sums[1] + other * other, sums[2] + one * other];
        }
        // Four standard errors of a mean, a variance and a covariance of normal numbers.
        let [mean, variance, covariance] = sums.map(|sum| sum / n as f64);
        let error = 4.0 / (n as f64).sqrt();
        assert!(mean.abs() < error, "{mean}");
        assert!((variance - 1.0).abs() < error * 2f64.sqrt(), "{variance}");
        assert!((covariance - 0.6).abs() < error * (1.0f64 + 0.36).sqrt(), "{covariance}");
    }
}

//! A number with its uncertainty.

use crate::stats::student::{normal_quantile, student_quantile};

/// A confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether it contains `value`.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// An estimate from a sample.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// The best single value.
    pub point: f64,
    /// Its standard error; NaN where one replication cannot tell.
    pub std_error: f64,
    /// Where the true value lies with the chosen confidence.
    pub interval: Interval,
}

impl Estimate {
    /// A mean from its sample variance, with Student's interval. One observation says nothing about its error.
    pub fn of_mean(mean: f64, variance: f64, count: u64, confidence: f64) -> Self {
        if count < 2 {
            let interval = Interval { low: f64::NEG_INFINITY, high: f64::INFINITY };
            return Self { point: mean, std_error: f64::NAN, interval };
        }
        let std_error = libm::sqrt(variance / count as f64);
        let reach = std_error * student_quantile(0.5 + confidence / 2.0, (count - 1) as f64);
        Self { point: mean, std_error, interval: Interval { low: mean - reach, high: mean + reach } }
    }

    /// A share of independent trials, with Wilson's interval (honest near 0 and 1, where others collapse).
    pub fn of_share(successes: u64, trials: u64, confidence: f64) -> Self {
        if trials == 0 {
            return Self { point: 0.0, std_error: f64::NAN, interval: Interval { low: 0.0, high: 1.0 } };
        }
        let n = trials as f64;
        let p = successes as f64 / n;
        let z = normal_quantile(0.5 + confidence / 2.0);
        let shrink = 1.0 + z * z / n;
        let center = (p + z * z / (2.0 * n)) / shrink;
        let reach = z / shrink * libm::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
        let interval = Interval { low: (center - reach).max(0.0), high: (center + reach).min(1.0) };
        Self { point: p, std_error: libm::sqrt(p * (1.0 - p) / n), interval }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_intervals_are_those_of_a_textbook() {
        // Mean 10, variance 4, 5 observations: 10 ± 2.776 · 2/√5.
        let estimate = Estimate::of_mean(10.0, 4.0, 5, 0.95);
        assert!((estimate.interval.high - 12.483_328).abs() < 1e-5, "{estimate:?}");
    }

    #[test]
    fn wilson_intervals_stay_within_zero_and_one() {
        // Newcombe (1998), method 3: 0 of 20 gives 0 to 0.1611; 15 of 148 gives 0.0624 to 0.1605.
        let none = Estimate::of_share(0, 20, 0.95).interval;
        assert!(none.low == 0.0 && (none.high - 0.1611).abs() < 5e-5, "{none:?}");
        let some = Estimate::of_share(15, 148, 0.95).interval;
        assert!((some.low - 0.0624).abs() < 5e-5 && (some.high - 0.1605).abs() < 5e-5, "{some:?}");
        assert_eq!(Estimate::of_share(0, 0, 0.95).interval, Interval { low: 0.0, high: 1.0 });
    }

    #[test]
    fn one_observation_claims_nothing() {
        let estimate = Estimate::of_mean(3.0, 0.0, 1, 0.95);
        assert!(estimate.std_error.is_nan() && estimate.interval.contains(1e300));
    }
}

//! Comparisons replication by replication, under the same random world.

use crate::stats::estimate::Estimate;
use crate::stats::moments::Moments;

/// Differences `b - a` of paired observations, and what pairing gained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// The difference with its interval.
    pub difference: Estimate,
    /// Share of pairs in which `b` is larger.
    pub larger: Estimate,
    /// How many times more independent replications the same precision would have taken; infinite when all pairs agree.
    pub gain: f64,
}

impl Paired {
    /// Compares observations of the same replications; surplus ones of the longer list are left out.
    pub fn compare(a: &[f64], b: &[f64], confidence: f64) -> Self {
        let pairs = || a.iter().zip(b);
        let differences: Moments = pairs().map(|(a, b)| b - a).collect();
        let (of_a, of_b): (Moments, Moments) = (a.iter().copied().collect(), b.iter().copied().collect());
        let larger = pairs().filter(|(a, b)| b > a).count() as u64;
        let independent = of_a.variance() + of_b.variance();
        Self {
            difference: differences.estimate(confidence),
            larger: Estimate::of_share(larger, differences.count(), confidence),
            gain: if independent == 0.0 { 1.0 } else { independent / differences.variance() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairing_removes_what_both_share() {
        let a: Vec<f64> = (0..50).map(|k| f64::from(k * k)).collect();
        let b: Vec<f64> = a.iter().enumerate().map(|(k, v)| v + 3.0 + 0.1 * (k % 2) as f64).collect();
        let paired = Paired::compare(&a, &b, 0.95);
        assert!((paired.difference.point - 3.05).abs() < 1e-9 && paired.difference.interval.contains(3.05));
        assert!(paired.gain > 1e6, "{}", paired.gain);
        assert_eq!(paired.larger.point, 1.0);
    }

    #[test]
    fn a_thing_compared_with_itself_differs_by_exactly_zero() {
        let a = [1.5, 2.5, 9.0];
        let paired = Paired::compare(&a, &a, 0.95);
        assert_eq!((paired.difference.point, paired.difference.std_error), (0.0, 0.0));
        assert_eq!(paired.gain, f64::INFINITY);
    }
}

//! Mean and variance of a stream of numbers.

use crate::stats::estimate::Estimate;

/// Running moments (Welford); merging (Chan, Golub and LeVeque) is deterministic for a fixed order of merges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    /// Sum of squared distances from the mean.
    squares: f64,
    min: f64,
    max: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { count: 0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Moments {
    /// Adds a number.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Adds all that another has seen.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let distance = other.mean - self.mean;
        self.count += other.count;
        self.mean += distance * m / (n + m);
        self.squares += other.squares + distance * distance * n * m / (n + m);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// How many numbers.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; 0 for none.
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// Their sample variance; 0 for fewer than two.
    pub fn variance(&self) -> f64 {
        if self.count < 2 { 0.0 } else { self.squares / (self.count - 1) as f64 }
    }

    /// The smallest; infinite for none.
    pub const fn min(&self) -> f64 {
        self.min
    }

    /// The largest; minus infinite for none.
    pub const fn max(&self) -> f64 {
        self.max
    }

    /// The mean with its Student interval at `confidence` (such as 0.95).
    pub fn estimate(&self, confidence: f64) -> Estimate {
        Estimate::of_mean(self.mean, self.variance(), self.count, confidence)
    }
}

impl Extend<f64> for Moments {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.add(value));
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::default();
        moments.extend(values);
        moments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn merged_parts_equal_the_whole(values in prop::collection::vec(-1e6f64..1e6, 1..200), cut in 0usize..200) {
            let (left, right) = values.split_at(cut.min(values.len()));
            let mut merged: Moments = left.iter().copied().collect();
            merged.merge(&right.iter().copied().collect());
            // The slow twin: two passes.
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
            prop_assert!((merged.mean() - mean).abs() < 1e-6);
            prop_assert!((merged.variance() * (n - 1.0) - squares).abs() < 1e-9 * (1.0 + squares) + 1e-3);
            prop_assert_eq!(merged.count(), values.len() as u64);
            prop_assert_eq!(merged.max(), values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        }
    }
}

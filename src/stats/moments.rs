//! Mean and variance of a stream of numbers.

use crate::stats::estimate::Estimate;

/// Running moments (Welford).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    count: u64,
    mean: f64,
    /// Sum of squared distances from the mean.
    squares: f64,
}

impl Moments {
    /// Adds a number.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
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
        fn moments_are_those_of_two_passes(values in prop::collection::vec(-1e6f64..1e6, 1..200)) {
            let moments: Moments = values.iter().copied().collect();
            // The slow twin: two passes.
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
            prop_assert!((moments.mean() - mean).abs() < 1e-6);
            prop_assert!((moments.variance() * (n - 1.0) - squares).abs() < 1e-9 * (1.0 + squares) + 1e-3);
            prop_assert_eq!(moments.count(), values.len() as u64);
        }
    }
}

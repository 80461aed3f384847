//! Mean and variance of a stream of numbers (Welford's recurrence), and what they say about the true mean.

/// Count, mean and sum of squared deviations.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Counts a number.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    /// How many numbers were counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The mean; 0 of nothing.
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// The unbiased variance; 0 of fewer than two numbers.
    pub fn variance(&self) -> f64 {
        if self.count < 2 { 0.0 } else { self.squares / (self.count - 1) as f64 }
    }

    /// The standard error of the mean; 0 of fewer than two numbers.
    pub fn std_error(&self) -> f64 {
        if self.count < 2 { 0.0 } else { (self.variance() / self.count as f64).sqrt() }
    }

    /// Half the width of the 95% confidence interval of the mean (Student's t).
    pub fn ci95_half_width(&self) -> f64 {
        self.std_error() * student_t_975(self.count.saturating_sub(1))
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::default();
        values.into_iter().for_each(|value| moments.add(value));
        moments
    }
}

/// The 97.5% point of Student's t: tabulated for few degrees of freedom, else the Cornish–Fisher expansion around the
/// normal point (Abramowitz and Stegun 26.7.5), good to 0.1%.
fn student_t_975(degrees: u64) -> f64 {
    const TABLE: [f64; 5] = [12.706, 4.303, 3.182, 2.776, 2.571];
    const NORMAL: f64 = 1.959_963_985;
    match degrees {
        0 => 0.0,
        1..=5 => TABLE[degrees as usize - 1],
        _ => {
            let (z, n) = (NORMAL, degrees as f64);
            let first = (z.powi(3) + z) / 4.0;
            let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
            let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
            z + first / n + second / n.powi(2) + third / n.powi(3)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_variance_of_known_numbers() {
        let moments: Moments = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].into_iter().collect();
        assert!((moments.mean() - 5.0).abs() < 1e-12);
        assert!((moments.variance() - 32.0 / 7.0).abs() < 1e-12);
    }

    #[test]
    fn student_points_are_those_of_the_tables() {
        for (degrees, point) in [(6, 2.447), (10, 2.228), (30, 2.042), (120, 1.980)] {
            assert!((student_t_975(degrees) - point).abs() < 3e-3, "{degrees}: {}", student_t_975(degrees));
        }
    }
}

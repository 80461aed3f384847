//! A histogram whose buckets widen with the value: quantiles within 0.8% at fixed memory, 1 ns to add.

/// Counts of positive numbers in 64 buckets per power of two, from 2^-14 (61 µs, in seconds) to 2^18 (3 days). What lies
/// beyond counts in the outermost buckets. Merging is exact and the order of merges does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHistogram {
    counts: Box<[u64; BUCKETS]>,
}

const BITS_PER_OCTAVE: u32 = 6;
const SHIFT: u32 = 52 - BITS_PER_OCTAVE;
const FIRST_OCTAVE: i64 = -14;
const OCTAVES: usize = 32;
const BUCKETS: usize = OCTAVES << BITS_PER_OCTAVE;
/// The upper bits of 2^-14.
const BASE: u64 = ((1023 + FIRST_OCTAVE) as u64) << BITS_PER_OCTAVE;

impl Default for LogHistogram {
    fn default() -> Self {
        Self { counts: Box::new([0; BUCKETS]) }
    }
}

impl LogHistogram {
    /// Largest relative distance between a value and what its bucket stands for.
    pub const RELATIVE_ERROR: f64 = 1.0 / (1 << (BITS_PER_OCTAVE + 1)) as f64;

    /// Counts a value; zero, negative numbers and NaN count as the smallest.
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.add_many(value, 1);
    }

    /// Counts a value `times` times.
    #[inline]
    pub fn add_many(&mut self, value: f64, times: u64) {
        self.counts[bucket(value)] += times;
    }

    /// Adds all that another has counted.
    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts.iter()).for_each(|(count, more)| *count += more);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.counts.fill(0);
    }

    /// How many values have been counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The smallest bucket's middle with at least the share `p` of all values at or below it; NaN when empty.
    pub fn quantile(&self, p: f64) -> f64 {
        let total = self.count();
        if total == 0 {
            return f64::NAN;
        }
        let wanted = ((p.clamp(0.0, 1.0) * total as f64).ceil() as u64).clamp(1, total);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return middle(index);
            }
        }
        f64::NAN
    }

    /// Share of the values in buckets whose middle is at most `value`.
    pub fn share_up_to(&self, value: f64) -> f64 {
        let upto: u64 = self.counts[..=bucket(value)].iter().sum();
        upto as f64 / self.count().max(1) as f64
    }

    /// The buckets that hold anything: lower end, upper end, count.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, f64, u64)> {
        let filled = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(index, count)| (lower_end(index), lower_end(index + 1), *count))
    }
}

#[inline]
fn bucket(value: f64) -> usize {
    // Compares false for NaN; bits of positive numbers rise with them.
    if value > 0.0 { ((value.to_bits() >> SHIFT).saturating_sub(BASE) as usize).min(BUCKETS - 1) } else { 0 }
}

fn lower_end(index: usize) -> f64 {
    f64::from_bits((BASE + index as u64) << SHIFT)
}

fn middle(index: usize) -> f64 {
    0.5 * (lower_end(index) + lower_end(index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quantiles_are_within_the_stated_error(values in prop::collection::vec(1e-4f64..2e5, 1..300), p in 0.0f64..1.0) {
            let mut histogram = LogHistogram::default();
            values.iter().for_each(|v| histogram.add(*v));
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let rank = ((p * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let exact = sorted[rank - 1];
            let found = histogram.quantile(p);
            prop_assert!((found / exact - 1.0).abs() <= LogHistogram::RELATIVE_ERROR, "{} for {}", found, exact);
        }

        #[test]
        fn merging_is_counting_together(a in prop::collection::vec(0.0f64..1e6, 0..50), b in prop::collection::vec(0.0f64..1e6, 0..50)) {
            let count = |values: &[f64]| {
                let mut histogram = LogHistogram::default();
                values.iter().for_each(|v| histogram.add(*v));
                histogram
            };
            let (mut ab, mut ba) = (count(&a), count(&b));
            ab.merge(&count(&b));
            ba.merge(&count(&a));
            prop_assert_eq!(&ab, &ba);
            prop_assert_eq!(ab, count(&[a, b].concat()));
        }
    }

    #[test]
    fn what_lies_beyond_counts_at_the_ends() {
        let mut histogram = LogHistogram::default();
        [0.0, -1.0, f64::NAN, 1e-9].into_iter().for_each(|v| histogram.add(v));
        assert!(histogram.quantile(1.0) < 6.2e-5);
        histogram.add(f64::INFINITY);
        assert!(histogram.quantile(1.0) > 2.6e5 && histogram.count() == 5);
        assert!(LogHistogram::default().quantile(0.5).is_nan());
    }
}

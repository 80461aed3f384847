//! A histogram with logarithmic buckets: fixed relative error, constant memory, mergeable, about a nanosecond to add to.

/// Buckets per factor of two. The upper bits of a float's mantissa select one, so no logarithm is taken.
const MANTISSA_BITS: u32 = 6;
const BUCKETS_PER_OCTAVE: u64 = 1 << MANTISSA_BITS;
/// Values below 2^`LOWEST_EXPONENT` (about a microsecond) count as that.
const LOWEST_EXPONENT: i64 = -20;
/// Values from 2^`HIGHEST_EXPONENT` up count in the last bucket; the exact maximum is kept beside.
const HIGHEST_EXPONENT: i64 = 44;
const BUCKETS: usize = ((HIGHEST_EXPONENT - LOWEST_EXPONENT) as u64 * BUCKETS_PER_OCTAVE) as usize;
const EXPONENT_BIAS: i64 = 1023;
const FIRST_KEY: u64 = ((LOWEST_EXPONENT + EXPONENT_BIAS) as u64) << MANTISSA_BITS;

/// Counts of non-negative numbers with a relative error of at most 1/128. Negative numbers and NaN count as zero.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Histogram {
    zeros: u64,
    max: f64,
    /// Counts by bucket, grown to the highest bucket in use.
    buckets: Vec<u64>,
}

impl Histogram {
    /// Counts a number.
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.add_many(value, 1);
    }

    /// Counts a number `times` times.
    #[inline]
    pub fn add_many(&mut self, value: f64, times: u64) {
        // NaN is not above 0 either.
        let is_positive = value > 0.0;
        if !is_positive {
            self.zeros += times;
            return;
        }
        self.max = if value > self.max { value } else { self.max };
        let bucket = bucket_of(value);
        match self.buckets.get_mut(bucket) {
            Some(count) => *count += times,
            None => self.grow(bucket, times),
        }
    }

    /// Counts numbers. The greatest so far stays out of memory meanwhile: none has to wait for the one before.
    #[inline(always)]
    pub fn add_all(&mut self, values: impl Iterator<Item = f64>) {
        let mut max = self.max;
        for value in values {
            let is_positive = value > 0.0;
            max = if value > max { value } else { max };
            match self.buckets.get_mut(bucket_of(value)) {
                Some(count) if is_positive => *count += 1,
                _ => self.add(value),
            }
        }
        self.max = if max > self.max { max } else { self.max };
    }

    /// The first number of a bucket beyond those in use.
    #[cold]
    fn grow(&mut self, bucket: usize, times: u64) {
        self.buckets.resize((bucket + 1).next_power_of_two().min(BUCKETS), 0);
        self.buckets[bucket] += times;
    }

    /// Adds the counts of another histogram.
    pub fn merge(&mut self, other: &Self) {
        self.zeros += other.zeros;
        self.max = self.max.max(other.max);
        if other.buckets.len() > self.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (sum, count) in self.buckets.iter_mut().zip(&other.buckets) {
            *sum += count;
        }
    }

    /// How many numbers were counted.
    pub fn count(&self) -> u64 {
        self.zeros + self.buckets.iter().sum::<u64>()
    }

    /// The largest number, exact; 0 of nothing.
    pub const fn max(&self) -> f64 {
        self.max
    }

    /// The nearest-rank quantile, as the middle of its bucket; 0 of nothing.
    pub fn quantile(&self, p: f64) -> f64 {
        let rank = (p * self.count() as f64).ceil().max(1.0) as u64;
        if rank <= self.zeros {
            return 0.0;
        }
        let mut below = self.zeros;
        for (bucket, count) in self.buckets.iter().enumerate() {
            below += count;
            if below >= rank {
                return middle_of(bucket).min(self.max);
            }
        }
        self.max
    }
}

#[inline]
fn bucket_of(value: f64) -> usize {
    let key = value.to_bits() >> (52 - MANTISSA_BITS);
    (key.saturating_sub(FIRST_KEY) as usize).min(BUCKETS - 1)
}

fn middle_of(bucket: usize) -> f64 {
    let low = f64::from_bits((bucket as u64 + FIRST_KEY) << (52 - MANTISSA_BITS));
    let high = f64::from_bits((bucket as u64 + FIRST_KEY + 1) << (52 - MANTISSA_BITS));
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quantiles_are_within_one_percent_of_the_sorted_numbers(
            mut values in prop::collection::vec(1e-5f64..1e9, 1..300), p in 0.01f64..0.999,
        ) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|&value| histogram.add(value));
            values.sort_by(f64::total_cmp);
            let rank = (p * values.len() as f64).ceil().max(1.0) as usize;
            let exact = values[rank - 1];
            prop_assert!((histogram.quantile(p) / exact - 1.0).abs() < 0.01);
        }

        #[test]
        fn merging_is_counting_together(a in prop::collection::vec(0u32..1000, 0..50), b in prop::collection::vec(0u32..1000, 0..50)) {
            let count = |values: &[u32]| {
                let mut histogram = Histogram::default();
                values.iter().for_each(|&value| histogram.add(f64::from(value)));
                histogram
            };
            let mut merged = count(&a);
            merged.merge(&count(&b));
            let together = count(&[a, b].concat());
            prop_assert_eq!(merged.count(), together.count());
            for p in [0.01, 0.5, 0.95, 1.0] {
                prop_assert_eq!(merged.quantile(p), together.quantile(p));
            }
        }
    }

    #[test]
    fn odd_numbers_do_no_harm() {
        let mut histogram = Histogram::default();
        for value in [f64::NAN, -1.0, 0.0, f64::INFINITY, f64::MIN_POSITIVE, 1e300] {
            histogram.add(value);
        }
        assert_eq!(histogram.count(), 6);
        assert_eq!(histogram.quantile(0.5), 0.0);
    }
}

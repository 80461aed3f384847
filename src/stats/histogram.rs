//! A histogram with logarithmic buckets: fixed relative error, constant memory, mergeable,
//! about a nanosecond to add to.

/// Buckets per factor of two. The upper bits of a float's mantissa select one, so no logarithm is taken.
const MANTISSA_BITS: u32 = 6;
const BUCKETS_PER_OCTAVE: u64 = 1 << MANTISSA_BITS;
/// Values below 2^`LOWEST_EXPONENT` (about a microsecond) count as that.
const LOWEST_EXPONENT: i64 = -20;
/// Values from 2^`HIGHEST_EXPONENT` up count in the last bucket; the exact maximum is kept beside.
const HIGHEST_EXPONENT: i64 = 44;
const EXPONENT_BIAS: i64 = 1023;
const FIRST_KEY: u64 = ((LOWEST_EXPONENT + EXPONENT_BIAS) as u64) << MANTISSA_BITS;
/// Keys from this on count in the last bucket.
const END_KEY: u64 = FIRST_KEY + (HIGHEST_EXPONENT - LOWEST_EXPONENT) as u64 * BUCKETS_PER_OCTAVE;

/// Counts of non-negative numbers with a relative error of at most 1/128. Negative numbers and NaN count as zero.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Stored")]
pub struct Histogram {
    zeros: u64,
    max: f64,
    /// The key of the first bucket.
    first: u64,
    /// Counts by bucket, for the octaves between the lowest and the highest in use: a fleet has thousands of
    /// histograms, each with numbers of about one size.
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
        // NaN is not above anything.
        self.max = if value > self.max { value } else { self.max };
        match self.bucket(value) {
            Some(count) => *count += times,
            None => self.add_beyond(value, times),
        }
    }

    /// Counts numbers. The greatest so far stays out of memory meanwhile: none has to wait for the one before.
    #[inline(always)]
    pub fn add_all(&mut self, values: impl Iterator<Item = f64>) {
        let mut max = self.max;
        for value in values {
            max = if value > max { value } else { max };
            match self.bucket(value) {
                Some(count) => *count += 1,
                None => self.add_beyond(value, 1),
            }
        }
        self.max = max;
    }

    /// The bucket of a number, if it is in use. What is not above 0, or is no number, has a key that no bucket has.
    #[inline(always)]
    fn bucket(&mut self, value: f64) -> Option<&mut u64> {
        self.buckets.get_mut(key_of(value).wrapping_sub(self.first) as usize)
    }

    /// A number that is in none of the buckets in use.
    #[inline(never)]
    fn add_beyond(&mut self, value: f64, times: u64) {
        let is_positive = value > 0.0;
        if !is_positive {
            self.zeros += times;
            return;
        }
        if times == 0 {
            return;
        }
        let key = key_of(value).clamp(FIRST_KEY, END_KEY - 1);
        let octave = key - key % BUCKETS_PER_OCTAVE;
        self.reach(octave, octave + BUCKETS_PER_OCTAVE);
        self.buckets[(key - self.first) as usize] += times;
    }

    /// Makes room for keys from `from` to below `to`.
    fn reach(&mut self, from: u64, to: u64) {
        let end = self.first + self.buckets.len() as u64;
        let (low, high) = if self.buckets.is_empty() { (from, to) } else { (self.first.min(from), end.max(to)) };
        if (low, high) != (self.first, end) {
            let mut buckets = vec![0; (high - low) as usize];
            let before = self.first.saturating_sub(low) as usize;
            buckets[before..before + self.buckets.len()].copy_from_slice(&self.buckets);
            (self.first, self.buckets) = (low, buckets);
        }
    }

    /// Adds the counts of another histogram.
    pub fn merge(&mut self, other: &Self) {
        self.zeros += other.zeros;
        self.max = self.max.max(other.max);
        if other.buckets.is_empty() {
            return;
        }
        self.reach(other.first, other.first + other.buckets.len() as u64);
        let same = &mut self.buckets[(other.first - self.first) as usize..];
        for (sum, count) in same.iter_mut().zip(&other.buckets) {
            *sum += count;
        }
    }

    /// How many numbers were counted.
    pub fn count(&self) -> u64 {
        self.zeros + self.buckets.iter().sum::<u64>()
    }

    /// The same; `None` for more than can be counted, as a file may say.
    pub fn checked_count(&self) -> Option<u64> {
        self.buckets.iter().try_fold(self.zeros, |sum, count| sum.checked_add(*count))
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
        for (key, count) in (self.first..).zip(&self.buckets) {
            below += count;
            if below >= rank {
                return middle_of(key).min(self.max);
            }
        }
        self.max
    }
}

/// A histogram as a file may hold it.
#[derive(serde::Deserialize)]
struct Stored {
    zeros: u64,
    max: f64,
    first: u64,
    buckets: Vec<u64>,
}

impl TryFrom<Stored> for Histogram {
    type Error = &'static str;

    fn try_from(Stored { zeros, max, first, buckets }: Stored) -> Result<Self, Self::Error> {
        let fits = |(first, end)| FIRST_KEY <= first && end <= END_KEY;
        if !buckets.is_empty() && !first.checked_add(buckets.len() as u64).is_some_and(|end| fits((first, end))) {
            return Err("a histogram has buckets that there are not");
        }
        Ok(Self { zeros, max, first, buckets })
    }
}

/// The upper bits of a number.
#[inline(always)]
fn key_of(value: f64) -> u64 {
    value.to_bits() >> (52 - MANTISSA_BITS)
}

fn middle_of(key: u64) -> f64 {
    let low = f64::from_bits(key << (52 - MANTISSA_BITS));
    let high = f64::from_bits((key + 1) << (52 - MANTISSA_BITS));
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

    /// The slow twin has all buckets.
    #[test]
    fn buckets_are_those_of_the_upper_bits() {
        let values = [1e-9, 2e-6, 0.4, 3.0, 3.9, 4.0, 1e5, 7e12, 1.8e13, 1e20, f64::INFINITY];
        for value in values {
            for other in values {
                let (mut one, mut two, mut both) = (Histogram::default(), Histogram::default(), Histogram::default());
                one.add(value);
                two.add_all([other, other].into_iter());
                both.add_all([other, value, other].into_iter());
                two.merge(&one);
                assert_eq!(two, both, "{value} and {other}");
                for (p, of_the_two) in [(0.2, value.min(other)), (1.0, value.max(other))] {
                    let bounded = of_the_two.clamp(2f64.powi(-20), 2f64.powi(44) * 0.999);
                    assert!((both.quantile(p) / bounded.min(both.max()) - 1.0).abs() < 0.01, "{value} and {other}");
                }
            }
        }
    }

    #[test]
    fn numbers_of_one_size_take_little_memory() {
        let mut histogram = Histogram::default();
        histogram.add_all((600..900).map(f64::from));
        // Idle minutes are counted together, also where there is none.
        histogram.add_many(3.0, 0);
        assert_eq!(histogram.buckets.len(), 64);
    }

    #[test]
    fn a_file_holds_no_other_buckets() {
        let mut histogram = Histogram::default();
        histogram.add_all([0.0, 0.5, 3.0].into_iter());
        let text = serde_json::to_string(&histogram).unwrap();
        assert_eq!(serde_json::from_str::<Histogram>(&text).unwrap(), histogram);
        let first = format!("\"first\":{}", histogram.first);
        for other in [0, FIRST_KEY - 1, END_KEY - 1, u64::MAX] {
            let text = text.replace(&first, &format!("\"first\":{other}"));
            assert!(serde_json::from_str::<Histogram>(&text).is_err(), "{other}");
        }
    }
}

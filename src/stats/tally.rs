//! Spans of time on their way into a histogram, in counters of one byte: those of the commonest spans at twenty deployments
//! then stay near, where counters of eight bytes are fetched anew each time, and a bucket is found without a division (15 →
//! 9 ns a request of `bench-full`). A counter that is full is added to the histogram. The slow twin is [`Histogram`].

use crate::stats::histogram::{Histogram, bucket_of};
use crate::units::SimDuration;

/// Counts of spans of time that will be a [`Histogram`] of seconds.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Counts by bucket, grown to the highest bucket in use.
    few: Vec<u8>,
    longest: SimDuration,
    /// What does not fit.
    rest: Histogram,
}

/// Of longer spans (three days) the bucket is not found quickly.
const LONG: u64 = 1 << 48;

impl Tally {
    /// Counts a span.
    #[inline]
    pub fn add(&mut self, span: SimDuration) {
        let is_quick = (span.0 as u64).wrapping_sub(1) < LONG;
        match self.few.get_mut(quick_bucket(span)) {
            Some(count) if is_quick && *count < u8::MAX => *count += 1,
            _ => return self.add_slowly(span),
        }
        self.longest = self.longest.max(span);
    }

    /// A span of which there are many, or the first in a bucket beyond those in use, or one of no or very long time.
    #[cold]
    fn add_slowly(&mut self, span: SimDuration) {
        let seconds = span.as_secs_f64();
        self.rest.add(seconds);
        if seconds > 0.0 {
            let bucket = bucket_of(seconds);
            if bucket >= self.few.len() {
                self.few.resize(bucket + 1, 0);
            }
            self.rest.add_to(bucket, std::mem::take(&mut self.few[bucket]).into());
        }
    }

    /// All of it, in seconds.
    pub fn total(&self) -> Histogram {
        let mut total = self.rest.clone();
        for (bucket, count) in self.few.iter().enumerate().filter(|(_, count)| **count > 0) {
            total.add_to(bucket, (*count).into());
        }
        total.reaches(self.longest.as_secs_f64());
        total
    }
}

/// The bucket of a span up to [`LONG`]. The factor is a little more than a billionth, so that a span on the border of two
/// buckets is not rounded to less than it is; a shorter one is further from the border than that.
#[inline]
fn quick_bucket(span: SimDuration) -> usize {
    const SECONDS: f64 = 1e-9 * (1.0 + 4.0 * f64::EPSILON);
    bucket_of(span.0 as f64 * SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_tally_is_the_histogram_of_its_spans(
            spans in prop::collection::vec((any::<i64>(), 0u32..64, 0usize..700), 0..20),
        ) {
            let (mut tally, mut histogram) = (Tally::default(), Histogram::default());
            for (nanos, shift, times) in spans {
                for span in std::iter::repeat_n(SimDuration(nanos >> shift), times) {
                    tally.add(span);
                    histogram.add(span.as_secs_f64());
                }
                prop_assert_eq!(&tally.total(), &histogram);
            }
        }

        #[test]
        fn buckets_are_found_quickly(nanos in 1..=LONG as i64, shift in 0u32..48, border in 64u64..128, octave in -26i32..12) {
            // Borders of buckets in seconds, and what is next to them.
            let at = (border as f64 * f64::from(octave).exp2() * 1e9) as i64;
            for nanos in [nanos, (nanos >> shift).max(1), at - 1, at, at + 1, at + 2] {
                let span = SimDuration(nanos.clamp(1, LONG as i64));
                prop_assert_eq!(quick_bucket(span), bucket_of(span.as_secs_f64()), "{:?}", span);
            }
        }
    }
}

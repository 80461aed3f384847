//! Numbers on their way into a histogram. Which bucket a number belongs to is known only at the end of a long chain of
//! arithmetic, and a processor that waits for it cannot go on far enough: so they wait in a short row, and are added
//! many at a time, each independent of the others. The slow twin is [`Histogram::add`].

use crate::stats::Histogram;
use crate::units::SimDuration;

/// Spans of time that are counted in seconds.
#[derive(Debug, Clone, Default)]
pub struct Spool {
    histogram: Histogram,
    waiting: [SimDuration; Self::ROW],
    count: usize,
}

impl Spool {
    /// Spans that are added together: four lines of memory.
    const ROW: usize = 32;

    /// Counts a span.
    #[inline(always)]
    pub fn add(&mut self, span: SimDuration) {
        self.waiting[self.count % Self::ROW] = span;
        self.count += 1;
        if self.count == Self::ROW {
            self.unwind();
        }
    }

    #[inline(never)]
    fn unwind(&mut self) {
        self.histogram.add_all(self.waiting[..self.count].iter().map(|span| span.as_secs_f64()));
        self.count = 0;
    }

    /// All that has been counted.
    pub fn finish(mut self) -> Histogram {
        self.unwind();
        self.histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counts_what_the_histogram_counts(nanos in prop::collection::vec(-5i64..9_000_000_000, 0..200)) {
            let (mut spool, mut histogram) = (Spool::default(), Histogram::default());
            for span in nanos.into_iter().map(SimDuration) {
                spool.add(span);
                histogram.add(span.as_secs_f64());
            }
            prop_assert_eq!(spool.finish(), histogram);
        }
    }
}

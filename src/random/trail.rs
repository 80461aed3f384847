//! Values that rise, each foreseen by those before it: tables of mixtures and gammas ask for a thousand levels in a
//! row. The polynomial through the last six values leads so close to the next that one or two steps are left of the
//! four or five that [`invert_from`](crate::random::invert::invert_from) takes, its slow twin (1% of the time of the
//! process of `bench-full`).

use crate::random::invert::{Point, side_of};
use crate::random::law::{Level, Side};

/// The last values, as long as they go by the same side of the distribution.
#[derive(Debug, Default)]
pub struct Trail {
    /// The latest is the last one.
    points: [Point; REACH],
    length: usize,
}

const REACH: usize = 6;
/// A value stays as it is when its correction is below this part of it: what is left is the square of that, or so.
const SETTLED: f64 = 1e-9;
/// Where the first correction is above this, the distribution is not smooth.
const ASTRAY: f64 = 1e-4;

impl Trail {
    /// With the next value.
    #[must_use]
    pub fn and(mut self, point: Point) -> Self {
        self.points.rotate_left(1);
        self.points[REACH - 1] = point;
        Self { length: self.length + 1, ..self }
    }

    /// The value at the next level, on the same side; `None` where it cannot be foreseen. `tail` gives the
    /// share on a side of a value.
    pub fn next(&self, level: Level, tail: impl Fn(f64, Side) -> f64) -> Option<Point> {
        if self.length < REACH {
            return None;
        }
        let side = side_of(level);
        let wanted = if side == Side::Below { level.below } else { level.above };
        let (foreseen, slope) = curve(&self.points, wanted);
        let share = tail(foreseen, side);
        let by = (wanted - share) * slope;
        let corrected = foreseen + by;
        // Comparisons with what is not a number fail, and the value is searched for.
        let last = self.points[REACH - 1].value;
        let rises = foreseen > last && corrected > last;
        if rises && by.abs() <= SETTLED * foreseen {
            return Some(Point { value: corrected, share: wanted });
        }
        if !(rises && by.abs() <= ASTRAY * foreseen) {
            return None;
        }
        let again = tail(corrected, side);
        let rest = (wanted - again) * by / (again - share);
        (rest.abs() <= SETTLED * foreseen).then(|| Point { value: (corrected + rest).max(last), share: wanted })
    }
}

/// The value and the slope of the polynomial through these points, in Newton's form.
fn curve(points: &[Point; REACH], share: f64) -> (f64, f64) {
    let mut differences = points.map(|point| point.value);
    for order in 1..REACH {
        for last in (order..REACH).rev() {
            let width = points[last].share - points[last - order].share;
            differences[last] = (differences[last] - differences[last - 1]) / width;
        }
    }
    differences.iter().zip(points).rev().fold((0.0, 0.0), |(value, slope), (difference, point)| {
        let aside = share - point.share;
        (value * aside + difference, slope * aside + value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Law;
    use crate::random::invert::invert_from;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;
    use std::cell::Cell;

    fn smooth() -> [Law; 3] {
        let parts = [(0.4, Law::LogNormal { mu: 1.67, sigma: 0.5 }), (0.6, Law::LogNormal { mu: 6.0, sigma: 0.9 })];
        [Law::Mixture(parts.into()), Law::Gamma { shape: 2.0, scale: 4.0 }, Law::Gamma { shape: 0.3, scale: 1.0 }]
    }

    /// What has a kink, and a jump.
    fn rough() -> [Law; 2] {
        let body = Law::LogNormal { mu: 0.5, sigma: 0.6 };
        [
            Law::Mixture(vec![(0.7, body.clone()), (0.3, Law::Uniform { low: 1.0, high: 2.0 })]),
            Law::Mixture(vec![(0.7, body), (0.3, Law::Constant(1.5))]),
        ]
    }

    /// How often the law is asked for its tail on the way through its body.
    fn steps(law: &Law) -> u32 {
        let (asked, mut trail) = (Cell::new(0), Trail::default());
        let tail = |value, side| {
            asked.set(asked.get() + 1);
            law.tail(value, side)
        };
        let (mut at, mut width) =
            (Point { value: law.quantile(Level::below(15.0 / 1024.0)), share: 15.0 / 1024.0 }, 0.0);
        for knot in 16..512 {
            let level = Level::below(f64::from(knot) / 1024.0);
            let next =
                trail.next(level, tail).or_else(|| invert_from(level, at, f64::max(width, 1e-4 * at.value), tail));
            let next = next.expect("a value");
            (width, at, trail) = (next.value - at.value, next, trail.and(next));
        }
        asked.get()
    }

    #[test]
    fn one_or_two_steps_are_left() {
        for law in smooth() {
            assert!(steps(&law) < 2 * 496, "{law:?}: {}", steps(&law));
        }
    }

    #[test]
    fn values_are_those_of_the_law_smooth_or_not() {
        for law in smooth().into_iter().chain(rough()) {
            let levels = || (1..4096).map(|knot| Level::below(f64::from(knot) / 4096.0));
            for (level, value) in levels().zip(law.rising(levels())) {
                let exact = law.quantile(level);
                assert!((value - exact).abs() <= 1e-9 * exact, "{law:?} at {level:?}: {value}, {exact}");
            }
        }
    }

    /// Parts as narrow and as wide as they come.
    fn part() -> impl Strategy<Value = Law> {
        prop_oneof![
            (-3.0..8.0, -6.0..0.6).prop_map(|(mu, width)| Law::LogNormal { mu, sigma: libm::pow(10.0, width) }),
            (-1.5..2.0, 0.1..100.0).prop_map(|(shape, scale)| Law::Gamma { shape: libm::pow(10.0, shape), scale }),
            (0.0..50.0, 0.001..50.0).prop_map(|(low, width)| Law::Uniform { low, high: low + width }),
            (0.01..100.0).prop_map(Law::Constant),
            (0.01..100.0).prop_map(|mean| Law::Exponential { mean }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, rng_seed: RngSeed::Fixed(11), ..Default::default() })]

        #[test]
        fn values_of_any_mixture_are_those_of_the_law_and_rise(parts in vec((0.001..1.0, part()), 1..5)) {
            let all: f64 = parts.iter().map(|(share, _)| share).sum();
            let law = Law::Mixture(parts.into_iter().map(|(share, law)| (share / all, law)).collect());
            let levels = || (16..=1008).map(|knot| Level::below(f64::from(knot) / 1024.0));
            let mut last = 0.0;
            for (level, value) in levels().zip(law.rising(levels())) {
                // Where hardly anything lies, the same share is that of many values.
                let is_there = |share: f64| (share / level.below - 1.0).abs() < 1e-7;
                let exact = law.quantile(level);
                let is_exact = (value - exact).abs() <= 1e-8 * exact;
                prop_assert!(is_exact || is_there(law.tail(value, Side::Below)), "{:?}: {}, {}", level, value, exact);
                prop_assert!(value >= last, "{:?}: {} after {}", level, value, last);
                last = value;
            }
        }
    }

    #[test]
    fn a_cubic_is_met_with_its_slope() {
        let cubic = |x: f64| 2.0 + x * (3.0 + x * (-1.0 + 0.5 * x));
        let points = [0.1, 0.2, 0.3, 0.4, 0.6, 0.8].map(|share| Point { value: cubic(share), share });
        let (value, slope) = curve(&points, 1.0);
        assert!((value - 4.5).abs() < 1e-12 && (slope - 2.5).abs() < 1e-12, "{value}, {slope}");
    }
}

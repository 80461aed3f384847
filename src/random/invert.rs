//! The value at a level of a distribution that only its tails are known of: tables of mixtures and gammas ask thousands
//! of times. The ITP method (Oliveira and Takahashi, 2020) takes a secant that is kept near the middle of the bracket:
//! 24 steps in the far tails and at jumps where bisection, its slow twin, takes 33, and never more than one above that.

use crate::random::law::{Level, Side};

/// Relative width of the bracket in which the value is found.
const PRECISION: f64 = 1e-10;
/// Steps beyond those of bisection that the method may spend.
const SLACK: i32 = 1;

/// The smallest value between `low` and `high` whose share below reaches the level, from above; `tail` gives the share
/// on a side of a value. Goes by whichever tail is the smaller one.
pub fn invert(level: Level, mut low: f64, mut high: f64, tail: impl Fn(f64, Side) -> f64) -> f64 {
    let excess = excess_at(level, tail);
    if !high.is_finite() {
        return low;
    }
    let mut at_low = excess(low);
    if at_low >= 0.0 {
        return low;
    }
    // Geometric bisection while the bracket spans more than a factor of two.
    while low > 0.0 && high > 2.0 * low {
        let middle = libm::sqrt(low) * libm::sqrt(high);
        let at_middle = excess(middle);
        if at_middle >= 0.0 { high = middle } else { (low, at_low) = (middle, at_middle) }
    }
    let at_high = excess(high);
    secant((low, at_low), (high, at_high), excess)
}

/// A value, and the share of the distribution on one side of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Point {
    /// The value.
    pub value: f64,
    /// The share at or below it, or above it: whichever side the level that led to it goes by.
    pub share: f64,
}

/// The side by which a level goes: that of the smaller tail.
pub fn side_of(level: Level) -> Side {
    if level.below <= 0.5 { Side::Below } else { Side::Above }
}

/// The same, from a point on that is not above it and of which the share on the [side](side_of) of this level is known:
/// steps grow from `step` on until one leads past it. Four or five steps where the value at a level close by is known.
pub fn invert_from(level: Level, from: Point, step: f64, tail: impl Fn(f64, Side) -> f64) -> Option<Point> {
    let side = side_of(level);
    let over = |point: &Point| match side {
        Side::Below => point.share - level.below,
        Side::Above => level.above - point.share,
    };
    let at = |value| Point { value, share: tail(value, side) };
    let (mut low, mut step) = (from, step);
    if over(&low) >= 0.0 {
        return Some(low);
    }
    for _ in 0..MOST_STEPS {
        let high = at(low.value + step);
        if over(&high) >= 0.0 {
            return Some(close_in(low, high, over, at));
        }
        // Where the last step fell short by a little, the next one is little, too.
        let slope = (over(&high) - over(&low)) / step;
        let missing = -over(&high) / slope;
        (low, step) = (high, if missing < step { 1.5 * missing } else { 2.0 * step });
        if step <= 0.0 {
            return None;
        }
    }
    None
}

/// Steps after which a value is not looked for from its neighbour any more.
const MOST_STEPS: u32 = 20;
/// Steps after which [`close_in`] leaves the rest to the method that is never much slower than bisection.
const MOST_CROSSINGS: u32 = 8;

/// Where the distribution is smooth between two points, one below the level and one above it: inverse quadratic
/// interpolation, four or five steps. Each place is put beyond the crossing that it is meant for, so that the bracket
/// closes from both sides; ends with its upper end.
fn close_in(mut low: Point, mut high: Point, over: impl Fn(&Point) -> f64, at: impl Fn(f64) -> Point) -> Point {
    let mut third = None;
    for _ in 0..MOST_CROSSINGS {
        let crossing = crossing(&low, &high, third.as_ref(), &over);
        let aside = 0.4 * PRECISION * high.value;
        let place = if crossing - low.value < high.value - crossing { crossing + aside } else { crossing - aside };
        let middle = 0.5 * (low.value + high.value);
        let place = if place > low.value && place < high.value { place } else { middle };
        if high.value - low.value <= PRECISION * high.value || place <= low.value || place >= high.value {
            return high;
        }
        let found = at(place);
        if over(&found) >= 0.0 {
            (third, high) = (Some(high), found);
        } else {
            (third, low) = (Some(low), found);
        }
    }
    let value = secant((low.value, over(&low)), (high.value, over(&high)), |value| over(&at(value)));
    at(value)
}

/// Where the level is crossed, by what is known of two or three points.
fn crossing(low: &Point, high: &Point, third: Option<&Point>, over: impl Fn(&Point) -> f64) -> f64 {
    let (a, b) = (over(low), over(high));
    let by_line = (b * low.value - a * high.value) / (b - a);
    let Some(third) = third else { return by_line };
    let c = over(third);
    if c == a || c == b {
        return by_line;
    }
    low.value * b * c / ((a - b) * (a - c))
        + high.value * a * c / ((b - a) * (b - c))
        + third.value * a * b / ((c - a) * (c - b))
}

/// By how much the share below a value is more than the level wants, by whichever tail is the smaller one.
fn excess_at(level: Level, tail: impl Fn(f64, Side) -> f64) -> impl Fn(f64) -> f64 {
    move |x| if level.below <= 0.5 { tail(x, Side::Below) - level.below } else { level.above - tail(x, Side::Above) }
}

/// The ITP method between a point below and one above; ends with the upper end of the bracket.
fn secant(low: (f64, f64), high: (f64, f64), excess: impl Fn(f64) -> f64) -> f64 {
    let ((mut low, mut at_low), (mut high, mut at_high)) = (low, high);
    let wanted = 0.5 * PRECISION * high;
    let steps = libm::ceil(libm::log2((high - low) / (2.0 * wanted))).max(0.0) as i32 + SLACK;
    let pull = 0.2 / (high - low);
    for step in 0..=steps {
        let width = high - low;
        if width <= PRECISION * high {
            break;
        }
        let middle = 0.5 * (low + high);
        let reach = (libm::ldexp(wanted, steps - step) - 0.5 * width).max(0.0);
        let crossing = (at_high * low - at_low * high) / (at_high - at_low);
        let side = if middle >= crossing { 1.0 } else { -1.0 };
        let pulled = pull * width * width;
        let near = if pulled <= (middle - crossing).abs() { crossing + side * pulled } else { middle };
        let place = if (near - middle).abs() <= reach { near } else { middle - side * reach };
        // Rounding may put it on an end, though the value is at the other one.
        let place = if place > low && place < high { place } else { middle };
        if place <= low || place >= high {
            break;
        }
        let at_place = excess(place);
        if at_place >= 0.0 { (high, at_high) = (place, at_place) } else { (low, at_low) = (place, at_place) }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Law;

    /// Bisection on whichever tail is the smaller one, geometric while the bracket spans more than a factor of two.
    fn bisect(level: Level, mut low: f64, mut high: f64, tails: impl Fn(f64) -> (f64, f64)) -> f64 {
        let reached = |x: f64| {
            let (below, above) = tails(x);
            if level.below <= 0.5 { below >= level.below } else { above <= level.above }
        };
        if !high.is_finite() || reached(low) {
            return low;
        }
        while high - low > PRECISION * high {
            let middle =
                if low > 0.0 && high > 2.0 * low { libm::sqrt(low) * libm::sqrt(high) } else { 0.5 * (low + high) };
            if middle <= low || middle >= high {
                break;
            }
            if reached(middle) { high = middle } else { low = middle }
        }
        high
    }

    /// Two humps and a jump.
    fn mixture() -> Law {
        Law::Mixture(vec![
            (0.42, Law::LogNormal { mu: 1.67, sigma: 1.315 }),
            (0.5, Law::LogNormal { mu: 6.7, sigma: 0.9 }),
            (0.08, Law::Constant(40.0)),
        ])
    }

    #[test]
    fn a_neighbour_leads_to_the_same_value() {
        for law in [mixture(), Law::Gamma { shape: 0.21, scale: 4.0 }, Law::Gamma { shape: 40.0, scale: 1.0 }] {
            let levels = || (1..1024).map(|i| Level::below(f64::from(i) / 1024.0));
            for (level, value) in levels().zip(law.rising(levels())) {
                let slow = law.quantile(level);
                assert!((value - slow).abs() <= 4.0 * PRECISION * slow, "{law:?} at {level:?}: {value}, {slow}");
            }
        }
    }

    #[test]
    fn from_a_neighbour_it_is_four_or_five_steps() {
        let parts = [(0.4, Law::LogNormal { mu: 1.67, sigma: 0.5 }), (0.6, Law::LogNormal { mu: 6.0, sigma: 0.9 })];
        for law in [Law::Mixture(parts.into()), Law::Gamma { shape: 2.0, scale: 4.0 }] {
            let (mut steps, mut from) = (0, None);
            for i in 16..1008 {
                let level = Level::below(f64::from(i) / 1024.0);
                let side = side_of(level);
                let asked = std::cell::Cell::new(0);
                let tail = |value, side| {
                    asked.set(asked.get() + 1);
                    law.tail(value, side)
                };
                let value = match from {
                    // The step is the last one, as tables are made.
                    Some((last, step)) => {
                        let share = law.tail(last, side);
                        invert_from(level, Point { value: last, share }, step, tail).map(|point| point.value)
                    }
                    None => None,
                };
                let value = value.unwrap_or_else(|| law.quantile(level));
                from = Some((value, from.map_or(1e-3 * value, |(last, _)| value - last)));
                steps += asked.get();
            }
            // The ITP method takes nine.
            assert!(steps < 5 * 992, "{law:?}: {steps}");
        }
    }

    #[test]
    fn finds_what_bisection_finds() {
        let (steps, mut searches) = (std::cell::Cell::new(0u32), 0);
        for law in [mixture(), Law::Gamma { shape: 0.21, scale: 4.0 }, Law::Gamma { shape: 40.0, scale: 1.0 }] {
            for power in 1..50 {
                let share = 0.5f64.powi(power);
                for level in [Level::below(share), Level::above(share)] {
                    let slow = bisect(level, 1e-300, 1e9, |x| law.tails(x));
                    let fast = invert(level, slow * 0.7, slow * 1.4, |x, side| {
                        steps.set(steps.get() + 1);
                        law.tail(x, side)
                    });
                    searches += 1;
                    assert!((fast - slow).abs() <= 4.0 * PRECISION * slow, "{law:?} at {level:?}: {fast}, {slow}");
                }
            }
        }
        assert!(steps.get() < 26 * searches, "{} steps in {searches} searches", steps.get());
    }
}

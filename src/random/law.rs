//! The exact mathematics of the distributions: tails, quantiles. Slow and precise; draws go through `table`.

use crate::random::invert::{Point, invert, invert_from, side_of};
use crate::random::special::{gamma_tails, normal_cdf, normal_quantile};
use crate::random::trail::Trail;

/// A level of a distribution, both sides precise: the share of it `below` and the share `above`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Share of the distribution below the quantile.
    pub below: f64,
    /// Share of the distribution above it.
    pub above: f64,
}

impl Level {
    /// The level with this share below it.
    pub const fn below(share: f64) -> Self {
        Self { below: share, above: 1.0 - share }
    }

    /// The level with this share above it.
    pub const fn above(share: f64) -> Self {
        Self { below: 1.0 - share, above: share }
    }

    /// -ln of the share above, precise at both ends.
    fn hazard(self) -> f64 {
        if self.below < 0.5 { -libm::log1p(-self.below) } else { -libm::log(self.above) }
    }

    /// The normal score.
    pub(super) fn normal(self) -> f64 {
        if self.below < 0.5 { normal_quantile(self.below) } else { -normal_quantile(self.above) }
    }
}

/// The least step from one value to the next, as a part of it.
const LEAST_STEP: f64 = 1e-4;

/// One side of a distribution, seen from a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What is at or below it.
    Below,
    /// What is above it.
    Above,
}

impl Side {
    /// Of (below, above).
    fn of(self, (below, above): (f64, f64)) -> f64 {
        match self {
            Self::Below => below,
            Self::Above => above,
        }
    }
}

/// One of several values that rise.
struct Step {
    point: Point,
    /// The side of which the share at it is known.
    side: Side,
    /// How far it is from the one before.
    width: f64,
    /// Itself and those before it on this side.
    trail: Trail,
}

/// A distribution of a non-negative number.
#[derive(Debug, Clone, PartialEq)]
pub enum Law {
    /// Always the same.
    Constant(f64),
    /// Evenly between two numbers.
    Uniform {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// Memoryless.
    Exponential {
        /// Mean.
        mean: f64,
    },
    /// The logarithm is normal.
    LogNormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Gamma.
    Gamma {
        /// Shape; 1 is the exponential, the squared coefficient of variation is its inverse.
        shape: f64,
        /// Scale; the mean is shape times scale.
        scale: f64,
    },
    /// Weibull.
    Weibull {
        /// Shape; below 1 events cluster.
        shape: f64,
        /// Scale: the 63.2% quantile.
        scale: f64,
    },
    /// Known quantiles as (share below, value), both rising; between them values interpolate geometrically (linearly
    /// where one is 0), beyond the outermost they stay.
    Quantiles(Vec<(f64, f64)>),
    /// One of several, with these probabilities (they sum to 1).
    Mixture(Vec<(f64, Law)>),
    /// Another law moved by `shift` and then kept within `min` and `max`.
    Adjusted {
        /// The law that is adjusted.
        law: Box<Law>,
        /// Added to every value.
        shift: f64,
        /// No value is below.
        min: f64,
        /// No value is above.
        max: f64,
    },
}

impl Law {
    /// The share of the distribution at or below `x`, and the share above.
    pub fn tails(&self, x: f64) -> (f64, f64) {
        (self.tail(x, Side::Below), self.tail(x, Side::Above))
    }

    /// One of [the two](Self::tails): searches ask for the smaller one only, and each costs an `erfc`.
    pub fn tail(&self, x: f64, side: Side) -> f64 {
        match self {
            Self::Constant(value) => side.of(step(x >= *value)),
            Self::Uniform { low, high } => {
                let below = ((x - low) / (high - low)).clamp(0.0, 1.0);
                side.of(if high > low { (below, 1.0 - below) } else { step(x >= *low) })
            }
            Self::Exponential { mean } => hazard_tail(x / mean, side),
            Self::LogNormal { .. } if x <= 0.0 => side.of((0.0, 1.0)),
            Self::LogNormal { mu, sigma: 0.0 } => side.of(step(x >= libm::exp(*mu))),
            Self::LogNormal { mu, sigma } => lognormal_tail((libm::log(x) - mu) / sigma, side),
            Self::Gamma { shape, scale } => side.of(gamma_tails(*shape, x / scale)),
            Self::Weibull { shape, scale } => hazard_tail(libm::pow(x.max(0.0) / scale, *shape), side),
            Self::Quantiles(points) => {
                let below = share_below(points, x);
                side.of((below, 1.0 - below))
            }
            Self::Mixture(parts) => {
                let log = libm::log(x);
                parts.iter().fold(0.0, |sum, (share, law)| sum + share * law.tail_of_part(x, log, side))
            }
            Self::Adjusted { law, shift, min, max } => match x {
                x if x < *min => side.of((0.0, 1.0)),
                x if x >= *max => side.of((1.0, 0.0)),
                x => law.tail(x - shift, side),
            },
        }
    }

    /// The same for a part of a mixture: all lognormals among them share the logarithm.
    fn tail_of_part(&self, x: f64, log: f64, side: Side) -> f64 {
        match self {
            Self::LogNormal { mu, sigma } if x > 0.0 && *sigma != 0.0 => lognormal_tail((log - mu) / sigma, side),
            other => other.tail(x, side),
        }
    }

    /// The value at a level.
    pub fn quantile(&self, level: Level) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { low, high } => low + (high - low) * level.below,
            Self::Exponential { mean } => mean * level.hazard(),
            Self::LogNormal { mu, sigma: 0.0 } => libm::exp(*mu),
            Self::LogNormal { mu, sigma } => libm::exp(mu + sigma * level.normal()),
            Self::Gamma { shape, scale } => scale * gamma_quantile(*shape, level),
            Self::Weibull { shape, scale } => scale * libm::pow(level.hazard(), 1.0 / shape),
            Self::Quantiles(points) => value_at(points, level.below),
            Self::Mixture(parts) => {
                let each = parts.iter().map(|(_, law)| law.quantile(level));
                let (low, high) = each.fold((f64::INFINITY, 0.0f64), |(l, h), q| (l.min(q), h.max(q)));
                self.search(level, low, high)
            }
            Self::Adjusted { law, shift, min, max } => (law.quantile(level) + shift).clamp(*min, *max),
        }
    }

    /// The values at levels that rise: those that have to be searched for are looked for from one to the next.
    pub(super) fn rising(&self, levels: impl Iterator<Item = Level>) -> impl Iterator<Item = f64> {
        let is_searched = matches!(self, Self::Mixture(_) | Self::Gamma { .. });
        let mut last: Option<Step> = None;
        levels.map(move |level| {
            if !is_searched {
                return self.quantile(level);
            }
            let side = side_of(level);
            let found =
                last.as_ref().filter(|last| last.point.value > 0.0).and_then(|last| self.next_value(level, last));
            let point = found.unwrap_or_else(|| {
                let value = self.quantile(level);
                Point { value, share: self.tail(value, side) }
            });
            let width = last.as_ref().map_or(0.0, |before| point.value - before.point.value);
            // It begins anew on the other side.
            let trail =
                last.take().filter(|before| before.side == side).map_or_else(Trail::default, |before| before.trail);
            last = Some(Step { point, side, width, trail: trail.and(point) });
            point.value
        })
    }

    /// The value at a level that is a little above that of the last value.
    fn next_value(&self, level: Level, last: &Step) -> Option<Point> {
        let Step { point: Point { value, share }, side, width, ref trail } = *last;
        let is_same_side = side == side_of(level);
        if is_same_side && let Some(foreseen) = trail.next(level, |x, side| self.tail(x, side)) {
            return Some(foreseen);
        }
        let share = if is_same_side { share } else { self.tail(value, side_of(level)) };
        let step = width.max(value * LEAST_STEP);
        invert_from(level, Point { value, share }, step, |x, side| self.tail(x, side))
    }

    /// The smallest value whose share below reaches the level, by search between `low` and `high`.
    fn search(&self, level: Level, low: f64, high: f64) -> f64 {
        invert(level, low, high, |x, side| self.tail(x, side))
    }
}

fn step(reached: bool) -> (f64, f64) {
    if reached { (1.0, 0.0) } else { (0.0, 1.0) }
}

fn lognormal_tail(score: f64, side: Side) -> f64 {
    normal_cdf(if side == Side::Below { score } else { -score })
}

fn hazard_tail(hazard: f64, side: Side) -> f64 {
    match side {
        _ if hazard <= 0.0 => side.of((0.0, 1.0)),
        Side::Below => -libm::expm1(-hazard),
        Side::Above => libm::exp(-hazard),
    }
}

/// The quantile of the standard gamma distribution. P(a, x) <= x^a / Γ(a + 1) gives the lower bound of the search.
fn gamma_quantile(shape: f64, level: Level) -> f64 {
    if level.below <= 0.0 {
        return 0.0;
    }
    if level.above <= 0.0 {
        return f64::INFINITY;
    }
    let low = libm::exp((libm::log(level.below) + libm::lgamma(shape + 1.0)) / shape);
    let mut high = low.max(f64::MIN_POSITIVE) * 2.0;
    while gamma_tails(shape, high).1 > level.above {
        high *= 2.0;
    }
    invert(level, low, high, |x, side| side.of(gamma_tails(shape, x)))
}

/// Interpolates known quantiles: geometrically between positive values, else linearly.
fn value_at(points: &[(f64, f64)], below: f64) -> f64 {
    let after = points.partition_point(|(share, _)| *share <= below);
    let (Some(left), Some(right)) = (after.checked_sub(1).and_then(|i| points.get(i)), points.get(after)) else {
        let end = if after == 0 { points.first() } else { points.last() };
        return end.map_or(0.0, |(_, value)| *value);
    };
    let part = (below - left.0) / (right.0 - left.0);
    if left.1 > 0.0 {
        left.1 * libm::exp(part * libm::log(right.1 / left.1))
    } else {
        left.1 + part * (right.1 - left.1)
    }
}

/// The inverse of [`value_at`].
fn share_below(points: &[(f64, f64)], x: f64) -> f64 {
    let after = points.partition_point(|(_, value)| *value <= x);
    let Some(left) = after.checked_sub(1).map(|i| points[i]) else { return 0.0 };
    let Some(right) = points.get(after) else { return 1.0 };
    let part = if left.1 > 0.0 {
        libm::log(x / left.1) / libm::log(right.1 / left.1)
    } else {
        (x - left.1) / (right.1 - left.1)
    };
    left.0 + part * (right.0 - left.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laws() -> Vec<Law> {
        let body = Law::LogNormal { mu: 6.7, sigma: 0.9 };
        vec![
            Law::Uniform { low: 2.0, high: 5.0 },
            Law::Exponential { mean: 3.0 },
            body.clone(),
            Law::Gamma { shape: 0.21, scale: 4.0 },
            Law::Gamma { shape: 7.5, scale: 2.0 },
            Law::Weibull { shape: 0.33, scale: 10.0 },
            Law::Quantiles(vec![(0.0, 1.0), (0.5, 50.0), (0.95, 700.0), (1.0, 4000.0)]),
            Law::Mixture(vec![(0.8, body.clone()), (0.2, Law::LogNormal { mu: 4.0, sigma: 0.1 })]),
            Law::Adjusted { law: Box::new(body), shift: 30.0, min: 0.0, max: f64::INFINITY },
        ]
    }

    #[test]
    fn quantiles_invert_the_tails() {
        for law in laws() {
            for level in [0.001, 0.05, 0.4, 0.5, 0.9, 0.999].map(Level::below) {
                let (below, _) = law.tails(law.quantile(level));
                assert!((below / level.below - 1.0).abs() < 1e-7, "{law:?} at {level:?}: {below}");
            }
        }
    }

    #[test]
    fn far_tails_keep_their_precision() {
        for law in laws().into_iter().filter(|law| !matches!(law, Law::Uniform { .. } | Law::Quantiles(_))) {
            let (_, above) = law.tails(law.quantile(Level::above(1e-14)));
            assert!((above / 1e-14 - 1.0).abs() < 1e-6, "{law:?}: {above}");
        }
    }

    #[test]
    fn a_jump_is_found_from_below() {
        let law = Law::Mixture(vec![(0.9, Law::Constant(1.0)), (0.1, Law::Constant(40.0))]);
        assert_eq!(law.quantile(Level::below(0.5)), 1.0);
        assert!((law.quantile(Level::below(0.95)) - 40.0).abs() < 1e-6);
    }
}

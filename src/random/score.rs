//! Normal scores in tables: the score of a uniform number, and the values of a law at scores. What is drawn through a
//! copula is found by three look-ups and a weighted sum, without a normal quantile and without going back to a uniform
//! number (19 ns a request of `bench-full` less). The slow twins are `normal_quantile` and `Law::quantile`.

use std::sync::OnceLock;

use crate::random::addressed::Unit;
use crate::random::law::{Law, Level};
use crate::random::special::{normal_cdf, normal_quantile};
use crate::random::table::{CELLS, EDGE_CELLS, TAIL_CELLS, between, body_place, knot_scores, tail_edge, tail_place};

/// The normal scores of uniform numbers.
#[derive(Debug, PartialEq)]
pub(super) struct NormalScores {
    body: [f32; CELLS + 1],
    /// Those near the lower end, the farthest out first; the upper end mirrors them.
    outer: [f32; TAIL_CELLS + 1],
}

impl NormalScores {
    /// The table.
    pub(super) fn get() -> &'static Self {
        static SCORES: OnceLock<Box<NormalScores>> = OnceLock::new();
        SCORES.get_or_init(|| {
            let mut body = [0.0; CELLS + 1];
            let inner = body[EDGE_CELLS..].iter_mut().zip(knot_scores());
            inner.for_each(|(knot, score)| *knot = *score as f32);
            Box::new(Self { body, outer: std::array::from_fn(|cell| normal_quantile(tail_edge(cell)) as f32) })
        })
    }

    /// The score of a uniform number, within 2e-4.
    #[inline(always)]
    pub(super) fn of(&self, unit: Unit) -> f64 {
        match body_place(unit) {
            Some((cell, part)) => between(self.body[cell], self.body[cell + 1], part),
            None => self.outer(unit.as_f64()),
        }
    }

    /// The score near an end.
    #[cold]
    #[inline(never)]
    fn outer(&self, u: f64) -> f64 {
        let below = |distance| {
            let (cell, part) = tail_place(distance);
            between(self.outer[cell], self.outer[cell + 1], part)
        };
        if u < 0.5 { below(u) } else { -below(1.0 - u) }
    }
}

/// The table of a law reaches from this score below the median to this above.
const WIDEST: f64 = 4.0;
const PER_UNIT: f64 = 128.0;
const STEPS: usize = 1024;

/// The values of a law at scores.
#[derive(Debug)]
pub(super) struct ByScore(Box<[f32; STEPS + 1]>);

impl ByScore {
    pub(super) fn new(law: &Law) -> Self {
        let levels = (0..=STEPS).map(|step| level(step as f64 / PER_UNIT - WIDEST));
        let mut values = Box::new([0.0; STEPS + 1]);
        values.iter_mut().zip(law.rising(levels)).for_each(|(knot, value)| *knot = value as f32);
        Self(values)
    }

    /// The value of the law of this table at a score.
    #[inline(always)]
    pub(super) fn at(&self, law: &Law, score: f64) -> f64 {
        let place = (score + WIDEST) * PER_UNIT;
        // By way of `i32`: one conversion instruction each way. What is below the table becomes
        // negative or a huge `usize`.
        let whole = place as i32;
        let step = whole as usize;
        if place >= 0.0 && step < STEPS {
            return between(self.0[step], self.0[step + 1], place - f64::from(whole));
        }
        exact(law, score)
    }
}

/// The value of a law at a score.
#[cold]
#[inline(never)]
pub(super) fn exact(law: &Law, score: f64) -> f64 {
    law.quantile(level(score))
}

fn level(score: f64) -> Level {
    Level { below: normal_cdf(score), above: normal_cdf(-score) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_quantile_and_rise() {
        let (scores, mut last) = (NormalScores::get(), f64::NEG_INFINITY);
        for k in 1..1_000_000u64 {
            let unit = Unit::of(k * ((1 << Unit::BITS) / 1_000_000) + 1);
            let (score, exact) = (scores.of(unit), normal_quantile(unit.as_f64()));
            assert!((score - exact).abs() < 2e-4, "{unit:?}: {score}, {exact}");
            assert!(score >= last - 1e-6, "{unit:?}: {score} after {last}");
            last = score;
        }
        assert!(scores.of(Unit::of(0)) < -8.0 && scores.of(Unit::of((1 << Unit::BITS) - 1)) > 8.0);
    }

    #[test]
    fn values_are_those_of_the_law_and_rise() {
        let parts = [(0.4, Law::LogNormal { mu: 1.67, sigma: 0.5 }), (0.6, Law::LogNormal { mu: 6.0, sigma: 0.9 })];
        let laws = [
            (Law::LogNormal { mu: 5.5, sigma: 1.3 }, 2e-5),
            (Law::Gamma { shape: 0.21, scale: 400.0 }, 4e-3),
            // Between its parts values rise tenfold within a few steps: there they are those of a place close by.
            (Law::Mixture(parts.into()), f64::INFINITY),
        ];
        for (law, error) in laws {
            let (table, mut last) = (ByScore::new(&law), 0.0);
            for k in -6_000..6_000 {
                let score = f64::from(k) / 1_000.0;
                let (value, exact) = (table.at(&law, score), |aside: f64| exact(&law, score + aside / PER_UNIT));
                assert!((value - exact(0.0)).abs() < error * exact(0.0), "{law} at {score}: {value}, {}", exact(0.0));
                let close_by = exact(-1.0) * (1.0 - 1e-7)..exact(1.0) * (1.0 + 1e-7);
                assert!(close_by.contains(&value), "{law} at {score}: {value}, {close_by:?}");
                assert!(value >= last * (1.0 - 1e-7), "{law} at {score}: {value} after {last}");
                last = value;
            }
        }
    }
}

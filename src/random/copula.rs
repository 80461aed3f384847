//! Two numbers that go together: a Gaussian copula. The second is found twice, a hair's breadth below and above its place
//! on a rough scale; where both are the same whole number, so is the exact one, and no `erfc` is needed for it (430
//! instructions become 210). The slow twin is [`Copula::second`].

use std::sync::OnceLock;

use crate::random::dist::Dist;
use crate::random::special::{normal_cdf, normal_quantile, normal_quantile_roughly};

/// Couples uniform numbers by the correlation of their normal scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Copula {
    rho: f64,
    /// Weight of the part that is independent.
    rest: f64,
}

impl Copula {
    /// With this correlation, from -1 to 1; `None` without any.
    pub fn new(rho: f64) -> Option<Self> {
        (rho != 0.0).then(|| Self { rho, rest: libm::sqrt(1.0 - rho * rho) })
    }

    /// A uniform number whose normal score has the correlation with that of `first`, made of one of its `own`.
    pub fn second(self, first: f64, own: f64) -> f64 {
        // Half a lattice step keeps the normal scores finite.
        const HALF: f64 = f64::EPSILON / 4.0;
        let score = |u: f64| normal_quantile((u + HALF).min(1.0 - f64::EPSILON / 2.0));
        normal_cdf(self.rho * score(first) + self.rest * score(own)).min(1.0 - f64::EPSILON / 2.0)
    }

    /// [`Dist::sample_count`] at [`Copula::second`].
    #[inline]
    pub fn second_count(self, dist: &Dist, first: f64, own: f64) -> u32 {
        // Counts rise with their place.
        let count = self.roughly(first, own).and_then(|place| dist.count_around(place, ERROR));
        count.unwrap_or_else(|| self.second_count_exactly(dist, first, own))
    }

    #[inline(never)]
    fn second_count_exactly(self, dist: &Dist, first: f64, own: f64) -> u32 {
        dist.sample_count(self.second(first, own))
    }

    /// [`Copula::second`] within [`ERROR`]; `None` far out in the tails.
    #[inline]
    fn roughly(self, first: f64, own: f64) -> Option<f64> {
        let score = self.rho * normal_quantile_roughly(first) + self.rest * normal_quantile_roughly(own);
        let place = (score + WIDEST) * PER_UNIT;
        if !(place >= 0.0 && place < CELLS as f64) {
            return None;
        }
        // By way of `i32`: one conversion instruction each way.
        let whole = place as i32;
        let [low, high] = *scale().get(whole as usize)?;
        Some(f64::from(low) + f64::from(high - low) * (place - f64::from(whole)))
    }
}

/// Most that [`Copula::roughly`] is wrong: an eighth of the squared width of a cell times the greatest second derivative
/// (0.242) is 1.9e-6; single precision (6e-8) and the rough scores (1e-8) are far below.
const ERROR: f64 = 2.5e-6;
/// The scale reaches from this below the mean to this above.
const WIDEST: f64 = 4.0;
const PER_UNIT: f64 = 128.0;
const CELLS: usize = 1024;

/// The normal distribution function at both ends of each cell.
fn scale() -> &'static [[f32; 2]; CELLS] {
    static SCALE: OnceLock<Box<[[f32; 2]; CELLS]>> = OnceLock::new();
    SCALE.get_or_init(|| {
        let at = |cell: usize| normal_cdf(cell as f64 / PER_UNIT - WIDEST) as f32;
        Box::new(std::array::from_fn(|cell| [at(cell), at(cell + 1)]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::text::DistSpec;
    use proptest::prelude::*;

    #[test]
    fn the_rough_place_is_within_its_error() {
        let mut greatest: f64 = 0.0;
        for rho in [-0.9, -0.3, 0.07, 0.44, 0.66, 1.0] {
            let copula = Copula::new(rho).unwrap();
            for (i, j) in (0..300).flat_map(|i| (0..300).map(move |j| (i, j))) {
                let (first, own) = ((f64::from(i) + 0.37) / 300.0, (f64::from(j) + 0.61) / 300.0);
                if let Some(place) = copula.roughly(first, own) {
                    greatest = greatest.max((place - copula.second(first, own)).abs());
                }
            }
        }
        assert!(greatest > 1e-6 && greatest < 2e-6, "{greatest}");
    }

    proptest! {
        #[test]
        fn counts_are_the_exact_ones(
            first in 0.0f64..1.0, own in 0.0f64..1.0, rho in -1.0f64..1.0, median in 1.0f64..5_000.0, spread in 1.1f64..9.0
        ) {
            for text in [format!("lognormal(median={median}, p95={})", median * spread), format!("uniform(1, {})", median + 1.0)] {
                let dist = text.parse::<DistSpec>().unwrap().compile().unwrap();
                if let Some(copula) = Copula::new(rho) {
                    let exact = copula.second_count_exactly(&dist, first, own);
                    prop_assert_eq!(copula.second_count(&dist, first, own), exact);
                }
            }
        }
    }
}

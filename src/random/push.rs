//! Draws pushed towards one end, for events that are rare otherwise: the normal score of a uniform draw is shifted. How
//! much likelier that makes what was drawn follows from the sum of the scores, so it can be weighed back exactly.

use crate::random::special::{normal_cdf, normal_quantile};

/// The normal scores of the draws of one kind in one run.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    /// Their sum.
    pub sum: f64,
    /// How many there are.
    pub count: u32,
}

/// Scores beyond this do not come up in 2^53 equal steps.
const FARTHEST: f64 = 8.2;
/// The largest number below 1.
const LAST: f64 = 1.0 - f64::EPSILON / 2.0;

impl Scores {
    /// A uniform draw whose normal score is shifted, noted down.
    pub fn push(&mut self, unit: f64, shift: f64) -> f64 {
        let score = normal_quantile(unit).clamp(-FARTHEST, FARTHEST) + shift;
        self.sum += score;
        self.count += 1;
        // Without a shift the draw stays what it is, to the last bit.
        if shift == 0.0 { unit } else { normal_cdf(score).min(LAST) }
    }

    /// The logarithm of how many times likelier these draws are when pushed by `shift` than when left alone.
    pub fn log_ratio(&self, shift: f64) -> f64 {
        shift * self.sum - 0.5 * shift * shift * f64::from(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::mix;

    #[test]
    fn what_is_weighed_back_has_its_mean_again() {
        // Pushed by 1.5, weighed back: the mean of u² is 1/3 again; 4 standard errors of 40,000 draws.
        let draw = |k: u64| {
            let mut scores = Scores::default();
            let u = scores.push((mix(k) >> 11) as f64 / (1u64 << 53) as f64, 1.5);
            (u * u * (-scores.log_ratio(1.5)).exp(), u)
        };
        let values: Vec<(f64, f64)> = (0..40_000).map(draw).collect();
        let mean = values.iter().map(|(v, _)| v).sum::<f64>() / 40_000.0;
        let variance = values.iter().map(|(v, _)| (v - mean).powi(2)).sum::<f64>() / 39_999.0;
        assert!((mean - 1.0 / 3.0).abs() < 4.0 * (variance / 40_000.0).sqrt(), "{mean}");
        assert!(values.iter().map(|(_, u)| u).sum::<f64>() > 0.8 * 40_000.0);
    }

    #[test]
    fn a_draw_that_is_not_pushed_stays_what_it_is() {
        let mut scores = Scores::default();
        assert_eq!([0.0, 0.3, LAST].map(|u| scores.push(u, 0.0)), [0.0, 0.3, LAST]);
        assert!(scores.sum.is_finite() && scores.log_ratio(0.0) == 0.0);
        assert!(scores.push(LAST, 9.0) < 1.0);
    }
}

//! One of several by weight.

/// Picks an index by weight; rises with the uniform number.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Share of all indices up to and including each, without the last.
    bounds: Box<[f64]>,
}

/// Why weights cannot be chosen by.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChoiceError {
    /// A weight is negative or not finite.
    #[error("weight {0} is out of range; expected a number not below 0")]
    Weight(f64),
    /// No weight is above 0.
    #[error("no weight is above 0")]
    Nothing,
}

impl Choice {
    /// A choice by these weights.
    ///
    /// # Errors
    /// [`ChoiceError`] for impossible weights.
    pub fn new(weights: &[f64]) -> Result<Self, ChoiceError> {
        if let Some(bad) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
            return Err(ChoiceError::Weight(*bad));
        }
        let total: f64 = weights.iter().sum();
        if total <= 0.0 || !total.is_finite() {
            return Err(ChoiceError::Nothing);
        }
        // Trailing zeros must stay out of reach whatever the rounding of the sum.
        let last = weights.iter().rposition(|w| *w > 0.0).unwrap_or(0);
        let mut sum = 0.0;
        let running = weights[..last].iter().map(|weight| {
            sum += weight;
            sum / total
        });
        Ok(Self { bounds: running.collect() })
    }

    /// The index at `u` in [0, 1).
    #[inline]
    pub fn pick(&self, u: f64) -> usize {
        self.bounds.partition_point(|bound| *bound <= u)
    }

    /// Whether there is nothing to choose.
    pub const fn is_single(&self) -> bool {
        self.bounds.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_weights_and_zeros_are_never_picked() {
        let choice = Choice::new(&[0.0, 3.0, 0.0, 1.0, 0.0]).unwrap();
        let mut seen = [0; 5];
        for k in 0..4000 {
            seen[choice.pick(f64::from(k) / 4000.0)] += 1;
        }
        assert_eq!(seen, [0, 3000, 0, 1000, 0]);
        assert_eq!(choice.pick(1.0 - f64::EPSILON / 2.0), 3);
    }

    #[test]
    fn impossible_weights_are_refused() {
        assert_eq!(Choice::new(&[]), Err(ChoiceError::Nothing));
        assert_eq!(Choice::new(&[0.0]), Err(ChoiceError::Nothing));
        assert_eq!(Choice::new(&[1.0, -2.0]), Err(ChoiceError::Weight(-2.0)));
    }
}

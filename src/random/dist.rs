//! A checked distribution, ready to draw from.

use std::fmt;
use std::sync::Arc;

use crate::random::addressed::Unit;
use crate::random::law::{Law, Level};
use crate::random::score::exact;
use crate::random::shelf::{Lazy, table_of};

/// A distribution of a non-negative number that has been checked and tabulated. Cheap to clone; equal laws drawn at
/// equal numbers give equal values on every machine.
#[derive(Debug, Clone)]
pub struct Dist {
    law: Arc<Law>,
    sampler: Sampler,
}

/// How values are drawn.
#[derive(Debug, Clone)]
enum Sampler {
    /// `low + width * u`.
    Line { low: f64, width: f64 },
    /// Shared with all that draw from equal laws.
    Table(Arc<Lazy>),
}

/// Why parameters do not make a distribution.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DistError {
    /// A parameter is negative, zero where it must not be, or not finite.
    #[error("{name} = {shown} is out of range; expected {expected}", shown = crate::units::short(*value))]
    Parameter {
        /// Which parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// Known quantiles do not rise.
    #[error("quantiles must rise from point to point; the one at share {share} does not")]
    NotRising {
        /// Share below of the offending point.
        share: f64,
    },
    /// A list is empty.
    #[error("{0} needs at least one part")]
    Empty(&'static str),
    /// Values reach beyond what can be simulated.
    #[error("the distribution reaches {0:e}; bound it with max=…")]
    TooWide(f64),
}

/// The largest value that a draw may reach.
const LARGEST: f64 = 1e30;
const FARTHEST: f64 = f64::EPSILON / 2.0;

impl Dist {
    /// Checks a law and prepares its draws.
    ///
    /// # Errors
    /// [`DistError`] when a parameter is out of range.
    pub fn new(law: Law) -> Result<Self, DistError> {
        check(&law)?;
        let reach = law.quantile(Level::above(FARTHEST));
        if reach.is_nan() || reach > LARGEST {
            return Err(DistError::TooWide(reach));
        }
        Ok(match law {
            Law::Constant(value) => Self::line(law, value, 0.0),
            Law::Uniform { low, high } => Self::line(law, low, high - low),
            _ => Self::tabulated(law),
        })
    }

    /// Always the same non-negative value.
    ///
    /// # Errors
    /// [`DistError`] when it is negative or not finite.
    pub fn constant(value: f64) -> Result<Self, DistError> {
        Self::new(Law::Constant(value))
    }

    /// The exponential distribution with mean 1: gaps of a Poisson process in its own time.
    pub fn unit_exponential() -> Self {
        Self::tabulated(Law::Exponential { mean: 1.0 })
    }

    fn line(law: Law, low: f64, width: f64) -> Self {
        Self { law: Arc::new(law), sampler: Sampler::Line { low, width } }
    }

    fn tabulated(law: Law) -> Self {
        let table = table_of(law);
        Self { law: Arc::clone(table.law()), sampler: Sampler::Table(table) }
    }

    /// The law behind the draws.
    pub fn law(&self) -> &Law {
        &self.law
    }

    /// The value at `u` in [0, 1); it rises with `u`.
    #[inline]
    pub fn sample(&self, u: f64) -> f64 {
        match &self.sampler {
            Sampler::Line { low, width } => low + width * u,
            Sampler::Table(table) => table.table().at(u),
        }
    }

    /// The value at a uniform number, as [`Dist::sample`] has it.
    #[inline(always)]
    pub fn draw(&self, unit: Unit) -> f64 {
        match &self.sampler {
            Sampler::Table(table) => table.table().draw(unit),
            Sampler::Line { low, width } => low + width * unit.as_f64(),
        }
    }

    /// The same as a whole number, at least 1.
    #[inline(always)]
    pub fn draw_count(&self, unit: Unit) -> u32 {
        ((self.draw(unit) + 0.5) as u32).max(1)
    }

    /// The value at `u` as a whole number, at least 1.
    #[inline]
    pub fn sample_count(&self, u: f64) -> u32 {
        // Halves round up; the cast saturates.
        ((self.sample(u) + 0.5) as u32).max(1)
    }

    /// The value at a normal score as a whole number, at least 1.
    #[inline(always)]
    pub fn count_at_score(&self, score: f64) -> u32 {
        let value = match &self.sampler {
            Sampler::Table(table) => table.at_score(score),
            Sampler::Line { .. } => exact(&self.law, score),
        };
        ((value + 0.5) as u32).max(1)
    }

    /// The mean of the draws.
    pub fn mean(&self) -> f64 {
        match &self.sampler {
            Sampler::Line { low, width } => low + 0.5 * width,
            Sampler::Table(table) => table.table().mean(),
        }
    }

    /// Whether the mean is at least this. Mostly it is far above: half of what lies above the median is enough to
    /// know it, and needs no table.
    pub fn has_mean_of(&self, least: f64) -> bool {
        0.49 * self.law().quantile(Level::below(0.5)) >= least || self.mean() >= least
    }

    /// What is left, at a random moment, of the interval that covers it, when intervals follow this distribution: the
    /// start of a renewal process that has been running for ever. Two independent uniform numbers.
    pub fn residual(&self, size: f64, place: f64) -> f64 {
        place
            * match &self.sampler {
                Sampler::Table(table) => table.table().size_biased(size),
                // ∫ x dx from low to x, as a share of the whole, is `size`.
                Sampler::Line { low, width } => {
                    let high = low + width;
                    libm::sqrt(low * low + size * (high * high - low * low))
                }
            }
    }
}

impl Law {
    /// A lognormal through its median and the quantile with the share `below` (above one half) below it.
    ///
    /// # Errors
    /// [`DistError`] when the median is not positive or above the other quantile.
    pub fn lognormal_through(median: f64, below: f64, value: f64) -> Result<Self, DistError> {
        positive("median", median)?;
        if !(value >= median && value.is_finite()) {
            let expected = "a number not below the median";
            return Err(DistError::Parameter { name: "the upper percentile", value, expected });
        }
        let z = crate::random::special::normal_quantile(below);
        Ok(Self::LogNormal { mu: libm::log(median), sigma: libm::log(value / median) / z })
    }
}

/// Checks that a parameter is above 0 and finite.
pub(super) fn positive(name: &'static str, value: f64) -> Result<(), DistError> {
    let fine = value > 0.0 && value.is_finite();
    if fine { Ok(()) } else { Err(DistError::Parameter { name, value, expected: "a positive number" }) }
}

fn not_negative(name: &'static str, value: f64) -> Result<(), DistError> {
    let fine = value >= 0.0 && value.is_finite();
    if fine { Ok(()) } else { Err(DistError::Parameter { name, value, expected: "a number not below 0" }) }
}

/// Checks the parameters of a law.
pub(super) fn check(law: &Law) -> Result<(), DistError> {
    match law {
        Law::Constant(value) => not_negative("value", *value),
        Law::Uniform { low, high } => {
            not_negative("low", *low)?;
            not_negative("high", *high)?;
            let expected = "a number not below `low`";
            if high >= low { Ok(()) } else { Err(DistError::Parameter { name: "high", value: *high, expected }) }
        }
        Law::Exponential { mean } => positive("mean", *mean),
        Law::LogNormal { mu, sigma } => {
            let expected = "a finite number";
            let finite =
                if mu.is_finite() { Ok(()) } else { Err(DistError::Parameter { name: "mu", value: *mu, expected }) };
            finite.and_then(|()| not_negative("sigma", *sigma))
        }
        Law::Gamma { shape, scale } | Law::Weibull { shape, scale } => {
            // Outside, single draws differ by more orders of magnitude than numbers have.
            let expected = "a number from 0.02 to 10,000";
            if !(0.02..=1e4).contains(shape) {
                return Err(DistError::Parameter { name: "shape", value: *shape, expected });
            }
            positive("scale", *scale)
        }
        Law::Quantiles(points) => check_quantiles(points),
        Law::Mixture(parts) => check_mixture(parts),
        Law::Adjusted { law, shift, min, max } => {
            check(law)?;
            not_negative("shift", *shift)?;
            not_negative("min", *min)?;
            let expected = "a number not below `min`";
            if *max >= *min { Ok(()) } else { Err(DistError::Parameter { name: "max", value: *max, expected }) }
        }
    }
}

fn check_quantiles(points: &[(f64, f64)]) -> Result<(), DistError> {
    if points.is_empty() {
        return Err(DistError::Empty("quantiles"));
    }
    for &(share, value) in points {
        not_negative("quantile", value)?;
        if !(0.0..=1.0).contains(&share) {
            let expected = "a share between 0 and 1";
            return Err(DistError::Parameter { name: "share", value: share, expected });
        }
    }
    match points.windows(2).find(|pair| pair[1].0 <= pair[0].0 || pair[1].1 < pair[0].1) {
        Some(pair) => Err(DistError::NotRising { share: pair[1].0 }),
        None => Ok(()),
    }
}

fn check_mixture(parts: &[(f64, Law)]) -> Result<(), DistError> {
    if parts.is_empty() {
        return Err(DistError::Empty("mix"));
    }
    for (share, law) in parts {
        positive("the share of a part", *share)?;
        check(law)?;
    }
    let sum: f64 = parts.iter().map(|(share, _)| share).sum();
    let expected = "shares that sum to 1";
    if (sum - 1.0).abs() < 1e-6 {
        Ok(())
    } else {
        Err(DistError::Parameter { name: "sum of shares", value: sum, expected })
    }
}

impl fmt::Display for Dist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.law.fmt(f)
    }
}

impl fmt::Display for Law {
    /// The short form that reads back as the same law.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(value) => write!(f, "{value}"),
            Self::Uniform { low, high } => write!(f, "uniform({low}, {high})"),
            Self::Exponential { mean } => write!(f, "exponential(mean={mean})"),
            Self::LogNormal { mu, sigma } => write!(f, "lognormal(mu={mu}, sigma={sigma})"),
            Self::Gamma { shape, scale } => write!(f, "gamma(shape={shape}, scale={scale})"),
            Self::Weibull { shape, scale } => write!(f, "weibull(shape={shape}, scale={scale})"),
            Self::Quantiles(points) => {
                let list: Vec<_> = points.iter().map(|(share, value)| format!("{share}={value}")).collect();
                write!(f, "quantiles({})", list.join(", "))
            }
            Self::Mixture(parts) => {
                let list: Vec<_> = parts.iter().map(|(share, law)| format!("{share} * {law}")).collect();
                write!(f, "mix({})", list.join(", "))
            }
            Self::Adjusted { law, shift, min, max } => {
                write!(f, "adjust({law}")?;
                for (name, value, default) in [("shift", shift, 0.0), ("min", min, 0.0), ("max", max, f64::INFINITY)] {
                    if *value != default {
                        write!(f, ", {name}={value}")?;
                    }
                }
                f.write_str(")")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Addressed, DistSpec, Draws, Purpose, Replication, Seed};

    /// The largest distance between the empirical and the exact distribution function, times √n. Below 1.95 with
    /// probability 99.9% when the draws follow the law.
    fn kolmogorov(law: &Law, count: u32) -> f64 {
        let dist = Dist::new(law.clone()).unwrap();
        let mut draws = Addressed::new(Seed(11), Replication(0));
        let mut values: Vec<f64> = (0..count)
            .map(|n| {
                draws.begin_request(0, u64::from(n));
                dist.sample(draws.unit(Purpose::InputTokens, 0))
            })
            .collect();
        values.sort_by(f64::total_cmp);
        let n = f64::from(count);
        let distances = values.iter().enumerate().map(|(i, &x)| {
            let (below, _) = law.tails(x);
            (below - i as f64 / n).max((i + 1) as f64 / n - below)
        });
        distances.fold(0.0, f64::max) * n.sqrt()
    }

    #[test]
    fn draws_follow_their_laws() {
        let body = Law::LogNormal { mu: 6.7, sigma: 0.9 };
        let laws = [
            Law::Uniform { low: 2.0, high: 5.0 },
            Law::Exponential { mean: 3.0 },
            body.clone(),
            Law::Gamma { shape: 0.21, scale: 4.0 },
            Law::Weibull { shape: 0.33, scale: 10.0 },
            Law::Quantiles(vec![(0.0, 1.0), (0.5, 50.0), (0.95, 700.0), (1.0, 4000.0)]),
            Law::Mixture(vec![(0.4254, Law::LogNormal { mu: 1.67, sigma: 1.315 }), (0.5746, body)]),
        ];
        for law in laws {
            let distance = kolmogorov(&law, 100_000);
            assert!(distance < 1.95, "{law}: √n·D = {distance}");
        }
    }

    #[test]
    fn values_are_stable() {
        let dist = "lognormal(median=800, p95=3500)".parse::<DistSpec>().unwrap().compile().unwrap();
        let bits = [0.001, 0.25, 0.5, 0.9, 0.999_999].map(|u| dist.sample(u).to_bits());
        let expected: [u64; 5] = [
            4_632_231_483_594_384_605,
            4_646_391_307_852_316_672,
            4_650_248_090_236_747_776,
            4_657_773_963_324_162_049,
            4_678_059_461_094_514_560,
        ];
        assert_eq!(bits, expected, "changed draws are value-breaking: say so in the changelog");
    }

    #[test]
    fn counts_round_halves_up_and_start_at_one() {
        let count = |value: f64| Dist::constant(value).unwrap().sample_count(0.3);
        assert_eq!([0.0, 0.4, 1.5, 2.49, 1e12].map(count), [1, 1, 2, 2, u32::MAX]);
    }

    #[test]
    fn a_mean_is_compared_as_if_it_were_known() {
        for text in ["lognormal(median=3, p95=30)", "exponential(2)", "5", "uniform(1, 4)", "gamma(mean=2, cv=3)"] {
            let dist = text.parse::<DistSpec>().unwrap().compile().unwrap();
            for part in [0.01, 0.3, 0.499, 0.999, 1.001, 1.5, 9.0] {
                assert_eq!(dist.has_mean_of(part * dist.mean()), part < 1.0, "{text}: {part} of the mean");
            }
        }
    }

    #[test]
    fn residuals_of_an_exponential_are_exponential() {
        let dist = Dist::unit_exponential();
        let grid = |n: u32| (0..n).map(move |k| (f64::from(k) + 0.5) / f64::from(n));
        let mean: f64 = grid(300).flat_map(|a| grid(300).map(move |b| (a, b))).map(|(a, b)| dist.residual(a, b)).sum();
        assert!((mean / 90_000.0 - 1.0).abs() < 0.01, "{mean}");
        let uniform = Dist::new(Law::Uniform { low: 0.0, high: 6.0 }).unwrap();
        let mean: f64 = grid(300).map(|a| uniform.residual(a, 0.5)).sum();
        // E[X²] / (2 E[X]) = 12 / 6.
        assert!((mean / 300.0 - 2.0).abs() < 0.01, "{mean}");
    }

    #[test]
    fn impossible_parameters_are_refused() {
        let bad = [
            Law::Constant(f64::NAN),
            Law::Constant(-1.0),
            Law::Uniform { low: 3.0, high: 2.0 },
            Law::Exponential { mean: 0.0 },
            Law::LogNormal { mu: f64::INFINITY, sigma: 1.0 },
            Law::LogNormal { mu: 0.0, sigma: 40.0 },
            Law::Gamma { shape: -1.0, scale: 1.0 },
            Law::Weibull { shape: 0.001, scale: 1.0 },
            Law::Quantiles(vec![]),
            Law::Quantiles(vec![(0.5, 3.0), (0.9, 2.0)]),
            Law::Mixture(vec![(0.5, Law::Constant(1.0))]),
        ];
        for law in bad {
            assert!(Dist::new(law.clone()).is_err(), "{law:?}");
        }
    }
}

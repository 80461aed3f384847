//! Low, middle and high of something over the replications.

use crate::experiment::fold::{dollars, money};
use crate::units::Money;

/// Low, middle and high over the replications at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Band {
    /// 5th percentile.
    pub p5: f64,
    /// Median.
    pub p50: f64,
    /// Mean.
    pub mean: f64,
    /// 95th percentile.
    pub p95: f64,
}

/// Percentiles and mean of an amount over the replications.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MoneyBand {
    /// 5th percentile.
    pub p5: Money,
    /// Median.
    pub p50: Money,
    /// Mean.
    pub mean: Money,
    /// 95th percentile.
    pub p95: Money,
}

impl MoneyBand {
    /// The amounts of a band of dollars, to the picodollar.
    pub fn of_dollars(band: Band) -> Self {
        let Band { p5, p50, mean, p95 } = band;
        let [p5, p50, mean, p95] = [p5, p50, mean, p95].map(money);
        Self { p5, p50, mean, p95 }
    }

    /// As floats, for pictures only.
    pub fn dollars(self) -> Band {
        let [p5, p50, mean, p95] = [self.p5, self.p50, self.mean, self.p95].map(dollars);
        Band { p5, p50, mean, p95 }
    }
}

//! Paid capacity: so many tokens a minute for a price an hour, used or idle. What does not fit into its
//! minute is paid as it goes.

use crate::units::{DeploymentId, Money, SimDuration};

/// Capacity that is paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacity {
    /// What it is called.
    pub name: String,
    /// The deployments that draw on it, in order.
    pub of: Vec<DeploymentId>,
    /// Tokens a minute, input and output.
    pub tokens_per_minute: u64,
    /// Price of an hour.
    pub hourly: Money,
}

impl Capacity {
    /// What it costs for so long, rounded down to the picodollar.
    pub fn price(&self, span: SimDuration) -> Money {
        const HOUR_NANOS: i128 = 3_600_000_000_000;
        let nanos = i128::from(span.0.max(0));
        // An hourly price times a year in nanoseconds stays far below the largest number.
        Money::from_picos(self.hourly.picos().saturating_mul(nanos) / HOUR_NANOS)
    }
}

/// Splits a whole in proportion to weights, exactly: the parts sum to the whole. All goes to the first where
/// no weight is above zero.
pub fn split(whole: i128, weights: &[u64]) -> Vec<i128> {
    let total: i128 = weights.iter().copied().map(i128::from).sum();
    if total == 0 {
        return (0..weights.len()).map(|index| if index == 0 { whole } else { 0 }).collect();
    }
    let (mut seen, mut given) = (0, 0);
    let mut part = |weight: &u64| {
        seen += i128::from(*weight);
        let upto = whole / total * seen + whole % total * seen / total;
        let part = upto - given;
        given = upto;
        part
    };
    weights.iter().map(&mut part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(whole in 0i128..10i128.pow(24), weights in prop::collection::vec(0u64..1_000_000_000, 1..20)) {
            let parts = split(whole, &weights);
            prop_assert_eq!(parts.iter().sum::<i128>(), whole);
            let total: u64 = weights.iter().sum();
            for (part, weight) in parts.iter().zip(&weights).filter(|_| total > 0) {
                let exact = whole as f64 * *weight as f64 / total as f64;
                prop_assert!((*part as f64 - exact).abs() <= 2.0 + exact * 1e-9, "{} {}", part, exact);
            }
        }
    }

    #[test]
    fn a_part_of_an_hour_costs_a_part_of_its_price() {
        let hourly = "2.50".parse().unwrap();
        let capacity = Capacity { name: String::new(), of: Vec::new(), tokens_per_minute: 1, hourly };
        assert_eq!(capacity.price(SimDuration::from_secs(90 * 60)), "3.75".parse().unwrap());
    }
}

//! Why one run costs more than another: the difference of two bills in parts that sum to it exactly.

use crate::experiment::forecast::RunRow;
use crate::ledger::Cause;
use crate::units::Money;

/// What makes a run dear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriverKind {
    /// More requests came.
    Volume,
    /// A request cost more at the prices of the group asked for: longer prompts and answers, fewer failures and cache
    /// hits.
    PerRequest,
    /// Fallbacks were answered at higher prices.
    FallbackPremium,
    /// Attempts that failed were billed.
    FailedAttempts,
    /// Clients had gone and the answers were billed.
    Abandoned,
    /// Writing to prompt caches.
    CacheWrites,
    /// Paid capacity.
    Commitment,
}

/// One part of the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Driver {
    /// Which.
    pub kind: DriverKind,
    /// Dollars more than in the other run; negative for less.
    pub amount: Money,
}

/// The parts of a bill that have a cause of their own, and the rest.
struct Parts {
    premium: Money,
    failed: Money,
    abandoned: Money,
    writes: Money,
    idle: Money,
    /// Answers at the prices of the groups asked for.
    base: Money,
}

impl Parts {
    fn of(row: &RunRow) -> Self {
        let (failed, abandoned) = (row.by_cause[Cause::FailedAttempt], row.by_cause[Cause::Abandoned]);
        let (writes, idle) = (row.by_cause[Cause::CacheWrite], row.by_cause[Cause::Commitment]);
        let premium = row.fallback_premium;
        Self { premium, failed, abandoned, writes, idle, base: row.bill - premium - failed - abandoned - writes - idle }
    }
}

/// Why `run` costs what it costs more than `other`; the largest part first. Sums to the
/// difference of the bills exactly.
pub fn drivers(run: &RunRow, other: &RunRow) -> Vec<Driver> {
    let (this, that) = (Parts::of(run), Parts::of(other));
    // What the other run's requests would have cost if as many had come.
    let scaled = match i128::from(other.requests) {
        0 => Money::ZERO,
        requests => Money::from_picos(that.base.picos().saturating_mul(i128::from(run.requests)) / requests),
    };
    let all = [
        (DriverKind::Volume, scaled - that.base),
        (DriverKind::PerRequest, this.base - scaled),
        (DriverKind::FallbackPremium, this.premium - that.premium),
        (DriverKind::FailedAttempts, this.failed - that.failed),
        (DriverKind::Abandoned, this.abandoned - that.abandoned),
        (DriverKind::CacheWrites, this.writes - that.writes),
        (DriverKind::Commitment, this.idle - that.idle),
    ];
    let mut drivers: Vec<Driver> = all
        .into_iter()
        .filter(|(_, amount)| *amount != Money::ZERO)
        .map(|(kind, amount)| Driver { kind, amount })
        .collect();
    drivers.sort_by_key(|driver| std::cmp::Reverse(driver.amount.picos().unsigned_abs()));
    drivers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Run;
    use proptest::prelude::*;

    fn row(requests: u64, bill: i128, premium: i128, failed: i128) -> RunRow {
        let mut row = RunRow::of(&Run::default());
        row.requests = requests;
        row.bill = Money::from_picos(bill);
        row.fallback_premium = Money::from_picos(premium);
        row.by_cause[Cause::FailedAttempt] = Money::from_picos(failed);
        row
    }

    proptest! {
        #[test]
        fn the_parts_sum_to_the_difference(
            a in (0u64..1000, 0i128..1_000_000, 0i128..1000, 0i128..1000),
            b in (0u64..1000, 0i128..1_000_000, 0i128..1000, 0i128..1000),
        ) {
            let (a, b) = (row(a.0, a.1, a.2, a.3), row(b.0, b.1, b.2, b.3));
            let sum: Money = drivers(&a, &b).iter().map(|driver| driver.amount).sum();
            prop_assert_eq!(sum, a.bill - b.bill);
        }
    }

    #[test]
    fn twice_the_requests_at_the_same_cost_is_volume_alone() {
        let parts = drivers(&row(200, 2000, 0, 0), &row(100, 1000, 0, 0));
        assert_eq!(parts, [Driver { kind: DriverKind::Volume, amount: Money::from_picos(1000) }]);
    }
}

//! How the parts of a difference are worded.

use crate::experiment::{DriverKind, RunRow};
use crate::report::text::{count, percent};
use crate::units::Money;

/// Why a part of the difference arose.
pub fn because(kind: DriverKind, amount: Money, run: &RunRow, median: &RunRow) -> String {
    let more = if amount < Money::ZERO { "less" } else { "more" };
    match kind {
        DriverKind::Volume => {
            let (mine, theirs) = (run.requests as f64, median.requests as f64);
            let share = percent((mine - theirs).abs() / theirs.max(1.0));
            let direction = if mine < theirs { "fewer" } else { "more" };
            format!("{share} {direction} requests came ({} instead of {})", count(mine), count(theirs))
        }
        DriverKind::PerRequest => {
            format!("a request cost {more} at the prices of the model asked for: lengths, failures, cache hits")
        }
        DriverKind::FallbackPremium => format!(
            "{more} was paid for answers of dearer fallbacks ({} instead of {} fallbacks)",
            count(run.fallbacks as f64),
            count(median.fallbacks as f64)
        ),
        DriverKind::FailedAttempts => format!("{more} was billed for calls that failed"),
        DriverKind::Abandoned => format!("{more} was billed for answers whose client had gone"),
        DriverKind::CacheWrites => format!("{more} was written to prompt caches"),
        DriverKind::Commitment => format!("{more} was paid for capacity"),
    }
}

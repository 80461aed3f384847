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
            "{} ({} instead of {} fallbacks)",
            premium(amount, run.fallback_premium, median.fallback_premium),
            count(run.fallbacks as f64),
            count(median.fallbacks as f64)
        ),
        DriverKind::FailedAttempts => format!("{more} was billed for calls that failed"),
        DriverKind::Abandoned => format!("{more} was billed for answers whose client had gone"),
        DriverKind::CacheWrites => format!("{more} was written to prompt caches"),
        DriverKind::Commitment => format!("{more} was paid for capacity"),
    }
}

/// What fallbacks did: they may be dearer than the models asked for, or cheaper, which saves.
fn premium(amount: Money, mine: Money, theirs: Money) -> &'static str {
    let (is_less, has_dearer) = (amount < Money::ZERO, mine > Money::ZERO || theirs > Money::ZERO);
    let has_cheaper = mine < Money::ZERO || theirs < Money::ZERO;
    match (has_dearer, has_cheaper, is_less) {
        (_, false, true) => "less was paid for answers of dearer fallbacks",
        (_, false, false) => "more was paid for answers of dearer fallbacks",
        (false, true, true) => "more was saved by answers of cheaper fallbacks",
        (false, true, false) => "less was saved by answers of cheaper fallbacks",
        (true, true, true) => "fallbacks were cheaper than the models asked for, where they were dearer",
        (true, true, false) => "fallbacks were dearer than the models asked for, where they were cheaper",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cheaper_fallbacks_save() {
        let cents = |n: i128| Money::from_picos(n * 10_000_000_000);
        assert_eq!(premium(cents(-2), cents(1), cents(3)), "less was paid for answers of dearer fallbacks");
        assert_eq!(premium(cents(-2), cents(-5), cents(-3)), "more was saved by answers of cheaper fallbacks");
        assert_eq!(premium(cents(2), cents(-3), cents(-5)), "less was saved by answers of cheaper fallbacks");
        assert_eq!(premium(cents(2), Money::ZERO, cents(-2)), "less was saved by answers of cheaper fallbacks");
        assert!(premium(cents(-4), cents(-1), cents(3)).starts_with("fallbacks were cheaper"));
    }
}

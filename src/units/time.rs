//! Simulated time: whole nanoseconds since the start of the run, so that sums are exact and order is total.

use std::ops::{Add, AddAssign, Sub};

/// A moment: nanoseconds since the start of the replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimTime(pub i64);

/// A span of simulated time in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct SimDuration(pub i64);

const NANOS_PER_SECOND: f64 = 1e9;

/// Rounds seconds to whole nanoseconds; saturates at the ends of the range, NaN becomes 0.
fn nanos(seconds: f64) -> i64 {
    let exact = seconds * NANOS_PER_SECOND;
    (exact + 0.5_f64.copysign(exact)) as i64
}

impl SimTime {
    /// The start of the replication.
    pub const ZERO: Self = Self(0);
    /// Later than every event.
    pub const NEVER: Self = Self(i64::MAX);

    /// The moment `seconds` after the start.
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self(nanos(seconds))
    }

    /// Seconds since the start.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND
    }

    /// Whole seconds since the start, rounded down.
    pub const fn whole_secs(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// The time from `earlier` until now (negative if `earlier` is later).
    pub const fn since(self, earlier: Self) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Longer than every run.
    pub const FOREVER: Self = Self(i64::MAX);

    /// A span of `seconds`.
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self(nanos(seconds))
    }

    /// A span of whole seconds.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// Whole seconds of the span, rounded towards zero.
    pub const fn whole_secs(self) -> i64 {
        self.0 / 1_000_000_000
    }

    /// The span in seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND
    }
}

impl Add<SimDuration> for SimTime {
    type Output = Self;

    /// Saturates: `SimTime::NEVER` stays never. What leaves the range leaves it at that end, for neither a moment long
    /// before the beginning nor a span that leads back is as long as time (half the instructions of `saturating_add`).
    #[inline(always)]
    fn add(self, span: SimDuration) -> Self {
        debug_assert!(self.0 >= 0 || span.0 >= 0 || self.0.checked_add(span.0).is_some(), "{self:?} + {span:?}");
        self.0.checked_add(span.0).map_or(Self::NEVER, Self)
    }
}

impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, span: SimDuration) {
        *self = *self + span;
    }
}

impl Sub for SimTime {
    type Output = SimDuration;

    fn sub(self, earlier: Self) -> SimDuration {
        self.since(earlier)
    }
}

impl Add for SimDuration {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

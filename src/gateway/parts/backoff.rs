//! How long a gateway waits before it tries again.

use crate::units::{RetryAfter, SimDuration, SimTime};

/// Exponential back-off with jitter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// First pause, in seconds; it doubles with every retry.
    pub initial_secs: f64,
    /// Longest pause, in seconds.
    pub longest_secs: f64,
    /// Least pause, in seconds; it does not exceed the longest.
    pub least_secs: f64,
    /// Upper end of the uniform jitter that is added, in seconds.
    pub jitter_secs: f64,
    /// Longest `Retry-After` that is obeyed, in seconds.
    pub obeyed_secs: i64,
}

impl Backoff {
    /// The pause after `retries` retries, for an upstream that asked for `wanted_secs`, with a
    /// uniform `draw` in [0, 1).
    pub fn pause(&self, retries: u32, wanted_secs: Option<i64>, draw: f64) -> SimDuration {
        let jitter = self.jitter_secs * draw;
        let secs = match wanted_secs {
            Some(wanted) if wanted > 0 && wanted <= self.obeyed_secs => wanted as f64,
            _ => (self.initial_secs * 2f64.powi(retries.min(64) as i32)).max(self.least_secs).min(self.longest_secs),
        };
        SimDuration::from_secs_f64(secs + jitter)
    }
}

/// The whole seconds that a `Retry-After` asks for, if it does: a date counts from `now`, rounded towards zero.
pub fn retry_after_secs(header: RetryAfter, now: SimTime) -> Option<i64> {
    match header {
        RetryAfter::None | RetryAfter::Fraction(_) => None,
        RetryAfter::Seconds(secs) => Some(secs),
        RetryAfter::At(date) => Some(date.since(now).whole_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Backoff =
        Backoff { initial_secs: 0.5, longest_secs: 8.0, least_secs: 0.0, jitter_secs: 0.75, obeyed_secs: 60 };

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<f64> = (0..7).map(|retries| PLAIN.pause(retries, None, 0.0).as_secs_f64()).collect();
        assert_eq!(pauses, [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]);
        assert_eq!(PLAIN.pause(0, None, 0.5).as_secs_f64(), 0.875);
    }

    #[test]
    fn a_wish_is_obeyed_within_a_minute_and_the_least_pause_is_capped() {
        assert_eq!(PLAIN.pause(3, Some(20), 0.0).as_secs_f64(), 20.0);
        assert_eq!(PLAIN.pause(0, Some(61), 0.0).as_secs_f64(), 0.5);
        assert_eq!(PLAIN.pause(0, Some(0), 0.0).as_secs_f64(), 0.5);
        assert_eq!(Backoff { least_secs: 9.0, ..PLAIN }.pause(0, None, 0.0).as_secs_f64(), 8.0);
    }
}

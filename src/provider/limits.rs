//! Upstream rate limits: what a provider admits in a minute, and how many calls it bears at once.

use crate::units::{SimDuration, SimTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Calls.
    Requests,
    /// Tokens, as [`TokenCharge`] says.
    Tokens(TokenCharge),
    /// US dollars, when they have been billed: the call that goes over the limit is still answered.
    Dollars,
}

/// Which tokens a call is charged with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenCharge {
    /// Input plus `max_tokens`, at admission.
    InputAndLimit,
    /// The larger of the input and `max_tokens`, at admission (OpenAI).
    LargerOfInputAndLimit,
    /// Input without what the prompt cache provides, at admission (Anthropic's ITPM, Gemini's TPM).
    UncachedInput,
    /// Output, when it has been produced (Anthropic's OTPM).
    Output,
    /// Input at admission and output when it has been produced.
    Used,
}

/// How a limit is refilled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Refill {
    /// All at once at each multiple of the period, counted from `offset` before time zero.
    Window {
        /// Age of the current window at time zero.
        offset: SimDuration,
    },
    /// Continuously (token bucket); `burst` is what the full bucket holds, as a share of the limit.
    Bucket {
        /// From above 0 to 1.
        burst: f64,
    },
    /// Each amount comes back when it is as old as the period.
    Rolling,
    /// All at once at the begin of each calendar month, UTC.
    Monthly {
        /// Of the limit, in the month of time zero and before it.
        spent: f64,
        /// Time zero, in seconds since 1970.
        start: i64,
    },
}

/// When the calendar month after a moment begins, in nanoseconds since time zero, which is so many seconds after 1970.
/// Beyond all calendars none does.
pub(crate) fn next_month(start: i64, now: SimTime) -> i64 {
    const NANOS: i64 = 1_000_000_000;
    let next = || {
        let now = Timestamp::from_second(start.checked_add(now.0.div_euclid(NANOS))?).ok()?;
        let month = TimeZone::UTC.to_datetime(now).date().first_of_month().checked_add(1.month()).ok()?;
        let begins = month.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
        begins.checked_sub(start)?.checked_mul(NANOS)
    };
    next().unwrap_or(i64::MAX)
}

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meter {
    /// What is counted.
    pub counted: Counted,
    /// How many a period.
    pub limit: f64,
    /// The period.
    pub period: SimDuration,
    /// How it is refilled.
    pub refill: Refill,
}

/// The limits that a group of deployments shares (an organisation's limits for a model).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Limits {
    /// Limits over time.
    pub meters: Vec<Meter>,
    /// Calls at once.
    pub concurrency: Option<u32>,
    /// Calls beyond `concurrency` wait in line, at most this long, instead of being refused.
    pub queue: Option<SimDuration>,
    /// Whether calls that fail or are refused count against the request limits.
    pub failures_count: bool,
    /// Whether a refusal says when to come back.
    pub retry_after: bool,
}

/// Why a limit is impossible.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LimitError {
    /// A number is out of range.
    #[error("{0} = {number} is out of range; expected {2}", number = crate::units::short(*.1))]
    Parameter(&'static str, f64, &'static str),
}

impl Limits {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`LimitError`] naming the first that is out of range.
    pub fn check(&self) -> Result<(), LimitError> {
        for meter in &self.meters {
            if !(meter.limit > 0.0 && meter.limit.is_finite()) {
                return Err(LimitError::Parameter("limit", meter.limit, "a positive number"));
            }
            if meter.period.0 <= 0 {
                return Err(LimitError::Parameter("period", meter.period.as_secs_f64(), "a positive time"));
            }
            if let Refill::Bucket { burst } = meter.refill
                && !(burst > 0.0 && burst <= 1.0)
            {
                return Err(LimitError::Parameter("burst", burst, "a share above 0"));
            }
        }
        Ok(())
    }
}

/// What a call asks of the limits, in tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CallDemand {
    /// Input that the prompt cache does not provide.
    pub uncached_input: f64,
    /// All input.
    pub input: f64,
    /// `max_tokens` of the call; 0 for none.
    pub max_tokens: f64,
}

/// What a call is charged with at admission in each of the ways of charging.
pub(super) type Charges = [f64; 6];

impl CallDemand {
    /// What the call is charged with, by [`Meter::charge`]: all at once, so that no meter has to choose.
    #[inline]
    pub(super) const fn charges(&self) -> Charges {
        let Self { uncached_input, input, max_tokens } = *self;
        [0.0, 1.0, input + max_tokens, input.max(max_tokens), uncached_input, input]
    }
}

impl Meter {
    /// What a call takes at admission.
    pub fn taken_at_start(&self, demand: &CallDemand) -> f64 {
        demand.charges()[self.charge()]
    }

    /// Which of [`CallDemand::charges`] that is.
    pub(super) const fn charge(&self) -> usize {
        match self.counted {
            Counted::Tokens(TokenCharge::Output) | Counted::Dollars => 0,
            Counted::Requests => 1,
            Counted::Tokens(TokenCharge::InputAndLimit) => 2,
            Counted::Tokens(TokenCharge::LargerOfInputAndLimit) => 3,
            Counted::Tokens(TokenCharge::UncachedInput) => 4,
            Counted::Tokens(TokenCharge::Used) => 5,
        }
    }

    /// Whether a call takes something when it has ended.
    pub(super) const fn takes_at_end(&self) -> bool {
        self.counts_output() || matches!(self.counted, Counted::Dollars)
    }

    /// Whether output is counted, when it has been produced.
    pub const fn counts_output(&self) -> bool {
        matches!(self.counted, Counted::Tokens(TokenCharge::Output | TokenCharge::Used))
    }

    /// The most that can be left.
    pub(super) fn capacity(&self) -> f64 {
        match self.refill {
            Refill::Window { .. } | Refill::Rolling => self.limit,
            Refill::Monthly { spent, .. } => self.limit - spent,
            // A bucket that cannot hold one call would never open.
            Refill::Bucket { burst } => (self.limit * burst).max(1.0),
        }
    }
}

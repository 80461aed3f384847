//! Counters that forget.

use crate::units::{SimDuration, SimTime};

const NEVER_SET: SimTime = SimTime(i64::MIN);

/// A counter in a cache whose life time runs from the write that created it: a fixed window, opened by the first count.
#[derive(Debug, Clone, Copy)]
pub struct ExpiringCounter<T = u64> {
    count: T,
    expires: SimTime,
}

impl<T: Default> Default for ExpiringCounter<T> {
    fn default() -> Self {
        Self { count: T::default(), expires: NEVER_SET }
    }
}

impl<T: Copy + Default + std::ops::Add<Output = T>> ExpiringCounter<T> {
    /// The count at this moment.
    pub fn get(&self, now: SimTime) -> T {
        if now > self.expires { T::default() } else { self.count }
    }

    /// Whether a count at this moment, which is after the window was opened, falls into it and leaves it as it is.
    pub fn holds(&self, at: SimTime) -> bool {
        at < self.expires
    }

    /// Counts what the window [holds](Self::holds).
    pub fn add_within(&mut self, by: T) {
        self.count = self.count + by;
    }

    /// Counts, and says the new count. A window that is over is opened anew for `life`.
    pub fn add(&mut self, now: SimTime, by: T, life: SimDuration) -> T {
        self.count = self.get(now) + by;
        if self.expires <= now {
            self.expires = now + life;
        }
        self.count
    }

    /// The window ends then.
    pub const fn renew(&mut self, until: SimTime) {
        self.expires = until;
    }

    /// Overwrites the count; the window is kept if one is open.
    pub fn set(&mut self, now: SimTime, count: T, life: SimDuration) {
        self.count = count;
        if self.expires <= now {
            self.expires = now + life;
        }
    }
}

/// Which calendar minute a moment belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Minutes {
    /// Nanoseconds from the start of a calendar minute to simulated time zero.
    pub offset: SimDuration,
}

impl Minutes {
    /// The number of the minute.
    pub const fn of(self, now: SimTime) -> i64 {
        (now.0.saturating_add(self.offset.0)).div_euclid(60_000_000_000)
    }
}

/// Requests and tokens of one calendar minute.
#[derive(Debug, Clone, Copy, Default)]
pub struct MinuteCounter {
    minute: i64,
    requests: Option<u64>,
    tokens: Option<u64>,
}

impl MinuteCounter {
    /// Nothing has been counted.
    pub const EMPTY: Self = Self { minute: 0, requests: None, tokens: None };

    const fn enter(&mut self, minute: i64) {
        if self.minute != minute {
            *self = Self { minute, requests: None, tokens: None };
        }
    }

    /// Requests counted in this minute, if any were.
    pub const fn requests(&self, minute: i64) -> Option<u64> {
        if self.minute == minute { self.requests } else { None }
    }

    /// Tokens counted in this minute, if any were.
    pub const fn tokens(&self, minute: i64) -> Option<u64> {
        if self.minute == minute { self.tokens } else { None }
    }

    /// Counts a request and says how many there are now.
    pub fn add_request(&mut self, minute: i64) -> u64 {
        self.add_requests(minute, 1)
    }

    /// Counts several requests and says how many there are now.
    pub fn add_requests(&mut self, minute: i64, requests: u64) -> u64 {
        self.enter(minute);
        *self.requests.insert(self.requests.unwrap_or(0) + requests)
    }

    /// Overwrites the requests of a minute.
    pub const fn set_requests(&mut self, minute: i64, requests: Option<u64>) {
        self.enter(minute);
        self.requests = requests;
    }

    /// Overwrites the tokens of a minute.
    pub const fn set_tokens(&mut self, minute: i64, tokens: Option<u64>) {
        self.enter(minute);
        self.tokens = tokens;
    }

    /// Forgets the requests of a minute.
    pub const fn forget_requests(&mut self, minute: i64) {
        if self.minute == minute {
            self.requests = None;
        }
    }

    /// Forgets the tokens of a minute.
    pub const fn forget_tokens(&mut self, minute: i64) {
        if self.minute == minute {
            self.tokens = None;
        }
    }

    /// Counts tokens.
    pub fn add_tokens(&mut self, minute: i64, tokens: u64) {
        self.enter(minute);
        self.tokens = Some(self.tokens.unwrap_or(0) + tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: i64) -> SimTime {
        SimTime(secs * 1_000_000_000)
    }

    #[test]
    fn a_window_opens_with_the_first_count_and_is_not_prolonged() {
        let mut counter = ExpiringCounter::<u64>::default();
        let minute = SimDuration::from_secs(60);
        assert_eq!([counter.add(secs(10), 1, minute), counter.add(secs(69), 1, minute)], [1, 2]);
        assert_eq!((counter.get(secs(70)), counter.get(secs(71))), (2, 0));
        assert_eq!(counter.add(secs(71), 1, minute), 1);
    }

    #[test]
    fn a_minute_forgets_the_one_before() {
        let mut counter = MinuteCounter::default();
        let minutes = Minutes { offset: SimDuration::from_secs(30) };
        assert_eq!((minutes.of(secs(29)), minutes.of(secs(30))), (0, 1));
        counter.add_request(7);
        counter.add_tokens(7, 120);
        assert_eq!((counter.requests(7), counter.tokens(7), counter.tokens(8)), (Some(1), Some(120), None));
        assert_eq!(counter.add_request(8), 1);
        assert_eq!(counter.tokens(8), None);
    }
}

//! Load on a deployment, minute by minute: calls and tokens started, and the most calls in flight at once.

use crate::stats::Histogram;
use crate::units::SimTime;

const MINUTE_NANOS: i64 = 60_000_000_000;

/// The minutes of a run, as histograms with exact peaks.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct DemandTotals {
    /// Calls started in a minute.
    pub calls: Histogram,
    /// Tokens of the calls started in a minute.
    pub tokens: Histogram,
    /// The most calls in flight at once in a minute.
    pub concurrency: Histogram,
}

impl DemandTotals {
    /// Adds the minutes of another run.
    pub fn merge(&mut self, other: &Self) {
        self.calls.merge(&other.calls);
        self.tokens.merge(&other.tokens);
        self.concurrency.merge(&other.concurrency);
    }
}

/// Counts the current minute of one deployment.
#[derive(Debug, Clone, Copy)]
pub struct Meter {
    /// Whole minutes since the start.
    minute: i64,
    /// When the current minute is over: compared with on every call, so that nothing is divided.
    ends: SimTime,
    calls: u64,
    tokens: u64,
    in_flight: u64,
    most_in_flight: u64,
}

impl Meter {
    /// A call starts.
    #[inline(always)]
    pub fn begin(&mut self, now: SimTime, tokens: u64, totals: &mut DemandTotals) {
        self.advance(now, totals);
        self.calls += 1;
        self.tokens += tokens;
        self.in_flight += 1;
        self.most_in_flight = self.most_in_flight.max(self.in_flight);
    }

    /// A call ends.
    #[inline(always)]
    pub fn end(&mut self, now: SimTime, totals: &mut DemandTotals) {
        self.advance(now, totals);
        self.in_flight -= 1;
    }

    /// The run is over: the minutes up to `end` are complete.
    pub fn close(&mut self, end: SimTime, totals: &mut DemandTotals) {
        self.advance(end, totals);
    }

    /// Writes down all minutes that are over.
    #[inline]
    fn advance(&mut self, now: SimTime, totals: &mut DemandTotals) {
        if now >= self.ends {
            self.turn(now, totals);
        }
    }

    #[cold]
    fn turn(&mut self, now: SimTime, totals: &mut DemandTotals) {
        let minute = now.0 / MINUTE_NANOS;
        totals.calls.add(self.calls as f64);
        totals.tokens.add(self.tokens as f64);
        totals.concurrency.add(self.most_in_flight as f64);
        let idle = (minute - self.minute - 1) as u64;
        totals.calls.add_many(0.0, idle);
        totals.tokens.add_many(0.0, idle);
        totals.concurrency.add_many(self.in_flight as f64, idle);
        let ends = SimTime((minute + 1) * MINUTE_NANOS);
        let most_in_flight = self.in_flight;
        *self = Self { minute, ends, in_flight: self.in_flight, most_in_flight, ..Self::default() };
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self { minute: 0, ends: SimTime(MINUTE_NANOS), calls: 0, tokens: 0, in_flight: 0, most_in_flight: 0 }
    }
}

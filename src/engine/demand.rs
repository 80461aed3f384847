//! Load on a deployment, minute by minute: calls and tokens started, and the most calls in flight at once.

use crate::stats::Histogram;
use crate::units::SimTime;

const MINUTE_NANOS: i64 = 60_000_000_000;

/// The minutes of a run, as histograms with exact peaks.
#[derive(Debug, Clone, Default)]
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
#[derive(Debug, Clone, Copy, Default)]
pub struct Meter {
    minute: i64,
    calls: u64,
    tokens: u64,
    in_flight: u64,
    most_in_flight: u64,
}

impl Meter {
    /// A call starts.
    pub fn begin(&mut self, now: SimTime, tokens: u64, totals: &mut DemandTotals) {
        self.advance(now, totals);
        self.calls += 1;
        self.tokens += tokens;
        self.in_flight += 1;
        self.most_in_flight = self.most_in_flight.max(self.in_flight);
    }

    /// A call ends.
    pub fn end(&mut self, now: SimTime, totals: &mut DemandTotals) {
        self.advance(now, totals);
        self.in_flight -= 1;
    }

    /// The run is over: the minutes up to `end` are complete.
    pub fn close(&mut self, end: SimTime, totals: &mut DemandTotals) {
        self.advance(end, totals);
    }

    /// Writes down all minutes that are over.
    fn advance(&mut self, now: SimTime, totals: &mut DemandTotals) {
        let minute = now.0 / MINUTE_NANOS;
        let passed = minute - self.minute;
        if passed <= 0 {
            return;
        }
        totals.calls.add(self.calls as f64);
        totals.tokens.add(self.tokens as f64);
        totals.concurrency.add(self.most_in_flight as f64);
        let idle = (passed - 1) as u64;
        totals.calls.add_many(0.0, idle);
        totals.tokens.add_many(0.0, idle);
        totals.concurrency.add_many(self.in_flight as f64, idle);
        *self = Self { minute, in_flight: self.in_flight, most_in_flight: self.in_flight, ..Self::default() };
    }
}

//! Load on a deployment, minute by minute: calls and tokens started, and the most calls in flight at once.

use crate::engine::flights::Flights;
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
#[derive(Debug, Clone)]
pub struct Meter {
    /// Whole minutes since the start.
    minute: i64,
    /// When the current minute is over: compared with on every call, so that nothing is divided.
    ends: SimTime,
    calls: u64,
    tokens: u64,
    flights: Flights,
}

impl Meter {
    /// A call starts.
    #[inline(always)]
    pub fn begin(&mut self, now: SimTime, tokens: u64, totals: &mut DemandTotals) {
        self.advance(now, totals);
        self.calls += 1;
        self.tokens += tokens;
        self.flights.start(now);
    }

    /// A call ends.
    #[inline(always)]
    pub fn end(&mut self, now: SimTime, totals: &mut DemandTotals) {
        self.advance(now, totals);
        self.flights.end(now);
    }

    /// A call that has just started will end then.
    #[inline(always)]
    pub fn end_at(&mut self, at: SimTime) {
        self.flights.end_at(at);
    }

    /// The run is over: the minutes up to `end`, or to the end of the last call if that is later, are complete.
    pub fn close(&mut self, end: SimTime, totals: &mut DemandTotals) {
        self.advance(self.flights.last_end().map_or(end, |last| last.max(end)), totals);
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
        while now >= self.ends {
            totals.calls.add(self.calls as f64);
            totals.tokens.add(self.tokens as f64);
            totals.concurrency.add(self.flights.take_most(self.ends) as f64);
            (self.calls, self.tokens) = (0, 0);
            let idle = if self.flights.knows_nothing_ahead() { now.0 / MINUTE_NANOS - self.minute - 1 } else { 0 };
            totals.calls.add_many(0.0, idle as u64);
            totals.tokens.add_many(0.0, idle as u64);
            totals.concurrency.add_many(self.flights.in_flight() as f64, idle as u64);
            self.minute += idle + 1;
            self.ends = SimTime((self.minute + 1) * MINUTE_NANOS);
        }
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self { minute: 0, ends: SimTime(MINUTE_NANOS), calls: 0, tokens: 0, flights: Flights::default() }
    }
}

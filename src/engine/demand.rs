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

/// A minute that is over.
#[derive(Debug, Clone, Copy)]
struct Minute {
    calls: u64,
    tokens: u64,
    /// The most calls in flight at once.
    most: u64,
}

/// So many minutes are counted together: what the three histograms of a deployment have in memory
/// is fetched once for all.
const TOGETHER: usize = 32;

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
    /// Minutes that are over and not counted yet.
    over: Vec<Minute>,
}

impl Meter {
    /// A call starts. `true` if [more ends may be known ahead](Self::more_ahead) than before.
    #[inline(always)]
    pub fn begin(&mut self, now: SimTime, tokens: u64, totals: &mut DemandTotals) -> bool {
        self.advance(now, totals);
        self.calls += 1;
        self.tokens += tokens;
        self.flights.start(now)
    }

    /// By how much more ends are known ahead than the last time.
    pub fn more_ahead(&mut self) -> isize {
        self.flights.more_ahead()
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
        self.count(totals);
    }

    /// Counts the minutes that are over.
    fn count(&mut self, totals: &mut DemandTotals) {
        totals.calls.add_all(self.over.iter().map(|minute| minute.calls as f64));
        totals.tokens.add_all(self.over.iter().map(|minute| minute.tokens as f64));
        totals.concurrency.add_all(self.over.iter().map(|minute| minute.most as f64));
        self.over.clear();
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
            let most = self.flights.take_most(self.ends);
            self.over.push(Minute { calls: self.calls, tokens: self.tokens, most });
            if self.over.len() == TOGETHER {
                self.count(totals);
            }
            (self.calls, self.tokens) = (0, 0);
            // Until the next end that is known ahead nothing changes.
            let next = self.flights.first_end().map_or(now, |end| end.min(now));
            let idle = (next.0 / MINUTE_NANOS - self.minute - 1).max(0);
            totals.calls.add_many(0.0, idle as u64);
            totals.tokens.add_many(0.0, idle as u64);
            totals.concurrency.add_many(self.flights.in_flight() as f64, idle as u64);
            self.minute += idle + 1;
            self.ends = SimTime((self.minute + 1).saturating_mul(MINUTE_NANOS));
        }
    }
}

impl Default for Meter {
    fn default() -> Self {
        let (flights, over) = (Flights::default(), Vec::new());
        Self { minute: 0, ends: SimTime(MINUTE_NANOS), calls: 0, tokens: 0, flights, over }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The slow twin looks at every minute by itself; calls may last for minutes, and nothing may come for minutes.
        #[test]
        fn minutes_are_those_that_somebody_counts(calls in prop::collection::vec((0i64..200, 1i64..500), 0..60)) {
            let second = MINUTE_NANOS / 60;
            let (mut meter, mut totals, mut now, mut all) = (Meter::default(), DemandTotals::default(), 0, Vec::new());
            for (pause, takes) in calls {
                now += pause;
                all.push((now, now + takes));
                meter.begin(SimTime(now * second), 1, &mut totals);
                meter.end_at(SimTime((now + takes) * second));
            }
            meter.close(SimTime(600 * second), &mut totals);
            let last = all.iter().map(|(_, end)| *end).chain([600]).max().unwrap_or(600);
            let mut slow = DemandTotals::default();
            for minute in 0..last / 60 {
                let (from, to) = (60 * minute, 60 * minute + 60);
                let begun = all.iter().filter(|(start, _)| (from..to).contains(start));
                // At the beginning what ends then counts still, later what ends at an instant is over.
                let at = |moment: i64| all.iter().filter(|(start, end)| *start <= moment && *end > moment).count();
                let first = all.iter().filter(|(start, end)| *start < from && *end >= from).count();
                let most = begun.clone().map(|(start, _)| at(*start)).chain([first]).max().unwrap_or(0);
                // Of those that start at one instant the last sees all.
                slow.calls.add(begun.count() as f64);
                slow.concurrency.add(most as f64);
            }
            prop_assert_eq!(totals.calls, slow.calls);
            prop_assert_eq!(totals.concurrency, slow.concurrency);
        }
    }

    #[test]
    fn a_call_that_takes_ages_does_not_take_ages_to_count() {
        let (mut meter, mut totals) = (Meter::default(), DemandTotals::default());
        meter.begin(SimTime::ZERO, 1, &mut totals);
        meter.end_at(SimTime(i64::MAX / 2));
        meter.close(SimTime(MINUTE_NANOS), &mut totals);
        assert_eq!(totals.concurrency.count(), (i64::MAX / 2 / MINUTE_NANOS) as u64);
    }
}

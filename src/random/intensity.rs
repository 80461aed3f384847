//! How often something happens over time, as steps, and its inversion: the moment by which a given number of events is
//! expected. With unit-exponential gaps this makes a non-homogeneous Poisson process, at 4 ns an event where thinning
//! costs 40, and the moments move smoothly when the intensity is scaled.

use std::sync::Arc;

use crate::units::{SimDuration, SimTime};

/// Events per second as a step function of simulated time.
#[derive(Debug, Clone, PartialEq)]
pub struct Intensity {
    /// Ends of the steps in nanoseconds, rising.
    ends: Vec<i64>,
    /// Events per second on each step.
    rates: Vec<f64>,
    /// Events per second after the last step.
    rest: f64,
}

const SECONDS_PER_NANO: f64 = 1e-9;

impl Intensity {
    /// The same `per_second` until `end`, then nothing.
    pub fn constant(per_second: f64, end: SimDuration) -> Self {
        Self { ends: vec![end.0], rates: vec![per_second], rest: 0.0 }
    }

    /// Steps given as (end, events per second) in order of time; steps that do not advance are dropped, rates that are
    /// negative or not finite count as 0.
    pub fn from_steps(steps: impl IntoIterator<Item = (SimTime, f64)>) -> Self {
        let mut made = Self { ends: Vec::new(), rates: Vec::new(), rest: 0.0 };
        for (end, rate) in steps {
            if end.0 > made.ends.last().copied().unwrap_or(0) {
                made.ends.push(end.0);
                made.rates.push(if rate.is_finite() { rate.max(0.0) } else { 0.0 });
            }
        }
        made
    }

    /// The same intensity that goes on for ever at `per_second` after its last step.
    #[must_use]
    pub fn then(mut self, per_second: f64) -> Self {
        self.rest = per_second;
        self
    }

    /// Each rate multiplied by what `factor` says for its step (start, end).
    #[must_use]
    pub fn scaled_by(mut self, factor: impl Fn(SimTime, SimTime) -> f64) -> Self {
        let mut start = 0;
        for (rate, &end) in self.rates.iter_mut().zip(&self.ends) {
            *rate *= factor(SimTime(start), SimTime(end));
            start = end;
        }
        self
    }

    /// Multiplied by `inside` within the windows (start, end; disjoint, in order) and by `outside` elsewhere.
    #[must_use]
    pub fn modulated(&self, windows: impl IntoIterator<Item = (SimTime, SimTime)>, inside: f64, outside: f64) -> Self {
        let mut cuts: Vec<(i64, f64)> = Vec::new();
        for (start, end) in windows {
            cuts.push((start.0, outside));
            cuts.push((end.0, inside));
        }
        cuts.push((i64::MAX, outside));
        let mut cuts = cuts.into_iter().peekable();
        let mut steps = Vec::with_capacity(self.ends.len());
        for (&end, &rate) in self.ends.iter().zip(&self.rates) {
            while let Some((cut, factor)) = cuts.next_if(|(cut, _)| *cut < end) {
                steps.push((SimTime(cut), rate * factor));
            }
            let factor = cuts.peek().map_or(outside, |(_, factor)| *factor);
            steps.push((SimTime(end), rate * factor));
        }
        Self::from_steps(steps).then(self.rest)
    }

    /// With `per_second` more from `start` to `end`.
    #[must_use]
    pub fn plus(&self, start: SimTime, end: SimTime, per_second: f64) -> Self {
        let mut ends: Vec<i64> = self.ends.iter().copied().chain([start.0, end.0]).filter(|t| *t > 0).collect();
        ends.sort_unstable();
        ends.dedup();
        let within = |t: i64| if t >= start.0 && t < end.0 { per_second } else { 0.0 };
        let begins = std::iter::once(0).chain(ends.clone());
        let rates = begins.zip(&ends).map(|(begin, _)| self.rate_at(SimTime(begin)) + within(begin)).collect();
        Self { ends, rates, rest: self.rest }
    }

    /// Events per second at a moment.
    pub fn rate_at(&self, at: SimTime) -> f64 {
        let step = self.ends.partition_point(|end| *end <= at.0);
        self.rates.get(step).copied().unwrap_or(self.rest)
    }

    /// Events expected from the start until `at`.
    pub fn expected_until(&self, at: SimTime) -> f64 {
        let mut start = 0;
        let mut sum = 0.0;
        for (&rate, &end) in self.rates.iter().zip(&self.ends) {
            let stop = end.min(at.0);
            if stop > start {
                sum += rate * (stop - start) as f64 * SECONDS_PER_NANO;
            }
            start = end;
        }
        sum + self.rest * (at.0.saturating_sub(start)).max(0) as f64 * SECONDS_PER_NANO
    }

    /// The steps as (start, end, events per second).
    pub fn steps(&self) -> impl Iterator<Item = (SimTime, SimTime, f64)> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).zip(&self.rates).map(|((start, &end), &rate)| (SimTime(start), SimTime(end), rate))
    }
}

/// A walk along an intensity. Time is kept in nanoseconds as `f64`: exact for runs of 104 days, within 2 ns beyond.
#[derive(Debug, Clone)]
pub struct IntensityCursor {
    intensity: Arc<Intensity>,
    step: usize,
    now: f64,
    end: f64,
    /// Nanoseconds per event on this step, all scaling included.
    nanos_per_event: f64,
    scale: f64,
}

impl IntensityCursor {
    /// A walk from time zero along the intensity times `scale`.
    pub fn new(intensity: Arc<Intensity>, scale: f64) -> Self {
        let mut cursor = Self { intensity, step: 0, now: 0.0, end: 0.0, nanos_per_event: 0.0, scale };
        cursor.enter(0);
        cursor
    }

    fn enter(&mut self, step: usize) {
        let intensity = &self.intensity;
        self.step = step;
        self.end = intensity.ends.get(step).map_or(f64::INFINITY, |end| *end as f64);
        let rate = intensity.rates.get(step).copied().unwrap_or(intensity.rest) * self.scale;
        self.nanos_per_event = 1.0 / (rate * SECONDS_PER_NANO);
    }

    /// The greatest rate of the whole walk, in events per second.
    pub fn peak(&self) -> f64 {
        let Intensity { rates, rest, .. } = &*self.intensity;
        self.scale * rates.iter().fold(*rest, |most, rate| most.max(*rate))
    }

    /// Moves on until `events` more are expected; never, when the intensity does not last for them.
    #[inline]
    pub fn advance(&mut self, events: f64) -> SimTime {
        let at = self.now + events * self.nanos_per_event;
        if at < self.end {
            self.now = at;
            return SimTime(at as i64);
        }
        self.cross(events)
    }

    #[cold]
    #[inline(never)]
    fn cross(&mut self, mut events: f64) -> SimTime {
        while self.end.is_finite() {
            // 0 events per second: infinitely many nanoseconds per event, no room.
            let room = (self.end - self.now) / self.nanos_per_event;
            if events < room {
                break;
            }
            events -= room;
            self.now = self.end;
            self.enter(self.step + 1);
        }
        let at = self.now + events * self.nanos_per_event;
        if at < i64::MAX as f64 {
            self.now = at;
            return SimTime(at as i64);
        }
        self.now = f64::INFINITY;
        SimTime::NEVER
    }

    /// Skips to a moment that is not in the past; nothing is expected to happen in between.
    pub fn skip_to(&mut self, at: SimTime) {
        while self.end <= at.0 as f64 {
            self.enter(self.step + 1);
        }
        self.now = self.now.max(at.0 as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(s: i64) -> SimTime {
        SimTime(s * 1_000_000_000)
    }

    fn stairs() -> Intensity {
        Intensity::from_steps([(seconds(10), 1.0), (seconds(20), 0.0), (seconds(30), 5.0)])
    }

    #[test]
    fn inversion_undoes_the_expectation() {
        let intensity = Arc::new(stairs());
        for k in 1..120 {
            let events = f64::from(k) * 0.5;
            let at = IntensityCursor::new(Arc::clone(&intensity), 1.0).advance(events);
            assert!((intensity.expected_until(at) - events).abs() < 1e-6, "{events}");
        }
        assert_eq!(IntensityCursor::new(intensity, 1.0).advance(60.5), SimTime::NEVER);
    }

    #[test]
    fn small_steps_end_where_one_large_step_ends() {
        let intensity = Arc::new(stairs());
        let mut walk = IntensityCursor::new(Arc::clone(&intensity), 2.0);
        let mut last = SimTime::ZERO;
        for _ in 0..1100 {
            let at = walk.advance(0.1);
            assert!(at >= last);
            last = at;
        }
        let jump = IntensityCursor::new(intensity, 2.0).advance(110.0);
        assert!((jump.0 - last.0).abs() < 1000, "{jump:?} {last:?}");
    }

    #[test]
    fn windows_and_additions_change_the_expectation_by_what_they_cover() {
        let base = stairs();
        let busy = base.modulated([(seconds(5), seconds(25))], 3.0, 1.0);
        assert!((busy.expected_until(seconds(99)) - (5.0 + 15.0 + 75.0 + 25.0)).abs() < 1e-9);
        let more = base.plus(seconds(15), seconds(40), 2.0);
        assert!((more.expected_until(seconds(99)) - (60.0 + 50.0)).abs() < 1e-9);
        assert!((more.rate_at(seconds(16)) - 2.0).abs() < 1e-12 && more.rate_at(seconds(41)) == 0.0);
    }

    #[test]
    fn nothing_ever_happens_at_rate_zero() {
        let mut walk = IntensityCursor::new(Arc::new(Intensity::constant(0.0, SimDuration::from_secs(9))), 1.0);
        assert_eq!(walk.advance(0.0), SimTime::NEVER);
        assert_eq!(walk.advance(1.0), SimTime::NEVER);
    }
}

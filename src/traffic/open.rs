//! Arrivals that wait for nobody.

use std::sync::Arc;

use crate::random::{Addressed, Dist, Here, Intensity, IntensityCursor, Purpose};
use crate::traffic::arrivals::OnOff;
use crate::units::{SimDuration, SimTime};

/// The walk along one class's arrival moments. The gap before the n-th arrival is drawn at the address of request n, so
/// that a copy of the walk repeats it exactly.
#[derive(Debug, Clone)]
pub(super) struct OpenArrivals {
    cursor: IntensityCursor,
    gaps: Dist,
    draws: Addressed,
    stream: u64,
    /// The draws of the arrival at `next_at`.
    pub(super) here: Here,
    /// Number of the arrival at `next_at`.
    pub(super) next: u64,
    pub(super) next_at: SimTime,
}

impl OpenArrivals {
    pub(super) fn new(intensity: Arc<Intensity>, scale: f64, gaps: Dist, draws: Addressed, stream: u64) -> Self {
        let cursor = IntensityCursor::new(intensity, scale);
        let mut made = Self { cursor, gaps, draws, stream, here: draws.here(), next: 0, next_at: SimTime::ZERO };
        made.next_at = made.draw(0);
        made
    }

    /// A walk that has been going on for ever when the run begins: the first gap is what is left of one. Its
    /// numbers begin at `first`.
    pub(super) fn underway(
        intensity: Arc<Intensity>,
        scale: f64,
        gaps: Dist,
        mut draws: Addressed,
        stream: u64,
        first: u64,
    ) -> Self {
        draws.begin_request(stream, first);
        let left = gaps.residual(draws.unit_at(Purpose::Arrival, 0, 0), draws.unit_at(Purpose::Arrival, 0, 1));
        let mut cursor = IntensityCursor::new(intensity, scale);
        let next_at = cursor.advance(left);
        Self { cursor, gaps, draws, stream, here: draws.here(), next: first, next_at }
    }

    #[inline(always)]
    fn draw(&mut self, number: u64) -> SimTime {
        self.draws.begin_request(self.stream, number);
        self.here = self.draws.here();
        let gap = self.gaps.draw(self.here.unit(Purpose::Arrival, 0, 0));
        self.cursor.advance(gap)
    }

    /// The most that ever come in a second on average.
    pub(super) fn peak_per_second(&self) -> f64 {
        self.cursor.peak()
    }

    /// Goes on to the next arrival; says the number of the one that is left behind.
    #[inline(always)]
    pub(super) fn step(&mut self) -> u64 {
        let taken = self.next;
        self.next += 1;
        self.next_at = self.draw(self.next);
        taken
    }
}

/// The intensity of one replication of an on/off source.
pub(super) fn switched(intensity: &Intensity, on_off: &OnOff, draws: &mut Addressed, stream: u64) -> Intensity {
    let end = intensity.steps().last().map_or(SimTime::ZERO, |(_, end, _)| end);
    let unit = Dist::unit_exponential();
    let (busy, quiet) = on_off.factors();
    draws.begin_request(stream, u64::MAX);
    let mut on = draws.unit_at(Purpose::Incident, 0, 0) < on_off.busy_share();
    let mut windows = Vec::new();
    let mut at = SimTime::ZERO;
    for nth in 1.. {
        if at >= end {
            break;
        }
        let mean = if on { on_off.on_s } else { on_off.off_s };
        let until = at + SimDuration::from_secs_f64(mean * unit.sample(draws.unit_at(Purpose::Incident, 0, nth)));
        if on {
            windows.push((at, until));
        }
        (at, on) = (until, !on);
    }
    intensity.modulated(windows, busy, quiet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Replication, Seed};

    #[test]
    fn busy_and_quiet_times_are_exponential() {
        let on_off = OnOff { on_s: 60.0, off_s: 540.0, quiet_share: 0.1 };
        let weeks = Intensity::constant(1.0, SimDuration::from_secs(100 * 604_800));
        let mut draws = Addressed::new(Seed(3), Replication(0));
        let steps: Vec<(SimTime, SimTime, f64)> = switched(&weeks, &on_off, &mut draws, 7).steps().collect();
        // The first and the last are cut by the run.
        let whole = &steps[1..steps.len() - 1];
        for (rate, mean_s) in [(on_off.factors().0, 60.0), (on_off.factors().1, 540.0)] {
            let of_rate = whole.iter().filter(|(.., r)| (r - rate).abs() < 1e-9);
            let mut lengths: Vec<f64> = of_rate.map(|(from, to, _)| (*to - *from).as_secs_f64()).collect();
            lengths.sort_by(f64::total_cmp);
            let n = lengths.len() as f64;
            assert!(n > 90_000.0);
            let distance = lengths.iter().enumerate().map(|(i, x)| {
                let below = 1.0 - libm::exp(-x / mean_s);
                (below - i as f64 / n).abs().max(((i + 1) as f64 / n - below).abs())
            });
            // Kolmogorov-Smirnov: below 1.95 with probability 99.9%.
            let distance = distance.fold(0.0, f64::max) * n.sqrt();
            assert!(distance < 1.95, "mean {mean_s}: √n·D = {distance}");
        }
    }
}

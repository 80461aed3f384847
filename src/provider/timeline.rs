//! Windows of trouble over time: bursts, incidents, maintenance. Drawn window by window as time goes on, each from its
//! own address, so that one configuration's calls cannot move another's incidents.

use std::sync::Arc;

use crate::random::{Dist, Intensity, IntensityCursor, Purpose, Replication, Scores, Seed, Strata};
use crate::units::{SimDuration, SimTime};

/// A time span: from `start` up to but without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First moment.
    pub start: SimTime,
    /// First moment after.
    pub end: SimTime,
}

/// How windows follow each other.
#[derive(Debug, Clone)]
pub enum Timeline {
    /// At given times, in order.
    Scheduled(Vec<Window>),
    /// A renewal process: quiet for a time, active for a time.
    Renewal(Renewal),
}

/// A renewal process of windows.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// Seconds between windows, measured as `between` says.
    pub quiet_s: Dist,
    /// Seconds that a window lasts.
    pub active_s: Dist,
    /// From where to where `quiet_s` is measured.
    pub between: Between,
    /// What holds at time zero.
    pub begin: Begin,
    /// When windows start more often: relative weights over time, mean 1.
    pub rhythm: Option<Arc<Intensity>>,
}

/// From where to where the time between windows is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// From the end of one to the start of the next (an alternating renewal process).
    EndAndStart,
    /// From start to start, as incident statistics give it; a window that starts during another prolongs it.
    Starts,
}

/// What holds at time zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// A quiet time begins.
    Quiet,
    /// The process has been running for ever.
    Stationary,
}

/// Why a timeline is impossible.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TimelineError {
    /// Scheduled windows overlap, are out of order, or end before they start.
    #[error("window {0} does not start after the one before has ended, or ends before it starts")]
    Disorder(usize),
    /// Windows would be empty.
    #[error("windows last {0} s on average; expected at least a millisecond")]
    TooShort(f64),
    /// Windows would follow each other without end.
    #[error("windows come every {0} s on average; expected at least 1 s")]
    TooFrequent(f64),
}

const SHORTEST_CYCLE_S: f64 = 1.0;
const SHORTEST_WINDOW_S: f64 = 1e-3;

impl Timeline {
    /// A two-state Markov process: exponential quiet and active times of these means (in seconds).
    ///
    /// # Errors
    /// [`crate::random::DistError`] when a mean is not positive.
    pub fn markov(quiet_s: f64, active_s: f64, begin: Begin) -> Result<Self, crate::random::DistError> {
        let exponential = |mean| Dist::new(crate::random::Law::Exponential { mean });
        Ok(Self::Renewal(Renewal {
            quiet_s: exponential(quiet_s)?,
            active_s: exponential(active_s)?,
            between: Between::EndAndStart,
            begin,
            rhythm: None,
        }))
    }

    /// Checks that time goes on.
    ///
    /// # Errors
    /// [`TimelineError`] when windows are in disorder or come without end.
    pub fn check(&self) -> Result<(), TimelineError> {
        match self {
            Self::Scheduled(windows) => {
                let starts_late = |pair: &[Window]| pair[1].start < pair[0].end;
                let disorder = windows.iter().position(|w| w.end < w.start);
                match disorder.or_else(|| windows.windows(2).position(starts_late).map(|i| i + 1)) {
                    Some(index) => Err(TimelineError::Disorder(index)),
                    None => Ok(()),
                }
            }
            Self::Renewal(renewal) => {
                if !renewal.active_s.has_mean_of(SHORTEST_WINDOW_S) {
                    return Err(TimelineError::TooShort(renewal.active_s.mean()));
                }
                if renewal.quiet_s.has_mean_of(SHORTEST_CYCLE_S) || renewal.cycle_s() >= SHORTEST_CYCLE_S {
                    return Ok(());
                }
                Err(TimelineError::TooFrequent(renewal.cycle_s()))
            }
        }
    }

    /// The windows of one replication in order, those before time zero left out. `address` names the process.
    pub fn windows(&self, seed: Seed, replication: Replication, address: u64) -> Windows<'_> {
        Windows { timeline: self, walk: Walk::new(self, seed, replication, address) }
    }

    /// The seconds within windows that are expected from one moment to another, where they are known exactly: for
    /// schedules, for stationary alternating processes, and for Markov processes that begin quiet.
    pub fn expected_s(&self, from: SimTime, to: SimTime) -> Option<f64> {
        match self {
            Self::Scheduled(windows) => {
                let within = |w: &Window| (w.end.clamp(from, to) - w.start.clamp(from, to)).as_secs_f64();
                Some(windows.iter().map(within).sum())
            }
            Self::Renewal(renewal) => renewal.expected_s(from, to),
        }
    }
}

impl Renewal {
    fn cycle_s(&self) -> f64 {
        match self.between {
            Between::EndAndStart => self.quiet_s.mean() + self.active_s.mean(),
            Between::Starts => self.quiet_s.mean(),
        }
    }

    fn expected_s(&self, from: SimTime, to: SimTime) -> Option<f64> {
        use crate::random::Law::Exponential;
        if self.between == Between::Starts || self.rhythm.is_some() {
            return None;
        }
        let (share, length) = (self.active_s.mean() / self.cycle_s(), (to - from).as_secs_f64());
        match (self.begin, self.quiet_s.law(), self.active_s.law()) {
            (Begin::Stationary, ..) => Some(share * length),
            (Begin::Quiet, Exponential { mean: quiet }, Exponential { mean: active }) => {
                // The state forgets its beginning at the sum of both rates.
                let rate = 1.0 / quiet + 1.0 / active;
                let remembered = libm::exp(-rate * from.as_secs_f64()) * -libm::expm1(-rate * length) / rate;
                Some(share * (length - remembered))
            }
            (Begin::Quiet, ..) => None,
        }
    }
}

/// How the draws of a timeline are pushed towards one end.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Push {
    /// Shift of the normal scores of quiet times; below 0, windows come sooner.
    pub(super) quiet: f64,
    /// Shift of the normal scores of windows' lengths.
    pub(super) active: f64,
    /// Windows after the first that begins from here on are not pushed.
    pub(super) until: SimTime,
}

/// Iterates over the windows of one replication.
#[derive(Debug)]
pub struct Windows<'a> {
    timeline: &'a Timeline,
    walk: Walk,
}

impl Windows<'_> {
    /// The same windows, pushed.
    pub(super) fn pushed(self, push: Push) -> Self {
        Self { walk: self.walk.pushed(push), ..self }
    }

    /// The normal scores drawn so far, where pushed: of quiet times, of windows' lengths.
    pub(super) const fn scores(&self) -> [Scores; 2] {
        self.walk.scores
    }
}

impl Iterator for Windows<'_> {
    type Item = Window;

    fn next(&mut self) -> Option<Window> {
        self.walk.next(self.timeline)
    }
}

/// Keeps the draws of processes apart from those of requests.
const PROCESS_STREAM: u64 = 1 << 63;

/// The place of a replication on its timeline.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    draws: Strata,
    stream: u64,
    /// Number of the next window.
    number: u64,
    /// Maps the process's own time to simulated time.
    clock: Option<IntensityCursor>,
    last_start: SimTime,
    last_end: SimTime,
    /// What is left of the interval that covers time zero.
    first_gap_s: Option<f64>,
    push: Push,
    scores: [Scores; 2],
}

/// Which of a trouble's times a draw decides.
#[derive(Debug, Clone, Copy)]
enum Side {
    Quiet,
    Active,
}

impl Walk {
    pub(super) fn new(timeline: &Timeline, seed: Seed, replication: Replication, address: u64) -> Self {
        let clock = match timeline {
            Timeline::Renewal(Renewal { rhythm: Some(rhythm), .. }) => {
                Some(IntensityCursor::new(Arc::clone(rhythm), 1.0))
            }
            _ => None,
        };
        let draws = Strata::new(seed, replication);
        let (last_start, last_end) = (SimTime::ZERO, SimTime::ZERO);
        Self {
            draws,
            stream: PROCESS_STREAM | address,
            number: 0,
            clock,
            last_start,
            last_end,
            first_gap_s: None,
            push: Push::default(),
            scores: Default::default(),
        }
    }

    /// The same walk, pushed.
    pub(super) fn pushed(self, push: Push) -> Self {
        Self { push, ..self }
    }

    /// The `nth` draw of the current window.
    fn unit(&mut self, side: Side, nth: u32) -> f64 {
        let unit = self.draws.unit_at(self.stream, self.number, Purpose::Incident, nth);
        if self.last_end >= self.push.until {
            return unit;
        }
        let shift = if matches!(side, Side::Quiet) { self.push.quiet } else { self.push.active };
        self.scores[side as usize].push(unit, shift)
    }

    /// The next window; never one that is empty. After the last one, `None`.
    pub(super) fn next(&mut self, timeline: &Timeline) -> Option<Window> {
        loop {
            let window = match timeline {
                Timeline::Scheduled(windows) => *windows.get(self.number as usize)?,
                Timeline::Renewal(renewal) => self.renew(renewal),
            };
            self.number += 1;
            if window.start == SimTime::NEVER {
                return None;
            }
            if window.end > window.start {
                return Some(window);
            }
        }
    }

    fn renew(&mut self, renewal: &Renewal) -> Window {
        let active = SimDuration::from_secs_f64(renewal.active_s.sample(self.unit(Side::Active, 1)));
        if self.number == 0 && renewal.begin == Begin::Stationary {
            return self.first_of_stationary(renewal, active);
        }
        let quiet_s = match self.first_gap_s.take() {
            Some(rest_s) => rest_s,
            None => renewal.quiet_s.sample(self.unit(Side::Quiet, 0)),
        };
        self.after(renewal, quiet_s, active)
    }

    /// The window that begins after `quiet_s` more seconds of the process's own time.
    fn after(&mut self, renewal: &Renewal, quiet_s: f64, active: SimDuration) -> Window {
        let from = match renewal.between {
            Between::EndAndStart => self.last_end,
            Between::Starts => self.last_start,
        };
        let start = match &mut self.clock {
            None => from + SimDuration::from_secs_f64(quiet_s),
            Some(clock) => {
                clock.skip_to(from);
                clock.advance(quiet_s)
            }
        };
        self.last_start = start;
        let window = Window { start: start.max(self.last_end), end: (start + active).max(self.last_end) };
        self.last_end = window.end;
        window
    }

    /// The state at time zero of a process that has been running for ever.
    fn first_of_stationary(&mut self, renewal: &Renewal, active: SimDuration) -> Window {
        match renewal.between {
            Between::EndAndStart => {
                let share = renewal.active_s.mean() / renewal.cycle_s();
                if self.unit(Side::Quiet, 2) < share {
                    let (size, place) = (self.unit(Side::Active, 3), self.unit(Side::Active, 4));
                    self.last_end = SimTime::ZERO + SimDuration::from_secs_f64(renewal.active_s.residual(size, place));
                    return Window { start: SimTime::ZERO, end: self.last_end };
                }
                let (size, place) = (self.unit(Side::Quiet, 3), self.unit(Side::Quiet, 4));
                self.after(renewal, renewal.quiet_s.residual(size, place), active)
            }
            Between::Starts => {
                // Time zero falls at a random place of an interval; the incident that began it may still last.
                let (size, place) = (self.unit(Side::Quiet, 3), self.unit(Side::Quiet, 4));
                let whole_s = renewal.quiet_s.residual(size, 1.0);
                let past = SimDuration::from_secs_f64(whole_s * (1.0 - place));
                self.first_gap_s = Some(whole_s * place);
                self.last_end = SimTime((active.0.saturating_sub(past.0)).max(0));
                Window { start: SimTime::ZERO, end: self.last_end }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{DistSpec, Law};

    const DAY: i64 = 86_400_000_000_000;

    fn dist(text: &str) -> Dist {
        text.parse::<DistSpec>().unwrap().compile().unwrap()
    }

    fn incidents(between: Between, begin: Begin) -> Renewal {
        let quiet_s = dist("weibull(shape=0.651, scale=92.5h)");
        Renewal { quiet_s, active_s: dist("lognormal(median=1.26h, sigma=1.165)"), between, begin, rhythm: None }
    }

    /// Mean and standard error over replications of the share of `end` that windows cover.
    fn covered(timeline: &Timeline, end: SimTime, replications: u64) -> (f64, f64) {
        let share = |r| {
            let windows = timeline.windows(Seed(5), Replication(r), 77).take_while(|w| w.start < end);
            windows.map(|w| (w.end.min(end) - w.start).as_secs_f64()).sum::<f64>() / end.as_secs_f64()
        };
        let shares: Vec<f64> = (0..replications).map(share).collect();
        let n = replications as f64;
        let mean = shares.iter().sum::<f64>() / n;
        let variance = shares.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, (variance / n).sqrt())
    }

    #[test]
    fn availability_of_a_stationary_alternating_renewal_process_holds_from_the_start() {
        let timeline = Timeline::Renewal(incidents(Between::EndAndStart, Begin::Stationary));
        // 4 standard errors: 1 in 16,000 tests would fail by chance; a short and a long horizon must agree.
        for (days, replications) in [(2, 20_000), (60, 2_000)] {
            let end = SimTime(days * DAY);
            let (mean, error) = covered(&timeline, end, replications);
            let expected = timeline.expected_s(SimTime::ZERO, end).unwrap() / end.as_secs_f64();
            assert!((mean - expected).abs() < 4.0 * error, "{days} d: {mean} ± {error}, expected {expected}");
        }
    }

    #[test]
    fn a_markov_process_that_begins_quiet_warms_up_as_computed() {
        let timeline = Timeline::markov(21_600.0, 900.0, Begin::Quiet).unwrap();
        for hours in [1, 48] {
            let end = SimTime(hours * 3_600_000_000_000);
            let (mean, error) = covered(&timeline, end, 20_000);
            let expected = timeline.expected_s(SimTime::ZERO, end).unwrap() / end.as_secs_f64();
            assert!((mean - expected).abs() < 4.0 * error, "{hours} h: {mean} ± {error}, expected {expected}");
            let half = SimTime(end.0 / 2);
            let halves = [(SimTime::ZERO, half), (half, end)].map(|(from, to)| timeline.expected_s(from, to).unwrap());
            assert!((halves[0] + halves[1] - expected * end.as_secs_f64()).abs() < 1e-6 && halves[0] < halves[1]);
        }
    }

    #[test]
    fn incidents_start_as_often_as_measured_from_start_to_start() {
        let timeline = Timeline::Renewal(incidents(Between::Starts, Begin::Stationary));
        let end = SimTime(30 * DAY);
        let mean_s = dist("weibull(shape=0.651, scale=92.5h)").mean();
        let count = |r| timeline.windows(Seed(5), Replication(r), 7).take_while(|w| w.start < end).count() as f64;
        let counts: Vec<f64> = (0..4000).map(count).collect();
        let mean = counts.iter().sum::<f64>() / 4000.0;
        let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / 3999.0;
        // Windows swallowed by longer ones and the one that lasts at time zero: about the share
        // of time that is covered.
        let covered = dist("lognormal(median=1.26h, sigma=1.165)").mean() / mean_s;
        let expected = end.as_secs_f64() / mean_s;
        let slack = 4.0 * (variance / 4000.0).sqrt() + covered * (1.0 + expected);
        assert!((mean - expected).abs() < slack, "{mean}, expected {expected} within {slack}");
    }

    #[test]
    fn a_rhythm_moves_incidents_into_its_busy_hours() {
        let nights_off = (0..14).map(|half| (SimTime((half + 1) * DAY / 2), if half % 2 == 0 { 0.1 } else { 1.9 }));
        let rhythm = Some(Arc::new(Intensity::from_steps(nights_off).then(1.0)));
        let timeline = Timeline::Renewal(Renewal { rhythm, ..incidents(Between::EndAndStart, Begin::Stationary) });
        let starts = (0..4000).flat_map(|r| {
            let windows: Vec<Window> =
                timeline.windows(Seed(5), Replication(r), 3).take_while(|w| w.start.0 < 7 * DAY).collect();
            windows.into_iter().map(|w| w.start).filter(|s| s.0 > 0)
        });
        let (mut busy, mut all) = (0.0, 0.0);
        for start in starts {
            all += 1.0;
            busy += if start.0 % DAY >= DAY / 2 { 1.0 } else { 0.0 };
        }
        assert!((busy / all - 0.95f64).abs() < 4.0 * (0.95 * 0.05 / all).sqrt() + 0.005, "{busy} of {all}");
    }

    #[test]
    fn windows_never_overlap_and_never_go_back() {
        for between in [Between::EndAndStart, Between::Starts] {
            for begin in [Begin::Quiet, Begin::Stationary] {
                let long = Renewal { active_s: dist("exponential(90h)"), ..incidents(between, begin) };
                let timeline = Timeline::Renewal(long);
                let windows: Vec<Window> = timeline.windows(Seed(1), Replication(2), 3).take(500).collect();
                assert!(windows.iter().all(|w| w.end > w.start));
                assert!(windows.windows(2).all(|pair| pair[1].start >= pair[0].end), "{between:?} {begin:?}");
            }
        }
    }

    #[test]
    fn endless_or_disordered_windows_are_refused() {
        let window = |start, end| Window { start: SimTime(start), end: SimTime(end) };
        assert_eq!(Timeline::Scheduled(vec![window(5, 3)]).check(), Err(TimelineError::Disorder(0)));
        assert_eq!(Timeline::Scheduled(vec![window(0, 3), window(2, 4)]).check(), Err(TimelineError::Disorder(1)));
        let never = Dist::new(Law::Constant(0.0)).unwrap();
        let busy = Renewal { quiet_s: never.clone(), active_s: never, ..incidents(Between::EndAndStart, Begin::Quiet) };
        assert!(matches!(Timeline::Renewal(busy).check(), Err(TimelineError::TooShort(_))));
        let restless = Timeline::markov(0.3, 0.3, Begin::Quiet).unwrap();
        assert!(matches!(restless.check(), Err(TimelineError::TooFrequent(_))));
    }
}

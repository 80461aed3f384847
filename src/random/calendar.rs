//! The shape of a week in a time zone: which hours are busy, across daylight saving and holidays.

use jiff::Zoned;
use jiff::civil::{Date, Weekday};

use crate::random::intensity::Intensity;
use crate::units::{SimDuration, SimTime};

/// How busy the hours are, relative to the average hour of a week.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// All hours alike.
    Flat,
    /// 168 weights, Monday 00:00 first, mean 1.
    Week(Box<[f64; HOURS_PER_WEEK]>),
    /// A sine wave over the day: 1 + `amplitude` · cos(2π (time of day - `peak`) / 24 h).
    Sine {
        /// From 0 to 1.
        amplitude: f64,
        /// Local time of the busiest moment, in seconds after midnight.
        peak_s: f64,
    },
}

/// When a run takes place.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// Time zero, in the time zone whose wall clock people live by.
    pub start: Zoned,
    /// Length of the run.
    pub horizon: SimDuration,
    /// Days that count as Sundays.
    pub holidays: Vec<Date>,
}

impl Calendar {
    /// The same run by the clock of UTC, without holidays.
    #[must_use]
    pub fn in_utc(&self) -> Self {
        let start = self.start.with_time_zone(jiff::tz::TimeZone::UTC);
        Self { start, horizon: self.horizon, holidays: Vec::new() }
    }
}

/// Hours of a week.
pub const HOURS_PER_WEEK: usize = 168;

/// Why a shape is impossible.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ShapeError {
    /// A wrong number of weights.
    #[error("{0} hourly weights; expected 24 (a day), 48 (a weekday, then a weekend day) or 168 (a week from Monday)")]
    Count(usize),
    /// A weight is negative or not finite.
    #[error("weight {0} of hour {1} is out of range; expected a number not below 0")]
    Weight(f64, usize),
    /// Nothing ever happens.
    #[error("all weights are 0")]
    AllZero,
    /// The amplitude of a sine is out of range.
    #[error("amplitude {0} is out of range; expected a number between 0 and 1")]
    Amplitude(f64),
}

const SECONDS_PER_DAY: f64 = 86_400.0;
const SECONDS_PER_HOUR: i64 = 3_600;
/// Width of the steps that stand for a sine: each has the sine's exact mean.
const SINE_STEP_S: i64 = 300;
const NANOS: i64 = 1_000_000_000;

impl Shape {
    /// A shape from hourly weights: 24 for every day, 48 for a weekday and a weekend day, or 168 from Monday 00:00.
    ///
    /// # Errors
    /// [`ShapeError`] for another number of weights, impossible weights, or only zeros.
    pub fn from_weights(weights: &[f64]) -> Result<Self, ShapeError> {
        if let Some((hour, weight)) = weights.iter().enumerate().find(|(_, w)| !(w.is_finite() && **w >= 0.0)) {
            return Err(ShapeError::Weight(*weight, hour));
        }
        let hour = |index: usize| match weights.len() {
            24 => Ok(weights[index % 24]),
            48 => Ok(weights[index % 24 + if index / 24 < 5 { 0 } else { 24 }]),
            HOURS_PER_WEEK => Ok(weights[index]),
            other => Err(ShapeError::Count(other)),
        };
        let mut week = Box::new([0.0; HOURS_PER_WEEK]);
        for (index, weight) in week.iter_mut().enumerate() {
            *weight = hour(index)?;
        }
        let mean = week.iter().sum::<f64>() / HOURS_PER_WEEK as f64;
        if mean <= 0.0 || !mean.is_finite() {
            return Err(ShapeError::AllZero);
        }
        week.iter_mut().for_each(|weight| *weight /= mean);
        Ok(Self::Week(week))
    }

    /// A sine wave over the day.
    ///
    /// # Errors
    /// [`ShapeError::Amplitude`] outside 0 to 1.
    pub fn sine(amplitude: f64, peak_s: f64) -> Result<Self, ShapeError> {
        if (0.0..=1.0).contains(&amplitude) {
            Ok(Self::Sine { amplitude, peak_s })
        } else {
            Err(ShapeError::Amplitude(amplitude))
        }
    }

    /// The intensity of mean `per_second` (over an average week) during the run. Wall-clock hours follow the time zone
    /// of its start, daylight saving included.
    pub fn intensity(&self, per_second: f64, calendar: &Calendar) -> Intensity {
        let Calendar { start, horizon, holidays } = calendar;
        let step_s = if matches!(self, Self::Sine { .. }) { SINE_STEP_S } else { SECONDS_PER_HOUR };
        let mut steps = Vec::new();
        let mut begin_s = 0;
        let horizon_s = horizon.0.div_euclid(NANOS) + i64::from(horizon.0 % NANOS > 0);
        while begin_s < horizon_s {
            // Steps end where the wall clock does, whatever minute the run starts at.
            let local = local_at(start, begin_s);
            let past = seconds_of_day(&local) % step_s;
            let end_s = (begin_s + step_s - past).min(horizon_s);
            let end = SimTime(end_s.saturating_mul(NANOS).min(horizon.0));
            steps.push((end, per_second * self.weight(&local, end_s - begin_s, holidays)));
            begin_s = end_s;
        }
        Intensity::from_steps(steps)
    }

    /// The mean weight of the `length_s` seconds that begin at `local`, all within one hour.
    fn weight(&self, local: &Zoned, length_s: i64, holidays: &[Date]) -> f64 {
        match self {
            Self::Flat => 1.0,
            Self::Week(weights) => {
                let day = if holidays.contains(&local.date()) { Weekday::Sunday } else { local.weekday() };
                weights[day.to_monday_zero_offset() as usize * 24 + local.hour() as usize]
            }
            Self::Sine { amplitude, peak_s } => {
                let turn = std::f64::consts::TAU / SECONDS_PER_DAY;
                let from = (seconds_of_day(local) as f64 - peak_s) * turn;
                let width = length_s as f64 * turn;
                1.0 + amplitude * (libm::sin(from + width) - libm::sin(from)) / width
            }
        }
    }
}

/// The local time `after_s` seconds after `start`; beyond the calendar's end, its start.
fn local_at(start: &Zoned, after_s: i64) -> Zoned {
    start.checked_add(jiff::SignedDuration::from_secs(after_s)).unwrap_or_else(|_| start.clone())
}

fn seconds_of_day(local: &Zoned) -> i64 {
    i64::from(local.hour()) * SECONDS_PER_HOUR + i64::from(local.minute()) * 60 + i64::from(local.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(h: i64) -> SimDuration {
        SimDuration::from_secs(h * SECONDS_PER_HOUR)
    }

    fn at_hour(h: i64) -> SimTime {
        SimTime(h * SECONDS_PER_HOUR * NANOS + 1)
    }

    fn run(start: &str, length: SimDuration) -> Calendar {
        Calendar { start: start.parse().unwrap(), horizon: length, holidays: Vec::new() }
    }

    fn numbered() -> Shape {
        Shape::from_weights(&std::array::from_fn::<f64, 168, _>(|h| h as f64)).unwrap()
    }

    #[test]
    fn daylight_saving_repeats_and_skips_wall_clock_hours() {
        // Berlin, 2026-10-25: the hour from 2 to 3 comes twice. 2026-03-29: it does not come.
        let per_week_hour = 83.5;
        let autumn = run("2026-10-25T00:00[Europe/Berlin]", hours(25));
        let curve = numbered().intensity(per_week_hour, &autumn);
        let seen: Vec<f64> = [1, 2, 3, 4].map(|h| curve.rate_at(at_hour(h)).round()).to_vec();
        assert_eq!(seen, [145.0, 146.0, 146.0, 147.0]);
        let spring = run("2026-03-29T00:00[Europe/Berlin]", hours(23));
        let curve = numbered().intensity(per_week_hour, &spring);
        assert_eq!([1, 2].map(|h| curve.rate_at(at_hour(h)).round()), [145.0, 147.0]);
    }

    #[test]
    fn runs_that_start_within_an_hour_keep_to_the_wall_clock() {
        let curve = numbered().intensity(83.5, &run("2026-11-20T18:30[Asia/Kolkata]", hours(2)));
        let ends: Vec<i64> = curve.steps().map(|(_, end, _)| end.whole_secs() / 60).collect();
        assert_eq!(ends, [30, 90, 120]);
        assert_eq!(curve.rate_at(SimTime(1)).round(), 4.0 * 24.0 + 18.0);
    }

    #[test]
    fn holidays_are_sundays() {
        let holidays = vec![jiff::civil::date(2026, 12, 25)];
        let calendar = Calendar { holidays, ..run("2026-12-25T10:00[UTC]", hours(1)) };
        let curve = numbered().intensity(83.5, &calendar);
        assert_eq!(curve.rate_at(SimTime(1)).round(), 6.0 * 24.0 + 10.0);
    }

    #[test]
    fn a_week_has_the_mean_rate_whatever_its_shape() {
        for shape in [Shape::Flat, numbered(), Shape::sine(0.6, 43_200.0).unwrap()] {
            let week = shape.intensity(2.0, &run("2026-11-18T07:20[UTC]", hours(168)));
            let expected = 2.0 * 168.0 * 3600.0;
            assert!((week.expected_until(SimTime::NEVER) / expected - 1.0).abs() < 1e-9, "{shape:?}");
        }
    }

    #[test]
    fn a_sine_peaks_when_it_should() {
        // W1: lambda(t) = 1 + 0.6 sin(2π (t/86400 - 0.25)) from midnight.
        let curve = Shape::sine(0.6, 43_200.0).unwrap().intensity(1.0, &run("2026-11-21T00:00[UTC]", hours(48)));
        for (at, expected) in [(12, 1.6), (36, 1.6), (24, 0.4)] {
            assert!((curve.rate_at(at_hour(at)) - expected).abs() < 1e-4, "{at} h");
        }
        let exact = |t: f64| {
            t - 0.6 * SECONDS_PER_DAY / std::f64::consts::TAU
                * (std::f64::consts::TAU * (t / SECONDS_PER_DAY - 0.25)).cos()
        };
        let at = SimTime::from_secs_f64(30_000.0);
        assert!((curve.expected_until(at) - (exact(30_000.0) - exact(0.0))).abs() < 1e-6 * 30_000.0);
    }

    #[test]
    fn impossible_weights_are_refused() {
        assert_eq!(Shape::from_weights(&[1.0; 25]), Err(ShapeError::Count(25)));
        assert_eq!(Shape::from_weights(&[0.0; 24]), Err(ShapeError::AllZero));
        assert!(matches!(Shape::from_weights(&[f64::NAN; 24]), Err(ShapeError::Weight(..))));
        assert!(Shape::sine(1.5, 0.0).is_err());
    }
}

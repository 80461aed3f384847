//! When the budgets of keys, users and teams begin anew
//! (`litellm_core_utils/duration_parser.py:get_next_standardized_reset_time`, `proxy/common_utils/timezone_utils.py`,
//! `proxy/common_utils/reset_budget_job.py`; from source only).

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Zoned};

use crate::gateway::litellm::wire::Wire;
use crate::units::{SimDuration, SimTime};

/// The job that resets budgets runs every 597 to 605 seconds; a proxy draws its own number when it starts.
const JOB_EVERY: SimDuration = SimDuration::from_secs(601);
const DAY_S: i64 = 86_400;
/// Periods of more units than this are slips: it is a hundred years of seconds.
const LONGEST: i64 = 3_155_760_000;

/// By which clock budgets begin anew.
#[derive(Debug, Clone)]
pub struct Clock {
    /// `litellm_settings.timezone`.
    zone: TimeZone,
    /// `litellm_settings.budget_reset_time`: when periods of days, weeks and months end.
    time: Time,
}

impl Default for Clock {
    /// Midnight UTC.
    fn default() -> Self {
        Self { zone: TimeZone::UTC, time: Time::midnight() }
    }
}

impl Clock {
    /// That of a config. A time zone that does not exist is taken for UTC; a time that does not is refused when the
    /// gateway starts.
    pub fn of(wire: &Wire) -> Self {
        let settings = &wire.litellm_settings;
        let zone = settings.timezone.as_ref().and_then(|zone| TimeZone::get(&zone.value).ok());
        let time = settings.budget_reset_time.as_ref().and_then(|time| time_of_day(&time.value));
        Self { zone: zone.unwrap_or(TimeZone::UTC), time: time.unwrap_or(Time::midnight()) }
    }
}

/// `12:00` or `12:00:30`.
pub fn time_of_day(text: &str) -> Option<Time> {
    let with_seconds = |format: &str| Time::strptime(format, text).ok();
    with_seconds("%H:%M").or_else(|| with_seconds("%H:%M:%S"))
}

/// The moments of a run at which a budget of this period is reset: the first time that the job runs after each end of a
/// period. `None` if the period is none.
pub fn resets(period: &str, start: &Zoned, horizon: SimDuration, clock: &Clock) -> Option<Vec<SimTime>> {
    let digits = period.find(|c: char| !c.is_ascii_digit())?;
    let value: i64 = period[..digits].parse().ok()?;
    let unit = &period[digits..];
    if value == 0 || value > LONGEST || !["s", "m", "h", "d", "w", "mo"].contains(&unit) || (unit == "mo" && value != 1)
    {
        return None;
    }
    let start = start.with_time_zone(clock.zone.clone());
    let mut all = Vec::new();
    let mut now = start.clone();
    loop {
        // Where the calendar ends, nothing begins anew.
        let Some(due) = next(value, unit, &now, clock.time) else { return Some(all) };
        let after = due.timestamp().as_nanosecond() - start.timestamp().as_nanosecond();
        let runs = after.max(0).div_euclid(i128::from(JOB_EVERY.0)) + i128::from(after % i128::from(JOB_EVERY.0) > 0);
        let at = i64::try_from(runs.checked_mul(i128::from(JOB_EVERY.0))?).ok()?;
        if at >= horizon.0 {
            return Some(all);
        }
        all.push(SimTime(at));
        // The next period is reckoned from the moment of the job.
        now = start.checked_add(SignedDuration::from_nanos(at)).ok()?;
    }
}

/// The end of the period that `now` is in.
fn next(value: i64, unit: &str, now: &Zoned, time: Time) -> Option<Zoned> {
    let midnight = now.start_of_day().ok()?;
    let second = now.timestamp().as_second() - midnight.timestamp().as_second();
    match (unit, value) {
        ("d", 30) | ("mo", _) => next_of(&now.first_of_month().ok()?, now, time, Span::new().months(1)),
        ("d", 7) | ("w", 1) => {
            let days = (7 - i64::from(now.weekday().to_monday_zero_offset())) % 7;
            next_of(&now.checked_add(Span::new().days(days)).ok()?, now, time, Span::new().days(7))
        }
        ("d", 1) => next_of(now, now, time, Span::new().days(1)),
        ("d", days) => in_days(now, days, time),
        ("w", weeks) => in_days(now, weeks.checked_mul(7)?, time),
        ("h", _) => in_hours(second / 3_600, value, &midnight),
        ("m", _) => aligned(second, value.checked_mul(60)?, 3_600, &midnight),
        _ => aligned(second, value, 60, &midnight),
    }
}

/// The time of day on this day, or one period later if that has been.
fn next_of(day: &Zoned, now: &Zoned, time: Time, period: Span) -> Option<Zoned> {
    let at = day.with().time(time).build().ok()?;
    if at <= *now { at.checked_add(period).ok() } else { Some(at) }
}

/// The time of day so many days after today.
fn in_days(now: &Zoned, days: i64, time: Time) -> Option<Zoned> {
    now.checked_add(Span::new().try_days(days).ok()?).ok()?.with().time(time).build().ok()
}

/// The next hour that `value` divides; beyond midnight it is taken modulo a day, so that `48h` ends every day.
fn in_hours(hour: i64, value: i64, midnight: &Zoned) -> Option<Zoned> {
    let next = hour.checked_add(value)? - hour % value;
    let at = if next >= 24 { DAY_S + next % 24 * 3_600 } else { next * 3_600 };
    midnight.checked_add(SignedDuration::from_secs(at)).ok()
}

/// The next multiple of `step_s` within the hour (or minute) of `span_s` seconds that holds `second`.
fn aligned(second: i64, step_s: i64, span_s: i64, midnight: &Zoned) -> Option<Zoned> {
    let (base, within) = (second - second % span_s, second % span_s);
    let at = base.checked_add(within - within % step_s)?.checked_add(step_s)?;
    let at = if at >= DAY_S { DAY_S + at % DAY_S } else { at };
    midnight.checked_add(SignedDuration::from_secs(at)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(period: &str, start: &str, hours: i64) -> Vec<f64> {
        by(&Clock::default(), period, start, hours)
    }

    fn by(clock: &Clock, period: &str, start: &str, hours: i64) -> Vec<f64> {
        let all = resets(period, &start.parse().unwrap(), SimDuration::from_secs(3_600 * hours), clock).unwrap();
        all.into_iter().map(|at| (at.as_secs_f64() / 36.0).round() / 100.0).collect()
    }

    #[test]
    fn periods_end_by_the_clock_and_the_job_comes_up_to_ten_minutes_later() {
        // Friday 18:00 UTC. Midnights are 6 and 30 hours away: 21,600 s is the 36th run of the job at 21,636 s.
        let friday = "2026-11-20T18:00[UTC]";
        assert_eq!(hours("1d", friday, 48), [6.01, 30.05]);
        assert_eq!(hours("7d", friday, 72), [54.09], "Monday");
        assert_eq!(hours("1w", friday, 72), [54.09]);
        assert_eq!(hours("30d", friday, 48), [0.0; 0]);
        assert_eq!(hours("30d", "2026-11-30T12:00[UTC]", 24), [12.02], "the first of the month");
        assert_eq!(hours("1mo", "2026-11-30T12:00[UTC]", 24), [12.02]);
        assert_eq!(hours("3d", friday, 72), [54.09], "midnight of today and three days");
        assert_eq!(hours("6h", friday, 14), [6.01, 12.02]);
        assert_eq!(hours("1d", "2026-11-20T18:00[Europe/Berlin]", 24), [7.01], "UTC, whatever the run's zone");
        assert_eq!(hours("30m", friday, 2), [0.5, 1.0, 1.5]);
    }

    #[test]
    fn a_zone_and_a_time_of_day_move_the_ends_of_days_weeks_and_months() {
        let berlin = Clock { zone: TimeZone::get("Europe/Berlin").unwrap(), time: Time::midnight() };
        let noon = Clock { zone: TimeZone::UTC, time: time_of_day("12:00").unwrap() };
        let friday = "2026-11-20T18:00[UTC]";
        assert_eq!(by(&berlin, "1d", friday, 24), [5.01], "23:00 UTC is midnight in Berlin");
        assert_eq!(by(&noon, "1d", friday, 48), [18.03, 42.07]);
        assert_eq!(by(&noon, "7d", friday, 96), [66.11], "Monday noon");
        assert_eq!(by(&noon, "7d", "2026-11-23T08:00[UTC]", 24), [4.01], "the same Monday");
        assert_eq!(by(&noon, "1mo", "2026-12-01T08:00[UTC]", 24), [4.01], "the first of this month is not over");
        assert_eq!(by(&noon, "3d", friday, 90), [66.11], "three days later, at noon");
        assert_eq!(by(&noon, "6h", friday, 14), [6.01, 12.02], "hours go by the clock alone");
        // The clocks go back in the night to 25 October: that day has 25 hours.
        assert_eq!(by(&berlin, "1d", "2026-10-24T12:00[Europe/Berlin]", 40), [12.02, 37.06]);
        assert_eq!(["7", "24:00", "12:60", "noon"].map(time_of_day), [None; 4]);
        assert!(time_of_day("06:30:15").is_some());
    }

    #[test]
    fn what_is_no_period_is_none() {
        for text in ["", "d", "5", "1y", "0d", "2mo", "-1d"] {
            assert_eq!(
                resets(text, &"2026-11-20T18:00[UTC]".parse().unwrap(), SimDuration::from_secs(9), &Clock::default()),
                None,
                "{text}"
            );
        }
    }
}

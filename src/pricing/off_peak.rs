//! Hours of the week at another price.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use super::rates::Rates;

const MINUTES_PER_DAY: u16 = 24 * 60;

/// A daily window, on some days of the week. Start inclusive, end exclusive; an end not after the start wraps past
/// midnight, and equal ends cover the whole day. The day is that of the moment asked for, also after midnight.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Days it holds on, Monday first.
    pub days: [bool; 7],
    /// First minute of the day, UTC.
    pub start: u16,
    /// First minute after it, UTC.
    pub end: u16,
}

/// Prices that replace the others while one of the windows is open.
#[derive(Debug, Clone, PartialEq)]
pub struct OffPeak {
    /// When.
    pub windows: Vec<Window>,
    /// The calendar that decides which day of the week it is.
    pub calendar: TimeZone,
    /// At which prices; a missing one stays what it is.
    pub rates: Rates,
}

impl Window {
    /// Reads `HH:MM-HH:MM`, for every day.
    pub fn daily(text: &str) -> Option<Self> {
        let (start, end) = text.split_once('-')?;
        Some(Self { days: [true; 7], start: minute_of_day(start)?, end: minute_of_day(end)? % MINUTES_PER_DAY })
    }

    /// Reads `mon-fri 00:00-01:00`, `sat 00:00-24:00` or `00:30-16:30`, all UTC.
    pub fn weekly(text: &str) -> Option<Self> {
        let Some((days, hours)) = text.trim().split_once(' ') else { return Self::daily(text.trim()) };
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let (first, last) = (weekday(first)?, weekday(last)?);
        let mut window = Self::daily(hours.trim())?;
        window.days = std::array::from_fn(|day| (first..=last).contains(&day));
        (first <= last).then_some(window)
    }

    /// Whether it is open at a minute of the day on a day of the week.
    pub const fn holds(&self, day: usize, minute: u16) -> bool {
        let open = if self.start < self.end {
            self.start <= minute && minute < self.end
        } else {
            self.start <= minute || minute < self.end
        };
        self.days[day] && open
    }
}

impl OffPeak {
    /// Whether a window is open.
    pub fn is_open(&self, at: Timestamp) -> bool {
        is_open(&self.windows, &self.calendar, at)
    }
}

/// Whether one of the windows is open, the day of the week read on a calendar.
pub fn is_open(windows: &[Window], calendar: &TimeZone, at: Timestamp) -> bool {
    let utc = at.to_zoned(TimeZone::UTC);
    let minute = utc.hour() as u16 * 60 + utc.minute() as u16;
    let day = at.to_zoned(calendar.clone()).weekday().to_monday_zero_offset() as usize;
    windows.iter().any(|window| window.holds(day, minute))
}

/// The index of a day of the week from Monday = 0; English names and their usual short forms in any letter case.
pub fn weekday(name: &str) -> Option<usize> {
    let day = match name.trim().to_ascii_lowercase().as_str() {
        "mon" | "monday" => Weekday::Monday,
        "tue" | "tues" | "tuesday" => Weekday::Tuesday,
        "wed" | "wednesday" => Weekday::Wednesday,
        "thu" | "thur" | "thurs" | "thursday" => Weekday::Thursday,
        "fri" | "friday" => Weekday::Friday,
        "sat" | "saturday" => Weekday::Saturday,
        "sun" | "sunday" => Weekday::Sunday,
        _ => return None,
    };
    Some(day.to_monday_zero_offset() as usize)
}

/// `HH:MM` as a minute of the day; `24:00` is the end of the day.
fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let digits =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok()).flatten();
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    let minute = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && minute <= MINUTES_PER_DAY).then_some(minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect(text)
    }

    fn open(window: &str, time: &str) -> bool {
        is_open(&[Window::weekly(window).expect(window)], &TimeZone::UTC, at(time))
    }

    #[test]
    fn windows_start_inclusive_and_end_exclusive() {
        assert!(open("16:30-00:30", "2026-11-20T16:30:00Z"));
        assert!(open("16:30-00:30", "2026-11-20T00:29:59Z"));
        assert!(!open("16:30-00:30", "2026-11-20T00:30:00Z"));
        assert!(open("06:00-06:00", "2026-11-20T03:00:00Z"));
    }

    #[test]
    fn days_limit_a_window() {
        assert!(open("mon-fri 01:00-04:00", "2026-11-20T03:59:00Z"));
        assert!(!open("mon-fri 01:00-04:00", "2026-11-21T03:59:00Z"));
        assert!(open("sat-sun 00:00-24:00", "2026-11-21T23:59:00Z"));
        assert!(!open("sat-sun 00:00-24:00", "2026-11-20T23:59:00Z"));
    }

    #[test]
    fn the_calendar_decides_the_day() {
        let saturday = [Window::weekly("sat 00:00-24:00").unwrap()];
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        assert!(is_open(&saturday, &shanghai, at("2026-11-20T17:00:00Z")));
        assert!(!is_open(&saturday, &TimeZone::UTC, at("2026-11-20T17:00:00Z")));
    }

    #[test]
    fn malformed_windows_are_refused() {
        for text in [
            "",
            "9-10",
            "09:60-10:00",
            "25:00-26:00",
            "65535:00-01:00",
            "fri-mon 01:00-02:00",
            "xyz 01:00-02:00",
            "-",
            "+1:00-02:00",
        ] {
            assert_eq!(Window::weekly(text), None, "{text}");
        }
    }
}

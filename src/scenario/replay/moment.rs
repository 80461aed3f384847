//! Moments of a trace: numbers, and dates with times.

/// What a bare number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds, or thousandths and less where the number is too large to be a date in seconds.
    Seconds,
    /// Milliseconds.
    Millis,
}

const NANOS: i128 = 1_000_000_000;
/// Seconds from here on would be the year 5138: it is a smaller unit.
const LARGEST_SECONDS: i128 = 100_000_000_000;

/// Nanoseconds since an origin that is the same for the whole trace. Dates without a zone are taken as UTC.
pub fn moment(text: &[u8], unit: Unit) -> Option<i64> {
    let text = text.trim_ascii();
    let nanos = match text.get(4) {
        Some(b'-') if text[0].is_ascii_digit() => date_time(text)?,
        _ => number(text, unit)?,
    };
    // Spans between two moments must fit as well.
    i64::try_from(nanos).ok().filter(|nanos| nanos.unsigned_abs() <= (i64::MAX as u64) / 2)
}

/// A decimal number, exact to the nanosecond; `1.5e3` by way of a float.
fn number(text: &[u8], unit: Unit) -> Option<i128> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let (whole, fraction) = match digits.iter().position(|c| *c == b'.') {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, &[][..]),
    };
    let Some(whole) = decimal(whole) else { return float(text, unit) };
    let per_unit = match unit {
        Unit::Millis => NANOS / 1_000,
        Unit::Seconds if whole < LARGEST_SECONDS => NANOS,
        Unit::Seconds if whole < LARGEST_SECONDS * 1_000 => NANOS / 1_000,
        Unit::Seconds if whole < LARGEST_SECONDS * 1_000_000 => NANOS / 1_000_000,
        Unit::Seconds => 1,
    };
    let Some(fraction) = nanos_of(fraction) else { return float(text, unit) };
    let nanos = whole * per_unit + fraction * per_unit / NANOS;
    Some(if negative { -nanos } else { nanos })
}

fn float(text: &[u8], unit: Unit) -> Option<i128> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let per_unit = if unit == Unit::Millis { 1e6 } else { 1e9 };
    (value.abs() < 1e10).then_some((value * per_unit).round() as i128)
}

/// Digits only; at most 19 of them.
fn decimal(digits: &[u8]) -> Option<i128> {
    let fits = !digits.is_empty() && digits.len() <= 19 && digits.iter().all(u8::is_ascii_digit);
    fits.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0')))
}

/// Digits behind the point as nanoseconds of a second; further ones are cut.
fn nanos_of(digits: &[u8]) -> Option<i128> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    Some(padded.fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0')))
}

/// `2023-11-16 18:15:46.6805900`, with `T` or a blank, perhaps with `Z`, `+00`, `+01:00` or `UTC` behind it.
fn date_time(text: &[u8]) -> Option<i128> {
    let two = |at: usize| decimal(text.get(at..at + 2)?);
    let is = |at: usize, wanted: &[u8]| text.get(at).is_some_and(|c| wanted.contains(c));
    let (year, month, day) = (decimal(text.get(..4)?)?, two(5)?, two(8)?);
    let date = jiff::civil::Date::new(year as i16, month as i8, day as i8).ok()?;
    let days = i128::from(date.since(jiff::civil::date(1970, 1, 1)).ok()?.get_days());
    if !is(7, b"-") {
        return None;
    }
    if text.len() == 10 {
        return Some(days * 86_400 * NANOS);
    }
    if !is(10, b" T") || !is(13, b":") {
        return None;
    }
    let (hour, minute) = (two(11)?, two(14)?);
    let (second, mut at) = if is(16, b":") { (two(17)?, 19) } else { (0, 16) };
    let mut nanos = 0;
    if is(at, b".") {
        let end = text[at + 1..].iter().position(|c| !c.is_ascii_digit()).map_or(text.len(), |n| at + 1 + n);
        nanos = nanos_of(&text[at + 1..end])?;
        at = end;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset(&text[at..])?;
    Some(seconds * NANOS + nanos)
}

/// Seconds that a zone is ahead of UTC.
fn offset(text: &[u8]) -> Option<i128> {
    let text = text.trim_ascii();
    let sign = match text.first() {
        None => return Some(0),
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) => return matches!(text, b"Z" | b"z" | b"UTC").then_some(0),
    };
    let digits: Vec<u8> = text[1..].iter().copied().filter(|c| *c != b':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (decimal(&digits)?, 0),
        4 => (decimal(&digits[..2])?, decimal(&digits[2..])?),
        _ => return None,
    };
    Some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        let s = |text: &str| moment(text.as_bytes(), Unit::Seconds);
        assert_eq!(s("5"), Some(5_000_000_000));
        assert_eq!(s(" 19440110.25 "), Some(19_440_110_250_000_000));
        assert_eq!(s("-0.5"), Some(-500_000_000));
        assert_eq!(s("1.5e3"), Some(1_500_000_000_000));
        assert_eq!(s("1757476916.095"), s("1757476916095"), "milliseconds since 1970 are recognised");
        assert_eq!(s("1757476916095000"), s("1757476916095"));
        assert_eq!(moment(b"27482", Unit::Millis), Some(27_482_000_000));
        for bad in ["", "x", "1,5", "nan", "inf", "1e300", "--1", "99999999999999999999"] {
            assert_eq!(s(bad), None, "{bad}");
        }
    }

    #[test]
    fn dates_are_read_with_all_their_digits_and_zones() {
        let s = |text: &str| moment(text.as_bytes(), Unit::Seconds);
        assert_eq!(s("1970-01-02"), Some(86_400_000_000_000));
        assert_eq!(s("2023-11-16 18:15:46.6805900"), Some(1_700_158_546_680_590_000));
        let utc = s("2026-11-16T09:00:00.120Z");
        assert_eq!(utc, Some(1_794_819_600_120_000_000));
        for same in ["2026-11-16 09:00:00.12", "2026-11-16 09:00:00.120+00:00", "2026-11-16T10:00:00.12+0100"] {
            assert_eq!(s(same), utc, "{same}");
        }
        assert_eq!(s("2026-11-16 04:00:00.12-05"), utc);
        for bad in ["2026-13-01", "2026-02-30 00:00", "2026-11-16 24:00:00", "2026-11-16x09:00", "2026-11-16 09:00 CET"]
        {
            assert_eq!(s(bad), None, "{bad}");
        }
    }
}

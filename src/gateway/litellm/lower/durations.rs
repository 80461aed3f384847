//! Durations as LiteLLM writes them (`litellm_core_utils/duration_parser.py`).

use crate::units::SimDuration;

/// Seconds in a day.
const DAY: i64 = 86_400;

/// `30s`, `15m`, `12h`, `7d`, `2w`, `1mo`. A month is taken as 30 days: the calendar month that LiteLLM looks up
/// differs by at most three days (from source only). `None` for anything else.
pub fn parse(text: &str) -> Option<SimDuration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => DAY,
        "w" => 7 * DAY,
        "mo" => 30 * DAY,
        _ => return None,
    };
    Some(SimDuration::from_secs(number.parse::<i64>().ok()?.checked_mul(seconds)?))
}

/// A span of seconds; nothing for 0, which LiteLLM reads as not set where it writes `a or b`. One below
/// zero is over when it begins.
pub(super) fn unless_zero(secs: f64) -> Option<SimDuration> {
    (secs != 0.0).then(|| SimDuration::from_secs_f64(secs.max(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_gateway() {
        let secs = |text| parse(text).map(SimDuration::whole_secs);
        assert_eq!([secs("30s"), secs("2m"), secs("1d"), secs("1w")], [Some(30), Some(120), Some(DAY), Some(7 * DAY)]);
        assert_eq!([secs("d"), secs("5"), secs("1y")], [None; 3]);
    }
}

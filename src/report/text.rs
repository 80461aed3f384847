//! How names and numbers are written for people. Names from configs are hostile until [`clean`] has seen them.

use std::collections::BTreeSet;

use crate::units::Money;

/// Shown where there is no number.
pub const NOTHING: &str = "–";

/// Fewer runs say little about the outer percentiles.
pub const FEW_RUNS: u64 = 100;

/// What a result says of itself that Ctrl-C ended after so many runs.
pub fn interrupted_after(runs: u64) -> String {
    format!("Partial: interrupted after {}; the figures cover only those.", plural(runs, "run"))
}

/// The begin of the stamp of an interrupted result.
pub const fn partial_mark(is_partial: bool) -> &'static str {
    if is_partial { "PARTIAL · " } else { "" }
}

/// What is said where there are few runs.
pub fn few_runs(runs: u64) -> Option<String> {
    let rough =
        || format!("With {} the outer percentiles are rough; {FEW_RUNS} or more would do.", plural(runs, "run"));
    (runs < FEW_RUNS).then(rough)
}

/// That models without a price are missing from an amount, if there are any.
pub fn unpriced(models: &BTreeSet<String>, amount: &str) -> Option<String> {
    const NAMED: usize = 5;
    let more = models.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named: Vec<String> = models.iter().take(NAMED).map(|model| clean(model)).collect();
    let named = named.join(", ");
    (!models.is_empty()).then(|| format!("Not in {amount}: what goes to models without a price ({named}{more})."))
}

/// A name without characters that could move a cursor, reorder a line or break XML: they become U+FFFD, blanks a
/// space.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| {
            if is_blank(c) {
                ' '
            } else if is_unprintable(c) {
                '\u{FFFD}'
            } else {
                c
            }
        })
        .collect()
}

/// Line ends and tabs: harmless, but a name is one line.
fn is_blank(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}')
}

/// Control characters, direction marks, invisible joins and what XML forbids.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}')
        || matches!(c, '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{FFFE}' | '\u{FFFF}')
        || matches!(c, '\u{E0000}'..='\u{E007F}')
}

/// At most `limit` characters, an ellipsis for what is left out of the middle: long names differ at their ends.
pub fn ellipsis(text: &str, limit: usize) -> String {
    let length = text.chars().count();
    if length <= limit {
        return text.to_owned();
    }
    let kept = limit.saturating_sub(1);
    let tail = kept * 2 / 5;
    let head: String = text.chars().take(kept - tail).collect();
    head + "…" + &text.chars().skip(length - tail).collect::<String>()
}

/// Digits in groups of three: `12345678` → `12,345,678`.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An amount for people: `$1,234.56`; below ten cents up to four decimals, so that small amounts do not vanish.
pub fn money(amount: Money) -> String {
    const DOLLAR: u128 = 1_000_000_000_000;
    const TEN_CENTS: u128 = DOLLAR / 10 - DOLLAR / 200;
    let sign = if amount.picos() < 0 { "−" } else { "" };
    let magnitude = amount.picos().unsigned_abs();
    if magnitude >= TEN_CENTS || magnitude == 0 {
        let cents = amount.to_cents();
        let (whole, fraction) = cents.trim_start_matches('-').split_once('.').unwrap_or((&cents, "00"));
        return format!("{sign}${}.{fraction}", grouped(whole));
    }
    let ten_thousandths = (magnitude + DOLLAR / 20_000) / (DOLLAR / 10_000);
    match ten_thousandths {
        0 => format!("<{sign}$0.0001"),
        n if n % 100 == 0 => format!("{sign}$0.{:02}", n / 100),
        n => format!("{sign}$0.{n:04}"),
    }
}

/// A text with its amounts from a million dollars on in short: `+$48,588,723,012.34` → `+$48.59B`.
pub fn short_amounts(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        let length = behind.find(|c: char| !(c.is_ascii_digit() || matches!(c, ',' | '.'))).unwrap_or(behind.len());
        let digits = behind[..length].trim_end_matches([',', '.']);
        short.push_str(before);
        short.push('$');
        short.push_str(&short_amount(digits).unwrap_or_else(|| digits.to_owned()));
        rest = &behind[digits.len()..];
    }
    short + rest
}

/// The digits of an amount in short; none where it is not large.
fn short_amount(digits: &str) -> Option<String> {
    const UNITS: [(f64, &str); 3] = [(1e6, "M"), (1e9, "B"), (1e12, "T")];
    // Four digits of it are shown.
    const ROUNDED_UP: f64 = 0.99995;
    let value: f64 = digits.replace(',', "").parse().ok()?;
    let (unit, name) = UNITS.into_iter().rfind(|(unit, _)| value >= unit * ROUNDED_UP)?;
    let scaled = value / unit;
    Some(match scaled {
        s if s >= 9_999.5 => format!("{value:.3e}"),
        s if s >= 999.95 => format!("{s:.0}{name}"),
        s if s >= 99.995 => format!("{s:.1}{name}"),
        s if s >= 9.9995 => format!("{s:.2}{name}"),
        s => format!("{s:.3}{name}"),
    })
}

/// An amount with so many decimals of a dollar, at most twelve.
fn money_with(amount: Money, decimals: u32) -> String {
    let unit = 10u128.pow(12 - decimals.min(12));
    let rounded = (amount.picos().unsigned_abs() + unit / 2) / unit;
    let (whole, rest) = (rounded / 10u128.pow(decimals), rounded % 10u128.pow(decimals));
    let sign = if amount.picos() < 0 { "−" } else { "" };
    format!("{sign}${}.{rest:0width$}", grouped(&whole.to_string()), width = decimals as usize)
}

/// An amount, and both ends of its interval; with as many decimals as tell the ends apart, if they are not the same.
pub fn money_between(amount: Money, [low, high]: [Money; 2]) -> [String; 3] {
    let all = [amount, low, high];
    let usual = all.map(money);
    if low == high || usual[1] != usual[2] {
        return usual;
    }
    let told_apart = (3..=12).find(|decimals| money_with(low, *decimals) != money_with(high, *decimals));
    all.map(|amount| money_with(amount, told_apart.unwrap_or(12)))
}

/// The amount in dollars as a float: for shares, ratios and pictures only.
pub fn dollars(amount: Money) -> f64 {
    amount.picos() as f64 / 1e12
}

/// Dollars of a statistic as an amount, for files.
pub fn money_units(dollars: f64) -> Money {
    Money::from_picos((dollars * 1e12).round() as i128)
}

/// Dollars of a mean or a percentile, for people.
pub fn money_of(dollars: f64) -> String {
    if dollars.is_finite() { money(Money::from_picos((dollars * 1e12).round() as i128)) } else { NOTHING.to_owned() }
}

/// A share for people: `5.1%`, with two significant digits below one percent.
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return NOTHING.to_owned();
    }
    let value = share * 100.0;
    match value.abs() {
        0.0 => "0%".to_owned(),
        v if v < 0.001 => "<0.001%".to_owned(),
        _ => format!("{value:.*}%", percent_decimals(value)).replace('-', "−"),
    }
}

/// Decimals that a share in percent is written with.
fn percent_decimals(value: f64) -> usize {
    match value.abs() {
        v if v < 0.0995 => 3,
        v if v < 9.95 => 2,
        _ => 1,
    }
}

/// The half width of a share's interval, with the decimals of the share: `0.32%`.
pub fn percent_half_width(mean: f64, half_width: f64) -> String {
    if !half_width.is_finite() || half_width == 0.0 {
        return percent(half_width);
    }
    format!("{:.*}%", percent_decimals(mean * 100.0), half_width * 100.0)
}

/// A count for people: whole from 100 on, with groups; fewer get one or two decimals unless they are whole.
pub fn count(value: f64) -> String {
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let sign = if value < 0.0 { "−" } else { "" };
    let magnitude = value.abs();
    if magnitude >= 99.95 || magnitude.fract() == 0.0 {
        return format!("{sign}{}", grouped(&format!("{magnitude:.0}")));
    }
    if magnitude >= 9.995 { format!("{sign}{magnitude:.1}") } else { format!("{sign}{magnitude:.2}") }
}

/// A large count in short: `950`, `12.3k`, `4.5M`.
pub fn short_count(value: f64) -> String {
    let scaled = |value: f64, unit: &str| {
        let text = format!("{value:.1}");
        format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
    };
    match value.abs() {
        v if !v.is_finite() => NOTHING.to_owned(),
        v if v >= 999_950_000.0 => scaled(value / 1e9, "G"),
        v if v >= 999_950.0 => scaled(value / 1e6, "M"),
        v if v >= 9_999.5 => scaled(value / 1e3, "k"),
        _ => count(value),
    }
}

/// A duration for people: `850 ms`, `12.4 s`, `3.2 min`.
pub fn seconds(value: f64) -> String {
    match value {
        v if !v.is_finite() => NOTHING.to_owned(),
        v if v < 0.9995 => format!("{:.0} ms", v * 1000.0),
        v if v < 9.995 => format!("{v:.2} s"),
        v if v < 119.95 => format!("{v:.1} s"),
        v => format!("{:.1} min", v / 60.0),
    }
}

/// Hours for people: `48 h`, `1.5 h`; less than half an hour in minutes, less than two minutes in seconds.
pub fn hours(value: f64) -> String {
    match value {
        v if v.fract() == 0.0 => format!("{v:.0} h"),
        v if v < 2.0 / 60.0 => format!("{:.0} s", (v * 3600.0).max(1.0)),
        v if v < 0.5 => format!("{:.0} min", v * 60.0),
        v => format!("{v:.1} h"),
    }
}

/// `1 run`, `2 runs`, `1,000 runs`.
pub fn plural(number: u64, noun: &str) -> String {
    let digits = grouped(&number.to_string());
    if number == 1 { format!("{digits} {noun}") } else { format!("{digits} {noun}s") }
}

/// Both ends of an interval: `$1.00 to $2.00`.
pub fn money_interval(interval: [Money; 2]) -> String {
    let [_, low, high] = money_between(interval[0], interval);
    format!("{low} to {high}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_keeps_cents_and_small_amounts() {
        let cases = [
            ("0", "$0.00"),
            ("1234567.891", "$1,234,567.89"),
            ("-12", "−$12.00"),
            ("999.995", "$1,000.00"),
            ("0.5", "$0.50"),
            ("0.7429", "$0.74"),
            ("0.0421", "$0.0421"),
            ("0.99999", "$1.00"),
            ("0.00000004", "<$0.0001"),
        ];
        for (amount, text) in cases {
            assert_eq!(money(amount.parse().unwrap()), text, "{amount}");
        }
    }

    #[test]
    fn large_amounts_can_be_written_in_short() {
        for (text, short) in [
            ("$48,588,723,012.34", "$48.59B"),
            ("−$1,234,567.89", "−$1.235M"),
            ("+$999,950.00 to +$123,456,789.00", "+$1.000M to +$123.5M"),
            ("$999,900.00, 5.1%", "$999,900.00, 5.1%"),
            ("$999,999,999,999.99", "$1.000T"),
            ("about $50,378,058,012,345.00.", "about $50.38T."),
            ("$50,378,058,012,345,678.00", "$5.038e16"),
            ("<$0.0001 and $", "<$0.0001 and $"),
        ] {
            assert_eq!(short_amounts(text), short);
        }
    }

    #[test]
    fn ends_of_an_interval_are_told_apart() {
        let between = |amount: &str, ends: [&str; 2]| {
            money_between(amount.parse().unwrap(), ends.map(|end| end.parse().unwrap()))
        };
        assert_eq!(between("0.541", ["0.5391", "0.5432"]), ["$0.541", "$0.539", "$0.543"]);
        assert_eq!(between("12.5", ["12", "13"]), ["$12.50", "$12.00", "$13.00"]);
        assert_eq!(between("1234.00001", ["1234", "1234.00002"]), ["$1,234.00001", "$1,234.00000", "$1,234.00002"]);
        assert_eq!(between("0.00000015", ["0.0000001", "0.0000002"])[1..], ["$0.0000001", "$0.0000002"]);
        assert_eq!(between("0.5", ["0.5", "0.5"]), ["$0.50", "$0.50", "$0.50"], "these are the same");
    }

    #[test]
    fn shares_counts_and_times_are_readable_at_every_size() {
        assert_eq!(
            [0.0, 0.000_24, 0.051, 0.5, 1.0, f64::NAN].map(percent),
            ["0%", "0.024%", "5.10%", "50.0%", "100.0%", "–"]
        );
        assert_eq!(percent_half_width(0.002_3, 0.000_07), "0.01%");
        assert_eq!([0.0, 1.176, 12.34, 99.0, 120_345.4].map(count), ["0", "1.18", "12.3", "99", "120,345"]);
        assert_eq!([950.0, 12_300.0, 4_500_000.0].map(short_count), ["950", "12.3k", "4.5M"]);
        assert_eq!([0.85, 12.41, 190.0].map(seconds), ["850 ms", "12.4 s", "3.2 min"]);
        assert_eq!([48.0, 1.5, 0.25, 5.0 / 3600.0].map(hours), ["48 h", "1.5 h", "15 min", "5 s"]);
        assert_eq!([plural(1, "run"), plural(1000, "run")], ["1 run", "1,000 runs"]);
    }

    #[test]
    fn nothing_that_drives_a_terminal_survives() {
        let hostile = "a\x1b[31mb\u{9b}2Jc\u{202e}d\r\ne\u{7f}\u{feff}";
        let text = clean(hostile);
        assert!(!text.chars().any(is_unprintable), "{text:?}");
        assert_eq!(text, "a\u{FFFD}[31mb\u{FFFD}2Jc\u{FFFD}d  e\u{FFFD}\u{FFFD}");
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(ellipsis("tenant-a-production-12", 10), "tenant…-12");
        assert_eq!(ellipsis("deepseek", 1), "…");
        assert_eq!(ellipsis("gpt-4o", 8), "gpt-4o");
    }
}

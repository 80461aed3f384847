//! Plain scalars as PyYAML 6 resolves them (`yaml/resolver.py`, `yaml/constructor.py`): YAML 1.1 with its quirks.

use crate::document::node::Value;

/// A number with its decimal text, so that prices stay exact.
#[derive(Debug, Clone, PartialEq)]
pub struct Decimal {
    /// Decimal text such as `2.5e-06`; `inf`, `-inf` or `nan` when it is not a number one can count with.
    pub text: Box<str>,
    /// The nearest float.
    pub value: f64,
}

impl Decimal {
    /// The number that a decimal text stands for.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(|value| Self { text: text.into(), value })
    }

    fn of(value: f64) -> Self {
        Self { text: value.to_string().to_ascii_lowercase().into(), value }
    }
}

/// A scalar that PyYAML takes for something and then fails to read; says for what.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable(pub(super) &'static str);

/// Resolves an unquoted scalar.
pub(super) fn resolve(text: &str) -> Result<Value, Unreadable> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "=" | "<<" => return Err(Unreadable("this sign has a meaning of its own in YAML and cannot be a value")),
        _ => {}
    }
    if matches!(text.trim_start_matches(['+', '-']).trim_end_matches('_'), "0x" | "0b") && text.ends_with('_') {
        return Err(Unreadable("a number without digits"));
    }
    if is_date(text) {
        let month_and_day = text.split(['-', 'T', 't', ' ', '\t']).skip(1).map(|part| part.parse().unwrap_or(0));
        let fits = month_and_day.zip([12u8, 31]).all(|(part, most)| (1..=most).contains(&part));
        return if fits { Ok(Value::Date(text.into())) } else { Err(Unreadable("a date that does not exist")) };
    }
    Ok(boolean(text)
        .map(Value::Bool)
        .or_else(|| integer(text))
        .or_else(|| float(text).map(Value::Float))
        .unwrap_or_else(|| Value::Str(text.into())))
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// Splits an optional sign off.
fn signed(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// Decimal, `0b1`, `0x1f`, octal with a leading zero, and base 60 (`1:30` is ninety); `_` separates digits.
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = signed(text);
    if !digits.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let plain = digits.replace('_', "");
    let value = if let Some(binary) = digits.strip_prefix("0b") {
        radix(binary, &plain[2..], 2)?
    } else if let Some(hex) = digits.strip_prefix("0x") {
        radix(hex, &plain[2..], 16)?
    } else if plain == "0" {
        0
    } else if let Some(octal) = digits.strip_prefix('0') {
        radix(octal, &plain[1..], 8)?
    } else if digits.contains(':') {
        sexagesimal(digits)?
    } else if digits.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
        match plain.parse() {
            Ok(value) => value,
            Err(_) => return Decimal::parse(&format!("{}{plain}", if negative { "-" } else { "" })).map(Value::Float),
        }
    } else {
        return None;
    };
    Some(Value::Int(if negative { -value } else { value }))
}

/// `written` holds only digits of the base and `_`, and `plain` is the same without `_`.
fn radix(written: &str, plain: &str, base: u32) -> Option<i128> {
    let allowed = !written.is_empty() && written.chars().all(|c| c == '_' || c.is_digit(base));
    if allowed { i128::from_str_radix(plain, base).ok() } else { None }
}

/// `[1-9][0-9_]*(:[0-5]?[0-9])+`
fn sexagesimal(digits: &str) -> Option<i128> {
    let (first, rest) = digits.split_once(':')?;
    let mut value: i128 = first.replace('_', "").parse().ok()?;
    for part in rest.split(':') {
        value = value.checked_mul(60)?.checked_add(base_60_digit(part)?.into())?;
    }
    Some(value)
}

fn base_60_digit(part: &str) -> Option<u8> {
    let well_formed = matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit());
    part.parse().ok().filter(|digit| well_formed && *digit < 60)
}

/// A float has a point, and its exponent a sign; all else that looks like one is text.
fn float(text: &str) -> Option<Decimal> {
    let (negative, unsigned) = signed(text);
    let sign = if negative { "-" } else { "" };
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Decimal::parse(&format!("{sign}inf")),
        _ => {}
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Decimal::parse("nan");
    }
    let (whole, tail) = unsigned.split_once('.')?;
    let (fraction, exponent) = match tail.find(['e', 'E']) {
        Some(at) => (&tail[..at], Some(&tail[at + 1..])),
        None => (tail, None),
    };
    if !digits_or_underscores(fraction) || !exponent.is_none_or(is_exponent) {
        return None;
    }
    if whole.contains(':') && exponent.is_none() {
        return sexagesimal_float(negative, whole, fraction);
    }
    let starts_with_digit = |part: &str| part.as_bytes().first().is_some_and(u8::is_ascii_digit);
    // Without digits before the point the pattern allows no sign.
    let bare_fraction = whole.is_empty() && starts_with_digit(fraction) && unsigned.len() == text.len();
    let with_whole = starts_with_digit(whole) && digits_or_underscores(whole);
    if !(bare_fraction || with_whole) {
        return None;
    }
    Decimal::parse(&format!("{sign}{}", unsigned.replace('_', "")))
}

fn digits_or_underscores(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

fn is_exponent(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b'+' | b'-'))
        && text.len() > 1
        && text[1..].bytes().all(|b| b.is_ascii_digit())
}

/// `190:20:30.15` in base 60.
fn sexagesimal_float(negative: bool, whole: &str, fraction: &str) -> Option<Decimal> {
    let (first, rest) = whole.split_once(':')?;
    if !first.as_bytes().first()?.is_ascii_digit() || !digits_or_underscores(first) {
        return None;
    }
    let mut value: f64 = first.replace('_', "").parse().ok()?;
    for part in rest.split(':') {
        value = value * 60.0 + f64::from(base_60_digit(part)?);
    }
    value += format!("0.{}", fraction.replace('_', "")).parse().unwrap_or(0.0);
    Some(Decimal::of(if negative { -value } else { value }))
}

/// `2026-01-05`, or a date and a time.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |from: usize, count: usize| {
        bytes.get(from..from + count).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    if digits(0, 4) && digits(5, 2) && digits(8, 2) && bytes[4] == b'-' && bytes[7] == b'-' && bytes.len() == 10 {
        return true;
    }
    let Some((date, time)) = text.split_once(['T', 't', ' ', '\t']) else { return false };
    let parts: Vec<&str> = date.split('-').collect();
    let short = |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit());
    let [year, month, day] = parts[..] else { return false };
    year.len() == 4 && digits(0, 4) && short(month) && short(day) && is_time(time.trim_start_matches([' ', '\t']))
}

/// `7:05:00`, `07:05:00.25 +2`, `07:05:00Z`.
fn is_time(text: &str) -> bool {
    let clock_end = text.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(text.len());
    let (clock, zone) = text.split_at(clock_end);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let parts: Vec<&str> = clock.split(':').collect();
    let [hour, minute, second] = parts[..] else { return false };
    let zone = zone.trim_start_matches([' ', '\t']);
    let zone_fits = match zone.as_bytes().first() {
        None => true,
        Some(b'Z') => zone.len() == 1,
        Some(b'+' | b'-') => zone[1..].bytes().all(|b| b.is_ascii_digit() || b == b':') && zone.len() > 1,
        Some(_) => false,
    };
    matches!(hour.len(), 1 | 2)
        && minute.len() == 2
        && second.len() == 2
        && fraction.bytes().all(|b| b.is_ascii_digit())
        && zone_fits
}

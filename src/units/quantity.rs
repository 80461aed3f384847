//! Quantities as people write them: `15m`, `40/min`, `5%`, `128k`. A bare number is in the base unit.

use std::fmt;
use std::str::FromStr;

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QuantityError {
    /// The number does not read as one.
    #[error("`{0}` is not a number; expected {1}")]
    NotANumber(String, &'static str),
    /// The unit behind the number is unknown.
    #[error("`{0}` is not a unit here; expected {1}")]
    UnknownUnit(String, &'static str),
    /// The number is not in the allowed range.
    #[error("`{0}` is out of range; expected {1}")]
    OutOfRange(String, &'static str),
}

/// A span of time, at least zero and finite: `90s`, `250ms`, `15m`, `6h`, `2d`, `1w`; a bare number is seconds.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Seconds(pub f64);

/// A rate of events, at least zero and finite: `40/min`, `5000/h`, `1M/day`; a bare number is per second.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct PerSecond(pub f64);

/// A share between 0 and 1: `0.05` or `5%`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(pub f64);

/// By how much something becomes more, or less: `0.02`, `2%` or `-5%`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Growth(pub f64);

/// A number of things, at least zero and finite: `500`, `30k`, `4M`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Count(pub f64);

/// How many base units a suffix stands for: `k` and `M` count, the others are seconds.
pub fn scale_of(suffix: &str) -> Option<f64> {
    Some(match suffix {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "ms" => 1e-3,
        _ => return seconds_in(suffix),
    })
}

fn seconds_in(unit: &str) -> Option<f64> {
    Some(match unit {
        "s" | "sec" | "second" => 1.0,
        "m" | "min" | "minute" => 60.0,
        "h" | "hour" => 3_600.0,
        "d" | "day" => 86_400.0,
        "w" | "week" => 604_800.0,
        _ => return None,
    })
}

/// Splits `128k` into its number and its suffix; underscores may group digits.
fn split<'a>(text: &'a str, expected: &'static str) -> Result<(f64, &'a str), QuantityError> {
    let text = text.trim();
    let end = text
        .char_indices()
        .find(|&(at, c)| {
            let exponent =
                matches!(c, 'e' | 'E') && text[at + 1..].starts_with(|d: char| d.is_ascii_digit() || d == '-');
            !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | '_') || exponent)
        })
        .map_or(text.len(), |(at, _)| at);
    let digits = text[..end].replace('_', "");
    let number = digits.parse().map_err(|_| QuantityError::NotANumber(text.to_owned(), expected))?;
    Ok((number, text[end..].trim()))
}

/// A number without what parts its thousands: `1,500` and `1_500`. None where commas part anything else: where `1,5` is
/// written, it means one and a half.
pub fn without_separators(number: &str) -> Option<String> {
    let (whole, fraction) = number.split_at(number.find('.').unwrap_or(number.len()));
    let parts_thousands = !fraction.contains(',') && whole.split(',').skip(1).all(|part| part.len() == 3);
    parts_thousands.then(|| number.replace([',', '_'], ""))
}

/// A number with an optional suffix of [`scale_of`], in base units.
///
/// # Errors
/// [`QuantityError`] when the text is no number or the suffix is unknown.
pub fn parse_scaled(text: &str) -> Result<f64, QuantityError> {
    const EXPECTED: &str = "a number, perhaps with k, M, ms, s, m, h or d behind it";
    let (number, suffix) = split(text, EXPECTED)?;
    let scale = scale_of(suffix).ok_or_else(|| QuantityError::UnknownUnit(suffix.to_owned(), EXPECTED))?;
    Ok(number * scale)
}

impl Seconds {
    const EXPECTED: &str = "a time such as 250ms, 90s, 15m, 6h or 2d";

    /// A checked span.
    ///
    /// # Errors
    /// [`QuantityError::OutOfRange`] when it is negative or not finite.
    pub fn new(seconds: f64) -> Result<Self, QuantityError> {
        checked(seconds, f64::MAX, Self::EXPECTED).map(Self)
    }
}

impl PerSecond {
    const EXPECTED: &str = "a rate such as 2.5/s, 40/min, 5000/h or 1M/day";

    /// A checked rate.
    ///
    /// # Errors
    /// [`QuantityError::OutOfRange`] when it is negative or not finite.
    pub fn new(per_second: f64) -> Result<Self, QuantityError> {
        checked(per_second, f64::MAX, Self::EXPECTED).map(Self)
    }
}

impl Count {
    const EXPECTED: &str = "a number such as 500, 30k or 4M";

    /// A checked number.
    ///
    /// # Errors
    /// [`QuantityError::OutOfRange`] when it is negative or not finite.
    pub fn new(count: f64) -> Result<Self, QuantityError> {
        checked(count, f64::MAX, Self::EXPECTED).map(Self)
    }
}

impl Share {
    const EXPECTED: &str = "a share between 0 and 1, or a percentage such as 5%";

    /// A checked share.
    ///
    /// # Errors
    /// [`QuantityError::OutOfRange`] when it is not within 0 and 1.
    pub fn new(share: f64) -> Result<Self, QuantityError> {
        checked(share, 1.0, Self::EXPECTED).map(Self)
    }
}

impl Growth {
    const EXPECTED: &str = "growth above -100% and at most 100 (10000%), such as 2% or 0.02";
    const MOST: f64 = 100.0;

    /// Checked growth.
    ///
    /// # Errors
    /// [`QuantityError::OutOfRange`] when nothing would be left, or a hundredfold more would come.
    pub fn new(growth: f64) -> Result<Self, QuantityError> {
        let fits = growth > -1.0 && growth <= Self::MOST;
        fits.then_some(Self(growth)).ok_or_else(|| QuantityError::OutOfRange(short(growth), Self::EXPECTED))
    }
}

/// A number as people write it: no row of zeros for one that is out of all proportion, no digits that nobody asked for.
pub fn short(number: f64) -> String {
    let magnitude = number.abs();
    if !number.is_finite() {
        return if number.is_nan() { "not a number" } else { "infinite" }.to_owned();
    }
    if magnitude != 0.0 && !(1e-4..1e15).contains(&magnitude) {
        return format!("{number:e}");
    }
    let rounded = format!("{number:.4}");
    rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn checked(number: f64, most: f64, expected: &'static str) -> Result<f64, QuantityError> {
    if (0.0..=most).contains(&number) { Ok(number) } else { Err(QuantityError::OutOfRange(short(number), expected)) }
}

impl FromStr for Seconds {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (number, unit) = split(text, Self::EXPECTED)?;
        let scale = match unit {
            "" => Some(1.0),
            "ms" => Some(1e-3),
            _ => seconds_in(unit),
        };
        Self::new(number * scale.ok_or_else(|| QuantityError::UnknownUnit(unit.to_owned(), Self::EXPECTED))?)
    }
}

impl FromStr for PerSecond {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (count, unit) = text.split_once('/').unwrap_or((text, "s"));
        let (number, suffix) = split(count, Self::EXPECTED)?;
        let unknown = |unit: &str| QuantityError::UnknownUnit(unit.to_owned(), Self::EXPECTED);
        let scale = thousands(suffix).ok_or_else(|| unknown(suffix))?;
        Self::new(number * scale / seconds_in(unit.trim()).ok_or_else(|| unknown(unit.trim()))?)
    }
}

impl FromStr for Count {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (number, suffix) = split(text, Self::EXPECTED)?;
        let unknown = || QuantityError::UnknownUnit(suffix.to_owned(), Self::EXPECTED);
        Self::new(number * thousands(suffix).ok_or_else(unknown)?)
    }
}

fn thousands(suffix: &str) -> Option<f64> {
    match suffix {
        "" => Some(1.0),
        "k" => Some(1e3),
        "M" => Some(1e6),
        _ => None,
    }
}

impl FromStr for Share {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        parts_of_one(text, Self::EXPECTED).and_then(Self::new)
    }
}

impl FromStr for Growth {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        parts_of_one(text, Self::EXPECTED).and_then(Self::new)
    }
}

/// `0.05` or `5%`.
fn parts_of_one(text: &str, expected: &'static str) -> Result<f64, QuantityError> {
    match split(text, expected)? {
        (part, "") => Ok(part),
        (percent, "%") => Ok(percent / 100.0),
        (_, unit) => Err(QuantityError::UnknownUnit(unit.to_owned(), expected)),
    }
}

/// Reads a quantity from a number or a text, and describes itself in a JSON Schema.
macro_rules! readable {
    ($($name:ident, $schema_name:literal;)+) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader;
                impl serde::de::Visitor<'_> for Reader {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($name::EXPECTED)
                    }

                    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<$name, E> {
                        $name::new(number).map_err(E::custom)
                    }

                    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<$name, E> {
                        self.visit_f64(number as f64)
                    }

                    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<$name, E> {
                        self.visit_f64(number as f64)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_any(Reader)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $schema_name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": ["number", "string"], "description": $name::EXPECTED })
            }
        }
    )+};
}

readable! {
    Seconds, "Duration";
    PerSecond, "Rate";
    Count, "Count";
    Share, "Share";
    Growth, "Growth";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_as_people_write_them() {
        assert_eq!("250ms".parse(), Ok(Seconds(0.25)));
        assert_eq!("1.5h".parse(), Ok(Seconds(5400.0)));
        assert_eq!("90".parse(), Ok(Seconds(90.0)));
        assert_eq!("40/min".parse(), Ok(PerSecond(40.0 / 60.0)));
        assert_eq!("86.4k / day".parse(), Ok(PerSecond(1.0)));
        assert_eq!("30k".parse(), Ok(Count(3e4)));
        assert_eq!("5%".parse(), Ok(Share(0.05)));
        assert_eq!(
            ["20%", "0.2", "-5%", "250%"].map(str::parse),
            [0.2, 0.2, -0.05, 2.5].map(|growth| Ok(Growth(growth)))
        );
        assert_eq!(parse_scaled("1_000k"), Ok(1e6));
        assert_eq!(parse_scaled("2.5e-3"), Ok(0.0025));
    }

    #[test]
    fn nonsense_is_refused_with_what_was_expected() {
        for text in ["", "-1s", "NaN", "inf", "5 parsecs", "1e999"] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
        for text in ["40/fortnight", "3h/min", "/min", "-2/s"] {
            assert!(text.parse::<PerSecond>().is_err(), "{text}");
        }
        for text in ["1.01", "101%", "-1%", "5 %%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
        for text in ["-1", "-100%", "101", "NaN", "2 times"] {
            assert!(text.parse::<Growth>().is_err(), "{text}");
        }
        let message = "40/fortnight".parse::<PerSecond>().unwrap_err().to_string();
        assert!(message.contains("`fortnight`") && message.contains("40/min"), "{message}");
    }

    #[test]
    fn messages_quote_numbers_that_can_be_read() {
        assert_eq!(
            [0.0, 8784.0, 1.0 / 60.0, 1e308, -2.5, 1e-9].map(short),
            ["0", "8784", "0.0167", "1e308", "-2.5", "1e-9"]
        );
        assert_eq!([f64::NAN, f64::INFINITY].map(short), ["not a number", "infinite"]);
        let message = Share::new(1e308).unwrap_err().to_string();
        assert!(message.len() < 100, "{message}");
    }

    #[test]
    fn numbers_and_texts_deserialize_alike() {
        let read = |json: &str| serde_json::from_str::<Seconds>(json).map_err(|e| e.to_string());
        assert_eq!(read("90"), read("\"90s\""));
        assert!(read("-3").unwrap_err().contains("out of range"));
    }
}

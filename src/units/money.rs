//! Exact money. Amounts are whole picodollars in `i128`, read from decimal text; no amount ever passes through a float,
//! so totals do not depend on the order of addition.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub};
use std::str::FromStr;

const PICOS_PER_DOLLAR: u32 = 12;
const ATTOS_PER_PICO: i128 = 1_000_000;

/// An amount of US dollars in whole picodollars (10⁻¹² $). May be negative (a difference).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i128);

/// Why a text is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a decimal number.
    #[error("`{0}` is not a decimal number such as `12.50` or `2.5e-6`")]
    NotDecimal(String),
    /// More digits than an exact amount can hold.
    #[error("`{0}` is outside the range of exact amounts")]
    OutOfRange(String),
    /// Finer than the smallest unit.
    #[error("`{0}` has more than {1} decimal places")]
    TooFine(String, u32),
}

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// An amount of whole picodollars.
    pub const fn from_picos(picos: i128) -> Self {
        Self(picos)
    }

    /// The amount in whole picodollars.
    pub const fn picos(self) -> i128 {
        self.0
    }

    /// The sum, or `None` beyond 10²⁶ dollars.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// This amount divided by `n`, rounded half away from zero. `n` must not be 0.
    pub const fn divided_by(self, n: u64) -> Self {
        let n = n as i128;
        let half = if self.0 < 0 { -(n / 2) } else { n / 2 };
        Self(self.0.saturating_add(half) / n)
    }

    /// The decimal text with exactly two decimals, rounded half away from zero: what a person reads.
    pub fn to_cents(self) -> String {
        let cents = Self(self.0).divided_by(10_000_000_000).0;
        let sign = if cents < 0 { "-" } else { "" };
        format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
    }
}

/// Rounds attodollars to money, half away from zero.
impl Money {
    /// An exact amount of attodollars rounded to picodollars, half away from zero.
    pub const fn from_attos_rounded(attos: i128) -> Self {
        let half = if attos < 0 { -(ATTOS_PER_PICO / 2) } else { ATTOS_PER_PICO / 2 };
        Self((attos + half) / ATTOS_PER_PICO)
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        parse_decimal(text, PICOS_PER_DOLLAR).map(Self)
    }
}

impl fmt::Display for Money {
    /// The shortest exact decimal text with at least two decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&decimal_text(self.0, PICOS_PER_DOLLAR))
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.checked_add(other).expect("amounts below 10^26 dollars")
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl serde::Serialize for Money {
    /// A decimal string: money is never a JSON number.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Money {
    /// From the decimal string that [`Money`] is written as; never from a JSON number.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The decimal text of `value` · 10^-`scale`, trailing zeros dropped down to two decimals.
pub(super) fn decimal_text(value: i128, scale: u32) -> String {
    let unit = 10u128.pow(scale);
    let digits = format!("{:0width$}", value.unsigned_abs() % unit, width = scale as usize);
    let fraction = digits.trim_end_matches('0');
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}.{fraction:0<2}", value.unsigned_abs() / unit)
}

/// Parses `[-]digits[.digits][e[+-]digits]` into an integer scaled by 10^`scale`; never rounds.
pub(super) fn parse_decimal(text: &str, scale: u32) -> Result<i128, MoneyError> {
    let not_decimal = || MoneyError::NotDecimal(text.to_owned());
    let trimmed = text.trim();
    let (negative, unsigned) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| not_decimal())?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    let count = whole.len() + fraction.len();
    if count == 0 || !digits().all(|digit| digit.is_ascii_digit()) {
        return Err(not_decimal());
    }
    let trailing = digits().rev().take_while(|digit| *digit == b'0').count();
    if trailing == count {
        return Ok(0);
    }
    let out_of_range = || MoneyError::OutOfRange(text.to_owned());
    let places = i64::from(scale) + i64::from(exponent) + trailing as i64 - fraction.len() as i64;
    let shift = u32::try_from(places).map_err(|_| MoneyError::TooFine(text.to_owned(), scale))?;
    let append = |value: i128, digit: u8| value.checked_mul(10)?.checked_add(i128::from(digit - b'0'));
    let magnitude = digits()
        .take(count - trailing)
        .try_fold(0, append)
        .and_then(|value| value.checked_mul(10i128.checked_pow(shift)?))
        .ok_or_else(out_of_range)?;
    Ok(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        text.parse().expect(text)
    }

    #[test]
    fn decimal_text_round_trips() {
        for text in ["0.00", "1.00", "-0.50", "12.345678901234", "2300.00", "0.000000000001"] {
            assert_eq!(money(text).to_string(), text);
        }
    }

    #[test]
    fn what_cannot_be_exact_is_refused() {
        for text in ["", ".", "1e", "NaN", "inf", "1,5", "0x10", "1e-13", "1e99", "٣"] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
    }

    #[test]
    fn cents_round_half_away_from_zero() {
        assert_eq!(money("0.005").to_cents(), "0.01");
        assert_eq!(money("-0.005").to_cents(), "-0.01");
        assert_eq!(money("2.004999").to_cents(), "2.00");
    }
}

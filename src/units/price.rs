//! Prices of one unit and the exact cost of many: whole rontodollars (10⁻²⁷ $) in `i128`.
//!
//! Published prices carry up to 24 decimals (a price table written by a program prints floats such as
//! `2.0000000000000002e-07`), so a unit price is kept much finer than money.

use std::fmt;
use std::str::FromStr;

use super::money::{Money, MoneyError, decimal_text, parse_decimal};

const DECIMALS: u32 = 27;
const DECIMALS_PER_MILLION: u32 = DECIMALS - 6;
const RONTOS_PER_PICO: i128 = 1_000_000_000_000_000;

/// A price for one unit: a token, a second, a request. Never rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnitPrice(i128);

/// What units at a price cost before it is rounded to [`Money`]: exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ExactCost(i128);

impl UnitPrice {
    /// Free.
    pub const ZERO: Self = Self(0);

    /// A price of whole attodollars (10⁻¹⁸ $) a unit.
    #[cfg(test)]
    pub const fn from_attos(attos: i64) -> Self {
        Self(attos as i128 * 1_000_000_000)
    }

    /// A price given for a million units: `0.14` for $0.14 per 1M tokens.
    ///
    /// # Errors
    /// [`MoneyError`] when the text is not a decimal number or has more than 21 decimals.
    pub fn per_million(text: &str) -> Result<Self, MoneyError> {
        parse_decimal(text, DECIMALS_PER_MILLION).map(Self)
    }

    /// The exact cost of `units`; `None` on overflow.
    pub const fn times(self, units: u64) -> Option<ExactCost> {
        match self.0.checked_mul(units as i128) {
            Some(cost) => Some(ExactCost(cost)),
            None => None,
        }
    }

    /// The price of a unit that costs both; `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The price of a unit that costs this much.
    pub const fn of_one(cost: ExactCost) -> Self {
        Self(cost.0)
    }

    /// Whether the price is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The price in whole picodollars if it is one exactly, for the engine's integer arithmetic.
    pub fn exact_picos(self) -> Option<u64> {
        if self.0 % RONTOS_PER_PICO == 0 { u64::try_from(self.0 / RONTOS_PER_PICO).ok() } else { None }
    }

    /// The decimal text of the price per million units, at least two decimals.
    pub fn per_million_text(self) -> String {
        decimal_text(self.0, DECIMALS_PER_MILLION)
    }
}

impl ExactCost {
    /// The cost of an amount of money.
    pub fn from_money(money: Money) -> Option<Self> {
        money.picos().checked_mul(RONTOS_PER_PICO).map(Self)
    }

    /// The sum; `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// This cost times `numerator / denominator` (both positive), rounded half away from zero at the last of 27
    /// decimals; `None` on overflow.
    pub fn scaled(self, numerator: i128, denominator: i128) -> Option<Self> {
        let (whole, rest) = (self.0 / denominator, self.0 % denominator);
        let rest = rest.checked_mul(numerator)?;
        let half = if rest < 0 { -(denominator / 2) } else { denominator / 2 };
        whole.checked_mul(numerator)?.checked_add((rest + half) / denominator).map(Self)
    }

    /// The amount of money, rounded half away from zero at the picodollar.
    pub const fn rounded(self) -> Money {
        let half = if self.0 < 0 { -(RONTOS_PER_PICO / 2) } else { RONTOS_PER_PICO / 2 };
        Money::from_picos((self.0 + half) / RONTOS_PER_PICO)
    }
}

impl FromStr for UnitPrice {
    type Err = MoneyError;

    /// A price in dollars for one unit, e.g. `2.5e-06`.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        parse_decimal(text, DECIMALS).map(Self)
    }
}

impl fmt::Display for UnitPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&decimal_text(self.0, DECIMALS))
    }
}

impl fmt::Display for ExactCost {
    /// The shortest exact decimal text: `0.00001225`, `2`, `0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = decimal_text(self.0, DECIMALS);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> UnitPrice {
        text.parse().expect(text)
    }

    #[test]
    fn exponents_shift_the_point_without_rounding() {
        assert_eq!("2.5e-06".parse::<UnitPrice>(), UnitPrice::per_million("2.5"));
        assert_eq!(price("1.4e-7").exact_picos(), Some(140_000));
        assert_eq!(price("2.0000000000000002e-07").to_string(), "0.00000020000000000000002");
        assert_eq!(price("2.0000000000000002e-07").exact_picos(), None);
    }

    #[test]
    fn times_is_exact() {
        let price = UnitPrice::per_million("2.50").unwrap();
        assert_eq!(price.times(1_000_000).unwrap().rounded(), "2.50".parse().unwrap());
    }

    #[test]
    fn exact_costs_print_without_trailing_zeros() {
        for (price_text, units, expected) in
            [("1.25e-6", 10, "0.0000125"), ("2", 1, "2"), ("2", 0, "0"), ("5", 2, "10")]
        {
            assert_eq!(price(price_text).times(units).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn scaling_rounds_half_away_from_zero_at_the_last_decimal_only() {
        let cost = price("0.0035").times(1).unwrap();
        assert_eq!(cost.scaled(9, 10).unwrap().scaled(12, 10).unwrap().to_string(), "0.00378");
        assert_eq!(ExactCost(1).scaled(1, 2), Some(ExactCost(1)));
        assert_eq!(ExactCost(-1).scaled(1, 2), Some(ExactCost(-1)));
        assert_eq!(ExactCost(i128::MAX).scaled(3, 2), None);
    }

    #[test]
    fn rounding_to_money_is_half_away_from_zero() {
        assert_eq!(price("5e-13").times(1).unwrap().rounded(), Money::from_picos(1));
        assert_eq!(price("4.9e-13").times(1).unwrap().rounded(), Money::from_picos(0));
    }
}

//! What an operator puts on top of list prices: `cost_discount_config` and `cost_margin_config` of LiteLLM.

use crate::units::{ExactCost, Money, UnitPrice};

/// A discount, then a margin (LiteLLM 1.102.4, `_apply_cost_discount`, `_apply_cost_margin`):
/// `cost · (1 − discount) · (1 + margin) + fixed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Adjustment {
    /// Share taken off; 0.05 is 5%.
    pub discount: Share,
    /// Share put on what is left.
    pub margin: Share,
    /// Amount put on every request.
    pub fixed: Money,
}

/// A fraction in whole millionths: exact, and small enough that scaling a cost cannot overflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Share(i64);

const ONE: i64 = 1_000_000;

impl Share {
    /// Reads a decimal fraction with at most six decimals, between -1000 and 1000.
    pub fn parse(text: &str) -> Option<Self> {
        // Money has 12 decimals: a share of whole millionths is a multiple of 10⁻⁶ of it.
        let picos = text.parse::<Money>().ok()?.picos();
        let share = i64::try_from(picos / 1_000_000).ok().filter(|share| share.abs() <= 1000 * ONE)?;
        (picos % 1_000_000 == 0).then_some(Self(share))
    }

    fn of_one(self, sign: i64) -> i128 {
        i128::from(ONE + sign * self.0)
    }
}

impl Adjustment {
    /// Whether it changes nothing.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The adjusted cost of a request; `None` on overflow.
    pub fn apply(&self, cost: ExactCost) -> Option<ExactCost> {
        self.scale(cost)?.checked_add(ExactCost::from_money(self.fixed)?)
    }

    /// The adjusted cost without the fixed amount.
    pub fn scale(&self, cost: ExactCost) -> Option<ExactCost> {
        cost.scaled(self.discount.of_one(-1), i128::from(ONE))?.scaled(self.margin.of_one(1), i128::from(ONE))
    }

    /// The adjusted price of one unit.
    pub fn scale_price(&self, price: UnitPrice) -> Option<UnitPrice> {
        price.times(1).and_then(|cost| self.scale(cost)).map(UnitPrice::of_one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discount_comes_before_margin_and_the_fixed_amount_last() {
        let adjustment = Adjustment {
            discount: Share::parse("0.1").unwrap(),
            margin: Share::parse("0.2").unwrap(),
            fixed: "0.0005".parse().unwrap(),
        };
        let cost = "0.0035".parse::<UnitPrice>().unwrap().times(1).unwrap();
        assert_eq!(adjustment.apply(cost).unwrap().to_string(), "0.00428");
    }

    #[test]
    fn shares_are_exact_or_refused() {
        assert_eq!(Share::parse("0.000001"), Some(Share(1)));
        for text in ["0.0000001", "abc", "NaN", "2000"] {
            assert_eq!(Share::parse(text), None, "{text}");
        }
    }
}

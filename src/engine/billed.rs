//! What a deployment bills, meter by meter.

use crate::engine::charges::ChargeSum;
use crate::pricing::CompiledRates;
use crate::units::{Money, TokenKind, Usage};

/// Sums of what is billed, by what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Billed([ChargeSum; TokenKind::ALL.len()]);

impl Billed {
    /// Adds a part of a charge.
    #[inline(always)]
    pub(super) fn add(&mut self, kind: TokenKind, quantity: u64, amount: Money) {
        let sum = &mut self.0[kind as usize];
        sum.quantity += quantity;
        sum.amount += amount;
    }

    /// Adds the sums of another run or deployment.
    pub fn merge(&mut self, other: &Self) {
        for (kind, sum) in other.iter() {
            self.add(kind, sum.quantity, sum.amount);
        }
    }

    /// Meter by meter, in the order of reports.
    pub fn iter(&self) -> impl Iterator<Item = (TokenKind, ChargeSum)> {
        TokenKind::ALL.into_iter().zip(self.0)
    }

    /// All of it.
    pub fn total(&self) -> Money {
        self.0.iter().map(|sum| sum.amount).sum()
    }
}

/// Calls that know only input and output, at prices that do not change: three additions a call, multiplied at the end
/// (50 instructions a call less than sums of money by kind).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PlainCalls {
    /// How many.
    pub count: u64,
    /// Their input tokens.
    pub input: u64,
    /// Their output tokens.
    pub output: u64,
}

impl PlainCalls {
    /// Counts a call.
    #[inline(always)]
    pub fn add(&mut self, usage: &Usage) {
        self.count += 1;
        self.input += u64::from(usage.input);
        self.output += u64::from(usage.output);
    }

    /// What they cost; nothing under prices that know other tokens apart.
    pub fn cost(&self, rates: &CompiledRates) -> Money {
        rates.plain_sums(self.count, self.input, self.output).map_or(Money::ZERO, |sums| sums.into_iter().sum())
    }

    /// Adds what they cost.
    pub fn add_to(&self, billed: &mut Billed, rates: &CompiledRates) {
        let Self { count, input, output } = *self;
        let Some([for_input, for_output, fixed]) = rates.plain_sums(count, input, output) else { return };
        billed.add(TokenKind::Input, input, for_input);
        billed.add(TokenKind::Output, output, for_output);
        if fixed != Money::ZERO {
            billed.add(TokenKind::Call, count, fixed);
        }
    }
}

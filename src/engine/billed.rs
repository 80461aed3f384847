//! What a deployment bills, meter by meter.

use crate::engine::charges::ChargeSum;
use crate::pricing::ChargedTokens;
use crate::units::{Money, TokenKind};

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

    /// Adds a charge, part by part: what it comes to, and how much of that is for writing to a prompt cache.
    #[inline(always)]
    pub(super) fn add_parts(&mut self, parts: &[ChargedTokens]) -> (Money, Money) {
        let (mut amount, mut writing) = (Money::ZERO, Money::ZERO);
        for part in parts {
            self.add(part.kind, part.quantity, part.amount);
            amount += part.amount;
            if part.kind == TokenKind::CacheWrite {
                writing += part.amount;
            }
        }
        (amount, writing)
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

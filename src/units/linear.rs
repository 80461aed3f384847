//! Prices that only have to be multiplied and added: 54 instructions a charge instead of 137. The slow twin is
//! `CompiledRates::charge_parts`.

use crate::units::{Tokens, Usage};

/// What calls cost whose price rises evenly with each kind of their tokens: whole picodollars, all products without a
/// branch on what a call consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinearPrice {
    /// Picodollars for a token of all input, and what those cost more or less that are read from a cache, written to it
    /// for 5 minutes, written for 1 hour.
    pub input: [i64; 4],
    /// The same for all output, and for reasoning.
    pub output: [i64; 2],
    /// For a call.
    pub fixed: i64,
    /// It holds for calls with less input than this.
    pub below: Tokens,
}

/// Calls with more tokens than this have to be looked at more closely: so nothing overflows.
const MOST_TOKENS: Tokens = 1 << 24;
/// The same for prices of tokens, and for those of calls.
const MOST_PICOS: i64 = 1 << 33;
const MOST_FIXED: i64 = 1 << 60;

impl LinearPrice {
    /// This price, if it is not so high that it could overflow.
    pub fn checked(self) -> Option<Self> {
        let is_small = |price: &i64| price.abs() <= MOST_PICOS;
        let are_small = self.input.iter().chain(&self.output).all(is_small) && (0..MOST_FIXED).contains(&self.fixed);
        are_small.then(|| Self { below: self.below.min(MOST_TOKENS), ..self })
    }

    /// What a call costs, in picodollars; `None` where more has to be asked.
    #[inline(always)]
    pub fn picos(&self, usage: &Usage) -> Option<i64> {
        if !((usage.input < self.below) & (usage.output < MOST_TOKENS) & usage.is_whole()) {
            return None;
        }
        let product = |tokens: Tokens, price: i64| i64::from(tokens) * price;
        let [all, read, write, write_1h] = self.input;
        let input = product(usage.input, all) + product(usage.cached, read);
        let writes = product(usage.cache_write, write) + product(usage.cache_write_1h, write_1h);
        let output = product(usage.output, self.output[0]) + product(usage.reasoning, self.output[1]);
        Some(input + writes + output + self.fixed)
    }
}

//! Prices per token by kind of token, and what a usage costs at them.

use crate::units::{ExactCost, Money, Tokens, UnitPrice, Usage};

/// Prices per token as published: `None` where the source states none, which is not the same as free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Input tokens that are neither read from nor written to a prompt cache.
    pub input: Option<UnitPrice>,
    /// Output tokens.
    pub output: Option<UnitPrice>,
    /// Input tokens read from a prompt cache.
    pub cache_read: Option<UnitPrice>,
    /// Input tokens written to a prompt cache for 5 minutes.
    pub cache_write: Option<UnitPrice>,
    /// Input tokens written to a prompt cache for an hour.
    pub cache_write_1h: Option<UnitPrice>,
    /// Output tokens spent on reasoning.
    pub reasoning: Option<UnitPrice>,
}

/// Prices per token after all rules: every kind has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenRates {
    /// Plain input tokens.
    pub input: UnitPrice,
    /// Input tokens read from a prompt cache.
    pub cache_read: UnitPrice,
    /// Input tokens written for 5 minutes.
    pub cache_write: UnitPrice,
    /// Input tokens written for an hour.
    pub cache_write_1h: UnitPrice,
    /// Output tokens that are not reasoning.
    pub output: UnitPrice,
    /// Reasoning tokens.
    pub reasoning: UnitPrice,
}

/// How a usage falls apart into kinds of tokens. A kind that is not split off counts as plain input or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// Cached tokens have their own price.
    pub cached: bool,
    /// Cache-writing tokens have their own price.
    pub writes: bool,
    /// Reasoning tokens have their own price.
    pub reasoning: bool,
}

/// Token counts by kind, as they are multiplied with [`TokenRates`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metered {
    /// Plain input.
    pub input: Tokens,
    /// Read from a prompt cache.
    pub cache_read: Tokens,
    /// Written for 5 minutes.
    pub cache_write: Tokens,
    /// Written for an hour.
    pub cache_write_1h: Tokens,
    /// Output without reasoning.
    pub output: Tokens,
    /// Reasoning.
    pub reasoning: Tokens,
}

/// The exact cost of one usage by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CostParts {
    /// Plain input, and fees on input.
    pub input: ExactCost,
    /// Reading from a prompt cache.
    pub cached: ExactCost,
    /// Writing to a prompt cache, both durations.
    pub cache_write: ExactCost,
    /// Output without reasoning.
    pub output: ExactCost,
    /// Reasoning.
    pub reasoning: ExactCost,
}

impl Split {
    /// Every kind has its own price.
    pub const ALL: Self = Self { cached: true, writes: true, reasoning: true };

    /// The token counts of a usage by kind. Kinds that add up to more than the whole leave nothing for the rest.
    #[inline]
    pub const fn meter(self, usage: &Usage) -> Metered {
        // Products: which kinds a model knows apart changes from call to call, and no branch could foresee it.
        let cache_read = usage.cached * self.cached as Tokens;
        let (cache_write, cache_write_1h) =
            (usage.cache_write * self.writes as Tokens, usage.cache_write_1h * self.writes as Tokens);
        let reasoning = usage.reasoning * self.reasoning as Tokens;
        let input = usage.input.saturating_sub(cache_read);
        let input = input.saturating_sub(cache_write).saturating_sub(cache_write_1h);
        Metered {
            input,
            cache_read,
            cache_write,
            cache_write_1h,
            output: usage.output.saturating_sub(reasoning),
            reasoning,
        }
    }
}

impl Rates {
    /// These rates, with those of `other` where these have none.
    pub fn or(self, other: Self) -> Self {
        Self {
            input: self.input.or(other.input),
            output: self.output.or(other.output),
            cache_read: self.cache_read.or(other.cache_read),
            cache_write: self.cache_write.or(other.cache_write),
            cache_write_1h: self.cache_write_1h.or(other.cache_write_1h),
            reasoning: self.reasoning.or(other.reasoning),
        }
    }

    /// Whether nothing is published.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl TokenRates {
    /// What the tokens cost, exactly; `None` beyond the range of exact amounts.
    pub fn cost(&self, metered: &Metered) -> Option<CostParts> {
        let write = self.cache_write.times(u64::from(metered.cache_write))?;
        let write_1h = self.cache_write_1h.times(u64::from(metered.cache_write_1h))?;
        Some(CostParts {
            input: self.input.times(u64::from(metered.input))?,
            cached: self.cache_read.times(u64::from(metered.cache_read))?,
            cache_write: write.checked_add(write_1h)?,
            output: self.output.times(u64::from(metered.output))?,
            reasoning: self.reasoning.times(u64::from(metered.reasoning))?,
        })
    }
}

impl CostParts {
    /// The whole cost; `None` on overflow.
    pub fn total(&self) -> Option<ExactCost> {
        self.input
            .checked_add(self.cached)?
            .checked_add(self.cache_write)?
            .checked_add(self.output)?
            .checked_add(self.reasoning)
    }

    /// The whole cost as money, rounded once.
    pub fn money(&self) -> Option<Money> {
        self.total().map(ExactCost::rounded)
    }

    /// The cost of all input, however it was priced.
    pub fn prompt(&self) -> Option<ExactCost> {
        self.input.checked_add(self.cached)?.checked_add(self.cache_write)
    }

    /// The cost of all output.
    pub fn completion(&self) -> Option<ExactCost> {
        self.output.checked_add(self.reasoning)
    }
}

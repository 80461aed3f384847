//! The engine's form of prices: integer multiplications, no allocation, no lookup by name.

use jiff::Timestamp;

use super::adjust::Adjustment;
use super::rates::{Split, TokenRates};
use super::rule::{Moment, Rule};
use super::service_tier::ServiceTier;
use super::tariff::Tariff;
use crate::units::{ExactCost, Money, Tokens, UnitPrice, Usage};

/// Prices of one model at one service tier and hour, ready to charge usages.
#[derive(Debug, Clone, PartialEq)]
pub struct CompiledRates {
    /// Prices by input length, longest first; the last one starts at 0.
    bands: Box<[Band]>,
    split: Split,
    dashscope_length: bool,
    /// Output price of requests with at least so many output tokens (a rule of Vertex AI).
    long_output: Option<(Tokens, UnitPrice)>,
    input_fee: UnitPrice,
    fixed: u64,
}

/// Prices of requests with at least `from` input tokens.
#[derive(Debug, Clone, PartialEq)]
struct Band {
    from: u64,
    prices: Prices,
}

#[derive(Debug, Clone, PartialEq)]
enum Prices {
    /// Whole picodollars a token. Four bytes each, so that a product of tokens and price cannot overflow.
    Picos(PicoRates),
    /// Finer or larger than that; every charge is rounded.
    Exact(TokenRates),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct PicoRates {
    input: u32,
    cache_read: u32,
    cache_write: u32,
    cache_write_1h: u32,
    output: u32,
    reasoning: u32,
}

/// A charge by kind, in whole picodollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChargeParts {
    /// Plain input, with fees on input.
    pub input: u64,
    /// Reading from a prompt cache.
    pub cached: u64,
    /// Writing to a prompt cache.
    pub cache_write: u64,
    /// Output without reasoning.
    pub output: u64,
    /// Reasoning.
    pub reasoning: u64,
    /// The operator's fixed amount per request.
    pub fixed: u64,
}

impl ChargeParts {
    /// The whole charge.
    pub fn total(&self) -> Money {
        let parts = [self.input, self.cached, self.cache_write, self.output, self.reasoning, self.fixed];
        Money::from_picos(parts.iter().map(|&part| i128::from(part)).sum())
    }
}

impl CompiledRates {
    /// Compiles a tariff for a service tier, an hour and an operator's adjustment.
    ///
    /// The prices are asked for at every input length where some rule may change them, so this knows no rules.
    pub fn compile(tariff: &Tariff<'_>, service: ServiceTier, at: Timestamp, adjust: &Adjustment) -> Option<Self> {
        let rates_at =
            |prompt: u64, completion: u64| adjusted(&tariff.rates(Moment { prompt, completion, service, at }), adjust);
        let mut bands: Vec<Band> = Vec::new();
        for from in lengths_of_change(tariff) {
            let prices = Prices::of(rates_at(from, 0)?);
            if bands.last().is_none_or(|band| band.prices != prices) {
                bands.push(Band { from, prices });
            }
        }
        bands.reverse();
        let (short, long) = (rates_at(0, 0)?.output, rates_at(0, LONG_OUTPUT)?.output);
        Some(Self {
            bands: bands.into_boxed_slice(),
            split: tariff.rule.split(&tariff.card),
            dashscope_length: tariff.rule == Rule::Dashscope,
            long_output: (short != long).then_some((LONG_OUTPUT as Tokens, long)),
            input_fee: adjust.scale_price(tariff.input_fee)?,
            fixed: u64::try_from(adjust.fixed.picos()).ok()?,
        })
    }

    /// Whether every charge is exact: no price is finer than a picodollar.
    pub fn is_exact(&self) -> bool {
        let bands_exact = self.bands.iter().all(|band| matches!(band.prices, Prices::Picos(_)));
        bands_exact
            && self.input_fee.exact_picos().is_some()
            && self.long_output.is_none_or(|(_, price)| price.exact_picos().is_some())
    }

    /// What a usage costs.
    pub fn charge(&self, usage: &Usage) -> Money {
        self.charge_parts(usage).total()
    }

    /// What a usage costs, by kind. Parts that are not whole picodollars are rounded half away from zero, each.
    pub fn charge_parts(&self, usage: &Usage) -> ChargeParts {
        let length = if self.dashscope_length { Rule::Dashscope.prompt_length(usage) } else { u64::from(usage.input) };
        let band = self.bands.iter().find(|band| band.from <= length).unwrap_or(&self.bands[self.bands.len() - 1]);
        let metered = self.split.meter(usage);
        let product = |tokens: Tokens, price: u32| u64::from(tokens) * u64::from(price);
        let mut parts = match &band.prices {
            Prices::Picos(price) => ChargeParts {
                input: product(metered.input, price.input),
                cached: product(metered.cache_read, price.cache_read),
                cache_write: product(metered.cache_write, price.cache_write)
                    .saturating_add(product(metered.cache_write_1h, price.cache_write_1h)),
                output: product(metered.output, price.output),
                reasoning: product(metered.reasoning, price.reasoning),
                fixed: self.fixed,
            },
            Prices::Exact(rates) => {
                let cost = rates.cost(&metered).unwrap_or_default();
                ChargeParts {
                    input: picos(cost.input),
                    cached: picos(cost.cached),
                    cache_write: picos(cost.cache_write),
                    output: picos(cost.output),
                    reasoning: picos(cost.reasoning),
                    fixed: self.fixed,
                }
            }
        };
        if self.input_fee != UnitPrice::ZERO {
            parts.input = parts.input.saturating_add(rounded(self.input_fee, usage.input));
        }
        if let Some((from, price)) = self.long_output.filter(|(from, _)| usage.output >= *from) {
            debug_assert!(from > 0);
            parts.output = rounded(price, metered.output);
        }
        parts
    }
}

/// One token more than Vertex AI's threshold for output.
const LONG_OUTPUT: u64 = 128_001;

impl Prices {
    fn of(rates: TokenRates) -> Self {
        PicoRates::of(&rates).map_or(Self::Exact(rates), Self::Picos)
    }
}

impl PicoRates {
    fn of(rates: &TokenRates) -> Option<Self> {
        let picos = |price: UnitPrice| price.exact_picos().and_then(|picos| u32::try_from(picos).ok());
        Some(Self {
            input: picos(rates.input)?,
            cache_read: picos(rates.cache_read)?,
            cache_write: picos(rates.cache_write)?,
            cache_write_1h: picos(rates.cache_write_1h)?,
            output: picos(rates.output)?,
            reasoning: picos(rates.reasoning)?,
        })
    }
}

/// The input lengths, ascending, where the prices may change.
fn lengths_of_change(tariff: &Tariff<'_>) -> Vec<u64> {
    let steps = tariff.card.steps.iter().flat_map(|step| [step.above, step.above + 1]);
    let tiers = tariff.card.tiers.iter().flatten().flat_map(|tier| [tier.over + 1, tier.up_to.saturating_add(1)]);
    let mut lengths: Vec<u64> = [0, 1].into_iter().chain(steps).chain(tiers).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

fn adjusted(rates: &TokenRates, adjust: &Adjustment) -> Option<TokenRates> {
    if adjust.is_none() {
        return Some(*rates);
    }
    Some(TokenRates {
        input: adjust.scale_price(rates.input)?,
        cache_read: adjust.scale_price(rates.cache_read)?,
        cache_write: adjust.scale_price(rates.cache_write)?,
        cache_write_1h: adjust.scale_price(rates.cache_write_1h)?,
        output: adjust.scale_price(rates.output)?,
        reasoning: adjust.scale_price(rates.reasoning)?,
    })
}

fn rounded(price: UnitPrice, tokens: Tokens) -> u64 {
    price.times(u64::from(tokens)).map_or(u64::MAX, picos)
}

/// Rounds an exact cost to whole picodollars.
pub(super) fn picos(cost: ExactCost) -> u64 {
    u64::try_from(cost.rounded().picos()).unwrap_or(u64::MAX)
}

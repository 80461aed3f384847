//! A rate card together with the rule that reads it: answers what a usage costs.

use std::borrow::Cow;

use jiff::Timestamp;

use super::adjust::Adjustment;
use super::card::RateCard;
use super::compiled::CompiledRates;
use super::rates::{CostParts, TokenRates};
use super::rule::{Moment, Rule};
use super::service_tier::ServiceTier;
use crate::units::{ExactCost, UnitPrice, Usage};

/// An answer from a price book.
#[derive(Debug, Clone, PartialEq)]
pub enum Priced<T> {
    /// There is a price.
    Known(T),
    /// No price is known; never to be counted as zero without saying so.
    Unpriced,
}

/// The prices of a model under a rule.
#[derive(Debug, Clone)]
pub struct Tariff<'a> {
    /// The name of the entry that was found.
    pub name: &'a str,
    /// The published prices.
    pub card: Cow<'a, RateCard>,
    /// How they are read.
    pub rule: Rule,
    /// A fee on every input token, on top (Azure's model router).
    pub input_fee: UnitPrice,
}

impl<T> Priced<T> {
    /// The price, if known.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(price) => Some(price),
            Self::Unpriced => None,
        }
    }
}

impl<T> From<Option<T>> for Priced<T> {
    fn from(price: Option<T>) -> Self {
        price.map_or(Self::Unpriced, Self::Known)
    }
}

impl<'a> Tariff<'a> {
    /// A card under a rule, without fees.
    pub const fn new(name: &'a str, card: Cow<'a, RateCard>, rule: Rule) -> Self {
        Self { name, card, rule, input_fee: UnitPrice::ZERO }
    }

    /// Whether there is any price to charge; without one the model is unpriced.
    pub fn has_price(&self) -> bool {
        self.card.has_token_price() || self.input_fee > UnitPrice::ZERO || self.per_second() > UnitPrice::ZERO
    }

    /// What every second of the call costs: LiteLLM charges time where tokens have no price (not for OpenAI and most
    /// large providers). It is not part of [`Self::cost`], which knows no durations.
    pub fn per_second(&self) -> UnitPrice {
        let prices = match self.rule {
            Rule::GenericIfPriced if !self.charges_tokens() => {
                [self.card.input_per_second, self.card.output_per_second]
            }
            _ => [None, None],
        };
        prices.into_iter().flatten().fold(UnitPrice::ZERO, |sum, price| sum.checked_add(price).unwrap_or(sum))
    }

    fn charges_tokens(&self) -> bool {
        let charged = |price: Option<UnitPrice>| price.is_some_and(|price| price > UnitPrice::ZERO);
        charged(self.card.standard().input) || charged(self.card.standard().output) || self.card.tiers.is_some()
    }

    /// The exact cost of a usage by kind of token; `None` beyond the range of exact amounts.
    pub fn cost(&self, usage: &Usage, service: ServiceTier, at: Timestamp) -> Option<CostParts> {
        let prompt = self.rule.prompt_length(usage);
        let moment = Moment { prompt, completion: u64::from(usage.output), service, at };
        let mut parts = self.rates(moment).cost(&self.rule.split(&self.card).meter(usage))?;
        let fee = self.input_fee.times(u64::from(usage.input))?;
        parts.input = parts.input.checked_add(fee)?;
        Some(parts)
    }

    /// The whole cost of a usage with an operator's discount and margin.
    pub fn adjusted_cost(
        &self,
        usage: &Usage,
        service: ServiceTier,
        at: Timestamp,
        adjustment: &Adjustment,
    ) -> Option<ExactCost> {
        adjustment.apply(self.cost(usage, service, at)?.total()?)
    }

    /// The prices at a moment, without fees.
    pub fn rates(&self, moment: Moment) -> TokenRates {
        self.rule.rates(&self.card, moment)
    }

    /// The engine's form of these prices at one moment; `None` when a price is outside the range of exact amounts.
    pub fn compile(&self, service: ServiceTier, at: Timestamp, adjustment: &Adjustment) -> Option<CompiledRates> {
        CompiledRates::compile(self, service, at, adjustment)
    }
}

//! The engine's form of prices: integer multiplications, no allocation, no lookup by name.

use jiff::Timestamp;

use super::adjust::Adjustment;
use super::rates::{Metered, Split, TokenRates};
use super::rule::{Moment, Rule};
use super::service_tier::ServiceTier;
use super::tariff::Tariff;
use crate::units::{ExactCost, LinearPrice, Money, TokenKind, Tokens, UnitPrice, Usage, UsageSum};

/// Prices of one model at one service tier and hour, ready to charge usages.
#[derive(Debug, Clone, PartialEq)]
pub struct CompiledRates {
    /// Prices by input length, longest first; the last one starts at 0.
    bands: Box<[Band]>,
    /// The last of them holds for inputs shorter than this.
    long_from: u64,
    split: Split,
    dashscope_length: bool,
    /// Output price of requests with at least so many output tokens (a rule of Vertex AI).
    long_output: Option<(Tokens, UnitPrice)>,
    input_fee: UnitPrice,
    fixed: u64,
    /// The prices of most calls, where they are whole picodollars.
    plain: Option<Plain>,
    /// The same for all kinds of tokens.
    linear: Option<LinearPrice>,
}

/// Picodollars for a token of input and of output.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Plain {
    input: u32,
    output: u32,
    /// They hold for calls with less input than this: longer ones may have other prices.
    below: Tokens,
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
    input_fee: u32,
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

/// A part of a charge, with what was counted for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChargedTokens {
    /// What was counted.
    pub kind: TokenKind,
    /// Tokens; 1 for the fee of a call.
    pub quantity: u64,
    /// What it costs.
    pub amount: Money,
}

impl CompiledRates {
    /// What a usage costs, with the tokens that each part is for; parts of nothing are left out.
    pub fn charged_tokens(&self, usage: &Usage) -> impl Iterator<Item = ChargedTokens> {
        self.all_parts(usage).into_iter().filter(|part| part.quantity > 0 || part.amount != Money::ZERO)
    }

    /// The same with the parts of nothing: who only adds them up need not ask which they are.
    #[inline]
    pub fn all_parts(&self, usage: &Usage) -> [ChargedTokens; 6] {
        let (parts, metered) = (self.charge_parts(usage), self.split.meter(usage));
        let writes = u64::from(metered.cache_write) + u64::from(metered.cache_write_1h);
        let part = |kind, quantity: u64, picos: u64| ChargedTokens {
            kind,
            quantity,
            amount: Money::from_picos(i128::from(picos)),
        };
        [
            part(TokenKind::Input, metered.input.into(), parts.input),
            part(TokenKind::CacheRead, metered.cache_read.into(), parts.cached),
            part(TokenKind::CacheWrite, writes, parts.cache_write),
            part(TokenKind::Output, metered.output.into(), parts.output),
            part(TokenKind::Reasoning, metered.reasoning.into(), parts.reasoning),
            part(TokenKind::Call, u64::from(parts.fixed > 0), parts.fixed),
        ]
    }

    /// Compiles a tariff for a service tier, an hour and an operator's adjustment.
    ///
    /// The prices are asked for at every input length where some rule may change them, so this knows no rules.
    pub fn compile(tariff: &Tariff<'_>, service: ServiceTier, at: Timestamp, adjust: &Adjustment) -> Option<Self> {
        let rates_at =
            |prompt: u64, completion: u64| adjusted(&tariff.rates(Moment { prompt, completion, service, at }), adjust);
        let input_fee = adjust.scale_price(tariff.input_fee)?;
        let mut bands: Vec<Band> = Vec::new();
        for from in lengths_of_change(tariff) {
            let prices = Prices::of(rates_at(from, 0)?, input_fee);
            if bands.last().is_none_or(|band| band.prices != prices) {
                bands.push(Band { from, prices });
            }
        }
        bands.reverse();
        let (short, long) = (rates_at(0, 0)?.output, rates_at(0, LONG_OUTPUT)?.output);
        let dashscope_length = tariff.rule == Rule::Dashscope;
        let common = match &*bands {
            _ if short != long => None,
            [Band { prices: Prices::Picos(rates), .. }] => Some((rates, Tokens::MAX)),
            [.., next, Band { prices: Prices::Picos(rates), .. }] if !dashscope_length => {
                Some((rates, Tokens::try_from(next.from).unwrap_or(Tokens::MAX)))
            }
            _ => None,
        };
        let plain = common.and_then(|(rates, below)| rates.plain(below));
        let (split, fixed) = (tariff.rule.split(&tariff.card), u64::try_from(adjust.fixed.picos()).ok()?);
        let linear = common.and_then(|(rates, below)| rates.linear(split, fixed, below));
        Some(Self {
            plain,
            linear,
            long_from: bands.iter().nth_back(1).map_or(u64::MAX, |longer| longer.from),
            bands: bands.into_boxed_slice(),
            split,
            dashscope_length,
            long_output: (short != long).then_some((LONG_OUTPUT as Tokens, long)),
            input_fee,
            fixed,
        })
    }

    /// What a usage costs.
    pub fn charge(&self, usage: &Usage) -> Money {
        match self.linear.and_then(|linear| linear.picos(usage)) {
            Some(picos) => Money::from_picos(picos.into()),
            None => self.charge_parts(usage).total(),
        }
    }

    /// The same as the nearest float of dollars, in which gateways keep their own books.
    pub fn dollars(&self, usage: &Usage) -> f64 {
        const PICOS_PER_DOLLAR: f64 = 1e12;
        match self.linear.and_then(|linear| linear.picos(usage)) {
            Some(picos) => picos as f64 / PICOS_PER_DOLLAR,
            None => self.charge_parts(usage).total().picos() as f64 / PICOS_PER_DOLLAR,
        }
    }

    /// The prices of most calls, where they rise evenly; the slow twin of what they say is [`Self::charge_parts`].
    pub const fn linear(&self) -> Option<LinearPrice> {
        self.linear
    }

    /// What a usage costs that knows only input and output, and not so much input that other prices might
    /// hold: two multiplications (25 instructions instead of 140). `None` for everything else; the slow twin
    /// is [`Self::charge_parts`].
    #[inline(always)]
    pub fn plain_charge(&self, usage: &Usage) -> Option<Money> {
        let Plain { input, output, below } = self.plain?;
        if !usage.is_plain() || usage.input >= below {
            return None;
        }
        let product = |tokens: Tokens, price: u32| u64::from(tokens) * u64::from(price);
        let tokens = product(usage.input, input).checked_add(product(usage.output, output))?;
        tokens.checked_add(self.fixed).map(|picos| Money::from_picos(picos.into()))
    }

    /// Calls with less input than this can be added up: [`Self::sums`]. 0 where none can.
    pub fn adds_up_below(&self) -> Tokens {
        self.plain.map_or(0, |plain| plain.below)
    }

    /// What calls cost together that can be added up, by kind: to the last digit the sum of what [`Self::all_parts`],
    /// the slow twin, says of each. `None` where no calls [can be](Self::adds_up_below).
    pub fn sums(&self, sum: &UsageSum) -> Option<[ChargedTokens; 6]> {
        self.plain?;
        let Some(Band { prices: Prices::Picos(rates), .. }) = self.bands.last() else { return None };
        let kept = |tokens: u64, is_split: bool| if is_split { tokens } else { 0 };
        let cached = kept(sum.cached, self.split.cached);
        let (write, write_1h) = (kept(sum.cache_write, self.split.writes), kept(sum.cache_write_1h, self.split.writes));
        let reasoning = kept(sum.reasoning, self.split.reasoning);
        let (input, output) = (sum.input - cached - write - write_1h, sum.output - reasoning);
        let product = |quantity: u64, price: u64| i128::from(quantity) * i128::from(price);
        let cost = |tokens: u64, price: u32| product(tokens, price.into());
        let part = |kind, quantity, picos| ChargedTokens { kind, quantity, amount: Money::from_picos(picos) };
        Some([
            part(TokenKind::Input, input, cost(input, rates.input) + cost(sum.input, rates.input_fee)),
            part(TokenKind::CacheRead, cached, cost(cached, rates.cache_read)),
            part(
                TokenKind::CacheWrite,
                write + write_1h,
                cost(write, rates.cache_write) + cost(write_1h, rates.cache_write_1h),
            ),
            part(TokenKind::Output, output, cost(output, rates.output)),
            part(TokenKind::Reasoning, reasoning, cost(reasoning, rates.reasoning)),
            part(TokenKind::Call, kept(sum.calls, self.fixed > 0), product(sum.calls, self.fixed)),
        ])
    }

    /// What a usage costs, by kind. Parts that are not whole picodollars are rounded half away from zero, each.
    #[inline]
    pub fn charge_parts(&self, usage: &Usage) -> ChargeParts {
        let length = if self.dashscope_length { Rule::Dashscope.prompt_length(usage) } else { u64::from(usage.input) };
        let metered = self.split.meter(usage);
        let mut parts = match &self.band(length).prices {
            Prices::Picos(rates) => rates.charge(&metered, usage.input),
            Prices::Exact(rates) => exact_charge(rates, self.input_fee, &metered, usage.input),
        };
        parts.fixed = self.fixed;
        if let Some((_, price)) = self.long_output.filter(|(from, _)| usage.output >= *from) {
            parts.output = picos(price.times(u64::from(metered.output)));
        }
        parts
    }

    /// The prices of an input of this length. Nearly all are short.
    #[inline]
    fn band(&self, length: u64) -> &Band {
        match &*self.bands {
            [.., shortest] if length < self.long_from => shortest,
            longer => longer.iter().find(|band| band.from <= length).unwrap_or(&longer[longer.len() - 1]),
        }
    }
}

/// One token more than Vertex AI's threshold for output.
const LONG_OUTPUT: u64 = 128_001;

impl Prices {
    fn of(rates: TokenRates, input_fee: UnitPrice) -> Self {
        PicoRates::of(&rates, input_fee).map_or(Self::Exact(rates), Self::Picos)
    }
}

impl PicoRates {
    fn of(rates: &TokenRates, input_fee: UnitPrice) -> Option<Self> {
        let picos = |price: UnitPrice| price.exact_picos().and_then(|picos| u32::try_from(picos).ok());
        Some(Self {
            input: picos(rates.input)?,
            cache_read: picos(rates.cache_read)?,
            cache_write: picos(rates.cache_write)?,
            cache_write_1h: picos(rates.cache_write_1h)?,
            output: picos(rates.output)?,
            reasoning: picos(rates.reasoning)?,
            input_fee: picos(input_fee)?,
        })
    }

    /// The prices of plain input, fee included, and of plain output.
    fn plain(&self, below: Tokens) -> Option<Plain> {
        Some(Plain { input: self.input.checked_add(self.input_fee)?, output: self.output, below })
    }

    /// All prices of calls with less input than this, with the differences that kinds make which are told apart.
    fn linear(&self, split: Split, fixed: u64, below: Tokens) -> Option<LinearPrice> {
        let dearer =
            |price: u32, than: u32, is_split: bool| if is_split { i64::from(price) - i64::from(than) } else { 0 };
        let input = [
            i64::from(self.input) + i64::from(self.input_fee),
            dearer(self.cache_read, self.input, split.cached),
            dearer(self.cache_write, self.input, split.writes),
            dearer(self.cache_write_1h, self.input, split.writes),
        ];
        let output = [self.output.into(), dearer(self.reasoning, self.output, split.reasoning)];
        LinearPrice { input, output, fixed: i64::try_from(fixed).ok()?, below }.checked()
    }

    #[inline]
    fn charge(&self, metered: &Metered, input: Tokens) -> ChargeParts {
        let product = |tokens: Tokens, price: u32| u64::from(tokens) * u64::from(price);
        let write = product(metered.cache_write, self.cache_write);
        ChargeParts {
            input: product(metered.input, self.input).saturating_add(product(input, self.input_fee)),
            cached: product(metered.cache_read, self.cache_read),
            cache_write: write.saturating_add(product(metered.cache_write_1h, self.cache_write_1h)),
            output: product(metered.output, self.output),
            reasoning: product(metered.reasoning, self.reasoning),
            fixed: 0,
        }
    }
}

/// The same in exact arithmetic, every part rounded once.
#[cold]
fn exact_charge(rates: &TokenRates, input_fee: UnitPrice, metered: &Metered, input: Tokens) -> ChargeParts {
    let cost = rates.cost(metered);
    let fee = input_fee.times(u64::from(input));
    let input = cost.and_then(|cost| cost.input.checked_add(fee?));
    ChargeParts {
        input: picos(input),
        cached: picos(cost.map(|cost| cost.cached)),
        cache_write: picos(cost.map(|cost| cost.cache_write)),
        output: picos(cost.map(|cost| cost.output)),
        reasoning: picos(cost.map(|cost| cost.reasoning)),
        fixed: 0,
    }
}

/// The input lengths, ascending, where the prices may change.
fn lengths_of_change(tariff: &Tariff<'_>) -> Vec<u64> {
    let steps = tariff.card.steps.iter().flat_map(|step| [step.above, step.above.saturating_add(1)]);
    let tiers =
        tariff.card.tiers.iter().flatten().flat_map(|tier| [tier.over.saturating_add(1), tier.up_to.saturating_add(1)]);
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

/// Rounds an exact cost to whole picodollars; beyond the range (18 million dollars a call) it stays at its end.
fn picos(cost: Option<ExactCost>) -> u64 {
    cost.and_then(|cost| u64::try_from(cost.rounded().picos()).ok()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::pricing::card::{PromptTier, RateCard, Step};
    use crate::pricing::rates::Rates;

    const RULES: [Rule; 10] = [
        Rule::Provider,
        Rule::Generic,
        Rule::GenericIfPriced,
        Rule::NoServiceTier,
        Rule::Xai,
        Rule::Dashscope,
        Rule::Fireworks,
        Rule::Perplexity,
        Rule::Vertex,
        Rule::Free,
    ];

    /// No price, a free one, one in whole picodollars, or one much finer.
    fn price() -> impl Strategy<Value = Option<UnitPrice>> {
        prop_oneof![
            Just(None),
            Just(Some(UnitPrice::ZERO)),
            (1i64..90_000_000).prop_map(|picos| Some(UnitPrice::from_attos(picos * 1_000_000))),
            (1i64..90_000_000_000_000).prop_map(|attos| Some(UnitPrice::from_attos(attos))),
        ]
    }

    fn rates() -> impl Strategy<Value = Rates> {
        (price(), price(), price(), price(), price(), price()).prop_map(
            |(input, output, cache_read, cache_write, cache_write_1h, reasoning)| Rates {
                input,
                output,
                cache_read,
                cache_write,
                cache_write_1h,
                reasoning,
            },
        )
    }

    fn card() -> impl Strategy<Value = RateCard> {
        let above = prop_oneof![Just(200u64), Just(1000), Just(128_000)];
        let steps = proptest::collection::vec((above, rates(), rates()), 0..3);
        let tiers = proptest::option::of(proptest::collection::vec((0u64..400, 1u64..2000, rates()), 0..4));
        (rates(), rates(), steps, tiers, price()).prop_map(|(standard, flex, steps, tiers, output_image)| {
            let mut card = RateCard { output_image, ..RateCard::default() };
            *card.base.of_mut(ServiceTier::Standard) = standard;
            *card.base.of_mut(ServiceTier::Flex) = flex;
            for (above, standard, flex) in steps {
                let step: &mut Step = card.step_above(above);
                *step.rates.of_mut(ServiceTier::Standard) = standard;
                *step.rates.of_mut(ServiceTier::Flex) = flex;
            }
            card.tiers = tiers.map(|mut tiers| {
                tiers.sort_by_key(|tier| tier.0);
                let tier = |(over, length, rates)| PromptTier { over, up_to: over + length, rates };
                tiers.into_iter().map(tier).collect()
            });
            card
        })
    }

    fn usage() -> impl Strategy<Value = Usage> {
        let tokens = || prop_oneof![0u32..3000, Just(128_000), Just(128_001), 0u32..2_000_000];
        (tokens(), tokens(), tokens(), tokens(), tokens(), tokens()).prop_map(
            |(input, cached, cache_write, cache_write_1h, output, reasoning)| Usage {
                input,
                cached: cached % (input + 1),
                cache_write: cache_write % 500,
                cache_write_1h: cache_write_1h % 500,
                output,
                reasoning,
            },
        )
    }

    fn parts_of_exact_path(tariff: &Tariff<'_>, usage: &Usage, service: ServiceTier) -> ChargeParts {
        let cost = tariff.cost(usage, service, Timestamp::UNIX_EPOCH).expect("small amounts");
        ChargeParts {
            input: picos(Some(cost.input)),
            cached: picos(Some(cost.cached)),
            cache_write: picos(Some(cost.cache_write)),
            output: picos(Some(cost.output)),
            reasoning: picos(Some(cost.reasoning)),
            fixed: 0,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, rng_seed: RngSeed::Fixed(7), ..Default::default() })]

        #[test]
        fn compiled_and_exact_charges_agree(
            card in card(),
            rule in 0..RULES.len(),
            flex in any::<bool>(),
            fee in price(),
            usages in proptest::collection::vec(usage(), 12),
        ) {
            let service = if flex { ServiceTier::Flex } else { ServiceTier::Standard };
            let base = Tariff::new("m", Cow::Borrowed(&card), RULES[rule]);
            let tariff = Tariff { input_fee: fee.unwrap_or_default(), ..base };
            let compiled = tariff.compile(service, Timestamp::UNIX_EPOCH, &Adjustment::default()).unwrap();
            for usage in usages {
                let plain = Usage::plain(usage.input, usage.output);
                for usage in [plain, usage] {
                    prop_assert_eq!(compiled.charge(&usage), compiled.charge_parts(&usage).total());
                }
                prop_assert_eq!(
                    compiled.charge_parts(&usage),
                    parts_of_exact_path(&tariff, &usage, service),
                    "{:?} {:?}", RULES[rule], usage
                );
            }
        }
    }

    #[test]
    fn a_margin_is_compiled_into_the_prices() {
        let mut card = RateCard::default();
        card.base.of_mut(ServiceTier::Standard).input = Some("2.5e-6".parse().unwrap());
        let adjustment = Adjustment {
            discount: crate::pricing::Share::parse("0.1").unwrap(),
            margin: crate::pricing::Share::parse("0.2").unwrap(),
            fixed: "0.0005".parse().unwrap(),
        };
        let tariff = Tariff::new("m", Cow::Borrowed(&card), Rule::Generic);
        let compiled = tariff.compile(ServiceTier::Standard, Timestamp::UNIX_EPOCH, &adjustment).unwrap();
        assert_eq!(compiled.charge(&Usage::plain(1000, 5)), "0.0032".parse().unwrap());
    }

    #[test]
    fn charges_finer_than_a_picodollar_are_rounded() {
        let mut card = RateCard::default();
        card.base.of_mut(ServiceTier::Standard).input = Some("1.5e-12".parse().unwrap());
        let tariff = Tariff::new("m", Cow::Borrowed(&card), Rule::Generic);
        let compiled = tariff.compile(ServiceTier::Standard, Timestamp::UNIX_EPOCH, &Adjustment::default()).unwrap();
        assert_eq!(compiled.charge(&Usage::plain(3, 0)), Money::from_picos(5));
    }
}

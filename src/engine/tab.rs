//! Calls on a tab: where a price never changes, requests of one class and key that one deployment answers at the first
//! attempt are added up, kind by kind of token, and their charges are worked out and posted when a step of time is
//! over. Charges are whole picodollars, so that the sum is the same to the last digit; a call pays seven additions
//! instead of its products and the eight sums that it stands in. The slow twin is the recorder's `charge`.

use crate::engine::run::{DeploymentTotals, Run};
use crate::ledger::{Cause, Charge, Shape};
use crate::pricing::CompiledRates;
use crate::units::{ClassId, DeploymentId, GroupId, KeyId, Money, Tokens, Usage, UsageSum};

/// The tabs at one deployment, class by class and key by key.
#[derive(Debug, Default)]
pub(super) struct Tabs<'a> {
    /// What calls cost; without that nothing is put on a tab.
    rates: Option<&'a CompiledRates>,
    /// Calls with less input than this may stand on a tab.
    below: Tokens,
    keys: usize,
    tabs: Vec<UsageSum>,
}

/// With more classes and keys than this a deployment has no tabs: they would be paid more often than used.
const MOST_TABS: usize = 512;
/// Nor has any in a fleet where it would be more than this in all: a hundred megabytes.
const MOST_IN_ALL: usize = 1 << 21;

impl<'a> Tabs<'a> {
    /// Tabs at these prices: those of provider and gateway alike, which never change.
    pub fn new(rates: Option<&'a CompiledRates>, shape: Shape) -> Self {
        let count = shape.classes.saturating_mul(shape.keys);
        let is_small = count <= MOST_TABS && count * shape.deployments <= MOST_IN_ALL;
        let rates = rates.filter(|rates| is_small && rates.adds_up_below() > 0);
        let tabs = vec![UsageSum::default(); if rates.is_some() { count } else { 0 }];
        Self { rates, below: rates.map_or(0, CompiledRates::adds_up_below), keys: shape.keys, tabs }
    }

    /// Nothing is put on them any more; what stands there will be paid.
    pub const fn close(&mut self) {
        self.below = 0;
    }

    /// Whether calls with such a usage are put on tabs here.
    #[inline(always)]
    pub const fn take(&self, usage: &Usage) -> bool {
        usage.is_whole() & (usage.input < self.below)
    }

    /// The tab of a class and a key; `None` where nothing is put on tabs.
    #[inline(always)]
    pub fn of(&mut self, class: ClassId, key: KeyId) -> Option<&mut UsageSum> {
        self.tabs.get_mut(class.index() * self.keys + key.index())
    }

    /// Posts everything and begins anew.
    pub fn pay(&mut self, deployment: DeploymentId, group: GroupId, totals: &mut DeploymentTotals, run: &mut Run) {
        let Some(rates) = self.rates else { return };
        for (index, tab) in self.tabs.iter_mut().enumerate().filter(|(_, tab)| tab.calls > 0) {
            let calls = std::mem::take(tab);
            let Some(parts) = rates.sums(&calls) else { return };
            let (amount, writing) = totals.billed.add_parts(&parts);
            let charge = Charge {
                cause: Cause::FirstAttempt,
                deployment,
                key: KeyId::from_index(index % self.keys),
                class: ClassId::from_index(index / self.keys),
                home: group,
                group,
                amount: amount - writing,
                premium: Some(Money::ZERO),
            };
            run.ledger.post(&charge);
            run.ledger.post(&Charge { cause: Cause::CacheWrite, amount: writing, ..charge });
            run.reported_spend += amount;
            count(&calls, &charge, totals, run);
        }
    }
}

/// Counts requests that were answered by their only attempt.
fn count(calls: &UsageSum, charge: &Charge, totals: &mut DeploymentTotals, run: &mut Run) {
    run.requests += calls.calls;
    run.classes[charge.class.index()].requests += calls.calls;
    run.keys[charge.key.index()].requests += calls.calls;
    run.served += calls.calls;
    run.attempts += calls.calls;
    run.most_attempts = run.most_attempts.max(1);
    totals.attempts += calls.calls;
    totals.served += calls.calls;
    totals.input_tokens += calls.input;
    totals.output_tokens += calls.output;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::billed::Billed;
    use crate::pricing::{Ask, PriceBook};
    use proptest::prelude::*;

    fn rates(model: &str) -> CompiledRates {
        let book = PriceBook::built_in().expect("the built-in prices");
        let ask = Ask::list_price(model, None);
        book.compile(&ask, jiff::Timestamp::UNIX_EPOCH).known().expect("a price")
    }

    fn empty() -> Run {
        let shape = Shape { deployments: 1, groups: 1, keys: 2, classes: 3 };
        let (classes, keys) = (vec![Default::default(); 3], vec![Default::default(); 2]);
        Run { ledger: crate::ledger::Ledger::new(shape), classes, keys, ..Run::default() }
    }

    proptest! {
        /// The slow twin: every call is charged and posted by itself. The models have other prices for long prompts,
        /// for what is read from and written to a prompt cache, or for reasoning.
        #[test]
        fn a_tab_is_the_sum_of_its_calls(
            model in prop::sample::select(vec![
                "openai/gpt-4o",
                "gemini/gemini-2.5-pro",
                "anthropic/claude-sonnet-4-5",
                "xai/grok-4",
            ]),
            calls in prop::collection::vec((0u32..3, 0u32..2, 1u32..2_000_000, 0u32..200_000, any::<[u32; 4]>()), 0..50),
        ) {
            let (rates, mut run, mut totals) = (rates(model), empty(), DeploymentTotals::default());
            let shape = Shape { deployments: 1, groups: 1, keys: 2, classes: 3 };
            let mut tabs = Tabs::new(Some(&rates), shape);
            let (mut slow, mut billed) = (empty(), Billed::default());
            for (class, key, input, output, [cached, cache_write, cache_write_1h, reasoning]) in calls {
                let (class, key, third) = (ClassId(class), KeyId(key), input / 3 + 1);
                let (cached, cache_write) = (cached % third, cache_write % third);
                let (cache_write_1h, reasoning) = (cache_write_1h % third, reasoning % (output + 1));
                let usage = Usage { input, cached, cache_write, cache_write_1h, output, reasoning };
                prop_assert!(tabs.take(&usage) == (usage.is_whole() && input < rates.adds_up_below()));
                prop_assert!(rates.adds_up_below() >= 128_000);
                if !tabs.take(&usage) {
                    continue;
                }
                tabs.of(class, key).expect("a tab").add(&usage);
                let (all, writing) = billed.add_parts(&rates.all_parts(&usage));
                let (group, deployment, premium) = (GroupId(0), DeploymentId(0), Some(Money::ZERO));
                prop_assert_eq!(all, rates.charge(&usage));
                for (cause, amount) in [(Cause::FirstAttempt, all - writing), (Cause::CacheWrite, writing)] {
                    slow.ledger.post(&Charge { cause, deployment, key, class, home: group, group, amount, premium });
                }
                slow.requests += 1;
                slow.keys[key.index()].requests += 1;
            }
            tabs.pay(DeploymentId(0), GroupId(0), &mut totals, &mut run);
            prop_assert_eq!(run.ledger.by_key(), slow.ledger.by_key());
            prop_assert_eq!(run.ledger.by_cause(), slow.ledger.by_cause());
            prop_assert_eq!((run.requests, &run.keys), (slow.requests, &slow.keys));
            prop_assert_eq!(totals.billed, billed);
            // What is paid is not paid again.
            let paid = run.ledger.total();
            tabs.pay(DeploymentId(0), GroupId(0), &mut totals, &mut run);
            prop_assert_eq!(run.ledger.total(), paid);
        }
    }
}

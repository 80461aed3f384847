//! Plain calls on a tab: where a price never changes, requests of one class that one deployment answers at the first
//! attempt are counted, and their charges are worked out and posted when a step of time is over. Charges are whole
//! picodollars, so that the sum is the same to the last digit; a call pays three additions instead of the eight sums that
//! it stands in. The slow twin is the recorder's `charge`.

use crate::engine::billed::PlainCalls;
use crate::engine::run::{DeploymentTotals, Run};
use crate::ledger::{Cause, Charge};
use crate::pricing::CompiledRates;
use crate::units::{ClassId, DeploymentId, GroupId, KeyId, Money};

/// What a class has had of a deployment since the step began.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tab {
    pub calls: PlainCalls,
    /// The key that the requests of the class come with.
    pub key: KeyId,
}

/// The tabs of all classes at one deployment.
#[derive(Debug, Default)]
pub(super) struct Tabs<'a> {
    /// What calls cost; without that nothing is put on a tab.
    rates: Option<&'a CompiledRates>,
    by_class: Vec<Tab>,
}

impl<'a> Tabs<'a> {
    /// Tabs at these prices: those of provider and gateway alike, which never change.
    pub fn new(rates: Option<&'a CompiledRates>, classes: usize) -> Self {
        let rates = rates.filter(|rates| rates.plain_sums(0, 0, 0).is_some());
        Self { rates, by_class: vec![Tab::default(); if rates.is_some() { classes } else { 0 }] }
    }

    /// The tab of a class; `None` where nothing is put on tabs.
    #[inline(always)]
    pub fn of(&mut self, class: ClassId) -> Option<&mut Tab> {
        self.by_class.get_mut(class.index())
    }

    /// Posts everything and begins anew.
    pub fn pay(&mut self, deployment: DeploymentId, group: GroupId, totals: &mut DeploymentTotals, run: &mut Run) {
        let Some(rates) = self.rates else { return };
        for (index, tab) in self.by_class.iter_mut().enumerate() {
            let Tab { calls, key } = std::mem::take(tab);
            if calls.count == 0 {
                continue;
            }
            let class = ClassId::from_index(index);
            let amount = calls.cost(rates);
            let charge = Charge {
                cause: Cause::FirstAttempt,
                deployment,
                key,
                class,
                home: group,
                group,
                amount,
                premium: Money::ZERO,
            };
            run.ledger.post(&charge);
            run.reported_spend += amount;
            calls.add_to(&mut totals.billed, rates);
            count(&calls, class, key, totals, run);
        }
    }
}

/// Counts requests that were answered by their only attempt.
fn count(calls: &PlainCalls, class: ClassId, key: KeyId, totals: &mut DeploymentTotals, run: &mut Run) {
    run.requests += calls.count;
    run.classes[class.index()].requests += calls.count;
    run.keys[key.index()].requests += calls.count;
    run.served += calls.count;
    run.attempts += calls.count;
    run.most_attempts = run.most_attempts.max(1);
    totals.attempts += calls.count;
    totals.served += calls.count;
    totals.input_tokens += calls.input;
    totals.output_tokens += calls.output;
}

//! The books of one run. A charge is posted once and appears in every breakdown, so all breakdowns have one total.

use crate::ledger::{Cause, Causes};
use crate::units::{ClassId, DeploymentId, GroupId, KeyId, Money};

/// One charge of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Why.
    pub cause: Cause,
    /// Which deployment.
    pub deployment: DeploymentId,
    /// Which virtual key.
    pub key: KeyId,
    /// Which traffic class.
    pub class: ClassId,
    /// The group that the client asked for.
    pub home: GroupId,
    /// The group that the deployment belongs to.
    pub group: GroupId,
    /// How much.
    pub amount: Money,
    /// For a fallback: what it cost over what the home group would have charged for the same usage; `None`
    /// where that has no price.
    pub premium: Option<Money>,
}

/// What flowed along one edge of the fallback graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Edge {
    /// Answers that were charged.
    pub charges: u64,
    /// Their cost.
    pub amount: Money,
    /// What that cost over the home group's prices, as far as they are known.
    pub premium: Money,
    /// Answers of which nobody knows what the home group would have charged.
    #[serde(default)]
    pub unknown: u64,
}

impl Edge {
    /// Adds what flowed in another run.
    pub fn merge(&mut self, other: &Self) {
        self.charges += other.charges;
        self.amount += other.amount;
        self.premium += other.premium;
        self.unknown += other.unknown;
    }

    /// The premium; `None` where no answer has a known one.
    pub fn known_premium(&self) -> Option<Money> {
        (self.unknown < self.charges).then_some(self.premium)
    }
}

/// How many of each thing there are, to size the books once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// Deployments.
    pub deployments: usize,
    /// Groups.
    pub groups: usize,
    /// Virtual keys.
    pub keys: usize,
    /// Traffic classes.
    pub classes: usize,
}

/// The books of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    by_cause: Causes<Money>,
    by_deployment: Vec<Money>,
    by_key: Vec<Money>,
    by_class: Vec<Money>,
    /// By the groups asked for and answering, in their order: money flows along few of all possible edges.
    edges: Vec<((GroupId, GroupId), Edge)>,
    /// Sums over all edges: who watches a run asks for them at each charge.
    premium: Money,
    unknown: u64,
}

impl Ledger {
    /// Empty books.
    pub fn new(shape: Shape) -> Self {
        Self {
            by_cause: Causes::default(),
            by_deployment: vec![Money::ZERO; shape.deployments],
            by_key: vec![Money::ZERO; shape.keys],
            by_class: vec![Money::ZERO; shape.classes],
            edges: Vec::new(),
            premium: Money::ZERO,
            unknown: 0,
        }
    }

    /// Books a charge.
    #[inline(always)]
    pub fn post(&mut self, charge: &Charge) {
        self.by_cause[charge.cause] += charge.amount;
        self.by_deployment[charge.deployment.index()] += charge.amount;
        self.by_key[charge.key.index()] += charge.amount;
        self.by_class[charge.class.index()] += charge.amount;
        if charge.home != charge.group {
            let edge = self.edge(charge.home, charge.group);
            edge.charges += 1;
            edge.amount += charge.amount;
            match charge.premium {
                Some(premium) => {
                    edge.premium += premium;
                    self.premium += premium;
                }
                None => {
                    edge.unknown += 1;
                    self.unknown += 1;
                }
            }
        }
    }

    /// The whole bill.
    pub fn total(&self) -> Money {
        self.by_cause.total()
    }

    /// The bill by cause.
    pub fn by_cause(&self) -> &Causes<Money> {
        &self.by_cause
    }

    /// The bill by deployment.
    pub fn by_deployment(&self) -> &[Money] {
        &self.by_deployment
    }

    /// The bill by virtual key.
    pub fn by_key(&self) -> &[Money] {
        &self.by_key
    }

    /// The bill by traffic class.
    pub fn by_class(&self) -> &[Money] {
        &self.by_class
    }

    /// The edges of the fallback graph that money flowed along: (asked for, answered by, what flowed).
    pub fn edges(&self) -> impl Iterator<Item = (GroupId, GroupId, &Edge)> {
        self.edges.iter().map(|((home, group), edge)| (*home, *group, edge))
    }

    #[inline(never)]
    fn edge(&mut self, home: GroupId, group: GroupId) -> &mut Edge {
        let ends = (home, group);
        let place = self.edges.binary_search_by_key(&ends, |(ends, _)| *ends).unwrap_or_else(|place| {
            self.edges.insert(place, (ends, Edge::default()));
            place
        });
        &mut self.edges[place].1
    }

    /// What all fallbacks cost over what the home groups would have charged.
    pub const fn fallback_premium(&self) -> Money {
        self.premium
    }

    /// How many fallbacks were charged of which nobody knows what the home group would have charged.
    pub const fn unknown_premiums(&self) -> u64 {
        self.unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHAPE: Shape = Shape { deployments: 4, groups: 3, keys: 2, classes: 2 };

    fn charges() -> impl Strategy<Value = Vec<Charge>> {
        let charge = (0usize..7, 0u32..4, 0u32..2, 0u32..2, 0u32..3, 0u32..3, 0i64..1_000_000_000_000).prop_map(
            |(cause, deployment, key, class, home, group, picos)| Charge {
                cause: Cause::ALL[cause],
                deployment: DeploymentId(deployment),
                key: KeyId(key),
                class: ClassId(class),
                home: GroupId(home),
                group: GroupId(group),
                amount: Money::from_picos(picos.into()),
                premium: (picos % 4 > 0).then(|| Money::from_picos(i128::from(picos) / 3)),
            },
        );
        prop::collection::vec(charge, 0..100)
    }

    proptest! {
        #[test]
        fn every_breakdown_has_the_same_total(charges in charges()) {
            let mut ledger = Ledger::new(SHAPE);
            charges.iter().for_each(|charge| ledger.post(charge));
            let total: Money = charges.iter().map(|charge| charge.amount).sum();
            prop_assert_eq!(ledger.total(), total);
            prop_assert_eq!(ledger.by_deployment().iter().copied().sum::<Money>(), total);
            prop_assert_eq!(ledger.by_key().iter().copied().sum::<Money>(), total);
            prop_assert_eq!(ledger.by_class().iter().copied().sum::<Money>(), total);
            let crossing: Money = charges.iter().filter(|c| c.home != c.group).map(|c| c.amount).sum();
            prop_assert_eq!(ledger.edges().map(|(_, _, edge)| edge.amount).sum::<Money>(), crossing);
            let premium: Money = ledger.edges().map(|(_, _, edge)| edge.premium).sum();
            prop_assert_eq!(ledger.fallback_premium(), premium);
            prop_assert_eq!(ledger.unknown_premiums(), ledger.edges().map(|(_, _, edge)| edge.unknown).sum::<u64>());
        }
    }
}

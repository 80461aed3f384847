//! Paid capacity in a run: what fits into its minute costs nothing more, the rest is paid as it goes, and its price is shared
//! out in the end among those who drew on it.

use std::collections::BTreeMap;

use crate::ledger::{Capacity, split};
use crate::units::{ClassId, DeploymentId, KeyId, Money, SimDuration, SimTime};

const MINUTE_NANOS: i64 = 60_000_000_000;

/// Who draws on a capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drawer {
    pub deployment: DeploymentId,
    pub key: KeyId,
    pub class: ClassId,
}

/// Part of the price of a capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub who: Drawer,
    pub amount: Money,
    /// Minutes of the capacity.
    pub minutes: u64,
}

/// The capacities of a run.
#[derive(Debug)]
pub struct Capacities<'a> {
    plans: &'a [Capacity],
    of_deployment: Vec<Option<usize>>,
    state: Vec<State>,
    last_minute: i64,
}

#[derive(Debug, Default)]
struct State {
    minute: i64,
    used: u64,
    drawn: BTreeMap<Drawer, u64>,
}

impl<'a> Capacities<'a> {
    /// Nothing has been used of any.
    pub fn new(plans: &'a [Capacity], deployments: usize, horizon: SimDuration) -> Self {
        let mut of_deployment = vec![None; deployments];
        for (index, plan) in plans.iter().enumerate() {
            for deployment in &plan.of {
                of_deployment[deployment.index()] = Some(index);
            }
        }
        let last_minute = (horizon.0.max(1) - 1) / MINUTE_NANOS;
        Self { plans, of_deployment, state: plans.iter().map(|_| State::default()).collect(), last_minute }
    }

    /// Whether a deployment has paid capacity.
    pub fn has(&self, deployment: DeploymentId) -> bool {
        self.of_deployment.get(deployment.index()).copied().flatten().is_some()
    }

    /// A call of so many tokens is billed at this moment: says how many of them do not fit; none where there is no capacity.
    /// What ends after the run draws on its last minute.
    pub fn draw(&mut self, who: Drawer, at: SimTime, tokens: u64) -> Option<u64> {
        let index = (*self.of_deployment.get(who.deployment.index())?)?;
        let (plan, state) = (&self.plans[index], &mut self.state[index]);
        let minute = (at.0 / MINUTE_NANOS).min(self.last_minute);
        if minute != state.minute {
            (state.minute, state.used) = (minute, 0);
        }
        let fits = tokens.min(plan.tokens_per_minute.saturating_sub(state.used));
        state.used += fits;
        *state.drawn.entry(who).or_default() += fits;
        Some(tokens - fits)
    }

    /// The prices of all capacities for the whole run, in proportion to what was drawn; an unused one is its first
    /// deployment's, and the first key's and class's.
    pub fn shares(&self, horizon: SimDuration) -> Vec<Share> {
        let minutes = u64::try_from(self.last_minute + 1).unwrap_or(0);
        let mut all = Vec::new();
        for (plan, state) in self.plans.iter().zip(&self.state) {
            let Some(first) = plan.of.first() else { continue };
            let nobody = Drawer { deployment: *first, key: KeyId(0), class: ClassId(0) };
            let drawn: Vec<(Drawer, u64)> = match state.drawn.is_empty() {
                true => vec![(nobody, 0)],
                false => state.drawn.iter().map(|(who, tokens)| (*who, *tokens)).collect(),
            };
            let weights: Vec<u64> = drawn.iter().map(|(_, tokens)| *tokens).collect();
            let amounts = split(plan.price(horizon).picos(), &weights);
            let times = split(i128::from(minutes), &weights);
            for (((who, _), amount), time) in drawn.iter().zip(amounts).zip(times) {
                let minutes = u64::try_from(time).unwrap_or(0);
                all.push(Share { who: *who, amount: Money::from_picos(amount), minutes });
            }
        }
        all
    }
}

/// The part of an amount, or of a number, that did not fit.
pub fn spilled(whole: i128, over: u64, tokens: u64) -> i128 {
    if over >= tokens { whole } else { split(whole, &[over, tokens - over])[0] }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: Drawer = Drawer { deployment: DeploymentId(1), key: KeyId(0), class: ClassId(0) };

    fn plans() -> Vec<Capacity> {
        let hourly = "6".parse().unwrap();
        vec![Capacity { name: "ptu".to_owned(), of: vec![DeploymentId(1)], tokens_per_minute: 100, hourly }]
    }

    #[test]
    fn a_minute_holds_what_was_bought() {
        let (plans, horizon) = (plans(), SimDuration::from_secs(7200));
        let mut capacities = Capacities::new(&plans, 2, horizon);
        let at = |secs: i64| SimTime(secs * 1_000_000_000);
        assert_eq!(capacities.draw(Drawer { deployment: DeploymentId(0), ..WHO }, at(0), 50), None);
        assert_eq!(capacities.draw(WHO, at(1), 70), Some(0));
        assert_eq!(capacities.draw(WHO, at(59), 70), Some(40));
        assert_eq!(capacities.draw(WHO, at(60), 70), Some(0), "a new minute");
        let other = Drawer { key: KeyId(1), ..WHO };
        assert_eq!(capacities.draw(other, at(61), 1000), Some(970));
        let shares = capacities.shares(horizon);
        assert_eq!(shares.iter().map(|share| share.amount).sum::<Money>(), "12".parse().unwrap());
        assert_eq!(shares.iter().map(|share| share.minutes).sum::<u64>(), 120);
        assert!(shares[0].amount > shares[1].amount);
    }

    #[test]
    fn an_idle_capacity_is_paid_for() {
        let plans = plans();
        let capacities = Capacities::new(&plans, 2, SimDuration::from_secs(3600));
        let shares = capacities.shares(SimDuration::from_secs(3600));
        assert_eq!((shares.len(), shares[0].who), (1, WHO));
        assert_eq!(shares[0].amount, "6".parse().unwrap());
    }

    #[test]
    fn what_does_not_fit_is_paid_in_part() {
        assert_eq!([spilled(1000, 0, 10), spilled(1000, 4, 10), spilled(1000, 10, 10)], [0, 400, 1000]);
        assert_eq!(spilled(7, 0, 0), 7, "a call without tokens has nothing to fit");
    }
}

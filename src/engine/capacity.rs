//! Paid capacity in a run: what fits into its minute costs nothing more, the rest is paid as it goes, and its price is
//! shared out in the end among those who drew on it.

use std::collections::BTreeMap;

use crate::ledger::{Capacity, split};
use crate::pricing::{ChargedTokens, CompiledRates};
use crate::units::{ClassId, DeploymentId, KeyId, Money, SimDuration, SimTime, TokenKind, Usage};

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
    /// Number of the capacity.
    pub capacity: usize,
    pub who: Drawer,
    pub amount: Money,
    /// Seconds of the capacity.
    pub seconds: u64,
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

    /// A call of so many tokens is billed at this moment: says how many of them do not fit; none where there is no
    /// capacity. What ends after the run draws on its last minute.
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
    /// deployment's, and the first key's and class's. Each is the price of so many whole seconds, so that amount and
    /// time give the price of an hour again; the last has what is left.
    pub fn shares(&self, horizon: SimDuration) -> Vec<Share> {
        const SECOND_NANOS: i64 = 1_000_000_000;
        let seconds = u64::try_from((horizon.0.max(0) + SECOND_NANOS - 1) / SECOND_NANOS).unwrap_or(0);
        let mut all = Vec::new();
        for (capacity, (plan, state)) in self.plans.iter().zip(&self.state).enumerate() {
            let Some(first) = plan.of.first() else { continue };
            let nobody = Drawer { deployment: *first, key: KeyId(0), class: ClassId(0) };
            let drawn: Vec<(Drawer, u64)> = match state.drawn.is_empty() {
                true => vec![(nobody, 0)],
                false => state.drawn.iter().map(|(who, tokens)| (*who, *tokens)).collect(),
            };
            let weights: Vec<u64> = drawn.iter().map(|(_, tokens)| *tokens).collect();
            let (mut until, mut paid) = (0, Money::ZERO);
            for ((who, _), time) in drawn.iter().zip(split(i128::from(seconds), &weights)) {
                let seconds = u64::try_from(time).unwrap_or(0);
                until += i64::try_from(seconds).unwrap_or(0) * SECOND_NANOS;
                let upto = plan.price(SimDuration(until.min(horizon.0)));
                all.push(Share { capacity, who: *who, amount: upto - paid, seconds });
                paid = upto;
            }
        }
        all
    }
}

/// The part of an amount, or of a number, that did not fit.
fn spilled(whole: i128, over: u64, tokens: u64) -> i128 {
    if over >= tokens { whole } else { split(whole, &[over, tokens - over])[0] }
}

/// What a usage is charged for, of which only so many tokens do not fit into paid capacity: whole tokens of each kind,
/// at the price that each token of the usage has. A price for the call is charged if anything of it does not fit.
pub fn over_parts(rates: &CompiledRates, usage: Usage, over: u64) -> Vec<ChargedTokens> {
    let (tokens, parts) = (usage.total(), rates.charged_tokens(&usage).collect::<Vec<_>>());
    if over >= tokens {
        return parts;
    }
    let is_call = |part: &ChargedTokens| part.kind == TokenKind::Call;
    let weights: Vec<u64> = parts.iter().map(|part| if is_call(part) { 0 } else { part.quantity }).collect();
    let counted: u64 = weights.iter().sum();
    let spilled = match counted {
        0 => vec![0; parts.len()],
        _ => split(spilled(i128::from(counted), over, tokens), &weights),
    };
    let part = |(part, quantity): (&ChargedTokens, i128)| {
        let whole = i128::from(part.quantity.max(1));
        let quantity = if is_call(part) { i128::from(part.quantity.min(over)) } else { quantity };
        let picos = part.amount.picos();
        let amount = picos.checked_mul(quantity).map_or(picos / whole * quantity, |product| product / whole);
        ChargedTokens {
            kind: part.kind,
            quantity: u64::try_from(quantity).unwrap_or(part.quantity),
            amount: Money::from_picos(amount),
        }
    };
    parts.iter().zip(spilled).map(part).filter(|part| part.quantity > 0).collect()
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
        assert_eq!(shares.iter().map(|share| share.seconds).sum::<u64>(), 7200);
        // 100 of 170 tokens are the first one's, to the second: at $6 an hour.
        assert_eq!(shares[0].seconds, 7200 * 170 / 200);
        assert_eq!(shares[0].amount, "10.2".parse().unwrap());
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

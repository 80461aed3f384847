//! Paid capacity: so many tokens a minute for a price an hour, whether they are used or not; what does not fit is paid
//! as it goes. How much of it is worth buying is the newsvendor's question.

use crate::engine::{AttemptRecord, Booked, RequestRecord, Watcher, simulate_watched};
use crate::experiment::fold::dollars;
use crate::experiment::plan::PlanError;
use crate::experiment::replicate::{Options, Progress, each_run};
use crate::scenario::World;
use crate::units::{CallId, Money};

/// Capacity that can be bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// A deployment, or a group: all of its deployments together.
    pub target: String,
    /// Tokens a minute of one unit.
    pub unit_tokens: u64,
    /// Price of one unit for one hour.
    pub hourly: Money,
}

impl Offer {
    /// Which deployments it is about.
    pub(super) fn targets(&self, world: &World) -> Result<Vec<bool>, OfferError> {
        let names = &world.names;
        let is_named = |name: &crate::scenario::DeploymentName| {
            name.name == self.target || names.groups[name.group.index()] == self.target
        };
        let targets: Vec<bool> = names.deployments.iter().map(is_named).collect();
        if targets.contains(&true) {
            return Ok(targets);
        }
        Err(OfferError::NoTarget(self.target.clone(), names.groups.join(", ")))
    }
}

/// Why an offer makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Nothing has this name.
    #[error("`{0}` is no deployment and no group of this scenario; expected one of {1}")]
    NoTarget(String, String),
}

/// What an offer is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Commitment {
    /// The offer.
    pub offer: Offer,
    /// Units that make the mean bill smallest; 0 where none is worth its price.
    pub units: u64,
    /// Mean bill of the target with pay as you go alone.
    pub on_demand: Money,
    /// Mean bill with those units: their price, and what spills over.
    pub with_units: Money,
    /// Of that: what spills over to pay as you go.
    pub spill: Money,
    /// Of that: paid capacity that lies idle (the ledger's cause `commitment`).
    pub idle: Money,
    /// Share of the bought capacity that is used.
    pub used_share: f64,
    /// Share of the tokens that spill over.
    pub spill_share: f64,
    /// The highest price an hour at which the first unit is worth buying.
    pub break_even: Money,
}

impl Commitment {
    /// The change of the scenario that buys these units; none where none are worth it.
    pub fn edit(&self) -> Option<String> {
        let Offer { target, unit_tokens, hourly } = &self.offer;
        let tokens = self.units.checked_mul(*unit_tokens).filter(|tokens| *tokens > 0)?;
        let price = Money::from_picos(hourly.picos().checked_mul(i128::from(self.units))?);
        let is_plain = !target.contains(['"', '\\']) && !target.contains(char::is_control);
        is_plain.then(|| format!("commitments.bought={{of: \"{target}\", tokens: {tokens}, price: {price}}}"))
    }
}

const MINUTE_NANOS: i64 = 60_000_000_000;

/// Tokens and dollars by minute of some deployments.
struct Minutes {
    is_target: Vec<bool>,
    minutes: Vec<(f64, f64)>,
}

impl Watcher for Minutes {
    fn ended(&mut self, _: CallId, _: &RequestRecord, attempt: &AttemptRecord<'_>, booked: &Booked) {
        if self.is_target[attempt.attempt.deployment.index()] {
            let last = self.minutes.len() - 1;
            let minute = ((attempt.at.0 / MINUTE_NANOS) as usize).min(last);
            self.minutes[minute].0 += attempt.billed.total() as f64;
            self.minutes[minute].1 += dollars(booked.amount);
        }
    }
}

/// What each offer is worth. Those that were played in full come into `found`.
pub(super) fn commitments(
    world: &World,
    options: &Options,
    offers: &[Offer],
    progress: &dyn Progress,
    found: &mut Vec<Commitment>,
) -> Result<(), PlanError> {
    for offer in offers {
        let commitment = commitment(world, options, offer, progress)?;
        if progress.stop() {
            return Err(PlanError::Interrupted);
        }
        found.push(commitment);
    }
    Ok(())
}

fn commitment(
    world: &World,
    options: &Options,
    offer: &Offer,
    progress: &dyn Progress,
) -> Result<Commitment, OfferError> {
    let is_target = offer.targets(world)?;
    let length = ((world.horizon.0.max(1) - 1) / MINUTE_NANOS + 1) as usize;
    let runs: Vec<Vec<(f64, f64)>> = each_run(options, options.runs, progress, |replication| {
        let mut minutes = Minutes { is_target: is_target.clone(), minutes: vec![(0.0, 0.0); length] };
        simulate_watched(world, options.seed, replication, world.horizon, &mut minutes);
        minutes.minutes
    });
    let all: Vec<(f64, f64)> = runs.concat();
    Ok(best(offer, &all, runs.len().max(1) as f64))
}

/// The best number of units for these minutes of `runs` runs.
fn best(offer: &Offer, minutes: &[(f64, f64)], runs: f64) -> Commitment {
    let unit = offer.unit_tokens.max(1) as f64;
    let most = minutes.iter().map(|(tokens, _)| (tokens / unit).ceil()).fold(0.0, f64::max) as u64;
    let price = dollars(offer.hourly) / 60.0 * minutes.len() as f64 / runs;
    let spill = |units: u64| {
        let fits = units as f64 * unit;
        let over = |(tokens, cost): &(f64, f64)| if *tokens > fits { cost * (1.0 - fits / tokens) } else { 0.0 };
        minutes.iter().map(over).sum::<f64>() / runs
    };
    // Each further unit saves less than the one before: the bill has one valley.
    let bill = |units: u64| units as f64 * price + spill(units);
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low) / 2;
        if bill(middle) <= bill(middle + 1) { high = middle } else { low = middle + 1 }
    }
    let capacity = low as f64 * unit;
    let tokens: f64 = minutes.iter().map(|(tokens, _)| tokens).sum();
    let used: f64 = minutes.iter().map(|(tokens, _)| tokens.min(capacity)).sum();
    let bought = capacity * minutes.len() as f64;
    let used_share = if bought > 0.0 { used / bought } else { 0.0 };
    let first_saves = (spill(0) - spill(1)) * runs / (minutes.len() as f64 / 60.0).max(f64::MIN_POSITIVE);
    let money = |dollars: f64| Money::from_picos((dollars * 1e12).round() as i128);
    Commitment {
        offer: offer.clone(),
        units: low,
        on_demand: money(spill(0)),
        with_units: money(bill(low)),
        spill: money(spill(low)),
        idle: money(low as f64 * price * (1.0 - used_share)),
        used_share,
        spill_share: if tokens > 0.0 { 1.0 - used / tokens } else { 0.0 },
        break_even: money(first_saves),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(hourly: &str) -> Offer {
        Offer { target: "a".to_owned(), unit_tokens: 100, hourly: hourly.parse().unwrap() }
    }

    /// 100 hours of minutes in which n hundred tokens are used, n from 0 to 9 evenly, at a cent for a hundred.
    fn minutes() -> Vec<(f64, f64)> {
        (0..6000).map(|minute| f64::from(minute % 10)).map(|n| (n * 100.0, n * 0.01)).collect()
    }

    #[test]
    fn the_best_number_of_units_is_the_newsvendors() {
        // A unit that is used all the time saves 60 cents an hour. The k-th is used in (10 - k) of 10 minutes: at 24
        // cents an hour it pays while (10 - k) / 10 > 0.4, so 5 or, at the edge, 6; at 25 cents 5.
        let found = best(&offer("0.25"), &minutes(), 1.0);
        assert_eq!(found.units, 5);
        assert_eq!(found.break_even, "0.54".parse().unwrap());
        assert_eq!(best(&offer("0.55"), &minutes(), 1.0).units, 0);
        assert_eq!(best(&offer("0.01"), &minutes(), 1.0).units, 9);
    }

    #[test]
    fn price_is_used_capacity_and_idle_capacity() {
        let found = best(&offer("0.25"), &minutes(), 1.0);
        let paid = 5.0 * 0.25 * 100.0;
        assert!((dollars(found.with_units) - dollars(found.spill) - paid).abs() < 1e-9);
        assert!((dollars(found.idle) - paid * (1.0 - found.used_share)).abs() < 1e-9);
        // Used: 0, 1, … 5, 5, 5, 5, 5 hundreds of 5.
        assert!((found.used_share - 35.0 / 50.0).abs() < 1e-12);
        assert!((found.spill_share - 10.0 / 45.0).abs() < 1e-12);
    }
}

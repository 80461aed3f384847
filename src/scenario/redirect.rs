//! Names that a provider points at another model from some moment on: the bill follows, the gateway's own books do not.

use crate::diagnostic::codes;
use crate::ledger::{DeploymentTariff, Tariffs};
use crate::pricing::{Adjustment, CompiledRates, PriceBook};
use crate::provider::Cost;
use crate::scenario::deployments::{PriceTime, schedule_of};
use crate::scenario::problem::Problem;
use crate::scenario::reading::Reading;
use crate::scenario::world::DeploymentName;
use crate::units::{Money, SimTime};

/// Bills redirected deployments at the prices of the model that really answers.
///
/// # Errors
/// A [`Problem`] when the other model has no known price.
pub fn apply(
    reading: &Reading,
    names: &[DeploymentName],
    groups: &[String],
    book: &PriceBook,
    time: &PriceTime,
    tariffs: &mut Tariffs,
) -> Result<(), Problem> {
    for (name, tariff) in names.iter().zip(&mut tariffs.deployments) {
        let keys = [name.name.as_str(), groups[name.group.index()].as_str(), name.provider];
        let found = keys.iter().find_map(|key| {
            let redirect = reading.file.upstream.get(key)?.model.redirected.as_ref()?;
            Some((*key, redirect))
        });
        let Some((key, redirect)) = found else { continue };
        let later = schedule_of(&redirect.to, Some(name.provider), book, time, Adjustment::default());
        let Some(later) = later else {
            let message = format!("no price is known for `{}`, to which `{key}` is redirected", redirect.to);
            return Err(reading.error(codes::SCENARIO_VALUE, &["upstream", key, "redirected"], message, ""));
        };
        let at = SimTime::from_secs_f64(redirect.at.0);
        tariff.billed = Some(match &tariff.billed {
            Some(billed) => billed.then(at, &later),
            None => later,
        });
    }
    Ok(())
}

/// The same number whichever way it is converted; that of 64 bits is one instruction.
fn dollars(amount: Money) -> f64 {
    const PICOS: f64 = 1e12;
    match i64::try_from(amount.picos()) {
        Ok(few) => few as f64 / PICOS,
        Err(_) => many(amount.picos()) / PICOS,
    }
}

/// Apart, or it is converted in any case.
#[cold]
#[inline(never)]
fn many(picos: i128) -> f64 {
    picos as f64
}

/// What calls cost, for limits on spend: at the prices of their moment, with tiers and caches,
/// as the ledger bills them.
pub fn costs(tariffs: &Tariffs) -> Vec<Cost> {
    let cost = |tariff: &DeploymentTariff| match tariff.billed.clone() {
        Some(rates) => {
            let linear = rates.only().and_then(CompiledRates::linear);
            Cost::new(linear, move |at, usage| dollars(rates.at(at).charge(usage)))
        }
        None => Cost::default(),
    };
    tariffs.deployments.iter().map(cost).collect()
}

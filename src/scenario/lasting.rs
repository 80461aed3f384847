//! What lasts for longer than a week: months that are put together from simulated weeks do not have it,
//! because every week begins anew.

use jiff::Zoned;

use crate::gateway::litellm::budget_reset::Clock;
use crate::gateway::litellm::lower::period;
use crate::gateway::litellm::wire::Wire;
use crate::ledger::Tariffs;
use crate::provider::{Meter, Providers, Refill};
use crate::scenario::deployments::kept;
use crate::scenario::file::TrafficEntry;
use crate::scenario::holders;
use crate::scenario::reading::Reading;
use crate::scenario::world::DeploymentName;
use crate::units::{Growth, SimDuration, SimTime};

const WEEK: SimDuration = SimDuration::from_secs(7 * 86_400);

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LastingKind {
    /// A budget of the gateway that begins anew after more than a week, or never.
    Budget,
    /// What a provider lets an account spend in a month.
    Account,
    /// Traffic that grows from week to week.
    Growth,
    /// Prices that change within the run.
    Price,
    /// A deployment that is retired, or whose key is refused, within the run.
    End,
    /// What comes at a known time, once: an outage, a spike, a crash or a deployment of the gateway.
    Moment,
}

/// Something that lasts for longer than a week.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Lasting {
    /// What kind of thing it is.
    pub kind: LastingKind,
    /// What it is, for a sentence: `the budget of key research ($100.00 in 30d)`.
    pub what: String,
}

impl Lasting {
    const fn new(kind: LastingKind, what: String) -> Self {
        Self { kind, what }
    }
}

/// Everything in a world that lasts for longer than a week.
pub fn lasting(
    reading: &Reading,
    wire: &Wire,
    (names, tariffs, providers): (&[DeploymentName], &Tariffs, &Providers),
    (start, horizon, clock): (&Zoned, SimDuration, &Clock),
) -> Vec<Lasting> {
    let budgets = holders::long_budgets(reading, start, clock).into_iter().chain(gateway_budgets(wire, names));
    let mut all: Vec<Lasting> = budgets.map(|what| Lasting::new(LastingKind::Budget, what)).collect();
    all.extend(accounts(names, providers).into_iter().map(|what| Lasting::new(LastingKind::Account, what)));
    all.extend(growths(reading).into_iter().map(|what| Lasting::new(LastingKind::Growth, what)));
    all.extend(moments(reading).into_iter().map(|what| Lasting::new(LastingKind::Moment, what)));
    let end = SimTime::ZERO + horizon;
    for ((name, tariff), deployment) in names.iter().zip(&tariffs.deployments).zip(providers.deployments()) {
        let name = &name.name;
        if !tariff.repeats(WEEK, end) {
            all.push(Lasting::new(LastingKind::Price, format!("the change of the prices of {name}")));
        }
        if (SimTime(1)..end).contains(&deployment.retired_from) {
            all.push(Lasting::new(LastingKind::End, format!("the retirement of {name}")));
        }
        if (SimTime(1)..end).contains(&deployment.unauthorized_from) {
            all.push(Lasting::new(LastingKind::End, format!("the end of the key of {name}")));
        }
    }
    all
}

/// Budgets of deployments and of providers.
fn gateway_budgets(wire: &Wire, names: &[DeploymentName]) -> Vec<String> {
    let is_long = |text: &str| period(text).is_some_and(|period| period > WEEK);
    let kept = kept(wire);
    let of_deployment = kept.into_iter().zip(names).filter_map(|(entry, name)| {
        let (budget, period) =
            entry.litellm_params.max_budget.as_ref().zip(entry.litellm_params.budget_duration.as_ref())?;
        let (name, budget, period) = (&name.name, budget.value, &period.value);
        is_long(period).then(|| format!("the budget of deployment {name} (${} in {period})", budget.to_cents()))
    });
    let settings = wire.router_settings.provider_budget_config.iter().flat_map(|budgets| &budgets.value);
    let of_provider = settings.filter_map(|(name, budget)| {
        let (limit, period) = budget.value.limit.as_ref().zip(budget.value.period.as_ref())?;
        let (name, limit, period) = (&name.value, limit.value, &period.value);
        is_long(period).then(|| format!("the budget of provider {name} (${} in {period})", limit.to_cents()))
    });
    of_deployment.chain(of_provider).collect()
}

/// Accounts with a limit for a month, by their providers.
fn accounts(names: &[DeploymentName], providers: &Providers) -> Vec<String> {
    let lasts = |meter: &Meter| matches!(meter.refill, Refill::Monthly { .. });
    let limits = providers.limits();
    let mut found: Vec<&str> = Vec::new();
    for (name, deployment) in names.iter().zip(providers.deployments()) {
        let is_limited = deployment.account.is_some_and(|index| limits[index].meters.iter().any(lasts));
        if is_limited && !found.contains(&name.provider) {
            found.push(name.provider);
        }
    }
    found.into_iter().map(|name| format!("what the account at {name} may spend in a month")).collect()
}

/// What comes at known times after the start: every week that begins anew would have it once more.
fn moments(reading: &Reading) -> Vec<String> {
    let file = &reading.file;
    let owners = file.upstream.iter().filter(|(_, entry)| !entry.model.outages.is_empty());
    let mut all: Vec<String> = owners.map(|(name, _)| format!("the outages of {name} at known times")).collect();
    let spikes = file.traffic.iter().filter(|(_, entry)| entry.model.spikes.iter().flatten().next().is_some());
    all.extend(spikes.map(|(name, _)| format!("the spikes of class {name} at known times")));
    let crashes = file.fleet.crashes.iter().any(|crash| !crash.at.is_empty());
    let deploys = file.fleet.deploys.iter().any(|deploy| !deploy.at.is_empty());
    all.extend(crashes.then(|| "the crashes of the gateway at known times".to_owned()));
    all.extend(deploys.then(|| "the deploys of the gateway at known times".to_owned()));
    all
}

/// Classes that grow: as they are written, or as their presets say.
fn growths(reading: &Reading) -> Vec<String> {
    const KEY: &str = "growth_per_week";
    let is_some = |text: &str| text.parse::<Growth>().is_ok_and(|growth| growth.0 != 0.0);
    let grows = |name: &str, entry: &TrafficEntry| match entry.model.growth_per_week {
        Some(growth) => growth.0 != 0.0,
        None => {
            let path = format!("traffic.{name}.{KEY}");
            reading.assumptions.iter().any(|assumed| assumed.name == path && is_some(&assumed.value))
        }
    };
    let classes = reading.file.traffic.iter().filter(|(name, entry)| grows(name, entry));
    classes.map(|(name, _)| format!("the growth of class {name} ({KEY})")).collect()
}

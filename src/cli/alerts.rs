//! Budgets and alerts of a forecast: what `run` tells of them, and `report` when it simulates.

use crate::cli::progress::Watch;
use crate::experiment::{
    Alerts, AlertsWanted, BudgetLimit, Forecast, Options, Period, Progress, alerts, alerts_of_run,
};
use crate::scenario::World;
use crate::units::Money;

/// The budgets that a forecast is held against.
pub fn budgets(forecast: &Forecast) -> Vec<BudgetLimit> {
    let of = |limit: Option<Money>, period| limit.map(|limit| BudgetLimit { limit, period });
    let budget = forecast.budget;
    let all = [of(budget.horizon, Period::Run), of(budget.day, Period::Day), of(budget.month, Period::Month)];
    all.into_iter().flatten().collect()
}

/// Tells of budgets and alerts over all runs where some are given, else of the alert about
/// fallbacks in the expensive run.
pub fn tell_alerts(world: &World, options: &Options, wanted: AlertsWanted, forecast: &mut Forecast, watch: &Watch) {
    let alerts = found(world, options, &wanted, forecast, watch);
    forecast.about.partial |= alerts.as_ref().is_some_and(|alerts| is_cut(alerts, forecast.about.runs));
    forecast.alerts = alerts.filter(|alerts| alerts.runs > 0);
}

fn found(
    world: &World,
    options: &Options,
    wanted: &AlertsWanted,
    forecast: &Forecast,
    progress: &dyn Progress,
) -> Option<Alerts> {
    if wanted.budgets.is_empty() && world.alerts.is_none() {
        let has_fallbacks = forecast.fallback_share.mean > 0.0;
        let expensive = forecast.expensive.as_ref().filter(|_| has_fallbacks)?;
        return Some(alerts_of_run(world, options.seed, expensive.run, wanted));
    }
    let options = Options { runs: forecast.about.runs, ..options.clone() };
    Some(alerts(world, &options, wanted, progress))
}

/// Whether budgets and alerts were to cover more runs.
fn is_cut(alerts: &Alerts, runs: u64) -> bool {
    alerts.of_run.is_none() && alerts.runs < runs
}

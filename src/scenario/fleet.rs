//! The gateway's processes, from the scenario and the gateway's own config.

use std::sync::Arc;

use crate::diagnostic::codes;
use crate::gateway::fleet::{FleetPlan, RedisSpec};
use crate::gateway::litellm::plan::{Plan, Redis};
use crate::scenario::problem::Problem;
use crate::scenario::reading::Reading;
use crate::units::SimDuration;

/// More processes than this are a slip.
const MOST_PROCESSES: u32 = 1024;
/// More connections than this are a slip.
const MOST_CONNECTIONS: u32 = 1_000_000;
/// Shorter times between crashes or deploys are a slip: they would fill the memory.
const LEAST_EVERY_SECS: f64 = 1.0;

/// The fleet, if there is more than one process that never ends. What processes share is read from the gateway's config
/// unless the scenario says so.
///
/// # Errors
/// A [`Problem`] when a number is out of range.
pub fn compile(
    reading: &mut Reading,
    horizon: SimDuration,
    plan: &mut Plan,
) -> Result<Option<Arc<FleetPlan>>, Problem> {
    check(reading)?;
    let spec = &reading.file.fleet;
    let fleet = spec.compile(horizon).map_err(|error| {
        reading.error(codes::SCENARIO_VALUE, &["fleet", "overhead"], format!("`fleet.overhead`: {error}"), "")
    })?;
    match spec.redis {
        Some(RedisSpec::None) => plan.redis = Redis::None,
        Some(RedisSpec::Router) => plan.redis = Redis::Router,
        Some(RedisSpec::Proxy) => plan.redis = Redis::Proxy,
        None if fleet.seats() > 1 => {
            let shared = match plan.redis {
                Redis::None => "nothing: each process counts for itself",
                Redis::Router => "the router's counters",
                Redis::Proxy => "the router's counters, limits and budgets of keys",
            };
            let source = "read from the gateway's config; REDIS_* variables of its environment are not known";
            reading.assume("fleet.redis", shared, source, "");
        }
        None => {}
    }
    Ok(fleet.matters().then(|| Arc::new(fleet)))
}

fn check(reading: &Reading) -> Result<(), Problem> {
    let spec = &reading.file.fleet;
    let (replicas, workers) = (spec.replicas.unwrap_or(1), spec.workers.unwrap_or(1));
    reading.within(&["fleet", "replicas"], f64::from(replicas), 1.0, f64::from(MOST_PROCESSES))?;
    reading.within(&["fleet", "workers"], f64::from(workers), 1.0, f64::from(MOST_PROCESSES / replicas.max(1)))?;
    let connections = f64::from(spec.connections.unwrap_or(1));
    reading.within(&["fleet", "connections"], connections, 1.0, f64::from(MOST_CONNECTIONS))?;
    let concurrency = spec.concurrency.unwrap_or_default();
    for (name, limit) in [("soft", concurrency.soft), ("hard", concurrency.hard)] {
        let limit = f64::from(limit.unwrap_or(1));
        reading.within(&["fleet", "concurrency", name], limit, 1.0, f64::from(u32::MAX))?;
    }
    for (list, every) in (spec.crashes.iter().map(|crash| ("crashes", crash.every)))
        .chain(spec.deploys.iter().map(|deploy| ("deploys", deploy.every)))
    {
        let every = every.map_or(LEAST_EVERY_SECS, |every| every.0);
        reading.within(&["fleet", list], every, LEAST_EVERY_SECS, f64::MAX)?;
    }
    Ok(())
}

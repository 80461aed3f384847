//! A fleet as it is written in a scenario.

use schemars::JsonSchema;
use serde::Deserialize;

use super::plan::{Concurrency, Crashes, Deploys, FleetPlan, Scope};
use crate::random::{DistError, DistSpec};
use crate::units::{Seconds, SimDuration, SimTime};

/// What stands around the gateway: how many processes, what is in front of them, and when they end.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FleetSpec {
    /// Machines or pods; 1 if not given.
    pub replicas: Option<u32>,
    /// Worker processes on each (`--num_workers`); 1 if not given.
    pub workers: Option<u32>,
    /// What processes share through Redis; read from the gateway's config if not given.
    pub redis: Option<RedisSpec>,
    /// Connections that clients keep open; a new one for each request if not given.
    pub connections: Option<u32>,
    /// Seconds that the gateway itself takes before a request's first attempt.
    pub overhead: Option<DistSpec>,
    /// Requests at once on each replica.
    pub concurrency: Option<ConcurrencySpec>,
    /// Processes that end without warning.
    pub crashes: Vec<CrashSpec>,
    /// Orderly restarts, one replica after the other.
    pub deploys: Vec<DeploySpec>,
}

/// What processes share through Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedisSpec {
    /// Nothing.
    None,
    /// What the router counts: cooldowns, allowed failures, budgets of deployments (`router_settings.redis_*`).
    Router,
    /// That, and limits and budgets of keys (`cache_params` of type redis, `coordination_redis`, REDIS_* variables).
    Proxy,
}

/// How many requests at once a load balancer gives a replica.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConcurrencySpec {
    /// From here on a replica is used only if all others are as busy.
    pub soft: Option<u32>,
    /// More is refused with 503 where no replica has room.
    pub hard: Option<u32>,
}

/// Processes that end without warning: killed for their memory, or by a supervisor.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CrashSpec {
    /// Known times after the start.
    pub at: Vec<Seconds>,
    /// Mean time between two that come at random.
    pub every: Option<Seconds>,
    /// Whom each takes; one worker if not given.
    pub of: ScopeSpec,
    /// Until a new process serves; 8 s if not given.
    pub down: Option<Seconds>,
}

/// Orderly restarts.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeploySpec {
    /// Times after the start.
    pub at: Vec<Seconds>,
    /// One after each such time.
    pub every: Option<Seconds>,
    /// How long requests in flight may take before they are lost; without limit if not given.
    pub grace: Option<Seconds>,
    /// Until a replica serves again, then the next one follows; 18 s if not given.
    pub down: Option<Seconds>,
}

/// Whom a crash takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScopeSpec {
    /// One worker process.
    #[default]
    Worker,
    /// All workers of one replica.
    Replica,
    /// All replicas.
    All,
}

/// A worker that was killed under uvicorn was replaced after 8 s (measured with LiteLLM 1.102.4, 4 workers, 2 cores).
const CRASH_DOWN: Seconds = Seconds(8.0);
/// After SIGTERM four workers under uvicorn served again after 17.7 s (measured likewise).
const DEPLOY_DOWN: Seconds = Seconds(17.7);

impl FleetSpec {
    /// These fields, and the base's where there are none; lists replace the base's as a whole.
    #[must_use]
    pub fn over(self, base: Self) -> Self {
        Self {
            replicas: self.replicas.or(base.replicas),
            workers: self.workers.or(base.workers),
            redis: self.redis.or(base.redis),
            connections: self.connections.or(base.connections),
            overhead: self.overhead.or(base.overhead),
            concurrency: self.concurrency.or(base.concurrency),
            crashes: if self.crashes.is_empty() { base.crashes } else { self.crashes },
            deploys: if self.deploys.is_empty() { base.deploys } else { self.deploys },
        }
    }

    /// The plan for a horizon.
    ///
    /// # Errors
    /// [`DistError`] when the overhead is no distribution.
    pub fn compile(&self, horizon: SimDuration) -> Result<FleetPlan, DistError> {
        let concurrency = self.concurrency.unwrap_or_default();
        Ok(FleetPlan {
            replicas: self.replicas.unwrap_or(1).max(1),
            workers: self.workers.unwrap_or(1).max(1),
            connections: self.connections.filter(|count| *count > 0),
            overhead: self.overhead.as_ref().map(DistSpec::compile).transpose()?,
            concurrency: Concurrency { soft: concurrency.soft, hard: concurrency.hard },
            crashes: self.crashes.iter().map(CrashSpec::compile).collect(),
            deploys: self.deploys.iter().map(|deploys| deploys.compile(horizon)).collect(),
        })
    }
}

fn moment(after: &Seconds) -> SimTime {
    SimTime::from_secs_f64(after.0)
}

fn span(seconds: Seconds) -> SimDuration {
    SimDuration::from_secs_f64(seconds.0)
}

impl CrashSpec {
    fn compile(&self) -> Crashes {
        let of = match self.of {
            ScopeSpec::Worker => Scope::Worker,
            ScopeSpec::Replica => Scope::Replica,
            ScopeSpec::All => Scope::All,
        };
        Crashes {
            at: self.at.iter().map(moment).collect(),
            every: self.every.filter(|every| every.0 > 0.0).map(span),
            of,
            down: span(self.down.unwrap_or(CRASH_DOWN)),
        }
    }
}

impl DeploySpec {
    fn compile(&self, horizon: SimDuration) -> Deploys {
        let mut at: Vec<SimTime> = self.at.iter().map(moment).collect();
        if let Some(every) = self.every.filter(|every| every.0 > 0.0) {
            let times = (1..).map(|nth| moment(&Seconds(every.0 * f64::from(nth))));
            at.extend(times.take_while(|at| *at < SimTime::ZERO + horizon));
        }
        let grace = self.grace.map_or(SimDuration::FOREVER, span);
        Deploys { at, grace, down: span(self.down.unwrap_or(DEPLOY_DOWN)) }
    }
}

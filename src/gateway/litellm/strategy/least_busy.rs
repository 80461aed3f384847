//! least-busy: the fewest calls in flight, the first in the model list among equals (`router_strategy/least_busy.py`)
//! [T 95].
//!
//! Every attempt counts up; only what is logged counts down. A request's later failures are not logged, so that they
//! stay in the count until the counter expires.

use crate::gateway::parts::ExpiringCounter;
use crate::units::{DeploymentId, NameId, SimDuration, SimTime};

/// Life of a counter (`IN_FLIGHT_COUNT_TTL_SECONDS`).
const LIFE: SimDuration = SimDuration::from_secs(3600);

/// Calls in flight, by group and deployment.
pub(in crate::gateway::litellm) struct InFlight {
    counts: Vec<ExpiringCounter<i64>>,
    deployments: usize,
}

impl InFlight {
    /// No calls.
    pub fn new(names: usize, deployments: usize) -> Self {
        Self { counts: vec![ExpiringCounter::default(); names * deployments], deployments }
    }

    fn index(&self, name: NameId, deployment: DeploymentId) -> usize {
        name.index() * self.deployments + deployment.index()
    }

    /// A call goes out.
    pub fn called(&mut self, now: SimTime, deployment: DeploymentId, name: NameId) {
        let index = self.index(name, deployment);
        self.counts[index].add(now, 1, LIFE);
    }

    /// A call has been logged; the count does not fall below zero.
    pub fn returned(&mut self, now: SimTime, deployment: DeploymentId, name: NameId) {
        let index = self.index(name, deployment);
        if self.counts[index].add(now, -1, LIFE) < 0 {
            self.counts[index].set(now, 0, LIFE);
        }
    }

    /// The candidate with the fewest calls.
    pub fn least_busy(&self, now: SimTime, name: NameId, candidates: &[DeploymentId]) -> Option<DeploymentId> {
        candidates.iter().copied().min_by_key(|id| self.counts[self.index(name, *id)].get(now))
    }
}

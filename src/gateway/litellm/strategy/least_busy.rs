//! least-busy: the fewest calls in flight, the first in the model list among equals (`router_strategy/least_busy.py`)
//! [T 95].
//!
//! Every attempt counts up; only what is logged counts down. A request's later failures are not logged, so that they
//! stay in the count until the counter expires.

use super::rows::{Places, Rows};
use crate::gateway::litellm::defaults;
use crate::gateway::parts::ExpiringCounter;
use crate::units::{DeploymentId, NameId, SimDuration, SimTime};

const LIFE: SimDuration = defaults::IN_FLIGHT_LIFE;

/// Calls in flight, by group and deployment.
pub(in crate::gateway::litellm) struct InFlight {
    groups: Vec<Rows<ExpiringCounter<i64>>>,
    places: Places,
}

impl InFlight {
    /// No calls.
    pub fn new(names: usize, deployments: usize) -> Self {
        Self { groups: vec![Rows::new(); names], places: Places::new(deployments) }
    }

    /// The count of a deployment in a group.
    pub fn count(&mut self, deployment: DeploymentId, name: NameId) -> &mut ExpiringCounter<i64> {
        self.groups[name.index()].row(&mut self.places, deployment, ExpiringCounter::default)
    }

    /// A call goes out.
    pub fn called(&mut self, now: SimTime, deployment: DeploymentId, name: NameId) {
        self.count(deployment, name).add(now, 1, LIFE);
    }

    /// A call has been logged; the count does not fall below zero.
    pub fn returned(&mut self, now: SimTime, deployment: DeploymentId, name: NameId) {
        let count = self.count(deployment, name);
        if count.add(now, -1, LIFE) < 0 {
            count.set(now, 0, LIFE);
        }
    }

    /// The candidate with the fewest calls.
    pub fn least_busy(&mut self, now: SimTime, name: NameId, candidates: &[DeploymentId]) -> Option<DeploymentId> {
        let Self { groups, places } = self;
        let counts = &mut groups[name.index()];
        counts.complete(places, candidates, ExpiringCounter::default);
        candidates.iter().copied().min_by_key(|id| counts.at(places, *id).1.get(now))
    }
}

//! Checks that lead a request to the deployment that served its key or its session before
//! (`pre_call_checks/deployment_affinity_check.py`) [T 269].

use crate::units::{DeploymentId, KeyId, NameId, SimDuration, SimTime};
use std::collections::BTreeMap;

/// Whose requests stay at a deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AffinityFlags {
    /// `deployment_affinity`: those of a key.
    pub of_key: bool,
    /// `session_affinity`: those of a session.
    pub of_session: bool,
}

/// These checks, for all groups and for single ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Affinity {
    /// For all.
    pub of_all: AffinityFlags,
    /// `model_group_affinity_config`: in place of that.
    pub of_groups: Vec<(NameId, AffinityFlags)>,
    /// `deployment_affinity_ttl_seconds`: how long a deployment is remembered after it was called last.
    pub life: SimDuration,
    /// Budgets are looked at first: so it is where only `model_group_affinity_config` asks for it [T 298].
    pub is_after_budgets: bool,
}

impl Affinity {
    /// What holds for a group.
    pub fn of(&self, group: NameId) -> AffinityFlags {
        self.of_groups.iter().find(|(name, _)| *name == group).map_or(self.of_all, |(_, flags)| *flags)
    }
}

/// What a deployment is remembered for: a group, a key, and a session of that key.
pub type Pin = (NameId, KeyId, Option<u32>);

/// Where requests were served.
#[derive(Debug, Clone, Default)]
pub struct Pins(BTreeMap<Pin, (DeploymentId, SimTime)>);

impl Pins {
    /// The deployment that is remembered.
    pub fn get(&self, now: SimTime, pin: &Pin) -> Option<DeploymentId> {
        self.0.get(pin).filter(|(_, until)| now <= *until).map(|(deployment, _)| *deployment)
    }

    /// A deployment is called: it is remembered, if no other one is, from now on. Whether it is.
    pub fn claim(&mut self, now: SimTime, pin: Pin, deployment: DeploymentId, life: SimDuration) -> bool {
        let is_free = self.get(now, &pin).is_none_or(|known| known == deployment);
        if is_free {
            self.0.insert(pin, (deployment, now + life));
        }
        is_free
    }

    /// Nothing is remembered any longer.
    pub fn forget(&mut self, pin: &Pin) {
        self.0.remove(pin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_first_is_remembered_for_as_long_as_it_is_called() {
        let (pin, life) = ((NameId(0), KeyId(0), None), SimDuration::from_secs(10));
        let at = |secs: i64| SimTime(secs * 1_000_000_000);
        let mut pins = Pins::default();
        pins.claim(at(0), pin, DeploymentId(1), life);
        pins.claim(at(5), pin, DeploymentId(2), life);
        assert_eq!([at(10), at(11)].map(|at| pins.get(at, &pin)), [Some(DeploymentId(1)), None]);
        pins.claim(at(10), pin, DeploymentId(1), life);
        assert_eq!(pins.get(at(20), &pin), Some(DeploymentId(1)));
    }
}

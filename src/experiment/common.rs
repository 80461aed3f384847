//! What the results of many configurations have in common, so that each of them says what it is about.

use crate::scenario::{PROFILE, World};

/// What is varied, and by which prices and which gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct Common {
    /// Name of the scenario.
    pub scenario: String,
    /// Behaviour profile of the gateway.
    pub profile: &'static str,
    /// As-of date of the newest price.
    pub prices_as_of: String,
    /// Length of one replication, hours.
    pub horizon_hours: f64,
}

impl Common {
    /// What is known of a world.
    pub fn of(world: &World) -> Self {
        Self {
            scenario: world.name.clone(),
            profile: PROFILE,
            prices_as_of: world.prices_as_of.clone(),
            horizon_hours: world.horizon.as_secs_f64() / 3600.0,
        }
    }
}

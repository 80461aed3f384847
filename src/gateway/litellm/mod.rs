//! The LiteLLM proxy, version 1.102.4, as a state machine (profile `litellm-1.102`).
//!
//! `wire` mirrors the config file, `lower` turns it into a [`plan::Plan`], `router` is what happens to a request, step
//! by step, `strategy` how a deployment is picked. `[T nn]` names the recorded case that proves a rule; "from source
//! only" marks rules that no recording shows.

mod affinity;
mod body;
mod call;
pub mod client;
/// When budgets begin anew.
pub mod budget_reset;
/// LiteLLM's own defaults.
pub mod defaults;
mod failure;
mod kept;
/// Virtual keys, users and teams, and what limits them.
pub mod keyring;
/// Which keys do something, and which do not.
pub mod keys;
/// Config file to plan.
pub mod lower;
/// What requests ask for that a provider may not take.
pub mod params;
/// The compiled configuration.
pub mod plan;
/// Numbers by class of failure.
pub mod policy;
mod minute_lives;
mod price;
mod proxy_plan;
mod router;
mod router_plan;
mod shared;
mod state;
mod strategy;
/// The config file as it is written, each value with its place.
pub mod wire;
/// What the texts of errors say.
pub mod wording;

pub use call::CallState;
pub use router::{LiteLlm, MOST_ANSWERS};

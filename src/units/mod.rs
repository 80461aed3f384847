//! Exact money, tokens, simulated time and the ids that everything else counts with.

mod ids;
mod money;
mod price;
mod time;
mod usage;

pub use ids::{
    AttemptNumber, CallId, ClassId, DeploymentId, GroupId, KeyId, ModelId, PromptId, ProviderId, RequestId, TeamId,
};
pub use money::{Money, MoneyError};
pub use price::{ExactCost, UnitPrice};
pub use time::{SimDuration, SimTime};
pub use usage::{Tokens, Usage};

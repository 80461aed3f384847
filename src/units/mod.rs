//! Exact money, tokens, simulated time and the ids that everything else counts with.

mod ids;
mod money;
mod outcome;
mod quantity;
mod time;
mod usage;

pub use ids::{
    AttemptNumber, BodyId, CallId, ClassId, DeploymentId, GroupId, KeyId, ModelId, NameId, PromptId, ProviderId,
    RequestId, TeamId,
};
pub use money::{Money, MoneyError, UnitPrice};
pub use outcome::{Outcome, Phase, RetryAfter};
pub use quantity::{Count, PerSecond, QuantityError, Seconds, Share, parse_scaled};
pub use time::{SimDuration, SimTime};
pub use usage::{Tokens, Usage};

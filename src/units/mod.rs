//! Exact money, tokens, simulated time and the ids that everything else counts with.

mod ids;
mod linear;
mod money;
mod outcome;
mod price;
mod quantity;
mod request;
mod time;
mod usage;
mod why_not;
mod wording;

pub use ids::{BodyId, CallId, ClassId, DeploymentId, GroupId, KeyId, NameId, PromptId, RequestId};
pub use linear::LinearPrice;
pub use money::{Money, MoneyError};
pub use outcome::{Outcome, Phase, RetryAfter};
pub use price::{ExactCost, UnitPrice};
pub use quantity::{Count, Growth, PerSecond, QuantityError, Seconds, Share, parse_scaled, short, without_separators};
pub use request::RequestView;
pub use time::{SimDuration, SimTime};
pub use usage::{TokenKind, Tokens, Usage, UsageSum};
pub use why_not::{Stage, WhyNot, WhyNots};
pub use wording::{Meaning, Mention, Wording};

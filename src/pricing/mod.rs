//! What tokens cost: price books, rate cards and the rules that read them.
//!
//! Two books answer two questions. Our own dated table says what the *provider bills*; LiteLLM's map under LiteLLM's
//! rules says what *LiteLLM reports*. [`PriceBook`] is either.

mod adjust;
mod batch;
mod book;
mod card;
mod compiled;
mod error;
mod listing;
mod litellm;
mod off_peak;
mod rate_schedule;
mod rates;
mod retirement;
mod rule;
mod schedule;
mod service_tier;
mod table;
mod tariff;

pub use adjust::{Adjustment, Share};
pub use batch::price_rows;
pub use book::{Ask, PriceBook};
pub use card::{ByTier, PromptTier, RateCard, Step};
pub use compiled::{ChargeParts, ChargedTokens, CompiledRates};
pub use error::PriceFileError;
pub use listing::{Listed, Listing};
pub use litellm::{CostMap, DeploymentPricing, Found, MapEntry, deployment_card};
pub use off_peak::{OffPeak, Window};
pub use rate_schedule::RateSchedule;
pub use rates::{CostParts, Metered, Rates, Split, TokenRates};
pub use retirement::Retirement;
pub use rule::{Moment, Rule};
pub use schedule::PriceSchedule;
pub use service_tier::ServiceTier;
pub use table::{PriceRow, PriceTable};
pub use tariff::{Priced, Tariff};

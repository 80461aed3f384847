//! Replications and what they say together.

mod assemble;
mod findings;
mod fold;
mod forecast;
mod part;
mod rare;
mod replicate;
mod run;

pub use crate::scenario::Assumption;
pub use assemble::{DeploymentLabel, Labels, ShareLabel};
pub use forecast::{
    About, Band, CountStats, Demand, DeploymentRow, EdgeRow, ErrorCounts, Finding, Forecast, HourRow, LatencyStats,
    MoneyStats, RateStats, RunRow, ShareRow, Timeline, TimelineStep, UnpricedRow, Window,
};
pub use part::{Part, PartError, merge};
pub use rare::{Metric, Rare, rare};
pub use replicate::{Options, Progress, Unwatched};
pub use run::{forecast, part};

//! Replications and what they say together.

mod assemble;
mod explain;
mod findings;
mod fold;
mod forecast;
mod replicate;
mod run;

pub use crate::scenario::Assumption;
pub use assemble::{DeploymentLabel, Labels, ShareLabel};
pub use explain::{
    Attributed, Choice, DearRequest, Driver, DriverKind, EdgeStory, ExplainError, Explanation, RequestEvent,
    RequestName, RequestStory, Step, WindowStory, explain,
};
pub use fold::{Fold, money_stats, share};
pub use forecast::{
    About, Band, CountStats, Demand, DeploymentRow, EdgeRow, ErrorCounts, Finding, Forecast, HourRow, LatencyStats,
    MoneyStats, RateStats, RunRow, ShareRow, Timeline, TimelineStep, UnpricedRow, Window,
};
pub use replicate::{Options, Progress, Unwatched, replicate};
pub use run::forecast;

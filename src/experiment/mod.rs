//! Replications and what they say together.

mod assemble;
mod detail;
mod findings;
mod fold;
mod forecast;
mod replicate;
mod run;

pub use crate::scenario::Assumption;
pub use assemble::{DeploymentLabel, Labels, ShareLabel};
pub use detail::{ChargeRow, DayRow, PERCENTILES, PercentileRun, ProviderRow, percentile_runs};
pub use findings::FINDING_CODES;
pub use forecast::{
    About, Band, CountStats, Demand, DeploymentRow, EdgeRow, ErrorCounts, Finding, Forecast, HourRow, LatencyStats,
    MoneyStats, RateStats, RunRow, ShareRow, Timeline, TimelineStep, UnpricedRow, Window,
};
pub use replicate::{Options, Progress, Unwatched};
pub use run::forecast;

//! Replications and what they say together.

mod forecast;

pub use forecast::{
    About, Assumption, Band, CountStats, Demand, DeploymentRow, EdgeRow, ErrorCounts, Finding, Forecast, HourRow,
    LatencyStats, MoneyStats, RateStats, RunRow, ShareRow, Timeline, TimelineStep, UnpricedRow, Window,
};

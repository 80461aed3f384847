//! What numbers say together: histograms, moments, quantiles with intervals.

mod histogram;
mod moments;
mod ranks;

pub use histogram::Histogram;
pub use moments::Moments;
pub use ranks::{quantile_interval_ranks, quantile_rank};

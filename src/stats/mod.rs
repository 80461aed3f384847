//! What numbers say together: histograms, moments, quantiles with intervals, paired differences.

mod blocks;
mod controls;
mod estimate;
mod histogram;
mod moments;
mod paired;
mod quantile;
mod spool;
mod student;

pub use blocks::{block_mean, block_ranks, worth_runs};
pub use controls::{Controlled, controlled};
pub use estimate::{Estimate, Interval};
pub use histogram::Histogram;
pub use moments::Moments;
pub use paired::Paired;
pub use quantile::{binomial_ranks, nearest_rank, quantile_of_sorted};
pub use spool::Spool;
pub use student::{normal_quantile, student_quantile};

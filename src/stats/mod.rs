//! What many replications say together: quantile sketches, exact quantiles, estimates with their uncertainty.

mod estimate;
mod histogram;
mod moments;
mod paired;
mod quantile;
mod student;

pub use estimate::{Estimate, Interval};
pub use histogram::LogHistogram;
pub use moments::Moments;
pub use paired::Paired;
pub use quantile::Sample;
pub use student::{normal_quantile, student_quantile};

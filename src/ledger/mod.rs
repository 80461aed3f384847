//! Every dollar once, by why it was spent.

mod books;
mod cause;
mod tariffs;

pub use books::{Charge, Edge, Ledger, Shape};
pub use cause::{Cause, Causes};
pub use tariffs::{DeploymentTariff, RateSchedule, Tariffs};

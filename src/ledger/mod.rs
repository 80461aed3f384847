//! Every dollar once, by why it was spent.

mod books;
mod capacity;
mod cause;
mod tariffs;

pub use books::{Charge, Edge, Ledger, Shape};
pub use capacity::{Capacity, split};
pub use cause::{Cause, Causes};
pub use tariffs::{DeploymentTariff, Tariffs};

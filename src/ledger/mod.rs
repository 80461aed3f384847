//! Every dollar once, by why it was spent.

mod cause;
mod ledger;

pub use cause::{Cause, Causes};
pub use ledger::{Charge, Edge, Ledger, Shape};

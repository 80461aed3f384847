//! Every dollar once, by why it was spent.

mod books;
mod cause;

pub use books::{Charge, Edge, Ledger, Shape};
pub use cause::{Cause, Causes};

//! The peers that billcast is measured against, on the shared workload W1 (`../../W1.md`). Engines differ only in their
//! event loop; each program is `PROG N REPS SEED FIXED` and prints one line of JSON for every replication.
pub mod core;
pub mod crn;
pub mod events;
pub mod model;
pub mod samplers;
pub mod wheel;

pub use crate::core::*;
pub use crate::crn::*;
pub use crate::events::*;
pub use crate::model::*;
pub use crate::samplers::*;
pub use crate::wheel::*;

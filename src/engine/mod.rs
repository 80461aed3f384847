//! The discrete-event loop. It knows clocks, queues and providers; it never asks which gateway it is running.

mod attempt;
mod machine;
mod queue;

pub use machine::{Arrival, Arrivals, AttemptRecord, Engine, Leave, Observer, RequestRecord};

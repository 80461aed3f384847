//! The discrete-event loop. It knows clocks, queues and providers; it never asks which gateway it is running.

mod attempt;
mod demand;
mod machine;
mod queue;
mod recorder;
mod run;

pub use demand::DemandTotals;
pub use machine::{Arrival, Arrivals, AttemptRecord, Engine, Leave, Observer, RequestRecord};
pub use recorder::Recorder;
pub use run::{DeploymentTotals, ErrorClass, RequestTotals, Run, StepTotals};

//! The discrete-event loop. It knows clocks, queues and providers; it never asks which gateway it is running.

mod attempt;
mod billed;
mod capacity;
mod charges;
mod demand;
mod flights;
mod lane;
mod light;
mod machine;
mod meters;
mod observer;
mod places;
mod queue;
mod recorder;
mod replay;
mod room;
mod run;
mod simulate;
mod slot;
mod steps;
mod tab;
mod waits;
mod watch;
mod wheel;

pub use billed::Billed;
pub use charges::{ChargeKey, ChargeSum, Charges};
pub use demand::DemandTotals;
pub use machine::{Arrival, Arrivals, Asked, Engine};
pub use meters::{GateEvent, Metered, PoolRecord, Pools};
pub use observer::{AttemptRecord, Observer, RequestRecord};
pub use recorder::Recorder;
pub use replay::{MOST_TRACED, Trace, TraceAttempt, TraceCooldown, TraceRequest, TraceStatus, TraceStep, replay};
pub use room::Overfull;
pub use run::{DeploymentTotals, ErrorClass, RequestTotals, Run, StepTotals};
pub use simulate::{charges, simulate, simulate_metered, simulate_watched};
pub use watch::{Booked, Watcher};

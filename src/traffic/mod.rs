//! What users send: arrivals, token lengths, repeats, patience. Everything about a request is a function of its address
//! (seed, replication, class, request), so the same request meets every configuration.

mod again;
mod ahead;
mod arrivals;
mod class;
mod class_stream;
mod closed;
mod crowd;
mod excited;
mod expected;
mod many;
mod open;
mod recent;
mod repeater;
mod replay;
mod request;
mod spec;
mod stream;

pub use again::{Ending, MOST_RETRIES, Retries};
pub use arrivals::{Arrivals, MOST_TURNS, OnOff, TrafficError};
pub use class::{Class, Patience, Repeats};
pub use closed::session_of;
pub use crowd::Crowd;
pub use excited::Excites;
pub use replay::{MOST_SCALE, Replay, TraceRow, TraceRows, TraceSource, UNSAID};
pub use request::{Fate, FirstOf, Leave, Request};
pub use spec::{
    ClientsSpec, ExcitesSpec, LeavesSpec, OnOffSpec, RepeatsSpec, RetriesSpec, SessionSpec, Source, Spike, StopsSpec,
    TrafficModel, WorkersSpec,
};
pub use stream::{MOST_LATER, MOST_WAITING, Stream, Traffic};

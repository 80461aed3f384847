//! What stands around a gateway's code: several processes of it with memories of their own, on several machines, that
//! are restarted and crash.
//!
//! [`Fleet`] wraps any gateway whose memory can be exchanged. Each request goes to one process and stays there; what
//! processes share (Redis) stays in place when their memories are exchanged. A gateway that runs as one process that
//! never ends is simulated without any of this.

mod life;
mod plan;
mod spec;

pub use life::Fleet;
pub use plan::{Concurrency, Crashes, Deploys, FleetPlan, Scope};
pub use spec::{ConcurrencySpec, CrashSpec, DeploySpec, FleetSpec, RedisSpec, ScopeSpec};

use crate::gateway::{Gateway, RequestView};

/// A gateway that can run in several processes.
pub trait Replicated: Gateway {
    /// What one process remembers.
    type Memory;

    /// From now on this is one of several processes.
    fn becomes_several(&mut self);

    /// The memory of a process that has just started. `seat` is its number, which later processes reuse; `identity` are
    /// random bits of its own.
    fn started(&self, seat: u32, identity: u64) -> Self::Memory;

    /// Puts another memory in the place of the present one, which is returned in it. What processes share stays.
    fn exchange(&mut self, memory: &mut Self::Memory);

    /// The process in a seat has ended without warning: what it had not passed on is gone.
    fn crashed(&mut self, seat: u32);

    /// This call was in a process that has ended.
    fn lost(&mut self, request: &RequestView, call: &mut Self::Call);
}

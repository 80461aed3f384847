//! Whether runs are worth anything: they had room for all that was in flight in them, and their traces stayed the same.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::scenario::files::Stamp;
use crate::scenario::problem::Problem;

/// Whether any run of some worlds had to end early because more requests were in flight at once than it keeps, or a
/// trace is not any more what was read first. The engine and the traces write it; worlds that are loaded for one
/// purpose share it, so that whoever asked for their runs looks in one place. It does not say which run: on several
/// threads that would depend on their order.
#[derive(Debug, Clone, Default)]
pub struct Room(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    is_exceeded: AtomicBool,
    spoilt: OnceLock<Problem>,
    /// The files of the traces by their names, as they were when they were read first.
    traces: Mutex<HashMap<String, Stamp>>,
}

impl Room {
    /// A run has come to the end of it; what it says is worth nothing.
    pub fn exceed(&self) {
        self.0.is_exceeded.store(true, Ordering::Relaxed);
    }

    /// Whether a run has.
    pub fn is_exceeded(&self) -> bool {
        self.0.is_exceeded.load(Ordering::Relaxed)
    }

    /// A trace cannot be read as before; what the runs say is worth nothing.
    pub(super) fn spoil(&self, problem: Problem) {
        // The first one is told: others follow from it.
        let _ = self.0.spoilt.set(problem);
    }

    /// Why the runs are worth nothing, where a trace is the reason.
    pub fn spoilt(&self) -> Option<&Problem> {
        self.0.spoilt.get()
    }

    /// Whether runs are worth nothing: further ones need not begin.
    pub fn is_over(&self) -> bool {
        self.is_exceeded() || self.spoilt().is_some()
    }

    /// What the file of a trace was when it was read first, if it was.
    pub(super) fn first_seen(&self, trace: &str) -> Option<Stamp> {
        self.0.traces.lock().unwrap_or_else(PoisonError::into_inner).get(trace).copied()
    }

    /// Keeps what the file of a trace is when it is read first.
    pub(super) fn see(&self, trace: String, stamp: Stamp) {
        self.0.traces.lock().unwrap_or_else(PoisonError::into_inner).insert(trace, stamp);
    }
}

//! Whether runs had room for all that was in flight in them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether any run of some worlds had to end early because more requests were in flight at once than it keeps. The engine
/// writes it; worlds that are loaded for one purpose share it, so that whoever asked for their runs looks in one place.
/// It does not say which run: on several threads that would depend on their order.
#[derive(Debug, Clone, Default)]
pub struct Room(Arc<AtomicBool>);

impl Room {
    /// A run has come to the end of it; what it says is worth nothing.
    pub fn exceed(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether a run has.
    pub fn is_exceeded(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

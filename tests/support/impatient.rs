//! Somebody who presses Ctrl-C.

use std::sync::atomic::{AtomicU32, Ordering};

use billcast::experiment::Progress;

/// Interrupts after so many questions whether to stop.
pub struct Impatient(AtomicU32);

impl Impatient {
    pub fn after(questions: u32) -> Self {
        Self(AtomicU32::new(questions))
    }
}

impl Progress for Impatient {
    fn done(&self, _: u64, _: u64) {}

    fn stop(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
    }
}

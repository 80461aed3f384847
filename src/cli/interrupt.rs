//! Ctrl-C: the first one asks for a clean end, the second one ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::cli::stop::INTERRUPTED;
use crate::cli::streams;

/// The runs under way are finished first; that is told where it takes longer than anybody notices.
const LONG: Duration = Duration::from_secs(2);

fn tell_if_it_takes_long() {
    std::thread::sleep(LONG);
    streams::complain("ending after the runs that are under way; Ctrl-C again ends at once");
}

/// Whether Ctrl-C has been pressed.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Starts to listen. Where that is not possible, Ctrl-C ends the program as it always does.
    pub fn listen() -> Self {
        let this = Self::default();
        let pressed = Arc::clone(&this.0);
        let _ = ctrlc::set_handler(move || {
            if pressed.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(INTERRUPTED));
            }
            std::thread::spawn(tell_if_it_takes_long);
        });
        this
    }

    /// Whether to come to an end.
    pub fn is_pressed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

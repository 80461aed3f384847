//! Ctrl-C: where there is work to keep the first one asks for a clean end; a later one, or where there is none, ends at
//! once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::cli::stop::INTERRUPTED;
use crate::cli::streams;

/// A terminal and a wrapper around the program (`timeout`, a script runner) may both pass one Ctrl-C on: what comes so
/// soon after the first is no second one.
const ONE_PRESS: Duration = Duration::from_millis(500);
/// The runs under way are finished first; that is told where it takes longer than anybody notices.
const LONG: Duration = Duration::from_secs(2);

/// Whether there is something that the first Ctrl-C must not lose. Nothing looks at it while files are read, which may
/// wait forever for a pipe or a terminal.
static HAS_WORK: AtomicBool = AtomicBool::new(false);

/// From now on, until there is more work, the first Ctrl-C ends the program.
pub fn waits() {
    HAS_WORK.store(false, Ordering::Relaxed);
}

/// Lets a further Ctrl-C count after a while, and says so.
fn wait_for_another(counts: &AtomicBool) {
    std::thread::sleep(ONE_PRESS);
    counts.store(true, Ordering::Relaxed);
    std::thread::sleep(LONG.saturating_sub(ONE_PRESS));
    streams::complain("ending after the runs that are under way; Ctrl-C again ends at once");
}

/// Whether Ctrl-C has been pressed.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Starts to listen. Where that is not possible, Ctrl-C ends the program as it always does.
    pub fn listen() -> Self {
        let this = Self::default();
        let (pressed, counts) = (Arc::clone(&this.0), Arc::new(AtomicBool::new(false)));
        let _ = ctrlc::set_handler(move || {
            if !HAS_WORK.load(Ordering::Relaxed) {
                std::process::exit(i32::from(INTERRUPTED));
            } else if !pressed.swap(true, Ordering::Relaxed) {
                let counts = Arc::clone(&counts);
                std::thread::spawn(move || wait_for_another(&counts));
            } else if counts.load(Ordering::Relaxed) {
                std::process::exit(i32::from(INTERRUPTED));
            }
        });
        this
    }

    /// From now on the first Ctrl-C asks for a clean end.
    pub fn has_work(&self) {
        HAS_WORK.store(true, Ordering::Relaxed);
    }

    /// Whether to come to an end.
    pub fn is_pressed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

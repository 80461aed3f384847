//! Shows how far a forecast has come, on a terminal only, and passes Ctrl-C on.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::interrupt::Interrupt;
use crate::cli::stop::Stop;
use crate::experiment::Progress;
use crate::scenario::Room;

/// The progress bar, the Ctrl-C key, and what ends all runs because one of them is worth nothing.
pub struct Watch {
    bar: ProgressBar,
    interrupt: Interrupt,
    room: Room,
}

impl Watch {
    /// Starts to watch. The bar is drawn on stderr if that is a terminal and `quiet` is not asked for.
    pub fn start(runs: u64, quiet: bool, interrupt: Interrupt, room: &Room) -> Self {
        interrupt.has_work();
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(runs), target);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos} of {len} runs, {eta} left") {
            bar.set_style(style);
        }
        Self { bar, interrupt, room: room.clone() }
    }

    /// Takes the bar away. An error where a run had no room, or a trace has changed: then nothing that was simulated is
    /// worth anything.
    pub fn finish(&self) -> Result<(), Stop> {
        self.bar.finish_and_clear();
        Stop::if_worthless(&self.room)
    }
}

impl Progress for Watch {
    fn done(&self, runs: u64, of: u64) {
        self.bar.set_length(of);
        self.bar.set_position(runs);
    }

    fn stop(&self) -> bool {
        self.interrupt.is_pressed() || self.room.is_over()
    }
}

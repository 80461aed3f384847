//! Shows how far a forecast has come, on a terminal only, and passes Ctrl-C on.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::interrupt::Interrupt;
use crate::experiment::Progress;

/// The progress bar and the Ctrl-C key.
pub struct Watch {
    bar: ProgressBar,
    interrupt: Interrupt,
}

impl Watch {
    /// Starts to watch. The bar is drawn on stderr if that is a terminal and `quiet` is not asked for.
    pub fn start(runs: u64, quiet: bool, interrupt: Interrupt) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(runs), target);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos} of {len} runs, {eta} left") {
            bar.set_style(style);
        }
        Self { bar, interrupt }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Watch {
    fn done(&self, runs: u64, of: u64) {
        self.bar.set_length(of);
        self.bar.set_position(runs);
    }

    fn stop(&self) -> bool {
        self.interrupt.is_pressed()
    }
}

//! What several commands have in common: a scenario, how much to simulate, and quiet.

use crate::cli::edits::EditArgs;
use crate::cli::stop::Stop;
use crate::cli::values::shell_word;
use crate::experiment::Options;
use crate::random::Seed;
use crate::scenario::{Overrides, World, load};

/// A scenario and how much of it to simulate.
#[derive(Debug, clap::Args)]
pub struct Subject {
    /// The scenario: a built-in name (`billcast scenarios`), a folder, a scenario.yaml, or `-` for stdin.
    pub scenario: String,
    /// Replications [default: as the scenario says, else 200].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub runs: Option<u64>,
    /// Seed of the random numbers [default: as the scenario says, else 1].
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Threads; the result does not depend on it [default: one a core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Prices: LiteLLM's JSON price map or a CSV table [default: as the scenario says, else the built-in table].
    #[arg(long, value_name = "FILE")]
    pub prices: Option<String>,
    #[command(flatten)]
    edits: EditArgs,
    /// No progress bar and no notes on stderr.
    #[arg(long, short)]
    pub quiet: bool,
}

impl Subject {
    /// Reads and compiles the scenario.
    pub fn load(&self) -> Result<World, Stop> {
        let overrides = Overrides { prices: self.prices.clone(), edits: self.edits.read()?, ..Overrides::default() };
        Ok(load(&self.scenario, &overrides)?)
    }

    /// How much to simulate; `further` are the other arguments that the result depends on.
    pub fn options(&self, world: &World, verb: &str, further: &[String]) -> Options {
        self.options_of(world, verb, further, world.runs)
    }

    /// The same with so many runs where nobody says how many.
    pub fn options_of(&self, world: &World, verb: &str, further: &[String], runs: u64) -> Options {
        let (runs, seed) = (self.runs.unwrap_or(runs), self.seed.unwrap_or(world.seed.0));
        let mut words = vec!["billcast".to_owned(), verb.to_owned(), shell_word(&self.scenario)];
        for (flag, value) in self.edits.words() {
            words.extend([format!("--{flag}"), shell_word(&value)]);
        }
        words.extend(self.prices.iter().flat_map(|file| ["--prices".to_owned(), shell_word(file)]));
        words.extend(further.iter().cloned());
        words.extend(["--seed".to_owned(), seed.to_string(), "--runs".to_owned(), runs.to_string()]);
        Options {
            runs,
            seed: Seed(seed),
            threads: self.threads.map_or(0, usize::from),
            precision: None,
            command: words.join(" "),
        }
    }
}

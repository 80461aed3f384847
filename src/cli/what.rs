//! What the commands that play scenarios have in common: where the scenario comes from, and how much to simulate.

use clap::ValueEnum;

use crate::cli::edits::EditArgs;
use crate::cli::files::OutDir;
use crate::cli::quick::QuickArgs;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::values::{runs, seed, shell_word};
use crate::experiment::Options;
use crate::random::Seed;
use crate::report::{Artefact, TerminalOptions};
use crate::scenario::{Edit, Overrides, Room, World, load, load_quick};

/// One scenario, and how it is played.
#[derive(Debug, clap::Args)]
pub struct Subject {
    /// The scenario: a built-in name (`billcast scenarios`), a folder, a scenario.yaml, or `-` for stdin.
    #[arg(required_unless_present = "config", conflicts_with = "config")]
    scenario: Option<String>,
    #[command(flatten)]
    pub what: WhatArgs,
}

/// How much to simulate, at which prices, and with which changes.
#[derive(Debug, Clone, clap::Args)]
pub struct WhatArgs {
    /// Replications of each configuration [default: as the scenario says, else 200; sweep and solve 64, plan 32].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = runs::<1_000_000>)]
    pub runs: Option<u64>,
    /// Seed of the random numbers, the same for all [default: as the scenario says, else 1].
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = seed)]
    pub seed: Option<u64>,
    /// Threads; the result does not depend on it [default: one a core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Prices: LiteLLM's JSON price map or a CSV table [default: as the scenario says, else the built-in table].
    #[arg(long, value_name = "FILE")]
    pub prices: Option<String>,
    /// The price map that the gateway itself goes by (LiteLLM's JSON of your version): what it reports, and what its
    /// budgets count, may differ from the bill [default: the same prices].
    #[arg(long, value_name = "FILE")]
    pub gateway_prices: Option<String>,
    #[command(flatten)]
    pub edits: EditArgs,
    /// No progress bar and no notes on stderr.
    #[arg(long, short)]
    pub quiet: bool,
    /// Where the runs of all scenarios that are loaded tell that they are worth nothing.
    #[arg(skip)]
    pub room: Room,
    // Last: its heading would hold for the options after it.
    #[command(flatten)]
    pub quick: QuickArgs,
}

/// What is printed on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Subject {
    /// Compiles the scenario with the changes of the command line, and then with more.
    pub fn load(&self, more: Vec<Edit>) -> Result<World, Stop> {
        let edits = self.what.edits.read()?.into_iter().chain(more).collect();
        self.what.load(self.scenario.as_deref(), None, edits)
    }

    /// How much to simulate: so many `runs` where nobody says how many; `further` are the other arguments that the
    /// result depends on.
    pub fn options(&self, world: &World, verb: &str, further: Vec<String>, runs: Option<u64>) -> Options {
        let mut words = vec![verb.to_owned()];
        words.extend(self.scenario.iter().map(|scenario| shell_word(scenario)));
        words.extend(further);
        self.what.options(world, runs, words)
    }
}

impl WhatArgs {
    /// Compiles a scenario, or the config of the flags where there is none, with another gateway config and with
    /// changes.
    pub fn load(&self, scenario: Option<&str>, gateway: Option<&str>, edits: Vec<Edit>) -> Result<World, Stop> {
        let gateway = gateway.map(str::to_owned);
        let (prices, gateway_prices) = (self.prices.clone(), self.gateway_prices.clone());
        let overrides = Overrides { prices, gateway_prices, gateway, edits, room: self.room.clone() };
        match (scenario, self.quick.validated()?) {
            (Some(_), Some(_)) => Err(Stop::Usage("give a scenario or --config, not both".to_owned())),
            (None, Some(quick)) => Ok(load_quick(&quick, &overrides)?),
            (Some(scenario), None) => Ok(load(scenario, &overrides)?),
            (None, None) => Err(Stop::Usage("name a scenario, or give --config and --rate".to_owned())),
        }
    }

    /// How much to simulate; `words` are those of the command that are not the same for all commands.
    pub fn options(&self, world: &World, runs: Option<u64>, words: Vec<String>) -> Options {
        let (runs, seed) = (self.runs.or(runs).unwrap_or(world.runs), self.seed.unwrap_or(world.seed.0));
        let mut all = vec!["billcast".to_owned()];
        all.extend(words);
        all.extend(self.quick.words());
        all.extend(self.prices.iter().flat_map(|file| ["--prices".to_owned(), shell_word(file)]));
        all.extend(self.gateway_prices.iter().flat_map(|file| ["--gateway-prices".to_owned(), shell_word(file)]));
        all.extend(self.edits.words().flat_map(|(flag, value)| [format!("--{flag}"), shell_word(&value)]));
        all.extend(["--seed".to_owned(), seed.to_string(), "--runs".to_owned(), runs.to_string()]);
        let threads = self.threads.map_or(0, usize::from);
        Options { runs, seed: Seed(seed), threads, precision: None, command: all.join(" ") }
    }

    /// A note on stderr, unless that is not wanted.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            streams::note(line);
        }
    }

    /// Writes files and says so.
    pub fn write(&self, out: &OutDir, files: &[Artefact]) -> Result<(), Stop> {
        out.write_all(files.iter().map(|file| (file.file_name.as_str(), file.bytes.as_slice())))?;
        self.say(&format!("{} files written to {}", files.len(), out.path().display()));
        Ok(())
    }
}

/// How stdout is written on.
pub fn terminal_options(verbose: bool) -> TerminalOptions {
    TerminalOptions {
        width: streams::width(),
        color: streams::stdout_has_color(),
        verbose,
        whole: !streams::has_width(),
    }
}

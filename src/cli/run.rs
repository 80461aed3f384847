//! `billcast run`: the main job.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::edits::EditArgs;
use crate::cli::files::OutDir;
use crate::cli::gates::{GateArgs, finish};
use crate::cli::interrupt::Interrupt;
use crate::cli::parts::{self, PartOf};
use crate::cli::progress::Watch;
use crate::cli::quick::QuickArgs;
use crate::cli::rare::{self, Question};
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::values::{Dollars, Precision, shell_word};
use crate::experiment::{Forecast, Options, Progress, forecast, percentile_runs};
use crate::random::Seed;
use crate::report::{TerminalOptions, View, artefacts, json, terminal};
use crate::scenario::{Overrides, World, load, load_quick};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The scenario: a built-in name (`billcast scenarios`), a folder, a scenario.yaml, or `-` for stdin.
    #[arg(required_unless_present = "config", conflicts_with = "config")]
    scenario: Option<String>,

    /// Replications [default: as the scenario says, else 200].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    runs: Option<u64>,
    /// Seed of the random numbers [default: as the scenario says, else 1].
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Threads; the result does not depend on it [default: one a core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Stop early when the 95% confidence interval of the P95 bill is at most this far from it either way, e.g. `2%`.
    #[arg(long, value_name = "SHARE")]
    precision: Option<Precision>,
    /// Prices: LiteLLM's JSON price map or a CSV table [default: as the scenario says, else the built-in table].
    #[arg(long, value_name = "FILE")]
    prices: Option<String>,
    /// The price map that the gateway itself goes by (LiteLLM's JSON of your version): what it reports, and what its budgets
    /// count, may differ from the bill [default: the same prices].
    #[arg(long, value_name = "FILE")]
    gateway_prices: Option<String>,
    #[command(flatten)]
    edits: EditArgs,
    #[command(flatten)]
    gates: GateArgs,

    /// What may be spent in one run, in US dollars: the report says how likely it is to be exceeded.
    #[arg(long, value_name = "USD")]
    budget: Option<Dollars>,

    /// Ask instead how likely a rare weekend is, e.g. 'bill > 1000', 'failure_rate > 5%' or 'fallback_share > 20%': runs are
    /// drawn from a harsher world and weighed back, which takes far fewer than waiting for one (importance sampling).
    #[arg(long, value_name = "QUESTION", conflicts_with_all = ["precision", "merge", "part", "out"])]
    rare: Option<Question>,
    /// Simulate only part K of N of the replications, and write what is known of them into the file of --out; on several
    /// machines, all with the same other options.
    #[arg(long, value_name = "K/N", requires = "out", conflicts_with_all = ["precision", "merge"])]
    part: Option<PartOf>,
    /// Simulate nothing: merge the files of all parts. The result is that of a run in one piece, to the last byte.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "precision")]
    merge: Vec<String>,
    /// Write forecast.json and every form of the report into this directory (with --part: the part into this file).
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// No progress bar and no notes on stderr.
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,
    /// Print every table, assumption and diagnostic.
    #[arg(long, short)]
    verbose: bool,

    // Last: its heading would hold for the options after it.
    #[command(flatten)]
    quick: QuickArgs,
}

/// What is printed on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A summary for people.
    Text,
    /// forecast.json.
    Json,
}

/// Loads, simulates, prints and writes.
pub fn run(args: &RunArgs) -> Result<(), Stop> {
    let interrupt = Interrupt::listen();
    let gates = args.gates.read(false)?;
    let world = args.load()?;
    let options = args.options(&world);
    if let (Some(part), Some(file)) = (args.part, &args.out) {
        let watch = Watch::start(options.runs, args.quiet, interrupt);
        args.say(&parts::write(&world, &options, part, file, &watch)?);
        return Ok(());
    }
    if let Some(question) = &args.rare {
        let watch = Watch::start(options.runs, args.quiet, interrupt);
        return rare::answer(&world, &options, question, args.format == Format::Json, &watch);
    }
    let out = args.out.as_deref().map(OutDir::prepare).transpose()?;
    let watch = Watch::start(options.runs, args.quiet, interrupt);
    let mut forecast = match args.merge.as_slice() {
        [] => forecast(&world, &options, &watch),
        files => parts::merged(&world, &options, files)?,
    };
    watch.finish();
    // Fewer runs than asked for are no fragment when a precision was reached, but they are one after Ctrl-C.
    forecast.about.partial |= watch.stop() && forecast.about.runs < options.runs;
    if forecast.about.runs == 0 {
        args.say("interrupted before the first run was done");
        return Err(Stop::Interrupted);
    }
    if let Some(Dollars(amount)) = args.budget {
        forecast.budget.horizon = Some(amount);
    }
    if out.is_some() || args.format == Format::Json {
        forecast.percentile_runs = percentile_runs(&world, &forecast);
    }
    forecast.policies = gates.judge("", None, &forecast.runs);
    args.print(&forecast)?;
    if let Some(out) = out {
        let files = artefacts(&forecast);
        out.write_all(files.iter().map(|file| (file.file_name.as_str(), file.bytes.as_slice())))?;
        args.say(&format!("{} files written to {}", files.len(), out.path().display()));
    }
    if forecast.about.partial { Err(Stop::Interrupted) } else { finish(&forecast.policies) }
}

impl RunArgs {
    fn load(&self) -> Result<World, Stop> {
        let overrides = Overrides {
            prices: self.prices.clone(),
            gateway_prices: self.gateway_prices.clone(),
            gateway: None,
            edits: self.edits.read()?,
        };
        match (&self.scenario, self.quick.validated()?) {
            (_, Some(quick)) => Ok(load_quick(&quick, &overrides)?),
            (Some(scenario), None) => Ok(load(scenario, &overrides)?),
            (None, None) => Err(Stop::Usage("name a scenario, or give --config and --rate".to_owned())),
        }
    }

    fn options(&self, world: &World) -> Options {
        let (runs, seed) = (self.runs.unwrap_or(world.runs), self.seed.unwrap_or(world.seed.0));
        Options {
            runs,
            seed: Seed(seed),
            threads: self.threads.map_or(0, usize::from),
            precision: self.precision.map(|precision| precision.0),
            command: self.command(runs, seed),
        }
    }

    /// The command that gives the same result again: only what the result depends on.
    fn command(&self, runs: u64, seed: u64) -> String {
        let mut words = vec!["billcast".to_owned(), "run".to_owned()];
        words.extend(self.scenario.iter().map(|scenario| shell_word(scenario)));
        words.extend(self.quick.words());
        let mut option = |name: &str, value: Option<&str>| {
            words.extend(value.into_iter().flat_map(|value| [format!("--{name}"), shell_word(value)]));
        };
        option("prices", self.prices.as_deref());
        option("gateway-prices", self.gateway_prices.as_deref());
        for (flag, value) in self.edits.words() {
            option(flag, Some(&value));
        }
        option("rare", self.rare.as_ref().map(Question::as_written));
        option("precision", self.precision.map(|precision| precision.0.to_string()).as_deref());
        option("seed", Some(&seed.to_string()));
        option("runs", Some(&runs.to_string()));
        words.join(" ")
    }

    fn print(&self, forecast: &Forecast) -> Result<(), Stop> {
        let view = View::new(forecast);
        match self.format {
            Format::Json => streams::print_bytes(&json(&view)),
            Format::Text => {
                let (width, color) = (streams::width(), streams::stdout_has_color());
                streams::print(&terminal(&view, TerminalOptions { width, color, verbose: self.verbose }))
            }
        }
    }

    fn say(&self, line: &str) {
        if !self.quiet {
            streams::complain(line);
        }
    }
}

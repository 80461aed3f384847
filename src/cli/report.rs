//! `billcast report`: the forms that readers use, from a finished run or from a scenario.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::cli::alerts::{budgets, tell_alerts};
use crate::cli::edits::EditArgs;
use crate::cli::files::{OutDir, prepare, spare, write};
use crate::cli::finished;
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Watch;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::values::{Dollars, runs, seed, shell_word};
use crate::experiment::{
    AlertsWanted, BudgetLimit, Forecast, Options, Period, Progress, forecast, percentile_runs, with_budgets,
};
use crate::random::Seed;
use crate::report::{Artefact, Form, View};
use crate::scenario::{Overrides, load};

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// A folder that `run --out` wrote (or its forecast.json), or a scenario to simulate.
    #[arg(value_name = "RUN_DIR|SCENARIO")]
    source: String,
    /// The forms to write; several with commas.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Format::Html])]
    format: Vec<Format>,
    /// A folder to write into, or a file for a form of one file [default: RUN_DIR; one text of a scenario is printed].
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// What may be spent in one run, in US dollars: the report says how likely it is to be exceeded.
    #[arg(long, value_name = "USD", allow_hyphen_values = true)]
    budget: Option<Dollars>,
    /// What may be spent in a calendar month, in US dollars.
    #[arg(long, value_name = "USD", allow_hyphen_values = true)]
    month_budget: Option<Dollars>,
    /// Replications, when a scenario is simulated.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = runs::<1_000_000>)]
    runs: Option<u64>,
    /// Seed of the random numbers, when a scenario is simulated.
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = seed)]
    seed: Option<u64>,
    /// Threads, when a scenario is simulated; the result does not depend on it [default: one a core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Prices, when a scenario is simulated: LiteLLM's JSON price map or a CSV table.
    #[arg(long, value_name = "FILE")]
    prices: Option<String>,
    /// The price map that the gateway itself goes by, when a scenario is simulated (LiteLLM's JSON of your version)
    /// [default: the same prices].
    #[arg(long, value_name = "FILE")]
    gateway_prices: Option<String>,
    #[command(flatten)]
    edits: EditArgs,
    /// No progress bar and no notes on stderr.
    #[arg(long, short)]
    quiet: bool,
}

/// The forms by the names that people use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// report.html: one page, no network.
    Html,
    /// report.xlsx: a workbook whose summary recalculates.
    Xlsx,
    /// focus.csv: FOCUS 1.2 cost and usage.
    FocusCsv,
    /// FOCUS, runs and hours as Parquet.
    Parquet,
    /// A CSV file for each table.
    Csv,
    /// report.md.
    Md,
    /// forecast.json.
    Json,
    /// The charts as SVG and PNG.
    Charts,
}

impl Format {
    const fn form(self) -> Form {
        match self {
            Self::Html => Form::Html,
            Self::Xlsx => Form::Xlsx,
            Self::FocusCsv => Form::FocusCsv,
            Self::Parquet => Form::Parquet,
            Self::Csv => Form::Csv,
            Self::Md => Form::Markdown,
            Self::Json => Form::Json,
            Self::Charts => Form::Charts,
        }
    }

    /// Whether it is one text that a terminal or a pipe can take.
    const fn is_one_text(self) -> bool {
        matches!(self, Self::Html | Self::FocusCsv | Self::Md | Self::Json)
    }
}

/// Where the files go.
enum Target {
    Stdout,
    File(PathBuf),
    Folder(OutDir),
}

/// Reads or simulates a forecast and writes its report.
pub fn run(args: &ReportArgs) -> Result<(), Stop> {
    // Of a finished run nothing is simulated, but its files are not to be left half written.
    let interrupt = Interrupt::listen();
    let keeps = interrupt.clone();
    let finished = finished::find(&args.source);
    let target = args.target(finished.as_deref())?;
    if args.format.contains(&Format::Xlsx) {
        Stop::if_no_workbook()?;
    }
    let mut forecast = match &finished {
        Some(file) => args.read(file)?,
        None => args.simulate(interrupt)?,
    };
    if finished.is_some() {
        keeps.has_work();
        args.replace_budgets(&mut forecast);
    }
    let view = View::new(&forecast);
    let files: Vec<Artefact> = args.format.iter().flat_map(|format| format.form().files(&view)).collect();
    args.deliver(&target, &files)?;
    if forecast.about.partial && finished.is_none() { Err(Stop::Interrupted) } else { Ok(()) }
}

impl ReportArgs {
    fn target(&self, finished: Option<&Path>) -> Result<Target, Stop> {
        let one_file =
            self.format.len() == 1 && !matches!(self.format[0], Format::Csv | Format::Parquet | Format::Charts);
        match (&self.out, finished) {
            (Some(out), _) if one_file && !out.is_dir() && out.extension().is_some() => {
                prepare(out).map(|()| Target::File(out.clone()))
            }
            (Some(out), _) => OutDir::prepare(out).map(Target::Folder),
            (None, Some(file)) => {
                let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
                OutDir::prepare(folder.unwrap_or(Path::new("."))).map(Target::Folder)
            }
            (None, None) if one_file && self.format[0].is_one_text() => Ok(Target::Stdout),
            (None, None) => Err(Stop::Usage("these are no texts to print: give a folder with --out".to_owned())),
        }
    }

    fn read(&self, file: &Path) -> Result<Forecast, Stop> {
        let has_prices = self.prices.is_some() || self.gateway_prices.is_some();
        let is_simulated = self.runs.is_some() || self.seed.is_some() || self.threads.is_some() || has_prices;
        if is_simulated || self.edits.words().next().is_some() {
            let message = "--runs, --seed, --threads, --set, --unset, --prices and --gateway-prices are for a scenario; \
                           this run is done: `billcast run … --out` does another";
            return Err(Stop::Usage(message.to_owned()));
        }
        finished::read(file)
    }

    fn simulate(&self, interrupt: Interrupt) -> Result<Forecast, Stop> {
        let (prices, gateway_prices) = (self.prices.clone(), self.gateway_prices.clone());
        let edits = self.edits.read()?;
        let world = load(&self.source, &Overrides { prices, gateway_prices, edits, ..Overrides::default() })?;
        self.out.as_deref().map_or(Ok(()), |out| spare(out, &world.sources))?;
        let (runs, seed) = (self.runs.unwrap_or(world.runs), self.seed.unwrap_or(world.seed.0));
        let (threads, command) = (self.threads.map_or(0, usize::from), self.command(runs, seed));
        let options = Options { runs, seed: Seed(seed), threads, precision: None, command };
        let watch = Watch::start(runs, self.quiet, interrupt, &world.room);
        let mut forecast = forecast(&world, &options, &watch);
        watch.finish()?;
        forecast.about.partial |= watch.stop() && forecast.about.runs < runs;
        if forecast.about.runs == 0 {
            return Err(Stop::Unfinished);
        }
        self.set_budgets(&mut forecast);
        forecast.percentile_runs = percentile_runs(&world, &forecast);
        let wanted = AlertsWanted { budgets: budgets(&forecast), rules: world.alerts.unwrap_or_default() };
        tell_alerts(&world, &options, wanted, &mut forecast, &watch);
        watch.finish()?;
        Ok(forecast)
    }

    /// What the bill is held against.
    fn set_budgets(&self, forecast: &mut Forecast) {
        if let Some(Dollars(amount)) = self.budget {
            forecast.budget.horizon = Some(amount);
        }
        if let Some(Dollars(amount)) = self.month_budget {
            forecast.budget.month = Some(amount);
        }
    }

    /// Holds the bill of a finished run against other budgets: what it tells of alerts of the old ones is no longer
    /// true, and the command for getting it again has to name the new ones.
    fn replace_budgets(&self, forecast: &mut Forecast) {
        self.set_budgets(forecast);
        let new = self.budgets();
        if let Some(alerts) = &mut forecast.alerts {
            let is_replaced = |old: BudgetLimit| new.iter().any(|new| new.period == old.period && *new != old);
            alerts.budgets.retain(|row| !is_replaced(row.budget));
        }
        forecast.about.command = with_budgets(&forecast.about.command, &new);
    }

    /// The budgets of the command line.
    fn budgets(&self) -> Vec<BudgetLimit> {
        let run = self.budget.map(|Dollars(limit)| BudgetLimit { limit, period: Period::Run });
        let month = self.month_budget.map(|Dollars(limit)| BudgetLimit { limit, period: Period::Month });
        run.into_iter().chain(month).collect()
    }

    /// The command that gives the same result again.
    fn command(&self, runs: u64, seed: u64) -> String {
        let mut words = vec!["billcast run".to_owned(), shell_word(&self.source)];
        words.extend(self.prices.iter().map(|file| format!("--prices {}", shell_word(file))));
        words.extend(self.gateway_prices.iter().map(|file| format!("--gateway-prices {}", shell_word(file))));
        words.extend(self.edits.words().map(|(flag, value)| format!("--{flag} {}", shell_word(&value))));
        words.extend(self.budgets().iter().map(|budget| format!("--budget {budget}")));
        words.push(format!("--seed {seed} --runs {runs}"));
        words.join(" ")
    }

    fn deliver(&self, target: &Target, files: &[Artefact]) -> Result<(), Stop> {
        match target {
            Target::Stdout => files.iter().try_for_each(|file| streams::print_bytes(&file.bytes)),
            Target::File(path) => files.iter().try_for_each(|file| {
                write(path, &file.bytes)?;
                self.say(&format!("{} written", path.display()));
                Ok(())
            }),
            Target::Folder(folder) => {
                folder.write_all(files.iter().map(|file| (file.file_name.as_str(), file.bytes.as_slice())))?;
                let names: Vec<&str> = files.iter().map(|file| file.file_name.as_str()).collect();
                self.say(&format!("written to {}: {}", folder.path().display(), names.join(", ")));
                Ok(())
            }
        }
    }

    fn say(&self, line: &str) {
        if !self.quiet {
            streams::note(line);
        }
    }
}

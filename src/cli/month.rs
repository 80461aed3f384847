//! `billcast month`: calendar months from simulated weeks.

use std::path::PathBuf;

use clap::ValueEnum;
use jiff::civil::{Date, Weekday};
use jiff::{ToSpan, Zoned};

use crate::cli::edits::EditArgs;
use crate::cli::files::write;
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Watch;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::values::{Dollars, shell_word};
use crate::experiment::{Forecast, MonthOptions, Options, PATHS, Progress, forecast, project};
use crate::random::Seed;
use crate::report::month::MonthView;
use crate::scenario::{Edit, Overrides, World, load};
use crate::units::Share;

/// Arguments of `month`.
#[derive(Debug, clap::Args)]
pub struct MonthArgs {
    /// The scenario: a built-in name, a folder, or a scenario.yaml. Its own start and length are replaced by whole weeks.
    scenario: String,
    /// The first month [default: the month after the scenario's start].
    #[arg(long, value_name = "YYYY-MM", value_parser = first_of_month)]
    from: Option<Date>,
    /// How many months.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=24))]
    months: u32,
    /// Growth of the bill a month, e.g. 5%.
    #[arg(long, value_name = "SHARE")]
    growth: Option<Share>,
    /// What may be spent in a month, in US dollars [default: as the scenario says].
    #[arg(long, value_name = "USD")]
    budget: Option<Dollars>,
    /// What has been spent in the first month so far, in US dollars.
    #[arg(long, value_name = "USD", requires = "before")]
    spent: Option<Dollars>,
    /// The first day that --spent does not cover.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "spent")]
    before: Option<Date>,
    /// Replications of each simulated week [default: as the scenario says, else 200].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    runs: Option<u64>,
    /// Seed of the random numbers [default: as the scenario says, else 1].
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write into this file instead of printing.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// No progress bar.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    edits: EditArgs,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For a wiki or a ticket.
    Md,
    /// For programs.
    Json,
    /// A row a month.
    Csv,
}

fn first_of_month(text: &str) -> Result<Date, String> {
    format!("{text}-01").parse().map_err(|_| format!("`{text}` is not a month such as 2026-12"))
}

/// Simulates a week of each month and projects the months.
pub fn run(args: &MonthArgs) -> Result<(), Stop> {
    let interrupt = Interrupt::listen();
    let world = args.load(&[])?;
    let first = args.first(&world.start)?;
    let weeks = args.weeks(&world, &first, interrupt)?;
    let growth = args.growth.map_or(0.0, |share| share.0);
    let budget = args.budget.map(|Dollars(amount)| amount).or(world.budget.month);
    let spent = args.spent.zip(args.before).map(|(Dollars(amount), before)| (amount, before));
    let options = MonthOptions {
        first,
        months: args.months,
        growth,
        budget,
        spent,
        holidays: world.holidays.clone(),
        paths: PATHS,
        seed: Seed(args.seed.unwrap_or(world.seed.0)),
    };
    let all: Vec<&Forecast> = weeks.iter().collect();
    let projection = project(&all, &options).map_err(|error| Stop::Usage(error.to_string()))?;
    let view = MonthView { about: &weeks[0].about, projection: &projection, budget, growth, spent };
    let bytes = match args.format {
        Format::Text => view.terminal().into_bytes(),
        Format::Md => view.markdown().into_bytes(),
        Format::Json => view.json(),
        Format::Csv => view.csv(),
    };
    match &args.out {
        Some(path) => write(path, &bytes),
        None => streams::print_bytes(&bytes),
    }
}

impl MonthArgs {
    fn load(&self, more: &[Edit]) -> Result<World, Stop> {
        let mut edits = self.edits.read()?;
        edits.extend_from_slice(more);
        Ok(load(&self.scenario, &Overrides { edits, ..Overrides::default() })?)
    }

    /// The begin of the first month in the zone of the scenario.
    fn first(&self, start: &Zoned) -> Result<Zoned, Stop> {
        let outside = |error: jiff::Error| Stop::Usage(format!("the calendar has no such month: {error}"));
        let next = start.date().first_of_month().checked_add(1.month()).map_err(outside)?;
        let first = self.from.unwrap_or(next).to_zoned(start.time_zone().clone()).map_err(outside)?;
        if let Some(before) = self.before {
            let month = first.date().first_of_month();
            if before.first_of_month() != month {
                return Err(Stop::Usage(format!("--before {before} is no day of {}", month.strftime("%B %Y"))));
            }
        }
        Ok(first)
    }

    /// A whole week from Monday for each month. The same seed gives the same volume in the same run of each of them.
    fn weeks(&self, world: &World, first: &Zoned, interrupt: Interrupt) -> Result<Vec<Forecast>, Stop> {
        let (runs, seed) = (self.runs.unwrap_or(world.runs), self.seed.unwrap_or(world.seed.0));
        let watch = Watch::start(runs * u64::from(self.months), self.quiet, interrupt);
        let mut all = Vec::new();
        for month in 0..self.months {
            let week = self.load(&self.week_edits(first, month)?)?;
            let command = format!("billcast month {} --seed {seed} --runs {runs}", shell_word(&self.scenario));
            let options = Options { runs, seed: Seed(seed), threads: 0, precision: None, command };
            all.push(forecast(&week, &options, &watch));
            if watch.stop() {
                return Err(Stop::Interrupted);
            }
        }
        watch.finish();
        Ok(all)
    }

    /// The week from the first Monday of a month on, and two hours more where it holds a day of 23 hours.
    fn week_edits(&self, first: &Zoned, month: u32) -> Result<Vec<Edit>, Stop> {
        let outside = |error: jiff::Error| Stop::Usage(format!("the calendar has no such month: {error}"));
        let begin = first.checked_add(i64::from(month).months()).map_err(outside)?;
        let monday = if begin.weekday() == Weekday::Monday {
            begin
        } else {
            begin.nth_weekday(1, Weekday::Monday).map_err(outside)?
        };
        let end = monday.checked_add(7.days()).map_err(outside)?;
        let hours = monday.duration_until(&end).as_secs() / 3600;
        let zone = monday.time_zone().iana_name().unwrap_or("UTC");
        let start = format!("{} {zone}", monday.strftime("%Y-%m-%d %H:%M"));
        Ok(vec![Edit::set("start", &start)?, Edit::set("hours", &hours.to_string())?])
    }
}

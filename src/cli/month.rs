//! `billcast month`: calendar months from simulated weeks.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use jiff::civil::{Date, Weekday};
use jiff::{ToSpan, Zoned};

use crate::cli::edits::EditArgs;
use crate::cli::files::{prepare, spare, write};
use crate::cli::finished;
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Watch;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::values::{Dollars, runs, seed, shell_word};
use crate::cli::what::terminal_options;
use crate::experiment::{Forecast, MonthOptions, Options, PATHS, month_after, project, weeks};
use crate::random::Seed;
use crate::report::month::MonthView;
use crate::scenario::{Edit, LastingKind, Overrides, Room, World, load};
use crate::units::{Growth, Money};

/// Arguments of `month`.
#[derive(Debug, clap::Args)]
pub struct MonthArgs {
    /// A scenario, whose own length is replaced by whole weeks, or by the months in one piece where something lasts for
    /// longer than a week; or a folder that `run --out` wrote, if all days of a week were simulated in it.
    #[arg(value_name = "RUN_DIR|SCENARIO")]
    source: String,
    /// The first month [default: the month after the scenario's start].
    #[arg(long, value_name = "YYYY-MM", value_parser = first_of_month)]
    from: Option<Date>,
    /// How many months.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=24))]
    months: u32,
    /// Growth of the bill a month, e.g. 5%, or -5% where it shrinks, counted from the day on which the scenario starts.
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true)]
    growth: Option<Growth>,
    /// What may be spent in a month, in US dollars [default: as the scenario says].
    #[arg(long, value_name = "USD", allow_hyphen_values = true)]
    budget: Option<Dollars>,
    /// What has been spent in the first month so far, in US dollars.
    #[arg(long, value_name = "USD", requires = "before", allow_hyphen_values = true)]
    spent: Option<Dollars>,
    /// The first day that --spent does not cover.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "spent")]
    before: Option<Date>,
    /// Replications of what is simulated [default: as the scenario says, else 200].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = runs::<1_000_000>)]
    runs: Option<u64>,
    /// Seed of the random numbers [default: as the scenario says, else 1].
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = seed)]
    seed: Option<u64>,
    /// Threads; the result does not depend on it [default: one a core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Prices, for a scenario: LiteLLM's JSON price map or a CSV table [default: as the scenario says,
    /// else the built-in table].
    #[arg(long, value_name = "FILE")]
    prices: Option<String>,
    /// The price map that the gateway itself goes by, for a scenario (LiteLLM's JSON of your version)
    /// [default: the same prices].
    #[arg(long, value_name = "FILE")]
    gateway_prices: Option<String>,
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
    /// A page.
    Html,
    /// A workbook.
    Xlsx,
}

/// The last year whose days all have a day after them, with room for whole weeks: the calendar ends with 9999.
const LAST_YEAR: i16 = 9998;

fn first_of_month(text: &str) -> Result<Date, String> {
    let date: Date = format!("{text}-01").parse().map_err(|_| format!("`{text}` is not a month such as 2026-12"))?;
    if date.year() > LAST_YEAR { Err(beyond()) } else { Ok(date) }
}

fn beyond() -> String {
    format!("months are told until December {LAST_YEAR}: begin earlier, or ask for fewer --months")
}

/// The most hours of a piece that is simulated: as many as a scenario may have.
const LONGEST_PIECE: f64 = 8784.0;

/// What months are put together from.
struct Basis {
    /// A week for each month, of which the last stands for the rest; or all months in one piece.
    weeks: Vec<Forecast>,
    start: Zoned,
    budget: Option<Money>,
    holidays: Vec<Date>,
    seed: Seed,
}

/// Simulates a week of each month, or takes a finished run, and projects the months.
pub fn run(args: &MonthArgs) -> Result<(), Stop> {
    if args.format == Format::Xlsx && args.out.is_none() {
        return Err(Stop::Usage("a workbook is no text to print: name a file with --out".to_owned()));
    }
    if args.format == Format::Xlsx {
        Stop::if_no_workbook()?;
    }
    args.out.as_deref().map_or(Ok(()), prepare)?;
    let interrupt = Interrupt::listen();
    let finished = finished::find(&args.source);
    let basis = match &finished {
        Some(file) => args.finished(file)?,
        None => args.simulated(interrupt)?,
    };
    let budget = args.budget.map(|Dollars(amount)| amount).or(basis.budget);
    let spent = args.spent.zip(args.before).map(|(Dollars(amount), before)| (amount, before));
    let growth = args.growth.map_or(0.0, |growth| growth.0);
    let options = MonthOptions {
        first: args.first(&basis.start)?,
        months: args.months,
        growth,
        // Wherever the months begin, and for a scenario as for a run of it.
        growth_from: basis.start.date(),
        budget,
        spent,
        holidays: basis.holidays,
        paths: PATHS,
        seed: basis.seed,
    };
    let all: Vec<&Forecast> = basis.weeks.iter().collect();
    let projection = project(&all, &options).map_err(|error| Stop::Usage(error.to_string()))?;
    let view = MonthView { about: &basis.weeks[0].about, projection: &projection, budget, growth, spent };
    let bytes = match args.format {
        Format::Text => view.terminal(terminal_options(false)).into_bytes(),
        Format::Md => view.markdown().into_bytes(),
        Format::Json => view.json(),
        Format::Csv => view.csv(),
        Format::Html => view.html().into_bytes(),
        Format::Xlsx => view.xlsx(),
    };
    match &args.out {
        Some(path) => write(path, &bytes)?,
        None => streams::print_bytes(&bytes)?,
    }
    if projection.is_partial && finished.is_none() { Err(Stop::Interrupted) } else { Ok(()) }
}

impl MonthArgs {
    /// A finished run, as it is.
    fn finished(&self, file: &Path) -> Result<Basis, Stop> {
        let has_prices = self.prices.is_some() || self.gateway_prices.is_some();
        let is_simulated = self.runs.is_some() || self.seed.is_some() || self.threads.is_some() || has_prices;
        if is_simulated || self.edits.words().next().is_some() {
            let message = "--runs, --seed, --threads, --prices, --gateway-prices, --set and --unset are for a scenario; \
                           this run is done";
            return Err(Stop::Usage(message.to_owned()));
        }
        let forecast = finished::read(file)?;
        let start = forecast.about.start.parse();
        Ok(Basis {
            start: start.map_err(|error| Stop::Usage(format!("`{}` has no usable start: {error}", file.display())))?,
            budget: forecast.budget.month,
            holidays: forecast.holidays.clone(),
            seed: Seed(forecast.about.seed),
            weeks: vec![forecast],
        })
    }

    /// What is simulated of a scenario.
    fn simulated(&self, interrupt: Interrupt) -> Result<Basis, Stop> {
        let world = self.load(&[], &Room::default())?;
        self.out.as_deref().map_or(Ok(()), |out| spare(out, &world.sources))?;
        let weeks = self.played(&world, &self.first(&world.start)?, interrupt)?;
        let seed = Seed(self.seed.unwrap_or(world.seed.0));
        Ok(Basis { weeks, start: world.start, budget: world.budget.month, holidays: world.holidays, seed })
    }

    fn load(&self, more: &[Edit], room: &Room) -> Result<World, Stop> {
        let mut edits = self.edits.read()?;
        edits.extend_from_slice(more);
        let (prices, gateway_prices) = (self.prices.clone(), self.gateway_prices.clone());
        let room = room.clone();
        Ok(load(&self.source, &Overrides { edits, prices, gateway_prices, room, ..Overrides::default() })?)
    }

    /// The begin of the first month in the zone of the scenario.
    fn first(&self, start: &Zoned) -> Result<Zoned, Stop> {
        let first = match self.from {
            Some(date) => date.to_zoned(start.time_zone().clone()).ok(),
            None => month_after(start),
        };
        let first = first.ok_or_else(|| Stop::Usage("the calendar has no such month".to_owned()))?;
        let last = first.checked_add(i64::from(self.months - 1).months()).ok();
        if last.is_none_or(|last| last.year() > LAST_YEAR) {
            return Err(Stop::Usage(beyond()));
        }
        if let Some(before) = self.before {
            let month = first.date().first_of_month();
            if before.first_of_month() != month {
                return Err(Stop::Usage(format!("--before {before} is no day of {}", month.strftime("%B %Y"))));
            }
        }
        Ok(first)
    }

    /// A week of each month, or all months in one piece where weeks would lack something.
    fn played(&self, world: &World, first: &Zoned, interrupt: Interrupt) -> Result<Vec<Forecast>, Stop> {
        // The months alone: a price that changed before them is that of all their weeks.
        let (edits, fits) = self.piece(first, first)?;
        let months = self.load(&edits, &world.room)?;
        let has = |kinds: &[LastingKind]| months.lasting.iter().any(|lasting| kinds.contains(&lasting.kind));
        let from_start =
            [LastingKind::Budget, LastingKind::Account, LastingKind::Growth, LastingKind::End, LastingKind::Moment];
        if fits && has(&from_start) {
            let (edits, fits) = self.piece(&world.start, first)?;
            let piece = if fits { Some(self.load(&edits, &world.room)?) } else { None };
            if let Some(piece) = piece.filter(World::goes_on) {
                return self.simulate(world, &[World { lasting: months.lasting, ..piece }], interrupt);
            }
        } else if fits && has(&[LastingKind::Price]) && months.goes_on() {
            return self.simulate(world, &[months], interrupt);
        }
        let mut worlds = Vec::new();
        for month in 0..self.months {
            if interrupt.is_pressed() || world.room.is_over() {
                return Err(Stop::Unfinished);
            }
            worlds.push(self.load(&self.week_edits(first, month)?, &world.room)?);
        }
        let mut weeks = self.simulate(world, &worlds, interrupt)?;
        weeks.iter_mut().for_each(|week| week.lasting.clone_from(&months.lasting));
        Ok(weeks)
    }

    /// The same seed gives the same volume in the same run of each of the worlds.
    fn simulate(&self, world: &World, worlds: &[World], interrupt: Interrupt) -> Result<Vec<Forecast>, Stop> {
        let (runs, seed) = (self.runs.unwrap_or(world.runs), self.seed.unwrap_or(world.seed.0));
        let watch = Watch::start(runs * worlds.len() as u64, self.quiet, interrupt, &world.room);
        let command = format!("billcast month {} --seed {seed} --runs {runs}", shell_word(&self.source));
        let threads = self.threads.map_or(0, usize::from);
        let options = Options { runs, seed: Seed(seed), threads, precision: None, command };
        let all = weeks(worlds, &options, &watch);
        watch.finish()?;
        if all.iter().any(|week| week.about.runs == 0) { Err(Stop::Unfinished) } else { Ok(all) }
    }

    /// All months in one piece, and whether a run may be so long. It begins at `start` where that is earlier: growth,
    /// budgets that never begin anew and what comes at a time count from the start of the scenario.
    fn piece(&self, start: &Zoned, first: &Zoned) -> Result<(Vec<Edit>, bool), Stop> {
        let outside = |_: jiff::Error| Stop::Usage("the calendar has no such month".to_owned());
        let end = first.checked_add(i64::from(self.months).months()).map_err(outside)?;
        let begin = start.min(first);
        let hours = begin.duration_until(&end).as_secs_f64() / 3600.0;
        let length = Edit::set("hours", &hours.min(LONGEST_PIECE).to_string())?;
        Ok((vec![start_at(begin)?, length], hours <= LONGEST_PIECE))
    }

    /// The week from the first Monday of a month on, and two hours more where it holds a day of 23 hours.
    fn week_edits(&self, first: &Zoned, month: u32) -> Result<Vec<Edit>, Stop> {
        let outside = |_: jiff::Error| Stop::Usage("the calendar has no such month".to_owned());
        let begin = first.checked_add(i64::from(month).months()).map_err(outside)?;
        let monday = if begin.weekday() == Weekday::Monday {
            begin
        } else {
            begin.nth_weekday(1, Weekday::Monday).map_err(outside)?
        };
        let end = monday.checked_add(7.days()).map_err(outside)?;
        let hours = monday.duration_until(&end).as_secs() / 3600;
        Ok(vec![start_at(&monday)?, Edit::set("hours", &hours.to_string())?])
    }
}

/// A run that begins at a moment.
fn start_at(at: &Zoned) -> Result<Edit, Stop> {
    let zone = at.time_zone().iana_name().unwrap_or("UTC");
    Ok(Edit::set("start", &format!("{} {zone}", at.strftime("%Y-%m-%d %H:%M:%S")))?)
}

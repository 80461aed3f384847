//! `billcast run`: the main job.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::alerts::{budgets, tell_alerts};
use crate::cli::files::OutDir;
use crate::cli::gates::{GateArgs, finish};
use crate::cli::interrupt::Interrupt;
use crate::cli::parts::{self, PartOf};
use crate::cli::progress::Watch;
use crate::cli::rare::{self, Question};
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::values::{Precision, option_words};
use crate::cli::what::{Subject, terminal_options};
use crate::experiment::{AlertsWanted, BudgetLimit, Forecast, Options, Period, Progress, forecast, percentile_runs};
use crate::report::{View, artefacts, json, terminal};
use crate::scenario::{AlertRules, World};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Stop early when the 95% confidence interval of the P95 bill is at most this far from it either way, e.g. `2%`.
    #[arg(long, value_name = "SHARE")]
    precision: Option<Precision>,
    #[command(flatten)]
    gates: GateArgs,

    /// A budget in US dollars: how likely is it to be exceeded, when is it used up, when does an alert at 80% of it
    /// fire? 20/day, 500/month, 100/run or just 100 for the run; may be given several times.
    #[arg(long, value_name = "AMOUNT/PERIOD", allow_hyphen_values = true)]
    budget: Vec<BudgetLimit>,
    /// Minutes from an alert until somebody has acted on it [default: as the scenario says, else 30].
    #[arg(long, value_name = "MINUTES")]
    act_within: Option<u32>,

    /// Ask instead how likely a rare weekend is, e.g. 'bill > 1000', 'failure_rate > 5%' or
    /// 'fallback_share > 20%': runs are drawn from a harsher world and weighed back, which takes far fewer than
    /// waiting for one (importance sampling).
    #[arg(long, value_name = "QUESTION", conflicts_with_all = [
        "precision", "merge", "part", "out", "fail_if", "warn_if", "budget", "act_within",
    ])]
    rare: Option<Question>,
    /// Simulate only part K of N of the replications, and write what is known of them into the file of --out; on
    /// several machines, all with the same other options.
    #[arg(long, value_name = "K/N", requires = "out", conflicts_with_all = [
        "precision", "merge", "fail_if", "warn_if",
    ])]
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
    /// Print every table, assumption and diagnostic.
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    subject: Subject,
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
    let world = args.subject.load(Vec::new())?;
    let options = args.options(&world);
    if let (Some(part), Some(file)) = (args.part, &args.out) {
        let watch = Watch::start(options.runs, args.subject.what.quiet, interrupt, &args.subject.what.room);
        args.subject.what.say(&parts::write(&world, &options, part, file, &watch)?);
        return Ok(());
    }
    if let Some(question) = &args.rare {
        let watch = Watch::start(options.runs, args.subject.what.quiet, interrupt, &args.subject.what.room);
        return rare::answer(&world, &options, question, args.format == Format::Json, &watch);
    }
    if args.out.is_some() {
        Stop::if_no_workbook()?;
    }
    let out = args.out.as_deref().map(OutDir::prepare).transpose()?;
    let watch = Watch::start(options.runs, args.subject.what.quiet, interrupt, &args.subject.what.room);
    let mut forecast = match args.merge.as_slice() {
        [] => forecast(&world, &options, &watch),
        files => parts::merged(&world, &options, files)?,
    };
    watch.finish()?;
    // Fewer runs than asked for are no fragment when a precision was reached, but they are one after Ctrl-C.
    forecast.about.partial |= watch.stop() && forecast.about.runs < options.runs;
    if forecast.about.runs == 0 {
        return Err(Stop::Unfinished);
    }
    args.set_budget(&mut forecast);
    if out.is_some() || args.format == Format::Json {
        forecast.percentile_runs = percentile_runs(&world, &forecast);
    }
    let rules = args.rules(&world);
    let budgets = if args.budget.is_empty() { budgets(&forecast) } else { args.budget.clone() };
    tell_alerts(&world, &options, AlertsWanted { budgets, rules }, &mut forecast, &watch);
    watch.finish()?;
    forecast.policies = gates.judge("", None, &forecast.runs);
    args.print(&forecast)?;
    if let Some(out) = out {
        args.subject.what.write(&out, &artefacts(&forecast))?;
    }
    if forecast.about.partial { Err(Stop::Interrupted) } else { finish(&forecast.policies) }
}

impl RunArgs {
    fn rules(&self, world: &World) -> AlertRules {
        let rules = world.alerts.unwrap_or_default();
        AlertRules { act_within_minutes: self.act_within.unwrap_or(rules.act_within_minutes), ..rules }
    }

    /// What reports hold the bill against.
    fn set_budget(&self, forecast: &mut Forecast) {
        for BudgetLimit { limit, period } in &self.budget {
            match period {
                Period::Run => forecast.budget.horizon = Some(*limit),
                Period::Month => forecast.budget.month = Some(*limit),
                Period::Day => forecast.budget.day = Some(*limit),
            }
        }
    }

    fn options(&self, world: &World) -> Options {
        let precision = self.precision.map(|precision| precision.0);
        Options { precision, ..self.subject.options(world, "run", self.words(), None) }
    }

    /// The arguments that the result depends on.
    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut option = |name: &str, value: Option<&str>| words.extend(option_words(name, value));
        for budget in &self.budget {
            option("budget", Some(&budget.to_string()));
        }
        option("act-within", self.act_within.map(|minutes| minutes.to_string()).as_deref());
        option("rare", self.rare.as_ref().map(Question::as_written));
        option("precision", self.precision.map(|precision| precision.0.to_string()).as_deref());
        words
    }

    fn print(&self, forecast: &Forecast) -> Result<(), Stop> {
        let view = View::new(forecast);
        match self.format {
            Format::Json => streams::print_bytes(&json(&view)),
            Format::Text => streams::print(&terminal(&view, terminal_options(self.verbose))),
        }
    }
}

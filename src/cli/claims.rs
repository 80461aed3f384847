//! `billcast claims`: what was published, held against what is simulated.

use clap::ValueEnum;

use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Watch;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::values::shell_word;
use crate::cli::what::terminal_options;
use crate::experiment::{AlertsWanted, Forecast, Options, alerts, forecast};
use crate::report::{ClaimsView, StoryRun, claims_json, claims_markdown, claims_terminal};
use crate::scenario::{Claims, Overrides, Room, builtins, load, read_claims};

/// Arguments of `claims`.
#[derive(Debug, clap::Args)]
pub struct ClaimsArgs {
    /// Scenarios with a claims.yaml: built-in names, or folders [default: all built-in ones that have one].
    scenarios: Vec<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Threads; the result does not depend on it [default: one a core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// No progress bar on stderr.
    #[arg(long, short)]
    quiet: bool,
}

/// What is printed on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables for people.
    Text,
    /// A document: docs/war-stories.md.
    Markdown,
    /// For programs.
    Json,
}

/// Simulates what the claims are about, and prints both.
pub fn run(args: &ClaimsArgs) -> Result<(), Stop> {
    let interrupt = Interrupt::listen();
    let all = args.claims()?;
    let stories = all.into_iter().map(|claims| args.story(claims, &interrupt)).collect::<Result<Vec<_>, Stop>>()?;
    let view = ClaimsView::new(&stories).map_err(Stop::Usage)?;
    if view.is_partial() && view.stories.is_empty() {
        return Err(Stop::Unfinished);
    }
    streams::print(&match args.format {
        Format::Text => claims_terminal(&view, terminal_options(false)),
        Format::Markdown => claims_markdown(&view),
        Format::Json => claims_json(&view),
    })?;
    match view.holds() {
        _ if view.is_partial() => Err(Stop::Interrupted),
        Some(true) => Ok(()),
        Some(false) => Err(Stop::Findings),
        None => Err(Stop::Undecided),
    }
}

impl ClaimsArgs {
    fn claims(&self) -> Result<Vec<Claims>, Stop> {
        let all: Vec<String> = match self.scenarios.as_slice() {
            [] => builtins().filter(|builtin| builtin.has_claims()).map(|builtin| builtin.name.to_owned()).collect(),
            some => some.to_vec(),
        };
        all.iter().map(|name| read_claims(name).map_err(Stop::from)).collect()
    }

    /// Runs every variant that the claims read, until somebody interrupts it.
    fn story(&self, claims: Claims, interrupt: &Interrupt) -> Result<StoryRun, Stop> {
        let (mut forecasts, room) = (Vec::new(), Room::default());
        for variant in claims.variants() {
            let Some(forecast) = self.forecast(&claims, variant.as_deref(), interrupt, &room)? else { break };
            forecasts.push((variant, forecast));
        }
        Ok(StoryRun { claims, forecasts })
    }

    /// The forecast of a variant; none of fewer runs than the claims are about, because it was interrupted.
    fn forecast(
        &self,
        claims: &Claims,
        variant: Option<&str>,
        interrupt: &Interrupt,
        room: &Room,
    ) -> Result<Option<Forecast>, Stop> {
        if interrupt.is_pressed() {
            return Ok(None);
        }
        let scenario = claims.scenario_of(variant);
        let world = load(&scenario, &Overrides { room: room.clone(), ..Overrides::default() })?;
        let runs = claims.file.runs.unwrap_or(world.runs);
        let more = claims.file.runs.map_or_else(String::new, |runs| format!(" --runs {runs}"));
        let command = format!("billcast run {}{more}", shell_word(&scenario));
        let threads = self.threads.map_or(0, usize::from);
        let options = Options { runs, seed: world.seed, threads, precision: None, command };
        let watch = Watch::start(runs, self.quiet, interrupt.clone(), room);
        let mut forecast = forecast(&world, &options, &watch);
        watch.finish()?;
        if forecast.about.partial {
            return Ok(None);
        }
        if claims.reads_alerts(variant) {
            let wanted = AlertsWanted { budgets: Vec::new(), rules: world.alerts.unwrap_or_default() };
            forecast.alerts = Some(alerts(&world, &options, &wanted, &watch)).filter(|alerts| alerts.runs == runs);
            watch.finish()?;
            if forecast.alerts.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(forecast))
    }
}

//! `billcast check`: what is wrong with a gateway's config, and what each fault costs.

use std::path::Path;

use clap::ValueEnum;

use crate::audit::{Asked, Catalog, Finding, Pricing, RULES, audit, price};
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Watch;
use crate::cli::scene::Scene;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::values::{runs, seed};
use crate::cli::what::terminal_options;
use crate::diagnostic::{Diagnostic, Severity, codes};
use crate::document::{self, Format as FileFormat};
use crate::experiment::{Options, Progress};
use crate::gateway::litellm::wire::Wire;
use crate::random::Seed;
use crate::report::audit::{Priced, json, sarif, text};
use crate::scenario::{BUILT_IN, Builtin, ConfigText, Files, Problem, Source, World, read_prices};

/// Runs of each side unless the command line says otherwise: differences are paired, so few are enough.
const RUNS: u64 = 50;

/// Load that is assumed unless the command line says otherwise.
const RATE: &str = "10/min";

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The gateway's config, a LiteLLM proxy config.yaml (`-` is stdin); or a scenario, whose config is then checked
    /// with the money at stake.
    #[arg(required_unless_present = "rules")]
    config: Option<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Exit with 3 when there is a finding of at least this level.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Level::Error)]
    deny: Level,
    /// List all rules with what they find and why it matters.
    #[arg(long)]
    rules: bool,
    #[command(flatten)]
    money: MoneyArgs,
}

/// How findings are priced.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What findings cost")]
struct MoneyArgs {
    /// Say what each finding costs, by simulation with and without it; on by itself when a scenario is given.
    #[arg(long)]
    money: bool,
    /// Price the config under this scenario, in place of the scenario's own config.
    #[arg(long, value_name = "SCENARIO")]
    scenario: Option<String>,
    /// Without a scenario: requests a time of the chat preset, in equal shares for all groups
    /// that nothing falls back to.
    #[arg(long, value_name = "RATE", allow_hyphen_values = true, default_value = RATE, conflicts_with = "scenario")]
    rate: String,
    /// Runs of each side.
    #[arg(long, value_name = "N", default_value_t = RUNS, allow_negative_numbers = true, value_parser = runs::<1_000_000>)]
    runs: u64,
    /// Seed of the random numbers [default: as the scenario says, else 1].
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = seed)]
    seed: Option<u64>,
    /// Threads; the result does not depend on it [default: one a core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Snippets for people.
    Text,
    /// A list of findings.
    Json,
    /// SARIF 2.1.0, as code hosts read it.
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    /// Anything at all.
    Note,
    /// Something does not do what it seems to.
    Warning,
    /// The gateway does not work like this.
    Error,
    /// Nothing: always exit with 0.
    Never,
}

/// Prints the findings.
pub fn run(args: &CheckArgs) -> Result<(), Stop> {
    let config = match &args.config {
        Some(config) if !args.rules => config,
        _ => return streams::print(&rules()),
    };
    let interrupt = Interrupt::listen();
    let scene = args.scene(config)?;
    let world = scene.as_ref().map(Scene::load);
    let text = match &world {
        Some(Ok(world)) => world.config.clone(),
        // A config that cannot be played can still be checked.
        Some(Err(problem)) if is_scenario(config) || !args.is_about(problem, config) => {
            return Err(problem.clone().into());
        }
        _ => ConfigText::read(&Files::here(), config)?,
    };
    let world = world.and_then(Result::ok);
    let (Some(wire), _) = text.wire() else { return Err(unreadable(text).into()) };
    let findings = findings(&text, &wire, world.as_ref())?;
    let priced = match (&scene, &world) {
        (Some(scene), Some(world)) => args.price(scene, world, &findings, interrupt).map(|pricing| (scene, pricing)),
        _ => None,
    };
    let sources = world.as_ref().map_or_else(|| text.sources.clone(), |world| world.sources.clone());
    args.print(&findings, &sources, priced.as_ref())?;
    if scene.is_some() && world.is_none() {
        streams::complain("not priced: a config with errors cannot be played");
    }
    if let Some(world) = &world {
        Stop::if_worthless(&world.room)?;
    }
    if priced.is_some_and(|(_, pricing)| pricing.partial) {
        return Err(Stop::Interrupted);
    }
    if findings.iter().any(|finding| args.deny.denies(finding.diagnostic.severity)) {
        Err(Stop::Findings)
    } else {
        Ok(())
    }
}

/// Everything that can be said about a config, under a scenario if there is one.
fn findings(text: &ConfigText, wire: &Wire, world: Option<&World>) -> Result<Vec<Finding>, Stop> {
    let catalog = Catalog::new(wire, &read_prices(&Files::here(), BUILT_IN)?)?;
    let catalog = match world {
        Some(world) => catalog.of_world(world),
        None => catalog,
    };
    let mut findings = audit(text, wire, text.check(), &catalog, world.map(Asked::of).as_ref());
    let is_of_config = |said: &Diagnostic| text.sources.iter().any(|source| source.name == said.file);
    let of_scenario = world.into_iter().flat_map(|world| &world.diagnostics).filter(|said| !is_of_config(said));
    findings.extend(of_scenario.map(|said| Finding { diagnostic: said.clone(), remedies: Vec::new() }));
    Ok(findings)
}

/// What is wrong with a config that the gateway could not read.
fn unreadable(text: ConfigText) -> Problem {
    let (_, of_types) = text.wire();
    let mut diagnostics: Vec<Diagnostic> = text.diagnostics.iter().cloned().chain(of_types).collect();
    text.tell_places(&mut diagnostics);
    Problem { diagnostics, sources: text.sources }
}

/// Whether a name stands for a scenario: a built-in one, a folder, or a file that names a gateway's config.
fn is_scenario(name: &str) -> bool {
    let path = Path::new(name);
    if name == "-" || path.is_file() {
        let Some(source) = Files::here().read(name).ok().filter(|_| name != "-") else { return false };
        let (tree, _) = document::read(&source.name, &source.text, FileFormat::of(&source.name));
        return tree.is_some_and(|tree| tree.get("gateway").is_some_and(|gateway| gateway.as_str().is_some()));
    }
    path.is_dir() || Builtin::find(name).is_some()
}

impl CheckArgs {
    /// Whether a problem is about a config; else it is about the scenario that the config was to be played under.
    fn is_about(&self, problem: &Problem, config: &str) -> bool {
        let mut errors = problem.diagnostics.iter().filter(|found| found.severity == Severity::Error);
        self.money.scenario.is_none() || errors.any(|found| &*found.file == config)
    }

    /// What the findings are priced under, if they are.
    fn scene(&self, config: &str) -> Result<Option<Scene>, Stop> {
        let money = &self.money;
        let is_assumed = money.money && money.scenario.is_none() && !is_scenario(config);
        if money.rate != RATE && !is_assumed {
            let help = "a scenario says itself what is asked";
            return Err(Stop::Usage(format!("--rate goes with --money and a config without a scenario: {help}")));
        }
        match (&money.scenario, is_scenario(config)) {
            (Some(_), true) => Err(Stop::Usage(format!("`{config}` is a scenario itself: leave out --scenario"))),
            (Some(scenario), false) => Ok(Some(Scene::config_under(config, scenario))),
            (None, true) => Ok(Some(Scene::scenario(config))),
            (None, false) if money.money => Scene::assumed(config, &money.rate).map(Some),
            (None, false) => Ok(None),
        }
    }

    /// What the findings cost; none where the runs are worth nothing.
    fn price(&self, scene: &Scene, world: &World, findings: &[Finding], interrupt: Interrupt) -> Option<Pricing> {
        let money = &self.money;
        let changes: usize = findings.iter().map(|finding| finding.remedies.len()).sum();
        let options = Options {
            runs: money.runs,
            seed: Seed(money.seed.unwrap_or(world.seed.0)),
            threads: money.threads.map_or(0, usize::from),
            precision: None,
            command: String::new(),
        };
        let watch = Watch::start(options.runs, changes == 0 || self.format != Format::Text, interrupt, &world.room);
        let pricing = price(world, findings, &options, &watch, |edits| scene.load_with(edits, &world.room));
        watch.finish().ok()?;
        Some(Pricing { partial: pricing.partial || watch.stop(), ..pricing })
    }

    fn print(&self, findings: &[Finding], sources: &[Source], priced: Option<&(&Scene, Pricing)>) -> Result<(), Stop> {
        let pricing = priced.map(|(_, pricing)| pricing);
        streams::print(&match self.format {
            Format::Json => json(findings, pricing),
            Format::Sarif => sarif(findings, pricing),
            Format::Text => {
                let shown = |scene: &Scene, pricing| Priced { pricing, under: scene.words(), command: scene.command() };
                let priced = priced.map(|(scene, pricing)| shown(scene, pricing));
                text(findings, sources, priced.as_ref(), terminal_options(false))
            }
        })
    }
}

/// All rules about configs as wholes, then the codes about single keys.
fn rules() -> String {
    let mut text = String::new();
    for rule in RULES {
        let summary = codes::summary(rule.code).unwrap_or_default();
        text.push_str(&format!("{} {}: {summary}\n    {}\n\n", rule.code, rule.name, rule.about));
    }
    text.push_str("About single keys and values:\n");
    let about_keys = codes::ALL.iter().filter(|code| code.id < "BC4");
    about_keys.for_each(|code| text.push_str(&format!("{}: {}\n", code.id, code.summary.trim())));
    text
}

impl Level {
    fn denies(self, severity: Severity) -> bool {
        match self {
            Self::Note => true,
            Self::Warning => severity >= Severity::Warning,
            Self::Error => severity >= Severity::Error,
            Self::Never => false,
        }
    }
}

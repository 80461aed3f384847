//! `billcast compare`: what a change does, in the same random weekends.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::files::OutDir;
use crate::cli::gates::{GateArgs, finish};
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Watch;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::values::shell_word;
use crate::cli::what::{WhatArgs, terminal_options};
use crate::experiment::{Arm, Progress, Verdict, compare};
use crate::report::compare::{CompareView, artefacts, json, markdown, terminal};
use crate::scenario::Edit;

/// Arguments of `compare`.
#[derive(Debug, clap::Args)]
pub struct CompareArgs {
    /// The scenario that the others are compared with: a built-in name, a folder, a scenario.yaml, or `-` for stdin.
    #[arg(required_unless_present = "config")]
    base: Option<String>,
    /// Other scenarios.
    #[arg(conflicts_with = "config")]
    others: Vec<String>,
    /// The same scenario with another gateway config; may be given several times.
    #[arg(long, value_name = "GATEWAY.yaml")]
    with: Vec<String>,
    #[command(flatten)]
    gates: GateArgs,
    /// Write report.html, comparison.json, comment.md, a CSV table and charts into this directory.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print every table.
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    what: WhatArgs,
}

/// What is printed on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A summary for people.
    Text,
    /// comparison.json.
    Json,
    /// A comment for a pull request.
    Markdown,
}

/// Loads all sides, simulates, prints and writes.
pub fn run(args: &CompareArgs) -> Result<(), Stop> {
    let interrupt = Interrupt::listen();
    let gates = args.gates.read(true)?;
    let base = Arm { label: args.base_label(), world: args.what.load(args.base.as_deref(), None, Vec::new())? };
    let others = args.others()?;
    let options = args.what.options(&base.world, None, args.words());
    let out = args.out.as_deref().map(OutDir::prepare).transpose()?;
    let watch = Watch::start(options.runs * (others.len() as u64 + 1), args.what.quiet, interrupt, &args.what.room);
    let comparison = compare(&base, &others, &options, &watch);
    watch.finish()?;
    if comparison.base.forecast.about.runs == 0 {
        return Err(Stop::Unfinished);
    }
    let rows = &comparison.base.forecast.runs;
    let verdicts: Vec<Verdict> = comparison
        .changes
        .iter()
        .flat_map(|change| gates.judge(&change.side.label, Some(rows), &change.side.forecast.runs))
        .collect();
    let view = CompareView::new(&comparison, &verdicts);
    args.print(&view)?;
    if let Some(out) = out {
        args.what.write(&out, &artefacts(&view))?;
    }
    if watch.stop() && comparison.base.forecast.about.partial { Err(Stop::Interrupted) } else { finish(&verdicts) }
}

impl CompareArgs {
    fn base_label(&self) -> String {
        self.base.clone().or_else(|| self.what.quick.config.clone()).unwrap_or_default()
    }

    /// The other scenarios, the base with other gateway configs, or with changes. Changes go with the other gateway
    /// configs,
    /// where there are any.
    fn others(&self) -> Result<Vec<Arm>, Stop> {
        let mut arms = Vec::new();
        for scenario in &self.others {
            arms.push(Arm { label: scenario.clone(), world: self.what.load(Some(scenario), None, Vec::new())? });
        }
        let edits = self.what.edits.read()?;
        let base = self.base.as_deref();
        for gateway in &self.with {
            let world = self.what.load(base, Some(gateway), edits.clone())?;
            arms.push(Arm { label: label(Some(gateway), &edits), world });
        }
        if !edits.is_empty() && self.with.is_empty() {
            arms.push(Arm { label: label(None, &edits), world: self.what.load(base, None, edits)? });
        }
        if arms.is_empty() {
            let help = "name another scenario, or give --with another gateway config, or --set a value";
            return Err(Stop::Usage(format!("there is nothing to compare with: {help}")));
        }
        Ok(arms)
    }

    fn words(&self) -> Vec<String> {
        let mut words = vec!["compare".to_owned()];
        words.extend(self.base.iter().chain(&self.others).map(|scenario| shell_word(scenario)));
        words.extend(self.with.iter().flat_map(|gateway| ["--with".to_owned(), shell_word(gateway)]));
        words
    }

    fn print(&self, view: &CompareView<'_>) -> Result<(), Stop> {
        match self.format {
            Format::Json => streams::print_bytes(&json(view)),
            Format::Markdown => streams::print(&markdown(view)),
            Format::Text => streams::print(&terminal(view, terminal_options(self.verbose))),
        }
    }
}

/// What a changed scenario is called.
fn label(gateway: Option<&str>, edits: &[Edit]) -> String {
    let edit = |edit: &Edit| match edit.is_removal() {
        true => format!("without {}", edit.shown()),
        false => edit.shown().to_owned(),
    };
    gateway.map(str::to_owned).into_iter().chain(edits.iter().map(edit)).collect::<Vec<_>>().join(", ")
}

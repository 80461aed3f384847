//! `billcast sweep`: many configurations in the same random weekends, or one assumption after the other.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::files::OutDir;
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Watch;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::values::shell_word;
use crate::cli::what::{Subject, terminal_options};
use crate::experiment::{Axis, Common, Design, Options, design, sweep, swings, tornado};
use crate::report::Artefact;
use crate::report::sweep::{
    sweep_artefacts, sweep_csv, sweep_json, sweep_text, tornado_artefacts, tornado_json, tornado_text,
};
use crate::scenario::{Edit, World};

/// Arguments of `sweep`.
#[derive(Debug, clap::Args)]
pub struct SweepArgs {
    /// A parameter and its values: gateway.router_settings.num_retries=0..4, traffic.chat.rate=10..80/min:8,
    /// traffic.chat.rate=1..1000/min:7log, gateway.router_settings.routing_strategy=simple-shuffle,least-busy;
    /// several make a grid.
    #[arg(long, value_name = "PATH=VALUES", required_unless_present = "tornado")]
    vary: Vec<String>,
    /// So many configurations of a Latin hypercube instead of all combinations.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=100_000), conflicts_with = "tornado")]
    sample: Option<u64>,
    /// Move each assumption alone through its plausible range: which one moves the bill most?
    #[arg(long, conflicts_with = "vary")]
    tornado: bool,
    /// Write report.html, JSON, CSV and charts into this directory.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print every row.
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    subject: Subject,
}

/// What is printed on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people.
    Text,
    /// JSON.
    Json,
    /// A row for each configuration.
    Csv,
}

/// Replications of each configuration where nothing is said: the same weekends for all, so few are enough.
const USUAL_RUNS: u64 = 64;

/// Loads, simulates, prints and writes.
pub fn run(args: &SweepArgs) -> Result<(), Stop> {
    let interrupt = Interrupt::listen();
    let base = args.subject.load(Vec::new())?;
    let options = args.subject.options(&base, "sweep", args.words(), Some(USUAL_RUNS));
    let out = args.out.as_deref().map(OutDir::prepare).transpose()?;
    let (printed, files, is_partial) =
        if args.tornado { args.tornado(&base, &options, interrupt)? } else { args.sweep(&options, interrupt)? };
    streams::print_bytes(&printed)?;
    if let Some(out) = out {
        args.subject.what.write(&out, &files)?;
    }
    if is_partial { Err(Stop::Interrupted) } else { Ok(()) }
}

/// What is printed, what is written, and whether it was interrupted.
type Result3 = Result<(Vec<u8>, Vec<Artefact>, bool), Stop>;

impl SweepArgs {
    fn sweep(&self, options: &Options, interrupt: Interrupt) -> Result3 {
        let axes = self.vary.iter().map(|text| text.parse()).collect::<Result<Vec<Axis>, _>>()?;
        if let Some(path) = varied_twice(&axes) {
            let message = format!("path varied twice: `{path}`; give all its values in one --vary {path}=…");
            return Err(Stop::Usage(message));
        }
        let how = self.sample.map_or(Design::Grid, |points| Design::LatinHypercube(points as usize));
        let points = design(&axes, how, options.seed.0)
            .ok_or_else(|| Stop::Usage("so many combinations would take years; use --sample".to_owned()))?;
        let watch = Watch::start(
            options.runs * (points.len() as u64 + 1),
            self.subject.what.quiet,
            interrupt,
            &self.subject.what.room,
        );
        let found = sweep(&axes, &points, options, &watch, &|edits| self.subject.load(edits))?;
        watch.finish()?;
        if found.runs == 0 {
            return Err(Stop::Unfinished);
        }
        let printed = match self.format {
            Format::Json => sweep_json(&found),
            Format::Csv => sweep_csv(&found),
            Format::Text => sweep_text(&found, terminal_options(self.verbose)).into_bytes(),
        };
        Ok((printed, self.files(|| sweep_artefacts(&found)), found.is_partial))
    }

    fn tornado(&self, base: &World, options: &Options, interrupt: Interrupt) -> Result3 {
        let swings = swings(base);
        if swings.is_empty() {
            return Err(Stop::Usage("no assumption of this scenario has a range; use --vary".to_owned()));
        }
        let watch = Watch::start(
            options.runs * (swings.len() as u64 * 2 + 1),
            self.subject.what.quiet,
            interrupt,
            &self.subject.what.room,
        );
        let found = tornado(&swings, options, &watch, &|edits| self.subject.load(edits))?;
        watch.finish()?;
        if found.runs == 0 {
            return Err(Stop::Unfinished);
        }
        let options = &Options { runs: found.runs, ..options.clone() };
        let common = Common::of(base);
        let printed = match self.format {
            Format::Text => tornado_text(&common, &found, options, terminal_options(self.verbose)).into_bytes(),
            Format::Json => tornado_json(&common, &found, options),
            Format::Csv => return Err(Stop::Usage("a tornado is printed as text or JSON".to_owned())),
        };
        Ok((printed, self.files(|| tornado_artefacts(&common, &found, options)), found.is_partial))
    }

    /// The files, drawn only when they are wanted.
    fn files(&self, draw: impl FnOnce() -> Vec<Artefact>) -> Vec<Artefact> {
        if self.out.is_some() { draw() } else { Vec::new() }
    }

    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        words.extend(self.vary.iter().flat_map(|text| ["--vary".to_owned(), shell_word(&Edit::masked(text))]));
        words.extend(self.sample.iter().flat_map(|points| ["--sample".to_owned(), points.to_string()]));
        words.extend(self.tornado.then(|| "--tornado".to_owned()));
        words
    }
}

/// A path that two axes share: the later one would undo what the earlier one has set, and both would claim the column.
fn varied_twice(axes: &[Axis]) -> Option<&str> {
    let is_known =
        |index: usize, path: &str| axes[..index].iter().any(|known| Edit::is_same_path(&known.written, path));
    axes.iter().enumerate().find(|(index, axis)| is_known(*index, &axis.written)).map(|(_, axis)| axis.path.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_varied_once() {
        let twice = |paths: &[&str]| {
            let axes: Vec<Axis> = paths.iter().map(|path| format!("{path}=0,1").parse().unwrap()).collect();
            varied_twice(&axes).map(str::to_owned)
        };
        assert_eq!(twice(&["hours", "traffic.chat.rate", "traffic.chat.volume"]), None);
        assert_eq!(twice(&["hours", "traffic.chat.rate", " hours "]).as_deref(), Some("hours"));
        assert_eq!(twice(&["traffic.chat.rate", "traffic .\"chat\".rate"]).as_deref(), Some("traffic .\"chat\".rate"));
    }
}

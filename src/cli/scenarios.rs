//! `billcast scenarios`: what can be run without writing a file.

use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::scenario::{ScenarioFile, builtins, read};

/// Arguments of `scenarios`: none yet.
#[derive(Debug, clap::Args)]
pub struct ScenariosArgs {}

/// Prints name and description of each built-in scenario.
pub fn run(_: &ScenariosArgs) -> Result<(), Stop> {
    let mut listed = Vec::new();
    for builtin in builtins() {
        let file = read::<ScenarioFile>(&builtin.files().read("scenario.yaml")?)?.values;
        listed.push((builtin.name, file.description.unwrap_or_default()));
    }
    let width = listed.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: String = listed.iter().map(|(name, about)| format!("{name:width$}  {about}\n")).collect();
    streams::print(&format!("{lines}\nRun one with `billcast run NAME --out out`.\n"))
}

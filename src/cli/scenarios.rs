//! `billcast scenarios`: what can be run without writing a file.

use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::scenario::{ScenarioFile, builtins, read};

/// Arguments of `scenarios`: none yet.
#[derive(Debug, clap::Args)]
pub struct ScenariosArgs {}

/// Prints name, description and variants of each built-in scenario.
pub fn run(_: &ScenariosArgs) -> Result<(), Stop> {
    let mut listed = Vec::new();
    for builtin in builtins() {
        let file = read::<ScenarioFile>(&builtin.files().read("scenario.yaml")?)?.values;
        let variants = builtin.variants();
        let also = if variants.is_empty() { String::new() } else { format!(" [/{}]", variants.join(" /")) };
        listed.push((builtin.name, format!("{}{also}", file.description.unwrap_or_default())));
    }
    let width = listed.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: String = listed.iter().map(|(name, about)| format!("{name:width$}  {about}\n")).collect();
    let foot = "Run one with `billcast run NAME --out out`, a variant of it with `NAME/VARIANT`. \
                `billcast claims NAME` holds what is published\nabout it against what is simulated.";
    streams::print(&format!("{lines}\n{foot}\n"))
}

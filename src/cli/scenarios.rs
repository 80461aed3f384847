//! `billcast scenarios`: what can be run without writing a file.

use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::report::wrap;
use crate::scenario::{ScenarioFile, builtins, read};

/// Arguments of `scenarios`: none yet.
#[derive(Debug, clap::Args)]
pub struct ScenariosArgs {}

/// Descriptions have at least so many characters a line.
const LEAST: usize = 30;
/// The sentences below the list have at most so many.
const FOOT: usize = 126;

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
    let room = streams::room().width;
    let line = |(name, about): &(&str, String)| {
        let lines = wrap(about, room.saturating_sub(width + 2).max(LEAST)).into_iter().enumerate();
        let begin = |number| if number == 0 { *name } else { "" };
        lines.map(|(number, line)| format!("{:width$}  {line}\n", begin(number))).collect::<String>()
    };
    let lines: String = listed.iter().map(line).collect();
    let foot = "Run one with `billcast run NAME --out out`, a variant of it with `NAME/VARIANT`. \
                `billcast claims NAME` holds what is published about it against what is simulated.";
    streams::print(&format!("{lines}\n{}\n", wrap(foot, room.min(FOOT)).join("\n")))
}

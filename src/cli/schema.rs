//! `billcast schema`: the JSON Schema of scenario.yaml, for completion and checking in an editor.

use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::scenario;

/// Arguments of `schema`: none yet.
#[derive(Debug, clap::Args)]
pub struct SchemaArgs {}

/// Prints the schema.
pub fn run(_: &SchemaArgs) -> Result<(), Stop> {
    let text = serde_json::to_string_pretty(&scenario::schema()).map_err(|error| Stop::Io(error.to_string()))?;
    streams::print(&format!("{text}\n"))
}

//! `billcast schema`: the JSON Schema of scenario.yaml or claims.yaml, for completion and checking in an editor.

use clap::ValueEnum;

use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::scenario;

/// Arguments of `schema`.
#[derive(Debug, clap::Args)]
pub struct SchemaArgs {
    /// Which file.
    #[arg(value_enum, default_value_t = Which::Scenario)]
    of: Which,
}

/// The files of a scenario that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// scenario.yaml
    Scenario,
    /// claims.yaml
    Claims,
}

/// Prints the schema.
pub fn run(args: &SchemaArgs) -> Result<(), Stop> {
    let schema = match args.of {
        Which::Scenario => scenario::schema(),
        Which::Claims => scenario::claims_schema(),
    };
    let text = serde_json::to_string_pretty(&schema).map_err(|error| Stop::Io(error.to_string()))?;
    streams::print(&format!("{text}\n"))
}

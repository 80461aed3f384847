//! `billcast schema`: the JSON Schemas of the files that are read, for completion and checking in an editor, and of
//! what the commands print.

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

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// scenario.yaml
    Scenario,
    /// claims.yaml
    Claims,
    /// forecast.json, from `run`
    Forecast,
    /// comparison.json, from `compare`
    Comparison,
    /// sweep.json
    Sweep,
    /// tornado.json, from `sweep --tornado`
    Tornado,
    /// What `solve` prints
    Solution,
    /// plan.json
    Plan,
    /// What `explain` prints
    Explanation,
    /// What `month` prints
    Months,
    /// What `run --rare` prints
    Rare,
    /// What `claims` prints
    Verdicts,
}

/// Prints the schema.
pub fn run(args: &SchemaArgs) -> Result<(), Stop> {
    let text = match args.of {
        Which::Scenario => generated(&scenario::schema())?,
        Which::Claims => generated(&scenario::claims_schema())?,
        Which::Forecast => include_str!("../../docs/forecast.schema.json").to_owned(),
        Which::Comparison => include_str!("../../docs/comparison.schema.json").to_owned(),
        Which::Sweep => include_str!("../../docs/sweep.schema.json").to_owned(),
        Which::Tornado => include_str!("../../docs/tornado.schema.json").to_owned(),
        Which::Solution => include_str!("../../docs/solution.schema.json").to_owned(),
        Which::Plan => include_str!("../../docs/plan.schema.json").to_owned(),
        Which::Explanation => include_str!("../../docs/explanation.schema.json").to_owned(),
        Which::Months => include_str!("../../docs/months.schema.json").to_owned(),
        Which::Rare => include_str!("../../docs/rare.schema.json").to_owned(),
        Which::Verdicts => include_str!("../../docs/verdicts.schema.json").to_owned(),
    };
    streams::print(&text)
}

fn generated(schema: &schemars::Schema) -> Result<String, Stop> {
    let text = serde_json::to_string_pretty(schema).map_err(|error| Stop::Io(error.to_string()))?;
    Ok(format!("{text}\n"))
}

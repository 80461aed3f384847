//! The commands and what they say about themselves.

use clap::{Parser, Subcommand};

use crate::cli::check::CheckArgs;
use crate::cli::claims::ClaimsArgs;
use crate::cli::compare::CompareArgs;
use crate::cli::completions::CompletionsArgs;
use crate::cli::cost::CostArgs;
use crate::cli::explain::ExplainArgs;
use crate::cli::init::InitArgs;
use crate::cli::models::ModelsArgs;
use crate::cli::month::MonthArgs;
use crate::cli::plan::PlanArgs;
use crate::cli::prices::PricesArgs;
use crate::cli::report::ReportArgs;
use crate::cli::run::RunArgs;
use crate::cli::scenarios::ScenariosArgs;
use crate::cli::schema::SchemaArgs;
use crate::cli::solve::SolveArgs;
use crate::cli::sweep::SweepArgs;
use crate::cli::trace::TraceArgs;

const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  internal error, or a file could not be written
    2  the arguments or the input files cannot be used
    3  `check` has findings at or above the level of --deny, or a figure of `claims` is off
    4  `solve` found no value that reaches the target
   10  a policy of --fail-if is violated
   11  a policy of --fail-if cannot be decided with this many runs
  130  interrupted with Ctrl-C; what was done until then is kept and marked as partial";

/// Forecast an LLM gateway's bill and failure rate before it is deployed.
///
/// Takes an unmodified LiteLLM proxy config, a description of traffic and failures, and prices; plays many synthetic
/// weekends through the gateway's routing logic; shows the projected bill, the failure rate and why.
#[derive(Debug, Parser)]
#[command(name = "billcast", version, after_help = EXIT_CODES, max_term_width = 110)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Forecast the bill and the failure rate of a scenario
    Run(Box<RunArgs>),
    /// Project calendar months: month-end, when the budget is used up, P50/P80/P95
    Month(MonthArgs),
    /// Write a report of a finished run, or of a scenario: HTML, a workbook, FOCUS, Parquet, CSV, Markdown
    Report(ReportArgs),
    /// Compare scenarios, gateway configs or single changes in the same random weekends
    Compare(CompareArgs),
    /// Vary parameters: how the bill moves, and which assumption moves it most
    Sweep(SweepArgs),
    /// Find the value of a parameter at which the bill, or a failure rate, reaches a target
    Solve(SolveArgs),
    /// Say what a gateway config does, and which of its keys do nothing
    Check(CheckArgs),
    /// Tell one run or one request step by step: what went wrong, and where the dollars went
    Explain(ExplainArgs),
    /// Plan capacity: which limits bind and when, which would do, how much growth they bear
    Plan(PlanArgs),
    /// Write a commented scenario.yaml for a gateway config
    Init(InitArgs),
    /// List the known prices, or those of one model
    Prices(PricesArgs),
    /// Say what one call costs, or each row of a file
    Cost(CostArgs),
    /// Play one scripted case: what would my gateway do if …
    Trace(TraceArgs),
    /// Hold published figures against simulated ones
    Claims(ClaimsArgs),
    /// List the built-in scenarios
    Scenarios(ScenariosArgs),
    /// List the built-in traffic and provider models, or show one
    Models(ModelsArgs),
    /// Print the JSON Schemas of the files that are read and of what the commands print
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_consistent() {
        Args::command().debug_assert();
    }
}

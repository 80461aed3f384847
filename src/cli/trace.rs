//! `billcast trace CASE.json`: plays one scripted case through the gateway's state machine.

use crate::cli::stop::{Stop, shown};
use crate::cli::streams;
use crate::report;
use crate::scenario::{Files, Problem};

/// Arguments of `trace`.
#[derive(Debug, clap::Args)]
pub struct TraceArgs {
    /// The case: gateway config, scripted upstream, requests (docs/trace-case.md describes it); `-` is stdin.
    case: String,
    /// Tell what was tried and why, instead of printing the trace as JSON.
    #[arg(long)]
    explain: bool,
}

/// Prints what happened.
pub fn run(args: &TraceArgs) -> Result<(), Stop> {
    let source = Files::here().read(&args.case)?;
    let trace = report::trace(&source.name, &source.text);
    let sources = vec![source];
    let (trace, diagnostics) = match trace {
        Ok(trace) => trace,
        Err(diagnostics) => return Err(Problem { diagnostics, sources }.into()),
    };
    if !diagnostics.is_empty() {
        streams::complain(&shown(&Problem { diagnostics, sources }));
    }
    if args.explain {
        return streams::print(&trace.explain());
    }
    streams::print(&report::json_text(&trace.to_json()))
}

//! `billcast explain`: one run or one request, told step by step.

use std::str::FromStr;

use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Watch;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::cli::values::shell_word;
use crate::cli::what::{Subject, TextOrJson, terminal_options};
use crate::experiment::{Choice, ExplainError, RequestName, explain};
use crate::report::explain::{json, text};

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// Tell this run [default: the one at --at].
    #[arg(long, value_name = "K", conflicts_with = "at")]
    run: Option<u64>,
    /// Tell the run at this percentile of the bill: p50, p95, p99.9, max.
    #[arg(long, value_name = "PERCENTILE", default_value = "p95")]
    at: Percentile,
    /// Tell one request of that run: its class and number, such as `chat:1234`.
    #[arg(long, value_name = "ID")]
    request: Option<RequestArg>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
    /// Tell every window and edge.
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    subject: Subject,
}

/// A percentile, from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Percentile(f64);

/// A request as it is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RequestArg(RequestName);

impl FromStr for Percentile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim().trim_start_matches(['p', 'P']);
        let number = if text.eq_ignore_ascii_case("max") { Ok(100.0) } else { digits.parse::<f64>() };
        let in_range = number.ok().filter(|p| (0.0..=100.0).contains(p));
        in_range.map(Self).ok_or_else(|| "expected a percentile such as p95, or max".to_owned())
    }
}

impl FromStr for RequestArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (class, number) = text.rsplit_once(':').map_or((None, text), |(class, number)| (Some(class), number));
        let number = number.parse().map_err(|_| "expected a class and a number, such as chat:1234".to_owned())?;
        Ok(Self(RequestName { class: class.map(str::to_owned), number }))
    }
}

/// Finds the run and tells it.
pub fn run(args: &ExplainArgs) -> Result<(), Stop> {
    let interrupt = Interrupt::listen();
    let world = args.subject.load(Vec::new())?;
    let options = args.subject.options(&world, "explain", args.words(), None);
    let watch = Watch::start(options.runs, args.subject.what.quiet, interrupt, &args.subject.what.room);
    let choice = args.run.map_or(Choice::At(args.at.0 / 100.0), Choice::Run);
    let told = explain(&world, &options, choice, args.request.as_ref().map(|request| &request.0), &watch);
    watch.finish()?;
    let told = told.map_err(|error| match error {
        ExplainError::NoRuns => Stop::Unfinished,
        other => Stop::Usage(format!("--request: {other}")),
    })?;
    match args.format {
        TextOrJson::Json => streams::print_bytes(&json(&told))?,
        TextOrJson::Text => streams::print(&text(&told, terminal_options(args.verbose)))?,
    }
    if told.about.partial { Err(Stop::Interrupted) } else { Ok(()) }
}

impl ExplainArgs {
    /// The arguments that the result depends on.
    fn words(&self) -> Vec<String> {
        let mut words = match self.run {
            Some(run) => vec!["--run".to_owned(), run.to_string()],
            None => vec!["--at".to_owned(), format!("p{}", self.at.0)],
        };
        if let Some(RequestArg(request)) = &self.request {
            let class = request.class.as_ref().map(|class| format!("{class}:")).unwrap_or_default();
            words.extend(["--request".to_owned(), shell_word(&format!("{class}{}", request.number))]);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_requests_are_read() {
        assert_eq!("p95".parse(), Ok(Percentile(95.0)));
        assert_eq!("99.9".parse(), Ok(Percentile(99.9)));
        assert_eq!("MAX".parse(), Ok(Percentile(100.0)));
        assert!("p101".parse::<Percentile>().is_err() && "soon".parse::<Percentile>().is_err());
        let named = |class: Option<&str>, number| RequestArg(RequestName { class: class.map(str::to_owned), number });
        assert_eq!("chat:12".parse(), Ok(named(Some("chat"), 12)));
        assert_eq!("12".parse(), Ok(named(None, 12)));
        assert_eq!("a:b:12".parse(), Ok(named(Some("a:b"), 12)));
        assert!("chat".parse::<RequestArg>().is_err());
    }
}

//! The command line: arguments, dispatch, printing, progress, exit codes. One file per command.

mod alerts;
mod args;
mod book;
mod check;
mod compare;
mod claims;
mod completions;
mod cost;
mod edits;
mod explain;
mod files;
mod finished;
mod gates;
mod init;
mod interrupt;
mod models;
mod plan;
mod parts;
mod month;
mod prices;
mod progress;
mod report;
mod quick;
mod rare;
mod run;
mod scenarios;
mod scene;
mod schema;
mod solve;
mod stop;
mod streams;
mod sweep;
mod trace;
mod values;
mod what;

use std::borrow::Cow;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::cli::args::{Args, Command};
use crate::cli::stop::Stop;
use crate::diagnostic::{masked, readable};
use crate::scenario::tell_of_pipes;

/// Runs the program: reads the arguments, does what they say, and turns the end into an exit code.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return refuse(&error),
    };
    tell_of_pipes(|pipe| {
        interrupt::waits();
        let name = pipe.to_string_lossy();
        streams::complain(&format!("waiting for the other end of the pipe `{}`; Ctrl-C ends it", readable(&name)));
    });
    match dispatch(args.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => stop.report(),
    }
}

/// Does what the arguments say.
fn dispatch(command: Command) -> Result<(), Stop> {
    check_threads()?;
    match command {
        Command::Run(args) => run::run(&args),
        Command::Month(args) => month::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Sweep(args) => sweep::run(&args),
        Command::Solve(args) => solve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Prices(args) => prices::run(&args),
        Command::Cost(args) => cost::run(&args),
        Command::Trace(args) => trace::run(&args),
        Command::Claims(args) => claims::run(&args),
        Command::Scenarios(args) => scenarios::run(&args),
        Command::Models(args) => models::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => completions::run(&args),
    }
}

/// The variable that says how many threads there are where `--threads` does not: a machine without
/// so many ends the program.
fn check_threads() -> Result<(), Stop> {
    let wanted = std::env::var(THREADS_VARIABLE).ok().and_then(|text| text.trim().parse::<u64>().ok());
    match wanted.filter(|wanted| *wanted > MOST_THREADS) {
        Some(wanted) => Err(Stop::Usage(format!("{THREADS_VARIABLE} is {wanted}: expected {MOST_THREADS} at most"))),
        None => Ok(()),
    }
}

const THREADS_VARIABLE: &str = "RAYON_NUM_THREADS";
const MOST_THREADS: u64 = 1024;

/// Shows what is wrong with the arguments, or the help that was asked for. A reader that has gone away is no error.
fn refuse(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    if let Cow::Owned(shown) = masked(&text)
        && error.use_stderr()
    {
        streams::complain(&shown);
        return ExitCode::from(stop::BAD_INPUT);
    }
    let printed = error.print().and_then(|()| io::stdout().flush());
    match printed {
        _ if error.use_stderr() => ExitCode::from(stop::BAD_INPUT),
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => Stop::from(error).report(),
    }
}

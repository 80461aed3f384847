//! Why the program ends early, and with which exit code.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::cli::streams;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::readable;
use crate::engine::Overfull;
use crate::report::diagnostics::{MOST_SHOWN, to_plain_text, to_text};
use crate::report::has_threads_for_workbook;
use crate::scenario::{Problem, Room};

/// Something went wrong that is not the user's input: a full disk, a bug.
pub const INTERNAL: u8 = 1;
/// The arguments or the files cannot be used.
pub const BAD_INPUT: u8 = 2;
/// There are findings at or above the level of `--deny`.
pub const FINDINGS: u8 = 3;
/// A search found no value that reaches its target.
pub const NO_ANSWER: u8 = 4;
/// A policy is violated.
pub const VIOLATED: u8 = 10;
/// A policy cannot be decided with so few runs, or a figure of a claim cannot be computed from them.
pub const UNDECIDED: u8 = 11;
/// Ctrl-C; what was done until then has been kept.
pub const INTERRUPTED: u8 = 130;

/// What helps where too much is in flight.
const WAY_OUT: &str = "  = help: lower the rate, the latencies, or how long calls may take (`timeout` of the config, of the clients, and of \
                       an outage in which calls hang); let workers `think`";

/// An early end.
#[derive(Debug)]
pub enum Stop {
    /// The files of the user cannot be used.
    Input(Box<Problem>),
    /// The arguments make no sense together, or a value in them is wrong.
    Usage(String),
    /// Reading or writing failed.
    Io(String),
    /// More is in flight at once in a run than is kept.
    Overfull,
    /// Findings at or above the denied level; they have been printed.
    Findings,
    /// No value of the parameter reaches the target; what was tried has been printed.
    NoAnswer,
    /// A policy is violated; the results have been printed.
    Violated,
    /// A policy cannot be decided with so few runs, or a claim has no figure; the results have been printed.
    Undecided,
    /// Ctrl-C; the results so far have been printed.
    Interrupted,
    /// Ctrl-C before there was anything to print or to write.
    Unfinished,
    /// The reader of our output has gone: nothing more to say, and no error (`billcast … | head`).
    ReaderGone,
}

impl Stop {
    /// Reading or writing this file failed.
    pub fn io(doing: &str, path: &Path, error: &impl Display) -> Self {
        Self::Io(format!("cannot {doing} `{}`: {error}", path.display()))
    }

    /// An error where no workbook can be made, before anything is simulated for it.
    pub fn if_no_workbook() -> Result<(), Self> {
        if has_threads_for_workbook() {
            return Ok(());
        }
        let limit = "the system gives fewer threads than a workbook has sheets";
        let way_out = "raise the limit (`ulimit -u`, `pids.max` of a container), or do without the workbook";
        Err(Self::Io(format!("cannot make a workbook: {limit}; {way_out}")))
    }

    /// An error where nothing that was simulated is worth anything: a run had no room, or a trace has changed.
    pub fn if_worthless(room: &Room) -> Result<(), Self> {
        match room.spoilt() {
            _ if room.is_exceeded() => Err(Self::Overfull),
            Some(problem) => Err(problem.clone().into()),
            None => Ok(()),
        }
    }

    /// Says on stderr what has happened, and gives the exit code for it.
    pub fn report(self) -> ExitCode {
        let code = match self {
            Self::Input(problem) => {
                streams::complain(&shown(&problem));
                BAD_INPUT
            }
            Self::Usage(message) => {
                streams::complain(&format!("error: {}", readable(&message)));
                BAD_INPUT
            }
            Self::Io(message) => {
                streams::complain(&format!("error: {}", readable(&message)));
                INTERNAL
            }
            Self::Overfull => {
                streams::complain(&format!("error: {Overfull}\n{WAY_OUT}"));
                BAD_INPUT
            }
            Self::Findings => FINDINGS,
            Self::NoAnswer => NO_ANSWER,
            Self::Violated => VIOLATED,
            Self::Undecided => UNDECIDED,
            Self::Interrupted => INTERRUPTED,
            Self::Unfinished => {
                streams::complain("interrupted: nothing was finished");
                INTERRUPTED
            }
            Self::ReaderGone => 0,
        };
        ExitCode::from(code)
    }
}

/// A problem with snippets of the files that it is about.
pub fn shown(problem: &Problem) -> String {
    let color = streams::stderr_has_color();
    let block = |diagnostic: &Diagnostic| {
        let one = std::slice::from_ref(diagnostic);
        match problem.sources.iter().find(|source| source.name == diagnostic.file) {
            Some(source) if source.is_quotable => to_plain_text(one, &source.text, color),
            Some(source) => to_text(one, &source.text, color),
            None => to_text(one, "", color),
        }
    };
    let mut diagnostics: Vec<&Diagnostic> = problem.diagnostics.iter().collect();
    if diagnostics.len() > MOST_SHOWN {
        // What stops us must not be among those that are left out.
        diagnostics.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.severity));
    }
    let mut blocks: Vec<String> = diagnostics.iter().copied().take(MOST_SHOWN).map(block).collect();
    if diagnostics.len() > MOST_SHOWN {
        blocks.push(format!("… and {} more", diagnostics.len() - MOST_SHOWN));
    }
    blocks.join("\n")
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Input(Box::new(problem))
    }
}

/// An error of writing to stdout.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Io(format!("cannot write to stdout: {error}")),
        }
    }
}

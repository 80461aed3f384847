//! The file of a trace, which is read many times: by each run where it is long, and by each world that is compiled for
//! one purpose. It has to be the same each time, else runs would be of different traces.

use std::fmt::Display;
use std::io;

use crate::diagnostic::codes;
use crate::scenario::files::{Files, Handle, Stamp};
use crate::scenario::problem::Problem;
use crate::scenario::replay::rows::{self, Opened};
use crate::scenario::room::Room;

/// What to do about a trace that does not stay as it is.
const KEEP_IT: &str =
    "leave the file as it is until the command has ended; of a log that is still being written, play a copy";

/// A file as it was when it was read first.
#[derive(Debug, Clone)]
pub(super) struct Original {
    files: Files,
    file: String,
    first: Stamp,
    room: Room,
}

impl Original {
    /// Opens a file to read it through. What has been read before for the same purpose must be the same now.
    pub(super) fn open(files: &Files, file: &str, room: &Room) -> Result<(Self, Opened, Handle), Problem> {
        let name = files.name_of(file);
        let original = |first| Self { files: files.clone(), file: file.to_owned(), first, room: room.clone() };
        if let Some(original) = room.first_seen(&name).map(original) {
            let (opened, handle) = original.open_again()?;
            return Ok((original, opened, handle));
        }
        let (input, handle) = files.open(file)?;
        let unreadable = |error: io::Error| super::broken(file, &error);
        let original = original(handle.stamp().map_err(unreadable)?);
        let opened = rows::open(input).map_err(unreadable)?;
        room.see(name, original.first);
        Ok((original, opened, handle))
    }

    /// Opens it again. When it is not what it was, nothing that is simulated is worth anything: the room is told, too.
    pub(super) fn open_again(&self) -> Result<(Opened, Handle), Problem> {
        if !self.is_lasting() {
            return Err(self.spoil(self.read_once("this command reads the trace more than once")));
        }
        // Asked before it is opened: a pipe that is there now would wait for its other end.
        match self.files.stamp(&self.file) {
            Ok(stamp) if stamp == self.first => {}
            Ok(_) => return Err(self.changed()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.vanished()),
            Err(error) => return Err(self.lost(&error)),
        }
        let why = |problem: Problem| problem.diagnostics.into_iter().map(|found| found.message).collect::<String>();
        let (input, handle) = self.files.open(&self.file).map_err(|problem| self.lost(&why(problem)))?;
        let opened = rows::open(input).map_err(|error| self.lost(&error))?;
        Ok((opened, handle))
    }

    /// Whether it can be read again; a pipe cannot.
    pub(super) const fn is_lasting(&self) -> bool {
        self.first.is_lasting
    }

    /// An error when the file that has been read is not any more what it was.
    pub(super) fn check(&self, handle: &Handle) -> Result<(), Problem> {
        if handle.stamp().is_ok_and(|stamp| stamp == self.first) { Ok(()) } else { Err(self.changed()) }
    }

    pub(super) fn changed(&self) -> Problem {
        self.spoil(self.about("the trace has changed while it was played".to_owned(), KEEP_IT))
    }

    fn vanished(&self) -> Problem {
        self.spoil(self.about("the trace has vanished while it was played".to_owned(), KEEP_IT))
    }

    /// It cannot be read any more for another reason.
    pub(super) fn lost(&self, why: &dyn Display) -> Problem {
        self.spoil(self.about(format!("the trace cannot be read again while it is played: {why}"), ""))
    }

    /// A pipe cannot be played where it would have to be read again.
    pub(super) fn read_once(&self, why: &str) -> Problem {
        self.about(format!("a pipe can be read only once, and {why}"), "write it to a file first, and name that")
    }

    fn about(&self, message: String, help: &str) -> Problem {
        Problem::about_file(codes::UNREADABLE, &self.files.name_of(&self.file), message, help)
    }

    fn spoil(&self, problem: Problem) -> Problem {
        self.room.spoil(problem.clone());
        problem
    }
}

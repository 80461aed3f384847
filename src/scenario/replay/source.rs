//! Where the rows of a trace come from while it is played: from memory, or from the file.

use std::sync::{Arc, OnceLock};

use crate::scenario::files::Files;
use crate::scenario::replay::format::Format;
use crate::scenario::replay::order::Waiting;
use crate::scenario::replay::rows::{Names, Rows};
use crate::traffic::{TraceRow, TraceRows, TraceSource};

/// A trace, ready to be played.
#[derive(Debug)]
pub struct TraceFile {
    pub(super) files: Files,
    pub(super) file: String,
    pub(super) format: &'static Format,
    /// The file's own moment of the first row, nanoseconds.
    pub(super) first: i64,
    /// Rows that were found when it was read through.
    pub(super) rows: u64,
    pub(super) kept: Option<Arc<[TraceRow]>>,
    pub(super) models: Names,
    pub(super) keys: Names,
    pub(super) broken: Arc<OnceLock<String>>,
}

impl TraceFile {
    /// Why the file could not be read again while it was played, if it could not: the results are not to be trusted then.
    pub fn broken(&self) -> Option<String> {
        self.broken.get().map(|reason| format!("{}: {reason}", self.file))
    }
}

impl TraceSource for TraceFile {
    fn open(&self) -> Box<dyn TraceRows> {
        if let Some(rows) = &self.kept {
            return Box::new(Kept { rows: rows.clone(), next: 0 });
        }
        let rows = match super::open(&self.files, &self.file) {
            Ok(opened) => Some(opened.rows(self.format, self.models.clone(), self.keys.clone())),
            Err(problem) => {
                drop(self.broken.set(problem.to_string()));
                None
            }
        };
        let (waiting, broken) = (Waiting::default(), self.broken.clone());
        Box::new(FromFile { rows, waiting, first: self.first, left: self.rows, broken })
    }
}

/// Rows in memory.
struct Kept {
    rows: Arc<[TraceRow]>,
    next: usize,
}

impl TraceRows for Kept {
    fn next(&mut self) -> Option<TraceRow> {
        let row = self.rows.get(self.next).copied();
        self.next += 1;
        row
    }
}

/// Rows from a file. What cannot be used has been told when the file was read through.
struct FromFile {
    rows: Option<Rows>,
    waiting: Waiting,
    first: i64,
    left: u64,
    broken: Arc<OnceLock<String>>,
}

impl FromFile {
    fn read(&mut self) -> Option<TraceRow> {
        let rows = self.rows.as_mut()?;
        let told = loop {
            match rows.next() {
                Ok(Some((_, Ok(row)))) => {
                    self.left = self.left.wrapping_sub(1);
                    return Some(row);
                }
                Ok(Some((_, Err(_)))) => {}
                Ok(None) if self.left == 0 => break None,
                Ok(None) => break Some("the trace has changed while it was played".to_owned()),
                Err(error) => break Some(format!("the trace cannot be read any more: {error}")),
            }
        };
        self.rows = None;
        told.into_iter().for_each(|told| drop(self.broken.set(told)));
        None
    }
}

impl TraceRows for FromFile {
    fn next(&mut self) -> Option<TraceRow> {
        let mut row = loop {
            match self.read() {
                None => break self.waiting.take()?,
                Some(row) => {
                    if let Some(next) = self.waiting.add(row) {
                        break next;
                    }
                }
            }
        };
        row.at.0 -= self.first;
        Some(row)
    }
}

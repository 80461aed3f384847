//! Where the rows of a trace come from while it is played: from memory, or from the file.

use std::sync::Arc;

use crate::scenario::files::Handle;
use crate::scenario::replay::format::Format;
use crate::scenario::replay::order::Waiting;
use crate::scenario::replay::original::Original;
use crate::scenario::replay::rows::{Names, Rows};
use crate::traffic::{TraceRow, TraceRows, TraceSource};

/// A trace, ready to be played.
#[derive(Debug)]
pub struct TraceFile {
    pub(super) original: Original,
    pub(super) format: &'static Format,
    /// The file's own moment of the first row, nanoseconds.
    pub(super) first: i64,
    /// Rows that were found when it was read through.
    pub(super) rows: u64,
    pub(super) kept: Option<Arc<[TraceRow]>>,
    pub(super) models: Names,
    pub(super) keys: Names,
}

impl TraceSource for TraceFile {
    fn open(&self) -> Box<dyn TraceRows> {
        if let Some(rows) = &self.kept {
            return Box::new(Kept { rows: rows.clone(), next: 0 });
        }
        // Of a file that cannot be opened there are no rows: whoever asked for the run looks into the room.
        let (opened, handle) = self.original.open_again().ok().unzip();
        let rows = opened.map(|opened| opened.rows(self.format, self.models.clone(), self.keys.clone()));
        let (waiting, original) = (Waiting::default(), self.original.clone());
        Box::new(FromFile { rows, handle, waiting, first: self.first, left: self.rows, original })
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
    handle: Option<Handle>,
    waiting: Waiting,
    first: i64,
    left: u64,
    original: Original,
}

impl FromFile {
    fn read(&mut self) -> Option<TraceRow> {
        let rows = self.rows.as_mut()?;
        let end = loop {
            match rows.next() {
                Ok(Some((_, Ok(row)))) => {
                    self.left = self.left.wrapping_sub(1);
                    return Some(row);
                }
                Ok(Some((_, Err(_)))) => {}
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.rows = None;
        self.check();
        // The room keeps what it is told first: a change, where it is known.
        match end {
            Ok(()) if self.left == 0 => {}
            Ok(()) => drop(self.original.changed()),
            Err(error) => drop(self.original.lost(&error)),
        }
        None
    }

    /// Tells the room if the file is not any more what it was when it was opened.
    fn check(&mut self) {
        if let Some(handle) = self.handle.take() {
            let _ = self.original.check(&handle);
        }
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

/// A run may end before the trace does.
impl Drop for FromFile {
    fn drop(&mut self) {
        self.check();
    }
}

//! Rows in order of time, from a file that is nearly so: logs are written when requests end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::traffic::TraceRow;

/// Rows may stand this many places too late.
pub const WINDOW: usize = 4_096;

/// Rows waiting for earlier ones.
#[derive(Debug, Default)]
pub struct Waiting {
    rows: BinaryHeap<Reverse<ByTime>>,
    count: u64,
}

/// A row by its moment, then by its place in the file.
#[derive(Debug)]
struct ByTime(i64, u64, TraceRow);

impl Ord for ByTime {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

impl PartialOrd for ByTime {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByTime {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}

impl Eq for ByTime {}

impl Waiting {
    /// Adds a row of the file; gives the earliest back once there are more than may wait.
    pub fn add(&mut self, row: TraceRow) -> Option<TraceRow> {
        self.rows.push(Reverse(ByTime(row.at.0, self.count, row)));
        self.count += 1;
        if self.rows.len() > WINDOW { self.take() } else { None }
    }

    /// The earliest row.
    pub fn take(&mut self) -> Option<TraceRow> {
        self.rows.pop().map(|Reverse(ByTime(_, _, row))| row)
    }
}

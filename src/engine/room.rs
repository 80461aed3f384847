//! How many requests a run keeps in flight. A gateway that is sent a million requests a second, each of which hangs for
//! an hour, would take all memory; a run that comes to such a number ends with an [`Overfull`] instead. The numbers are
//! looked at only where memory grows, and depend on the run alone: so does the end. Each comes to about a gigabyte.

use crate::gateway::litellm::MOST_ANSWERS;
use crate::traffic::{MOST_LATER, MOST_WAITING};

/// Requests that the gateway keeps track of.
pub(super) const MOST_SLOTS: usize = 1 << 20;
/// Plain requests, and as many light ones.
pub(super) const MOST_ROWS: usize = 1 << 22;
/// Plain requests of which all is told when they start; up to twice as many, for they are not counted one by one.
pub(super) const MOST_AHEAD: usize = 1 << 23;
/// Events that wait; clients who may leave wait there until the moment is over, also when they have their answer.
pub(super) const MOST_EVENTS: usize = 1 << 24;
/// Requests and answers within a second of the clock, of clients who wait for answers: rates
/// are bounded far below that.
pub(super) const MOST_A_SECOND: u32 = 1 << 24;

/// How many more there may be of what has just come to its most, until the run has ended.
const SPARE: usize = 64;

/// Puts one more into a row; `false` if there are more than `most` by now. A row that has come to its end does not
/// double its memory once more for the few that follow.
#[inline(always)]
pub(super) fn push_within<T>(most: usize, rows: &mut Vec<T>, row: T) -> bool {
    if rows.len() >= most && rows.len() == rows.capacity() {
        rows.reserve_exact(SPARE);
    }
    rows.push(row);
    rows.len() <= most
}

/// A run had to end: so much was in flight at once that it cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a run has too much to keep: more than {MOST_SLOTS} requests in flight at once ({MOST_ROWS} where all are answered at \
     the first try), {MOST_LATER} that wait to be sent again, {MOST_WAITING} conversations that wait for their next turn \
     (or requests that others bring along, or prompts to repeat), {MOST_ANSWERS} answers in the response cache, or \
     {MOST_A_SECOND} requests and answers in a second, of workers that do not think and are answered at once"
)]
pub struct Overfull;

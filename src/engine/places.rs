//! Rows that come and go. Places are used again, so that memory grows with the most rows at once
//! and not with their number.

use std::ops::{Index, IndexMut};

use crate::engine::room::{MOST_ROWS, push_within};
use crate::gateway::FULL;
use crate::units::CallId;

/// The rows, each at the place that it was put in.
#[derive(Debug)]
pub(super) struct Places<T> {
    rows: Vec<T>,
    free: Vec<CallId>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), free: Vec::new() }
    }
}

impl<T> Places<T> {
    /// Puts a row in; says its place. There is no room for more where it tells those who are woken.
    #[inline(always)]
    pub(super) fn put(&mut self, row: T, woken: &mut Vec<CallId>) -> CallId {
        let Some(place) = self.free.pop() else {
            if !push_within(MOST_ROWS, &mut self.rows, row) {
                woken.push(FULL);
            }
            return CallId::from_index(self.rows.len() - 1);
        };
        self.rows[place.index()] = row;
        place
    }

    /// Its place is free, the row stays until it is used again.
    #[inline(always)]
    pub(super) fn take(&mut self, place: CallId) -> &T {
        self.free.push(place);
        &self.rows[place.index()]
    }

    /// All rows, those that have been taken and not been replaced among them.
    pub(super) fn rows(&self) -> &[T] {
        &self.rows
    }
}

impl<T> Index<CallId> for Places<T> {
    type Output = T;

    fn index(&self, place: CallId) -> &T {
        &self.rows[place.index()]
    }
}

impl<T> IndexMut<CallId> for Places<T> {
    fn index_mut(&mut self, place: CallId) -> &mut T {
        &mut self.rows[place.index()]
    }
}

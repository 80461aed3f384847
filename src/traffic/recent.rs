//! Repetitions where arrivals cannot be drawn again from their numbers alone: the originals of
//! the window are remembered.

use std::collections::VecDeque;

use crate::random::{Addressed, Purpose};
use crate::traffic::class::Repeats;
use crate::units::{RequestId, SimTime};

/// The originals that are young enough to be repeated.
#[derive(Debug)]
pub(super) struct Recent {
    repeats: Repeats,
    young: VecDeque<(SimTime, RequestId)>,
}

impl Recent {
    /// For these repetitions, if there are any.
    pub(super) fn of(repeats: Option<&Repeats>) -> Option<Self> {
        let repeats = repeats.filter(|repeats| repeats.share > 0.0)?;
        Some(Self { repeats: repeats.clone(), young: VecDeque::new() })
    }

    /// The original that the request `id` (at which `draws` stands) repeats, if it is a repetition and any original is
    /// young enough; otherwise it is an original from now on. `length` says how long a request is.
    pub(super) fn original(
        &mut self,
        now: SimTime,
        id: RequestId,
        draws: &Addressed,
        stream: u64,
        length: impl Fn(&Addressed) -> u64,
    ) -> Option<u64> {
        let unit = |nth| draws.unit_at(Purpose::Duplicate, 0, nth);
        let is_repetition = unit(0) < self.repeats.share;
        // How many are too old is not foreseeable: they are forgotten only when that matters.
        if is_repetition || self.young.len() == self.young.capacity() {
            self.forget(now);
        }
        if !is_repetition || self.young.is_empty() {
            self.young.push_back((now, id));
            return None;
        }
        let pick = |nth| self.young[((unit(nth) * self.young.len() as f64) as usize).min(self.young.len() - 1)].1;
        let sized = |id: RequestId| {
            let mut elsewhere = *draws;
            elsewhere.begin_request(stream, id.0);
            (length(&elsewhere), id.0)
        };
        match self.repeats.longest_of {
            0 | 1 => Some(pick(1).0),
            most => (1..=most).map(|nth| sized(pick(nth))).max().map(|(_, id)| id),
        }
    }

    /// Originals that are remembered.
    pub(super) fn waiting(&self) -> usize {
        self.young.len()
    }

    /// Forgets the originals that are too old.
    #[inline(never)]
    fn forget(&mut self, now: SimTime) {
        let oldest = SimTime(now.0.saturating_sub(self.repeats.window.0));
        while self.young.front().is_some_and(|(at, _)| *at < oldest) {
            self.young.pop_front();
        }
    }
}

//! What the windows of keys, users and teams have counted (`proxy/hooks/parallel_request_limiter_v3.py`) [T 160–162].
//!
//! A window lasts 60 s and begins with the first request, on a whole second. The counters live in a cache of their own,
//! 60 s from their first write: around the end of a window the two do not quite agree, and that shows.
//!
//! Ends are moments, so that nothing is divided. Nearly every request counts in one window only: that is
//! done in a straight line within one line of memory (100 instructions less); the loops over any number of
//! windows are its slow twin.

use super::slips::{Charge, Slip, Slips};
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::keyring::{KeyPlans, Window};
use crate::gateway::parts::ExpiringCounter;
use crate::units::{KeyId, SimDuration, SimTime};
use smallvec::SmallVec;

/// Life of a counter that is first written by a settlement: the cache's default.
pub(super) const SETTLED_LIFE: SimDuration = SimDuration::from_secs(600);
/// Life of the register of a key's requests at the same time (`PARALLEL_REQUEST_SLOT_TTL_SECONDS`).
const PARALLEL_LIFE: SimDuration = SimDuration::from_secs(3600);
const LONG_AGO: SimTime = SimTime(i64::MIN);

/// All windows.
#[derive(Debug, Default)]
pub(super) struct Windows {
    used: Vec<WindowUse>,
    /// Nanoseconds from a whole second to time zero.
    offset: SimDuration,
    /// What the cache still holds, where it may not have room for everything.
    pub slips: Option<Box<Slips>>,
}

/// What one window has counted: one line of memory.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct WindowUse {
    /// From this moment on it is over: 60 whole seconds after the one in which it began, or when that has expired.
    over_from: SimTime,
    /// When its beginning expires.
    expires: SimTime,
    requests: ExpiringCounter<i64>,
    tokens: ExpiringCounter<i64>,
}

impl Default for WindowUse {
    /// It has never begun.
    fn default() -> Self {
        let (requests, tokens) = (ExpiringCounter::default(), ExpiringCounter::default());
        Self { over_from: LONG_AGO, expires: LONG_AGO, requests, tokens }
    }
}

impl Windows {
    /// So many, in which nothing has been counted; `offset` leads from a whole second to time zero.
    pub fn new(count: usize, offset: SimDuration) -> Self {
        Self { used: vec![WindowUse::default(); count], offset, slips: None }
    }

    /// The first of the windows that a request just refused was too many for.
    #[cold]
    pub fn too_many_requests(&self, now: SimTime, windows: &[Window]) -> Option<Window> {
        let counted = |window: &Window| self.used[window.counter as usize].requests.get(now);
        windows.iter().copied().find(|window| window.rpm.is_some_and(|limit| counted(window) > limit as i64))
    }

    /// The first of the windows that so many tokens more are too many for.
    #[cold]
    pub fn too_many_tokens(&self, now: SimTime, windows: &[Window], tokens: u64) -> Option<Window> {
        let counted = |window: &Window| self.used[window.counter as usize].used_tokens(now) + tokens as i64;
        windows.iter().copied().find(|window| window.tpm.is_some_and(|limit| counted(window) > limit as i64))
    }

    /// Counts a request and its tokens in its only window while nothing of it is over; `false` if that is not so, or if
    /// either is too many: then nothing has been counted.
    #[inline(always)]
    pub fn count_within(&mut self, now: SimTime, window: &Window, tokens: u64) -> bool {
        let used = &mut self.used[window.counter as usize];
        let counts_tokens = window.tpm.is_some();
        if now >= used.over_from || !used.requests.holds(now) || (counts_tokens && !used.tokens.holds(now)) {
            return false;
        }
        let (requests, all) = (used.requests.get(now) + 1, used.tokens.get(now) + tokens as i64);
        let fits = |count: i64, limit: Option<u64>| limit.is_none_or(|limit| count <= limit as i64);
        if !fits(requests, window.rpm) || !fits(all, window.tpm) {
            return false;
        }
        used.requests.add_within(i64::from(window.rpm.is_some()));
        used.tokens.add_within(if counts_tokens { tokens as i64 } else { 0 });
        true
    }

    /// Counts a request in all windows; `false` if it is one too many in any. What is over a limit already is refused
    /// without counting anywhere.
    #[inline]
    pub fn count_request(&mut self, now: SimTime, windows: &[Window]) -> bool {
        match windows {
            [window] => self.count_request_in_one(now, window),
            _ => self.count_request_in_each(now, windows),
        }
    }

    #[inline]
    fn count_request_in_one(&mut self, now: SimTime, window: &Window) -> bool {
        let Some(limit) = window.rpm.map(|limit| limit as i64) else { return true };
        let used = &mut self.used[window.counter as usize];
        used.requests.get(now) <= limit && used.count_request(now, self.offset) <= limit
    }

    #[inline(never)]
    fn count_request_in_each(&mut self, now: SimTime, windows: &[Window]) -> bool {
        let Self { used, offset, .. } = self;
        let limited = windows.iter().filter_map(|window| Some((window.counter as usize, window.rpm? as i64)));
        if limited.clone().any(|(counter, limit)| used[counter].requests.get(now) > limit) {
            return false;
        }
        // Every window counts it, those too that come after one in which it is too many.
        limited.fold(true, |fits, (counter, limit)| used[counter].count_request(now, *offset) <= limit && fits)
    }

    /// Takes tokens out of all windows; out of none if they do not fit into each.
    #[inline]
    pub fn reserve_tokens(&mut self, now: SimTime, windows: &[Window], tokens: u64) -> bool {
        match windows {
            [window] => self.reserve_tokens_in_one(now, window, tokens),
            _ => self.reserve_tokens_in_each(now, windows, tokens),
        }
    }

    #[inline]
    fn reserve_tokens_in_one(&mut self, now: SimTime, window: &Window, tokens: u64) -> bool {
        let Some(limit) = window.tpm.map(|limit| limit as i64) else { return true };
        let used = &mut self.used[window.counter as usize];
        let tokens = used.used_tokens(now) + tokens as i64;
        let fits = tokens <= limit;
        if fits {
            used.set_tokens(now, self.offset, tokens);
        }
        fits
    }

    #[inline(never)]
    fn reserve_tokens_in_each(&mut self, now: SimTime, windows: &[Window], tokens: u64) -> bool {
        let Self { used, offset, .. } = self;
        let limited = windows.iter().filter_map(|window| Some((window.counter as usize, window.tpm? as i64)));
        let tokens = tokens as i64;
        if limited.clone().any(|(counter, limit)| used[counter].used_tokens(now) + tokens > limit) {
            return false;
        }
        limited.for_each(|(counter, _)| {
            let all = used[counter].used_tokens(now) + tokens;
            used[counter].set_tokens(now, *offset, all);
        });
        true
    }

    /// Corrects the tokens of all windows that count them.
    #[inline]
    pub fn add_tokens(&mut self, now: SimTime, windows: &[Window], tokens: i64) {
        if tokens != 0 {
            for window in windows.iter().filter(|window| window.tpm.is_some()) {
                self.used[window.counter as usize].tokens.add(now, tokens, SETTLED_LIFE);
            }
        }
    }
}

/// The same where the cache may have no room for everything: each write is told to it, in the limiter's order.
impl Windows {
    /// Writes an entry, if anything of them is kept.
    #[inline]
    pub fn write(&mut self, now: SimTime, slip: Slip, life: SimDuration, plans: &KeyPlans) {
        let Self { used, slips: Some(slips), .. } = self else { return };
        slips.write(now, slip, life, plans, |gone| {
            // What is dropped while it is written begins anew with what has been read of it before.
            let until = if gone == slip { now + life } else { LONG_AGO };
            match gone {
                Slip::Beginning(at) => {
                    let of = &mut used[at as usize];
                    (of.expires, of.over_from) = (until, of.over_from.min(until));
                }
                Slip::Requests(at) => used[at as usize].requests.renew(until),
                Slip::Tokens(at) => used.get_mut(at as usize).into_iter().for_each(|of| of.tokens.renew(until)),
                Slip::Parallel(_) | Slip::TokensOfModel(..) => {}
            }
        });
    }

    /// Requests of a key at the same time have become more or fewer.
    pub fn write_parallel(&mut self, now: SimTime, key: KeyId, plans: &KeyPlans) {
        self.write(now, Slip::Parallel(key.0), PARALLEL_LIFE, plans);
    }

    /// Counts a request.
    #[cold]
    pub fn count_request_writing(&mut self, now: SimTime, windows: &[Window], plans: &KeyPlans) -> bool {
        let limited = windows.iter().filter_map(|window| Some((window.counter, window.rpm? as i64)));
        if limited.clone().any(|(counter, limit)| self.used[counter as usize].requests.get(now) > limit) {
            return false;
        }
        limited.fold(true, |fits, (counter, limit)| {
            let at = counter as usize;
            let is_over = self.used[at].is_over(now);
            if is_over {
                self.begin_anew(now, counter, plans);
            }
            let count = if is_over { 1 } else { self.used[at].requests.get(now) + 1 };
            self.write(now, Slip::Requests(counter), defaults::KEY_WINDOW, plans);
            self.used[at].requests.set(now, count, defaults::KEY_WINDOW);
            count <= limit && fits
        })
    }

    fn begin_anew(&mut self, now: SimTime, counter: u32, plans: &KeyPlans) {
        self.write(now, Slip::Beginning(counter), defaults::KEY_WINDOW, plans);
        self.used[counter as usize].begin(now, self.offset);
    }

    /// Takes tokens.
    #[cold]
    pub fn reserve_tokens_writing(&mut self, now: SimTime, windows: &[Window], tokens: u64, plans: &KeyPlans) -> bool {
        let limited = windows.iter().filter_map(|window| Some((window.counter, window.tpm? as i64)));
        let with_limit = limited.map(|(counter, limit)| {
            let used = &self.used[counter as usize];
            (counter, used.is_over(now), limit, used.used_tokens(now) + tokens as i64)
        });
        // All are read before any is written.
        let all: SmallVec<[(u32, bool, i64, i64); 5]> = with_limit.collect();
        if all.iter().any(|(_, _, limit, used)| used > limit) {
            return false;
        }
        for (counter, is_over, _, used) in all {
            if is_over {
                self.begin_anew(now, counter, plans);
            }
            self.write(now, Slip::Tokens(counter), defaults::KEY_WINDOW, plans);
            self.used[counter as usize].tokens.set(now, used, defaults::KEY_WINDOW);
        }
        true
    }

    /// Charges an answer.
    #[cold]
    pub fn add_tokens_writing(&mut self, now: SimTime, charge: &Charge<'_>) {
        for (slip, by) in charge.slips() {
            self.write(now, slip, SETTLED_LIFE, charge.plans);
            if let (Slip::Tokens(counter), Some(by)) = (slip, by) {
                self.used[counter as usize].tokens.add(now, by, SETTLED_LIFE);
            }
        }
    }
}

impl WindowUse {
    /// Whether the window is over (or has never begun).
    #[inline]
    fn is_over(&self, now: SimTime) -> bool {
        now >= self.over_from
    }

    /// It begins now, on the whole second; `offset` leads from a whole second to time zero. What has been written of
    /// its beginning before, and has not expired, keeps its end.
    #[cold]
    fn begin(&mut self, now: SimTime, offset: SimDuration) {
        if self.expires <= now {
            self.expires = now + defaults::KEY_WINDOW;
        }
        let into_second = (now.0 + offset.0).rem_euclid(1_000_000_000);
        let by_seconds = SimTime(now.0 - into_second) + defaults::KEY_WINDOW;
        self.over_from = by_seconds.min(SimTime(self.expires.0.saturating_add(1)));
    }

    /// Counts a request; the count.
    #[inline]
    fn count_request(&mut self, now: SimTime, offset: SimDuration) -> i64 {
        let count = if self.is_over(now) {
            self.begin(now, offset);
            1
        } else {
            self.requests.get(now) + 1
        };
        self.requests.set(now, count, defaults::KEY_WINDOW);
        count
    }

    #[inline]
    fn used_tokens(&self, now: SimTime) -> i64 {
        if self.is_over(now) { 0 } else { self.tokens.get(now) }
    }

    #[inline]
    fn set_tokens(&mut self, now: SimTime, offset: SimDuration, tokens: i64) {
        if self.is_over(now) {
            self.begin(now, offset);
        }
        self.tokens.set(now, tokens, defaults::KEY_WINDOW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::litellm::keyring::Whose;
    use proptest::prelude::*;

    proptest! {
        /// The slow twins are the loops over any number of windows.
        #[test]
        fn one_window_counts_as_the_loops_do(
            steps in prop::collection::vec((0i64..4_000, 0u64..60, -20i64..20), 0..400),
            rpm in prop::option::of(0u64..40),
            tpm in prop::option::of(0u64..1_500),
            offset in 0i64..1_000,
        ) {
            let window = [Window::new(Whose::Key, 1, rpm, tpm)];
            let windows = Windows::new(2, SimDuration(offset * 1_000_000));
            let (mut fast, mut slow) = (windows, Windows::new(2, SimDuration(offset * 1_000_000)));
            let mut at_once = Windows::new(2, SimDuration(offset * 1_000_000));
            let mut now = SimTime::ZERO;
            for (later, tokens, more) in steps {
                now = SimTime(now.0 + later * 1_000_000);
                let is_counted = slow.count_request_in_each(now, &window);
                let fits = slow.reserve_tokens_in_each(now, &window, tokens);
                slow.add_tokens(now, &window, more);
                prop_assert_eq!(fast.count_request(now, &window), is_counted);
                prop_assert_eq!(fast.reserve_tokens(now, &window, tokens), fits);
                fast.add_tokens(now, &window, more);
                prop_assert_eq!(format!("{fast:?}"), format!("{slow:?}"));
                let before = format!("{at_once:?}");
                if at_once.count_within(now, &window[0], tokens) {
                    prop_assert!(is_counted && fits);
                } else {
                    prop_assert_eq!(format!("{at_once:?}"), before, "nothing is counted by halves");
                    at_once.count_request(now, &window);
                    at_once.reserve_tokens(now, &window, tokens);
                }
                at_once.add_tokens(now, &window, more);
                prop_assert_eq!(format!("{at_once:?}"), format!("{slow:?}"));
            }
        }
    }

    #[test]
    fn a_limit_beyond_all_counting_lets_everything_in() {
        let endless = [Window::new(Whose::Key, 0, Some(u64::MAX), Some(u64::MAX))];
        let mut windows = Windows::new(1, SimDuration::ZERO);
        assert!(windows.count_request(SimTime::ZERO, &endless));
        assert!(windows.reserve_tokens(SimTime::ZERO, &endless, 1_000));
    }
}

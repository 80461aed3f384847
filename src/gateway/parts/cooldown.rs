//! Which deployments rest, and until when.

use crate::units::{DeploymentId, SimDuration, SimTime};

/// A cooldown entry in a cache that keeps the expiry of the first write: a later write replaces the value only.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// When the cache drops the entry; fixed by the write that created it.
    kept_until: SimTime,
    /// When the cooldown that was written last is over.
    rests_until: SimTime,
    /// How long the cooldown that was written last was to be.
    span: SimDuration,
}

impl Entry {
    fn is_kept_too_long(&self) -> bool {
        self.kept_until.0 > self.rests_until.0.saturating_add(TOO_LONG.0)
    }
}

const NONE: Entry = Entry { kept_until: SimTime(i64::MIN), rests_until: SimTime(i64::MIN), span: SimDuration::ZERO };

/// An entry that would be kept this much longer than its cooldown lasts is written anew by who looks at it, to be kept
/// as long as the cooldown lasts, but no longer than that.
const TOO_LONG: SimDuration = SimDuration::from_secs(5);
const LONGEST_AGAIN: SimDuration = SimDuration::from_secs(60);

/// Cooldowns of all deployments.
#[derive(Debug, Clone, Default)]
pub struct Cooldowns {
    entries: Vec<Entry>,
    /// No deployment rests at or after this moment.
    all_over: SimTime,
    /// When the entries were last looked at: an entry that was over by then is gone.
    looked: SimTime,
    /// Some entry is kept too long, and nobody has looked since.
    keeps_too_long: bool,
    /// How often an entry was written: while it stays the same, rests end but none begins.
    changes: u64,
}

impl Cooldowns {
    /// None of `deployments` rests.
    pub fn new(deployments: usize) -> Self {
        let long_ago = SimTime(i64::MIN);
        let entries = vec![NONE; deployments];
        Self { entries, all_over: long_ago, looked: long_ago, keeps_too_long: false, changes: 0 }
    }

    /// Looks at the entries: says whether any deployment may be resting.
    pub fn any(&mut self, now: SimTime) -> bool {
        self.looked = now;
        self.keep_no_longer(now);
        now < self.all_over
    }

    /// Looks at the entries: says how often they have changed. Who sees a change goes on to
    /// [`keep_no_longer`](Self::keep_no_longer).
    pub const fn look(&mut self, now: SimTime) -> u64 {
        self.looked = now;
        self.changes
    }

    /// What is kept too long is not kept any longer than the cooldown lasts, once somebody looks at it
    /// (`cooldown_cache.py:_corrected_active_cooldown`).
    pub fn keep_no_longer(&mut self, now: SimTime) {
        if !self.keeps_too_long {
            return;
        }
        for entry in self.entries.iter_mut().filter(|entry| now < entry.rests_until && entry.is_kept_too_long()) {
            entry.kept_until = entry.rests_until.min(now + LONGEST_AGAIN);
        }
        self.keeps_too_long = false;
        self.changes += 1;
    }

    /// The last moment at which this deployment rests, if it does now and its entry stays as it is.
    pub fn rests_until(&self, deployment: DeploymentId, now: SimTime) -> Option<SimTime> {
        let Entry { kept_until, rests_until, .. } = self.entries[deployment.index()];
        self.rests(deployment, now).then(|| kept_until.min(SimTime(rests_until.0 - 1)))
    }

    /// Whether this deployment rests.
    pub fn rests(&self, deployment: DeploymentId, now: SimTime) -> bool {
        let entry = &self.entries[deployment.index()];
        now < entry.rests_until && now <= entry.kept_until
    }

    /// Another process has put a deployment to rest that did not rest here.
    pub fn learn(&mut self, deployment: DeploymentId, until: SimTime, span: SimDuration) {
        self.entries[deployment.index()] = Entry { kept_until: until, rests_until: until, span };
        self.changes += 1;
        self.all_over = self.all_over.max(until);
    }

    /// How long the cooldown of a deployment that rests was to be, from its start.
    pub fn span(&self, deployment: DeploymentId, now: SimTime) -> Option<SimDuration> {
        self.rests(deployment, now).then(|| self.entries[deployment.index()].span)
    }

    /// Puts a deployment to rest and says until when. While it rests already, the end does not move back.
    pub fn add(&mut self, deployment: DeploymentId, now: SimTime, span: SimDuration) -> SimTime {
        let entry = &mut self.entries[deployment.index()];
        let dropped = entry.kept_until <= now || entry.rests_until <= self.looked;
        entry.rests_until = now + span;
        entry.span = span;
        self.changes += 1;
        if dropped {
            entry.kept_until = now + span;
        }
        self.keeps_too_long |= entry.is_kept_too_long();
        let until = entry.rests_until.min(entry.kept_until);
        self.all_over = self.all_over.max(until);
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: DeploymentId = DeploymentId(0);

    fn secs(secs: i64) -> SimTime {
        SimTime(secs * 1_000_000_000)
    }

    #[test]
    fn adding_again_does_not_extend() {
        let mut cooldowns = Cooldowns::new(1);
        assert_eq!(cooldowns.add(A, secs(0), SimDuration::from_secs(5)), secs(5));
        assert_eq!(cooldowns.add(A, secs(3), SimDuration::from_secs(5)), secs(5));
        assert!(cooldowns.rests(A, secs(4)) && !cooldowns.rests(A, SimTime(secs(5).0 + 1)));
        assert!(!cooldowns.any(secs(5)), "none is looked at when all are over");
        assert_eq!(cooldowns.add(A, secs(6), SimDuration::from_secs(5)), secs(11));
    }

    #[test]
    fn a_shorter_second_cooldown_ends_the_first() {
        let mut cooldowns = Cooldowns::new(1);
        cooldowns.add(A, secs(0), SimDuration::from_secs(60));
        assert_eq!(cooldowns.add(A, secs(1), SimDuration::from_secs(5)), secs(6));
        cooldowns.any(secs(7));
        assert_eq!(cooldowns.add(A, secs(8), SimDuration::from_secs(70)), secs(78));
    }

    /// 60 s, then 2 s, then 10 s, all at once: with a look in between the 2 s hold, without it the 10 s do.
    #[test]
    fn who_looks_at_an_entry_that_is_kept_too_long_makes_it_end() {
        for (looks, until) in [(false, 10), (true, 2)] {
            let mut cooldowns = Cooldowns::new(1);
            cooldowns.add(A, secs(0), SimDuration::from_secs(60));
            cooldowns.add(A, secs(0), SimDuration::from_secs(2));
            if looks {
                cooldowns.any(secs(0));
            }
            assert_eq!(cooldowns.add(A, secs(0), SimDuration::from_secs(10)), secs(until));
        }
    }

    #[test]
    fn what_is_kept_again_is_kept_for_a_minute_at_most() {
        let mut cooldowns = Cooldowns::new(1);
        cooldowns.add(A, secs(0), SimDuration::from_secs(300));
        assert_eq!(cooldowns.add(A, secs(0), SimDuration::from_secs(100)), secs(100));
        assert!(cooldowns.any(secs(10)) && cooldowns.rests(A, secs(70)) && !cooldowns.rests(A, secs(71)));
    }
}

//! When counts of a calendar minute are forgotten before it is over: `ttl` of usage-based-routing-v2 [T 290].
//!
//! Nearly always it is a minute, so that this stands beside the counters and not in them.

use crate::gateway::litellm::defaults;
use crate::gateway::parts::MinuteCounter;
use crate::units::{DeploymentId, NameId, SimDuration, SimTime};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// Requests.
    Requests,
    /// Tokens.
    Tokens,
}

/// Whose counter it is: a pattern has one for each model that is filled in.
pub(super) type Whose = (DeploymentId, Option<NameId>);

/// The counts that will be forgotten.
#[derive(Debug, Clone)]
pub(super) struct MinuteLives {
    /// How long those of the strategy live, from the first one.
    of_strategy: SimDuration,
    rows: Vec<Row>,
}

/// A count of one minute that is to be forgotten.
#[derive(Debug, Clone, Copy)]
pub(super) struct Over(pub Whose, Counted, i64);

impl Over {
    /// Forgets it.
    pub const fn forget(self, counter: &mut MinuteCounter) {
        let Self(_, counted, minute) = self;
        match counted {
            Counted::Requests if counter.requests(minute).is_some() => counter.set_requests(minute, None),
            Counted::Tokens if counter.tokens(minute).is_some() => counter.set_tokens(minute, None),
            Counted::Requests | Counted::Tokens => {}
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Row {
    whose: Whose,
    counted: Counted,
    minute: i64,
    ends: SimTime,
}

impl MinuteLives {
    /// Nothing has been counted; none where counts outlive their minute.
    pub fn new(of_strategy: SimDuration) -> Option<Box<Self>> {
        (of_strategy < defaults::MINUTE_LIFE).then(|| Box::new(Self { of_strategy, rows: Vec::new() }))
    }

    /// What has lived long enough.
    #[cold]
    pub fn over(&mut self, now: SimTime) -> Vec<Over> {
        self.rows.extract_if(.., |row| now > row.ends).map(|row| Over(row.whose, row.counted, row.minute)).collect()
    }

    /// The strategy has counted something.
    #[cold]
    pub fn counted_by_strategy(&mut self, now: SimTime, whose: Whose, counted: Counted, minute: i64) {
        self.begin(now, Row { whose, counted, minute, ends: now + self.of_strategy });
    }

    /// The check of enforced limits has counted something.
    #[cold]
    pub fn counted_by_check(&mut self, now: SimTime, whose: Whose, counted: Counted, minute: i64) {
        self.begin(now, Row { whose, counted, minute, ends: now + defaults::MINUTE_LIFE });
    }

    /// A life that has begun is not prolonged.
    fn begin(&mut self, now: SimTime, new: Row) {
        let is_same = |row: &&mut Row| (row.whose, row.counted, row.minute) == (new.whose, new.counted, new.minute);
        match self.rows.iter_mut().find(is_same) {
            Some(row) if row.ends > now => {}
            Some(row) => *row = new,
            None => self.rows.push(new),
        }
    }
}

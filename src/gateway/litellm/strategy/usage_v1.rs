//! usage-based-routing (v1): the fewest tokens in this minute, the first among equals; requests count once they have
//! succeeded (`router_strategy/lowest_tpm_rpm.py`) [T 94].

use super::Sample;
use super::rows::{Places, Rows};
use crate::gateway::litellm::plan::Plan;
use crate::units::{DeploymentId, NameId, SimDuration, SimTime};

/// Use of the minute, by group. Answers are written under the name that was asked for, and read under the name that it
/// stands for: behind an alias nothing is ever seen as used (from source only).
pub(in crate::gateway::litellm) struct MinuteUse {
    groups: Vec<Group>,
    places: Places,
    /// `ttl`: the counts of a minute are forgotten so long after the first of them [T 290].
    life: SimDuration,
}

/// A moment, and the calendar minute that it belongs to.
#[derive(Debug, Clone, Copy)]
pub(in crate::gateway::litellm) struct Moment {
    pub now: SimTime,
    pub minute: i64,
}

/// The counts of one group in one minute.
#[derive(Clone)]
struct Group {
    minute: i64,
    /// When the counts are forgotten, if the minute is not over before.
    expires: SimTime,
    rows: Rows<Use>,
    /// How many of them have tokens.
    with_tokens: u32,
}

/// What is counted of one deployment: LiteLLM has a map of tokens and another of requests.
#[derive(Clone, Copy, Default)]
struct Use {
    /// With the place in the map.
    tokens: Option<(u64, u32)>,
    requests: Option<u64>,
}

impl Group {
    const fn is_of(&self, at: Moment) -> bool {
        self.minute == at.minute && at.now.0 <= self.expires.0
    }

    fn enter(&mut self, at: Moment) {
        if !self.is_of(at) {
            self.minute = at.minute;
            self.expires = SimTime(i64::MAX);
            self.rows.clear();
            self.with_tokens = 0;
        }
    }

    /// What is written opens a new life where the last one is over, or none has begun.
    fn write(&mut self, at: Moment, life: SimDuration) {
        self.enter(at);
        if self.rows.is_empty() || self.expires <= at.now {
            self.expires = at.now + life;
        }
    }
}

impl Use {
    /// The tokens, and the place: the last if it has none yet.
    fn tokens(&mut self, count: &mut u32) -> &mut (u64, u32) {
        self.tokens.get_or_insert_with(|| {
            *count += 1;
            (0, *count - 1)
        })
    }
}

impl MinuteUse {
    /// Nothing has been counted.
    pub fn new(life: SimDuration, names: usize, deployments: usize) -> Self {
        let group = Group { minute: i64::MIN, expires: SimTime(i64::MAX), rows: Rows::new(), with_tokens: 0 };
        Self { groups: vec![group; names], places: Places::new(deployments), life }
    }

    /// The map of tokens of a group, or of its requests, is forgotten.
    pub fn forget(&mut self, name: NameId, minute: i64, tokens: bool) {
        let group = &mut self.groups[name.index()];
        if group.minute != minute {
            return;
        }
        for row in group.rows.all_mut() {
            if tokens { row.tokens = None } else { row.requests = None }
        }
        if tokens {
            group.with_tokens = 0;
        }
        // Without any tokens all are new, whatever is known of requests.
        if group.rows.all_mut().iter().all(|row| row.tokens.is_none() && row.requests.is_none()) {
            group.rows.clear();
        }
    }

    /// An answer has come.
    pub fn answered(&mut self, at: Moment, sample: &Sample) {
        let group = &mut self.groups[sample.name.index()];
        group.write(at, self.life);
        let row = group.rows.row(&mut self.places, sample.deployment, Use::default);
        row.tokens(&mut group.with_tokens).0 += sample.usage.total();
        *row.requests.get_or_insert(0) += 1;
    }

    /// Requests answered in this minute, for the pre-call checks. Who is looked up among others is on the list from
    /// then on, so that its `rpm` counts for `least_used` as well (from source only).
    pub fn look_up(&mut self, at: Moment, name: NameId, deployment: DeploymentId) -> u64 {
        let group = &mut self.groups[name.index()];
        if !group.is_of(at) || group.rows.is_empty() {
            return 0;
        }
        *group.rows.row(&mut self.places, deployment, Use::default).requests.get_or_insert(0)
    }

    /// The candidate with the fewest tokens that has room; full one request before its `rpm`.
    pub fn least_used(
        &mut self,
        plan: &Plan,
        at: Moment,
        name: NameId,
        prompt_tokens: u64,
        candidates: &[DeploymentId],
    ) -> Option<DeploymentId> {
        let Self { groups, places, .. } = self;
        let group = &mut groups[name.index()];
        group.enter(at);
        let has_room = |id: &DeploymentId, used: u64, requests: Option<u64>| {
            let room = plan.compared(*id).by_usage;
            used + prompt_tokens <= room.tokens && requests.is_none_or(|requests| requests + 1 < room.requests)
        };
        if group.rows.is_empty() {
            return candidates.iter().copied().find(|id| has_room(id, 0, None));
        }
        group.rows.complete(places, candidates, Use::default);
        let usable = candidates.iter().filter_map(|id| {
            let row = group.rows.at_mut(places, *id);
            let (used, place) = *row.tokens(&mut group.with_tokens);
            has_room(id, used, row.requests).then_some((used, place, *id))
        });
        usable.min_by_key(|(used, place, _)| (*used, *place)).map(|(_, _, id)| id)
    }
}

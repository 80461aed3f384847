//! cost-based-routing: the cheapest by input and output price together (`router_strategy/lowest_cost.py`) [T 97].

use super::Sample;
use super::rows::{Places, Rows};
use crate::gateway::litellm::plan::{Compared, Plan};
use crate::gateway::parts::MinuteCounter;
use crate::units::{DeploymentId, NameId, SimDuration, SimTime};

/// Life of a group's counts: the router cache's default.
pub(super) const LIFE: SimDuration = SimDuration::from_secs(600);

/// Requests and tokens of the minute, by group.
pub(in crate::gateway::litellm) struct Spending {
    groups: Vec<Group>,
    places: Places,
}

/// The counts of one group; they are forgotten together, ten minutes after the first was written.
#[derive(Clone)]
struct Group {
    expires: SimTime,
    /// The first of equally cheap ones is picked.
    rows: Rows<MinuteCounter>,
}

impl Spending {
    /// Nothing has been counted.
    pub fn new(names: usize, deployments: usize) -> Self {
        let group = Group { expires: SimTime(i64::MIN), rows: Rows::new() };
        Self { groups: vec![group; names], places: Places::new(deployments) }
    }

    /// The counts of a group are kept until then; forgotten, if that is over.
    pub fn keep_until(&mut self, name: NameId, until: SimTime) {
        self.groups[name.index()].expires = until;
    }

    /// An answer has come.
    pub fn answered(&mut self, now: SimTime, minute: i64, sample: &Sample) {
        let group = &mut self.groups[sample.name.index()];
        if now > group.expires {
            group.rows.clear();
        }
        if group.expires <= now {
            group.expires = now + LIFE;
        }
        let counter = group.rows.row(&mut self.places, sample.deployment, || MinuteCounter::EMPTY);
        counter.add_tokens(minute, sample.usage.total());
        counter.add_request(minute);
    }

    /// The cheapest candidate that has room in this minute.
    pub fn cheapest(
        &mut self,
        plan: &Plan,
        now: SimTime,
        minute: i64,
        name: NameId,
        prompt_tokens: u64,
        candidates: &[DeploymentId],
    ) -> Option<DeploymentId> {
        let Self { groups, places } = self;
        let group = &mut groups[name.index()];
        let has_room = |compared: &Compared, counter: &MinuteCounter| {
            let room = compared.by_latency_or_cost;
            room.is_endless()
                || counter.tokens(minute).unwrap_or(0) + prompt_tokens <= room.tokens
                    && counter.requests(minute).unwrap_or(0) < room.requests
        };
        let is_known = now <= group.expires && !group.rows.is_empty();
        if is_known {
            group.rows.complete(places, candidates, || MinuteCounter::EMPTY);
        }
        let usable = candidates.iter().enumerate().filter_map(|(nth, id)| {
            let (at, counter) = if is_known { group.rows.at(places, *id) } else { (nth as u32, &MinuteCounter::EMPTY) };
            let compared = plan.compared(*id);
            has_room(compared, counter).then_some((compared.price, at, *id))
        });
        let cheapest = usable.min_by(|(a, first, _), (b, second, _)| a.total_cmp(b).then(first.cmp(second)));
        cheapest.map(|(_, _, id)| id)
    }
}

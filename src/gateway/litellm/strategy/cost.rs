//! cost-based-routing: the cheapest by input and output price together (`router_strategy/lowest_cost.py`) [T 97].

use super::Sample;
use crate::gateway::litellm::plan::Plan;
use crate::gateway::parts::MinuteCounter;
use crate::units::{DeploymentId, NameId, SimDuration, SimTime};

/// Life of a group's counts: the router cache's default.
const LIFE: SimDuration = SimDuration::from_secs(600);

/// Requests and tokens of the minute, by group.
pub(in crate::gateway::litellm) struct Spending {
    groups: Vec<Group>,
}

/// The counts of one group; they are forgotten together, ten minutes after the first was written.
#[derive(Clone)]
struct Group {
    expires: SimTime,
    /// In order of first appearance: the first of equally cheap ones is picked.
    rows: Vec<(DeploymentId, MinuteCounter)>,
}

impl Spending {
    /// Nothing has been counted.
    pub fn new(names: usize) -> Self {
        Self { groups: vec![Group { expires: SimTime(i64::MIN), rows: Vec::new() }; names] }
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
        let at = group.rows.iter().position(|(id, _)| *id == sample.deployment).unwrap_or_else(|| {
            group.rows.push((sample.deployment, MinuteCounter::EMPTY));
            group.rows.len() - 1
        });
        let counter = &mut group.rows[at].1;
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
        let group = &mut self.groups[name.index()];
        let is_known = now <= group.expires && !group.rows.is_empty();
        if !is_known {
            group.rows.clear();
        }
        for id in candidates {
            if !group.rows.iter().any(|(row, _)| row == id) {
                group.rows.push((*id, MinuteCounter::EMPTY));
            }
        }
        let has_room = |(id, counter): &&(DeploymentId, MinuteCounter)| {
            let entry = plan.deployment(*id);
            let tokens = counter.tokens(minute).unwrap_or(0) + prompt_tokens;
            let requests = counter.requests(minute).unwrap_or(0);
            candidates.contains(id)
                && entry.tpm_limit().is_none_or(|limit| tokens <= limit)
                && entry.rpm_limit().is_none_or(|limit| requests < limit)
        };
        let price = |id: &DeploymentId| plan.deployment(*id).compared_price;
        let usable = group.rows.iter().filter(has_room).map(|(id, _)| *id);
        let cheapest = usable.min_by(|a, b| price(a).total_cmp(&price(b)));
        if !is_known {
            group.rows.clear();
        }
        cheapest
    }
}

//! usage-based-routing (v1): the fewest tokens in this minute, the first among equals; requests count once they have
//! succeeded (`router_strategy/lowest_tpm_rpm.py`) [T 94].

use super::Sample;
use crate::gateway::litellm::plan::Plan;
use crate::units::{DeploymentId, NameId};

/// Use of the minute, by group. Answers are written under the name that was asked for, and read under the name that it
/// stands for: behind an alias nothing is ever seen as used (from source only).
pub(in crate::gateway::litellm) struct MinuteUse {
    groups: Vec<Group>,
}

/// The counts of one group in one minute, in order of first appearance.
#[derive(Clone)]
struct Group {
    minute: i64,
    tokens: Vec<(DeploymentId, u64)>,
    requests: Vec<(DeploymentId, u64)>,
}

impl Group {
    fn enter(&mut self, minute: i64) {
        if self.minute != minute {
            self.minute = minute;
            self.tokens.clear();
            self.requests.clear();
        }
    }
}

impl MinuteUse {
    /// Nothing has been counted.
    pub fn new(names: usize) -> Self {
        Self { groups: vec![Group { minute: i64::MIN, tokens: Vec::new(), requests: Vec::new() }; names] }
    }

    /// An answer has come.
    pub fn answered(&mut self, minute: i64, sample: &Sample) {
        let group = &mut self.groups[sample.name.index()];
        group.enter(minute);
        add(&mut group.tokens, sample.deployment, sample.usage.total());
        add(&mut group.requests, sample.deployment, 1);
    }

    /// Requests answered in this minute, for the pre-call checks. Who is looked up among others is on the list from
    /// then on, so that its `rpm` counts for `least_used` as well (from source only).
    pub fn look_up(&mut self, minute: i64, name: NameId, deployment: DeploymentId) -> u64 {
        let group = &mut self.groups[name.index()];
        if group.minute != minute || group.requests.is_empty() {
            return 0;
        }
        let known = find(&group.requests, deployment);
        if known.is_none() {
            group.requests.push((deployment, 0));
        }
        known.unwrap_or(0)
    }

    /// The candidate with the fewest tokens that has room; full one request before its `rpm`.
    pub fn least_used(
        &mut self,
        plan: &Plan,
        minute: i64,
        name: NameId,
        prompt_tokens: u64,
        candidates: &[DeploymentId],
    ) -> Option<DeploymentId> {
        let group = &mut self.groups[name.index()];
        group.enter(minute);
        let is_known = !group.tokens.is_empty();
        for id in candidates {
            if find(&group.tokens, *id).is_none() {
                group.tokens.push((*id, 0));
            }
        }
        let has_room = |(id, used): &&(DeploymentId, u64)| {
            let entry = plan.deployment(*id);
            candidates.contains(id)
                && entry.tpm.is_none_or(|limit| used + prompt_tokens <= limit)
                && find(&group.requests, *id).is_none_or(|used| entry.rpm.is_none_or(|limit| used + 1 < limit))
        };
        let least = group.tokens.iter().filter(has_room).min_by_key(|(_, used)| *used).map(|(id, _)| *id);
        if !is_known {
            group.tokens.clear();
        }
        least
    }
}

fn find(counts: &[(DeploymentId, u64)], deployment: DeploymentId) -> Option<u64> {
    counts.iter().find(|(id, _)| *id == deployment).map(|(_, count)| *count)
}

fn add(counts: &mut Vec<(DeploymentId, u64)>, deployment: DeploymentId, by: u64) {
    match counts.iter_mut().find(|(id, _)| *id == deployment) {
        Some((_, count)) => *count += by,
        None => counts.push((deployment, by)),
    }
}

//! latency-based-routing: the lowest mean latency, at random among those close to it
//! (`router_strategy/lowest_latency.py`) [T 96].

use super::Sample;
use crate::gateway::litellm::call::CallState;
use crate::gateway::litellm::plan::{LatencyArgs, Plan};
use crate::gateway::parts::MinuteCounter;
use crate::random::{Draws, Purpose};
use crate::units::{DeploymentId, NameId, SimTime};

/// What a timeout counts as.
const PENALTY_SECS: f64 = 1000.0;

/// Latencies by group.
pub(in crate::gateway::litellm) struct Latencies {
    args: LatencyArgs,
    groups: Vec<Group>,
}

/// The latencies of one group; they are forgotten together, a fixed time after the first was written.
#[derive(Clone)]
struct Group {
    expires: SimTime,
    /// In order of first appearance: draws go by it.
    rows: Vec<Row>,
}

/// What is known of one deployment.
#[derive(Clone)]
struct Row {
    deployment: DeploymentId,
    /// Seconds, for each token of the answer where their number is known.
    latencies: Vec<f64>,
    /// Seconds to the first token of streams.
    first_tokens: Vec<f64>,
    minute: MinuteCounter,
}

/// What a pick is for.
pub(in crate::gateway::litellm) struct Ask<'a> {
    pub name: NameId,
    pub minute: i64,
    pub tokens: u64,
    pub stream: bool,
    pub candidates: &'a [DeploymentId],
}

impl Latencies {
    /// Nothing is known.
    pub fn new(args: LatencyArgs, names: usize) -> Self {
        let group = Group { expires: SimTime(i64::MIN), rows: Vec::new() };
        Self { args, groups: vec![group; names] }
    }

    /// The rows of a group, for writing.
    fn open(&mut self, now: SimTime, name: NameId) -> &mut Group {
        let group = &mut self.groups[name.index()];
        if now > group.expires {
            group.rows.clear();
        }
        if group.expires <= now {
            group.expires = now + self.args.ttl;
        }
        group
    }

    /// An answer has come.
    pub fn answered(&mut self, now: SimTime, minute: i64, sample: &Sample) {
        let most = self.args.samples;
        let row = self.open(now, sample.name).row(sample.deployment);
        let secs = sample.elapsed.as_secs_f64();
        let tokens = sample.usage.output;
        push_sample(&mut row.latencies, if tokens == 0 { secs } else { secs / f64::from(tokens) }, most);
        if let Some(first_token) = sample.first_token {
            push_sample(&mut row.first_tokens, first_token.as_secs_f64(), most);
        }
        row.minute.add_tokens(minute, sample.usage.total());
        row.minute.add_request(minute);
    }

    /// A call has timed out; other failures leave no sample.
    pub fn timed_out(&mut self, now: SimTime, deployment: DeploymentId, name: NameId) {
        let most = self.args.samples;
        push_sample(&mut self.open(now, name).row(deployment).latencies, PENALTY_SECS, most);
    }

    /// The deployments that are fast enough, in the order of a random draw over all rows, then one of them at random.
    /// A deployment that is seen for the first time gets a sample of 0, which stays if the group is known already.
    pub(super) fn pick<D: Draws>(
        &mut self,
        plan: &Plan,
        now: SimTime,
        ask: &Ask<'_>,
        draws: &mut D,
        call: &mut CallState,
    ) -> Option<DeploymentId> {
        let args = self.args;
        let group = &mut self.groups[ask.name.index()];
        let is_known = now <= group.expires && !group.rows.is_empty();
        if !is_known {
            group.rows.clear();
        }
        for id in ask.candidates {
            if !group.rows.iter().any(|row| row.deployment == *id) {
                group.rows.push(Row { latencies: vec![0.0], ..Row::new(*id) });
            }
        }
        let mut usable: Vec<(DeploymentId, f64)> = shuffled(&group.rows, draws, call)
            .into_iter()
            .filter(|row| ask.candidates.contains(&row.deployment) && row.fits(plan, ask))
            .map(|row| (row.deployment, row.latency(&args, ask.stream)))
            .collect();
        if !is_known {
            group.rows.clear();
        }
        usable.sort_by(|a, b| a.1.total_cmp(&b.1));
        let lowest = usable.first()?.1;
        let fast = usable.iter().take_while(|(_, latency)| *latency <= lowest + args.buffer * lowest).count();
        let nth = call.next_pick();
        Some(usable[draws.below(Purpose::Pick, nth, fast as u32) as usize].0)
    }
}

impl Group {
    fn row(&mut self, deployment: DeploymentId) -> &mut Row {
        let at = self.rows.iter().position(|row| row.deployment == deployment).unwrap_or_else(|| {
            self.rows.push(Row::new(deployment));
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }
}

impl Row {
    const fn new(deployment: DeploymentId) -> Self {
        let minute = MinuteCounter::EMPTY;
        Self { deployment, latencies: Vec::new(), first_tokens: Vec::new(), minute }
    }

    /// Whether `tpm` and `rpm` leave room in this minute.
    fn fits(&self, plan: &Plan, ask: &Ask<'_>) -> bool {
        let entry = plan.deployment(self.deployment);
        let tokens = self.minute.tokens(ask.minute).unwrap_or(0);
        let requests = self.minute.requests(ask.minute).unwrap_or(0);
        entry.tpm_limit().is_none_or(|limit| tokens + ask.tokens <= limit)
            && entry.rpm_limit().is_none_or(|limit| requests < limit)
    }

    /// What is compared: the mean, or for streams the time to the first token.
    fn latency(&self, args: &LatencyArgs, stream: bool) -> f64 {
        let by_first_token = stream && !self.first_tokens.is_empty();
        match args.ttft_percentile.filter(|_| by_first_token) {
            Some(percentile) => percentile_of(&self.first_tokens, percentile),
            None => mean(if by_first_token { &self.first_tokens } else { &self.latencies }),
        }
    }
}

/// Keeps the last `most` samples.
fn push_sample(samples: &mut Vec<f64>, sample: f64, most: usize) {
    if samples.len() >= most && !samples.is_empty() {
        samples.remove(0);
    }
    samples.push(sample);
}

/// The mean; 0 without samples.
fn mean(samples: &[f64]) -> f64 {
    if samples.is_empty() { 0.0 } else { samples.iter().fold(0.0, |sum, sample| sum + sample) / samples.len() as f64 }
}

fn percentile_of(samples: &[f64], percentile: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * percentile).ceil() as usize;
    sorted[at.clamp(1, sorted.len()) - 1]
}

/// `random.sample(rows, len(rows))`: draws without replacement, the last one fills the gap.
fn shuffled<'a, D: Draws>(rows: &'a [Row], draws: &mut D, call: &mut CallState) -> Vec<&'a Row> {
    let mut pool: Vec<&Row> = rows.iter().collect();
    let mut drawn = Vec::with_capacity(pool.len());
    while let Some(last) = pool.len().checked_sub(1) {
        let nth = call.next_pick();
        let at = draws.below(Purpose::Pick, nth, pool.len() as u32) as usize;
        drawn.push(pool[at]);
        pool[at] = pool[last];
        pool.pop();
    }
    drawn
}

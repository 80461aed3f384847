//! latency-based-routing: the lowest mean latency, at random among those close to it
//! (`router_strategy/lowest_latency.py`) [T 96].

use super::Sample;
use super::rows::{Places, Rows};
use crate::gateway::litellm::call::CallState;
use crate::gateway::litellm::plan::{LatencyArgs, Plan, Room};
use crate::gateway::parts::MinuteCounter;
use crate::random::{Draws, Purpose};
use crate::units::{DeploymentId, NameId, SimDuration, SimTime};

/// What a timeout counts as.
const PENALTY_SECS: f64 = 1000.0;

/// Latencies by group.
pub(in crate::gateway::litellm) struct Latencies {
    args: LatencyArgs,
    groups: Vec<Group>,
    places: Places,
    /// The candidates that have room and are fast enough, with their latencies, while one is picked.
    fast: Vec<(DeploymentId, f64)>,
}

/// The latencies of one group; they are forgotten together, a fixed time after the first was written.
#[derive(Clone)]
struct Group {
    expires: SimTime,
    rows: Rows<Row>,
}

/// What is known of one deployment.
#[derive(Clone)]
struct Row {
    minute: MinuteCounter,
    /// Seconds, for each token of the answer where their number is known.
    latencies: Samples,
    /// Seconds to the first token of streams.
    first_tokens: Samples,
}

/// The last samples, oldest first, and what is compared of them: samples come once a call, and are compared at each
/// pick of any deployment of the group.
#[derive(Clone, Default)]
struct Samples {
    compared: f64,
    values: Vec<f64>,
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
    pub fn new(args: LatencyArgs, names: usize, deployments: usize) -> Self {
        let group = Group { expires: SimTime(i64::MIN), rows: Rows::new() };
        Self { args, groups: vec![group; names], places: Places::new(deployments), fast: Vec::new() }
    }

    /// The row of a deployment, for writing.
    fn open(&mut self, now: SimTime, deployment: DeploymentId, name: NameId) -> &mut Row {
        let group = &mut self.groups[name.index()];
        if now > group.expires {
            group.rows.clear();
        }
        if group.expires <= now {
            group.expires = now + self.args.ttl;
        }
        group.rows.row(&mut self.places, deployment, Row::new)
    }

    /// How long the latencies of a group live.
    pub const fn life(&self) -> SimDuration {
        self.args.ttl
    }

    /// The latencies of a group are kept until then; forgotten, if that is over.
    pub fn keep_until(&mut self, name: NameId, until: SimTime) {
        self.groups[name.index()].expires = until;
    }

    /// An answer has come.
    pub fn answered(&mut self, now: SimTime, minute: i64, sample: &Sample) {
        let args = self.args;
        let row = self.open(now, sample.deployment, sample.name);
        let secs = sample.elapsed.as_secs_f64();
        let tokens = sample.usage.output;
        row.latencies.push(if tokens == 0 { secs } else { secs / f64::from(tokens) }, args.samples, mean);
        if let Some(first_token) = sample.first_token {
            row.first_tokens.push(first_token.as_secs_f64(), args.samples, |samples| match args.ttft_percentile {
                Some(percentile) => percentile_of(samples, percentile),
                None => mean(samples),
            });
        }
        row.minute.add_tokens(minute, sample.usage.total());
        row.minute.add_request(minute);
    }

    /// A call has timed out; other failures leave no sample.
    pub fn timed_out(&mut self, now: SimTime, deployment: DeploymentId, name: NameId) {
        let most = self.args.samples;
        self.open(now, deployment, name).latencies.push(PENALTY_SECS, most, mean);
    }

    /// One of the deployments that are fast enough, at random. A deployment that is seen for the first time gets a
    /// sample of 0, which stays if the group is known already.
    pub(super) fn pick<D: Draws>(
        &mut self,
        plan: &Plan,
        now: SimTime,
        ask: &Ask<'_>,
        draws: &mut D,
        call: &mut CallState,
    ) -> Option<DeploymentId> {
        let Self { args, groups, places, fast } = self;
        let Group { expires, rows } = &mut groups[ask.name.index()];
        let room = |id: DeploymentId| &plan.compared(id).by_latency_or_cost;
        fast.clear();
        let is_known = now <= *expires && !rows.is_empty();
        if is_known {
            rows.complete(places, ask.candidates, || Row::seen_first(args.samples));
            let known = ask.candidates.iter().map(|id| (*id, rows.at(places, *id).1));
            let fitting = known.filter(|(id, row)| ask.fits(room(*id), &row.minute));
            fill(fast, args.buffer, fitting.map(|(id, row)| (id, row.latency(ask.stream))));
        } else {
            let fitting = ask.candidates.iter().filter(|id| ask.fits(room(**id), &MinuteCounter::EMPTY));
            fast.extend(fitting.map(|id| (*id, 0.0)));
        }
        if D::RECORDED {
            sort_as_recorded(fast, if is_known { rows.ids() } else { ask.candidates }, draws, call);
        }
        if fast.is_empty() {
            return None;
        }
        let nth = call.next_pick();
        Some(fast[draws.below(Purpose::Pick, nth, fast.len() as u32) as usize].0)
    }
}

/// Leaves those that are at most `buffer` of the lowest latency above it.
fn fill(fast: &mut Vec<(DeploymentId, f64)>, buffer: f64, latencies: impl Iterator<Item = (DeploymentId, f64)>) {
    let [mut lowest, mut highest] = [f64::INFINITY; 2];
    for (id, latency) in latencies {
        if latency > highest {
            continue;
        }
        if latency < lowest {
            lowest = latency;
            highest = (lowest + buffer * lowest).max(lowest);
        }
        fast.push((id, latency));
    }
    // The first ones were measured by a lowest that was not the last.
    fast.retain(|(_, latency)| *latency <= highest);
}

impl Ask<'_> {
    /// Whether `tpm` and `rpm` leave room in this minute.
    #[inline]
    fn fits(&self, room: &Room, used: &MinuteCounter) -> bool {
        room.is_endless()
            || used.tokens(self.minute).unwrap_or(0) + self.tokens <= room.tokens
                && used.requests(self.minute).unwrap_or(0) < room.requests
    }
}

impl Row {
    const fn new() -> Self {
        Self { minute: MinuteCounter::EMPTY, latencies: Samples::NONE, first_tokens: Samples::NONE }
    }

    /// That of a deployment without an answer yet.
    fn seen_first(most: usize) -> Self {
        let mut row = Self::new();
        row.latencies.push(0.0, most, mean);
        row
    }

    /// What is compared: the mean, or for streams the time to the first token.
    #[inline]
    const fn latency(&self, stream: bool) -> f64 {
        let by_first_token = stream && !self.first_tokens.values.is_empty();
        if by_first_token { self.first_tokens.compared } else { self.latencies.compared }
    }
}

impl Samples {
    const NONE: Self = Self { compared: 0.0, values: Vec::new() };

    /// Keeps the last `most` samples.
    fn push(&mut self, sample: f64, most: usize, compare: impl Fn(&[f64]) -> f64) {
        if self.values.len() >= most && !self.values.is_empty() {
            self.values.remove(0);
        }
        self.values.push(sample);
        self.compared = compare(&self.values);
    }
}

/// The mean of at least one sample, in LiteLLM's order of adding.
fn mean(samples: &[f64]) -> f64 {
    samples.iter().fold(0.0, |sum, sample| sum + sample) / samples.len() as f64
}

fn percentile_of(samples: &[f64], percentile: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * percentile).ceil() as usize;
    sorted[at.clamp(1, sorted.len()) - 1]
}

/// The order in which LiteLLM has them: all rows in random order, sorted by latency. That a fast one is picked at
/// random comes to the same without it, but for the draws that it takes.
fn sort_as_recorded<D: Draws>(
    fast: &mut [(DeploymentId, f64)],
    rows: &[DeploymentId],
    draws: &mut D,
    call: &mut CallState,
) {
    let order = shuffled(rows, draws, call);
    fast.sort_by_key(|(id, _)| order.iter().position(|other| other == id));
    fast.sort_by(|(_, a), (_, b)| a.total_cmp(b));
}

/// `random.sample(rows, len(rows))`: draws without replacement, the last one fills the gap.
fn shuffled<D: Draws>(rows: &[DeploymentId], draws: &mut D, call: &mut CallState) -> Vec<DeploymentId> {
    let mut pool = rows.to_vec();
    let mut drawn = Vec::with_capacity(pool.len());
    while !pool.is_empty() {
        let nth = call.next_pick();
        let at = draws.below(Purpose::Pick, nth, pool.len() as u32) as usize;
        drawn.push(pool.swap_remove(at));
    }
    drawn
}

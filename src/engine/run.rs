//! What one replication leaves behind.

use crate::engine::billed::Billed;
use crate::engine::demand::DemandTotals;
use crate::ledger::{Ledger, Shape};
use crate::provider::Luck;
use crate::stats::Histogram;
use crate::units::{Money, Outcome, SimDuration, Usage, WhyNots};

/// The sums of one replication.
#[derive(Debug, Clone)]
pub struct Run {
    /// Number of the replication.
    pub replication: u64,
    /// The books.
    pub ledger: Ledger,
    /// What the gateway itself would report as spend.
    pub reported_spend: Money,
    /// Client requests.
    pub requests: u64,
    /// Answered well.
    pub served: u64,
    /// Of those: from the response cache.
    pub cache_hits: u64,
    /// Ended in an error after routing.
    pub failed: u64,
    /// Refused before routing.
    pub rejected: u64,
    /// The client left first.
    pub abandoned: u64,
    /// In a process of the gateway that ended before it answered.
    pub lost: u64,
    /// Never ended.
    pub in_flight: u64,
    /// Of the requests: sent again by a client whose request before had failed. The others are what clients want, and
    /// each of those that was not served well is without an answer or was sent again: once for each of these.
    pub client_retries: u64,
    /// Answered by another group than the one asked for.
    pub fallbacks: u64,
    /// Upstream calls.
    pub attempts: u64,
    /// The most upstream calls that a single request took.
    pub most_attempts: u32,
    /// Seconds from request to answer, of the answered ones.
    pub latency: Histogram,
    /// By step of time.
    pub steps: Vec<StepTotals>,
    /// Charges by step of time, then deployment.
    pub spend_by_deployment: Vec<Money>,
    /// By deployment.
    pub deployments: Vec<DeploymentTotals>,
    /// By traffic class.
    pub classes: Vec<RequestTotals>,
    /// By virtual key.
    pub keys: Vec<RequestTotals>,
    /// The same without a good answer, by what stood in the way: sums to those that failed, were rejected or lost.
    pub why_not: Vec<WhyNots>,
    /// How many calls failed by chance beyond those expected, where that is counted.
    pub luck: Luck,
}

/// Counters of one step of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepTotals {
    /// Requests that arrived.
    pub requests: u64,
    /// Of those: without a good answer.
    pub failed: u64,
    /// Of those: answered by another group.
    pub fallbacks: u64,
    /// Upstream calls started.
    pub attempts: u64,
    /// Charged.
    pub spend: Money,
}

/// Requests of a class or key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct RequestTotals {
    /// Client requests.
    pub requests: u64,
    /// Of those: without a good answer.
    pub failed: u64,
    /// Upstream calls of theirs that are billed at a price that nobody knows.
    #[serde(default)]
    pub unpriced: u64,
}

/// Counters of one deployment.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct DeploymentTotals {
    /// Upstream calls.
    pub attempts: u64,
    /// Answered well.
    pub served: u64,
    /// Failed, by [`ErrorClass`].
    pub errors: [u64; ErrorClass::COUNT],
    /// Input tokens of answered calls.
    pub input_tokens: u64,
    /// Output tokens of answered calls.
    pub output_tokens: u64,
    /// Input tokens that the provider bills although the model has no known price.
    pub unpriced_input: u64,
    /// Output tokens of the same kind.
    pub unpriced_output: u64,
    /// Calls of the same kind.
    pub unpriced_calls: u64,
    /// Tokens of those that were answered.
    pub unpriced_answered: u64,
    /// Behind a pattern: the same calls, input and output by the number of the model that was called.
    pub unpriced_models: Vec<[u64; 3]>,
    /// Times that it was put into cooldown.
    pub cooldowns: u64,
    /// Time spent in cooldown.
    pub cooling: SimDuration,
    /// Seconds from call to answer, of the answered ones.
    pub latency: Histogram,
    /// Load by minute.
    pub demand: DemandTotals,
    /// What is billed, meter by meter; sums to the charges in the books.
    pub billed: Billed,
}

/// Classes of failed calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// HTTP 429.
    RateLimited,
    /// HTTP 5xx, a lost connection.
    Server,
    /// Patience ran out.
    Timeout,
    /// HTTP 401, 403.
    Auth,
    /// Other HTTP 4xx.
    Client,
    /// Closed by the gateway.
    Cancelled,
}

impl ErrorClass {
    /// Number of classes.
    pub const COUNT: usize = 6;

    /// The class of an outcome; `None` for an answer.
    pub const fn of(outcome: Outcome) -> Option<Self> {
        Some(match outcome {
            Outcome::Ok => return None,
            Outcome::Status(429) | Outcome::Worded(429, _) => Self::RateLimited,
            Outcome::Status(401 | 403) | Outcome::Worded(401 | 403, _) => Self::Auth,
            Outcome::Status(500..) | Outcome::Worded(500.., _) | Outcome::ConnectionError | Outcome::Cut => {
                Self::Server
            }
            Outcome::Status(_) | Outcome::Worded(..) | Outcome::ContextWindow | Outcome::ContentPolicy => Self::Client,
            Outcome::Timeout => Self::Timeout,
            Outcome::Cancelled => Self::Cancelled,
        })
    }
}

impl DeploymentTotals {
    /// Counts an answered call; how long it took is counted elsewhere.
    #[inline(always)]
    pub fn answered(&mut self, usage: Usage) {
        self.served += 1;
        self.input_tokens += u64::from(usage.input);
        self.output_tokens += u64::from(usage.output);
    }

    /// Adds the counters of another run.
    pub fn merge(&mut self, other: &Self) {
        self.attempts += other.attempts;
        self.served += other.served;
        for (sum, n) in self.errors.iter_mut().zip(other.errors) {
            *sum += n;
        }
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.unpriced_input += other.unpriced_input;
        self.unpriced_output += other.unpriced_output;
        self.unpriced_calls += other.unpriced_calls;
        self.unpriced_answered += other.unpriced_answered;
        for (model, counts) in other.unpriced_models.iter().enumerate() {
            self.unpriced_of(model).iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        self.cooldowns += other.cooldowns;
        self.cooling = self.cooling + other.cooling;
        self.latency.merge(&other.latency);
        self.demand.merge(&other.demand);
        self.billed.merge(&other.billed);
    }

    /// Counts a call that is billed at a price that nobody knows: what is billed, the tokens of its answer, if it was
    /// answered, and the number of the model, behind a pattern.
    #[cold]
    pub fn unpriced(&mut self, usage: Usage, answered: Option<Usage>, model: Option<u32>) {
        let counts = [1, u64::from(usage.input), u64::from(usage.output)];
        self.unpriced_calls += counts[0];
        self.unpriced_input += counts[1];
        self.unpriced_output += counts[2];
        self.unpriced_answered += answered.map_or(0, |usage| usage.total());
        if let Some(model) = model {
            self.unpriced_of(model as usize).iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }

    fn unpriced_of(&mut self, model: usize) -> &mut [u64; 3] {
        if self.unpriced_models.len() <= model {
            self.unpriced_models.resize(model + 1, [0; 3]);
        }
        &mut self.unpriced_models[model]
    }
}

impl Default for Run {
    fn default() -> Self {
        Self {
            replication: 0,
            ledger: Ledger::new(Shape::default()),
            reported_spend: Money::ZERO,
            requests: 0,
            served: 0,
            cache_hits: 0,
            failed: 0,
            rejected: 0,
            abandoned: 0,
            lost: 0,
            in_flight: 0,
            client_retries: 0,
            fallbacks: 0,
            attempts: 0,
            most_attempts: 0,
            latency: Histogram::default(),
            steps: Vec::new(),
            spend_by_deployment: Vec::new(),
            deployments: Vec::new(),
            classes: Vec::new(),
            keys: Vec::new(),
            why_not: Vec::new(),
            luck: Luck::default(),
        }
    }
}

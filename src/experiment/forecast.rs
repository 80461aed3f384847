//! What a forecast says: plain data with names, ready to be shown. Money is exact; rates and latencies are `f64`.

use std::borrow::Cow;

use crate::diagnostic::Diagnostic;
pub use crate::experiment::band::{Band, MoneyBand};
use crate::experiment::detail::{DayRow, PercentileRun, ProviderRow};
use crate::experiment::gate::Verdict;
use crate::ledger::Causes;
use crate::scenario::{Assumption, Budget, Lasting};
use crate::units::{Money, TokenKind, WhyNot};

/// The result of many replications of one scenario.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// What was simulated, and how to do it again.
    pub about: About,
    /// The bill of one horizon.
    pub bill: MoneyStats,
    /// Requests without a good answer, as a share of all requests.
    pub failure_rate: RateStats,
    /// Requests answered by another group than the one asked for, as a share of all requests.
    pub fallback_share: RateStats,
    /// Client requests in a horizon.
    pub requests: CountStats,
    /// What clients want: their requests without those that they send again, in a horizon.
    pub intents: CountStats,
    /// Share of what clients want that is never answered, whatever they and the gateway try.
    pub unanswered_rate: RateStats,
    /// Upstream calls in a horizon.
    pub upstream_calls: CountStats,
    /// Time from a request to the end of its answer, seconds, over all answered requests of all runs.
    pub latency_s: Option<LatencyStats>,
    /// Mean cost by cause; sums to `bill.mean` exactly.
    pub cost_by_cause: Causes<Money>,
    /// Mean over the runs of what fallbacks cost above the prices of the groups asked for.
    pub fallback_premium: Money,
    /// Mean of what the gateway itself would report as spend (its own prices, failures at zero).
    pub reported_spend: Money,
    /// Models without a price, with the tokens that went there.
    pub unpriced: Vec<UnpricedRow>,
    /// Run by run, in order of the replication's number.
    pub runs: Vec<RunRow>,
    /// Hour by hour.
    pub hours: Vec<HourRow>,
    /// Deployment by deployment.
    pub deployments: Vec<DeploymentRow>,
    /// Provider by provider.
    pub providers: Vec<ProviderRow>,
    /// Local day by local day.
    pub days: Vec<DayRow>,
    /// The runs at percentiles of the bill, charge by charge; empty unless it was asked for.
    pub percentile_runs: Vec<PercentileRun>,
    /// What the user means to spend.
    pub budget: Budget,
    /// Days that count as Sundays, also after the horizon.
    pub holidays: Vec<jiff::civil::Date>,
    /// What lasts for longer than a week, so that months put together from weeks do not have it.
    pub lasting: Vec<Lasting>,
    /// What the user wrote that the figures rest on.
    pub written: Vec<Assumption>,
    /// Traffic class by traffic class.
    pub classes: Vec<ShareRow>,
    /// Virtual key by virtual key.
    pub keys: Vec<ShareRow>,
    /// Requests without a good answer, by what stood in the way: sums to those that failed, were rejected or lost.
    pub why_not: Vec<WhyNotRow>,
    /// The fallback graph with its money, dearest edge first.
    pub edges: Vec<EdgeRow>,
    /// The weekend at the P95 of the bill, told in detail.
    pub expensive: Option<Timeline>,
    /// Budgets and alerts, where they were looked at.
    pub alerts: Option<crate::experiment::alerts::Alerts>,
    /// What matters most, in order.
    pub findings: Vec<Finding>,
    /// The command that shows what the dearest fallback edge costs, if one does.
    pub next: Option<String>,
    /// What the policies say, if there are any.
    pub policies: Vec<Verdict>,
    /// Everything that the user did not write.
    pub assumptions: Vec<Assumption>,
    /// What the readers had to say.
    pub diagnostics: Vec<Diagnostic>,
}

/// What was simulated.
#[derive(Debug, Clone)]
pub struct About {
    /// Name of the scenario.
    pub scenario: String,
    /// One line on it.
    pub description: String,
    /// Seed of the forecast.
    pub seed: u64,
    /// Replications that were simulated.
    pub runs: u64,
    /// Whether it was interrupted before all replications were done.
    pub partial: bool,
    /// Length of one replication, hours.
    pub horizon_hours: f64,
    /// Local date and time of the start, RFC 3339 with the zone in brackets.
    pub start: String,
    /// Name of the gateway software, e.g. `litellm`.
    pub gateway: Cow<'static, str>,
    /// Behaviour profile, e.g. `litellm-1.102`.
    pub profile: Cow<'static, str>,
    /// The newest as-of date of the prices used.
    pub prices_as_of: String,
    /// Version of billcast.
    pub version: Cow<'static, str>,
    /// The command that gives this result again.
    pub command: String,
}

/// Statistics of an amount over the replications.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MoneyStats {
    /// Arithmetic mean.
    pub mean: Money,
    /// 95% confidence interval of the mean.
    pub ci95_mean: [Money; 2],
    /// How many independent runs would tell the mean as well as these, which are spread evenly; 0 if unknown.
    pub worth_runs: f64,
    /// 5th percentile.
    pub p5: Money,
    /// Median.
    pub p50: Money,
    /// 95% confidence interval of the median.
    pub ci95_p50: [Money; 2],
    /// 80th percentile.
    pub p80: Money,
    /// 95th percentile.
    pub p95: Money,
    /// 95% confidence interval of the 95th percentile (order statistics).
    pub ci95_p95: [Money; 2],
    /// 99th percentile.
    pub p99: Money,
    /// The dearest replication.
    pub max: Money,
}

/// Statistics of a share over the replications.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RateStats {
    /// Mean of the replications' shares.
    pub mean: f64,
    /// Half width of the 95% confidence interval of the mean.
    pub ci95_half_width: f64,
    /// Median replication.
    pub p50: f64,
    /// 95th percentile of the replications.
    pub p95: f64,
}

/// Statistics of a number over the replications.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CountStats {
    /// Mean.
    pub mean: f64,
    /// 5th percentile.
    pub p5: f64,
    /// 95th percentile.
    pub p95: f64,
}

/// Quantiles of a latency in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LatencyStats {
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
}

impl LatencyStats {
    /// P50, P95 and P99; no numbers where nothing was timed.
    pub fn quantiles(timed: Option<Self>) -> [f64; 3] {
        timed.map_or([f64::NAN; 3], |latency| [latency.p50, latency.p95, latency.p99])
    }
}

/// One replication.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RunRow {
    /// Number of the replication.
    pub run: u64,
    /// Its bill.
    pub bill: Money,
    /// Its bill by cause.
    pub by_cause: Causes<Money>,
    /// Client requests.
    pub requests: u64,
    /// Answered well (upstream or cache).
    pub served: u64,
    /// Of those: from the response cache.
    pub cache_hits: u64,
    /// Ended in an error after routing.
    pub failed: u64,
    /// Refused before routing (limits, budgets, unknown model).
    pub rejected: u64,
    /// The client left before the answer was complete.
    pub abandoned: u64,
    /// In a process of the gateway that ended before it answered.
    pub lost: u64,
    /// Still in flight at the end.
    pub in_flight: u64,
    /// Of the requests: sent again by a client whose request before had failed.
    pub client_retries: u64,
    /// Answered by another group than the one asked for.
    pub fallbacks: u64,
    /// Upstream calls.
    pub attempts: u64,
    /// The most upstream calls that a single request took.
    pub most_attempts: u32,
    /// What fallbacks cost above the prices of the groups asked for.
    pub fallback_premium: Money,
    /// What the gateway itself would report.
    pub reported_spend: Money,
    /// Latency of the answered requests.
    pub latency_s: Option<LatencyStats>,
}

impl RunRow {
    /// What clients want: requests without those that are sent again.
    pub const fn intents(&self) -> u64 {
        self.requests - self.client_retries
    }

    /// What clients want and never get. One retry stands for one request that had failed.
    pub const fn unanswered(&self) -> u64 {
        self.requests - self.served - self.client_retries
    }
}

/// One hour of the horizon, over all replications.
#[derive(Debug, Clone, PartialEq)]
pub struct HourRow {
    /// Hours since the start.
    pub hour: u32,
    /// Local time at its begin, e.g. `2026-11-21 18:00`.
    pub label: String,
    /// Client requests in this hour.
    pub requests: Band,
    /// Upstream calls in this hour.
    pub attempts: Band,
    /// Share of requests arriving in this hour that got no good answer.
    pub failure_rate: Band,
    /// Share of requests arriving in this hour that were answered by another group.
    pub fallback_share: Band,
    /// Charged in this hour.
    pub spend: MoneyBand,
    /// Charged since the start, at the end of this hour.
    pub cumulative_spend: MoneyBand,
    /// Mean charged in this hour, by deployment (same order as [`Forecast::deployments`]).
    pub spend_by_deployment: Vec<Money>,
}

/// One deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentRow {
    /// Its id in the gateway.
    pub name: String,
    /// Its group (`model_name`).
    pub group: String,
    /// The upstream model.
    pub model: String,
    /// The provider.
    pub provider: String,
    /// Whether its model has a price.
    pub priced: bool,
    /// Mean cost of one horizon.
    pub bill_mean: Money,
    /// 95th percentile of its cost.
    pub bill_p95: Money,
    /// Mean upstream calls.
    pub attempts: f64,
    /// Mean calls answered well.
    pub served: f64,
    /// Mean calls that ended in an error, by class of error.
    pub errors: ErrorCounts,
    /// Mean input tokens of answered calls.
    pub input_tokens: f64,
    /// Mean output tokens of answered calls.
    pub output_tokens: f64,
    /// Those of both of which nobody knows the price.
    pub unpriced_tokens: f64,
    /// Latency of answered calls.
    pub latency_s: Option<LatencyStats>,
    /// Cooldowns, mean per horizon.
    pub cooldowns: f64,
    /// Mean share of the horizon that it spent in cooldown.
    pub cooldown_share: f64,
    /// Calls a minute.
    pub requests_per_minute: Demand,
    /// Tokens a minute (input and output of calls started in that minute).
    pub tokens_per_minute: Demand,
    /// Calls in flight.
    pub concurrency: Demand,
    /// Upstream limit of calls a minute, if the scenario states one.
    pub rpm_limit: Option<f64>,
    /// Upstream limit of tokens a minute, if the scenario states one.
    pub tpm_limit: Option<f64>,
    /// Limit of calls in flight, if gateway or scenario state one.
    pub concurrency_limit: Option<f64>,
    /// What is billed, meter by meter, without those of nothing; the amounts sum to `bill_mean` exactly.
    pub meters: Vec<MeterRow>,
}

impl DeploymentRow {
    /// Whether its cost is known: its model has a price, or capacity is paid for.
    pub fn has_known_cost(&self) -> bool {
        self.priced || self.bill_mean != Money::ZERO
    }

    /// Mean tokens of answered calls whose cost is known: behind a pattern only some models may have a price.
    pub fn priced_tokens(&self) -> f64 {
        let all = self.input_tokens + self.output_tokens;
        if self.has_known_cost() { (all - self.unpriced_tokens).max(0.0) } else { 0.0 }
    }
}

/// What one meter of a deployment counts and costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeterRow {
    /// What is counted.
    pub kind: TokenKind,
    /// Mean tokens; calls where the charge is for a call, seconds of paid capacity.
    pub quantity: f64,
    /// Mean cost of one horizon.
    pub amount: Money,
}

/// Mean numbers of failed upstream calls by class.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ErrorCounts {
    /// HTTP 429.
    pub rate_limited: f64,
    /// HTTP 5xx and lost connections.
    pub server: f64,
    /// The gateway's patience ran out.
    pub timeout: f64,
    /// HTTP 401 and 403.
    pub auth: f64,
    /// Any other HTTP 4xx.
    pub client: f64,
    /// Closed by the gateway because the client had gone.
    pub cancelled: f64,
}

/// How much of something was asked of a deployment, over all minutes of all runs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Demand {
    /// Median minute.
    pub p50: f64,
    /// 95th percentile of the minutes.
    pub p95: f64,
    /// 99.9th percentile of the minutes.
    pub p999: f64,
    /// The highest minute of all.
    pub peak: f64,
}

/// A part of the traffic and of the bill: a class, a key, a team.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareRow {
    /// Its name.
    pub name: String,
    /// The team that it belongs to, if any.
    pub team: Option<String>,
    /// Mean client requests.
    pub requests: f64,
    /// Mean requests without a good answer.
    pub failed: f64,
    /// Mean cost.
    pub bill_mean: Money,
    /// 95th percentile of its cost.
    pub bill_p95: Money,
    /// Whether its cost is known: not where all of its calls went to models without a price.
    pub priced: bool,
    /// Those without a good answer, by what stood in the way; only keys tell.
    pub why_not: Vec<WhyNotRow>,
}

/// Requests without a good answer that had the same thing in the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WhyNotRow {
    /// What stood in the way.
    pub why: WhyNot,
    /// Mean client requests.
    pub requests: f64,
}

/// One edge of the fallback graph.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeRow {
    /// The group that was asked for.
    pub from: String,
    /// The group that answered.
    pub to: String,
    /// Mean charged answers.
    pub charges: f64,
    /// Their mean cost.
    pub amount: Money,
    /// What that is above the price of the group asked for; `None` where that is not known.
    pub premium: Option<Money>,
}

impl Forecast {
    /// Models without a price that were called.
    pub fn unpriced_models(&self) -> impl Iterator<Item = &str> {
        self.unpriced.iter().filter(|row| row.calls > 0.0).map(|row| row.model.as_str())
    }
}

/// A model without a price.
#[derive(Debug, Clone, PartialEq)]
pub struct UnpricedRow {
    /// The upstream model.
    pub model: String,
    /// Mean calls answered there.
    pub calls: f64,
    /// Mean input tokens.
    pub input_tokens: f64,
    /// Mean output tokens.
    pub output_tokens: f64,
}

/// One replication in detail.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// Number of the replication.
    pub run: u64,
    /// Its bill.
    pub bill: Money,
    /// Minutes of one step.
    pub step_minutes: f64,
    /// Local time at the begin of the timeline.
    pub start: String,
    /// Step by step.
    pub steps: Vec<TimelineStep>,
    /// When the world was out of order.
    pub windows: Vec<Window>,
}

/// One step of a timeline.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TimelineStep {
    /// Client requests that arrived.
    pub requests: u64,
    /// Of those: without a good answer.
    pub failed: u64,
    /// Of those: answered by another group.
    pub fallbacks: u64,
    /// Upstream calls that ended.
    pub attempts: u64,
    /// Dollars charged.
    pub spend: Money,
}

/// A time in which a provider or deployment was out of order.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// What it hit: a provider or a deployment.
    pub target: String,
    /// What it was: `429 burst`, `outage`, `slow` …
    pub kind: Cow<'static, str>,
    /// Hours since the start.
    pub from_hour: f64,
    /// Hours since the start.
    pub to_hour: f64,
}

/// Something that the reader should know first.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Stable id.
    pub code: &'static str,
    /// One sentence.
    pub title: String,
    /// Why, and what could be done.
    pub detail: String,
    /// Mean dollars a horizon at stake, if known.
    pub money: Option<Money>,
}

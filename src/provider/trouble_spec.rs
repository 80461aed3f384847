//! Bursts, incidents and outages as they are written.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::provider::fault::{Effect, Fault};
use crate::provider::providers::{ProviderError, Trouble};
use crate::provider::spec::FaultSpec;
use crate::provider::timeline::{Begin, Between, Renewal, Timeline, Window};
use crate::random::{Calendar, DistSpec, ShapeSpec};
use crate::units::{RetryAfter, Seconds, Share, SimDuration, SimTime};

/// Bursts of errors: a two-state Markov process, exponential times in both states.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BurstSpec {
    /// Mean time from the end of a burst to the start of the next.
    pub every: Seconds,
    /// Mean length of a burst.
    pub lasts: Seconds,
    /// Share of calls that fail during a burst.
    pub share: Share,
    /// Share of calls that fail outside of bursts, for the same reason.
    #[serde(default = "none")]
    pub share_outside: Share,
    /// How they fail; 429 if left out.
    pub fails: Option<FaultSpec>,
    /// Seconds until the error answer.
    pub answer: Option<DistSpec>,
    /// `Retry-After` of the error answers, in seconds.
    pub retry_after: Option<u32>,
    /// Whether a run begins between bursts rather than anywhere in the process.
    #[serde(default)]
    pub begins_quiet: bool,
}

const fn none() -> Share {
    Share(0.0)
}

/// Incidents or slow periods: a renewal process.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentSpec {
    /// Time between incidents, from start to start as status pages give it.
    pub between: DistSpec,
    /// Whether `between` runs from the end of one to the start of the next instead.
    #[serde(default)]
    pub between_from_end: bool,
    /// How long an incident lasts.
    pub lasts: DistSpec,
    /// Share of calls that fail meanwhile.
    #[serde(default = "none")]
    pub share: Share,
    /// How they fail; 503 if left out.
    pub fails: Option<FaultSpec>,
    /// Seconds until the error answer.
    pub answer: Option<DistSpec>,
    /// Factor on the latency of the other calls.
    pub latency_factor: Option<f64>,
    /// When incidents begin more often, by the clock of UTC.
    pub rhythm: Option<ShapeSpec>,
}

/// An outage at a known time.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutageSpec {
    /// When it begins, after the start of the run.
    pub at: Seconds,
    /// How long it lasts.
    pub lasts: Seconds,
    /// Share of calls that fail; all if left out.
    pub share: Option<Share>,
    /// How they fail; 503 if left out.
    pub fails: Option<FaultSpec>,
    /// Seconds until the error answer.
    pub answer: Option<DistSpec>,
    /// Factor on the latency of the other calls.
    pub latency_factor: Option<f64>,
    /// `Retry-After` of the error answers, in seconds.
    pub retry_after: Option<u32>,
}

fn fault(spec: Option<FaultSpec>, usual: u16) -> Fault {
    spec.map_or(Fault::Status(usual), |spec| spec.0)
}

fn advice(seconds: Option<u32>) -> RetryAfter {
    seconds.map_or(RetryAfter::None, |seconds| RetryAfter::Seconds(seconds.into()))
}

impl BurstSpec {
    pub(super) fn compile(&self, address: u64) -> Result<Trouble, ProviderError> {
        let begin = if self.begins_quiet { Begin::Quiet } else { Begin::Stationary };
        let effect = Effect {
            share_outside: self.share_outside.0,
            after_s: self.answer.as_ref().map(DistSpec::compile).transpose()?,
            retry_after: advice(self.retry_after),
            ..Effect::failing(fault(self.fails, 429), self.share.0)
        };
        Ok(Trouble { address, timeline: Timeline::markov(self.every.0, self.lasts.0, begin)?, effect })
    }
}

impl IncidentSpec {
    pub(super) fn compile(&self, address: u64, calendar: &Calendar) -> Result<Trouble, ProviderError> {
        let rhythm = self.rhythm.as_ref().map(|spec| Arc::new(spec.0.intensity(1.0, &calendar.in_utc()).then(1.0)));
        let renewal = Renewal {
            quiet_s: self.between.compile()?,
            active_s: self.lasts.compile()?,
            between: if self.between_from_end { Between::EndAndStart } else { Between::Starts },
            begin: Begin::Stationary,
            rhythm,
        };
        let effect = Effect {
            after_s: self.answer.as_ref().map(DistSpec::compile).transpose()?,
            latency_factor: self.latency_factor.unwrap_or(1.0),
            ..Effect::failing(fault(self.fails, 503), self.share.0)
        };
        Ok(Trouble { address, timeline: Timeline::Renewal(renewal), effect })
    }
}

impl OutageSpec {
    pub(super) fn compile(&self, address: u64) -> Result<Trouble, ProviderError> {
        let start = SimTime::from_secs_f64(self.at.0);
        let window = Window { start, end: start + SimDuration::from_secs_f64(self.lasts.0) };
        let effect = Effect {
            after_s: self.answer.as_ref().map(DistSpec::compile).transpose()?,
            latency_factor: self.latency_factor.unwrap_or(1.0),
            retry_after: advice(self.retry_after),
            ..Effect::failing(fault(self.fails, 503), self.share.map_or(1.0, |share| share.0))
        };
        Ok(Trouble { address, timeline: Timeline::Scheduled(vec![window]), effect })
    }
}

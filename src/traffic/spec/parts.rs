//! The parts that a traffic model is made of, as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::random::DistSpec;
use crate::units::{PerSecond, Seconds, Share};

/// Where a number comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Who published it, or what it was fitted to.
    pub source: String,
    /// The date for which it holds: YYYY-MM-DD.
    pub as_of: String,
}

/// A class that is busy and quiet by turns.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnOffSpec {
    /// Mean length of busy times.
    pub busy: Seconds,
    /// Mean length of quiet times.
    pub quiet: Seconds,
    /// Rate when quiet, relative to when busy.
    #[serde(default = "nothing")]
    pub quiet_rate: Share,
}

const fn nothing() -> Share {
    Share(0.0)
}

/// A time at which more comes than usual: a launch, a runaway loop.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spike {
    /// When it begins, after the start of the run.
    pub at: Seconds,
    /// How long it lasts.
    pub lasts: Seconds,
    /// What comes on top of the usual.
    pub extra: PerSecond,
}

/// Users in a loop.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkersSpec {
    /// How many.
    pub count: u32,
    /// Seconds between an answer and the next request.
    pub think: DistSpec,
    /// When they start.
    #[serde(default = "at_once")]
    pub start: Seconds,
    /// Time over which they start.
    #[serde(default = "at_once")]
    pub ramp: Seconds,
    /// How long they go on; to the end of the run if left out.
    pub lasts: Option<Seconds>,
}

const fn at_once() -> Seconds {
    Seconds(0.0)
}

/// Conversations whose context grows.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionSpec {
    /// Turns of a session.
    pub turns: DistSpec,
    /// Seconds between an answer and the next turn.
    pub think: DistSpec,
    /// New input tokens of each later turn.
    pub follow_up: DistSpec,
}

/// Repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepeatsSpec {
    /// Share of requests that repeat an earlier one.
    pub share: Share,
    /// How old the repeated one may be.
    pub within: Seconds,
    /// Of this many candidates the longest is repeated.
    #[serde(default = "one")]
    pub longest_of: u32,
}

const fn one() -> u32 {
    1
}

/// Clients that give up after some time.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeavesSpec {
    /// Share of the clients.
    pub share: Share,
    /// Seconds until they leave.
    pub after: DistSpec,
}

/// Streaming clients that stop reading.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopsSpec {
    /// Share of the streaming clients.
    pub share: Share,
    /// Streamed pieces until they stop.
    pub after_chunks: DistSpec,
}

/// Requests that bring others along.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExcitesSpec {
    /// Further requests that one brings along on average, below 1: with 60% a quarter of a cluster comes by itself.
    pub share: Share,
    /// Mean time until they come.
    pub within: Seconds,
}

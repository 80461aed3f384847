//! The parts that a traffic model is made of, as they are written.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::random::DistSpec;
use crate::traffic::again::Retries;
use crate::traffic::spec::lower::span;
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

/// How the SDK of the clients sends failed requests again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetriesSpec {
    /// Most further requests (`max_retries`).
    pub most: u32,
    /// Pause before the first of them; doubles from one to the next.
    pub first: Seconds,
    /// Longest pause.
    pub longest: Seconds,
    /// Longest `Retry-After` that is obeyed.
    pub obeys: Seconds,
}

impl RetriesSpec {
    /// So many retries, with the pauses of the OpenAI and Anthropic SDKs.
    const fn of_sdk(most: u32) -> Self {
        Self { most, first: Seconds(0.5), longest: Seconds(8.0), obeys: Seconds(120.0) }
    }

    pub(super) fn compile(self) -> Retries {
        let [first, longest, obeys] = [self.first, self.longest, self.obeys].map(span);
        Retries { most: self.most, first, longest, obeys }
    }
}

/// The long form.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RetriesMap {
    /// Most further requests (`max_retries`).
    most: u32,
    /// Pause before the first of them; doubles from one to the next; 0.5 s if left out.
    first: Option<Seconds>,
    /// Longest pause; 8 s if left out.
    longest: Option<Seconds>,
    /// Longest `Retry-After` that is obeyed; a later one ends the tries; 2 minutes if left out.
    obeys: Option<Seconds>,
}

impl<'de> Deserialize<'de> for RetriesSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = RetriesSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of retries, or a map: `{most: 2, first: 500ms, longest: 8s}`")
            }

            fn visit_u64<E: serde::de::Error>(self, most: u64) -> Result<RetriesSpec, E> {
                let refused = |_| E::custom(format!("{most} retries are too many; at most 255"));
                u32::try_from(most).map(RetriesSpec::of_sdk).map_err(refused)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RetriesSpec, A::Error> {
                let written = RetriesMap::deserialize(MapAccessDeserializer::new(map))?;
                let sdk = RetriesSpec::of_sdk(written.most);
                Ok(RetriesSpec {
                    most: written.most,
                    first: written.first.unwrap_or(sdk.first),
                    longest: written.longest.unwrap_or(sdk.longest),
                    obeys: written.obeys.unwrap_or(sdk.obeys),
                })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for RetriesSpec {
    fn schema_name() -> Cow<'static, str> {
        "Retries".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let map = RetriesMap::json_schema(generator);
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 255 }, map] })
    }
}

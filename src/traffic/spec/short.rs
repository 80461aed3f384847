//! Parts of a traffic model that have a short form: a number in place of a map.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::traffic::again::Retries;
use crate::traffic::crowd::Crowd;
use crate::traffic::spec::lower::span;
use crate::units::Seconds;

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

/// Spread of clients where nothing is said: ServeGen's pools have log standard deviations of 2.1 to 2.7 (10 clients of
/// 162 send 63% of the requests of m-large).
const CLIENT_SIGMA: f64 = 2.1;

/// How many clients share the rate of a class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClientsSpec {
    /// How many.
    pub count: u32,
    /// Standard deviation of the logarithm of their rates.
    pub sigma: f64,
}

/// The long form.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClientsMap {
    /// How many.
    count: u32,
    /// Standard deviation of the logarithm of their rates; 2.1 if left out, 0 makes all alike.
    sigma: Option<f64>,
}

impl ClientsSpec {
    pub(super) const fn compile(self) -> Crowd {
        Crowd { count: self.count, sigma: self.sigma }
    }
}

impl<'de> Deserialize<'de> for ClientsSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = ClientsSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of clients, or a map: `{count: 200, sigma: 2.1}`")
            }

            fn visit_u64<E: serde::de::Error>(self, count: u64) -> Result<ClientsSpec, E> {
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                Ok(ClientsSpec { count, sigma: CLIENT_SIGMA })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ClientsSpec, A::Error> {
                let written = ClientsMap::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ClientsSpec { count: written.count, sigma: written.sigma.unwrap_or(CLIENT_SIGMA) })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for ClientsSpec {
    fn schema_name() -> Cow<'static, str> {
        "Clients".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let map = ClientsMap::json_schema(generator);
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 1, "maximum": 10_000 }, map] })
    }
}

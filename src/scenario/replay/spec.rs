//! `replay` of a traffic class as it is written.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::scenario::named::Named;
use crate::units::{Seconds, SimDuration};

/// A recorded trace in place of a rate: a file, or a map.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplaySpec(pub ReplayMap);

/// The long form.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayMap {
    /// The trace: CSV, JSON lines or a JSON array, perhaps compressed with gzip; relative to this file.
    pub file: String,
    /// Its format; told by its columns if left out: litellm, azure, burstgpt, ragpulse, mooncake or plain.
    pub format: Option<String>,
    /// Requests for each row, on average: 0.1 plays a tenth of the rows, 3 plays each three times; 1 if left out.
    pub scale: Option<f64>,
    /// Whether the trace begins again after its end, or the time after which it does.
    #[serde(rename = "loop")]
    pub looped: Option<Loop>,
    /// Moves all rows to later (`6h`), or to earlier (`-6h`: what comes before the start of the run is left out).
    pub shift: Option<Shift>,
    /// The gateway's name for each model name of the trace that is another there: `{ GPT-4: gpt-4o }`.
    #[serde(default)]
    pub models: Named<String>,
}

/// Whether and when a trace begins again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loop {
    /// It does not, or does at its end.
    AtItsEnd(bool),
    /// After this long.
    After(Seconds),
}

/// A span of time that may be negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift(pub SimDuration);

impl ReplaySpec {
    /// The long form of a file name.
    fn of_file(file: String) -> Self {
        Self(ReplayMap { file, ..ReplayMap::default() })
    }
}

impl<'de> Deserialize<'de> for ReplaySpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = ReplaySpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a trace, or a map: `{file: trace.csv.gz, scale: 0.5}`")
            }

            fn visit_str<E: Error>(self, file: &str) -> Result<ReplaySpec, E> {
                Ok(ReplaySpec::of_file(file.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ReplaySpec, A::Error> {
                ReplayMap::deserialize(MapAccessDeserializer::new(map)).map(ReplaySpec)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl<'de> Deserialize<'de> for Loop {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Loop;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, or a time such as 1w")
            }

            fn visit_bool<E: Error>(self, does: bool) -> Result<Loop, E> {
                Ok(Loop::AtItsEnd(does))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Loop, E> {
                text.parse().map(Loop::After).map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, seconds: u64) -> Result<Loop, E> {
                Seconds::new(seconds as f64).map(Loop::After).map_err(E::custom)
            }

            fn visit_f64<E: Error>(self, seconds: f64) -> Result<Loop, E> {
                Seconds::new(seconds).map(Loop::After).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl<'de> Deserialize<'de> for Shift {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Shift;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as 6h or -6h")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Shift, E> {
                let (sign, span) = match text.trim().strip_prefix('-') {
                    Some(rest) => (-1, rest),
                    None => (1, text),
                };
                let span = span.parse::<Seconds>().map_err(E::custom)?;
                Ok(Shift(SimDuration(sign * SimDuration::from_secs_f64(span.0).0)))
            }

            fn visit_i64<E: Error>(self, seconds: i64) -> Result<Shift, E> {
                self.visit_f64(seconds as f64)
            }

            fn visit_u64<E: Error>(self, seconds: u64) -> Result<Shift, E> {
                self.visit_f64(seconds as f64)
            }

            fn visit_f64<E: Error>(self, seconds: f64) -> Result<Shift, E> {
                Seconds::new(seconds.abs()).map_err(E::custom)?;
                let span = SimDuration::from_secs_f64(seconds.abs());
                Ok(Shift(if seconds < 0.0 { SimDuration(-span.0) } else { span }))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for ReplaySpec {
    fn schema_name() -> Cow<'static, str> {
        "Replay".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let map = ReplayMap::json_schema(generator);
        json_schema!({ "anyOf": [{ "type": "string", "description": "A trace: CSV, JSON lines or a JSON array" }, map] })
    }
}

impl JsonSchema for Loop {
    fn schema_name() -> Cow<'static, str> {
        "Loop".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["boolean", "number", "string"] })
    }
}

impl JsonSchema for Shift {
    fn schema_name() -> Cow<'static, str> {
        "Shift".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["number", "string"], "description": "A time such as 6h or -6h" })
    }
}

//! `embeds` of a traffic class: the embedding call that retrieval or a semantic cache adds to each request.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::diagnostic::codes;
use crate::gateway::litellm::plan::Plan;
use crate::random::{Dist, DistSpec};
use crate::scenario::classes::{keys, known_model};
use crate::scenario::file::TrafficEntry;
use crate::scenario::problem::Problem;
use crate::scenario::reading::Reading;
use crate::traffic::{Arrivals, Class};
use crate::units::ClassId;

/// The embedding call of each request: a model name, or a map.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbedsSpec {
    /// The gateway's name of the embedding model.
    pub model: String,
    /// Tokens that are embedded (the question); those of the whole prompt if there is nothing.
    pub input: Option<DistSpec>,
}

/// The long form.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EmbedsMap {
    /// The gateway's name of the embedding model.
    model: String,
    /// Tokens that are embedded (the question); those of the whole prompt if left out.
    input: Option<DistSpec>,
}

impl<'de> Deserialize<'de> for EmbedsSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = EmbedsSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of an embedding model, or a map: `{model: embed, input: 40}`")
            }

            fn visit_str<E: Error>(self, model: &str) -> Result<EmbedsSpec, E> {
                Ok(EmbedsSpec { model: model.to_owned(), input: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EmbedsSpec, A::Error> {
                let EmbedsMap { model, input } = EmbedsMap::deserialize(MapAccessDeserializer::new(map))?;
                Ok(EmbedsSpec { model, input })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for EmbedsSpec {
    fn schema_name() -> Cow<'static, str> {
        "Embeds".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let map = EmbedsMap::json_schema(generator);
        json_schema!({ "anyOf": [{ "type": "string", "description": "The name of an embedding model" }, map] })
    }
}

/// What the class of the embedding calls of a class is called.
pub fn class_name(class: &str) -> String {
    format!("{class}.embedding")
}

/// Adds a class for the embedding calls of each class that makes some; behind all others, in their order.
pub fn add(reading: &Reading, plan: &Plan, classes: &mut Vec<Class>) -> Result<(), Problem> {
    for (index, (name, entry)) in reading.file.traffic.iter().enumerate() {
        let Some(spec) = &entry.own.embeds else { continue };
        let embedding = class(reading, name, (entry, spec), plan, &classes[index])?;
        classes[index].embeds = Some(ClassId::from_index(classes.len()));
        classes.push(embedding);
    }
    Ok(())
}

fn class(
    reading: &Reading,
    name: &str,
    (entry, spec): (&TrafficEntry, &EmbedsSpec),
    plan: &Plan,
    of: &Class,
) -> Result<Class, Problem> {
    let path = ["traffic", name, "embeds"];
    let model = known_model(reading, &path, plan, &spec.model)?;
    let compiled = spec.input.as_ref().map_or_else(|| Dist::constant(1.0), DistSpec::compile);
    let input = compiled
        .map_err(|error| reading.error(codes::SCENARIO_VALUE, &path, format!("traffic.{name}.embeds: {error}"), ""))?;
    let keys = keys(reading, name, entry)?;
    let arrivals = Arrivals::Beside { same_input: spec.input.is_none() };
    let class = Class::new(arrivals, model, keys[0].0, input, None);
    Ok(Class { keys, retries: of.retries, timeout: of.timeout, chars_per_token: of.chars_per_token, ..class })
}

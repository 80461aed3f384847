//! When a model is gone at its provider, as it is written: a time after the start, or never.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Error, Visitor};

use crate::units::{Seconds, SimTime};

/// From when on a model is gone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ending {
    /// It goes on answering, whatever the price table knows.
    Never,
    /// This long after the start.
    After(Seconds),
}

const NEVER: &str = "never";
const EXPECTED: &str = "a time after the start such as 18h, or `never`";

impl Ending {
    /// The first moment at which the model is gone.
    pub fn moment(self) -> SimTime {
        match self {
            Self::Never => SimTime::NEVER,
            Self::After(seconds) => SimTime::from_secs_f64(seconds.0),
        }
    }
}

impl<'de> Deserialize<'de> for Ending {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = Ending;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Ending, E> {
        match text.trim() {
            NEVER => Ok(Ending::Never),
            other => other.parse().map(Ending::After).map_err(|_| E::custom(format!("`{other}` is not {EXPECTED}"))),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Ending, E> {
        Seconds::new(number).map(Ending::After).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Ending, E> {
        self.visit_f64(number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Ending, E> {
        self.visit_f64(number as f64)
    }
}

impl JsonSchema for Ending {
    fn schema_name() -> Cow<'static, str> {
        "Ending".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let after = generator.subschema_for::<Seconds>();
        json_schema!({ "description": EXPECTED, "anyOf": [{ "const": NEVER }, after] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_a_time_or_never() {
        let read = |text: &str| serde_json::from_str::<Ending>(text);
        assert_eq!(read("\"never\"").unwrap().moment(), SimTime::NEVER);
        assert_eq!(read("\"18h\"").unwrap().moment(), SimTime::from_secs_f64(18.0 * 3600.0));
        assert_eq!(read("0").unwrap().moment(), SimTime::ZERO);
        for wrong in ["\"soon\"", "-1", "true"] {
            assert!(read(wrong).unwrap_err().to_string().len() > 10, "{wrong}");
        }
    }
}

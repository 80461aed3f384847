//! Published figures: a number or a range.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use crate::units::{Share, parse_scaled};

/// What a figure is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// US dollars.
    Usd,
    /// A share between 0 and 1, shown in percent.
    Share,
    /// How many.
    Count,
    /// Seconds.
    Seconds,
    /// How many each second.
    PerSecond,
    /// How many times another figure.
    Factor,
}

/// A number, or a range of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// The number, or the lower end.
    pub low: f64,
    /// The number again, or the upper end.
    pub high: f64,
}

impl Figure {
    /// Whether a number lies within the range, or outside by at most this share of its nearer end.
    pub fn is_near(self, number: f64, tolerance: f64) -> bool {
        let (below, above) = (self.low - tolerance * self.low.abs(), self.high + tolerance * self.high.abs());
        (below..=above).contains(&number)
    }

    /// Whether it is a single number.
    pub fn is_number(self) -> bool {
        self.low == self.high
    }

    /// The end of the range that is nearer to a number.
    pub fn nearest(self, number: f64) -> f64 {
        number.clamp(self.low, self.high)
    }
}

const FORMS: &str = "a number, a percentage, or a range such as [10, 190]";

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Figure;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FORMS)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Figure, E> {
        if number.is_finite() {
            Ok(Figure { low: number, high: number })
        } else {
            Err(E::custom(format!("`{number}` is not a figure; expected {FORMS}")))
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Figure, E> {
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Figure, E> {
        self.visit_f64(number as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Figure, E> {
        let number = match text.contains('%') {
            true => text.parse().map(|share: Share| share.0),
            false => parse_scaled(text),
        };
        self.visit_f64(number.map_err(|_| E::custom(format!("`{text}` is not a figure; expected {FORMS}")))?)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Figure, A::Error> {
        let ends: (Option<Figure>, Option<Figure>) = (list.next_element()?, list.next_element()?);
        let more = list.next_element::<Figure>()?.is_some();
        match ends {
            (Some(low), Some(high)) if !more && low.is_number() && high.is_number() && low.low <= high.low => {
                Ok(Figure { low: low.low, high: high.low })
            }
            _ => Err(A::Error::custom(format!("expected {FORMS}, the lower end first"))),
        }
    }
}

impl JsonSchema for Figure {
    fn schema_name() -> Cow<'static, str> {
        "Figure".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": FORMS,
            "oneOf": [
                { "type": "number" },
                { "type": "string" },
                { "type": "array", "items": { "type": ["number", "string"] }, "minItems": 2, "maxItems": 2 },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ranges_are_read() {
        let read = |text: &str| serde_saphyr::from_str::<Figure>(text);
        assert_eq!(read("847").unwrap(), Figure { low: 847.0, high: 847.0 });
        assert_eq!(read("34%").unwrap().low, 0.34);
        assert_eq!(read("24k").unwrap().low, 24_000.0);
        assert_eq!(read("[10, 190]").unwrap(), Figure { low: 10.0, high: 190.0 });
        for text in ["[190, 10]", "[1]", "[1, 2, 3]", "[[1, 2], 3]", "many", ".nan", "[1, .inf]", "{a: 1}"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nearness_is_measured_from_the_nearer_end() {
        let range = Figure { low: 10.0, high: 190.0 };
        assert!(range.is_near(100.0, 0.0) && range.is_near(9.5, 0.05) && !range.is_near(9.4, 0.05));
        assert!((range.nearest(3.0), range.nearest(50.0), range.nearest(500.0)) == (10.0, 50.0, 190.0));
        let zero = Figure { low: 0.0, high: 0.0 };
        assert!(zero.is_near(0.0, 0.05) && !zero.is_near(0.1, 0.05));
    }
}

//! Shapes and gaps as people write them: `sine(amplitude=0.6, peak=14h)`, `gamma(cv=2.2)`.

use std::fmt;
use std::str::FromStr;

use crate::random::calendar::Shape;
use crate::random::dist::{Dist, DistError};
use crate::random::law::Law;
use crate::units::parse_scaled;

/// The shape of a week as written: `flat`, `sine(amplitude=0.6, peak=14h)`, or a list of 24 hourly weights, 48 (a
/// weekday, then a day of the weekend) or 168 (a week from Monday 00:00).
#[derive(Debug, Clone, PartialEq)]
pub struct ShapeSpec(pub Shape);

/// The gaps between arrivals as written: `poisson`, `gamma(cv=2.2)` or `weibull(shape=0.33)`, relative to their mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GapsSpec {
    /// Independent arrivals.
    Poisson,
    /// Gamma gaps with this coefficient of variation; 1 is Poisson.
    Gamma(f64),
    /// Weibull gaps of this shape; 1 is Poisson, below it arrivals bunch.
    Weibull(f64),
}

impl GapsSpec {
    /// Gaps with mean 1.
    ///
    /// # Errors
    /// [`DistError`] when the parameter is out of range.
    pub fn compile(self) -> Result<Dist, DistError> {
        match self {
            Self::Poisson => Ok(Dist::unit_exponential()),
            Self::Gamma(cv) => Dist::new(Law::Gamma { shape: 1.0 / (cv * cv), scale: cv * cv }),
            Self::Weibull(shape) => Dist::new(Law::Weibull { shape, scale: 1.0 / libm::tgamma(1.0 + 1.0 / shape) }),
        }
    }
}

/// Numbers by name, in the order written.
type Numbers<'a> = Vec<(&'a str, f64)>;

/// A name with named numbers, `sine(amplitude=0.6, peak=14h)`, or a name alone.
fn parse_named(text: &str) -> Result<(&str, Numbers<'_>), String> {
    let text = text.trim();
    let Some((name, rest)) = text.split_once('(') else { return Ok((text, Vec::new())) };
    let inner = rest.strip_suffix(')').ok_or_else(|| format!("`{text}` has no closing parenthesis"))?;
    let mut numbers = Vec::new();
    for part in inner.split(',') {
        let needs_name = || format!("`{}` needs a name, as in peak=14h", part.trim());
        let (key, value) = part.split_once('=').ok_or_else(needs_name)?;
        numbers.push((key.trim(), parse_scaled(value).map_err(|e| e.to_string())?));
    }
    Ok((name.trim(), numbers))
}

const SHAPES: &str = "flat, sine(amplitude=0.6, peak=14h), or a list of 24, 48 or 168 hourly weights";
const GAPS: &str = "poisson, gamma(cv=2.2) or weibull(shape=0.33)";

impl FromStr for ShapeSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, numbers) = parse_named(text)?;
        match (name, numbers.as_slice()) {
            ("flat", []) => Ok(Self(Shape::Flat)),
            ("sine", [("amplitude", amplitude), ("peak", peak)] | [("peak", peak), ("amplitude", amplitude)]) => {
                Shape::sine(*amplitude, *peak).map(Self).map_err(|e| e.to_string())
            }
            _ => Err(format!("`{text}` is not a shape; expected {SHAPES}")),
        }
    }
}

impl FromStr for GapsSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, numbers) = parse_named(text)?;
        let gaps = match (name, numbers.as_slice()) {
            ("poisson", []) => Self::Poisson,
            ("gamma", [("cv", cv)]) if *cv > 0.0 => Self::Gamma(*cv),
            ("weibull", [("shape", shape)]) => Self::Weibull(*shape),
            _ => return Err(format!("`{text}` is not a kind of gaps; expected {GAPS}")),
        };
        gaps.compile().map_err(|e| e.to_string())?;
        Ok(gaps)
    }
}

struct ShapeReader;

impl<'de> serde::de::Visitor<'de> for ShapeReader {
    type Value = ShapeSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHAPES)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ShapeSpec, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<ShapeSpec, A::Error> {
        const MOST: usize = 169;
        let mut weights = Vec::new();
        while let Some(weight) = list.next_element::<f64>()? {
            // One more than a week is wrong already; an endless list must not be kept.
            if weights.len() < MOST {
                weights.push(weight);
            }
        }
        Shape::from_weights(&weights).map(ShapeSpec).map_err(serde::de::Error::custom)
    }
}

impl<'de> serde::Deserialize<'de> for ShapeSpec {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeReader)
    }
}

impl<'de> serde::Deserialize<'de> for GapsSpec {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for ShapeSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Shape".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": SHAPES,
            "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "number", "minimum": 0 } }]
        })
    }
}

impl schemars::JsonSchema for GapsSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Gaps".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": GAPS })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_and_gaps_are_read() {
        assert_eq!("flat".parse(), Ok(ShapeSpec(Shape::Flat)));
        let sine = ShapeSpec(Shape::Sine { amplitude: 0.6, peak_s: 50_400.0 });
        assert_eq!("sine(amplitude=0.6, peak=14h)".parse(), Ok(sine));
        let list = serde_json::from_str::<ShapeSpec>(&format!("{:?}", [1.0; 24])).unwrap();
        assert_eq!(list.0, Shape::from_weights(&[1.0; 168]).unwrap());
        assert_eq!("gamma(cv=2.2)".parse(), Ok(GapsSpec::Gamma(2.2)));
        for gaps in ["poisson", "gamma(cv=2.2)", "weibull(shape=0.42)"] {
            let mean = gaps.parse::<GapsSpec>().unwrap().compile().unwrap().mean();
            assert!((mean - 1.0).abs() < 1e-3, "{gaps}: {mean}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "sine", "sine(amplitude=2, peak=1h)", "sine(0.6, 14h)", "flat(1=2)", "sine(amplitude=0.6"] {
            assert!(text.parse::<ShapeSpec>().is_err(), "{text}");
        }
        for text in ["gamma", "gamma(cv=0)", "gamma(cv=-1)", "weibull(shape=1e9)", "burst"] {
            assert!(text.parse::<GapsSpec>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<ShapeSpec>("[1, 2]").unwrap_err().to_string().contains("2 hourly weights"));
    }
}

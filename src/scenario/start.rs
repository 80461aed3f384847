//! When a horizon begins: local date, time and zone.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::Zoned;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// A local date and time in a zone: `2026-11-20 18:00 Europe/Berlin`; without a zone it is UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// The moment.
    pub at: Zoned,
    /// Whether the zone was written.
    pub zone_is_written: bool,
    /// What the change of the clocks made of the time that was written; none on all other days.
    pub change: Option<&'static str>,
}

const EXPECTED: &str = "a date, perhaps with a time and a zone, such as `2026-11-20 18:00 Europe/Berlin`";

impl Start {
    /// The moment in the form that [`Start`] is read from.
    pub fn as_written(&self) -> String {
        let local = self.at.strftime("%Y-%m-%d %H:%M:%S");
        format!("{local} {}", self.at.time_zone().iana_name().unwrap_or("UTC"))
    }
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let is_zone = |word: &str| word.starts_with(|c: char| c.is_ascii_alphabetic());
        let (local, zone) = match text.rsplit_once(' ') {
            Some((local, zone)) if is_zone(zone) => (local.trim(), Some(zone)),
            _ => (text, None),
        };
        let local: DateTime = local.parse().map_err(|_| format!("`{text}` is not {EXPECTED}"))?;
        let time_zone = TimeZone::get(zone.unwrap_or("UTC")).map_err(|_| {
            format!("`{}` is not a time zone such as `Europe/Berlin` or `UTC`", zone.unwrap_or_default())
        })?;
        let at = time_zone.to_ambiguous_zoned(local);
        let change = match at.offset() {
            AmbiguousOffset::Unambiguous { .. } => None,
            AmbiguousOffset::Gap { .. } => Some("the clocks skip the time that is written: as much later"),
            AmbiguousOffset::Fold { .. } => Some("the clocks show the time that is written twice: the first of them"),
        };
        let at = at.compatible().map_err(|_| format!("`{text}` is outside the calendar"))?;
        Ok(Self { at, zone_is_written: zone.is_some(), change })
    }
}

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Start {
    fn schema_name() -> Cow<'static, str> {
        "Start".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?( [A-Za-z].*)?$",
            "description": format!("When the horizon begins: {EXPECTED}"),
        })
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_is_optional_and_daylight_saving_counts() {
        let berlin: Start = "2026-11-20 18:00 Europe/Berlin".parse().unwrap();
        assert_eq!(berlin.to_string(), "2026-11-20T18:00:00+01:00[Europe/Berlin]");
        let summer: Start = "2026-07-01 18:00 Europe/Berlin".parse().unwrap();
        assert_eq!(summer.at.offset().seconds(), 7200);
        assert_eq!(berlin.as_written().parse(), Ok(berlin.clone()));
        assert_eq!((berlin.change, summer.change), (None, None));
        let gap: Start = "2026-03-29 02:30 Europe/Berlin".parse().unwrap();
        assert_eq!(gap.to_string(), "2026-03-29T03:30:00+02:00[Europe/Berlin]");
        assert!(gap.change.is_some_and(|change| change.contains("skip")));
        let fold: Start = "2026-10-25 02:30 Europe/Berlin".parse().unwrap();
        assert_eq!(fold.at.offset().seconds(), 7200);
        assert!(fold.change.is_some_and(|change| change.contains("twice")));
        let day: Start = "2026-11-20".parse().unwrap();
        assert!(!day.zone_is_written && day.at.hour() == 0);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "tomorrow", "2026-13-01", "2026-11-20 25:00", "2026-11-20 18:00 Europe/Atlantis"] {
            assert!(text.parse::<Start>().is_err(), "{text}");
        }
    }
}

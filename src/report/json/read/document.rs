//! The text of a `forecast.json` taken apart: its runs are read one at a time, for there may be a million of them and a
//! tree takes ten times as much memory as its text.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Place, ReadError, Result, run};
use crate::experiment::RunRow;

/// Values beside the runs: as a tree they take a gigabyte. A year of hours with a thousand
/// deployments has nine million.
const MOST_VALUES: usize = 10_000_000;

/// Bytes of one run; it has some seven hundred.
const LONGEST_RUN: usize = 1 << 16;

/// What a text holds: everything but the runs, and the runs.
pub(super) fn parts(bytes: &[u8]) -> Result<(Value, Vec<RunRow>)> {
    let document = Document { problem: RefCell::default() };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let parts = document.deserialize(&mut reader).and_then(|parts| reader.end().map(|()| parts));
    let is_object = bytes.trim_ascii_start().starts_with(b"{");
    parts.map_err(|error| match document.problem.take() {
        Some(problem) => problem,
        // In an object only its runs are asked to be anything.
        None if error.is_data() && is_object => ReadError::Field("run_results".to_owned(), "a list"),
        None if error.is_data() => ReadError::Schema("missing".to_owned()),
        None => ReadError::Syntax(error.to_string()),
    })
}

/// Reads a document.
struct Document {
    /// What is wrong with it, in our own words.
    problem: RefCell<Option<ReadError>>,
}

impl Document {
    /// Ends the reading.
    fn fail<E: Error>(&self, problem: ReadError) -> E {
        self.problem.replace(Some(problem));
        E::custom("")
    }

    /// A part of the text as a tree.
    fn value<E: Error>(&self, text: &RawValue) -> std::result::Result<Value, E> {
        serde_json::from_str(text.get()).map_err(|error| self.fail(ReadError::Syntax(error.to_string())))
    }
}

impl<'de> DeserializeSeed<'de> for &Document {
    type Value = (Value, Vec<RunRow>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &Document {
    type Value = (Value, Vec<RunRow>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a forecast")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let (mut rest, mut runs, mut left) = (Map::new(), Vec::new(), MOST_VALUES);
        while let Some(key) = map.next_key::<String>()? {
            if key == "run_results" {
                runs = map.next_value_seed(Runs(self))?;
                continue;
            }
            let text: &RawValue = map.next_value()?;
            left = left.checked_sub(weight(text.get())).ok_or_else(|| self.fail(ReadError::TooMany(MOST_VALUES)))?;
            rest.insert(key, self.value(text)?);
        }
        Ok((Value::Object(rest), runs))
    }
}

/// About how many values a text holds. An object takes as much memory as three others.
fn weight(text: &str) -> usize {
    let of = |byte| match byte {
        b'{' => 3,
        b',' | b'[' => 1,
        _ => 0,
    };
    text.bytes().map(of).sum()
}

/// Reads the runs of a document.
struct Runs<'a>(&'a Document);

impl<'de> DeserializeSeed<'de> for Runs<'_> {
    type Value = Vec<RunRow>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Runs<'_> {
    type Value = Vec<RunRow>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of runs")
    }

    /// Nothing, as in files of earlier versions.
    fn visit_unit<E: Error>(self) -> std::result::Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Self::Value, A::Error> {
        let mut runs = Vec::new();
        while let Some(text) = items.next_element::<&RawValue>()? {
            let path = format!("run_results[{}]", runs.len());
            if text.get().len() > LONGEST_RUN {
                return Err(self.0.fail(ReadError::Field(path, "a run")));
            }
            let value = self.0.value(text)?;
            runs.push(run(&Place { value: &value, path }).map_err(|problem| self.0.fail(problem))?);
        }
        Ok(runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        parts(text.as_bytes()).expect_err("no forecast").to_string()
    }

    #[test]
    fn what_is_no_forecast_is_told() {
        for (text, expected) in [
            ("[1, 2]", "its schema is missing"),
            ("5", "its schema is missing"),
            ("{\"a\": [}", "no JSON"),
            ("{} {}", "no JSON"),
            ("{\"run_results\": 5}", "`run_results` is not a list"),
            ("{\"run_results\": \"x\"}", "`run_results` is not a list"),
            ("{\"run_results\": {}}", "`run_results` is not a list"),
            ("{\"run_results\": true}", "`run_results` is not a list"),
            ("{\"run_results\": [1]}", "`run_results[0].run` is not a whole number"),
        ] {
            assert!(problem(text).contains(expected), "{text}: {}", problem(text));
        }
        assert!(
            parts(b"{\"run_results\": null, \"a\": 1.50}")
                .is_ok_and(|(rest, runs)| { runs.is_empty() && rest["a"].as_f64() == Some(1.5) })
        );
    }

    #[test]
    fn a_charge_may_be_for_more_tokens_than_a_run_has_requests() {
        let value = serde_json::json!({
            "day": "2026-11-21", "deployment": 0, "key": 0, "cause": "retry", "kind": "input", "quantity": 40_000_000_000_000u64,
            "amount": "100000000.00",
        });
        let read = super::super::charge(&Place { value: &value, path: String::new() });
        assert_eq!(read.map(|charge| charge.quantity), Ok(40_000_000_000_000));
    }

    #[test]
    fn more_than_anybody_writes_is_refused_before_it_takes_memory() {
        let long = |key: &str, item: &str, count| format!("{{\"{key}\": [{}0]}}", item.repeat(count));
        assert!(problem(&long("days", "0,", MOST_VALUES)).contains("more than 10000000 values"));
        let run = format!("{{\"run_results\": [[{}0]]}}", "0,".repeat(LONGEST_RUN));
        assert!(problem(&run).contains("`run_results[0]` is not a run"));
    }
}

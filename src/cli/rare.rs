//! `run --rare`: how likely a weekend is that hardly ever comes.

use std::str::FromStr;

use crate::cli::progress::Watch;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::experiment::{Measure, Metric, Options, Rare, rare};
use crate::report::{rare_json, rare_text};
use crate::scenario::World;
use crate::units::{Share, without_separators};

/// What is asked: a figure above a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    metric: Metric,
    limit: f64,
    text: String,
}

const EXPECTED: &str =
    "expected a figure and a limit, such as 'bill > 1000', 'failure_rate > 5%' or 'requests > 100000'";

impl Question {
    /// The question as it was asked.
    pub fn as_written(&self) -> &str {
        &self.text
    }
}

impl FromStr for Question {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, limit) = text.split_once('>').ok_or(EXPECTED)?;
        let (name, limit) = (name.trim(), limit.trim());
        let metric = Metric::named(name).ok_or(EXPECTED)?;
        let number = match metric.measure() {
            Measure::Dollars => {
                without_separators(limit.trim_start_matches('$')).and_then(|number| number.parse::<f64>().ok())
            }
            Measure::Share => limit.parse::<Share>().ok().map(|share| share.0),
            Measure::Count | Measure::Seconds => limit.parse::<f64>().ok(),
        };
        let number = number.filter(|number| number.is_finite() && *number >= 0.0).ok_or(EXPECTED)?;
        Ok(Self { metric, limit: number, text: format!("{name} > {limit}") })
    }
}

/// Answers and prints.
pub fn answer(world: &World, options: &Options, question: &Question, json: bool, watch: &Watch) -> Result<(), Stop> {
    let found: Option<Rare> = rare(world, options, question.metric, question.limit, watch);
    watch.finish()?;
    let found = found.ok_or(Stop::Unfinished)?;
    if json {
        streams::print_bytes(&rare_json(&question.text, &found, &options.command))?;
    } else {
        streams::print(&rare_text(&question.text, &found))?;
    }
    if found.is_partial { Err(Stop::Interrupted) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read() {
        let read = |text: &str| text.parse::<Question>().map(|question| (question.metric, question.limit));
        assert_eq!(read("bill > $1,000"), Ok((Metric::Bill, 1000.0)));
        assert_eq!(read("failure_rate>5%"), Ok((Metric::FailureRate, 0.05)));
        for text in
            ["", "bill", "bill < 3", "bill > much", "bill > NaN", "bill > -1", "cost > 1", "failure_rate > 200%"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }
}

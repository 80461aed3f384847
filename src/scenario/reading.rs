//! What is known while a scenario is compiled: its file, where things stand in it, and what has been assumed so far.

use jiff::civil::Date;

use crate::diagnostic::{Diagnostic, codes};
use crate::document::Node;
use crate::random::Calendar;
use crate::scenario::file::ScenarioFile;
use crate::scenario::files::{Files, Source};
use crate::scenario::problem::{Problem, error};
use crate::scenario::read::place;
use crate::scenario::world::Assumption;
use crate::units::short;

/// A scenario on its way to a world.
#[derive(Debug)]
pub struct Reading {
    /// The values.
    pub file: ScenarioFile,
    /// The text and its tree, then those of its base; none when the values come from the command line.
    pub written: Vec<(Source, Node)>,
    /// Where relative file names start.
    pub files: Files,
    /// Everything that the user did not write.
    pub assumptions: Vec<Assumption>,
    /// What is to be said about the files so far.
    pub findings: Vec<Diagnostic>,
}

impl Reading {
    /// An error about the value at `path`.
    pub fn error(&self, code: &'static str, path: &[&str], message: String, help: &str) -> Problem {
        match self.place_of(path) {
            Some((source, tree)) => {
                let span = place(tree, path);
                Problem::in_file(vec![error(code, &source.name, span, message, help)], source)
            }
            None => Problem::about_file(code, "", message, help),
        }
    }

    /// A problem with a file that is named at `path`, with the place of its name where it has none of its own.
    pub fn naming(&self, path: &[&str], problem: Problem) -> Problem {
        match self.node(path) {
            Some(_) => problem.named_by(|code, message, help| self.error(code, path, message, help)),
            None => problem,
        }
    }

    /// What is said about the value at `path`, as an error; empty where it is not written in a file.
    pub fn finding(&self, code: &'static str, path: &[&str], message: String, help: &str) -> Diagnostic {
        let (file, span) = self
            .place_of(path)
            .map_or_else(Default::default, |(source, tree)| (source.name.to_string(), place(tree, path)));
        error(code, &file, span, message, help)
    }

    /// What is written at `path`.
    pub fn node(&self, path: &[&str]) -> Option<&Node> {
        self.written.iter().find_map(|(_, tree)| descend(tree, path))
    }

    /// The text that has something at `path`; the file itself if none has.
    pub(super) fn place_of(&self, path: &[&str]) -> Option<&(Source, Node)> {
        self.written.iter().find(|(_, tree)| descend(tree, path).is_some()).or(self.written.first())
    }

    /// A number that has to be at least `least` and at most `most`.
    pub fn within(&self, path: &[&str], value: f64, least: f64, most: f64) -> Result<f64, Problem> {
        if (least..=most).contains(&value) {
            return Ok(value);
        }
        let (value, least, most) = (short(value), short(least), short(most));
        let message = format!("`{}` is {value}; expected a number from {least} to {most}", path.join("."));
        Err(self.error(codes::OUT_OF_RANGE, path, message, ""))
    }

    /// A calendar day.
    pub fn date(&self, path: &[&str], text: &str) -> Result<Date, Problem> {
        let message = || format!("`{text}` is not a day such as 2026-11-20");
        text.trim().parse().map_err(|_| self.error(codes::SCENARIO_VALUE, path, message(), ""))
    }

    /// Notes a value that the user did not write.
    pub fn assume(&mut self, name: &str, value: impl ToString, source: &str, as_of: &str) {
        self.note(name, value.to_string(), "billcast", source, as_of);
    }

    /// Notes a value that the gateway takes by itself.
    pub fn gateway_default(&mut self, name: &str, value: impl ToString) {
        self.note(name, value.to_string(), "gateway default", "LiteLLM 1.102.4", "");
    }

    fn note(&mut self, name: &str, value: String, assumed_by: &'static str, source: &str, as_of: &str) {
        let (name, source, as_of) = (name.to_owned(), source.to_owned(), as_of.to_owned());
        self.assumptions.push(Assumption { name, value, assumed_by, source, as_of });
    }

    /// The keys that the user wrote at `path`, in the file or in its base.
    fn own_keys(&self, path: &[&str]) -> Vec<String> {
        let nodes = self.written.iter().filter_map(|(_, tree)| descend(tree, path));
        nodes.flat_map(|node| node.entries().iter().map(|entry| entry.key.to_string())).collect()
    }
}

fn descend<'a>(tree: &'a Node, path: &[&str]) -> Option<&'a Node> {
    path.iter().try_fold(tree, |node, step| node.get(step))
}

/// Notes every field that is taken from a preset.
pub fn assume_preset(reading: &mut Reading, path: &[&str], preset: &crate::scenario::presets::Described) {
    let own = reading.own_keys(path);
    for field in preset.fields.iter().filter(|field| !own.contains(&field.name)) {
        let name = format!("{}.{}", path.join("."), field.name);
        reading.assume(&name, &field.value, &field.source, &field.as_of);
    }
}

/// The calendar of a run.
pub fn calendar(
    reading: &Reading,
    start: &jiff::Zoned,
    horizon: crate::units::SimDuration,
) -> Result<Calendar, Problem> {
    let mut holidays = Vec::new();
    for day in &reading.file.holidays {
        holidays.push(reading.date(&["holidays"], day)?);
    }
    Ok(Calendar { start: start.clone(), horizon, holidays })
}

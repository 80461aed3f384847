//! What is varied, and over which values: `traffic.chat.rate=10..80/min`, `gateway.router_settings.num_retries=0,1,2`.

use std::str::FromStr;

use crate::diagnostic::{Diagnostic, Severity, Span, codes};
use crate::scenario::{Edit, Problem, Source};

/// A parameter and the values that it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The path of an edit, as it is shown: a key in it is masked.
    pub path: String,
    /// The path as it is written.
    pub written: String,
    /// The values.
    pub values: Values,
}

/// The values of an axis.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// One of several, each as YAML.
    Choice(Vec<String>),
    /// Numbers between two ends.
    Range(Range),
}

/// Numbers between two ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// What stands behind each number: `/min`, `%`, `s`.
    pub unit: String,
    /// Whether only whole numbers are meant: both ends are, and there is no unit.
    pub is_whole: bool,
    /// Whether steps are equal factors instead of equal differences.
    pub is_log: bool,
    /// Values on a grid, if it is said.
    pub points: Option<usize>,
}

/// Values of a range on a grid where nothing is said.
const USUAL_POINTS: usize = 5;
/// Whole numbers are taken one by one up to this many.
const MOST_WHOLE: f64 = 20.0;
/// No axis needs more.
const MOST_POINTS: usize = 10_000;

impl FromStr for Axis {
    type Err = Problem;

    /// Reads `PATH=a,b,c` or `PATH=LOW..HIGH[unit][:POINTS[log]]`.
    fn from_str(text: &str) -> Result<Self, Problem> {
        let (path, values) = Edit::split(text)?;
        let (path, values) = (path.to_owned(), values.trim());
        if let Some(message) = fixed(&path) {
            return Err(Problem::about_file(codes::SCENARIO_VALUE, "--vary", message, ""));
        }
        let ends = values.split_once("..").map(|(low, high)| vec![low, high.split(':').next().unwrap_or_default()]);
        let written = ends.map_or_else(|| split(values), |ends| ends.into_iter().map(str::to_owned).collect());
        if written.iter().any(|value| Edit::is_secret(&path, value)) {
            return Err(Problem::about_file(codes::SCENARIO_VALUE, "--vary", secret(&Edit::masked(&path)), ""));
        }
        let start = path.len() + 1;
        let values = match values.split_once("..") {
            Some((low, high)) => range(low, high).map(Values::Range),
            None => choice(values).map(Values::Choice),
        };
        values
            .map(|values| Self { path: Edit::masked(&path), written: path, values })
            .map_err(|message| wrong(text, start, message))
    }
}

/// Why a parameter cannot be varied: all configurations play the same runs.
pub fn fixed(path: &str) -> Option<String> {
    let is_fixed = matches!(path.trim(), "seed" | "runs");
    is_fixed.then(|| format!("`{path}` is the same for all that is compared: use --{path}"))
}

/// Why a parameter whose values are secrets cannot be varied: all that is reported tells the values.
pub fn secret(path: &str) -> String {
    format!("`{path}` holds a secret: its values cannot be varied, as every report would show them")
}

/// An error about the values.
fn wrong(text: &str, start: usize, message: String) -> Problem {
    let source = Source::quotable("--vary", &Edit::masked(text));
    let span = Span { start, end: text.len().max(start + 1), line: 1, column: text[..start].chars().count() + 1 };
    let help = Some("write `a,b,c` or `LOW..HIGH`, such as 10..80/min, 0..4 or 1..1000:7log".to_owned());
    let (code, severity, file) = (codes::SCENARIO_VALUE, Severity::Error, source.name.clone());
    Problem::in_file(vec![Diagnostic { code, severity, file, span, message, help }], &source)
}

/// The values of a list; one that was forgotten would take the parameter away.
fn choice(values: &str) -> Result<Vec<String>, String> {
    let values = split(values);
    match values.iter().any(String::is_empty) {
        true => Err("a value is missing: `null` is how to write none".to_owned()),
        false => Ok(values),
    }
}

fn range(low: &str, high: &str) -> Result<Range, String> {
    let (high, points) = high.split_once(':').map_or((high, None), |(high, points)| (high, Some(points.trim())));
    let is_log = points.is_some_and(|points| points.ends_with("log"));
    let points = match points.map(|points| points.trim_end_matches("log")).filter(|points| !points.is_empty()) {
        Some(points) => Some(
            points
                .parse()
                .ok()
                .filter(|n| (2..=MOST_POINTS).contains(n))
                .ok_or_else(|| format!("`{points}` is not a number of values from 2 to {MOST_POINTS}"))?,
        ),
        None => None,
    };
    let expected = |text: &str| format!("`{}` is not a number with a unit", text.trim());
    let (first, unit_of_low) = number(low).ok_or_else(|| expected(low))?;
    let (last, unit) = number(high).ok_or_else(|| expected(high))?;
    if !unit_of_low.is_empty() && unit_of_low != unit {
        return Err(format!("the ends have different units: `{unit_of_low}` and `{unit}`"));
    }
    if unit == "log" {
        return Err("`log` stands behind the number of values".to_owned());
    }
    if first >= last || (is_log && first <= 0.0) {
        return Err("the first number must be less than the second, and above 0 for log".to_owned());
    }
    let is_whole = unit.is_empty() && ![low, high].iter().any(|end| end.contains(['.', 'e', 'E']));
    Ok(Range { low: first, high: last, unit, is_whole, is_log, points })
}

/// A number and what stands behind it.
pub(in crate::experiment) fn number(text: &str) -> Option<(f64, String)> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || "+-._".contains(c))).unwrap_or(text.len());
    // `1e3` is a number, `3em` is not.
    let end = match text[end..].strip_prefix(['e', 'E']) {
        Some(rest) if rest.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit()) => {
            let digits = rest.trim_start_matches(['+', '-']);
            let tail = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            text.len() - digits.len() + tail
        }
        _ => end,
    };
    let value: f64 = text[..end].replace('_', "").parse().ok()?;
    let unit = text[end..].trim();
    let is_unit = unit.len() <= 8 && unit.chars().all(|c| c.is_ascii_alphabetic() || "/%".contains(c));
    (value.is_finite() && is_unit).then(|| (value, unit.to_owned()))
}

/// A number as short as six digits allow.
pub(in crate::experiment) fn written(value: f64, unit: &str) -> String {
    let digits = 5 - libm::log10(value.abs().max(1e-300)).floor() as i32;
    let rounded = if value == 0.0 { 0.0 } else { format!("{value:.5e}").parse().unwrap_or(value) };
    let text = format!("{rounded:.*}", digits.clamp(0, 12) as usize);
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{short}{unit}")
}

/// The parts of a list; commas within brackets and quotes belong to the parts.
pub(super) fn split(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quote) = (vec![String::new()], 0usize, None);
    for c in text.chars() {
        match (c, quote) {
            (_, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(c),
            ('[' | '{' | '(', None) => depth += 1,
            (']' | '}' | ')', None) => depth = depth.saturating_sub(1),
            (',', None) if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

impl Range {
    /// The value at a place between the ends, from 0 to 1.
    pub fn at(&self, place: f64) -> f64 {
        let value = match self.is_log {
            true => self.low * libm::pow(self.high / self.low, place),
            false => self.low + (self.high - self.low) * place,
        };
        if self.is_whole { value.round() } else { value }
    }

    /// The value as text: whole numbers that go up in equal steps in full, so that no two of them become one.
    pub fn text(&self, value: f64) -> String {
        if self.is_whole && !self.is_log { format!("{value:.0}") } else { written(value, &self.unit) }
    }

    fn grid(&self) -> Vec<String> {
        let span = self.high - self.low;
        let points = match self.points {
            Some(points) => points,
            None if self.is_whole && !self.is_log && span < MOST_WHOLE => span as usize + 1,
            None => USUAL_POINTS,
        };
        let mut values: Vec<String> = (0..points).map(|n| self.text(self.at(n as f64 / (points - 1) as f64))).collect();
        values.dedup();
        values
    }
}

impl Axis {
    /// The values on a grid.
    pub fn grid(&self) -> Vec<String> {
        match &self.values {
            Values::Choice(values) => values.clone(),
            Values::Range(range) => range.grid(),
        }
    }

    /// The value at a place from 0 to 1.
    pub fn at(&self, place: f64) -> String {
        match &self.values {
            Values::Choice(values) => {
                let index = (place * values.len() as f64) as usize;
                values[index.min(values.len() - 1)].clone()
            }
            Values::Range(range) => range.text(range.at(place)),
        }
    }

    /// The change that gives the parameter a value.
    ///
    /// # Errors
    /// A [`Problem`] when the value cannot be read as YAML.
    pub fn edit(&self, value: &str) -> Result<Edit, Problem> {
        Edit::varied(&self.written, value)
    }

    /// A value as a number, if it is one.
    pub fn number_of(value: &str) -> Option<f64> {
        number(value).map(|(number, _)| number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(text: &str) -> Vec<String> {
        text.parse::<Axis>().unwrap_or_else(|error| panic!("{text}: {error}")).grid()
    }

    #[test]
    fn lists_and_ranges_are_read() {
        assert_eq!(grid("a.b=0..4"), ["0", "1", "2", "3", "4"]);
        assert_eq!(
            grid("a=10..80/min:8"),
            ["10/min", "20/min", "30/min", "40/min", "50/min", "60/min", "70/min", "80/min"]
        );
        assert_eq!(grid("a=1..1000:4log"), ["1", "10", "100", "1000"]);
        assert_eq!(grid("a=1000001..1000003"), ["1000001", "1000002", "1000003"]);
        assert_eq!(grid("a=0.1..0.5"), ["0.1", "0.2", "0.3", "0.4", "0.5"]);
        assert_eq!(grid("a=simple-shuffle, least-busy"), ["simple-shuffle", "least-busy"]);
        assert_eq!(grid("a[x,y].b=[p, q],{r: [s, t]},\"u,v\""), ["[p, q]", "{r: [s, t]}", "\"u,v\""]);
        assert_eq!(grid("t=lognormal(median=1, p95=2),3"), ["lognormal(median=1, p95=2)", "3"]);
    }

    #[test]
    fn slips_in_ranges_are_named() {
        for text in ["a=5..1", "a=x..y", "a=1/min..2/h", "a=0..5log:3", "a=0..10:1", "a=0..10:3log", "a=", "a=1,,2"] {
            assert!(text.parse::<Axis>().is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_written_short_and_read_again() {
        for (value, text) in
            [(0.1 + 0.2, "0.3"), (2750.0, "2750"), (1234567.0, "1234570"), (0.000123456789, "0.000123457"), (0.0, "0")]
        {
            assert_eq!(written(value, ""), text);
        }
        assert_eq!(number("4.2/min"), Some((4.2, "/min".to_owned())));
        assert_eq!(number("1e3/s"), Some((1000.0, "/s".to_owned())));
        assert_eq!(number("lognormal(1)"), None);
    }
}

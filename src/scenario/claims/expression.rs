//! Figures of forecasts in a line: `requests.mean / 600`, `1 - cured:bill.mean / bill.mean`. Operators stand between
//! blanks, because names of deployments hold dashes and slashes.

use std::fmt;
use std::str::FromStr;

/// A figure that is computed from forecasts.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A number.
    Number(f64),
    /// A value of a forecast.
    Value(Place),
    /// Two figures and what is done with them.
    Both(Box<Expression>, Operator, Box<Expression>),
}

/// Where a value is: `variant:path.of.keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The variant of the scenario; the scenario itself if there is none.
    pub variant: Option<String>,
    /// The keys of forecast.json, with dots between them.
    pub path: String,
}

/// What is done with two figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Sum.
    Plus,
    /// Difference.
    Minus,
    /// Product.
    Times,
    /// Quotient.
    Over,
}

/// Why a figure has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undefined {
    /// Something is divided by zero.
    DividesByZero,
    /// It is larger than any number.
    TooLarge,
}

impl fmt::Display for Undefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DividesByZero => "it divides by zero",
            Self::TooLarge => "it is larger than any number",
        })
    }
}

impl Operator {
    fn apply(self, left: f64, right: f64) -> Result<f64, Undefined> {
        let value = match self {
            Self::Plus => left + right,
            Self::Minus => left - right,
            Self::Times => left * right,
            Self::Over if right == 0.0 => return Err(Undefined::DividesByZero),
            Self::Over => left / right,
        };
        if value.is_finite() { Ok(value) } else { Err(Undefined::TooLarge) }
    }
}

impl Expression {
    /// The places that it reads, in order.
    pub fn places(&self) -> Vec<&Place> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Value(place) => vec![place],
            Self::Both(left, _, right) => [left.places(), right.places()].concat(),
        }
    }

    /// The figure, or why it has no value, when `value` gives what stands at a place.
    ///
    /// # Errors
    /// Those of `value`.
    pub fn evaluate<E>(&self, value: &impl Fn(&Place) -> Result<f64, E>) -> Result<Result<f64, Undefined>, E> {
        Ok(match self {
            Self::Number(number) => Ok(*number),
            Self::Value(place) => Ok(value(place)?),
            Self::Both(left, operator, right) => match (left.evaluate(value)?, right.evaluate(value)?) {
                (Ok(left), Ok(right)) => operator.apply(left, right),
                (Err(why), _) | (_, Err(why)) => Err(why),
            },
        })
    }
}

/// The words and parentheses of a text.
struct Words<'a> {
    words: Vec<&'a str>,
    at: usize,
    depth: u32,
}

const MOST_NESTED: u32 = 16;

impl FromStr for Expression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = Words { words: split(text), at: 0, depth: 0 };
        let all = words.sum()?;
        match words.peek() {
            None => Ok(all),
            Some(word) => Err(format!("`{word}` is too much; expected +, -, * or / between blanks")),
        }
    }
}

/// Splits at blanks, and around parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for mut word in text.split_whitespace() {
        while let Some(at) = word.find(['(', ')']) {
            let (before, rest) = word.split_at(at);
            words.extend((!before.is_empty()).then_some(before));
            words.push(&rest[..1]);
            word = &rest[1..];
        }
        words.extend((!word.is_empty()).then_some(word));
    }
    words
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).copied()
    }

    fn next(&mut self) -> Option<&'a str> {
        let word = self.peek()?;
        self.at += 1;
        Some(word)
    }

    fn sum(&mut self) -> Result<Expression, String> {
        self.chain(&[("+", Operator::Plus), ("-", Operator::Minus)], Self::product)
    }

    fn product(&mut self) -> Result<Expression, String> {
        self.chain(&[("*", Operator::Times), ("/", Operator::Over)], Self::single)
    }

    fn chain(
        &mut self,
        operators: &[(&str, Operator)],
        part: fn(&mut Self) -> Result<Expression, String>,
    ) -> Result<Expression, String> {
        let mut left = part(self)?;
        while let Some((_, operator)) = operators.iter().find(|(text, _)| Some(*text) == self.peek()) {
            self.at += 1;
            left = Expression::Both(Box::new(left), *operator, Box::new(part(self)?));
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<Expression, String> {
        let word = self.next().ok_or("expected a number, a value such as bill.mean, or a parenthesis")?;
        if word == "(" {
            self.depth += 1;
            let inner = if self.depth > MOST_NESTED { Err("nested too deeply".to_owned()) } else { self.sum() }?;
            self.depth -= 1;
            return match self.next() {
                Some(")") => Ok(inner),
                _ => Err("a parenthesis is not closed".to_owned()),
            };
        }
        if let Ok(number) = word.parse::<f64>() {
            return if number.is_finite() { Ok(Expression::Number(number)) } else { Err(not_a_value(word)) };
        }
        word.parse().map(Expression::Value)
    }
}

fn not_a_value(word: &str) -> String {
    format!("`{word}` is no value; expected a key of forecast.json such as bill.mean, or VARIANT:bill.mean")
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (variant, path) = match text.split_once(':') {
            Some((variant, path)) => (Some(variant.to_owned()), path),
            None => (None, text),
        };
        let empty = path.is_empty() || variant.as_ref().is_some_and(String::is_empty);
        if empty || !path.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(not_a_value(text));
        }
        Ok(Self { variant, path: path.to_owned() })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.variant {
            Some(variant) => write!(f, "{variant}:{}", self.path),
            None => f.write_str(&self.path),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Expression {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> f64 {
        evaluated(text).unwrap()
    }

    fn evaluated(text: &str) -> Result<f64, Undefined> {
        let read = |place: &Place| match place.to_string().as_str() {
            "bill.mean" => Ok(8.0),
            "cured:bill.mean" => Ok(2.0),
            "deployments.gpt-4o/1.attempts" => Ok(5.0),
            "failure_rate.mean" => Ok(0.0),
            other => Err(other.to_owned()),
        };
        text.parse::<Expression>().unwrap().evaluate(&read).unwrap()
    }

    #[test]
    fn figures_are_computed_as_in_school() {
        assert_eq!(value("bill.mean"), 8.0);
        assert_eq!(value("1 - cured:bill.mean / bill.mean"), 0.75);
        assert_eq!(value("(bill.mean - cured:bill.mean) / 2 * 3"), 9.0);
        assert_eq!(value("10 - 4 - 3"), 3.0);
        assert_eq!(value("2 * deployments.gpt-4o/1.attempts"), 10.0);
    }

    #[test]
    fn figures_without_a_value_say_why() {
        for text in
            ["bill.mean / 0", "failure_rate.mean / failure_rate.mean", "1 / (1 / failure_rate.mean)", "1 - 2 / 0"]
        {
            assert_eq!(evaluated(text), Err(Undefined::DividesByZero), "{text}");
        }
        assert_eq!(evaluated("1e308 * bill.mean"), Err(Undefined::TooLarge));
        assert_eq!(evaluated("failure_rate.mean / bill.mean"), Ok(0.0));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "bill.mean +", "(bill.mean", "bill.mean)", "1 2", ":x", "a:", "NaN", "inf", "* 3", "%x"] {
            assert!(text.parse::<Expression>().is_err(), "{text}");
        }
        assert!("(".repeat(1000).parse::<Expression>().is_err());
    }

    #[test]
    fn places_are_listed() {
        let all: Expression = "1 - b:x / (a:x + y)".parse().unwrap();
        let places: Vec<String> = all.places().iter().map(|place| place.to_string()).collect();
        assert_eq!(places, ["b:x", "a:x", "y"]);
    }
}

//! Distributions as people write them, in one line:
//! `800`, `lognormal(median=800, p95=3500, max=8k)`, `mix(0.7 * lognormal(…), 0.3 * constant(30))`.

use std::fmt;
use std::str::FromStr;

use crate::random::dist::{Dist, DistError, check, positive};
use crate::random::law::Law;
use crate::units::parse_scaled;

/// Where and why a text is not a distribution.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("character {}: {message}", at + 1)]
pub struct DistTextError {
    /// Number of the character, from 0.
    pub at: usize,
    /// What is wrong and what was expected.
    pub message: String,
}

/// A distribution as written in a file: a number, or one of the forms of this module.
#[derive(Debug, Clone, PartialEq)]
pub struct DistSpec(Law);

impl DistSpec {
    /// Prepares the draws.
    ///
    /// # Errors
    /// [`DistError`] when the distribution reaches too far.
    pub fn compile(&self) -> Result<Dist, DistError> {
        Dist::new(self.0.clone())
    }

    /// The law that was written.
    pub const fn law(&self) -> &Law {
        &self.0
    }

    /// Always this value.
    pub const fn constant(value: f64) -> Self {
        Self(Law::Constant(value))
    }
}

const FORMS: &str = "a number, constant, uniform, exponential, lognormal, gamma, weibull, quantiles, adjust or mix";

impl FromStr for DistSpec {
    type Err = DistTextError;

    fn from_str(text: &str) -> Result<Self, DistTextError> {
        let mut reader = Reader { text, at: 0, depth: 0 };
        let law = reader.law()?;
        reader.skip_spaces();
        if reader.at < text.len() {
            return Err(reader.error(reader.at, "nothing may follow the distribution"));
        }
        check(&law).map_err(|e| reader.error(0, &e.to_string()))?;
        Ok(Self(law))
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

/// One argument between the parentheses.
enum Argument<'a> {
    /// `0.7 * lognormal(…)`, or a distribution alone.
    Part(f64, Law),
    /// `p95=3500`; the name may be a share such as `0.95`.
    Named(&'a str, f64, usize),
    /// A bare number.
    Number(f64),
}

const MOST_NESTED: u32 = 8;

impl<'a> Reader<'a> {
    fn error(&self, at: usize, message: &str) -> DistTextError {
        DistTextError { at: self.text[..at].chars().count(), message: message.to_owned() }
    }

    fn skip_spaces(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn eat(&mut self, symbol: char) -> bool {
        self.skip_spaces();
        let found = self.text[self.at..].starts_with(symbol);
        self.at += if found { symbol.len_utf8() } else { 0 };
        found
    }

    /// Letters, digits and what numbers consist of.
    fn word(&mut self) -> &'a str {
        self.skip_spaces();
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "._+-%".contains(c))).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn number(&self, word: &str, at: usize) -> Result<f64, DistTextError> {
        parse_scaled(word).map_err(|e| self.error(at, &e.to_string()))
    }

    fn law(&mut self) -> Result<Law, DistTextError> {
        let (start, word) = self.start_of_word();
        if self.eat('(') { self.call(word, start) } else { self.number_alone(word, start).map(Law::Constant) }
    }

    fn start_of_word(&mut self) -> (usize, &'a str) {
        self.skip_spaces();
        (self.at, self.word())
    }

    fn number_alone(&self, word: &str, start: usize) -> Result<f64, DistTextError> {
        if word.is_empty() || word.starts_with(char::is_alphabetic) {
            return Err(self.error(start, &format!("expected {FORMS}")));
        }
        self.number(word, start)
    }

    fn call(&mut self, name: &str, start: usize) -> Result<Law, DistTextError> {
        self.depth += 1;
        if self.depth > MOST_NESTED {
            return Err(self.error(start, "nested too deeply"));
        }
        let mut arguments = Vec::new();
        while !self.eat(')') {
            if !arguments.is_empty() && !self.eat(',') {
                self.skip_spaces();
                let cut_off = self.at == self.text.len();
                let hint = if cut_off { "; in YAML between { and } a text with commas needs quotes" } else { "" };
                return Err(self.error(self.at, &format!("expected `,` or `)`{hint}")));
            }
            arguments.push(self.argument()?);
        }
        self.depth -= 1;
        Call { name, start, arguments }.law().map_err(|(at, message)| self.error(at, &message))
    }

    fn argument(&mut self) -> Result<Argument<'a>, DistTextError> {
        let (start, word) = self.start_of_word();
        if self.eat('(') {
            return self.call(word, start).map(|law| Argument::Part(1.0, law));
        }
        if self.eat('=') {
            let (at, value) = self.start_of_word();
            return Ok(Argument::Named(word, self.number(value, at)?, start));
        }
        if self.eat('*') {
            let share = self.share(word, start)?;
            return self.law().map(|law| Argument::Part(share, law));
        }
        self.number_alone(word, start).map(Argument::Number)
    }

    fn share(&self, word: &str, at: usize) -> Result<f64, DistTextError> {
        word.parse::<crate::units::Share>().map(|share| share.0).map_err(|e| self.error(at, &e.to_string()))
    }
}

/// A distribution's name with its arguments.
struct Call<'a> {
    name: &'a str,
    start: usize,
    arguments: Vec<Argument<'a>>,
}

type Misuse = (usize, String);

impl Call<'_> {
    fn law(mut self) -> Result<Law, Misuse> {
        if self.name == "mix" {
            return self.mixture();
        }
        let shift = self.take("shift").unwrap_or(0.0);
        let min = self.take("min").unwrap_or(0.0);
        let max = self.take("max").unwrap_or(f64::INFINITY);
        let law = self.plain_law()?;
        self.nothing_left()?;
        if (shift, min, max) == (0.0, 0.0, f64::INFINITY) {
            return Ok(law);
        }
        Ok(Law::Adjusted { law: Box::new(law), shift, min, max })
    }

    fn plain_law(&mut self) -> Result<Law, Misuse> {
        match self.name {
            "constant" => self.need(&["value"]).map(|[value]| Law::Constant(value)),
            "uniform" => self.need(&["low", "high"]).map(|[low, high]| Law::Uniform { low, high }),
            "exponential" => self.need(&["mean"]).map(|[mean]| Law::Exponential { mean }),
            "lognormal" => self.lognormal(),
            "gamma" => self.gamma(),
            "weibull" => self.need(&["shape", "scale"]).map(|[shape, scale]| Law::Weibull { shape, scale }),
            "quantiles" => self.quantiles(),
            "adjust" => match self.arguments.pop() {
                Some(Argument::Part(_, law)) => Ok(law),
                _ => Err((self.start, "adjust(…) needs a distribution, then shift=, min= or max=".to_owned())),
            },
            other => Err((self.start, format!("`{other}` is not a distribution; expected {FORMS}"))),
        }
    }

    /// Takes a named number out of the arguments.
    fn take(&mut self, wanted: &str) -> Option<f64> {
        let at = self.arguments.iter().position(|a| matches!(a, Argument::Named(name, ..) if *name == wanted))?;
        match self.arguments.remove(at) {
            Argument::Named(_, value, _) => Some(value),
            Argument::Part(..) | Argument::Number(_) => None,
        }
    }

    fn take_any(&mut self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| self.take(name))
    }

    /// Takes the numbers with these names; bare numbers stand for them in this order.
    fn need<const N: usize>(&mut self, names: &[&str; N]) -> Result<[f64; N], Misuse> {
        let mut values = [0.0; N];
        for (value, name) in values.iter_mut().zip(names) {
            let bare = self.arguments.iter().position(|a| matches!(a, Argument::Number(_)));
            *value = match (self.take(name), bare) {
                (Some(named), _) => named,
                (None, Some(at)) => match self.arguments.remove(at) {
                    Argument::Number(number) => number,
                    Argument::Named(..) | Argument::Part(..) => continue,
                },
                (None, None) => return Err((self.start, format!("{}(…) needs {name}=…", self.name))),
            };
        }
        Ok(values)
    }

    fn lognormal(&mut self) -> Result<Law, Misuse> {
        let start = self.start;
        if let Some(mu) = self.take("mu") {
            return self.need(&["sigma"]).map(|[sigma]| Law::LogNormal { mu, sigma });
        }
        if let Some(mean) = self.take("mean") {
            let [cv] = self.need(&["cv"])?;
            self.positive("mean", mean)?;
            self.positive("cv", cv)?;
            let sigma2 = libm::log1p(cv * cv);
            return Ok(Law::LogNormal { mu: libm::log(mean) - sigma2 / 2.0, sigma: libm::sqrt(sigma2) });
        }
        let Some(median) = self.take_any(&["median", "p50"]) else {
            let forms = "lognormal(…) needs median= and p95= (or p90=, p99=, sigma=), mean= and cv=, or mu= and sigma=";
            return Err((start, forms.to_owned()));
        };
        if let Some(sigma) = self.take("sigma") {
            return Ok(Law::LogNormal { mu: libm::log(median), sigma });
        }
        for (name, below) in [("p75", 0.75), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)] {
            if let Some(value) = self.take(name) {
                return Law::lognormal_through(median, below, value).map_err(|e| (start, e.to_string()));
            }
        }
        Err((start, "lognormal(median=…) also needs p95=, p90=, p99=, p75= or sigma=".to_owned()))
    }

    fn gamma(&mut self) -> Result<Law, Misuse> {
        let Some(mean) = self.take("mean") else {
            return self.need(&["shape", "scale"]).map(|[shape, scale]| Law::Gamma { shape, scale });
        };
        let [cv] = self.need(&["cv"])?;
        self.positive("cv", cv)?;
        Ok(Law::Gamma { shape: 1.0 / (cv * cv), scale: mean * cv * cv })
    }

    fn positive(&self, name: &'static str, value: f64) -> Result<(), Misuse> {
        positive(name, value).map_err(|e| (self.start, e.to_string()))
    }

    fn quantiles(&mut self) -> Result<Law, Misuse> {
        let mut points = Vec::new();
        for argument in self.arguments.drain(..) {
            let Argument::Named(name, value, at) = argument else {
                return Err((self.start, "quantiles(…) needs points such as p50=800 or 0.5=800".to_owned()));
            };
            let share = match name.strip_prefix('p') {
                Some(percent) => percent.parse().map(|p: f64| p / 100.0),
                None => name.parse(),
            };
            let share = share.map_err(|_| (at, format!("`{name}` is not a percentile such as p95 or 0.95")))?;
            points.push((share, value));
        }
        Ok(Law::Quantiles(points))
    }

    fn mixture(self) -> Result<Law, Misuse> {
        let part = |argument| match argument {
            Argument::Part(share, law) => Ok((share, law)),
            _ => Err((self.start, "mix(…) needs parts such as 0.7 * lognormal(median=800, p95=3500)".to_owned())),
        };
        self.arguments.into_iter().map(part).collect::<Result<_, _>>().map(Law::Mixture)
    }

    fn nothing_left(&self) -> Result<(), Misuse> {
        match self.arguments.first() {
            None => Ok(()),
            Some(Argument::Named(name, _, at)) => Err((*at, format!("{}(…) has no use for `{name}`", self.name))),
            Some(_) => Err((self.start, format!("{}(…) has too many numbers", self.name))),
        }
    }
}

impl From<Law> for DistSpec {
    fn from(law: Law) -> Self {
        Self(law)
    }
}

impl<'de> serde::Deserialize<'de> for DistSpec {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FileReader)
    }
}

/// Reads a distribution from a number or a text.
struct FileReader;

impl serde::de::Visitor<'_> for FileReader {
    type Value = DistSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a distribution such as 800 or lognormal(median=800, p95=3500)")
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<DistSpec, E> {
        let law = Law::Constant(number);
        check(&law).map_err(E::custom)?;
        Ok(DistSpec(law))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<DistSpec, E> {
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<DistSpec, E> {
        self.visit_f64(number as f64)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<DistSpec, E> {
        text.parse().map_err(|e| E::custom(format!("in `{text}`, {e}")))
    }
}

impl schemars::JsonSchema for DistSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Distribution".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["number", "string"],
            "description": "A number (always the same), or constant(5), uniform(1, 3), exponential(mean=3), \
                lognormal(median=800, p95=3500), lognormal(mean=900, cv=1.2), gamma(mean=3, cv=2), \
                weibull(shape=0.65, scale=92h), quantiles(p5=10, p50=100, p95=900), \
                mix(0.7 * lognormal(...), 0.3 * constant(30)); each takes shift=, min= and max=.",
            "examples": [800, "lognormal(median=800, p95=3500)"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law(text: &str) -> Law {
        text.parse::<DistSpec>().unwrap_or_else(|e| panic!("{text}: {e}")).0
    }

    #[test]
    fn short_forms_read_as_laws() {
        assert_eq!(law("800"), Law::Constant(800.0));
        assert_eq!(law(" uniform(1, 3) "), Law::Uniform { low: 1.0, high: 3.0 });
        assert_eq!(law("exponential(15m)"), Law::Exponential { mean: 900.0 });
        assert_eq!(law("weibull(shape=0.651, scale=92.5h)"), Law::Weibull { shape: 0.651, scale: 333_000.0 });
        assert_eq!(law("gamma(mean=3, cv=2)"), Law::Gamma { shape: 0.25, scale: 12.0 });
        assert_eq!(law("quantiles(p5=10, 0.5=1k)"), Law::Quantiles(vec![(0.05, 10.0), (0.5, 1000.0)]));
        let Law::LogNormal { mu, sigma } = law("lognormal(median=800, p95=3500)") else { panic!() };
        assert!((libm::exp(mu + 1.644_853_626_951_472_2 * sigma) - 3500.0).abs() < 1e-9);
        assert!(matches!(law("mix(70% * exponential(3), 0.3*constant(30))"), Law::Mixture(parts) if parts.len() == 2));
        assert!(matches!(law("lognormal(p50=1, sigma=0.2, shift=0.3)"), Law::Adjusted { shift: 0.3, .. }));
    }

    #[test]
    fn mean_and_cv_are_met() {
        let dist = "lognormal(mean=900, cv=1.2)".parse::<DistSpec>().unwrap().compile().unwrap();
        assert!((dist.mean() / 900.0 - 1.0).abs() < 1e-4, "{}", dist.mean());
    }

    #[test]
    fn what_is_displayed_reads_back() {
        for text in [
            "3.5",
            "uniform(1, 3)",
            "mix(0.25 * weibull(shape=0.5, scale=2), 0.75 * gamma(shape=2, scale=3))",
            "lognormal(mu=1, sigma=2, shift=3, max=900)",
            "quantiles(p0=1, p50=3, p100=9)",
        ] {
            assert_eq!(law(&law(text).to_string()), law(text), "{text}");
        }
    }

    #[test]
    fn errors_name_the_place() {
        let error = |text: &str| text.parse::<DistSpec>().unwrap_err().to_string();
        assert!(error("lognorm(median=8)").starts_with("character 1: `lognorm` is not a distribution"));
        assert!(error("lognormal(median=8, p96=9)").contains("also needs p95="));
        assert!(error("uniform(1, 3, typ=3)").starts_with("character 15:"), "{}", error("uniform(1, 3, typ=3)"));
        assert!(error("exponential(mean=3").contains("expected `,` or `)`; in YAML"));
        assert!(error("exponential(mean=3; 4)").ends_with("expected `,` or `)`"));
        assert!(error("exponential(mean=3) 4").contains("nothing may follow"));
        for text in [
            "",
            "(",
            "mix()",
            "mix(0.5 * 3)",
            "nan",
            "-3",
            "1e999",
            "uniform(3, 1)",
            "é(1)",
            "mix(mix(mix(",
            "gamma(mean=1, cv=-1)",
        ] {
            assert!(text.parse::<DistSpec>().is_err(), "{text}");
        }
        assert!("mix(1*".repeat(1000).parse::<DistSpec>().is_err(), "deep nesting ends in an error");
    }
}

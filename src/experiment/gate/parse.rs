//! Reading a gate: `quantity relation limit`.

use std::str::FromStr;

use crate::diagnostic::{Diagnostic, Severity, Span, codes};
use crate::experiment::gate::{Gate, Limit, Quantity, Relation};
use crate::experiment::metric::{Measure, Metric, Stat};
use crate::gateway::litellm::wire::nearest;
use crate::scenario::{Problem, Source};
use crate::units::without_separators;

/// What a text is read from, and how far.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Whether the whole is a target, `bill.p50 = 2300`.
    is_target: bool,
}

/// What is wrong, and where.
struct Wrong {
    at: usize,
    end: usize,
    message: String,
    help: String,
}

type Read<T> = Result<T, Wrong>;

impl FromStr for Gate {
    type Err = Problem;

    /// Reads `[delta.]metric[.stat] relation limit` or `p([delta.]metric relation threshold) relation share`.
    fn from_str(text: &str) -> Result<Self, Problem> {
        read(text, false)
    }
}

impl Gate {
    /// Reads a target: `bill.p50 = 2300`, `p(bill > 1000) = 5%`.
    ///
    /// # Errors
    /// A [`Problem`] with the place in the text.
    pub fn target(text: &str) -> Result<Self, Problem> {
        read(text, true)
    }
}

fn read(text: &str, is_target: bool) -> Result<Gate, Problem> {
    Reader { text, at: 0, is_target }.gate().map_err(|wrong| {
        let column = text[..wrong.at].chars().count() + 1;
        let span = Span { start: wrong.at, end: wrong.end.max(wrong.at + 1), line: 1, column };
        let source = Source::quotable("policy", text);
        let help = (!wrong.help.is_empty()).then_some(wrong.help);
        let (code, severity, file) = (codes::POLICY, Severity::Error, source.name.clone());
        Problem::in_file(vec![Diagnostic { code, severity, file, span, message: wrong.message, help }], &source)
    })
}

impl Reader<'_> {
    fn gate(mut self) -> Read<Gate> {
        let (quantity, is_delta) = self.quantity()?;
        let relation = if self.is_target { self.equals()? } else { self.relation()? };
        let measure = match quantity {
            Quantity::Stat(metric, _) => metric.measure(),
            Quantity::Chance(..) => Measure::Share,
        };
        let may_be_relative = is_delta && matches!(quantity, Quantity::Stat(..)) && measure != Measure::Share;
        let limit = self.limit(measure, may_be_relative)?;
        self.blanks();
        if self.at < self.text.len() {
            return Err(self.wrong(
                self.at,
                "nothing is expected after the limit",
                "use the option again for another policy",
            ));
        }
        Ok(Gate { text: self.text.trim().to_owned(), quantity, is_delta, relation, limit })
    }

    fn quantity(&mut self) -> Read<(Quantity, bool)> {
        let (start, word) = self.word()?;
        self.blanks();
        if word != "p" || !self.take("(") {
            let (metric, stat, is_delta) = self.path(start, &word)?;
            let usual = if metric == Metric::MaxAttempts { Stat::Max } else { Stat::Mean };
            return Ok((Quantity::Stat(metric, stat.unwrap_or(usual)), is_delta));
        }
        let (start, word) = self.word()?;
        let (metric, stat, is_delta) = self.path(start, &word)?;
        if stat.is_some() {
            let help = format!("write `p({} > …)`", metric.name());
            return Err(self.wrong(start, "a probability is about single runs: no statistic here", &help));
        }
        let relation = self.relation()?;
        let threshold = self.limit(metric.measure(), false)?;
        self.blanks();
        if !self.take(")") {
            return Err(self.wrong(self.at, "expected `)`", "write `p(bill > 1000) > 1%`"));
        }
        Ok((Quantity::Chance(metric, relation, threshold.value), is_delta))
    }

    /// `delta.bill.p95`
    fn path(&self, start: usize, word: &str) -> Read<(Metric, Option<Stat>, bool)> {
        let (is_delta, path) = word.strip_prefix("delta.").map_or((false, word), |path| (true, path));
        let at = start + word.len() - path.len();
        let (name, stat) = path.split_once('.').map_or((path, None), |(name, stat)| (name, Some(stat)));
        if name == "latency" {
            return self.latency(at, stat).map(|metric| (metric, None, is_delta));
        }
        let metric =
            Metric::named(name).ok_or_else(|| self.unknown(at, name, Metric::ALL.iter().map(|(name, _)| *name)))?;
        let Some(stat) = stat else { return Ok((metric, None, is_delta)) };
        let found = Stat::named(stat).ok_or_else(|| {
            let message = format!("`{stat}` is not a statistic");
            let at = at + name.len() + 1;
            Wrong {
                at,
                end: at + stat.len(),
                message,
                help: "possible: mean, median, max, p50, p95, p99.9 …".to_owned(),
            }
        })?;
        Ok((metric, Some(found), is_delta))
    }

    /// `latency.p95`: the mean over the runs of each run's P95.
    fn latency(&self, at: usize, stat: Option<&str>) -> Read<Metric> {
        match stat {
            Some("p50" | "median") => Ok(Metric::LatencyP50),
            Some("p95") => Ok(Metric::LatencyP95),
            Some("p99") => Ok(Metric::LatencyP99),
            _ => Err(self.wrong(at, "which latency?", "possible: latency.p50, latency.p95, latency.p99")),
        }
    }

    fn relation(&mut self) -> Read<Relation> {
        self.blanks();
        let known =
            [(">=", Relation::AtLeast), ("<=", Relation::AtMost), (">", Relation::Greater), ("<", Relation::Less)];
        let found = known.into_iter().find(|(sign, _)| self.take(sign)).map(|(_, relation)| relation);
        found.ok_or_else(|| {
            self.wrong(self.at, "expected `>`, `>=`, `<` or `<=`", "a policy is what must not be: `bill.p95 > 500`")
        })
    }

    /// A target is reached, from below or from above.
    fn equals(&mut self) -> Read<Relation> {
        self.blanks();
        match self.take("==") || self.take("=") {
            true => Ok(Relation::AtLeast),
            false => Err(self.wrong(self.at, "expected `=`", "a target is written `bill.p50 = 2300`")),
        }
    }

    /// A number with its unit.
    fn limit(&mut self, measure: Measure, may_be_relative: bool) -> Read<Limit> {
        self.blanks();
        let start = self.at;
        let has_dollar = self.take("$");
        let digits = self.while_(|c| c.is_ascii_digit() || "+-._,eE".contains(c));
        let number: f64 = without_separators(&digits)
            .and_then(|digits| digits.parse().ok())
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| self.wrong(start, "expected a number", "such as 500, 1% or 2.5s"))?;
        self.blanks();
        let unit = self.while_(|c| c.is_ascii_alphabetic() || c == '%');
        let (factor, is_relative) = match (unit.as_str(), measure) {
            ("", _) => (1.0, false),
            ("%", Measure::Share) => (0.01, false),
            ("%", _) if may_be_relative => (0.01, true),
            ("USD" | "usd", Measure::Dollars) => (1.0, false),
            ("k", Measure::Dollars | Measure::Count) => (1e3, false),
            ("M", Measure::Dollars | Measure::Count) => (1e6, false),
            ("ms", Measure::Seconds) => (1e-3, false),
            ("s", Measure::Seconds) => (1.0, false),
            ("min", Measure::Seconds) => (60.0, false),
            _ => return Err(self.unit(start, &unit, measure)),
        };
        if has_dollar && (measure != Measure::Dollars || is_relative) {
            return Err(self.unit(start, "$", measure));
        }
        let value = number * factor;
        if measure == Measure::Share && value.abs() > 1.0 {
            return Err(self.wrong(start, "no share is more than 100%", "5 percent are written 5% or 0.05"));
        }
        Ok(Limit { value, is_relative })
    }

    fn unit(&self, at: usize, unit: &str, measure: Measure) -> Wrong {
        let help = match measure {
            Measure::Dollars => "dollars are written 500, $500 or 1.5k; a share of the base needs `delta.`",
            Measure::Share => "a share is written 1% or 0.01",
            Measure::Count => "a count is written 500 or 2k; a share of the base needs `delta.`",
            Measure::Seconds => "a time is written 2.5s or 800ms; a share of the base needs `delta.`",
        };
        self.wrong(at, &format!("`{unit}` does not fit here"), help)
    }

    fn word(&mut self) -> Read<(usize, String)> {
        self.blanks();
        let start = self.at;
        let word = self.while_(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        if word.is_empty() {
            return Err(self.wrong(
                start,
                "expected what is limited",
                "such as `bill.p95`, `failure_rate.mean`, `delta.bill.mean`",
            ));
        }
        Ok((start, word))
    }

    fn while_(&mut self, test: impl Fn(char) -> bool) -> String {
        let rest = &self.text[self.at..];
        let length = rest.find(|c| !test(c)).unwrap_or(rest.len());
        self.at += length;
        rest[..length].to_owned()
    }

    fn blanks(&mut self) {
        self.while_(char::is_whitespace);
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.text[self.at..].starts_with(sign);
        self.at += if found { sign.len() } else { 0 };
        found
    }

    fn wrong(&self, at: usize, message: &str, help: &str) -> Wrong {
        Wrong { at, end: self.at, message: message.to_owned(), help: help.to_owned() }
    }

    fn unknown<'n>(&self, at: usize, name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Wrong {
        let help = match nearest(name, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("possible: {}", known.collect::<Vec<_>>().join(", ")),
        };
        Wrong { at, end: at + name.len(), message: format!("`{name}` is nothing that is measured"), help }
    }
}

//! Policies as gates: `bill.p95 > 500`, `delta.bill.p95 > 20%`, `p(bill > 1000) > 1%`. A gate that holds is violated.

mod parse;

use crate::experiment::contrast::contrast;
use crate::experiment::forecast::RunRow;
use crate::experiment::metric::{CONFIDENCE, Measure, Metric, Stat};
use crate::stats::Estimate;

/// A condition that must not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// As it was written.
    pub text: String,
    /// What is looked at.
    pub quantity: Quantity,
    /// Whether it is compared with the base first.
    pub is_delta: bool,
    /// How it stands to the limit when the gate is violated.
    pub relation: Relation,
    /// The limit.
    pub limit: Limit,
}

/// What a gate looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// A statistic over the runs.
    Stat(Metric, Stat),
    /// The share of the runs in which a number stands so to a threshold.
    Chance(Metric, Relation, f64),
}

/// How two numbers stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `<=`
    AtMost,
}

/// The limit of a gate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// The number: dollars, a share, a count or seconds.
    pub value: f64,
    /// Whether it is a share of the base.
    pub is_relative: bool,
}

/// What is done about a violated gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The command fails.
    Fail,
    /// It is said.
    Warn,
}

/// What a gate says of some runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The gate as it was written.
    pub text: String,
    /// What is done when it is violated.
    pub level: Level,
    /// Which side of a comparison it is about; empty for a forecast.
    pub subject: String,
    /// The value with its interval.
    pub value: Estimate,
    /// The limit.
    pub limit: f64,
    /// What both are counted in.
    pub measure: Measure,
    /// The decision.
    pub decision: Decision,
    /// About how many runs would settle an open decision, if any number would.
    pub runs_to_settle: Option<u64>,
}

/// What the runs allow to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The whole interval is on the good side of the limit.
    Kept,
    /// The whole interval is on the bad side of the limit.
    Violated,
    /// The interval straddles the limit.
    Open,
}

impl Relation {
    /// Whether `value` stands so to `limit`.
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Greater => value > limit,
            Self::AtLeast => value >= limit,
            Self::Less => value < limit,
            Self::AtMost => value <= limit,
        }
    }
}

impl Gate {
    /// What the gate says of some runs. A gate about differences needs the runs of the base.
    pub fn judge(&self, level: Level, subject: &str, base: Option<&[RunRow]>, rows: &[RunRow]) -> Verdict {
        let value = self.value(base, rows);
        let limit = self.limit.value;
        let decision =
            match (self.relation.holds(value.interval.low, limit), self.relation.holds(value.interval.high, limit)) {
                (true, true) => Decision::Violated,
                (false, false) => Decision::Kept,
                _ => Decision::Open,
            };
        let runs = rows.len().min(base.map_or(usize::MAX, <[_]>::len)) as u64;
        Verdict {
            text: self.text.clone(),
            level,
            subject: subject.to_owned(),
            value,
            limit,
            measure: self.measure(),
            decision,
            runs_to_settle: (decision == Decision::Open).then(|| self.runs_to_settle(&value, runs)).flatten(),
        }
    }

    /// What the value and the limit are counted in.
    pub fn measure(&self) -> Measure {
        match self.quantity {
            Quantity::Chance(..) => Measure::Share,
            Quantity::Stat(..) if self.limit.is_relative => Measure::Share,
            Quantity::Stat(metric, _) => metric.measure(),
        }
    }

    fn value(&self, base: Option<&[RunRow]>, rows: &[RunRow]) -> Estimate {
        let base = base.filter(|_| self.is_delta);
        match (self.quantity, base) {
            (Quantity::Stat(metric, stat), None) => stat.estimate(&metric.series(rows)),
            (Quantity::Stat(metric, stat), Some(base)) => {
                let found = contrast(&metric.series(base), &metric.series(rows), stat);
                if self.limit.is_relative { found.relative } else { found.delta }
            }
            (Quantity::Chance(metric, relation, threshold), base) => {
                let value = |(run, row): (usize, &RunRow)| {
                    metric.of(row) - base.and_then(|base| base.get(run)).map_or(0.0, |base| metric.of(base))
                };
                let hits = rows.iter().enumerate().map(value).filter(|value| relation.holds(*value, threshold)).count();
                Estimate::of_share(hits as u64, rows.len() as u64, CONFIDENCE)
            }
        }
    }

    /// Intervals shrink with the square root of the runs: so many until the limit is outside, rounded up to two digits.
    fn runs_to_settle(&self, value: &Estimate, runs: u64) -> Option<u64> {
        let limit = self.limit.value;
        let distance = (value.point - limit).abs();
        let reach =
            if limit >= value.point { value.interval.high - value.point } else { value.point - value.interval.low };
        if reach.is_infinite() {
            return self.runs_for_an_interval(runs);
        }
        let needed = runs as f64 * (reach / distance) * (reach / distance);
        (needed.is_finite() && needed < 1e12).then(|| two_digits(needed.max(runs as f64 + 1.0)))
    }

    /// The fewest runs that bound a quantile on both sides.
    fn runs_for_an_interval(&self, runs: u64) -> Option<u64> {
        let Quantity::Stat(_, Stat::Quantile(p)) = self.quantity else { return Some(runs.max(1) * 2) };
        let tail = libm::log((1.0 - CONFIDENCE) / 2.0);
        let needed = tail / libm::log(p.max(1.0 - p));
        Some(two_digits(needed.max(runs as f64 + 1.0)))
    }
}

/// Rounded up to two digits.
fn two_digits(value: f64) -> u64 {
    let step = libm::pow(10.0, (libm::log10(value).floor() - 1.0).max(0.0));
    ((value / step).ceil() * step) as u64
}

#[cfg(test)]
mod tests;

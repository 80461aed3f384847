//! `--fail-if` and `--warn-if`: policies as gates.

use crate::cli::stop::Stop;
use crate::experiment::{Decision, Gate, Level, RunRow, Verdict};

/// Policies.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct GateArgs {
    /// Exit with 10 when this holds, with 11 when the runs cannot tell: 'bill.p95 > 500', 'p(bill > 1000) > 1%',
    /// 'failure_rate.p95 > 1%', 'delta.bill.p95 > 20%' (compare); may be given several times.
    #[arg(long, value_name = "POLICY")]
    fail_if: Vec<String>,
    /// Only say when this holds.
    #[arg(long, value_name = "POLICY")]
    warn_if: Vec<String>,
}

/// Policies that have been read.
pub struct Gates(Vec<(Level, Gate)>);

impl GateArgs {
    /// Reads the policies. Those about differences need something to compare with.
    pub fn read(&self, is_comparison: bool) -> Result<Gates, Stop> {
        let fail = self.fail_if.iter().map(|text| (Level::Fail, text));
        let warn = self.warn_if.iter().map(|text| (Level::Warn, text));
        let mut gates = Vec::new();
        for (level, text) in fail.chain(warn) {
            let gate: Gate = text.parse()?;
            if gate.is_delta && !is_comparison {
                let message = format!("`{}` is about a difference, and there is nothing to compare with", gate.text);
                return Err(Stop::Usage(format!("{message}; use `billcast compare`")));
            }
            gates.push((level, gate));
        }
        Ok(Gates(gates))
    }
}

impl Gates {
    /// What the policies say of some runs.
    pub fn judge(&self, subject: &str, base: Option<&[RunRow]>, rows: &[RunRow]) -> Vec<Verdict> {
        self.0.iter().map(|(level, gate)| gate.judge(*level, subject, base, rows)).collect()
    }
}

/// How the command ends.
pub fn finish(verdicts: &[Verdict]) -> Result<(), Stop> {
    let any = |decision| verdicts.iter().any(|verdict| verdict.level == Level::Fail && verdict.decision == decision);
    match (any(Decision::Violated), any(Decision::Open)) {
        (true, _) => Err(Stop::Violated),
        (false, true) => Err(Stop::Undecided),
        (false, false) => Ok(()),
    }
}

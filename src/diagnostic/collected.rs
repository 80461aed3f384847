//! What is found about a file, up to a number of each severity: of a file with millions of mistakes the first are told,
//! and how many more there are.

use crate::diagnostic::{Diagnostic, Severity, codes};

/// Findings in the order in which they are made.
#[derive(Debug, Default)]
pub struct Collected {
    told: Vec<Diagnostic>,
    errors: Count,
    warnings: Count,
    notes: Count,
}

/// Findings of one severity.
#[derive(Debug, Default)]
struct Count {
    told: usize,
    left_out: u64,
    /// The first that is left out.
    first: Option<Diagnostic>,
}

impl Collected {
    /// Findings of one severity that are told.
    pub const MOST: usize = 10_000;

    fn count(&mut self, severity: Severity) -> &mut Count {
        match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        }
    }

    /// Whether findings of this severity are only counted from now on.
    pub fn is_full(&mut self, severity: Severity) -> bool {
        self.count(severity).told >= Self::MOST
    }

    /// Adds a finding.
    pub fn add(&mut self, finding: Diagnostic) {
        let count = self.count(finding.severity);
        if count.told >= Self::MOST {
            count.left_out += 1;
            count.first.get_or_insert(finding);
            return;
        }
        count.told += 1;
        self.told.push(finding);
    }

    /// How many are told.
    pub const fn len(&self) -> usize {
        self.told.len()
    }

    /// Whether nothing was found.
    pub const fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// All that is told, then what is not.
    pub fn all(self) -> Vec<Diagnostic> {
        let Self { mut told, errors, warnings, notes } = self;
        for Count { left_out, first, .. } in [errors, warnings, notes] {
            told.extend(first.map(|first| Diagnostic {
                code: codes::AND_MORE,
                message: format!("{left_out} more {}s from here on are not listed", first.severity),
                help: Some("correct the first ones and look again".to_owned()),
                ..first
            }));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_findings_are_counted_by_severity() {
        let mut found = Collected::default();
        let finding = |severity| Diagnostic {
            code: codes::UNKNOWN_KEY,
            severity,
            file: "f".into(),
            span: Default::default(),
            message: "m".to_owned(),
            help: None,
        };
        (0..Collected::MOST + 7).for_each(|_| found.add(finding(Severity::Warning)));
        assert!(found.is_full(Severity::Warning) && !found.is_full(Severity::Error));
        found.add(finding(Severity::Error));
        let all = found.all();
        assert_eq!(all.len(), Collected::MOST + 2);
        assert_eq!(all[Collected::MOST].severity, Severity::Error);
        let last = &all[Collected::MOST + 1];
        assert_eq!((last.code, last.severity), (codes::AND_MORE, Severity::Warning));
        assert!(last.message.starts_with("7 more warnings"), "{}", last.message);
    }
}

//! What is wrong with a gateway's config as a whole, and what each fault costs. One file a rule, all of them in
//! [`RULES`]; faults of single keys are found by `gateway::litellm::keys` and only priced here.

mod config;
mod money;
mod remedies;
mod rules;

use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::gateway::litellm::wire::Wire;
use crate::scenario::ConfigText;

pub use config::{Asked, AskedClass, Catalog, Config};
pub use money::{Pricing, Side, Stake, Tried, price};
pub use rules::RULES;

/// A rule about the config as a whole.
pub struct Rule {
    /// Stable code of its findings.
    pub code: &'static str,
    /// A short name.
    pub name: &'static str,
    /// What it finds, why that matters, and what to do.
    pub about: &'static str,
    check: fn(&Config<'_>, &mut Vec<Fault>),
}

/// Findings of one rule that come with changes. More have none: looking for them takes a look at the whole config for
/// each, and only some of them are ever priced.
const MOST_WITH_CHANGES: usize = 100;

/// The changes for one more finding of a rule, if it has not found too many.
fn changes(found: &[Fault], changes: impl FnOnce() -> Vec<Remedy>) -> Vec<Remedy> {
    if found.len() < MOST_WITH_CHANGES { changes() } else { Vec::new() }
}

/// What a rule has found.
struct Fault {
    severity: Severity,
    span: Span,
    message: String,
    help: String,
    remedies: Vec<Remedy>,
}

/// A change that removes a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// What is changed, in words that follow "with" or stand alone: `num_retries: 0`.
    pub change: String,
    /// The change as arguments of `--set` and `--unset` (see [`Remedy::removal`]).
    pub edits: Vec<String>,
}

/// Marks an edit that removes a value.
const REMOVAL: char = '-';

impl Remedy {
    fn new(change: impl Into<String>, edits: impl IntoIterator<Item = String>) -> Self {
        Self { change: change.into(), edits: edits.into_iter().collect() }
    }

    /// The edit that removes what stands at a path.
    fn removal(path: &str) -> String {
        format!("{REMOVAL}{path}")
    }

    /// The edits as flags of a command line: (`set` or `unset`, the rest).
    pub fn flags(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.edits.iter().map(|edit| match edit.strip_prefix(REMOVAL) {
            Some(path) => ("unset", path),
            None => ("set", edit.as_str()),
        })
    }
}

/// One finding with the changes that would remove it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What is the case, and where.
    pub diagnostic: Diagnostic,
    /// Changes that remove it; none where no single change does.
    pub remedies: Vec<Remedy>,
}

/// Everything that can be said about a config: single keys, then the whole, in the order of the file.
pub fn audit(
    text: &ConfigText,
    wire: &Wire,
    found: Vec<Diagnostic>,
    catalog: &Catalog,
    asked: Option<&Asked>,
) -> Vec<Finding> {
    let config = Config::new(wire, catalog, asked);
    let known = remedies::Known::new(text.tree.as_ref(), wire);
    let of_keys = found.into_iter().map(|diagnostic| Finding { remedies: known.remedies(&diagnostic), diagnostic });
    let mut findings: Vec<Finding> = of_keys.collect();
    for rule in RULES {
        let mut faults = Vec::new();
        (rule.check)(&config, &mut faults);
        findings.extend(faults.into_iter().map(|fault| fault.into_finding(rule.code, text.name())));
    }
    findings
        .sort_by_key(|finding| (finding.diagnostic.span.start, finding.diagnostic.span.end, finding.diagnostic.code));
    text.tell_places(findings.iter_mut().map(|finding| &mut finding.diagnostic));
    findings
}

impl Fault {
    fn into_finding(self, code: &'static str, file: &str) -> Finding {
        let Self { severity, span, message, help, remedies } = self;
        let help = (!help.is_empty()).then_some(help);
        let diagnostic = Diagnostic { code, severity, file: file.into(), span, message, help };
        Finding { diagnostic, remedies }
    }
}

/// The rule that gives out a code.
pub fn rule(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code.eq_ignore_ascii_case(code) || rule.name == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::codes;

    #[test]
    fn every_rule_has_a_code_a_name_and_a_text_of_its_own() {
        for (index, rule) in RULES.iter().enumerate() {
            assert!(codes::summary(rule.code).is_some() && rule.code.starts_with("BC4"), "{}", rule.code);
            assert!(rule.about.len() > 100, "{} says too little", rule.name);
            assert!(RULES[..index].iter().all(|other| other.code < rule.code && other.name != rule.name));
        }
    }
}

//! What is told beside the figures, read back: findings, assumptions, and what was said about the files.

use super::{Place, Result};
use crate::diagnostic::{Diagnostic, Severity, Span, codes};
use crate::experiment::{Assumption, FINDING_CODES, Finding};
use crate::scenario::ASSUMED_BY;

/// The known word that a text is, else the last one.
fn known(text: &str, mut words: impl DoubleEndedIterator<Item = &'static str> + Clone) -> &'static str {
    words.clone().find(|word| *word == text).or_else(|| words.next_back()).unwrap_or_default()
}

/// What was found.
pub(super) fn finding(at: &Place<'_>) -> Result<Finding> {
    Ok(Finding {
        code: known(at.str("code")?, FINDING_CODES.into_iter()),
        title: at.string("title")?,
        detail: at.string("detail")?,
        money: at.money_or_none("money_mean")?,
    })
}

/// What was assumed.
pub(super) fn assumption(at: &Place<'_>) -> Result<Assumption> {
    Ok(Assumption {
        name: at.string("name")?,
        value: at.string("value")?,
        assumed_by: known(at.str("assumed_by")?, ASSUMED_BY.into_iter()),
        source: at.string("source")?,
        as_of: at.string_or_empty("as_of"),
    })
}

/// What was said about a file.
pub(super) fn diagnostic(at: &Place<'_>) -> Result<Diagnostic> {
    let severities = [Severity::Note, Severity::Warning, Severity::Error];
    let severity = at.str("severity")?;
    let known_severity = severities.into_iter().find(|known| known.to_string() == severity);
    let place = |key| at.count(key).map_or(0, |count| usize::try_from(count).unwrap_or_default());
    Ok(Diagnostic {
        code: known(at.str("code")?, codes::ALL.iter().map(|code| code.id)),
        severity: at.at("severity").or_wrong(known_severity, "a severity")?,
        file: at.string_or_empty("file").into(),
        span: Span { start: 0, end: 0, line: place("line"), column: place("column") },
        message: at.string("message")?,
        help: at.at("help").value.as_str().map(str::to_owned),
    })
}

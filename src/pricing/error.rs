//! What is wrong with a price file, with the place.

use std::fmt;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Severity, Span};

/// A price file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceFileError {
    /// Every problem found, in order; never empty.
    pub diagnostics: Vec<Diagnostic>,
}

/// After so many problems a reader gives up: the file is not what it is taken for.
pub const MAX_PROBLEMS: usize = 20;

impl fmt::Display for PriceFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.diagnostics.iter().enumerate() {
            write!(f, "{}{diagnostic}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for PriceFileError {}

impl From<Diagnostic> for PriceFileError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostics: vec![diagnostic] }
    }
}

/// An error at a place of a file; line 0 means the file as a whole.
pub fn error_at(file: &Arc<str>, line: usize, column: usize, code: &'static str, message: String) -> Diagnostic {
    Diagnostic {
        code,
        severity: Severity::Error,
        file: Arc::clone(file),
        span: Span { start: 0, end: 0, line, column },
        message,
        help: None,
    }
}

/// A row that cannot be read.
pub fn csv_error(file: &Arc<str>, error: &csv::Error) -> Diagnostic {
    let line = error.position().map_or(0, |position| position.line() as usize);
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} fields, the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "the row is not UTF-8 text".to_owned(),
        _ => format!("not a CSV row: {error}"),
    };
    error_at(file, line, 1, code::SYNTAX, message)
}

/// The diagnostic codes of price files.
pub mod code {
    pub use crate::diagnostic::codes::PRICE_COLUMN as COLUMN;
    pub use crate::diagnostic::codes::PRICE_SYNTAX as SYNTAX;
    pub use crate::diagnostic::codes::PRICE_TWICE as DUPLICATE;
    pub use crate::diagnostic::codes::PRICE_VALUE as VALUE;
}

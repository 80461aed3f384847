//! Why a scenario cannot be used.

use std::fmt;

use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::scenario::files::Source;

/// What is wrong, with the texts that it is about.
#[derive(Debug, Clone)]
pub struct Problem {
    /// At least one error, perhaps with warnings that came before it.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that were read, for snippets.
    pub sources: Vec<Source>,
}

impl Problem {
    /// One error about a whole file.
    pub fn about_file(code: &'static str, file: &str, message: String, help: &str) -> Self {
        Self::at(code, file, Span::default(), message, help)
    }

    /// One error at a place.
    pub fn at(code: &'static str, file: &str, span: Span, message: String, help: &str) -> Self {
        Self { diagnostics: vec![error(code, file, span, message, help)], sources: Vec::new() }
    }

    /// The same with a text that snippets can be taken from.
    #[must_use]
    pub fn with(mut self, source: &Source) -> Self {
        self.sources.push(source.clone());
        self
    }
}

/// An error at a place; no help if the text is empty.
pub(super) fn error(code: &'static str, file: &str, span: Span, message: String, help: &str) -> Diagnostic {
    let help = (!help.is_empty()).then(|| help.to_owned());
    Diagnostic { code, severity: Severity::Error, file: file.into(), span, message, help }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

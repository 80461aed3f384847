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
        Self { diagnostics: vec![error(code, file, Span::default(), message, help)], sources: Vec::new() }
    }

    /// The same where the file is named, told by `there`, if it is about the file as a whole.
    pub(super) fn named_by(self, there: impl FnOnce(&'static str, String, &str) -> Self) -> Self {
        match self.diagnostics.as_slice() {
            [found] if found.span == Span::default() => {
                let message = format!("{}: {}", found.file, found.message);
                there(found.code, message, found.help.as_deref().unwrap_or_default())
            }
            _ => self,
        }
    }

    /// Errors about a file of a kind that holds no secrets. Places that know only line and column get their bytes.
    pub fn in_file(mut diagnostics: Vec<Diagnostic>, source: &Source) -> Self {
        for span in diagnostics.iter_mut().map(|diagnostic| &mut diagnostic.span) {
            if span.line > 0 && span.end == 0 {
                *span = span_at(&source.text, span.line, span.column);
            }
        }
        Self { diagnostics, sources: vec![Source { is_quotable: true, ..source.clone() }] }
    }
}

/// The place at a line and column: to the end of the word that stands there.
pub(super) fn span_at(text: &str, line: usize, column: usize) -> Span {
    if line == 0 {
        return Span::default();
    }
    let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = &text[before..];
    let start = before + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
    let word = text[start..].find([':', ',', '}', ']', '#', '\n', '\r']).unwrap_or(text.len() - start);
    Span { start, end: start + word.max(1).min(text.len() - start), line, column }
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

//! What a reader or a lint has to say about a place in a file. No rendering here: `report` and `cli` do that.

pub mod codes;
mod collected;
pub mod secrets;

pub use collected::Collected;
pub use secrets::masked;

use std::fmt;
use std::sync::Arc;

/// A place in a text: 1-based line and column (in characters) and the byte range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Line of the first character, from 1; 0 when there is no position.
    pub line: usize,
    /// Column of the first character, from 1.
    pub column: usize,
}

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// The result may not be what the user expects.
    Warning,
    /// The input cannot be used.
    Error,
}

/// One finding about one place.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Diagnostic {
    /// Stable id such as `BC101`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Name of the file as the user gave it; empty when there is none.
    pub file: Arc<str>,
    /// The place in it.
    pub span: Span,
    /// What is the case. It may quote a file or an argument, so nobody sees it that is not [`masked`].
    pub message: String,
    /// What to do about it; the same goes for it.
    pub help: Option<String>,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.span.line > 0 {
            write!(f, "{}:{}:{}: ", masked(&self.file), self.span.line, self.span.column)?;
        } else if !self.file.is_empty() {
            write!(f, "{}: ", masked(&self.file))?;
        }
        write!(f, "{} [{}]: {}", self.severity, self.code, readable(&self.message))?;
        match &self.help {
            Some(help) => write!(f, "; {}", readable(help)),
            None => Ok(()),
        }
    }
}

/// More of a message than this nobody reads: it quotes something that is no name.
const LONGEST_MESSAGE: usize = 1_000;

/// A message for a terminal: what it quotes from files and arguments cannot move the cursor or flood the
/// screen, and holds no secret.
pub fn readable(message: &str) -> String {
    // Before it is cut: of half a secret nobody could tell what it is.
    let message = masked(message);
    let shown = |c: char| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c };
    let mut text: String = message.chars().take(LONGEST_MESSAGE).map(shown).collect();
    if message.chars().nth(LONGEST_MESSAGE).is_some() {
        text.push('…');
    }
    text
}

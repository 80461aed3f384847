//! What must hold of a text before it is read: a bounded size, UTF-8, and no control characters.

use crate::diagnostic::codes;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::document::MAX_VALUES;

/// The largest text that is read, in bytes: real configs and cases are a thousand times smaller.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// An error in the form a reader returns it.
pub(super) type Failure = Box<Diagnostic>;

/// An error at a place.
pub(super) fn failure(file: &str, code: &'static str, span: Span, message: String, help: &str) -> Failure {
    Box::new(Diagnostic {
        code,
        severity: Severity::Error,
        file: file.into(),
        span,
        message,
        help: (!help.is_empty()).then(|| help.to_owned()),
    })
}

/// Bytes of a file as text.
///
/// # Errors
/// A diagnostic with the position of the first byte that is not UTF-8, or for a file that is too large.
pub fn decode<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Box<Diagnostic>> {
    check_size(file, bytes.len())?;
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default();
        let mut span = span_at(valid, valid.len());
        span.end = span.start + error.error_len().unwrap_or(1);
        let message = format!("byte {} is not UTF-8", valid.len() + 1);
        failure(file, codes::NOT_UTF8, span, message, "save the file with the encoding UTF-8")
    })
}

/// Refuses what PyYAML refuses to read at all.
pub(super) fn check_printable(file: &str, text: &str) -> Result<(), Failure> {
    match text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        None => Ok(()),
        Some((at, c)) => {
            let message = format!("the control character U+{:04X} is not allowed here", u32::from(c));
            Err(failure(file, codes::SYNTAX, span_at(text, at), message, "delete it"))
        }
    }
}

/// Refuses what is too large to be a config or a case.
pub(super) fn check_size(file: &str, bytes: usize) -> Result<(), Failure> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    let message = format!("the file has {bytes} bytes; at most {MAX_BYTES} are read");
    Err(failure(file, codes::TOO_LARGE, Span::default(), message, "is this the right file?"))
}

/// Refuses a document with more values than are kept.
pub(super) fn check_values(file: &str, values: usize, span: Span) -> Result<(), Failure> {
    if values <= MAX_VALUES {
        return Ok(());
    }
    let message = format!("more than {MAX_VALUES} values; no more are read of one file");
    Err(failure(file, codes::TOO_LARGE, span, message, "is this the right file?"))
}

/// What PyYAML's reader calls printable.
const fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

/// The place of a byte.
pub(super) fn span_at(text: &str, byte: usize) -> Span {
    let before = &text[..byte];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Span {
        start: byte,
        end: text.ceil_char_boundary(byte + 1),
        line: before.bytes().filter(|b| *b == b'\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

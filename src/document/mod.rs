//! Text to a tree of values with positions, for YAML and JSON. It knows how values are written, not what they mean.
//!
//! YAML scalars are resolved as PyYAML's `safe_load` does (YAML 1.1), because that is what reads gateway configs:
//! `on` is a boolean, `010` is eight and `1e3` is text. JSON numbers follow JSON.

mod json;
mod node;
mod scalar;
#[cfg(test)]
mod tests;
mod text;
mod yaml;

use crate::diagnostic::{Diagnostic, Span};

pub use node::{Entry, Node, Value};
pub use scalar::Decimal;
pub use text::{MAX_BYTES, decode};

/// Nesting beyond this is refused: the reader this mirrors gives up at a similar depth.
pub const MAX_DEPTH: usize = 128;
/// More values in one document are refused: each takes hundreds of bytes, many more than it is written with.
pub const MAX_VALUES: usize = 2_000_000;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.1 scalars, as PyYAML resolves them.
    Yaml,
    /// JSON.
    Json,
}

impl Format {
    /// The format that a file name announces: JSON for `.json`, YAML for all else.
    pub fn of(file: &str) -> Self {
        let is_json = file.len() >= 5 && file.is_char_boundary(file.len() - 5);
        if is_json && file[file.len() - 5..].eq_ignore_ascii_case(".json") { Self::Json } else { Self::Yaml }
    }
}

/// Reads one document. `None` comes with at least one error; a tree may come with warnings.
pub fn read(file: &str, text: &str, format: Format) -> (Option<Node>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let node = text::check_size(file, text.len()).and_then(|()| match format {
        Format::Yaml => yaml::read(file, body, &mut diagnostics),
        Format::Json => json::read(file, body, &mut diagnostics),
    });
    let mut node = match node {
        Ok(node) => Some(node),
        Err(error) => {
            diagnostics.push(*error);
            None
        }
    };
    let mark = text.len() - body.len();
    if mark > 0 {
        node.iter_mut().for_each(|node| node.shift(mark));
        diagnostics.iter_mut().filter(|found| found.span.line > 0).for_each(|found| shift(&mut found.span, mark));
    }
    (node, diagnostics)
}

/// Moves a place behind a byte order mark; lines and columns do not count it.
fn shift(span: &mut Span, bytes: usize) {
    span.start += bytes;
    span.end += bytes;
}

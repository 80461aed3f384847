//! The text of a scenario file → typed values, or one error with its place.

use serde::de::DeserializeOwned;
use serde_saphyr::Error;

use crate::diagnostic::codes;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::document::{self, Format, Node};
use crate::gateway::litellm::wire::nearest;
use crate::scenario::edit::{self, Edit};
use crate::scenario::files::Source;
use crate::scenario::problem::{Problem, error, span_at};

/// A strictly read file: its values, and the tree that knows where each of them is written.
#[derive(Debug)]
pub struct Strict<T> {
    /// The values.
    pub values: T,
    /// The same as a tree with places.
    pub tree: Node,
}

/// Reads a file of our own: unknown keys are errors.
///
/// # Errors
/// A [`Problem`] with line and column: broken YAML, an unknown or missing key, a value of the wrong kind.
pub fn read<T: DeserializeOwned>(source: &Source) -> Result<Strict<T>, Problem> {
    let (tree, found) = document::read(&source.name, &source.text, Format::Yaml);
    let failed = |diagnostics| Problem::in_file(diagnostics, source);
    let errors = fatal(found);
    let tree = match tree {
        Some(tree) if errors.is_empty() => tree,
        _ => return Err(failed(errors)),
    };
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    let values = parsed(text).map_err(|error| failed(vec![explain(source, text, &error)]))?;
    Ok(Strict { values, tree })
}

/// Reads a file of our own with changes made in it.
///
/// # Errors
/// As [`read`]; what is wrong with a change is placed in the change, once [`edit::tell_places`] has been called.
pub fn read_edited<T: DeserializeOwned>(source: &Source, edits: &[Edit]) -> Result<Strict<T>, Problem> {
    let unedited = read::<T>(source);
    if edits.iter().all(Edit::is_about_gateway) {
        return unedited;
    }
    let mut tree = unedited?.tree;
    edit::apply(edits, false, &mut tree)?;
    Ok(Strict { values: typed(source, &tree)?, tree })
}

/// The values of a tree that has been changed.
pub fn typed<T: DeserializeOwned>(source: &Source, tree: &Node) -> Result<T, Problem> {
    let written = edit::written(tree);
    parsed(&written.text).map_err(|error| {
        let line = error.without_snippet().location().map_or(0, |at| at.line() as usize);
        let diagnostic = Diagnostic { span: written.place(line), ..explain(source, &written.text, &error) };
        Problem { diagnostics: vec![diagnostic], sources: vec![Source { is_quotable: true, ..source.clone() }] }
    })
}

/// Typed values of a text. What is deep, or grows by aliases, has been refused when the tree was read; what is only
/// long may be as long as a gateway with a hundred thousand keys needs it.
fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let budget = serde_saphyr::budget! { max_nodes: MOST_NODES, max_events: 2 * MOST_NODES };
    serde_saphyr::from_str_with_options(text, serde_saphyr::options! { budget: budget })
}

/// Keys and values in a file of our own.
const MOST_NODES: usize = 5_000_000;

/// What cannot be let pass in a file of our own: a key that stands twice is a slip, one that is
/// no text is read as text.
fn fatal(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let fatal = found.into_iter().filter(|finding| finding.code != codes::KEY_NOT_TEXT);
    fatal.map(|finding| Diagnostic { severity: Severity::Error, ..finding }).collect()
}

/// Says what is wrong in our own words.
fn explain(source: &Source, text: &str, problem: &Error) -> Diagnostic {
    let problem = problem.without_snippet();
    let span =
        problem.location().map_or_else(Span::default, |at| span_at(text, at.line() as usize, at.column() as usize));
    let (code, message, help) = match problem {
        Error::SerdeUnknownField { field, expected, .. } => unknown(codes::SCENARIO_KEY, "key", field, expected),
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            unknown(codes::SCENARIO_VALUE, "value", variant, expected)
        }
        Error::SerdeMissingField { field, .. } => {
            (codes::MISSING_KEY, format!("`{field}` is missing"), format!("add `{field}:` here"))
        }
        Error::Message { msg, .. } => (codes::SCENARIO_VALUE, msg.clone(), String::new()),
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            (codes::WRONG_TYPE, format!("expected {expected}, found {unexpected}"), String::new())
        }
        Error::InvalidScalar { ty, .. } => (codes::WRONG_TYPE, format!("expected {}", kind(ty)), String::new()),
        Error::Unexpected { expected, .. } => {
            (codes::WRONG_TYPE, format!("expected {}", kind(expected)), String::new())
        }
        Error::NullIntoString { .. } => (codes::WRONG_TYPE, "expected text, found nothing".into(), String::new()),
        other if other.to_string().contains("budget breached: Nodes") => {
            (codes::WRONG_TYPE, format!("the file holds more than {MOST_NODES} keys and values"), String::new())
        }
        other if other.to_string().contains("non-finite") => {
            (codes::WRONG_TYPE, "expected a finite number".into(), String::new())
        }
        other => (codes::WRONG_TYPE, without_place(&other.to_string()), String::new()),
    };
    error(code, &source.name, span, message, &help)
}

fn unknown(code: &'static str, what: &str, found: &str, expected: &[&'static str]) -> (&'static str, String, String) {
    let help = match nearest(found, expected.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("possible here: {}", expected.join(", ")),
    };
    (code, format!("`{found}` is not a {what} that is known here"), help)
}

/// What a type is called by someone who writes the file.
fn kind(name: &'static str) -> &'static str {
    match name {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, at least 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" | "float" | "floating point" => "a number",
        "bool" | "boolean" => "true or false",
        "string scalar" => "text",
        "mapping start" => "a map: `key: value` on lines of their own, or `{key: value}`",
        "sequence start" => "a list: `[a, b]`",
        other => other,
    }
}

/// The reader's own messages end in ` at line 3, column 5`; the place is shown in our own way.
fn without_place(message: &str) -> String {
    let end = message.find(" at line ").or_else(|| message.find(" (line ")).unwrap_or(message.len());
    message[..end].trim_start_matches(|c: char| c == ':' || c.is_whitespace()).to_owned()
}

/// Finds the place of `path` in the tree: as deep as the path is written there.
pub(super) fn place(tree: &Node, path: &[&str]) -> Span {
    let mut node = tree;
    let mut span = Span { end: tree.span.start, ..tree.span };
    for step in path {
        let Some(entry) = node.entry(step) else { break };
        span = if entry.value.entries().is_empty() { entry.value.span } else { entry.key_span };
        node = &entry.value;
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::file::ScenarioFile;

    fn error_of(text: &str) -> String {
        let source = Source::quotable("scenario.yaml", text);
        read::<ScenarioFile>(&source).unwrap_err().to_string()
    }

    #[test]
    fn slips_are_named_with_their_place() {
        let cases = [
            ("gatway: x\n", "1:1: error [BC501]: `gatway` is not a key that is known here; did you mean `gateway`?"),
            ("gateway: [a]\n", "1:10: error [BC101]: expected text"),
            ("gateway: g\nruns: -1\n", "2:7: error [BC101]: expected a whole number, at least 0"),
            ("gateway: g\nruns: .nan\n", "2:7: error [BC101]: expected a whole number, at least 0"),
            ("gateway: g\nalerts: {budget_share: .inf}\n", "2:24: error [BC101]: expected a finite number"),
            ("gateway: g\nkeys: 5\n", "2:7: error [BC101]: expected a map"),
            ("gateway: g\nruns: 1\nruns: 2\n", "3:1: error [BC006]: this key stands twice"),
            ("gateway: g\nstart: tomorrow\n", "2:8: error [BC502]: `tomorrow` is not a date"),
            ("gateway:\n", "1:8: error [BC101]: expected text, found nothing"),
            ("", "1:1: error [BC004]"),
            ("a: [", "1:4: error [BC003]"),
        ];
        for (text, expected) in cases {
            let message = error_of(text);
            assert!(message.starts_with(&format!("scenario.yaml:{expected}")), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_yaml_bomb_is_defused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let previous = format!("*a{}, ", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{previous}]\n"));
        }
        assert!(error_of(&bomb).contains("[BC005]"));
        assert!(error_of(&"[".repeat(100_000)).contains("error [BC00"));
    }
}

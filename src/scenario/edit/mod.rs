//! Changes of a scenario's files before they are compiled: `gateway.router_settings.num_retries=0`. They are made on
//! the trees of
//! values, so that all else keeps its place, and whatever is wrong with a change points into the change itself.

mod apply;
mod element;
mod path;
mod secret;
mod text;

use std::fmt;

use crate::diagnostic::{Diagnostic, Severity, Span, codes};
use crate::document::{self, Format, Node, Value};
use crate::scenario::edit::path::Step;
use crate::scenario::files::Source;
use crate::scenario::problem::{Problem, error, span_at};

pub use text::written;

/// Paths that start so are about the gateway's own config, all others about the scenario.
const GATEWAY: &str = "gateway";
/// Maps whose entries a file joins with those of its base, field by field.
const JOINED: [&str; 3] = ["traffic", "upstream", "keys"];
/// The options that changes come from.
const SET: &str = "--set";
const UNSET: &str = "--unset";
const VARY: &str = "--vary";
/// What stands in place of a value that may be a secret.
const MASK: &str = "***";

/// One change: a value that is set, or one that is removed.
#[derive(Clone, PartialEq)]
pub struct Edit {
    /// The option that it is from.
    flag: &'static str,
    /// As it is written, with secrets masked.
    shown: String,
    /// Whether the value may be a secret.
    is_secret: bool,
    path: Vec<Step>,
    /// The new value, placed in `shown`; none to remove what is there.
    value: Option<Node>,
}

impl Edit {
    /// Reads `path=value`. The value is YAML: `0`, `40/min`, `[a, b]`, `{rpm: 500}`.
    ///
    /// The path is made of keys with points between them, `[3]` for an element of a list (from 0), `[name]` for the
    /// element of
    /// that name (a deployment by its id, its group, or `group/number` as reports call it), `[*]` for all, `[+]` for
    /// a new one.
    /// A key with points in it may be quoted. `gateway.…` leads into the gateway's config.
    ///
    /// # Errors
    /// A [`Problem`] with the place in the text.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        Self::read(SET, text)
    }

    fn read(flag: &'static str, text: &str) -> Result<Self, Problem> {
        let (path, value_at) = path::read(text).map_err(|wrong| wrong.about(flag, text))?;
        let Some(value_at) = value_at else { return Err(no_value(flag, text)) };
        let (value, found) = match text[value_at..].trim() {
            "" => (Some(Node { span: Span::default(), value: Value::Null }), Vec::new()),
            _ => document::read("", &text[value_at..], Format::Yaml),
        };
        // A key such as 429 is a number: that is worth a warning in a file, and no more.
        let mut wrong = found.into_iter().filter(|diagnostic| diagnostic.severity == Severity::Error).peekable();
        let Some(mut value) = value.filter(|_| wrong.peek().is_none()) else {
            let reason = wrong.next().filter(|_| !secret::is_in(text));
            let reason = reason.map_or_else(String::new, |diagnostic| format!(": {}", diagnostic.message));
            let message = format!("the value cannot be read as YAML{reason}");
            let help = "quote a text with signs that mean something in YAML".to_owned();
            return Err(Wrong { at: value_at..text.len(), message, help }.about(flag, text));
        };
        let is_secret = secret::is_held(&path, &value);
        let value_shown = if is_secret { MASK } else { &text[value_at..] };
        let shown = format!("{}={value_shown}", secret::masked_path(&text[..value_at - 1]));
        place(&mut value, value_at);
        Ok(Self { flag, shown, is_secret, path, value: Some(value) })
    }

    /// The same from a path and the YAML text of a value.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn set(path: &str, value: &str) -> Result<Self, Problem> {
        Self::parse(&format!("{path}={value}"))
    }

    /// The same for a value that a command has chosen: what is wrong is said about its `--vary`.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn varied(path: &str, value: &str) -> Result<Self, Problem> {
        Self::read(VARY, &format!("{path}={value}"))
    }

    /// Whether a value that is to stand at a path may be a secret, by the path's keys or by its form.
    pub fn is_secret(path: &str, value: &str) -> bool {
        Self::set(path, value).map_or_else(|_| secret::is_in(&format!("{path}={value}")), |edit| edit.is_secret)
    }

    /// Removes what stands at a path.
    ///
    /// # Errors
    /// A [`Problem`] when the path cannot be read.
    pub fn remove(path: &str) -> Result<Self, Problem> {
        let (steps, value_at) = path::read(path).map_err(|wrong| wrong.about(UNSET, path))?;
        match value_at {
            None => {
                let shown = secret::masked_path(path);
                Ok(Self { flag: UNSET, shown, is_secret: false, path: steps, value: None })
            }
            Some(_) => {
                let message = "a value that is removed needs no `=`".to_owned();
                Err(Wrong { at: 0..path.len(), message, help: String::new() }.about(UNSET, path))
            }
        }
    }

    /// Parts the `path=values` of a `--vary` without reading the values.
    ///
    /// # Errors
    /// A [`Problem`] when the path cannot be read, or there is no value.
    pub fn split(text: &str) -> Result<(&str, &str), Problem> {
        match path::read(text).map_err(|wrong| wrong.about(VARY, text))? {
            (_, Some(value_at)) => Ok((&text[..value_at - 1], &text[value_at..])),
            (_, None) => Err(no_value(VARY, text)),
        }
    }

    /// A `path=values` with what looks like a secret in its path masked, for people and files.
    pub fn masked(text: &str) -> String {
        let path = path::without_value(text);
        format!("{}{}", secret::masked_path(path), &text[path.len()..])
    }

    /// Whether two paths, as they are written, are the same steps: blanks and quotes around a key change nothing.
    pub fn is_same_path(one: &str, other: &str) -> bool {
        let steps = |path| -> Option<Vec<String>> {
            let (steps, _) = path::read(path).ok()?;
            Some(steps.into_iter().map(|step| step.text).collect())
        };
        steps(one).zip(steps(other)).is_some_and(|(one, other)| one == other)
    }

    /// As it was written, with secrets masked.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether something is removed.
    pub const fn is_removal(&self) -> bool {
        self.value.is_none()
    }

    /// Whether it is about the gateway's config.
    pub fn is_about_gateway(&self) -> bool {
        self.path.len() > 1 && self.path[0].text == GATEWAY
    }

    fn apply(&self, index: usize, root: &mut Node) -> Result<(), Wrong> {
        let of_gateway = self.is_about_gateway();
        let steps = &self.path[usize::from(of_gateway)..];
        if !of_gateway {
            check_name(root, steps)?;
        }
        apply::Change { value: self.value.as_ref(), edit: index }.apply(root, steps)
    }

    /// Whether the field that the path leads to is the base's: what the file itself says hides the base's field as a
    /// whole.
    fn is_about_base(&self, own: &Node, base: &Node) -> bool {
        // `traffic.chat.rate`, `hours`.
        let field = if JOINED.contains(&&*self.path[0].text) { 3 } else { 1 };
        let (own, base) = (self.levels(own).min(field), self.levels(base).min(field));
        base > own
    }

    /// How many levels of maps the path finds in a tree.
    fn levels(&self, root: &Node) -> usize {
        let (mut node, mut steps, mut levels) = (root, self.path.as_slice(), 0);
        while !steps.is_empty()
            && let (Some(index), taken) = apply::find(node.entries(), steps)
        {
            node = &node.entries()[index].value;
            steps = &steps[taken..];
            levels += 1;
        }
        levels
    }

    fn source(&self) -> Source {
        Source::quotable(&title(self.flag, path::without_value(&self.shown)), &self.shown)
    }
}

/// What an edit is called where it is quoted.
fn title(flag: &str, path: &str) -> String {
    format!("{flag} {path}")
}

fn no_value(flag: &str, text: &str) -> Problem {
    let message = "there is no `=` and no value behind it".to_owned();
    Wrong { at: text.len()..text.len(), message, help: "write `path=value`".to_owned() }.about(flag, text)
}

/// A tree as the text of a YAML value.
pub fn as_yaml(node: &Node) -> String {
    written(node).text
}

/// A scalar as it would be written; none for lists and maps.
pub fn scalar_text(node: &Node) -> Option<String> {
    match &node.value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.text.to_string()),
        Value::Str(text) | Value::Date(text) => Some(text.to_string()),
        Value::Null | Value::Seq(_) | Value::Map(_) => None,
    }
}

/// The value at a path, if there is one.
pub fn value_at<'a>(root: &'a Node, path: &str) -> Option<&'a Node> {
    let (steps, _) = path::read(path).ok()?;
    let mut node = root;
    let mut rest = steps.as_slice();
    while let Some(step) = rest.first() {
        let taken = match &node.value {
            Value::Map(entries) => {
                let (index, taken) = apply::find(entries, rest);
                node = &entries[index?].value;
                taken
            }
            Value::Seq(items) => {
                node = &items[element::find(items, step).ok()?.first()?.index()];
                1
            }
            _ => return None,
        };
        rest = &rest[taken..];
    }
    Some(node)
}

/// Makes the changes that are about the scenario's file, or those about the gateway's config.
///
/// # Errors
/// A [`Problem`] about the first change that does not fit.
pub fn apply(edits: &[Edit], of_gateway: bool, root: &mut Node) -> Result<(), Problem> {
    for (index, edit) in edits.iter().enumerate().filter(|(_, edit)| edit.is_about_gateway() == of_gateway) {
        edit.apply(index, root).map_err(|wrong| wrong.about_source(edit.source()))?;
    }
    Ok(())
}

/// The same for a file that differs from a base: each change is made in the one of the two that says the field.
///
/// # Errors
/// A [`Problem`] about the first change that does not fit.
pub fn apply_layered(edits: &[Edit], own: &mut Node, base: &mut Node) -> Result<(), Problem> {
    for (index, edit) in edits.iter().enumerate().filter(|(_, edit)| !edit.is_about_gateway()) {
        let root = if edit.is_about_base(own, base) { &mut *base } else { &mut *own };
        edit.apply(index, root).map_err(|wrong| wrong.about_source(edit.source()))?;
    }
    Ok(())
}

/// A part of a traffic class or key that is not there would be a new one, without all that makes it one: that is a
/// slip.
fn check_name(root: &Node, steps: &[Step]) -> Result<(), Wrong> {
    const NAMED: [&str; 2] = ["traffic", "keys"];
    let Some((first, rest)) = steps.split_first().filter(|(first, _)| NAMED.contains(&&*first.text)) else {
        return Ok(());
    };
    let entries = root.get(&first.text).map(Node::entries).unwrap_or_default();
    if rest.len() < 2 || apply::find(entries, rest).0.is_some() {
        return Ok(());
    }
    let name = secret::masked_path(&rest[0].text);
    let mut wrong = apply::missing(&rest[0], entries.iter().map(|entry| &*entry.key));
    wrong.help.push_str(&format!("; to add one, set it as a whole: `{}.{name}={{…}}`", first.text));
    Err(wrong)
}

/// The place of an edit's part in a tree, until [`tell_places`]: the bytes in the edit's text, and its number in the
/// column.
const fn mark(edit: usize, start: usize, end: usize) -> Span {
    Span { start, end, line: 0, column: edit + 1 }
}

/// The number of the edit that a place belongs to.
pub const fn edit_of(span: Span) -> Option<usize> {
    if span.line == 0 { span.column.checked_sub(1) } else { None }
}

/// What is said about places in edits points into their texts, which are added to the sources.
pub fn tell_places(edits: &[Edit], diagnostics: &mut [Diagnostic], sources: &mut Vec<Source>) {
    for diagnostic in diagnostics {
        let Some(edit) = edit_of(diagnostic.span).and_then(|index| edits.get(index)) else { continue };
        let source = edit.source();
        let start = edit.shown.floor_char_boundary(diagnostic.span.start.min(edit.shown.len()));
        let (line, column) = line_and_column(&edit.shown, start);
        let end = diagnostic.span.end.clamp(start, edit.shown.len());
        diagnostic.span = Span { start, end, line, column };
        diagnostic.file = source.name.clone();
        if !sources.iter().any(|known| known.name == source.name) {
            sources.push(source);
        }
    }
}

fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// What is wrong with an edit, and where in its text.
struct Wrong {
    at: std::ops::Range<usize>,
    message: String,
    help: String,
}

impl Wrong {
    fn about(self, flag: &str, text: &str) -> Problem {
        let path = path::without_value(text);
        let path_shown = secret::masked_path(path);
        let is_secret = path.len() < text.len() && secret::is_in(text);
        let shown = if is_secret { format!("{path_shown}={MASK}") } else { path_shown.clone() + &text[path.len()..] };
        self.about_source(Source::quotable(&title(flag, &path_shown), &shown))
    }

    fn about_source(self, source: Source) -> Problem {
        let start = source.text.floor_char_boundary(self.at.start.min(source.text.len()));
        let (line, column) = line_and_column(&source.text, start);
        let mut span = span_at(&source.text, line, column);
        span.end = span.end.max(self.at.end.min(source.text.len()));
        Problem::in_file(vec![error(codes::EDIT, &source.name, span, self.message, &self.help)], &source)
    }
}

/// Moves the places of a value to where it stands in the edit's text.
fn place(node: &mut Node, value_at: usize) {
    node.span.start += value_at;
    node.span.end += value_at;
    match &mut node.value {
        Value::Seq(items) => items.iter_mut().for_each(|item| place(item, value_at)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| {
            entry.key_span.start += value_at;
            entry.key_span.end += value_at;
            place(&mut entry.value, value_at);
        }),
        _ => {}
    }
}

/// As it is shown: values may be secrets.
impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.flag, self.shown)
    }
}

#[cfg(test)]
mod tests;

//! The path of an edit: keys with points between them, and elements of lists in brackets.

use std::ops::Range;

use crate::document::MAX_DEPTH;
use crate::scenario::edit::Wrong;

/// One step into a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// A key, or what stands between brackets.
    pub(super) text: String,
    /// How it is written.
    pub(super) kind: Kind,
    /// Its bytes in the edit's text.
    pub(super) at: Range<usize>,
}

/// How a step is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `key`: with the steps after it, it may be a key that has points in it.
    Plain,
    /// `"key"`
    Quoted,
    /// `[element]`
    Bracket,
    /// `["element"]`: a name, even if it is made of digits.
    QuotedBracket,
}

/// Reads a path up to its `=`; says where the value begins, if there is one.
pub(super) fn read(text: &str) -> Result<(Vec<Step>, Option<usize>), Wrong> {
    let mut steps = Vec::new();
    let mut at = 0;
    loop {
        let step = step(text, at)?;
        at = step.at.end;
        steps.push(step);
        if steps.len() > MAX_DEPTH {
            let message = format!("the path is deeper than files may be: it has more than {MAX_DEPTH} steps");
            return Err(Wrong { at: 0..at, message, help: String::new() });
        }
        match text[at..].chars().next() {
            None => return Ok((steps, None)),
            Some('=') => return Ok((steps, Some(at + 1))),
            Some('.') => at += 1,
            Some('[') => {}
            Some(other) => {
                let message = format!("`{other}` cannot stand here; expected `.`, `[` or `=`");
                return Err(Wrong { at: at..at + other.len_utf8(), message, help: String::new() });
            }
        }
    }
}

fn step(text: &str, at: usize) -> Result<Step, Wrong> {
    let rest = &text[at..];
    match rest.chars().next() {
        Some('[') => bracket(text, at),
        Some(quote @ ('"' | '\'')) => {
            let (inner, end) = quoted(text, at, quote)?;
            Ok(Step { text: inner, kind: Kind::Quoted, at: at..end })
        }
        _ => {
            let length = rest.find(['.', '[', '=']).unwrap_or(rest.len());
            let word = rest[..length].trim();
            if word.is_empty() {
                let message = "a key is missing here".to_owned();
                let help = "a path is written like `gateway.router_settings.num_retries`".to_owned();
                return Err(Wrong { at: at..at + length.max(1), message, help });
            }
            Ok(Step { text: word.to_owned(), kind: Kind::Plain, at: at..at + length })
        }
    }
}

fn bracket(text: &str, at: usize) -> Result<Step, Wrong> {
    let inside = at + 1;
    if let Some(quote @ ('"' | '\'')) = text[inside..].chars().next() {
        let (inner, end) = quoted(text, inside, quote)?;
        if !text[end..].starts_with(']') {
            return Err(open(at, text));
        }
        return Ok(Step { text: inner, kind: Kind::QuotedBracket, at: at..end + 1 });
    }
    let length = text[inside..].find(']').ok_or_else(|| open(at, text))?;
    let inner = text[inside..inside + length].trim();
    let end = inside + length + 1;
    if inner.is_empty() {
        let message = "an element is missing here".to_owned();
        let help = "write its number from 0, its name, `*` for all or `+` for a new one".to_owned();
        return Err(Wrong { at: at..end, message, help });
    }
    Ok(Step { text: inner.to_owned(), kind: Kind::Bracket, at: at..end })
}

fn quoted(text: &str, at: usize, quote: char) -> Result<(String, usize), Wrong> {
    let inside = at + 1;
    match text[inside..].find(quote) {
        Some(length) => Ok((text[inside..inside + length].to_owned(), inside + length + 1)),
        None => {
            let message = format!("the quote {quote} has no end");
            Err(Wrong { at: at..text.len(), message, help: String::new() })
        }
    }
}

fn open(at: usize, text: &str) -> Wrong {
    Wrong { at: at..text.len(), message: "the bracket has no end".to_owned(), help: "close it with `]`".to_owned() }
}

/// The path alone, as it is written.
pub(super) fn without_value(text: &str) -> &str {
    match read(text) {
        Ok((_, Some(value_at))) => &text[..value_at - 1],
        Ok((_, None)) => text,
        Err(_) => text.split('=').next().unwrap_or_default(),
    }
}

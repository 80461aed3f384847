//! YAML events to a tree: aliases with a budget, merge keys, duplicate keys (the last one counts, as in Python).

use crate::diagnostic::codes;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::document::MAX_DEPTH;
use crate::document::node::{Entry, Node, Value};
use crate::document::scalar::{Decimal, Unreadable, resolve};
use crate::document::text::{Failure, check_printable, check_values, failure, span_at};
use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};
use std::borrow::Cow;
use std::collections::HashMap;

/// How much anchors and aliases may add to a document, in units of about 32 bytes.
const ALIAS_BUDGET: usize = 500_000;

/// Reads the one document of a text.
pub(super) fn read(file: &str, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Result<Node, Failure> {
    check_printable(file, text)?;
    let mut builder = Builder::new(file, text, diagnostics);
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| builder.syntax_error(&error))?;
        let place = builder.place(span.tag_start.unwrap_or(span.start), span.end);
        builder.take(event, place)?;
    }
    builder.check_tabs()?;
    builder.root.filter(|root| !root.is_null()).ok_or_else(|| {
        let start = Span { line: 1, column: 1, ..Span::default() };
        failure(file, codes::EMPTY, start, "the file holds nothing".into(), "write the configuration into it")
    })
}

/// A collection whose end has not come yet.
struct Open {
    start: Span,
    anchor: usize,
    content: Content,
}

enum Content {
    Seq(Vec<Node>),
    Map(OpenMap),
}

#[derive(Default)]
struct OpenMap {
    entries: Vec<Entry>,
    index: HashMap<Box<str>, usize>,
    merged: Vec<Entry>,
    key: Option<Key>,
}

/// A key that waits for its value.
enum Key {
    Plain(Box<str>, Span),
    Merge(Span),
}

struct Builder<'a> {
    file: &'a str,
    text: &'a str,
    /// Where a tab may stand: in quotes, in block scalars, in comments.
    tabs_allowed: Vec<Span>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    alias_cost: usize,
    values: usize,
    documents: usize,
    root: Option<Node>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl<'a> Builder<'a> {
    fn new(file: &'a str, text: &'a str, diagnostics: &'a mut Vec<Diagnostic>) -> Self {
        Self {
            file,
            text,
            tabs_allowed: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            alias_cost: 0,
            values: 0,
            documents: 0,
            root: None,
            diagnostics,
        }
    }

    fn place(&self, start: Marker, end: Marker) -> Span {
        let byte = |marker: Marker| marker.byte_offset().unwrap_or(0).min(self.text.len());
        let from = byte(start);
        Span { start: from, end: byte(end).max(from), line: start.line(), column: start.col() + 1 }
    }

    fn fail<T>(&self, code: &'static str, span: Span, message: String, help: &str) -> Result<T, Failure> {
        Err(failure(self.file, code, span, message, help))
    }

    fn syntax_error(&self, error: &ScanError) -> Failure {
        let span = self.place(*error.marker(), *error.marker());
        let message = format!("this is not YAML: {}", error.info());
        let help = "check the indentation (spaces, never tabs), quotes and brackets here and on the line before";
        failure(self.file, codes::SYNTAX, span, message, help)
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Failure> {
        match event {
            Event::DocumentStart(..) => self.start_document(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, tag, anchor, span),
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), span)?;
                self.open(Content::Seq(Vec::new()), anchor, span)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), span)?;
                self.open(Content::Map(OpenMap::default()), anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Comment(..) => {
                self.tabs_allowed.push(span);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// YAML lets tabs separate tokens; PyYAML does not.
    fn check_tabs(&mut self) -> Result<(), Failure> {
        if !self.text.contains('\t') {
            return Ok(());
        }
        self.tabs_allowed.sort_unstable_by_key(|span| span.start);
        let mut from = 0;
        for to in self.tabs_allowed.iter().chain([&Span { start: self.text.len(), ..Span::default() }]) {
            let gap = self.text.get(from..to.start).unwrap_or_default();
            if let Some(at) = gap.find('\t') {
                let span = span_at(self.text, from + at);
                let message = "a tab: only spaces may stand here".into();
                return self.fail(codes::SYNTAX, span, message, "replace the tab with spaces");
            }
            from = from.max(to.end);
        }
        Ok(())
    }

    fn start_document(&mut self, span: Span) -> Result<(), Failure> {
        self.documents += 1;
        if self.documents < 2 {
            return Ok(());
        }
        let message = "a second document starts here; one file holds one document".into();
        self.fail(codes::SYNTAX, span, message, "remove the `---`, or split the file")
    }

    fn open(&mut self, content: Content, anchor: usize, start: Span) -> Result<(), Failure> {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} levels deep");
            return self.fail(codes::TOO_DEEP, start, message, "no configuration needs this");
        }
        self.open.push(Open { start, anchor, content });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Failure> {
        let Some(Open { start, anchor, content }) = self.open.pop() else { return Ok(()) };
        let value = match content {
            Content::Seq(items) => Value::Seq(items),
            Content::Map(map) => Value::Map(map.finish()),
        };
        let end = match &value {
            Value::Seq(items) => items.last().map(|item| item.span.end),
            Value::Map(entries) => entries.last().map(|entry| entry.value.span.end),
            _ => None,
        };
        let span = Span { end: end.unwrap_or(start.end).max(start.end), ..start };
        self.add(Node { span, value }, anchor)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Failure> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return self.fail(codes::SYNTAX, span, "an alias that stands for a part of itself".into(), "");
        };
        self.spend(&node, span)?;
        self.add(node, 0)
    }

    /// Counts what a copy costs, so that aliases of aliases cannot fill the memory.
    fn spend(&mut self, node: &Node, span: Span) -> Result<(), Failure> {
        self.alias_cost += node.weight();
        if self.alias_cost <= ALIAS_BUDGET {
            return Ok(());
        }
        let message = "the aliases of this file stand for too much text".into();
        self.fail(codes::TOO_DEEP, span, message, "write the values out")
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<Cow<'_, Tag>>,
        anchor: usize,
        span: Span,
    ) -> Result<(), Failure> {
        self.check_tag(tag.as_deref(), span)?;
        let is_plain = style == ScalarStyle::Plain && tag.is_none();
        if style != ScalarStyle::Plain {
            self.tabs_allowed.push(span);
        }
        if is_plain && text == "<<" && self.wants_key() {
            self.set_key(Key::Merge(span));
            return Ok(());
        }
        let value = match tag.as_deref() {
            Some(tag) => tagged(text, tag.suffix()),
            None if is_plain => resolve(text),
            None => Ok(Value::Str(text.into())),
        };
        let value =
            value.or_else(|Unreadable(what)| self.fail(codes::SYNTAX, span, what.into(), "put it in quotes"))?;
        let span = if text.is_empty() && is_plain { self.empty_place(span) } else { span };
        self.add(Node { span, value }, anchor)
    }

    /// An omitted value is placed at its key, not at whatever comes next.
    fn empty_place(&self, span: Span) -> Span {
        match self.open.last().map(|open| &open.content) {
            Some(Content::Map(OpenMap { key: Some(Key::Plain(_, key)), .. })) => *key,
            _ => span,
        }
    }

    fn check_tag(&self, tag: Option<&Tag>, span: Span) -> Result<(), Failure> {
        const KNOWN: [&str; 12] =
            ["str", "int", "float", "bool", "null", "seq", "map", "set", "omap", "pairs", "binary", "timestamp"];
        let is_known = |tag: &Tag| tag.is_yaml_core_schema() && KNOWN.contains(&tag.suffix());
        match tag {
            Some(tag) if !is_known(tag) => {
                let message = "a tag that a configuration cannot have".into();
                self.fail(codes::SYNTAX, span, message, "remove the word that starts with `!`, or quote the text")
            }
            _ => Ok(()),
        }
    }

    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Map(OpenMap { key: None, .. }), .. }))
    }

    fn set_key(&mut self, key: Key) {
        if let Some(Open { content: Content::Map(map), .. }) = self.open.last_mut() {
            map.key = Some(key);
        }
    }

    /// Puts a finished value where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Failure> {
        self.values += 1;
        check_values(self.file, self.values, node.span)?;
        if anchor > 0 {
            self.spend(&node, node.span)?;
            self.anchors.insert(anchor, node.clone());
        }
        if self.wants_key() {
            return self.add_key(&node);
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::Seq(items)) => items.push(node),
            Some(Content::Map(map)) => match map.key.take() {
                Some(Key::Merge(span)) => return self.merge(node, span),
                Some(Key::Plain(key, key_span)) => {
                    let earlier = map.insert(Entry { key, key_span, value: node });
                    self.warn_of_duplicate(earlier, key_span);
                }
                None => {}
            },
        }
        Ok(())
    }

    fn add_key(&mut self, node: &Node) -> Result<(), Failure> {
        let Some(text) = python_key(&node.value) else {
            let message = format!("{} cannot be a key", node.kind());
            return self.fail(codes::SYNTAX, node.span, message, "quote it if it is meant as text");
        };
        if node.as_str().is_none() {
            let message = format!("this key is read as {}, not as text", node.kind());
            self.warn(codes::KEY_NOT_TEXT, node.span, message, "put it in quotes");
        }
        self.set_key(Key::Plain(text, node.span));
        Ok(())
    }

    fn merge(&mut self, node: Node, span: Span) -> Result<(), Failure> {
        let sources = match node.value {
            Value::Map(entries) => vec![entries],
            // The first map of a list wins, so it is taken last.
            Value::Seq(items) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => {
                items.into_iter().rev().filter_map(|item| into_entries(item.value)).collect()
            }
            _ => {
                let message = "`<<` needs a map, or a list of maps, to merge in".into();
                return self.fail(codes::SYNTAX, span, message, "give it an alias of a map: `<<: *name`");
            }
        };
        if let Some(Open { content: Content::Map(map), .. }) = self.open.last_mut() {
            map.merged.extend(sources.into_iter().flatten());
        }
        Ok(())
    }

    fn warn_of_duplicate(&mut self, earlier: Option<Span>, span: Span) {
        if let Some(earlier) = earlier {
            let message = format!("this key stands twice in the same map: the value of line {} is lost", earlier.line);
            self.warn(codes::DUPLICATE_KEY, span, message, "keep one of them");
        }
    }

    fn warn(&mut self, code: &'static str, span: Span, message: String, help: &str) {
        let severity = Severity::Warning;
        let file = self.file.into();
        self.diagnostics.push(Diagnostic { code, severity, file, span, message, help: Some(help.into()) });
    }
}

impl OpenMap {
    /// Adds an entry, or replaces the value of one with the same key; then tells where that key stood.
    fn insert(&mut self, entry: Entry) -> Option<Span> {
        if let Some(at) = self.index.get(&entry.key) {
            let earlier = self.entries[*at].key_span;
            self.entries[*at] = entry;
            return Some(earlier);
        }
        self.index.insert(entry.key.clone(), self.entries.len());
        self.entries.push(entry);
        None
    }

    /// The entries: merged ones first, overridden by those written here.
    fn finish(self) -> Vec<Entry> {
        if self.merged.is_empty() {
            return self.entries;
        }
        let mut all = Self::default();
        for entry in self.merged.into_iter().chain(self.entries) {
            all.insert(entry);
        }
        all.entries
    }
}

fn into_entries(value: Value) -> Option<Vec<Entry>> {
    match value {
        Value::Map(entries) => Some(entries),
        _ => None,
    }
}

/// The key as Python prints it; `None` for what Python cannot hash.
fn python_key(value: &Value) -> Option<Box<str>> {
    Some(match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Int(number) => number.to_string().into(),
        Value::Float(number) => number.text.clone(),
        Value::Date(text) | Value::Str(text) => text.clone(),
        Value::Seq(_) | Value::Map(_) => return None,
    })
}

/// A scalar with an explicit tag such as `!!str`.
fn tagged(text: &str, tag: &str) -> Result<Value, Unreadable> {
    match tag {
        "float" => Decimal::parse(text).map_or_else(|| resolve(text), |number| Ok(Value::Float(number))),
        "int" | "bool" | "null" | "timestamp" => resolve(text),
        _ => Ok(Value::Str(text.into())),
    }
}

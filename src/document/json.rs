//! JSON to a tree. Like Python's `json.load` it takes `NaN` and `Infinity`, and the last of two equal keys.

use crate::diagnostic::codes;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::document::MAX_DEPTH;
use crate::document::node::{Entry, Node, Value};
use crate::document::scalar::Decimal;
use crate::document::text::{Failure, check_values, failure, span_at};
use std::collections::HashMap;

/// Reads the one value of a text.
pub(super) fn read(file: &str, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Result<Node, Failure> {
    let mut reader = Reader { file, text, at: 0, line: 1, line_start: 0, continuation: 0, values: 0, diagnostics };
    reader.skip_space();
    if reader.at == text.len() {
        let start = Span { line: 1, column: 1, ..Span::default() };
        return Err(failure(file, codes::EMPTY, start, "the file holds nothing".into(), ""));
    }
    let node = reader.value(0)?;
    reader.skip_space();
    if reader.at < text.len() { Err(reader.expected("the end of the file")) } else { Ok(node) }
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    at: usize,
    line: usize,
    line_start: usize,
    /// Bytes since the start of the line that do not start a character.
    continuation: usize,
    values: usize,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) = self.peek() {
            self.at += 1;
            if byte == b'\n' {
                self.line += 1;
                self.line_start = self.at;
                self.continuation = 0;
            }
        }
    }

    fn here(&self) -> Span {
        let column = self.at - self.line_start - self.continuation + 1;
        Span { start: self.at, end: self.at, line: self.line, column }
    }

    fn expected(&self, what: &str) -> Failure {
        let found = match self.text[self.at..].chars().next() {
            None => "the end of the file".to_owned(),
            Some(c) if c.is_control() => format!("U+{:04X}", u32::from(c)),
            Some(c) => format!("`{c}`"),
        };
        let message = format!("this is not JSON: expected {what}, found {found}");
        failure(self.file, codes::SYNTAX, span_at(self.text, self.at), message, "")
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node, Failure> {
        let start = self.here();
        if depth > MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} levels deep");
            return Err(failure(self.file, codes::TOO_DEEP, start, message, ""));
        }
        self.values += 1;
        check_values(self.file, self.values, start)?;
        let value = match self.peek() {
            Some(b'{') => self.map(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Str(self.string()?),
            _ => self.word()?,
        };
        Ok(Node { span: Span { end: self.at, ..start }, value })
    }

    fn list(&mut self, depth: usize) -> Result<Value, Failure> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.eat(b']') {
            return Ok(Value::Seq(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.eat(b']') {
                return Ok(Value::Seq(items));
            }
            if !self.eat(b',') {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Failure> {
        self.at += 1;
        let mut entries: Vec<Entry> = Vec::new();
        let mut index = HashMap::new();
        self.skip_space();
        if self.eat(b'}') {
            return Ok(Value::Map(entries));
        }
        loop {
            let entry = self.entry(depth)?;
            match index.get(&entry.key).copied() {
                Some(at) => {
                    let replaced: &mut Entry = &mut entries[at];
                    self.warn_of_duplicate(replaced.key_span, entry.key_span);
                    *replaced = entry;
                }
                None => {
                    index.insert(entry.key.clone(), entries.len());
                    entries.push(entry);
                }
            }
            self.skip_space();
            if self.eat(b'}') {
                return Ok(Value::Map(entries));
            }
            if !self.eat(b',') {
                return Err(self.expected("`,` or `}`"));
            }
        }
    }

    fn entry(&mut self, depth: usize) -> Result<Entry, Failure> {
        self.skip_space();
        let start = self.here();
        if self.peek() != Some(b'"') {
            return Err(self.expected("a key in double quotes"));
        }
        let key = self.string()?;
        let key_span = Span { end: self.at, ..start };
        self.skip_space();
        if !self.eat(b':') {
            return Err(self.expected("`:`"));
        }
        self.skip_space();
        Ok(Entry { key, key_span, value: self.value(depth + 1)? })
    }

    fn warn_of_duplicate(&mut self, earlier: Span, span: Span) {
        self.diagnostics.push(Diagnostic {
            code: codes::DUPLICATE_KEY,
            severity: Severity::Warning,
            file: self.file.into(),
            span,
            message: format!("this key stands twice in the same map: the value of line {} is lost", earlier.line),
            help: Some("keep one of them".into()),
        });
    }

    fn string(&mut self) -> Result<Box<str>, Failure> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let run = self.plain_run();
            text.push_str(run);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text.into());
                }
                Some(b'\\') => text.push(self.escape()?),
                _ => return Err(self.expected("the closing `\"` of a text")),
            }
        }
    }

    /// The characters up to the next quote, escape or control character.
    fn plain_run(&mut self) -> &str {
        let bytes = &self.text.as_bytes()[self.at..];
        let length = bytes.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)).unwrap_or(bytes.len());
        self.continuation += bytes[..length].iter().filter(|b| (**b & 0xc0) == 0x80).count();
        let start = self.at;
        self.at += length;
        &self.text[start..self.at]
    }

    fn escape(&mut self) -> Result<char, Failure> {
        self.at += 1;
        let escaped = self.peek();
        let plain = match escaped {
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.expected("an escape such as `\\n` or `\\u0041`")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// `\uXXXX`, or a pair of them for characters beyond 16 bits; a lone half becomes U+FFFD.
    fn unicode_escape(&mut self) -> Result<char, Failure> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) || !self.text[self.at..].starts_with("\\u") {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let back = self.at;
        self.at += 1;
        let second = self.hex()?;
        if !(0xdc00..0xe000).contains(&second) {
            self.at = back;
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let combined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        Ok(char::from_u32(combined).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// `uXXXX`
    fn hex(&mut self) -> Result<u32, Failure> {
        let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
        let digits = digits.filter(|d| d.iter().all(u8::is_ascii_hexdigit)).and_then(|d| std::str::from_utf8(d).ok());
        let value = digits.and_then(|d| u32::from_str_radix(d, 16).ok());
        let value = value.ok_or_else(|| self.expected("four hexadecimal digits after `\\u`"))?;
        self.at += 5;
        Ok(value)
    }

    /// `null`, `true`, `false` or a number.
    fn word(&mut self) -> Result<Value, Failure> {
        let rest = &self.text[self.at..];
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let value = match &rest[..length] {
            "null" => Some(Value::Null),
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "NaN" => Decimal::parse("nan").map(Value::Float),
            "Infinity" => Decimal::parse("inf").map(Value::Float),
            "-Infinity" => Decimal::parse("-inf").map(Value::Float),
            number => number_value(number),
        };
        let value = value.ok_or_else(|| self.expected("a value"))?;
        self.at += length;
        Ok(value)
    }
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
fn number_value(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(unsigned[at + 1..].trim_start_matches(['+', '-']))),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let no_leading_zero = whole.len() == 1 || !whole.starts_with('0');
    if !digits(whole) || !no_leading_zero || !fraction.is_none_or(digits) || !exponent.is_none_or(digits) {
        return None;
    }
    let is_int = fraction.is_none() && exponent.is_none();
    text.parse().ok().filter(|_| is_int).map(Value::Int).or_else(|| Decimal::parse(text).map(Value::Float))
}

//! Quoted lines without secrets. A file that cannot be parsed is quoted too, so this looks at text, not at a tree, and
//! rather masks too much: values of keys that sound secret, whatever looks like a credential, and
//! every text that does not stand under a key known to hold none.

use crate::diagnostic::Span;
use crate::diagnostic::secrets::{MASK, OF_NAMES, SHOWN, closing_quote, found_in, is_secret_key, merged, names_place};
use std::ops::Range;

/// Bytes shown before and after a place in a long line.
const CONTEXT: usize = 100;

/// Of a line that is longer nothing is quoted: to know what is secret in it, all of it has to be
/// looked at for each finding.
const LONGEST: usize = 128 * 1024;

/// Lines that are looked at above a line to learn what it belongs to.
const LINES_ABOVE: usize = 2000;

/// A line to quote, and the bytes of it to underline.
pub(super) struct Excerpt {
    pub(super) line: String,
    pub(super) marked: Range<usize>,
}

/// The masked line of a span; of a long line only what is near.
/// In a file that cannot be parsed no key may be known for the words of a line: `strict` masks those.
pub(super) fn excerpt(source: &str, span: Span, strict: bool) -> Excerpt {
    let has_explicit_keys = source.contains('?') && source.lines().any(has_explicit_key);
    cut(source, span, |before, line| match keyless_words(line).filter(|_| strict) {
        _ if has_explicit_keys => line.find(char::is_alphanumeric).map(|first| first..line.len()).into_iter().collect(),
        Some(words) => vec![words],
        None => secrets(before, line),
    })
}

/// Whether a key stands behind a question mark, and its value behind a colon on another line: then nothing is quoted,
/// for nobody looks for keys there.
fn has_explicit_key(line: &str) -> bool {
    line.match_indices('?').any(|(at, _)| {
        let (before, after) = (line[..at].trim_end(), &line[at + 1..]);
        let begins = before.is_empty() || before.ends_with(['-', '{', '[', ',']);
        begins && (after.is_empty() || after.starts_with(char::is_whitespace))
    })
}

/// The line of a span as it is, but for what looks like a credential; of a long line only what is near.
pub(super) fn plain(source: &str, span: Span) -> Excerpt {
    cut(source, span, |_, line| found_in(line))
}

fn cut(source: &str, span: Span, secrets: impl Fn(&str, &str) -> Vec<Range<usize>>) -> Excerpt {
    let start = source.floor_char_boundary(span.start.min(source.len()));
    let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
    let line = source[line_start..line_end].trim_end_matches('\r');
    let mark = (start - line_start).min(line.len());
    let mark_end = span.end.saturating_sub(line_start).clamp(mark, line.len());
    let shown = line.floor_char_boundary(mark.saturating_sub(CONTEXT))..line.ceil_char_boundary(mark + CONTEXT);
    let is_long = line.len() > LONGEST;
    let secrets = if is_long { std::iter::once(0..line.len()).collect() } else { secrets(&source[..line_start], line) };
    let moved = |at: usize| moved(at.min(shown.end), &secrets) - moved(shown.start, &secrets);
    let out = masked(line, shown.clone(), &secrets);
    let start = out.floor_char_boundary(moved(mark).min(out.len()));
    let end = out.ceil_char_boundary(moved(mark_end).clamp(start, out.len()));
    Excerpt { line: out, marked: start..end }
}

/// A part of a line with the secrets replaced.
fn masked(line: &str, shown: Range<usize>, secrets: &[Range<usize>]) -> String {
    let mut out = String::new();
    let mut at = shown.start;
    for secret in secrets.iter().filter(|secret| secret.end > shown.start && secret.start < shown.end) {
        out.push_str(&line[at..secret.start.max(at)]);
        out.push_str(MASK);
        at = secret.end;
    }
    out.push_str(line.get(at..shown.end).unwrap_or_default());
    // Same length in bytes, so that places stay where they are.
    let harmless = |c: char| {
        if !c.is_control() {
            c
        } else if c.len_utf8() == 1 {
            ' '
        } else {
            '·'
        }
    };
    out.chars().map(harmless).collect()
}

/// Where a byte of the line stands once the secrets are replaced.
fn moved(at: usize, secrets: &[Range<usize>]) -> usize {
    let mut removed = 0;
    let mut added = 0;
    for secret in secrets.iter().take_while(|secret| secret.start < at) {
        removed += secret.end.min(at) - secret.start;
        added += MASK.len();
    }
    at + added - removed
}

/// The bytes of a line that may be secret: in order, without overlap.
fn secrets(before: &str, line: &str) -> Vec<Range<usize>> {
    let above = enclosing_keys(before, line);
    let holds_names = above.iter().any(|key| OF_NAMES.contains(key));
    let is_shown = |key: &str| holds_names || SHOWN.contains(&key);
    let continues_unknown = above.first().is_some_and(|key| !is_shown(key)) && keys(line).is_empty();
    if continues_unknown || above.iter().any(|key| is_secret_key(key)) {
        let start = keys(line).first().map_or_else(|| indent(line), |(_, value)| *value);
        let rest = std::iter::once(start..line.len());
        return words_before_keys(line).into_iter().chain(rest).collect();
    }
    let mut found = Vec::new();
    if !holds_names {
        found.extend(words_before_keys(line));
    }
    values_of_keys(line, holds_names, &mut found);
    found.extend(found_in(line));
    merged(found)
}

/// From the first to the last word of a line without keys.
fn keyless_words(line: &str) -> Option<Range<usize>> {
    let first = line.find(char::is_alphanumeric)?;
    let last = line.rfind(char::is_alphanumeric)?;
    keys(line).iter().all(|(name, _)| name.is_empty()).then(|| first..line.ceil_char_boundary(last + 1))
}

/// The end of a value that began on a line above, in a line that goes on with keys.
fn words_before_keys(line: &str) -> Option<Range<usize>> {
    let (name, _) = keys(line).first()?.clone();
    let first = line[..name.start].find(char::is_alphanumeric)?;
    Some(first..name.start)
}

/// The keys that a line belongs to, the nearest first: by indentation, or because a key above has no value yet.
fn enclosing_keys<'a>(before: &'a str, line: &str) -> Vec<&'a str> {
    let mut depth = indent(line);
    let mut found = Vec::new();
    let lines = before.lines().rev().take(LINES_ABOVE).filter(|above| !above.trim().is_empty());
    for (distance, above) in lines.enumerate() {
        let is_outside = indent(above) < depth;
        if !is_outside && distance > 0 {
            continue;
        }
        match keys(above).last() {
            Some((name, value)) if is_outside || *value == above.len() => {
                depth = depth.min(indent(above));
                found.push(&above[name.clone()]);
            }
            None if is_outside => depth = indent(above).max(1),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// Columns before the text; the dash of a list counts as indentation of what it holds.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// The keys in a line, in block or flow style, with the bytes where their values start.
fn keys(line: &str) -> Vec<(Range<usize>, usize)> {
    let bytes = line.as_bytes();
    let mut found = Vec::new();
    for (colon, _) in line.match_indices(':') {
        let next = bytes.get(colon + 1);
        let quoted = colon > 0 && matches!(bytes[colon - 1], b'"' | b'\'');
        if !(quoted || next.is_none_or(|b| matches!(b, b' ' | b'\t' | b'\r' | b'"' | b'\'' | b'[' | b'{'))) {
            continue;
        }
        let end = if quoted { colon - 1 } else { colon };
        let name = line[..end].rfind(['{', ',', '"', '\'', ' ', '[']).map_or(0, |at| at + 1);
        let value = colon + 1 + line[colon + 1..].len() - line[colon + 1..].trim_start().len();
        found.push((name..end, value));
    }
    found
}

fn is_shown(name: &str, text: &str) -> bool {
    SHOWN.contains(&name) || names_place(name, text)
}

/// Values of keys in a line that sound secret, and texts that are not known to be none, unless all are shown.
fn values_of_keys(line: &str, all_shown: bool, found: &mut Vec<Range<usize>>) {
    let mut all_shown = all_shown;
    let mut hidden_until = 0;
    for (name, value) in keys(line) {
        let name = &line[name];
        all_shown |= OF_NAMES.contains(&name);
        let is_address = name.ends_with("url") || name == "api_base";
        // A collection is hidden as a whole or not at all; where it ends is not looked for in
        // vain, as lines may be long.
        if value < hidden_until {
            continue;
        }
        let may_hide_texts = !all_shown && !SHOWN.contains(&name) && is_list_of_words(&line[value..]);
        let is_open = line[value..].starts_with(['[', '{']) && !is_secret_key(name) && !is_address && !may_hide_texts;
        if is_open {
            continue;
        }
        let end = value_end(line, value);
        let text = &line[value..end];
        let is_reference = text.trim_matches(['"', '\'']).starts_with("os.environ/");
        let is_plain = matches!(text, "true" | "false" | "null" | "~" | "");
        let is_number = text.parse::<f64>().is_ok();
        let is_collection = text.starts_with(['[', '{']) && !may_hide_texts;
        let is_hidden = !all_shown && !is_number && !is_collection && !is_shown(name, text);
        let is_no_address = is_address && !text.contains("://");
        if !is_reference && !is_plain && (is_secret_key(name) || is_hidden || is_no_address) {
            found.push(value..end);
            hidden_until = end;
        }
    }
}

/// Whether a list begins with a text of its own: those have no keys that say what they are.
fn is_list_of_words(text: &str) -> bool {
    let Some(first) = text.strip_prefix('[') else { return false };
    let first = first.trim_start_matches([' ', '\t', '[']);
    !first.is_empty() && !first.starts_with(['{', ']']) && first[..number_end(first)].parse::<f64>().is_err()
}

/// The length of what may be a number.
fn number_end(text: &str) -> usize {
    text.find([',', ']', ' ']).unwrap_or(text.len())
}

/// Where a value that starts at a byte ends: at the quote, at the end of the collection, or of the line.
fn value_end(line: &str, start: usize) -> usize {
    let rest = &line[start..];
    let len = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => closing_quote(rest, quote),
        Some('{' | '[') => closing_bracket(rest),
        Some('|' | '>' | '&' | '!') => rest.len(),
        _ if line[..start].contains(['{', '[']) => rest.find([',', '}', ']']).unwrap_or(rest.len()),
        _ => rest.find(" #").unwrap_or(rest.len()),
    };
    start + rest[..len].trim_end().len()
}

/// The length of a collection with its brackets; to the end when it is not closed.
fn closing_bracket(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' | '\'' => {
                at += closing_quote(&text[at..], c);
                continue;
            }
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            _ => {}
        }
        at += c.len_utf8();
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked_line(before: &str, line: &str) -> String {
        masked(line, 0..line.len(), &secrets(before, line))
    }

    #[test]
    fn where_keys_stand_behind_question_marks_nothing_is_quoted() {
        let explicit = [
            "? api_key\n: [hunter2]",
            "?\n  api_key\n: hunter2",
            "a: {?\tapi_key : [hunter2], b: 1}",
            "- ? k\n  : hunter2",
        ];
        for text in explicit {
            let start = text.find("hunter2").unwrap();
            let line = excerpt(text, Span { start, end: start + 7, ..Span::default() }, false).line;
            assert!(!line.contains("hunter2"), "{line}");
        }
        assert!(!has_explicit_key("base: really? yes") && !has_explicit_key("url: http://x/?a=b, c"));
    }

    #[test]
    fn values_of_secret_keys_are_masked_in_every_style() {
        let cases = [
            ("api_key: hunter2", "api_key: ***"),
            ("  - {model: a, \"api_key\": \"hun,ter2\", rpm: 5}", "  - {model: a, \"api_key\": ***, rpm: 5}"),
            ("{master_key: hunter2, num_retries: 3}", "{master_key: ***, num_retries: 3}"),
            ("api_key: hunter2 # mine", "api_key: *** # mine"),
            ("api_key: os.environ/OPENAI_KEY", "api_key: os.environ/OPENAI_KEY"),
            ("aws_secret_access_key: 'x''y' # z", "aws_secret_access_key: *** # z"),
            ("{\"api_key\":\"a\\\"b\",\"rpm\":5}", "{\"api_key\":***,\"rpm\":5}"),
            ("max_tokens: 5", "max_tokens: 5"),
            ("aws_region_name: us-gov-west-1", "aws_region_name: us-gov-west-1"),
            ("vertex_location: 'europe-west4' # z", "vertex_location: 'europe-west4' # z"),
            ("api_version: \"2024-08-01-preview\"", "api_version: \"2024-08-01-preview\""),
            ("base_model: azure/gpt-4o", "base_model: azure/gpt-4o"),
            // What is no region, and no version, may be anything.
            ("aws_region_name: us-hunter2", "aws_region_name: ***"),
            ("vertex_location: hunter2", "vertex_location: ***"),
            ("api_version: 2024-hunter2", "api_version: ***"),
            ("aws_secret_access_key: us-east-1", "aws_secret_access_key: ***"),
            ("vertex_project: us-east-1", "vertex_project: ***"),
            ("input_cost_per_token: 0.1", "input_cost_per_token: 0.1"),
            ("extra_headers: {Authorization: Bearer x}", "extra_headers: ***"),
            ("args: [\"--with\", hunter2] # z", "args: *** # z"),
            ("{a: {b: [[hunter2], [hunter3]]}, rpm: 5}", "{a: {b: ***}, rpm: 5}"),
            ("args: [hunter2,", "args: ***"),
            ("fallbacks: [{a: [b, c]}]", "fallbacks: [{a: [b, c]}]"),
            ("hours: [0, 1.5]", "hours: [0, 1.5]"),
            (
                "{extra_headers: {a: \"}\", b: [x]}, rpm: five, order: [1]}",
                "{extra_headers: ***, rpm: five, order: [1]}",
            ),
            ("{extra_headers: {a: {b: x}", "{extra_headers: ***"),
        ];
        for (line, expected) in cases {
            assert_eq!(masked_line("", line), expected);
        }
    }

    #[test]
    fn lines_inside_a_secret_value_are_masked() {
        let before = "environment_variables:\n  # notes\n";
        assert_eq!(masked_line(before, "  REDIS: hunter2"), "  REDIS: ***");
        assert_eq!(masked_line("vertex_credentials: |\n", "  line of it"), "  ***");
        assert_eq!(masked_line("{\"api_key\":\n", "\"hunter2\"}"), "***");
        assert_eq!(masked_line("    api_key:\n", "      hunter2"), "      ***");
        assert_eq!(masked_line("a:\n  api_key: x\n", "  model: gpt"), "  model: gpt");
    }

    #[test]
    fn credentials_are_masked_wherever_they_stand() {
        assert_eq!(masked_line("", "model: sk-abcdef123456"), "model: ***");
        assert_eq!(masked_line("", "timeout: 9f8e7d6c5b4a39281706abcdef012345"), "timeout: ***");
        assert_eq!(masked_line("", "{url: redis://me:pw@host:6379/0?pw=x}"), "{url: ***}");
        assert_eq!(masked_line("", "model: claude-3-5-sonnet-20241022"), "model: claude-3-5-sonnet-20241022");
    }

    #[test]
    fn texts_under_unknown_keys_are_masked_and_names_are_not() {
        assert_eq!(masked_line("", "my_pw: hunter2"), "my_pw: ***");
        assert_eq!(masked_line("", "my_limit: 5"), "my_limit: 5");
        assert_eq!(masked_line("", "model_group_alias: {fast: gpt-4o}"), "model_group_alias: {fast: gpt-4o}");
        assert_eq!(masked_line("  fallbacks:\n    - fast:\n", "      - gpt-4o"), "      - gpt-4o");
        assert_eq!(masked_line("my_text: |\n", "  hunter2"), "  ***");
    }

    #[test]
    fn the_mark_follows_what_is_masked() {
        let source = "{api_key: hunter2hunter2, rpm: [x]}";
        let at = source.find("[x]").unwrap();
        let span = Span { start: at, end: at + 3, line: 1, column: at + 1 };
        let Excerpt { line, marked } = excerpt(source, span, false);
        assert_eq!(&line[marked], "[x]");
    }

    #[test]
    fn long_lines_of_nested_maps_are_looked_at_once() {
        for start in ["{\"a\":", "{\"api_key\":", "{url: [", "{a: 'b', "] {
            let line = start.repeat(100_000);
            let at = line.len() - 1;
            let span = Span { start: at, end: at + 1, line: 1, column: at + 1 };
            // Quadratic work would take minutes.
            assert!(excerpt(&line, span, false).line.len() < 3 * CONTEXT, "{start}");
        }
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let source = format!("{}é[x]{}", "é".repeat(5000), "y ".repeat(5000));
        let at = source.find("[x]").unwrap();
        let Excerpt { line, marked } = excerpt(&source, Span { start: at, end: at + 3, line: 1, column: 5002 }, false);
        assert!(line.len() < 3 * CONTEXT);
        assert_eq!(&line[marked], "[x]");
    }
}

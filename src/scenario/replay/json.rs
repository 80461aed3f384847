//! The keys and values of one JSON object, as they stand: enough to read a line of a trace without building a tree.

use std::borrow::Cow;

/// Calls `each` with every key of the object and its value, as it is written but for the quotes of a text. `None` if
/// the text is no object. Values that nobody looks into are not checked beyond their brackets and quotes.
pub fn each_entry<'a>(text: &'a [u8], mut each: impl FnMut(&[u8], Value<'a>)) -> Option<()> {
    let mut at = skip_blanks(text, 0);
    expect(text, &mut at, b'{')?;
    if text.get(at) == Some(&b'}') {
        return ends(text, at + 1);
    }
    loop {
        let key = string(text, &mut at)?;
        expect(text, &mut at, b':')?;
        let value = value(text, &mut at)?;
        each(&key, value);
        at = skip_blanks(text, at);
        match text.get(at)? {
            b',' => at = skip_blanks(text, at + 1),
            b'}' => return ends(text, at + 1),
            _ => return None,
        }
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// A text, without its escapes.
    Text(Cow<'a, [u8]>),
    /// A number, `true` or `false`, a list or an object, as it is written.
    Raw(&'a [u8]),
}

fn ends(text: &[u8], at: usize) -> Option<()> {
    (skip_blanks(text, at) == text.len()).then_some(())
}

fn skip_blanks(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take_while(|c| c.is_ascii_whitespace()).count()
}

/// One symbol and the blanks behind it.
fn expect(text: &[u8], at: &mut usize, symbol: u8) -> Option<()> {
    let found = skip_blanks(text, *at);
    if text.get(found) != Some(&symbol) {
        return None;
    }
    *at = skip_blanks(text, found + 1);
    Some(())
}

/// The end of the text that begins at `at`, behind its quote; and whether it has escapes.
fn string_end(text: &[u8], at: usize) -> Option<(usize, bool)> {
    let mut escapes = false;
    let mut end = at + 1;
    loop {
        match text.get(end)? {
            b'"' => return Some((end + 1, escapes)),
            b'\\' => {
                escapes = true;
                end += 2;
            }
            _ => end += 1,
        }
    }
}

fn string<'a>(text: &'a [u8], at: &mut usize) -> Option<Cow<'a, [u8]>> {
    if text.get(*at) != Some(&b'"') {
        return None;
    }
    let (end, escapes) = string_end(text, *at)?;
    let quoted = &text[*at..end];
    *at = end;
    if escapes {
        let plain: String = serde_json::from_slice(quoted).ok()?;
        return Some(Cow::Owned(plain.into_bytes()));
    }
    Some(Cow::Borrowed(&quoted[1..quoted.len() - 1]))
}

fn value<'a>(text: &'a [u8], at: &mut usize) -> Option<Value<'a>> {
    let start = *at;
    match text.get(start)? {
        b'"' => return string(text, at).map(Value::Text),
        b'{' | b'[' => *at = nested_end(text, start)?,
        _ => {
            let is_end = |c: &u8| matches!(c, b',' | b'}' | b']') || c.is_ascii_whitespace();
            let length = text[start..].iter().position(is_end).unwrap_or(text.len() - start);
            *at = start + length;
        }
    }
    match &text[start..*at] {
        b"" => None,
        b"null" => Some(Value::Null),
        raw => Some(Value::Raw(raw)),
    }
}

/// The end of a list or object: where its brackets are closed. No recursion, whatever the depth.
fn nested_end(text: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut depth) = (start, 0u64);
    loop {
        match text.get(at)? {
            b'"' => {
                at = string_end(text, at)?.0;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Option<Vec<(String, String)>> {
        let mut all = Vec::new();
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        each_entry(text.as_bytes(), |key, value| {
            let value = match &value {
                Value::Null => "-".to_owned(),
                Value::Text(text) => lossy(text),
                Value::Raw(raw) => lossy(raw),
            };
            all.push((lossy(key), value));
        })?;
        Some(all)
    }

    #[test]
    fn keys_and_values_are_found_as_they_stand() {
        let text = r#" {"a": 1.50 ,"b":"x\n\"y\"", "c" : [1, {"d": "]}"}], "e":{}, "f":null,"g":true} "#;
        let expected =
            [("a", "1.50"), ("b", "x\n\"y\""), ("c", r#"[1, {"d": "]}"}]"#), ("e", "{}"), ("f", "-"), ("g", "true")];
        let found = entries(text).unwrap();
        assert_eq!(found.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>(), expected);
        assert_eq!(entries("{}"), Some(Vec::new()));
    }

    #[test]
    fn what_is_cut_or_no_object_is_nothing() {
        let whole = r#"{"a": "x", "b": [1, 2], "c": {"d": 1}}"#;
        for cut in 0..whole.len() {
            assert_eq!(entries(&whole[..cut]), None, "{}", &whole[..cut]);
        }
        for bad in ["[1]", "5", "{} x", r#"{"a"}"#, r#"{"a":}"#, r#"{a: 1}"#, r#"{"a": 1 "b": 2}"#, "{,}"] {
            assert_eq!(entries(bad), None, "{bad}");
        }
        assert_eq!(entries(&format!("{{\"a\": {}", "[".repeat(1_000_000))), None, "deep is not dangerous");
    }
}

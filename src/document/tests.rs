//! What PyYAML 6.0 and Python's `json` make of the same texts was recorded with them.

use crate::diagnostic::codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::document::{Format, Node, Value, decode, read};
use proptest::prelude::*;

fn yaml(text: &str) -> Node {
    let (node, diagnostics) = read("f.yaml", text, Format::Yaml);
    node.unwrap_or_else(|| panic!("{text:?}: {diagnostics:?}"))
}

fn error(text: &str, format: Format) -> Diagnostic {
    let (node, mut diagnostics) = read("f", text, format);
    assert!(node.is_none(), "{:.200}", text);
    diagnostics.pop().expect("an error")
}

/// The tree in one line, for comparing.
fn show(node: &Node) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match &node.value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => format!("{:?}", value.value),
        Value::Date(_) => "date".into(),
        Value::Str(text) => format!("{text:?}"),
        Value::Seq(items) => format!("[{}]", list(items.iter().map(show).collect())),
        Value::Map(entries) => {
            format!("{{{}}}", list(entries.iter().map(|e| format!("{}: {}", e.key, show(&e.value))).collect()))
        }
    }
}

#[test]
fn scalars_are_what_pyyaml_makes_of_them() {
    let cases = [
        ("yes", "true"),
        ("Off", "false"),
        ("y", "\"y\""),
        ("tRue", "\"tRue\""),
        ("~", "null"),
        ("nUll", "\"nUll\""),
        ("1_000", "1000"),
        ("017", "15"),
        ("08", "\"08\""),
        ("0o17", "\"0o17\""),
        ("0x1F", "31"),
        ("0b101", "5"),
        ("-0x1f", "-31"),
        ("0_", "0"),
        ("1:30", "90"),
        ("1:60", "\"1:60\""),
        ("190:20:30", "685230"),
        ("190:20:30.15", "685230.15"),
        ("01:30", "\"01:30\""),
        ("1e3", "\"1e3\""),
        ("1.0e3", "\"1.0e3\""),
        ("1.0e+3", "1000.0"),
        ("1.5E-7", "1.5e-7"),
        ("5e-07", "\"5e-07\""),
        (".5", "0.5"),
        ("-.5", "\"-.5\""),
        ("1.", "1.0"),
        (".inf", "inf"),
        ("-.INF", "-inf"),
        (".nan", "NaN"),
        ("2024-01-05", "date"),
        ("2024-1-5", "\"2024-1-5\""),
        ("2024-01-05 10:00:00 -5", "date"),
        ("1.2.3", "\"1.2.3\""),
        ("'5'", "\"5\""),
        ("!!str 5", "\"5\""),
        ("!!int '5'", "5"),
        ("a#b", "\"a#b\""),
        ("a #b", "\"a\""),
        ("os.environ/X", "\"os.environ/X\""),
        ("", "null"),
    ];
    for (text, expected) in cases {
        assert_eq!(show(&yaml(&format!("k: {text}\n"))), format!("{{k: {expected}}}"), "{text}");
    }
}

#[test]
fn collections_are_what_pyyaml_makes_of_them() {
    let cases = [
        ("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3, r: 4}\n", "{a: {p: 1, q: 2}, b: {p: 1, q: 3, r: 4}}"),
        ("a: &x {p: 1}\nc: &y {p: 2, z: 1}\nb:\n  <<: [*x, *y]\n", "{a: {p: 1}, c: {p: 2, z: 1}, b: {p: 1, z: 1}}"),
        ("a: &x [1]\nb: [*x, *x]\n", "{a: [1], b: [[1], [1]]}"),
        ("a:\r\n  b: 1\r\n  c: [1,\r\n  2]\r\n", "{a: {b: 1, c: [1, 2]}}"),
        ("f: [\n  {\"a\": [\"b\"]},\n]\n", "{f: [{a: [\"b\"]}]}"),
        ("a: 1\na: 2\nb: 3\n", "{a: 2, b: 3}"),
        ("\u{feff}a: 1\n", "{a: 1}"),
        ("5: x\ntrue: y\nnull: z\n", "{5: \"x\", True: \"y\", None: \"z\"}"),
        ("a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{a: \"x\\ny\\n\", b: \"x y\"}"),
        ("a: 'x\ty' # \t z\n", "{a: \"x\\ty\"}"),
    ];
    for (text, expected) in cases {
        assert_eq!(show(&yaml(text)), expected, "{text:?}");
    }
}

#[test]
fn what_pyyaml_refuses_is_refused_with_its_place() {
    let cases = [
        ("", 1, 1),
        ("# only\n", 1, 1),
        ("---\n", 1, 1),
        ("a: 1\n---\nb: 2\n", 2, 1),
        ("a:\n\t- b\n", 2, 2),
        ("a: b\t\n", 1, 5),
        ("a: *b\n", 1, 4),
        ("a: !foo x\n", 1, 4),
        ("a: =\n", 1, 4),
        ("a: 2024-13-99\n", 1, 4),
        ("a: \u{1}\n", 1, 4),
        ("? [a]\n: b\n", 1, 3),
        ("a: &a [*a]\n", 1, 8),
        ("b: {<<: 5}\n", 1, 5),
        ("ü: [é, \u{7f}]\n", 1, 8),
    ];
    for (text, line, column) in cases {
        let found = error(text, Format::Yaml);
        assert_eq!((found.span.line, found.span.column), (line, column), "{text:?}: {found}");
    }
    for text in ["a:\n  b: 1\n c: 2\n", "a: [1, 2\nb: 3\n", "a: \"x\n", "a: b: c\n", "}\n", "a: [b}\n", "a: 'x' y\n"] {
        let found = error(text, Format::Yaml);
        assert!(found.code == codes::SYNTAX && found.span.line > 0, "{text:?}: {found}");
    }
}

#[test]
fn places_count_characters_and_bytes() {
    let text = "ü: [é, x]\r\nb: {\"k\": 'v'}\n";
    let node = yaml(text);
    let x = node.get("ü").unwrap().items()[1].span;
    assert_eq!((x.line, x.column, &text[x.start..x.end]), (1, 8, "x"));
    let marked = format!("\u{feff}{text}");
    let x = yaml(&marked).get("ü").unwrap().items()[1].span;
    assert_eq!((x.line, x.column, &marked[x.start..x.end]), (1, 8, "x"));
    let entry = node.get("b").unwrap().entry("k").unwrap();
    assert_eq!((entry.key_span.line, entry.key_span.column), (2, 5));
    assert_eq!(&text[entry.value.span.start..entry.value.span.end], "'v'");
}

#[test]
fn an_omitted_value_stands_at_its_key() {
    let node = yaml("a:\n  timeout:\n  b: 1\n");
    let timeout = node.get("a").unwrap().get("timeout").unwrap();
    assert!(timeout.is_null() && timeout.span.line == 2);
}

#[test]
fn doubled_and_odd_keys_are_warned_about() {
    let (_, found) = read("f", "a: 1\non: 2\na: 3\n", Format::Yaml);
    let summary: Vec<_> = found.iter().map(|d| (d.code, d.span.line)).collect();
    assert_eq!(summary, [(codes::KEY_NOT_TEXT, 2), (codes::DUPLICATE_KEY, 3)]);
    let (node, found) = read("f", "{\"a\": 1, \"a\": 2}", Format::Json);
    assert_eq!(show(&node.unwrap()), "{a: 2}");
    assert_eq!((found[0].code, found[0].span.column), (codes::DUPLICATE_KEY, 10));
}

#[test]
fn bombs_are_refused_quickly() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let before = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", [before.as_str(); 10].join(", "));
    }
    assert_eq!(error(&bomb, Format::Yaml).code, codes::TOO_DEEP);
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1_000_000), "*a, ".repeat(1000));
    assert_eq!(error(&long, Format::Yaml).code, codes::TOO_DEEP);
    for deep in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
        let found = error(&deep, Format::Yaml);
        assert!([codes::TOO_DEEP, codes::SYNTAX].contains(&found.code), "{found}");
    }
    assert_eq!(error(&"[".repeat(100_000), Format::Json).code, codes::TOO_DEEP);
    let huge = "a: 1\n".repeat(4_000_000);
    assert_eq!(error(&huge, Format::Yaml).code, codes::TOO_LARGE);
}

#[test]
fn bytes_that_are_no_utf8_have_a_place() {
    let found = decode("f", b"a: 1\nb: \xff\n").unwrap_err();
    assert_eq!((found.code, found.span.line, found.span.column), (codes::NOT_UTF8, 2, 4));
    assert_eq!(decode("f", "ü".as_bytes()), Ok("ü"));
}

#[test]
fn json_is_read_as_json() {
    let text = r#"{"a": [1, -2.5, 1e3, 1E-7, true, null], "b": "x\n\u00e9\ud83d\ude00\/", "c": {}, "d": NaN}"#;
    let (node, found) = read("f", text, Format::Json);
    assert_eq!(found, []);
    let expected = "{a: [1, -2.5, 1000.0, 1e-7, true, null], b: \"x\\né😀/\", c: {}, d: NaN}";
    assert_eq!(show(&node.unwrap()), expected);
}

#[test]
fn json_errors_say_what_was_expected_and_where() {
    let cases = [
        ("{\"a\": 1,}", 1, 9, "a key in double quotes"),
        ("{\"a\" 1}", 1, 6, "`:`"),
        ("[1\n 2]", 2, 2, "`,` or `]`"),
        ("[1] x", 1, 5, "the end of the file"),
        ("[01]", 1, 2, "a value"),
        ("\"a\nb\"", 1, 3, "the closing"),
        ("[\"é\", +1]", 1, 7, "a value"),
        ("\"\\x\"", 1, 3, "an escape"),
        ("", 1, 1, ""),
        ("[1", 1, 3, "`,` or `]`"),
    ];
    for (text, line, column, expected) in cases {
        let found = error(text, Format::Json);
        assert_eq!((found.span.line, found.span.column), (line, column), "{text:?}: {found}");
        assert!(found.message.contains(expected), "{text:?}: {found}");
    }
}

#[test]
fn the_file_name_announces_the_format() {
    let cases = [("c.json", Format::Json), ("C.JSON", Format::Json), ("c.yaml", Format::Yaml), ("é", Format::Yaml)];
    for (file, format) in cases {
        assert_eq!(Format::of(file), format, "{file}");
    }
}

/// Every span of a tree lies in the text, at character boundaries.
fn check_spans(node: &Node, text: &str) {
    let check =
        |span: Span| assert!(text.get(span.start..span.end).is_some() && span.line > 0 && span.column > 0, "{span:?}");
    check(node.span);
    for entry in node.entries() {
        check(entry.key_span);
        check_spans(&entry.value, text);
    }
    node.items().iter().for_each(|item| check_spans(item, text));
}

/// Scraps of YAML and JSON, which find more than random characters do.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop::sample::select(vec![
        "a",
        "b:",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\"",
        "'",
        "&x ",
        "*x",
        "!!int ",
        "!t ",
        "|",
        ">",
        "\n---\n",
        "\n...\n",
        "# c",
        "\t",
        "é",
        "<<: ",
        "? ",
        "0x1",
        "1:30",
        "%YAML 1.1\n",
        "\\u00e9",
        "\r\n",
        "\u{2028}",
        "~",
    ]);
    prop::collection::vec(scrap, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in scraps()) {
        for format in [Format::Yaml, Format::Json] {
            let (node, diagnostics) = read("f", &text, format);
            match node {
                Some(node) => check_spans(&node, &text),
                None => prop_assert!(diagnostics.last().is_some_and(|error| error.span.line > 0)),
            }
            for diagnostic in &diagnostics {
                prop_assert!(text.get(diagnostic.span.start..diagnostic.span.end).is_some(), "{:?}", diagnostic);
            }
        }
    }
}

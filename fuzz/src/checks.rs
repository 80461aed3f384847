//! What every input must fulfil, one function a reader: no panic, no hang, and what follows from the reader's contract.

use billcast::diagnostic::{Diagnostic, Severity};
use billcast::document::{Format, Node, Value, decode, read};
use billcast::gateway::litellm::wire;
use billcast::pricing::{CostMap, PriceBook, PriceTable, price_rows};

/// A check of one reader.
pub type Check = fn(&[u8]);

/// All checks by the name of their fuzz target.
pub const CHECKS: [(&str, Check); 6] = [
    ("yaml", yaml),
    ("json", json),
    ("litellm_config", litellm_config),
    ("price_map", price_map),
    ("price_table", price_table),
    ("usage_rows", usage_rows),
];

/// YAML text to a tree.
pub fn yaml(bytes: &[u8]) {
    document(bytes, "fuzz.yaml", Format::Yaml);
}

/// JSON text to a tree.
pub fn json(bytes: &[u8]) {
    document(bytes, "fuzz.json", Format::Json);
}

/// A LiteLLM proxy config to its typed mirror.
pub fn litellm_config(bytes: &[u8]) {
    let Ok(text) = decode("config.yaml", bytes) else { return };
    let (wire, diagnostics) = wire::read("config.yaml", text);
    check_diagnostics(text, &diagnostics);
    assert!(wire.is_some() || has_error(&diagnostics), "nothing read and nothing said");
}

/// LiteLLM's JSON price map.
pub fn price_map(bytes: &[u8]) {
    match CostMap::from_json("prices.json", bytes) {
        Ok(map) => assert!(map.entries().iter().all(|entry| map.exact(&entry.key).is_some()), "an entry is lost"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// billcast's own price table.
pub fn price_table(bytes: &[u8]) {
    match PriceTable::read(&[("prices.csv", bytes)]) {
        Ok(table) => assert!(!table.rows().is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Rows of usage for `billcast cost --batch`.
pub fn usage_rows(bytes: &[u8]) {
    thread_local! {
        static BOOK: PriceBook = PriceBook::built_in().expect("the built-in prices");
    }
    BOOK.with(|book| {
        if let Ok(priced) = price_rows("rows.csv", bytes, book, jiff::Timestamp::UNIX_EPOCH) {
            assert!(String::from_utf8(priced).expect("UTF-8").contains("billcast_cost_usd"));
        }
    });
}

fn document(bytes: &[u8], name: &str, format: Format) {
    let text = match decode(name, bytes) {
        Ok(text) => text,
        Err(diagnostic) => return assert_eq!(diagnostic.severity, Severity::Error),
    };
    let (node, diagnostics) = read(name, text, format);
    check_diagnostics(text, &diagnostics);
    match node {
        Some(node) => check_node(text, &node),
        None => assert!(has_error(&diagnostics), "nothing read and nothing said"),
    }
}

fn has_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// Every place is a place in the text.
fn check_diagnostics(text: &str, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        let span = diagnostic.span;
        assert!(span.start <= span.end && text.get(span.start..span.end).is_some(), "{diagnostic:?}");
        assert!(!diagnostic.message.is_empty(), "{diagnostic:?}");
    }
}

fn check_node(text: &str, node: &Node) {
    let span = node.span;
    assert!(span.start <= span.end && text.get(span.start..span.end).is_some(), "{span:?}");
    match &node.value {
        Value::Seq(items) => items.iter().for_each(|item| check_node(text, item)),
        Value::Map(entries) => entries.iter().for_each(|entry| check_node(text, &entry.value)),
        _ => {}
    }
}

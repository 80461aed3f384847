//! What the user wrote in the scenario, value by value with its place: the user's part of the register of assumptions.

use crate::diagnostic::secrets::looks_secret;
use crate::document::{Entry, Node, Value};
use crate::scenario::edit::edit_of;
use crate::scenario::files::Source;
use crate::scenario::presets::plain;
use crate::scenario::world::Assumption;

/// Longer values are cut: they are descriptions or tables.
const LONGEST: usize = 2_000;
/// A register longer than this nobody reads.
const MOST: usize = 2_000;
/// Keys that say nothing about the world.
const WORDS: [&str; 3] = ["name", "description", "$schema"];

/// The values of a scenario file in the order written.
pub fn written(source: &Source, tree: &Node) -> Vec<Assumption> {
    let mut all = Vec::new();
    for entry in tree.entries().iter().filter(|entry| !WORDS.contains(&&*entry.key)) {
        collect(source, &entry.key, &entry.value, &mut all);
    }
    all.truncate(MOST);
    all
}

fn collect(source: &Source, path: &str, node: &Node, all: &mut Vec<Assumption>) {
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => {
            entries.iter().for_each(|entry| collect(source, &format!("{path}.{}", entry.key), &entry.value, all));
        }
        Value::Seq(items) if items.iter().any(|item| !item.entries().is_empty()) => {
            let one = |(number, item)| collect(source, &format!("{path}[{number}]"), item, all);
            items.iter().enumerate().for_each(one);
        }
        _ => all.push(Assumption {
            name: path.to_owned(),
            value: value(source, node),
            assumed_by: "user",
            source: match edit_of(node.span) {
                Some(_) => "command line (--set)".to_owned(),
                None => format!("{}:{}", source.name, node.span.line),
            },
            as_of: String::new(),
        }),
    }
}

/// A list or a map on one line, with all that is in it.
fn spelled(source: &Source, node: &Node) -> String {
    let within = |node: &Node| match &node.value {
        Value::Seq(_) | Value::Map(_) => spelled(source, node),
        _ => value(source, node),
    };
    match &node.value {
        Value::Seq(items) => format!("[{}]", items.iter().map(within).collect::<Vec<_>>().join(", ")),
        _ => {
            let pair = |entry: &Entry| format!("{}: {}", entry.key, within(&entry.value));
            format!("{{{}}}", node.entries().iter().map(pair).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A value as it is written, on one line.
fn value(source: &Source, node: &Node) -> String {
    let text = match (node.as_str(), edit_of(node.span)) {
        (Some(text), _) => text.to_owned(),
        // The place is one in the edit, not in the file; that of a list or a map is where it begins.
        (None, Some(_)) => plain(node, LONGEST),
        (None, None) if matches!(node.value, Value::Seq(_) | Value::Map(_)) => spelled(source, node),
        (None, None) => source.text.get(node.span.start..node.span.end).unwrap_or_default().to_owned(),
    };
    if looks_secret(&text) {
        return "(looks like a secret; not shown)".to_owned();
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, read};

    #[test]
    fn lists_and_maps_are_told_whole() {
        let text = "teams: {shop: {}}\nfleet: {deploys: [{at: [20h, 30h], grace: 30}]}\nholidays:\n- 2027-01-01\n- 2027-01-02\n";
        let source = Source { name: "scenario.yaml".into(), text: text.into(), is_quotable: true };
        let tree = read("scenario.yaml", text, Format::Yaml).0.unwrap();
        let found: Vec<(String, String)> =
            written(&source, &tree).into_iter().map(|row| (row.name, row.value)).collect();
        let expected = [
            ("teams.shop", "{}"),
            ("fleet.deploys[0].at", "[20h, 30h]"),
            ("fleet.deploys[0].grace", "30"),
            ("holidays", "[2027-01-01, 2027-01-02]"),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}

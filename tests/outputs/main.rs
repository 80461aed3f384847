//! What leaves the program: every command in every form, with names that try to break out of each format and with
//! secrets in every field of the config that holds a text.

mod decoded;
mod everything;

use std::sync::LazyLock;

use billcast::units::Money;
use decoded::Output;
use everything::{CANARY, HOSTILE, outputs};
use serde_json::Value;

/// All outputs of one set of files; made once.
static ALL: LazyLock<Vec<Output>> = LazyLock::new(outputs);

/// Characters that drive a terminal or turn the direction of a line.
fn drives(c: char) -> bool {
    (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c)
}

fn texts(ends: &'static [&str]) -> impl Iterator<Item = &'static Output> {
    ALL.iter().filter(|output| ends.iter().any(|end| output.name.ends_with(end)))
}

#[test]
fn everything_is_there() {
    let has = |end: &str| ALL.iter().any(|output| output.name.ends_with(end) && !output.text.is_empty());
    for end in [
        "run:stdout",
        "report.html",
        "report.xlsx",
        "focus.csv",
        "focus.parquet",
        "forecast.json",
        "report.md",
        "month.html",
        "month.xlsx",
        "month.csv",
        "compare:stdout",
        "comparison.json",
        "plan.json",
        "explain:stdout",
        "check:stdout",
        "check-sarif:stdout",
        "check-money:stdout",
        "sweep:stdout",
    ] {
        assert!(has(end), "{end}: {:?}", ALL.iter().map(|output| &output.name).collect::<Vec<_>>());
    }
}

#[test]
fn no_output_holds_a_secret() {
    for output in ALL.iter() {
        let place = output.text.to_ascii_lowercase().find(CANARY);
        let around = place.map(|at| output.text.get(at.saturating_sub(120)..at + 40));
        assert_eq!(around, None, "{}", output.name);
    }
}

#[test]
fn no_output_drives_a_terminal_or_turns_a_line() {
    for output in ALL.iter() {
        let found = output.text.find(drives).map(|at| output.text.get(at.saturating_sub(60)..at + 8));
        assert_eq!(found, None, "{}", output.name);
    }
}

#[test]
fn no_name_becomes_markup() {
    for output in texts(&[".html", ".svg"]) {
        let body = output.text.replace(everything::OUR_SCRIPT, "");
        for tag in ["<script>alert", "<img", "<b>", "<iframe", "<object", " onload=\"alert"] {
            assert!(!body.contains(tag), "{}: {tag}", output.name);
        }
    }
}

#[test]
fn no_cell_of_a_csv_file_is_a_formula() {
    for output in texts(&[".csv", "csv:stdout"]) {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(output.text.as_bytes());
        for cell in reader.records().flat_map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()) {
            let formula = cell.trim_start().starts_with(['=', '+', '-', '@']);
            assert!(!formula || cell.parse::<f64>().is_ok(), "{}: {cell:?}", output.name);
        }
    }
}

#[test]
fn formulas_of_a_workbook_are_ours() {
    for output in texts(&[".xlsx"]) {
        for formula in output.text.split("<f>").skip(1).filter_map(|rest| rest.split("</f>").next()) {
            assert!(!formula.contains("HYPERLINK") && !formula.contains("cmd"), "{}: {formula}", output.name);
        }
        assert!(!output.text.contains("relationships/hyperlink"), "{}", output.name);
    }
}

#[test]
fn names_are_still_told() {
    // Escaped, not dropped: the harmless part of each name is in the summary.
    let summary = &ALL.iter().find(|output| output.name == "run:stdout").expect("a summary").text;
    assert!(HOSTILE.len() >= 5 && summary.contains("HYPERLINK"), "{summary}");
}

/// Calls `look` with every value of a JSON document and the key that it stands under, the
/// nearest one for items of lists.
fn walk<'v>(key: &str, value: &'v Value, look: &mut impl FnMut(&str, &'v Value)) {
    look(key, value);
    match value {
        Value::Object(entries) => entries.iter().for_each(|(key, value)| walk(key, value, look)),
        Value::Array(items) => items.iter().for_each(|item| walk(key, item, look)),
        _ => {}
    }
}

/// Money is a decimal text wherever a program reads it: in JSON below every key that ends in
/// `_usd`, in CSV in such columns.
#[test]
fn money_is_never_a_float() {
    let mut amounts = 0;
    for output in texts(&[".json", "json:stdout"]) {
        let document: Value = serde_json::from_str(&output.text).unwrap_or_else(|e| panic!("{}: {e}", output.name));
        walk("", &document, &mut |key, value| {
            if key.ends_with("_usd") {
                walk(key, value, &mut |inner, value| {
                    assert!(!value.is_number(), "{}: {key}.{inner} is {value}", output.name);
                    amounts += usize::from(value.as_str().is_some_and(|text| text.parse::<Money>().is_ok()));
                });
            }
        });
    }
    assert!(amounts > 100, "only {amounts} amounts were found");
    for output in texts(&[".csv", "csv:stdout"]) {
        let mut reader = csv::Reader::from_reader(output.text.as_bytes());
        let headers = reader.headers().unwrap().clone();
        for row in reader.records().map(Result::unwrap) {
            for (name, cell) in
                headers.iter().zip(&row).filter(|(name, cell)| name.ends_with("_usd") && !cell.is_empty())
            {
                assert!(cell.parse::<Money>().is_ok(), "{}: {name} is {cell}", output.name);
            }
        }
    }
}

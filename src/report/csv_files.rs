//! The figures as CSV files: a header with units, exact decimals, text that no spreadsheet takes for a formula.

use crate::report::Artefact;
use crate::report::data::{Cell, Dataset};
use crate::report::text::clean;

/// One file for each table.
pub fn csv_files(all: &[Dataset]) -> Vec<Artefact> {
    all.iter().map(file).collect()
}

/// One file out of its header and rows; lines end in `\n`.
fn file(dataset: &Dataset) -> Artefact {
    let header = dataset.columns.iter().map(|column| column.name.clone()).collect();
    let rows = dataset.rows.iter().map(|row| row.iter().map(written).collect());
    Artefact { file_name: format!("{}.csv", dataset.name), bytes: lines(header, rows) }
}

/// The bytes of a CSV file.
pub fn lines(header: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in std::iter::once(header).chain(rows) {
        writer.write_record(&row).expect("every row has the columns of the header, and memory does not fail");
    }
    writer.into_inner().expect("memory does not fail")
}

fn written(value: &Cell) -> String {
    match value {
        Cell::Text(text) => cell(text),
        Cell::Count(count) => count.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Money(amount) => amount.to_string(),
        Cell::Time(at) => at.to_string(),
        Cell::Missing => String::new(),
    }
}

/// A text cell: one line, and never the beginning of a formula (a leading `'` makes it text in every spreadsheet).
pub fn cell(text: &str) -> String {
    let text = clean(text);
    let risky = |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    if text.trim_start().starts_with(risky) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula() {
        for hostile in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
            let text = cell(hostile);
            assert!(text.starts_with('\''), "{hostile:?} became {text:?}");
        }
        assert_eq!(cell("gpt-4o"), "gpt-4o");
    }
}

//! Rows that contradict one another: the same model, conditions and day.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::{PriceRow, PriceTable};
use crate::pricing::error::{MAX_PROBLEMS, PriceFileError, code, error_at};

/// Refuses a table in which two rows hold at once. `files` names the file of each row.
pub fn check(table: &PriceTable, files: &[Arc<str>]) -> Result<(), PriceFileError> {
    let mut problems = Vec::new();
    for model in &table.models {
        for (first, second) in contradictions(&table.rows, model) {
            let (row, other) = (&table.rows[second], &table.rows[first]);
            let message = format!(
                "{}/{} has a price for the same conditions and days already in {}:{}",
                row.provider, row.model, files[first], other.line
            );
            problems.push(error_at(&files[second], row.line, 1, code::DUPLICATE, message));
        }
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(PriceFileError { diagnostics: problems }) }
}

/// Neighbours in time that overlap, among rows with the same conditions.
fn contradictions(rows: &[PriceRow], model: &[usize]) -> Vec<(usize, usize)> {
    if model.len() < 2 {
        return Vec::new();
    }
    let mut by_condition: HashMap<String, Vec<usize>> = HashMap::new();
    for &row in model {
        let PriceRow { service, above, hours, .. } = &rows[row];
        by_condition.entry(format!("{} {above:?} {hours:?}", service.name())).or_default().push(row);
    }
    let start = |row: usize| rows[row].valid_from.unwrap_or(Date::MIN);
    let end = |row: usize| rows[row].valid_to.unwrap_or(Date::MAX);
    let mut found = Vec::new();
    for mut group in by_condition.into_values() {
        group.sort_by_key(|&row| (start(row), row));
        found.extend(group.windows(2).filter(|pair| start(pair[1]) < end(pair[0])).map(|pair| (pair[0], pair[1])));
    }
    found.sort_unstable_by_key(|&(_, second)| second);
    found
}

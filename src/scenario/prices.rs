//! Which price book is meant, and reading it.

use jiff::civil::Date;

use crate::pricing::{PriceBook, PriceFileError, PriceRow, PriceTable};
use crate::scenario::files::{Files, Source};
use crate::scenario::problem::Problem;

/// The name that stands for the built-in table.
pub const BUILT_IN: &str = "default";

/// Reads a price book: [`BUILT_IN`], LiteLLM's JSON price map, or a CSV table.
///
/// # Errors
/// A [`Problem`] with the places in the file.
pub fn read_prices(files: &Files, name: &str) -> Result<PriceBook, Problem> {
    if name == BUILT_IN {
        return PriceBook::built_in().map_err(|error| in_file(error, None));
    }
    let source = files.read(name)?;
    PriceBook::read(&source.name, source.text.as_bytes()).map_err(|error| in_file(error, Some(&source)))
}

/// The newest day that the built-in table knows of. No clock is read: the same command gives the same result tomorrow.
///
/// # Errors
/// A [`Problem`] when the built-in table cannot be read, which a test rules out.
pub fn newest_price_date() -> Result<Date, Problem> {
    let table = PriceTable::built_in().map_err(|error| in_file(error, None))?;
    Ok(newest_of(table.rows()).unwrap_or(Date::constant(2026, 1, 1)))
}

/// The newest as-of date of some rows.
pub(super) fn newest_of(rows: &[PriceRow]) -> Option<Date> {
    rows.iter().map(|row| row.as_of).max()
}

/// The findings of the price reader, with the text they are about.
fn in_file(error: PriceFileError, source: Option<&Source>) -> Problem {
    match source {
        Some(source) => Problem::in_file(error.diagnostics, source),
        None => Problem { diagnostics: error.diagnostics, sources: Vec::new() },
    }
}

//! Our own dated price tables: CSV, one row per model, condition and span of days.

mod columns;
mod find;
mod overlap;
mod read;

use std::collections::HashMap;

use include_dir::{Dir, include_dir};
use jiff::civil::Date;

use super::error::PriceFileError;
use super::off_peak::Window;
use super::rates::Rates;
use super::service_tier::ServiceTier;

static BUILT_IN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/models/prices");

/// One row of a price table: prices under conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceRow {
    /// Who bills.
    pub provider: String,
    /// The model, as the provider calls it.
    pub model: String,
    /// Other names of the model.
    pub aliases: Vec<String>,
    /// `chat` or `embedding`.
    pub kind: String,
    /// The service tier it holds for.
    pub service: ServiceTier,
    /// It holds for requests with more input tokens than this.
    pub above: Option<u64>,
    /// It holds during these hours; empty means always, and rows with hours go before rows without.
    pub hours: Vec<Window>,
    /// Prices per token.
    pub rates: Rates,
    /// The first day it holds, UTC.
    pub valid_from: Option<Date>,
    /// The first day it holds no longer, UTC.
    pub valid_to: Option<Date>,
    /// The longest input in tokens.
    pub context_window: Option<u64>,
    /// The longest output in tokens.
    pub max_output: Option<u64>,
    /// The day the provider stopped serving the model, if it did.
    pub retired_on: Option<Date>,
    /// Where the figures are from.
    pub source: String,
    /// The day the source said so.
    pub as_of: Date,
    /// Anything else worth knowing.
    pub note: String,
    /// The line it stands in.
    pub line: usize,
}

/// A set of dated price rows.
#[derive(Debug, Clone, Default)]
pub struct PriceTable {
    rows: Vec<PriceRow>,
    /// Row numbers by model, in the order of the files.
    models: Vec<Vec<usize>>,
    /// Models by `provider/name` in lower case, names and aliases.
    by_full_name: HashMap<String, usize>,
    /// The first model with a bare name, in lower case.
    by_bare_name: HashMap<String, usize>,
}

impl PriceTable {
    /// The tables of `models/prices`, as they were when the program was built.
    ///
    /// # Errors
    /// When one of them is malformed, which a test excludes.
    pub fn built_in() -> Result<Self, PriceFileError> {
        let files = BUILT_IN.files().filter(|file| file.path().extension().is_some_and(|end| end == "csv"));
        let mut files: Vec<(&str, &[u8])> =
            files.filter_map(|file| Some((file.path().to_str()?, file.contents()))).collect();
        files.sort_unstable();
        Self::read(&files)
    }

    /// Reads tables; together they must not contradict one another.
    ///
    /// # Errors
    /// With file, line, column and what was expected, for every problem up to a limit.
    pub fn read(files: &[(&str, &[u8])]) -> Result<Self, PriceFileError> {
        let mut table = Self::default();
        let mut places = Vec::new();
        for (name, bytes) in files {
            let file = (*name).into();
            let rows = read::read(&file, bytes)?;
            places.extend(std::iter::repeat_n(file, rows.len()));
            table.rows.extend(rows);
        }
        table.index();
        overlap::check(&table, &places)?;
        Ok(table)
    }

    /// All rows.
    pub fn rows(&self) -> &[PriceRow] {
        &self.rows
    }

    /// The rows of each model.
    pub fn models(&self) -> impl Iterator<Item = Vec<&PriceRow>> {
        self.models.iter().map(|rows| rows.iter().map(|&row| &self.rows[row]).collect())
    }

    fn index(&mut self) {
        for (number, row) in self.rows.iter().enumerate() {
            let full = format!("{}/{}", row.provider, row.model).to_lowercase();
            let model = *self.by_full_name.entry(full).or_insert_with(|| {
                self.models.push(Vec::new());
                self.models.len() - 1
            });
            self.models[model].push(number);
            self.by_bare_name.entry(row.model.to_lowercase()).or_insert(model);
        }
        for row in &self.rows {
            let full = format!("{}/{}", row.provider, row.model).to_lowercase();
            let model = self.by_full_name[&full];
            for alias in &row.aliases {
                let alias = alias.to_lowercase();
                self.by_full_name.entry(format!("{}/{alias}", row.provider.to_lowercase())).or_insert(model);
                self.by_bare_name.entry(alias).or_insert(model);
            }
        }
    }
}

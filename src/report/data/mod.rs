//! The figures as typed tables: what CSV, Parquet and the workbook write. One table here is one file or sheet there.

mod charges;
mod months;
mod runs;
mod shares;

pub use months::{month_days, months};

use crate::report::view::View;
use crate::units::Money;

/// What a column holds, and so how it is written and formatted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name or a label.
    Text,
    /// A whole number.
    Count,
    /// A number.
    Number,
    /// A share from 0 to 1.
    Share,
    /// US dollars, or another exact decimal.
    Money,
    /// A moment.
    Time,
}

/// A heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, with the unit.
    pub name: String,
    /// What stands below it.
    pub kind: Kind,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A text as it came: hostile until its writer has made it safe.
    Text(String),
    /// A whole number.
    Count(u64),
    /// A number or a share.
    Number(f64),
    /// An amount, or another exact decimal.
    Money(Money),
    /// A moment.
    Time(jiff::Timestamp),
    /// There is no value.
    Missing,
}

/// A typed table.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its name, that of its file.
    pub name: &'static str,
    /// Its headings.
    pub columns: Vec<Column>,
    /// Its rows; each has a cell for every column.
    pub rows: Vec<Vec<Cell>>,
}

impl Dataset {
    /// A table with these headings, written as `name:kind` and parted by blanks.
    pub fn new(name: &'static str, headings: &str, rows: impl Iterator<Item = Vec<Cell>>) -> Self {
        let column = |heading: &str| {
            let (name, kind) = heading.split_once(':').unwrap_or((heading, ""));
            let kind = match kind {
                "count" => Kind::Count,
                "number" => Kind::Number,
                "share" => Kind::Share,
                "money" => Kind::Money,
                "time" => Kind::Time,
                _ => Kind::Text,
            };
            Column { name: name.to_owned(), kind }
        };
        Self { name, columns: headings.split_whitespace().map(column).collect(), rows: rows.collect() }
    }

    /// The place of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// A text cell.
fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// A text cell, or none.
fn text_or_none(text: Option<&str>) -> Cell {
    text.map_or(Cell::Missing, |text| Cell::Text(text.to_owned()))
}

/// A number; none where it is not finite.
pub fn number(value: f64) -> Cell {
    if value.is_finite() { Cell::Number(value) } else { Cell::Missing }
}

/// An amount, or none.
fn money_or_none(amount: Option<Money>) -> Cell {
    amount.map_or(Cell::Missing, Cell::Money)
}

/// All tables of a forecast.
pub fn datasets(view: &View<'_>) -> Vec<Dataset> {
    let forecast = view.forecast;
    let mut all = vec![
        runs::about(view),
        runs::runs(forecast),
        runs::hours(forecast),
        runs::hourly_spend(forecast),
        runs::days(forecast),
        runs::percentiles(view),
        shares::causes(view),
        shares::deployments(forecast),
        shares::providers(forecast),
        shares::models(view),
        shares::classes(forecast),
        shares::keys(forecast),
        shares::why_not(forecast),
        shares::teams(view),
        shares::edges(forecast),
        shares::register(view),
        shares::meters(view),
        charges::charges(view),
    ];
    all.extend(view.projection.iter().flat_map(|projection| [months(projection), month_days(projection)]));
    all
}

/// The table of this name.
pub fn dataset<'a>(all: &'a [Dataset], name: &str) -> Option<&'a Dataset> {
    all.iter().find(|dataset| dataset.name == name)
}

//! `report.xlsx`: a workbook whose summary is made of formulas over the data sheets, so that a reader can follow every
//! figure and change the budget. Texts from configs are written as text that no edit turns into a formula.

mod charts;
mod sheet;
mod summary;

use std::sync::Mutex;
use std::thread;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet, XlsxError};

use crate::report::data::{Dataset, dataset, datasets};
use crate::report::month::MonthView;
use crate::report::text::clean;
use crate::report::view::View;
use sheet::Styles;

/// The data sheets: the table and the sheet's name. Every table that is a CSV file is a sheet; what `about.csv`
/// says stands on the summary.
const SHEETS: [(&str, &str); 19] = [
    ("assumptions", "Assumptions"),
    ("percentiles", "Percentiles"),
    ("causes", "By cause"),
    ("models", "By model"),
    ("teams", "By team"),
    ("keys", "By key"),
    ("failed_by_reason", "Failed by reason"),
    ("classes", "By class"),
    ("deployments", "By deployment"),
    ("providers", "By provider"),
    ("edges", "Fallback edges"),
    ("meters", "By meter"),
    ("months", "Months"),
    ("month_days", "Month by day"),
    ("days", "By day"),
    ("hours", "Hourly"),
    ("hours_by_deployment", "Hourly by deployment"),
    ("runs", "Runs"),
    ("charges", "Charges"),
];

/// Whether the system gives so many threads as a workbook needs: whoever writes it starts one for each sheet at once,
/// and panics where it cannot.
pub fn has_threads_for_workbook() -> bool {
    gives_threads(SHEETS.len() + 1)
}

fn gives_threads(count: usize) -> bool {
    let gate = Mutex::new(());
    let wait = || drop(gate.lock());
    thread::scope(|scope| {
        let _closed = gate.lock();
        (0..count).all(|_| thread::Builder::new().spawn_scoped(scope, wait).is_ok())
    })
}

/// The bytes of the workbook.
pub fn xlsx(view: &View<'_>) -> Vec<u8> {
    workbook(view).expect("names and places of the sheets are fixed, and memory does not fail")
}

fn workbook(view: &View<'_>) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let title = format!("billcast forecast: {}", view.title);
    workbook.set_properties(&properties(&view.forecast.about.start, &title, &view.stamp)?);
    let (styles, data) = (Styles::new(), datasets(view));
    let is_known = |data: &Dataset| data.name == "about" || SHEETS.iter().any(|(table, _)| *table == data.name);
    debug_assert!(data.iter().all(is_known), "each table is a sheet");
    let sheets: Vec<(&str, &Dataset)> =
        SHEETS.iter().filter_map(|(table, name)| Some((*name, dataset(&data, table)?))).collect();
    let book = Book { view, styles: &styles, data: &data };
    book.summary(workbook.add_worksheet())?;
    for (name, dataset) in sheets {
        let sheet = workbook.add_worksheet();
        sheet.set_name(name)?;
        book.data_sheet(sheet, name, dataset)?;
    }
    workbook.save_to_buffer()
}

/// The workbook of a projection: its months, the days of the first one, and where they come from.
pub fn months(view: &MonthView<'_>) -> Vec<u8> {
    months_workbook(view).expect("names and places of the sheets are fixed, and memory does not fail")
}

fn months_workbook(view: &MonthView<'_>) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let title = format!("billcast months: {}", clean(&view.about.scenario));
    workbook.set_properties(&properties(&view.about.start, &title, &view.stamp())?);
    let styles = Styles::new();
    for dataset in &view.datasets() {
        let name = SHEETS.iter().find(|(table, _)| *table == dataset.name).map_or(dataset.name, |(_, name)| name);
        let sheet = workbook.add_worksheet();
        sheet.set_name(name)?;
        sheet::fill(sheet, &styles, dataset)?;
        charts::beside(sheet, name, dataset)?;
    }
    let sheet = workbook.add_worksheet();
    sheet.set_name("Method")?;
    sheet.set_column_width(0, 110)?;
    let (caveats, notes, stamp) = (view.caveats(), view.notes(), view.stamp());
    let lines = caveats.iter().map(|caveat| (caveat, &styles.caveat));
    let lines = lines.chain(notes.iter().chain([&stamp]).map(|note| (note, &styles.wrapped)));
    for (row, (line, style)) in (0..).zip(lines) {
        sheet.write_string_with_format(row, 0, sheet::fitting(line), style)?;
    }
    workbook.save_to_buffer()
}

/// Where the workbook comes from. Its date is the begin of the horizon: the same forecast gives the same bytes.
fn properties(start: &str, title: &str, stamp: &str) -> Result<DocProperties, XlsxError> {
    let start = start.get(..10).and_then(|date| date.parse::<jiff::civil::Date>().ok());
    let date = start.unwrap_or(jiff::civil::date(2026, 1, 1));
    let year = u16::try_from(date.year()).unwrap_or(2026);
    let created = ExcelDateTime::from_ymd(year.max(1900), date.month().unsigned_abs(), date.day().unsigned_abs())?;
    let properties = DocProperties::new().set_title(title);
    Ok(properties.set_comment(stamp).set_company("").set_author("billcast").set_creation_datetime(&created))
}

/// What all sheets are made from.
struct Book<'a> {
    view: &'a View<'a>,
    styles: &'a Styles,
    data: &'a [Dataset],
}

impl Book<'_> {
    fn data_sheet(&self, sheet: &mut Worksheet, name: &str, dataset: &Dataset) -> Result<(), XlsxError> {
        sheet::fill(sheet, self.styles, dataset)?;
        sheet.set_footer(format!("&L{}&RPage &P of &N", self.view.stamp.replace('&', "&&")));
        charts::beside(sheet, name, dataset)
    }

    /// The number of rows of a table.
    fn rows(&self, table: &str) -> usize {
        dataset(self.data, table).map_or(0, |dataset| dataset.rows.len())
    }

    /// The cells of a column of a data sheet, for a formula: `'By cause'!$B$2:$B$8`.
    fn range(&self, table: &str, column: &str) -> String {
        let name = SHEETS.iter().find(|(known, _)| *known == table).map_or("", |(_, name)| name);
        let place = dataset(self.data, table).and_then(|dataset| dataset.column(column)).unwrap_or_default();
        let letter = sheet::letters(place);
        format!("'{name}'!${letter}$2:${letter}${}", self.rows(table).max(1) + 1)
    }
}

//! A data sheet: headings, typed cells, widths, a frozen first row and a filter.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Worksheet, XlsxError};

use crate::report::data::{Cell, Column, Dataset, Kind};
use crate::report::text::{clean, dollars};

/// A spreadsheet has no more rows than this.
const MOST_ROWS: usize = 1_048_000;
/// A cell holds no more characters than this.
const LONGEST_TEXT: usize = 32_000;

/// How cells look.
pub struct Styles {
    /// Headings of tables.
    pub heading: Format,
    /// Texts, which stay texts when they are edited.
    pub text: Format,
    /// Long texts.
    pub wrapped: Format,
    /// The title of the summary.
    pub title: Format,
    /// Headings of the summary's parts.
    pub section: Format,
    /// What is said beside a figure.
    pub note: Format,
    /// Where it comes from.
    pub stamp: Format,
    /// A warning.
    pub caveat: Format,
    /// A cell that the reader may change.
    pub input: Format,
    /// A label in the summary.
    pub label: Format,
    /// Dollars.
    pub money: Format,
    /// Dollars with all their small change: unit prices and small bills.
    pub fine_money: Format,
    /// Dollars that matter most.
    pub headline: Format,
    /// A share that matters most.
    pub headline_share: Format,
    /// Whole numbers.
    pub count: Format,
    /// Numbers.
    pub number: Format,
    /// Shares.
    pub share: Format,
}

/// Dollars and cents, negative ones in red.
const MONEY: &str = "$#,##0.00;[Red]-$#,##0.00";
const FINE_MONEY: &str = "$#,##0.00####;[Red]-$#,##0.00####";

impl Styles {
    /// All styles.
    pub fn new() -> Self {
        let plain = || Format::new().set_align(FormatAlign::VerticalCenter);
        let text = || plain().set_num_format("@").set_quote_prefix().set_align(FormatAlign::Left);
        let blue = Color::RGB(0x00_4A_7C);
        let big = || plain().set_bold().set_font_size(16.0).set_align(FormatAlign::Left);
        Self {
            heading: Format::new()
                .set_bold()
                .set_font_color(Color::White)
                .set_background_color(blue)
                .set_text_wrap()
                .set_align(FormatAlign::Top),
            text: text(),
            wrapped: text().set_text_wrap(),
            title: text().set_bold().set_font_size(20.0),
            section: Format::new().set_bold().set_font_color(blue).set_border_bottom(FormatBorder::Thin),
            note: text().set_font_color(Color::RGB(0x5B_5F_66)).set_indent(1),
            stamp: text().set_font_color(Color::RGB(0x5B_5F_66)),
            caveat: text().set_bold().set_text_wrap().set_background_color(Color::RGB(0xFF_F3_D6)),
            input: Format::new()
                .set_num_format(MONEY)
                .set_background_color(Color::RGB(0xFF_F9_C4))
                .set_border(FormatBorder::Thin)
                .set_align(FormatAlign::Left),
            label: text().set_bold(),
            money: plain().set_num_format(MONEY),
            fine_money: plain().set_num_format(FINE_MONEY),
            headline: big().set_num_format(MONEY),
            headline_share: big().set_num_format("0.0%"),
            count: plain().set_num_format("#,##0"),
            number: plain().set_num_format("#,##0.00"),
            share: plain().set_num_format("0.00%"),
        }
    }

    fn of(&self, kind: Kind) -> &Format {
        match kind {
            Kind::Text | Kind::Time => &self.text,
            Kind::Count => &self.count,
            Kind::Number => &self.number,
            Kind::Share => &self.share,
            Kind::Money => &self.fine_money,
        }
    }
}

/// The letters of a column: A, B … Z, AA.
pub fn letters(column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// A text that fits into a cell.
pub fn fitting(text: &str) -> String {
    clean(text).chars().take(LONGEST_TEXT).collect()
}

/// The name of a column for people: `bill_mean_usd` is `Bill mean US$`.
fn heading(name: &str) -> String {
    let is_percentile = |word: &str| word.strip_prefix('p').is_some_and(|rest| rest.parse::<u16>().is_ok());
    let word = |(index, word): (usize, &str)| match word {
        "usd" => "US$".to_owned(),
        "1m" => "1M".to_owned(),
        word if index == 0 || is_percentile(word) => {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
        word => word.to_owned(),
    };
    name.split('_').enumerate().map(word).collect::<Vec<_>>().join(" ")
}

/// Fills a sheet with a table.
pub fn fill(sheet: &mut Worksheet, styles: &Styles, dataset: &Dataset) -> Result<(), XlsxError> {
    for (place, column) in dataset.columns.iter().enumerate() {
        let index = u16::try_from(place).unwrap_or(u16::MAX);
        sheet.write_string_with_format(0, index, heading(&column.name), &styles.heading)?;
        sheet.set_column_width(index, width(dataset, place))?;
    }
    for (row, cells) in (1u32..).zip(dataset.rows.iter().take(MOST_ROWS)) {
        for (place, (cell, column)) in cells.iter().zip(&dataset.columns).enumerate() {
            let index = u16::try_from(place).unwrap_or(u16::MAX);
            write(sheet, row, index, cell, styles.of(column.kind))?;
        }
    }
    sheet.set_row_height(0, heading_height(dataset))?;
    sheet.set_freeze_panes(1, 1)?;
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(0, 0)?;
    let (last_row, last_column) = (dataset.rows.len().min(MOST_ROWS), dataset.columns.len().saturating_sub(1));
    let last_column = u16::try_from(last_column).unwrap_or(u16::MAX);
    sheet.autofilter(0, 0, u32::try_from(last_row).unwrap_or(u32::MAX), last_column)?;
    Ok(())
}

fn write(sheet: &mut Worksheet, row: u32, column: u16, cell: &Cell, format: &Format) -> Result<(), XlsxError> {
    match cell {
        Cell::Text(text) => sheet.write_string_with_format(row, column, fitting(text), format)?,
        Cell::Count(count) => sheet.write_number_with_format(row, column, *count as f64, format)?,
        Cell::Number(number) => sheet.write_number_with_format(row, column, *number, format)?,
        Cell::Money(amount) => sheet.write_number_with_format(row, column, dollars(*amount), format)?,
        Cell::Time(at) => sheet.write_string_with_format(row, column, at.to_string(), format)?,
        // A row needs a name, for its reader and for its bar.
        Cell::Missing if column == 0 => sheet.write_string_with_format(row, column, "(none)", format)?,
        Cell::Missing => return Ok(()),
    };
    Ok(())
}

/// Room for what stands in a column, within reason.
fn width(dataset: &Dataset, column: usize) -> f64 {
    let heading = dataset.columns[column].name.split('_').map(str::len).max().unwrap_or(0) + 4;
    let longest = dataset.rows.iter().take(200).map(|row| match &row[column] {
        Cell::Text(text) => text.chars().count() + 2,
        // With a comma for every three digits, two decimals, and a sign.
        Cell::Number(number) => format!("{number:.0}").len() * 4 / 3 + 5,
        Cell::Count(count) => count.to_string().len() * 4 / 3 + 2,
        Cell::Money(amount) => amount.to_cents().len() * 4 / 3 + 6,
        Cell::Time(_) | Cell::Missing => 12,
    });
    longest.chain([heading]).max().unwrap_or(12).clamp(10, 48) as f64
}

/// The height of the first row, where headings are wrapped to their columns, in points.
fn heading_height(dataset: &Dataset) -> f64 {
    let lines = |(place, column): (usize, &Column)| (column.name.len() as f64 * 1.2 / width(dataset, place)).ceil();
    15.0 * dataset.columns.iter().enumerate().map(lines).fold(1.0, f64::max) + 3.0
}

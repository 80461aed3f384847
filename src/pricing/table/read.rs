//! Reads one CSV file of prices.

use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};
use jiff::civil::Date;

use super::PriceRow;
use super::columns::Column;
use crate::diagnostic::Diagnostic;
use crate::pricing::error::{MAX_PROBLEMS, PriceFileError, code, csv_error, error_at};
use crate::pricing::off_peak::Window;
use crate::pricing::rates::Rates;
use crate::pricing::service_tier::ServiceTier;
use crate::units::UnitPrice;

/// The rows of a file, or everything that is wrong with it.
pub fn read(file: &Arc<str>, bytes: &[u8]) -> Result<Vec<PriceRow>, PriceFileError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        let message = "the file is empty; expected a header line and rows of prices".to_owned();
        return Err(error_at(file, 1, 1, code::SYNTAX, message).into());
    }
    let mut reader = ReaderBuilder::new().comment(Some(b'#')).from_reader(bytes);
    let header = reader.byte_headers().map_err(|error| PriceFileError::from(csv_error(file, &error)))?.clone();
    let columns = header_columns(file, bytes, &header)?;
    let places = Column::ALL.map(|(_, column)| columns.iter().position(|known| *known == column));
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let mut record = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {
                let fields = Fields { file, bytes, record: &record, columns: &columns, places: &places };
                match fields.row() {
                    Ok(row) => rows.push(row),
                    Err(problem) => problems.push(*problem),
                }
            }
            Err(error) => problems.push(csv_error(file, &error)),
        }
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
    }
    if rows.is_empty() && problems.is_empty() {
        let message = "the file has a header and no prices; expected a row for each model, or no file".to_owned();
        problems.push(error_at(file, 1, 1, code::SYNTAX, message));
    }
    if problems.is_empty() { Ok(rows) } else { Err(PriceFileError { diagnostics: problems }) }
}

/// Which column each field belongs to.
fn header_columns(file: &Arc<str>, bytes: &[u8], header: &ByteRecord) -> Result<Vec<Column>, PriceFileError> {
    let mut columns = Vec::new();
    for (index, name) in header.iter().enumerate() {
        let name = String::from_utf8_lossy(name);
        let wrong = |message: String| {
            let at = header.position().map_or(0, |position| position.byte() as usize);
            let line = header.position().map_or(1, |position| position.line() as usize);
            PriceFileError::from(error_at(file, line, column_of(&bytes[at..], index), code::COLUMN, message))
        };
        let column = Column::named(name.trim()).ok_or_else(|| {
            let known: Vec<&str> = Column::ALL.iter().map(|(name, _)| *name).collect();
            wrong(format!("`{}` is not a column of a price table; the columns are {}", name.trim(), known.join(", ")))
        })?;
        if columns.contains(&column) {
            return Err(wrong(format!("column `{}` occurs twice", column.name())));
        }
        columns.push(column);
    }
    match Column::REQUIRED.into_iter().find(|column| !columns.contains(column)) {
        Some(missing) => {
            let message = format!("the header has no column `{}`", missing.name());
            Err(error_at(file, 1, 1, code::COLUMN, message).into())
        }
        None => Ok(columns),
    }
}

/// The 1-based column, in characters, of a field in the raw text of a row.
fn column_of(row: &[u8], field: usize) -> usize {
    let (mut seen, mut quoted, mut column) = (0, false, 1);
    for &byte in row {
        if seen == field {
            break;
        }
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => seen += 1,
            _ => {}
        }
        // Continuation bytes of UTF-8 are no characters of their own.
        column += usize::from(byte & 0xC0 != 0x80);
    }
    column
}

struct Fields<'a> {
    file: &'a Arc<str>,
    bytes: &'a [u8],
    record: &'a ByteRecord,
    columns: &'a [Column],
    /// Where each column is, in the order of [`Column::ALL`].
    places: &'a [Option<usize>; Column::ALL.len()],
}

type Field<T> = Result<T, Box<Diagnostic>>;

impl Fields<'_> {
    fn row(&self) -> Field<PriceRow> {
        let row = PriceRow {
            provider: self.required(Column::Provider)?.to_owned(),
            model: self.required(Column::Model)?.to_owned(),
            aliases: self.text(Column::Aliases)?.split_whitespace().map(str::to_owned).collect(),
            kind: self.kind()?,
            service: self.parsed(
                Column::Service,
                "standard, flex, priority, ultrafast or batch",
                ServiceTier::named,
            )?,
            above: self.optional(Column::AboveInputTokens, "a number of tokens such as 200000 or >=200000", above)?,
            hours: self.hours()?,
            rates: self.rates()?,
            valid_from: self.date(Column::ValidFrom)?,
            valid_to: self.date(Column::ValidTo)?,
            context_window: self.optional(Column::ContextWindow, "a number of tokens", |text| text.parse().ok())?,
            max_output: self.optional(Column::MaxOutput, "a number of tokens", |text| text.parse().ok())?,
            retired_on: self.retirement()?,
            source: self.required(Column::Source)?.to_owned(),
            as_of: self.parsed(Column::AsOf, "a date such as 2026-11-21", |text| text.parse().ok())?,
            note: self.text(Column::Note)?.to_owned(),
            line: self.line(),
        };
        if let (Some(from), Some(to)) = (row.valid_from, row.valid_to)
            && from >= to
        {
            return Err(self.wrong(Column::ValidTo, format!("valid_to {to} is not after valid_from {from}")));
        }
        Ok(row)
    }

    fn rates(&self) -> Field<Rates> {
        Ok(Rates {
            input: Some(self.required_price(Column::Input)?),
            output: self.price(Column::Output)?,
            cache_read: self.price(Column::CacheRead)?,
            cache_write: self.price(Column::CacheWrite5m)?,
            cache_write_1h: self.price(Column::CacheWrite1h)?,
            reasoning: self.price(Column::Reasoning)?,
        })
    }

    fn kind(&self) -> Field<String> {
        self.parsed(Column::Kind, "chat or embedding", |text| match text {
            "" => Some("chat".to_owned()),
            "chat" | "embedding" => Some(text.to_owned()),
            _ => None,
        })
    }

    fn hours(&self) -> Field<Vec<Window>> {
        let text = self.text(Column::HoursUtc)?;
        let windows: Option<Vec<Window>> =
            text.split(';').filter(|part| !part.trim().is_empty()).map(Window::weekly).collect();
        windows.ok_or_else(|| {
            self.expected(Column::HoursUtc, text, "windows such as `mon-fri 01:00-04:00; sat 00:00-24:00`")
        })
    }

    fn retirement(&self) -> Field<Option<Date>> {
        let (status, date) = (self.text(Column::Status)?, self.date(Column::RetiredOn)?);
        match (status, date) {
            ("" | "current", None) => Ok(None),
            ("retired", Some(date)) => Ok(Some(date)),
            ("retired", None) => {
                Err(self.wrong(Column::RetiredOn, "a retired model needs the day in `retired_on`".into()))
            }
            ("" | "current", Some(_)) => {
                Err(self.wrong(Column::Status, "`retired_on` is given, so the status must be `retired`".into()))
            }
            (other, _) => Err(self.expected(Column::Status, other, "current or retired")),
        }
    }

    fn required_price(&self, column: Column) -> Field<UnitPrice> {
        self.price(column)?.ok_or_else(|| self.wrong(column, format!("`{}` is empty; expected a price", column.name())))
    }

    fn price(&self, column: Column) -> Field<Option<UnitPrice>> {
        let expected = "a price in dollars per 1M tokens such as 2.50, not negative";
        let price = |text: &str| UnitPrice::per_million(text).ok().filter(|price| !price.is_negative());
        self.optional(column, expected, price)
    }

    fn date(&self, column: Column) -> Field<Option<Date>> {
        self.optional(column, "a date such as 2026-11-21", |text| text.parse().ok())
    }

    fn required(&self, column: Column) -> Field<&str> {
        let text = self.text(column)?;
        if text.is_empty() {
            return Err(self.wrong(column, format!("`{}` is empty", column.name())));
        }
        Ok(text)
    }

    fn optional<T>(&self, column: Column, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Field<Option<T>> {
        let text = self.text(column)?;
        if text.is_empty() {
            return Ok(None);
        }
        parse(text).map(Some).ok_or_else(|| self.expected(column, text, expected))
    }

    fn parsed<T>(&self, column: Column, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Field<T> {
        let text = self.text(column)?;
        parse(text).ok_or_else(|| self.expected(column, text, expected))
    }

    /// The text of a field without surrounding blanks; empty when the file has no such column.
    fn text(&self, column: Column) -> Field<&str> {
        let field = self.places[column as usize].and_then(|index| self.record.get(index));
        let Some(field) = field.filter(|field| !field.is_empty()) else { return Ok("") };
        let text = std::str::from_utf8(field)
            .map_err(|_| self.wrong(column, format!("`{}` is not UTF-8 text", column.name())))?;
        Ok(text.trim())
    }

    fn expected(&self, column: Column, found: &str, expected: &str) -> Box<Diagnostic> {
        self.wrong(column, format!("`{}`: expected {expected}, found `{}`", column.name(), shortened(found)))
    }

    fn wrong(&self, column: Column, message: String) -> Box<Diagnostic> {
        let index = self.columns.iter().position(|known| *known == column).unwrap_or(0);
        let at = self.record.position().map_or(0, |position| position.byte() as usize).min(self.bytes.len());
        Box::new(error_at(self.file, self.line(), column_of(&self.bytes[at..], index), code::VALUE, message))
    }

    fn line(&self) -> usize {
        self.record.position().map_or(0, |position| position.line() as usize)
    }
}

/// `200000`: more than that many; `>=200000`: from that many on.
fn above(text: &str) -> Option<u64> {
    match text.strip_prefix(">=") {
        Some(from) => from.trim().parse::<u64>().ok()?.checked_sub(1),
        None => text.parse().ok(),
    }
}

/// So that a wrong file does not fill the screen.
fn shortened(text: &str) -> String {
    let mut start: String = text.chars().take(40).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

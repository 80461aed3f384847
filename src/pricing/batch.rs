//! Prices the rows of a CSV file: `billcast cost --batch`.

use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord, WriterBuilder};
use jiff::Timestamp;

use super::adjust::Adjustment;
use super::book::PriceBook;
use super::error::{PriceFileError, code, csv_error, error_at};
use super::tariff::Priced;
use crate::diagnostic::Diagnostic;
use crate::units::{Tokens, Usage};

/// The column that is added.
const COST_COLUMN: &str = "billcast_cost_usd";
/// What stands there for a model without a price.
const UNPRICED: &str = "unpriced";
const NAMES: [&str; 9] = [
    "model",
    "custom_llm_provider",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "cache_creation_5m_tokens",
    "cache_creation_1h_tokens",
    "reasoning_tokens",
    "service_tier",
];
/// How many of [`NAMES`] must be there: the model and the two token counts.
const REQUIRED: [usize; 3] = [0, 2, 3];

/// Where each of [`NAMES`] stands in the header.
type Places = [Option<usize>; NAMES.len()];

/// Reads rows of usage and returns them with one more column, the exact cost as decimal text (or `unpriced`). Columns
/// that are not needed are kept as they are; `custom_llm_provider`, the cache and reasoning counts and `service_tier`
/// may be missing or empty.
///
/// # Errors
/// At the first row that is not a usage, with file, line and what was expected.
pub fn price_rows(file: &str, bytes: &[u8], book: &PriceBook, at: Timestamp) -> Result<Vec<u8>, PriceFileError> {
    let file: Arc<str> = file.into();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().from_reader(bytes);
    let header = reader.headers().map_err(|error| csv_error(&file, &error))?.clone();
    let places = places(&file, &header)?;
    let mut writer = WriterBuilder::new().from_writer(Vec::with_capacity(bytes.len() + bytes.len() / 4));
    let unwritable = |error: csv::Error| csv_error(&file, &error);
    writer.write_record(header.iter().chain([COST_COLUMN])).map_err(unwritable)?;
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| csv_error(&file, &error))? {
        let row = Row { file: &file, record: &record, places: &places };
        let cost = row.cost(book, at)?;
        writer.write_record(record.iter().chain([cost.as_str()])).map_err(unwritable)?;
    }
    writer.into_inner().map_err(|_| error_at(&file, 0, 0, code::SYNTAX, "the rows cannot be written".into()).into())
}

fn places(file: &Arc<str>, header: &StringRecord) -> Result<Places, PriceFileError> {
    if header.is_empty() || header.iter().all(|name| name.trim().is_empty()) {
        return Err(error_at(file, 1, 1, code::SYNTAX, "the file is empty; expected a header line".into()).into());
    }
    let places = NAMES.map(|name| header.iter().position(|column| column.trim() == name));
    match REQUIRED.into_iter().find(|&name| places[name].is_none()) {
        Some(missing) => {
            let message = format!("the header has no column `{}`", NAMES[missing]);
            Err(error_at(file, 1, 1, code::COLUMN, message).into())
        }
        None => Ok(places),
    }
}

struct Row<'a> {
    file: &'a Arc<str>,
    record: &'a StringRecord,
    places: &'a Places,
}

impl Row<'_> {
    fn cost(&self, book: &PriceBook, at: Timestamp) -> Result<String, Diagnostic> {
        let usage = Usage {
            input: self.tokens(2)?,
            output: self.tokens(3)?,
            cached: self.tokens(4)?,
            cache_write: self.tokens(5)?,
            cache_write_1h: self.tokens(6)?,
            reasoning: self.tokens(7)?,
        };
        self.check(&usage)?;
        let model = self.text(0);
        if model.is_empty() {
            return Err(self.wrong(0, "`model` is empty".to_owned()));
        }
        let provider = Some(self.text(1)).filter(|provider| !provider.is_empty());
        let service = book.service_tier(self.text(8));
        let Priced::Known(tariff) = book.lookup(model, provider, at) else { return Ok(UNPRICED.to_owned()) };
        let cost = tariff.adjusted_cost(&usage, service, at, &Adjustment::default());
        let cost = cost.ok_or_else(|| self.wrong(0, "the cost is outside the range of exact amounts".to_owned()))?;
        Ok(cost.to_string())
    }

    /// Refuses parts that are more than their whole: they would be priced all the same, with less
    /// than nothing of the rest.
    fn check(&self, usage: &Usage) -> Result<(), Diagnostic> {
        let within = [usage.cached, usage.cache_write, usage.cache_write_1h].map(u64::from);
        let sum: u64 = within.iter().sum();
        if sum > u64::from(usage.input) {
            let told =
                (4..7).zip(within).filter(|(_, tokens)| *tokens > 0).map(|(name, _)| format!("`{}`", NAMES[name]));
            let told: Vec<String> = told.collect();
            let message = format!("{}: {sum} of {} `prompt_tokens` cannot be", told.join(" + "), usage.input);
            let help = "`prompt_tokens` counts all input, also what is read from and written to the cache: where an export \
                        leaves those out (`input_tokens` of Anthropic), add them";
            return Err(Diagnostic { help: Some(help.to_owned()), ..self.wrong(2, message) });
        }
        if usage.reasoning > usage.output {
            let message =
                format!("`reasoning_tokens`: {} of {} `completion_tokens` cannot be", usage.reasoning, usage.output);
            let help = "`completion_tokens` counts all output, reasoning too: where an export leaves it out, add it";
            return Err(Diagnostic { help: Some(help.to_owned()), ..self.wrong(3, message) });
        }
        Ok(())
    }

    /// A number of tokens; a missing column or an empty field is 0, except where it is required.
    fn tokens(&self, name: usize) -> Result<Tokens, Diagnostic> {
        let text = self.text(name);
        if text.is_empty() && !REQUIRED.contains(&name) {
            return Ok(0);
        }
        let column = NAMES[name];
        let message = || format!("`{column}`: expected a whole number of tokens up to {}, found `{text}`", Tokens::MAX);
        text.parse().map_err(|_| self.wrong(name, message()))
    }

    fn text(&self, name: usize) -> &str {
        self.places[name].and_then(|place| self.record.get(place)).unwrap_or("").trim()
    }

    /// An error in one field; the column is the number of the field, as rows may be quoted.
    fn wrong(&self, name: usize, message: String) -> Diagnostic {
        let line = self.record.position().map_or(0, |position| position.line() as usize);
        let before = self.record.iter().take(self.places[name].unwrap_or(0));
        let column = 1 + before.map(|field| field.chars().count() + 1).sum::<usize>();
        error_at(self.file, line, column, code::VALUE, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn priced(rows: &str) -> Result<String, String> {
        let map = br#"{"m": {"litellm_provider": "openai", "input_cost_per_token": 2.0000000000000002e-07}}"#;
        let book = PriceBook::read("map.json", map).unwrap();
        let bytes = price_rows("rows.csv", rows.as_bytes(), &book, Timestamp::UNIX_EPOCH);
        bytes.map(|bytes| String::from_utf8(bytes).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn costs_are_exact_text_and_other_columns_stay() {
        let rows =
            "note,model,custom_llm_provider,prompt_tokens,completion_tokens\n\"a,b\",m,openai,10,5\nc,x,openai,1,1\n";
        let expected = "note,model,custom_llm_provider,prompt_tokens,completion_tokens,billcast_cost_usd\n\
                        \"a,b\",m,openai,10,5,0.0000020000000000000002\nc,x,openai,1,1,unpriced\n";
        assert_eq!(priced(rows).unwrap(), expected);
    }

    #[test]
    fn parts_that_are_more_than_their_whole_are_told_with_their_row_and_the_way_out() {
        let header = "model,prompt_tokens,completion_tokens,cached_tokens,cache_creation_5m_tokens,reasoning_tokens";
        let first = priced(&format!("{header}\nm,100,5,60,40,5\n")).expect("all of the input, all of the output");
        assert!(first.contains("m,100,5,60,40,5,"), "{first}");
        for (row, place, message) in [
            ("m,100,5,101,0,0", "rows.csv:3:3", "`cached_tokens`: 101 of 100 `prompt_tokens` cannot be"),
            ("m,100,5,60,41,0", "rows.csv:3:3", "`cached_tokens` + `cache_creation_5m_tokens`: 101 of 100"),
            ("x,0,5,1,0,0", "rows.csv:3:3", "`cached_tokens`: 1 of 0"),
            ("m,100,5,0,0,6", "rows.csv:3:7", "`reasoning_tokens`: 6 of 5 `completion_tokens` cannot be"),
        ] {
            let error = priced(&format!("{header}\nm,1,1,0,0,0\n{row}\n")).expect_err(row);
            assert!(error.starts_with(place) && error.contains(message) && error.contains("add "), "{row}: {error}");
        }
    }

    #[test]
    fn bad_rows_are_named_with_their_place() {
        let header = "model,prompt_tokens,completion_tokens\n";
        for (row, place, message) in [
            ("m,-5,1", "rows.csv:2:3", "`prompt_tokens`: expected a whole number"),
            ("m,5,1.5", "rows.csv:2:5", "`completion_tokens`"),
            ("m,,1", "rows.csv:2:3", "found ``"),
            ("m,99999999999,1", "rows.csv:2:3", "up to 4294967295"),
            (",1,1", "rows.csv:2:1", "`model` is empty"),
            ("m,1", "rows.csv:2:1", "2 fields"),
        ] {
            let error = priced(&format!("{header}{row}\n")).expect_err(row);
            assert!(error.starts_with(place) && error.contains(message), "{row}: {error}");
        }
        assert!(priced("").unwrap_err().contains("empty"));
        assert!(priced("model,tokens\n").unwrap_err().contains("no column `prompt_tokens`"));
    }
}

//! Our own dated price tables: CSV, one row per model, condition and span of days.

mod columns;
mod find;
mod overlap;
mod read;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

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
    by_full_name: BTreeMap<String, usize>,
    /// The first model with a bare name, in lower case.
    by_bare_name: BTreeMap<String, usize>,
}

impl PriceTable {
    /// The tables of `models/prices`, as they were when the program was built.
    ///
    /// # Errors
    /// When one of them is malformed, which a test excludes.
    pub fn built_in() -> Result<Arc<Self>, PriceFileError> {
        // Gateway, scenario and reports ask for it; it is read once.
        static TABLE: OnceLock<Result<Arc<PriceTable>, PriceFileError>> = OnceLock::new();
        TABLE.get_or_init(|| Self::read_built_in().map(Arc::new)).clone()
    }

    fn read_built_in() -> Result<Self, PriceFileError> {
        let files = BUILT_IN.files().filter(|file| file.path().extension().is_some_and(|end| end == "csv"));
        let mut files: Vec<(&str, &[u8])> =
            files.filter_map(|file| Some((file.path().to_str()?, file.contents()))).collect();
        files.sort_unstable();
        // Told file by file what is wrong, if anything is.
        joined(&files).and_then(|all| Self::read(&[("prices", &all)]).ok()).map_or_else(|| Self::read(&files), Ok)
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
            // Most tables are one file: its rows stay where they were read.
            if table.rows.is_empty() { table.rows = rows } else { table.rows.extend(rows) }
        }
        table.index();
        overlap::check(&table, &places)?;
        Ok(table)
    }

    /// All rows.
    pub fn rows(&self) -> &[PriceRow] {
        &self.rows
    }

    fn index(&mut self) {
        let mut with_aliases = Vec::new();
        for (number, row) in self.rows.iter().enumerate() {
            let model = *self.by_full_name.entry(full_name(&row.provider, &row.model)).or_insert_with(|| {
                self.models.push(Vec::new());
                self.models.len() - 1
            });
            self.models[model].push(number);
            self.by_bare_name.entry(row.model.to_lowercase()).or_insert(model);
            if !row.aliases.is_empty() {
                with_aliases.push((number, model));
            }
        }
        // Names go before aliases.
        for (number, model) in with_aliases {
            let row = &self.rows[number];
            for alias in &row.aliases {
                self.by_full_name.entry(full_name(&row.provider, alias)).or_insert(model);
                self.by_bare_name.entry(alias.to_lowercase()).or_insert(model);
            }
        }
    }
}

/// `provider/name`, as it is looked up.
fn full_name(provider: &str, name: &str) -> String {
    [provider, "/", name].concat().to_lowercase()
}

/// The rows of all tables under the header that they share, `None` if they do not: a reader costs more to make than a
/// hundred rows to read.
fn joined(files: &[(&str, &[u8])]) -> Option<Vec<u8>> {
    let mut all = Vec::with_capacity(files.iter().map(|(_, bytes)| bytes.len() + 1).sum());
    let mut shared: Option<&[u8]> = None;
    for (_, bytes) in files {
        let end = bytes.iter().position(|byte| *byte == b'\n')? + 1;
        let (header, rows) = bytes.split_at(end);
        if *shared.get_or_insert(header) != header {
            return None;
        }
        all.extend_from_slice(if all.is_empty() { bytes } else { rows });
        if !all.ends_with(b"\n") {
            all.push(b'\n');
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::units::{Money, Usage};

    fn at(text: &str) -> Timestamp {
        text.parse().expect(text)
    }

    fn cost(table: &PriceTable, model: &str, usage: &Usage, service: ServiceTier, time: &str) -> Option<Money> {
        table.tariff(model, None, at(time))?.cost(usage, service, at(time))?.money()
    }

    fn dollars(text: &str) -> Option<Money> {
        Some(text.parse().expect(text))
    }

    fn read(text: &str) -> Result<PriceTable, String> {
        PriceTable::read(&[("t.csv", text.as_bytes())]).map_err(|error| error.to_string())
    }

    const HEADER: &str = "provider,model,service,input,output,valid_from,valid_to,source,as_of\n";

    #[test]
    fn the_built_in_tables_have_the_models_that_users_name() {
        let table = PriceTable::built_in().expect("readable");
        let providers: std::collections::BTreeSet<&str> =
            table.rows().iter().map(|row| row.provider.as_str()).collect();
        assert!(table.models.len() >= 130 && providers.len() >= 10, "{}", table.models.len());
        for model in [
            "deepseek-chat",
            "gpt-4o",
            "openai/gpt-4o-mini",
            "claude-3-haiku-20240307",
            "anthropic/claude-3-5-sonnet",
            "claude-3-opus",
            "gemini/gemini-1.5-flash",
            "gemini-1.5-pro",
            "gemini-2.5-flash",
            "xai/grok-4.3",
            "gpt-5.4",
            "gpt-5.4-mini",
            "gpt-5.4-nano",
            "gpt-5.5",
            "claude-sonnet-4-6",
            "claude-haiku-4-5",
            "claude-opus-4-7",
            "deepseek/deepseek-v4-flash",
            "text-embedding-3-small",
            "gemini/gemini-embedding-001",
            "azure/gpt-4o",
            "bedrock/us.anthropic.claude-3-haiku-20240307-v1:0",
        ] {
            assert!(table.tariff(model, None, at("2026-11-21T12:00:00Z")).is_some(), "{model}");
        }
    }

    #[test]
    fn another_providers_price_is_no_price() {
        let table = PriceTable::built_in().unwrap();
        let found =
            |model, provider| table.tariff(model, provider, at("2026-11-21T12:00:00Z")).map(|tariff| tariff.name);
        assert_eq!(found("together_ai/deepseek-ai/DeepSeek-V3", None), None);
        assert_eq!(found("gpt-4o", Some("groq")), None);
        assert_eq!(found("openrouter/openai/gpt-4o", None), Some("gpt-4o"));
        assert_eq!(found("openai/deepseek-chat", None), Some("deepseek-chat"));
        assert_eq!(found("gpt-nope", None), None);
    }

    #[test]
    fn prices_change_with_the_date() {
        let table = PriceTable::built_in().unwrap();
        let million = Usage::plain(1_000_000, 0);
        for (time, expected) in [
            ("2025-01-15T12:00:00Z", "0.14"),
            ("2025-02-08T12:00:00Z", "0.27"),
            ("2025-06-01T17:00:00Z", "0.135"),
            ("2026-01-01T00:00:00Z", "0.28"),
        ] {
            assert_eq!(
                cost(&table, "deepseek-chat", &million, ServiceTier::Standard, time),
                dollars(expected),
                "{time}"
            );
        }
    }

    #[test]
    fn prices_change_with_the_hour_and_the_weekday() {
        let table = PriceTable::built_in().unwrap();
        let million = Usage::plain(1_000_000, 1_000_000);
        for (time, expected) in [
            ("2026-11-20T00:59:59Z", "0.75"),
            ("2026-11-20T01:00:00Z", "1.50"),
            ("2026-11-20T04:00:00Z", "0.75"),
            ("2026-11-21T02:00:00Z", "0.75"),
        ] {
            assert_eq!(
                cost(&table, "deepseek-v4-flash", &million, ServiceTier::Standard, time),
                dollars(expected),
                "{time}"
            );
        }
    }

    #[test]
    fn steps_and_service_tiers_hold_for_the_whole_request() {
        let table = PriceTable::built_in().unwrap();
        let now = "2026-11-21T12:00:00Z";
        let standard = |model, tokens| cost(&table, model, &Usage::plain(tokens, 1000), ServiceTier::Standard, now);
        assert_eq!(standard("gpt-5.4", 272_000), dollars("0.695"));
        assert_eq!(standard("gpt-5.4", 272_001), dollars("1.382505"));
        // xAI's boundary is inclusive.
        assert_eq!(standard("grok-4.3", 199_999), dollars("0.25249875"));
        assert_eq!(standard("grok-4.3", 200_000), dollars("0.505"));
        let batch = cost(&table, "gpt-4o", &Usage::plain(1000, 1000), ServiceTier::Batch, now);
        assert_eq!(batch, dollars("0.00625"));
    }

    #[test]
    fn missing_cache_prices_cost_the_input_price() {
        let table = read("provider,model,input,output,cache_write_5m,source,as_of\np,m,2,4,3,s,2026-01-01\n").unwrap();
        let usage = Usage { cached: 1000, cache_write: 1000, cache_write_1h: 1000, ..Usage::plain(4000, 0) };
        assert_eq!(cost(&table, "m", &usage, ServiceTier::Standard, "2026-01-01T00:00:00Z"), dollars("0.010"));
    }

    #[test]
    fn a_day_without_a_standard_price_is_unpriced() {
        let table = read(&format!("{HEADER}p,m,,1,1,2026-01-01,2026-02-01,s,2026-01-01\n")).unwrap();
        let usage = Usage::plain(1_000_000, 0);
        let on = |time| cost(&table, "m", &usage, ServiceTier::Standard, time);
        assert_eq!(on("2025-12-31T23:59:59Z"), None);
        assert_eq!(on("2026-01-31T23:59:59Z"), dollars("1"));
        assert_eq!(on("2026-02-01T00:00:00Z"), None);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let bad = |row: &str| read(&format!("{HEADER}{row}\n")).expect_err(row);
        for (row, place, message) in [
            ("p,m,,-1,1,,,s,2026-01-01", "t.csv:2:6", "not negative"),
            ("p,m,,NaN,1,,,s,2026-01-01", "t.csv:2:6", "dollars per 1M tokens"),
            ("p,m,,inf,1,,,s,2026-01-01", "t.csv:2:6", "dollars per 1M tokens"),
            ("p,\u{fc}\u{fc},,1e-30,1,,,s,2026-01-01", "t.csv:2:7", "dollars per 1M tokens"),
            ("p,m,,,1,,,s,2026-01-01", "t.csv:2:6", "`input` is empty"),
            ("p,m,slow,1,1,,,s,2026-01-01", "t.csv:2:5", "standard, flex"),
            ("p,m,,1,1,2026-02-30,,s,2026-01-01", "t.csv:2:10", "a date"),
            ("p,m,,1,1,2026-02-01,2026-01-01,s,2026-01-01", "t.csv:2:21", "not after"),
            ("p,m,,1,1,,,,2026-01-01", "t.csv:2:12", "`source` is empty"),
            ("p,m,,1,1,,,s", "t.csv:2:1", "8 fields"),
        ] {
            let found = bad(row);
            assert!(found.starts_with(place) && found.contains(message), "{row}: {found}");
        }
    }

    #[test]
    fn files_that_are_no_tables_are_refused() {
        let message = |text: &str| read(text).expect_err(text);
        assert!(message("").contains("empty"));
        assert!(message("provider,model,prices\n").starts_with("t.csv:1:16"));
        assert!(message("provider,model,input,as_of\n").contains("no column `source`"));
        assert!(message("provider,provider,model,input,source,as_of\n").contains("twice"));
        let binary = [HEADER.as_bytes(), b"p,\xff\xfe,,1,1,,,s,2026-01-01\n"].concat();
        let error = PriceTable::read(&[("t.csv", &binary)]).expect_err("not UTF-8").to_string();
        assert!(error.starts_with("t.csv:2:3") && error.contains("UTF-8"), "{error}");
    }

    #[test]
    fn rows_that_hold_at_once_are_refused() {
        let rows = "p,m,,1,1,,2026-03-01,s,2026-01-01\np,m,,2,2,2026-02-01,,s,2026-01-01\n";
        let error = read(&format!("{HEADER}{rows}")).expect_err("they overlap");
        assert!(error.starts_with("t.csv:3:1") && error.contains("t.csv:2"), "{error}");
        assert!(read(&format!("{HEADER}p,m,,1,1,,,s,2026-01-01\np,m,batch,1,1,,,s,2026-01-01\n")).is_ok());
    }
}

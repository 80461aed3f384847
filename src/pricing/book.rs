//! A price book: our dated table or LiteLLM's map.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::adjust::Adjustment;
use super::compiled::CompiledRates;
use super::error::PriceFileError;
use super::litellm::CostMap;
use super::off_peak::Window;
use super::schedule::PriceSchedule;
use super::service_tier::ServiceTier;
use super::table::PriceTable;
use super::tariff::{Priced, Tariff};

/// Where prices come from, and by whose rules they are read.
#[derive(Debug, Clone)]
pub enum PriceBook {
    /// LiteLLM's map, read by LiteLLM's rules: what LiteLLM reports.
    LiteLlm(CostMap),
    /// A dated table: what providers bill.
    Table(Arc<PriceTable>),
}

/// Whose price is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The model, with or without a provider before it.
    pub model: &'a str,
    /// The provider the call is made with, if it is known apart from the model's name.
    pub provider: Option<&'a str>,
    /// The service tier.
    pub service: ServiceTier,
    /// The operator's discount and margin.
    pub adjustment: Adjustment,
}

impl<'a> Ask<'a> {
    /// The standard list price of a model.
    pub fn list_price(model: &'a str, provider: Option<&'a str>) -> Self {
        Self { model, provider, service: ServiceTier::Standard, adjustment: Adjustment::default() }
    }
}

impl PriceBook {
    /// The tables that are built in.
    ///
    /// # Errors
    /// Never for a released binary: a test reads them.
    pub fn built_in() -> Result<Self, PriceFileError> {
        PriceTable::built_in().map(Self::Table)
    }

    /// Reads LiteLLM's JSON or a CSV table like ours; which it is shows in its first character.
    ///
    /// # Errors
    /// When it is neither, with the places.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, PriceFileError> {
        let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        match start.first() {
            Some(b'{' | b'[') => CostMap::from_json(file, bytes).map(Self::LiteLlm),
            _ if file.to_ascii_lowercase().ends_with(".json") => CostMap::from_json(file, bytes).map(Self::LiteLlm),
            _ => PriceTable::read(&[(file, bytes)]).map(|table| Self::Table(Arc::new(table))),
        }
    }

    /// The service tier that a request's `service_tier` means in this book. Only our table has prices for batches.
    pub fn service_tier(&self, text: &str) -> ServiceTier {
        match (self, ServiceTier::as_litellm_reads(text)) {
            (Self::Table(_), ServiceTier::Standard) if text.eq_ignore_ascii_case("batch") => ServiceTier::Batch,
            (_, tier) => tier,
        }
    }

    /// The prices of a model at a moment.
    pub fn lookup(&self, model: &str, provider: Option<&str>, at: Timestamp) -> Priced<Tariff<'_>> {
        match self {
            Self::LiteLlm(map) => {
                map.find(model, provider).map(super::litellm::Found::into_tariff).filter(Tariff::has_price)
            }
            Self::Table(table) => table.tariff(model, provider, at),
        }
        .into()
    }

    /// The first day from which a price of the model is known: the first of its rows holds from then on, or was seen
    /// then. None where the book has no dates.
    pub fn known_from(&self, model: &str, provider: Option<&str>) -> Option<Date> {
        let Self::Table(table) = self else { return None };
        table.rows_of(model, provider).into_iter().map(|row| row.valid_from.unwrap_or(row.as_of)).min()
    }

    /// Whose price stands for a model that somebody else sells, and for which model; LiteLLM's map
    /// lists each seller by itself.
    pub fn stands_in(&self, model: &str, provider: &str) -> Option<(&str, &str)> {
        let Self::Table(table) = self else { return None };
        table.stands_in(model, provider)
    }

    /// The prices at a moment in the engine's form.
    pub fn compile(&self, ask: &Ask<'_>, at: Timestamp) -> Priced<CompiledRates> {
        let tariff = self.lookup(ask.model, ask.provider, at).known();
        tariff.and_then(|tariff| tariff.compile(ask.service, at, &ask.adjustment)).into()
    }

    /// The prices from one moment until another in the engine's form.
    pub fn schedule(&self, ask: &Ask<'_>, from: Timestamp, until: Timestamp) -> PriceSchedule {
        let mut moments = vec![from];
        match self {
            Self::LiteLlm(map) => {
                let found = map.find(ask.model, ask.provider);
                let off_peak = found.as_ref().and_then(|found| found.entry.card.off_peak.as_ref());
                moments.extend(off_peak.into_iter().flat_map(|off_peak| edges(&off_peak.windows, from, until)));
            }
            Self::Table(table) => {
                moments.extend(table.dates_of_change(ask.model, ask.provider));
                let windows: Vec<Window> = table.windows(ask.model, ask.provider).cloned().collect();
                moments.extend(edges(&windows, from, until));
            }
        }
        moments.retain(|moment| (from..until).contains(moment) || *moment == from);
        moments.sort_unstable();
        moments.dedup();
        PriceSchedule::sample(&moments, |at| self.compile(ask, at))
    }
}

/// Every moment between two at which a window may open or close: its edges and midnight, each day.
fn edges(windows: &[Window], from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    const DAY: i64 = 24 * 60 * 60;
    if windows.is_empty() {
        return Vec::new();
    }
    // Days may turn at any hour when a window's calendar is not UTC, so every full hour is asked too.
    let mut minutes: Vec<i64> = (0..24).map(|hour| hour * 60).collect();
    minutes.extend(windows.iter().flat_map(|window| [i64::from(window.start), i64::from(window.end)]));
    let first_day = from.as_second().div_euclid(DAY) * DAY;
    let days = until.duration_since(from).max(SignedDuration::ZERO).as_secs() / DAY + 2;
    let moments = (0..days).flat_map(|day| minutes.iter().map(move |minute| first_day + day * DAY + minute * 60));
    moments.filter_map(|second| Timestamp::from_second(second).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Money, Usage};

    const MAP: &[u8] = br#"{
        "sample_spec": {"input_cost_per_token": 0.0, "litellm_provider": "one of ..."},
        "gpt-4o-mini": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1.5e-07,
            "output_cost_per_token": 6e-07, "supports_vision": true},
        "openai/without-price": {"litellm_provider": "openai", "mode": "chat"},
        "by-the-hour": {"litellm_provider": "openai", "input_cost_per_token": 2e-06,
            "off_peak_pricing": {"hours_utc": "10:00-12:00", "input_cost_per_token": 1e-06}}
    }"#;

    fn at(text: &str) -> Timestamp {
        text.parse().expect(text)
    }

    fn map() -> PriceBook {
        PriceBook::read("map.json", MAP).expect("readable")
    }

    #[test]
    fn names_resolve_with_and_without_a_provider() {
        let (book, now) = (map(), at("2026-11-21T00:00:00Z"));
        for (model, provider) in [
            ("gpt-4o-mini", None),
            ("openai/gpt-4o-mini", None),
            ("openai/openai/gpt-4o-mini", Some("openai")),
            ("GPT-4o-mini", Some("openai")),
        ] {
            let tariff = book.lookup(model, provider, now).known().unwrap_or_else(|| panic!("{model}"));
            assert_eq!(tariff.name, "gpt-4o-mini");
        }
        let PriceBook::LiteLlm(map) = &book else { panic!("a map") };
        assert!(map.exact("openai/gpt-4o-mini").is_none(), "cost-based routing finds full keys only");
    }

    #[test]
    fn unknown_and_priceless_models_are_unpriced_not_free() {
        let (book, now) = (map(), at("2026-11-21T00:00:00Z"));
        for model in ["gpt-nope", "openai/gpt-nope", "openai/without-price", "anthropic/gpt-4o-mini"] {
            assert!(book.lookup(model, None, now).known().is_none(), "{model}");
        }
    }

    #[test]
    fn a_schedule_changes_where_the_prices_do() {
        let book = map();
        let (from, until) = (at("2026-11-20T18:00:00Z"), at("2026-11-22T18:00:00Z"));
        let schedule = book.schedule(&Ask::list_price("by-the-hour", Some("openai")), from, until);
        let million = Usage::plain(1_000_000, 0);
        let cost = |time| {
            let (_, rates) = schedule.changes().iter().rfind(|(from, _)| *from <= at(time).as_second()).expect("rates");
            rates.clone().known().expect("priced").charge(&million)
        };
        let dollars = |text: &str| text.parse::<Money>().expect(text);
        assert_eq!(schedule.changes().len(), 5);
        assert_eq!(cost("2026-11-21T09:59:59Z"), dollars("2"));
        assert_eq!(cost("2026-11-21T10:00:00Z"), dollars("1"));
        assert_eq!(cost("2026-11-21T12:00:00Z"), dollars("2"));
        assert_eq!(cost("2030-01-01T00:00:00Z"), dollars("2"));
    }

    #[test]
    fn a_schedule_of_the_table_knows_dates_and_hours() {
        let book = PriceBook::built_in().unwrap();
        let ask = Ask::list_price("deepseek/deepseek-v4-pro", None);
        let schedule = book.schedule(&ask, at("2026-08-16T00:00:00Z"), at("2026-08-18T00:00:00Z"));
        let starts: Vec<i64> = schedule.changes().iter().skip(1).map(|(from, _)| *from).collect();
        let expected = ["17T00:00", "17T01:00", "17T04:00", "17T06:00", "17T10:00"];
        assert_eq!(starts, expected.map(|time| at(&format!("2026-08-{time}:00Z")).as_second()));
    }

    #[test]
    fn broken_json_is_refused_with_its_place() {
        for (text, place, message) in [
            ("", "m.json:1:1", "empty"),
            ("{\n\"m\": {\"input_cost_per_token\": -1}}", "m.json:2", "negative"),
            ("{\"m\": {\"input_cost_per_token\": NaN}}", "m.json:1", ""),
            ("{\"m\": {\"input_cost_per_token\": true}}", "m.json:1", "found a boolean"),
            ("{\"m\": {\"input_cost_per_token\": \"inf\"}}", "m.json:1", "not a decimal number"),
            ("{\"m\": 5}", "m.json:1:7", "an object with the prices of `m`"),
            ("[]", "m.json:1", "an object of models"),
            ("{} x", "m.json:1:4", ""),
        ] {
            let error = PriceBook::read("m.json", text.as_bytes()).expect_err(text).to_string();
            assert!(error.starts_with(place) && error.contains(message), "{text}: {error}");
        }
        assert!(PriceBook::read("m.json", b"{\"\xff\": {}}").is_err());
    }

    #[test]
    fn the_last_of_two_equal_keys_counts_and_is_reported() {
        let text = "{\"m\": {\"input_cost_per_token\": 1},\n\"m\": {\"input_cost_per_token\": 2}}";
        let map = CostMap::from_json("m.json", text.as_bytes()).unwrap();
        assert_eq!(map.exact("m").unwrap().card.standard().input, Some("2".parse().unwrap()));
        assert_eq!((map.warnings.len(), map.warnings[0].span.line), (1, 2));
    }
}

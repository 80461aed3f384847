//! A price book: our dated table or LiteLLM's map.

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
    Table(PriceTable),
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
            _ => PriceTable::read(&[(file, bytes)]).map(Self::Table),
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

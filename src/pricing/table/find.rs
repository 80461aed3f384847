//! Finds a model in our table, and the prices that hold at a moment.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{PriceRow, PriceTable};
use crate::pricing::card::RateCard;
use crate::pricing::litellm::is_provider;
use crate::pricing::off_peak::{Window, is_open};
use crate::pricing::rates::Rates;
use crate::pricing::rule::Rule;
use crate::pricing::service_tier::ServiceTier;
use crate::pricing::tariff::Tariff;

impl PriceTable {
    /// The prices of a model at a moment.
    pub fn tariff(&self, model: &str, provider: Option<&str>, at: Timestamp) -> Option<Tariff<'_>> {
        let rows = &self.models[self.find(model, provider)?];
        let card = self.card(rows, at)?;
        Some(Tariff::new(&self.rows[rows[0]].model, Cow::Owned(card), Rule::Provider))
    }

    /// The rows of a model, in the order of the file.
    pub fn rows_of(&self, model: &str, provider: Option<&str>) -> Vec<&PriceRow> {
        let rows = self.find(model, provider).map_or(&[][..], |model| &self.models[model]);
        rows.iter().map(|&row| &self.rows[row]).collect()
    }

    /// The rows of a model at a provider that bills for it, in the order of the file: its own, or those of the maker whose models it
    /// resells.
    pub fn sold(&self, name: &str, provider: &str) -> impl Iterator<Item = &PriceRow> {
        let name = name.to_lowercase();
        self.sold_as(&name, provider).map_or(&[][..], |model| &self.models[model]).iter().map(|&row| &self.rows[row])
    }

    /// Midnights at which some price of the model starts or ends.
    pub fn dates_of_change(&self, model: &str, provider: Option<&str>) -> Vec<Timestamp> {
        let rows = self.rows_of(model, provider);
        let dates = rows.iter().flat_map(|row| [row.valid_from, row.valid_to]).flatten();
        dates.filter_map(midnight).collect()
    }

    /// The windows of all of the model's rows.
    pub fn windows(&self, model: &str, provider: Option<&str>) -> impl Iterator<Item = &Window> {
        self.rows_of(model, provider).into_iter().flat_map(|row| &row.hours)
    }

    /// The model of this name: at its provider, at the maker whose models that one resells, or anywhere when the
    /// provider does not say who bills. Another provider's price for the same name is no price.
    fn find(&self, model: &str, provider: Option<&str>) -> Option<usize> {
        let model = model.to_lowercase();
        let provider = match provider {
            Some(provider) => provider.to_lowercase(),
            None => match model.split_once('/') {
                Some((prefix, _)) if is_provider(prefix) => prefix.to_owned(),
                _ => return self.bare(&model),
            },
        };
        let name = model.strip_prefix(&format!("{provider}/")).unwrap_or(&model);
        self.sold_as(name, &provider)
            .or_else(|| if PASSES_ON.contains(&provider.as_str()) { self.bare(name) } else { None })
    }

    fn sold_as(&self, name: &str, provider: &str) -> Option<usize> {
        let at = |seller: &&str| self.at(seller, name).or_else(|| self.at(seller, without_geography(name)));
        sellers(provider).iter().find_map(at)
    }

    fn at(&self, provider: &str, name: &str) -> Option<usize> {
        self.by_full_name.get(&format!("{provider}/{name}")).copied()
    }

    /// By its full name, its name alone, what follows the last slash, or that without a geography.
    fn bare(&self, name: &str) -> Option<usize> {
        let last = name.rsplit('/').next().unwrap_or(name);
        let bare = &self.by_bare_name;
        let maps = [(&self.by_full_name, name), (bare, name), (bare, last), (bare, without_geography(last))];
        maps.into_iter().find_map(|(map, name)| map.get(name).copied())
    }

    /// The rows that hold at a moment as one card. None when no standard price holds.
    fn card(&self, rows: &[usize], at: Timestamp) -> Option<RateCard> {
        let today = at.to_zoned(TimeZone::UTC).date();
        let mut holding: Vec<&PriceRow> =
            rows.iter().map(|&row| &self.rows[row]).filter(|r| r.holds_on(today)).collect();
        holding.retain(|row| row.hours.is_empty() || is_open(&row.hours, &TimeZone::UTC, at));
        // Later ones overwrite: those with hours come last.
        holding.sort_by_key(|row| !row.hours.is_empty());
        let mut card = RateCard::default();
        for row in holding {
            let place = match row.above {
                None => &mut card.base,
                Some(above) => &mut card.step_above(above).rates,
            };
            *place.of_mut(row.service) = row.rates;
            card.max_input_tokens = row.context_window.or(card.max_input_tokens);
            card.max_output_tokens = row.max_output.or(card.max_output_tokens);
        }
        (*card.base.of(ServiceTier::Standard) != Rates::default()).then_some(card)
    }
}

impl PriceRow {
    /// Whether the row is valid on a day (UTC), whatever the hour.
    pub fn holds_on(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day < to)
    }
}

fn midnight(date: Date) -> Option<Timestamp> {
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Prefixes that name a protocol or a passage rather than who bills: the model's own maker does, at list price.
const PASSES_ON: [&str; 8] = [
    "openai",
    "openai_like",
    "custom_openai",
    "litellm_proxy",
    "openrouter",
    "vercel_ai_gateway",
    "text-completion-openai",
    "custom",
];

/// The model of a Bedrock inference profile: `us.anthropic.claude-…` is `anthropic.claude-…`.
fn without_geography(name: &str) -> &str {
    const GEOGRAPHIES: [&str; 7] = ["global", "us", "eu", "apac", "jp", "au", "us-gov"];
    let in_geography = name.split_once('.').filter(|(geography, _)| GEOGRAPHIES.contains(geography));
    in_geography.map_or(name, |(_, rest)| rest)
}

/// At whose prices a provider sells a model, most specific first: clouds resell at the maker's list price unless the
/// table has a row of their own.
fn sellers(provider: &str) -> Vec<&str> {
    let others: &[&str] = match provider {
        "azure" | "azure_ai" | "azure_text" | "text-completion-openai" => &["azure", "openai"],
        "vertex_ai" | "vertex_ai_beta" | "google" => &["vertex_ai", "gemini", "anthropic", "mistral"],
        "gemini" => &["gemini"],
        "bedrock" | "bedrock_converse" => &["bedrock", "anthropic"],
        "qwencloud" | "qwen_ai_platform" => &["dashscope"],
        "cohere_chat" => &["cohere"],
        "anthropic_text" => &["anthropic"],
        _ => &[],
    };
    let mut sellers = vec![provider];
    sellers.extend(others);
    sellers
}

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

    /// Whose price stands for a model that somebody else sells, and for which model: the maker's.
    pub fn stands_in(&self, model: &str, provider: &str) -> Option<(&str, &str)> {
        let row = *self.rows_of(model, Some(provider)).first()?;
        let is_own = row.provider == provider || is_one_company(&row.provider, provider);
        (!is_own).then_some((row.provider.as_str(), row.model.as_str()))
    }

    /// The rows of a model at a provider that bills for it, in the order of the file: its own, or those of the maker
    /// whose models it resells.
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
        let name = without_route(name, provider);
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

/// A model without the way in which it is called, which stands in front and costs nothing
/// (`llms/bedrock/common_utils.py`, `main.py:responses_api_bridge_check`):
/// `converse/anthropic.claude-…`, `responses/gpt-5`.
fn without_route<'a>(mut name: &'a str, provider: &str) -> &'a str {
    let routes: &[&str] = match provider {
        "bedrock" | "bedrock_converse" => &["converse/", "invoke/", "openai/"],
        "azure" | "openai" => &["responses/"],
        _ => return name,
    };
    for route in routes {
        name = name.strip_prefix(route).unwrap_or(name);
    }
    name
}

/// The model of a Bedrock inference profile: `us.anthropic.claude-…` is `anthropic.claude-…`.
fn without_geography(name: &str) -> &str {
    const GEOGRAPHIES: [&str; 7] = ["global", "us", "eu", "apac", "jp", "au", "us-gov"];
    let in_geography = name.split_once('.').filter(|(geography, _)| GEOGRAPHIES.contains(geography));
    in_geography.map_or(name, |(_, rest)| rest)
}

/// Whether two of LiteLLM's providers are ways to the same company, which bills for both.
fn is_one_company(seller: &str, provider: &str) -> bool {
    const COMPANIES: [&[&str]; 6] = [
        &["openai", "text-completion-openai"],
        &["azure", "azure_ai", "azure_text"],
        &["gemini", "google", "vertex_ai", "vertex_ai_beta"],
        &["anthropic", "anthropic_text"],
        &["cohere", "cohere_chat"],
        &["dashscope", "qwencloud", "qwen_ai_platform"],
    ];
    COMPANIES.iter().any(|company| company.contains(&seller) && company.contains(&provider))
        || (seller == "bedrock" && provider == "bedrock_converse")
}

/// At whose prices a provider sells a model, most specific first: clouds resell at the maker's list price unless the
/// table has a row of their own.
fn sellers(provider: &str) -> Vec<&str> {
    let others: &[&str] = match provider {
        "azure" | "azure_text" | "text-completion-openai" => &["azure", "openai"],
        "azure_ai" => &["azure", "openai", "anthropic"],
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::PriceBook;
    use crate::units::UnitPrice;

    fn dollars(model: &str, provider: &str) -> Option<(f64, f64)> {
        let book = PriceBook::built_in().unwrap();
        let at = "2026-11-21T00:00:00Z".parse().unwrap();
        let tariff = book.lookup(model, Some(provider), at).known()?;
        let rates = tariff.card.standard();
        let number = |price: UnitPrice| price.per_million_text().parse().ok();
        Some((number(rates.input?)?, number(rates.output?)?))
    }

    #[track_caller]
    fn costs(model: &str, provider: &str, input: &str, output: &str) {
        let expected = (input.parse().unwrap(), output.parse().unwrap());
        assert_eq!(dollars(model, provider), Some(expected), "{provider} {model}");
    }

    /// As LiteLLM 1.102.4 lists them, but for the reseller.
    #[test]
    fn clouds_sell_by_geography_whatever_the_route() {
        costs("bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0", "bedrock", "1.1", "5.5");
        costs("bedrock/converse/eu.anthropic.claude-sonnet-4-6", "bedrock", "3.3", "16.5");
        costs("bedrock/invoke/global.anthropic.claude-sonnet-4-6", "bedrock", "3", "15");
        costs("bedrock/anthropic.claude-opus-4-7", "bedrock", "5", "25");
        costs("bedrock/us-gov.anthropic.claude-sonnet-5", "bedrock", "2.4", "12");
        costs("bedrock/us.anthropic.claude-opus-4-1-20250805-v1:0", "bedrock", "15", "75");
        costs("azure_ai/claude-sonnet-4-6", "azure_ai", "3", "15");
        costs("azure/responses/gpt-5.2", "azure", "1.75", "14");
        costs("openai/responses/gpt-5.2", "openai", "1.75", "14");
        costs("mistral/mistral-large-latest", "mistral", "0.5", "1.5");
        assert_eq!(dollars("groq/responses/gpt-5.2", "groq"), None);
    }

    #[test]
    fn it_is_known_whose_price_stands_for_a_resellers() {
        let table = PriceTable::built_in().unwrap();
        let stands_in = |model, provider| table.stands_in(model, provider);
        assert_eq!(stands_in("openrouter/z-ai/glm-5.2", "openrouter"), Some(("zai", "glm-5.2")));
        assert_eq!(stands_in("azure_ai/claude-sonnet-4-6", "azure_ai"), Some(("anthropic", "claude-sonnet-4-6")));
        assert_eq!(stands_in("openai/gpt-5.2", "openai"), None);
        assert_eq!(stands_in("vertex_ai/gemini-3.5-flash", "vertex_ai"), None);
        assert_eq!(stands_in("bedrock/us.anthropic.claude-sonnet-4-6", "bedrock"), None);
        assert_eq!(stands_in("openai/nobody-knows-it", "openai"), None);
    }
}

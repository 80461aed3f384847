//! What `billcast prices` lists: the models of a book whose names contain a text, or the nearest names.

use jiff::Timestamp;

use super::book::PriceBook;
use super::card::RateCard;
use super::rates::Rates;
use super::table::PriceRow;

const MAX_SUGGESTIONS: usize = 5;

/// The answer to a search for models.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The models found, in the order of the book.
    pub models: Vec<Listed>,
    /// When nothing was found: the most similar names.
    pub did_you_mean: Vec<String>,
}

/// One model, or one condition of a model, with its prices per token.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Who bills.
    pub provider: String,
    /// The model.
    pub model: String,
    /// `chat`, `embedding` …
    pub kind: String,
    /// When the prices hold: service tier, input length, hours, days; empty means always.
    pub condition: String,
    /// The prices.
    pub rates: Rates,
    /// The longest input in tokens.
    pub context_window: Option<u64>,
    /// The longest output in tokens.
    pub max_output: Option<u64>,
    /// Whether these prices hold on the day asked for.
    pub holds_now: bool,
    /// `current`, or since when it is retired.
    pub status: String,
    /// Where the figures are from, and as of when.
    pub source: String,
}

impl PriceBook {
    /// The models whose name contains `search` (any letter case; empty finds all), on the day of `at`.
    pub fn list(&self, search: &str, at: Timestamp) -> Listing {
        let search = search.trim().to_lowercase();
        let all = self.listed(at);
        let name = |listed: &Listed| format!("{}/{}", listed.provider, listed.model).to_lowercase();
        let (models, rest): (Vec<Listed>, Vec<Listed>) =
            all.into_iter().partition(|listed| name(listed).contains(&search));
        let did_you_mean = if models.is_empty() { nearest(&search, &rest) } else { Vec::new() };
        Listing { models, did_you_mean }
    }

    fn listed(&self, at: Timestamp) -> Vec<Listed> {
        match self {
            Self::Table(table) => table.rows().iter().map(|row| Listed::of_row(row, at)).collect(),
            Self::LiteLlm(map) => map
                .entries()
                .iter()
                .filter(|entry| entry.card.has_token_price())
                .map(|entry| Listed {
                    provider: entry.provider.clone().unwrap_or_default(),
                    model: entry.key.clone(),
                    kind: entry.mode.clone().unwrap_or_default(),
                    condition: conditions(&entry.card),
                    rates: *entry.card.standard(),
                    context_window: entry.card.max_input_tokens,
                    max_output: entry.card.max_output_tokens,
                    holds_now: true,
                    status: entry
                        .deprecation_date
                        .as_ref()
                        .map_or("current".into(), |date| format!("deprecated {date}")),
                    source: "LiteLLM's map".to_owned(),
                })
                .collect(),
        }
    }
}

impl Listed {
    fn of_row(row: &PriceRow, at: Timestamp) -> Self {
        let today = at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let mut condition = Vec::new();
        if row.service != super::service_tier::ServiceTier::Standard {
            condition.push(row.service.name().to_owned());
        }
        condition.extend(row.above.map(|above| format!("over {above} input tokens")));
        if !row.hours.is_empty() {
            condition.push("at some hours".to_owned());
        }
        condition.extend(row.valid_from.map(|date| format!("from {date}")));
        condition.extend(row.valid_to.map(|date| format!("until {date}")));
        Self {
            provider: row.provider.clone(),
            model: row.model.clone(),
            kind: row.kind.clone(),
            condition: condition.join(", "),
            rates: row.rates,
            context_window: row.context_window,
            max_output: row.max_output,
            holds_now: row.holds_on(today),
            status: row.retired_on.map_or("current".into(), |date| format!("retired {date}")),
            source: format!("{} ({})", row.source, row.as_of),
        }
    }
}

/// Says that a card has more prices than the standard ones.
fn conditions(card: &RateCard) -> String {
    let steps = card.steps.iter().rev().map(|step| format!("dearer over {} input tokens", step.above));
    let tiers = card.tiers.iter().flatten().map(|tier| format!("own prices over {} input tokens", tier.over));
    steps.chain(tiers).collect::<Vec<_>>().join(", ")
}

/// The names with the smallest edit distance, compared with and without the provider.
fn nearest(search: &str, models: &[Listed]) -> Vec<String> {
    let mut names: Vec<(usize, String)> = models
        .iter()
        .map(|listed| {
            let bare = listed.model.rsplit('/').next().unwrap_or(&listed.model);
            let distance = distance(search, &bare.to_lowercase()).min(distance(search, &listed.model.to_lowercase()));
            (distance, listed.model.clone())
        })
        .filter(|(distance, _)| *distance <= search.chars().count().div_ceil(2))
        .collect();
    names.sort();
    names.dedup();
    names.into_iter().take(MAX_SUGGESTIONS).map(|(_, name)| name).collect()
}

/// Levenshtein distance in characters. Long searches are cut: no model name is longer.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().take(100).collect(), right.chars().take(100).collect());
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_search_finds_every_condition_of_a_model() {
        let listing = PriceBook::built_in().unwrap().list("OpenAI/gpt-4o-mini", now());
        assert!(listing.models.iter().all(|listed| listed.model.contains("gpt-4o-mini")));
        assert!(listing.models.iter().any(|listed| listed.condition.contains("batch")));
        assert!(listing.models.iter().any(|listed| listed.condition.is_empty() && listed.holds_now));
    }

    #[test]
    fn a_typing_error_gets_suggestions() {
        let listing = PriceBook::built_in().unwrap().list("gpt4o-mni", now());
        assert!(listing.models.is_empty());
        assert_eq!(listing.did_you_mean.first().map(String::as_str), Some("gpt-4o-mini"));
    }

    #[test]
    fn nonsense_gets_none() {
        assert!(PriceBook::built_in().unwrap().list("zzzzzzzzzzzzzzzzzzzzzzzz", now()).did_you_mean.is_empty());
    }
}

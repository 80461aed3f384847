//! From which day on a provider does not serve a model any more, as far as a price book knows.

use jiff::civil::Date;

use super::book::PriceBook;
use super::service_tier::ServiceTier;
use super::table::PriceRow;

/// The end of a model at its provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retirement {
    /// The first day (UTC) on which the model is gone.
    pub on: Date,
    /// Whether its name goes on answering, because the provider points it at a successor: then the book has prices of
    /// the name that begin on that day or later.
    pub is_redirected: bool,
    /// Where that is from.
    pub source: String,
    /// As of when.
    pub as_of: String,
}

impl PriceBook {
    /// When a model ends at a provider, if that is known. What another provider does with the same model says nothing:
    /// clouds and resellers have dates of their own.
    pub fn retirement(&self, model: &str, provider: Option<&str>) -> Option<Retirement> {
        match self {
            Self::Table(table) => of_rows(&table.rows_of(model, provider), provider),
            Self::LiteLlm(map) => {
                let entry = map.find(model, provider)?.entry;
                let source = "deprecation_date of the price map".to_owned();
                let on = entry.deprecation_date.as_deref()?.parse().ok()?;
                Some(Retirement { on, is_redirected: false, source, as_of: String::new() })
            }
        }
    }
}

fn of_rows(rows: &[&PriceRow], provider: Option<&str>) -> Option<Retirement> {
    let own = rows.iter().filter(|row| provider.is_none_or(|provider| serves_itself(provider, &row.provider)));
    let row = own.filter(|row| row.retired_on.is_some()).min_by_key(|row| row.retired_on)?;
    let on = row.retired_on?;
    let begins_later =
        |row: &&PriceRow| row.service == ServiceTier::Standard && row.valid_from.is_some_and(|from| from >= on);
    let is_redirected = rows.iter().any(begins_later);
    Some(Retirement { on, is_redirected, source: row.source.clone(), as_of: row.as_of.to_string() })
}

/// Whether a provider of the gateway is the one of a price row, under whichever of its names.
fn serves_itself(provider: &str, row: &str) -> bool {
    let own = match provider {
        "google" | "vertex_ai" | "vertex_ai_beta" => "gemini",
        "text-completion-openai" => "openai",
        "anthropic_text" => "anthropic",
        "cohere_chat" => "cohere",
        "text-completion-codestral" | "codestral" => "mistral",
        "bedrock_converse" => "bedrock",
        "azure_ai" | "azure_text" => "azure",
        other => other,
    };
    own == row || provider == row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retirement(model: &str, provider: &str) -> Option<(String, bool)> {
        let found = PriceBook::built_in().unwrap().retirement(model, Some(provider))?;
        assert!(!found.source.is_empty());
        Some((found.on.to_string(), found.is_redirected))
    }

    #[test]
    fn only_the_provider_itself_retires_a_model() {
        assert_eq!(retirement("openai/gpt-4-turbo", "openai"), Some(("2026-10-23".to_owned(), false)));
        assert_eq!(retirement("azure/gpt-4-turbo", "azure"), None, "Azure has dates of its own");
        assert_eq!(retirement("openai/gpt-4o", "openai"), None);
        assert_eq!(retirement("openai/nobody-knows-it", "openai"), None);
    }

    #[test]
    fn a_name_with_later_prices_goes_on_answering() {
        assert_eq!(retirement("deepseek/deepseek-chat", "deepseek"), Some(("2026-07-24".to_owned(), true)));
        assert_eq!(retirement("xai/grok-4-fast-reasoning", "xai"), Some(("2026-05-15".to_owned(), true)));
    }

    #[test]
    fn a_price_map_says_when_a_model_is_deprecated() {
        let map = br#"{"gpt-old": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06,
            "deprecation_date": "2026-10-23"}, "gpt-odd": {"litellm_provider": "openai", "mode": "chat",
            "input_cost_per_token": 1e-06, "deprecation_date": "date in the form YYYY-MM-DD"}}"#;
        let book = PriceBook::read("map.json", map).unwrap();
        assert_eq!(book.retirement("gpt-old", Some("openai")).unwrap().on.to_string(), "2026-10-23");
        assert_eq!(book.retirement("gpt-odd", Some("openai")), None);
    }
}

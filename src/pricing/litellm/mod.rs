//! LiteLLM's price map and how LiteLLM 1.102.4 finds a model in it.

mod custom;
mod fields;
mod find;
mod name;
mod providers;
mod read;
mod size_class;

pub use custom::{DeploymentPricing, deployment_card};
pub use find::Found;
pub use providers::is_provider;

use std::collections::HashMap;

use super::card::RateCard;
use crate::diagnostic::Diagnostic;

/// `model_prices_and_context_window.json`, read exactly.
#[derive(Debug, Clone, Default)]
pub struct CostMap {
    entries: Vec<MapEntry>,
    by_key: HashMap<String, usize>,
    by_lowercase: HashMap<String, usize>,
    /// Keys that occur twice: the last one counts, as in LiteLLM.
    pub warnings: Vec<Diagnostic>,
}

/// One entry of the map.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MapEntry {
    /// Its key.
    pub key: String,
    /// Its `litellm_provider`.
    pub provider: Option<String>,
    /// Its `mode`: `chat`, `embedding` …
    pub mode: Option<String>,
    /// Its `deprecation_date`.
    pub deprecation_date: Option<String>,
    /// Its prices and limits.
    pub card: RateCard,
}

impl CostMap {
    /// Reads the JSON text of a price map.
    ///
    /// # Errors
    /// When the text is not JSON of that shape or a price is not a non-negative number.
    pub fn from_json(file: &str, bytes: &[u8]) -> Result<Self, super::PriceFileError> {
        read::read(file, bytes)
    }

    /// All entries in the order of the file.
    pub fn entries(&self) -> &[MapEntry] {
        &self.entries
    }

    /// The entry under exactly this key, as cost-based routing looks it up.
    pub fn exact(&self, key: &str) -> Option<&MapEntry> {
        self.by_key.get(key).map(|&index| &self.entries[index])
    }

    /// The entry under this key in any letter case, an exact match first.
    fn any_case(&self, key: &str) -> Option<&MapEntry> {
        self.exact(key).or_else(|| self.by_lowercase.get(&key.to_lowercase()).map(|&index| &self.entries[index]))
    }

    /// Adds an entry; one with the same key is replaced. Returns whether there was one.
    fn insert(&mut self, entry: MapEntry) -> bool {
        if let Some(&index) = self.by_key.get(&entry.key) {
            self.entries[index] = entry;
            return true;
        }
        let index = self.entries.len();
        self.by_key.insert(entry.key.clone(), index);
        self.by_lowercase.insert(entry.key.to_lowercase(), index);
        self.entries.push(entry);
        false
    }
}

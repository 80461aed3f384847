//! `scenario.yaml` as it is written.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use crate::scenario::named::Named;
use crate::scenario::start::Start;

/// A scenario: a gateway config, what is sent to it, and how the providers behind it answer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// Name of the scenario; the folder's name if it is not given.
    pub name: Option<String>,
    /// One line on what it is about.
    pub description: Option<String>,
    /// The gateway's own config file, relative to this file: an unmodified LiteLLM proxy config.yaml.
    pub gateway: String,
    /// `default` for the built-in price table, or a file: billcast's CSV or LiteLLM's JSON price map.
    pub prices: Option<String>,
    /// When the horizon begins: local date, time and zone.
    pub start: Option<Start>,
    /// Replications to simulate when the command line does not say.
    pub runs: Option<u64>,
    /// Seed of the random numbers when the command line does not say.
    pub seed: Option<u64>,
    /// Virtual keys of the gateway with their limits.
    #[serde(default)]
    pub keys: Named<KeyEntry>,
}

/// A virtual key.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// The team that it belongs to.
    pub team: Option<String>,
    /// Requests a minute.
    pub rpm_limit: Option<u32>,
    /// Tokens a minute.
    pub tpm_limit: Option<u64>,
}

/// The JSON Schema of `scenario.yaml`.
pub fn schema() -> Schema {
    schemars::schema_for!(ScenarioFile)
}

//! `scenario.yaml` as it is written.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde::de::MapAccess;

use crate::gateway::fleet::FleetSpec;
use crate::provider::ProviderModel;
use crate::scenario::alerts::AlertsEntry;
use crate::scenario::commitments::CommitmentEntry;
use crate::scenario::embeds::EmbedsSpec;
use crate::scenario::holders::{KeyEntry, TeamEntry, UserEntry};
use crate::scenario::mixed::{Mixed, OwnKeys};
use crate::scenario::named::Named;
use crate::scenario::replay::ReplaySpec;
use crate::scenario::start::Start;
use crate::traffic::TrafficModel;

/// A scenario: a gateway config, what is sent to it, and how the providers behind it answer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// Another scenario file in this folder, which gives everything that this one does not say.
    pub base: Option<String>,
    /// Name of the scenario; the folder's name if it is not given.
    pub name: Option<String>,
    /// One line on what it is about.
    pub description: Option<String>,
    /// The gateway's own config file, relative to this file: an unmodified LiteLLM proxy config.yaml.
    /// Needed unless the base names it.
    #[serde(default)]
    pub gateway: String,
    /// `default` for the built-in price table, or a file: LiteLLM's JSON price map, or a CSV table.
    pub prices: Option<String>,
    /// The price map that the gateway itself goes by, if it is another one: LiteLLM's JSON price map, or a CSV table.
    pub gateway_prices: Option<String>,
    /// The day whose prices hold throughout (YYYY-MM-DD); dated prices change during the run if it is not given.
    pub prices_at: Option<String>,
    /// When the horizon begins: local date, time and zone.
    pub start: Option<Start>,
    /// Days that count as Sundays (YYYY-MM-DD).
    #[serde(default)]
    pub holidays: Vec<String>,
    /// Length of the horizon in hours; 48 if not given.
    pub hours: Option<f64>,
    /// Replications to simulate when the command line does not say; 200 if not given.
    pub runs: Option<u64>,
    /// Seed of the random numbers when the command line does not say; 1 if not given.
    pub seed: Option<u64>,
    /// How wrong the rates may be: standard deviation of the logarithm of a factor on all traffic, drawn once per
    /// replication; 0.2 if not given, 0 for none.
    pub volume_uncertainty: Option<f64>,
    /// What may be spent, in US dollars: reports say how likely it is to be exceeded. It limits nothing.
    pub budget: Option<BudgetEntry>,
    /// When people are told of budgets and fallbacks: reports say when that is, and what acting on it saves.
    pub alerts: Option<AlertsEntry>,
    /// What stands around the gateway: processes, load balancer, restarts; one process that never ends if not given.
    #[serde(default)]
    pub fleet: FleetSpec,
    /// Virtual keys of the gateway with their limits.
    #[serde(default)]
    pub keys: Named<KeyEntry>,
    /// Users, whose limits all their keys share.
    #[serde(default)]
    pub users: Named<UserEntry>,
    /// Teams, whose limits all their keys share.
    #[serde(default)]
    pub teams: Named<TeamEntry>,
    /// What is sent, by traffic class.
    #[serde(default)]
    pub traffic: Named<TrafficEntry>,
    /// Capacity that is paid by the hour, used or idle, by a name of its own; what does not fit is paid as it goes.
    #[serde(default)]
    pub commitments: Named<CommitmentEntry>,
    /// How upstreams answer, by provider, group or deployment id; the most specific entry wins.
    #[serde(default)]
    pub upstream: Named<UpstreamEntry>,
}

/// What may be spent, in US dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetEntry {
    /// In one run of the scenario.
    pub run: Option<f64>,
    /// In a calendar day at the scenario's place.
    pub day: Option<f64>,
    /// In a calendar month.
    pub month: Option<f64>,
}

/// A traffic class: a model of traffic, and where its requests go.
pub type TrafficEntry = Mixed<TrafficKeys, TrafficModel>;
/// An upstream: a model of a provider.
pub type UpstreamEntry = Mixed<UpstreamKeys, ProviderModel>;

/// Where the requests of a class go.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema)]
#[schemars(rename = "TrafficClass")]
pub struct TrafficKeys {
    /// A built-in traffic model (`billcast models`), or a YAML file; it gives every field that is left out.
    pub preset: Option<String>,
    /// A recorded trace in place of a rate: a file, or a map with `file`, `scale`, `loop`, `shift`, `format`, `models`.
    pub replay: Option<ReplaySpec>,
    /// The model name that clients send.
    pub model: Option<String>,
    /// Several model names with weights, in place of `model`.
    pub models: Option<Named<f64>>,
    /// The embedding call that comes with each request (retrieval, a semantic cache), as a class of its own: the model
    /// name, or a map with `model` and `input`.
    pub embeds: Option<EmbedsSpec>,
    /// The virtual key that requests come with; the master key if not given.
    pub key: Option<String>,
    /// Several virtual keys with weights, in place of `key`.
    pub keys: Option<Named<f64>>,
}

/// Which model of a provider an entry starts from.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema)]
#[schemars(rename = "Upstream")]
pub struct UpstreamKeys {
    /// A built-in provider model (`billcast models`), a YAML file, or `none`; it gives every field that is left out.
    pub preset: Option<String>,
    /// The account's tier of rate limits, one of those in the provider model.
    pub tier: Option<String>,
    /// Providers, groups or deployments that meet the troubles of this entry together (a region, a shared
    /// network), beside their own. Such an entry has a name of its own, and nothing but bursts, incidents,
    /// slow periods and outages.
    pub of: Vec<String>,
}

impl OwnKeys for TrafficKeys {
    const NAMES: &'static [&'static str] = &["preset", "replay", "model", "models", "embeds", "key", "keys"];

    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "preset" => self.preset = map.next_value()?,
            "replay" => self.replay = map.next_value()?,
            "model" => self.model = map.next_value()?,
            "models" => self.models = map.next_value()?,
            "embeds" => self.embeds = map.next_value()?,
            "key" => self.key = map.next_value()?,
            _ => self.keys = map.next_value()?,
        }
        Ok(())
    }
}

impl OwnKeys for UpstreamKeys {
    const NAMES: &'static [&'static str] = &["preset", "tier", "of"];

    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "preset" => self.preset = map.next_value()?,
            "tier" => self.tier = map.next_value()?,
            _ => self.of = map.next_value()?,
        }
        Ok(())
    }
}

/// The JSON Schema of `scenario.yaml`.
pub fn schema() -> Schema {
    schemars::schema_for!(ScenarioFile)
}

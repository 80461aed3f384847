//! Everything that a replication needs, checked and compiled; all names are behind numbers.

use std::sync::Arc;

use jiff::Zoned;

use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::gateway::fleet::FleetPlan;
use crate::gateway::litellm::defaults;
use crate::gateway::litellm::plan::Plan;
use crate::ledger::Tariffs;
use crate::provider::Providers;
use crate::random::Seed;
use crate::scenario::alerts::AlertRules;
use crate::scenario::edit;
use crate::scenario::files::Source;
use crate::scenario::include::ConfigText;
use crate::scenario::lasting::Lasting;
use crate::scenario::room::Room;
use crate::traffic::{Arrivals, Traffic};
use crate::units::{GroupId, Money, SimDuration};

/// A compiled scenario.
#[derive(Debug, Clone)]
pub struct World {
    /// Name of the scenario.
    pub name: String,
    /// One line on it; may be empty.
    pub description: String,
    /// When a replication begins, with its time zone.
    pub start: Zoned,
    /// How long new requests come.
    pub horizon: SimDuration,
    /// Replications to simulate unless the command line says otherwise.
    pub runs: u64,
    /// Seed unless the command line says otherwise.
    pub seed: Seed,
    /// The gateway.
    pub gateway: Plan,
    /// Its processes; none for a single one that never ends.
    pub fleet: Option<Arc<FleetPlan>>,
    /// What is sent.
    pub traffic: Arc<Traffic>,
    /// What answers.
    pub providers: Arc<Providers>,
    /// What it costs.
    pub tariffs: Tariffs,
    /// What everything is called.
    pub names: Names,
    /// The newest date that the prices know of, or the name of the file they come from.
    pub prices_as_of: String,
    /// What lasts for longer than a week.
    pub lasting: Vec<Lasting>,
    /// Days that count as Sundays.
    pub holidays: Vec<jiff::civil::Date>,
    /// What the user means to spend.
    pub budget: Budget,
    /// The rules of alerts, where the scenario has some.
    pub alerts: Option<AlertRules>,
    /// What the user wrote in the scenario.
    pub written: Vec<Assumption>,
    /// Everything that the user did not write.
    pub assumptions: Vec<Assumption>,
    /// What the readers had to say.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the diagnostics are about.
    pub sources: Vec<Source>,
    /// The gateway's config, with all changes.
    pub config: ConfigText,
    /// The scenario's files as trees, with all changes, what goes first in front; none where flags took their place.
    pub trees: Vec<Node>,
    /// Whether its runs had room for all that was in flight in them, and its traces stayed the same.
    pub room: Room,
}

impl World {
    /// Whether its traffic goes on to the end of a run, however long that is: a trace that is played once ends, and so
    /// do workers whose time is over.
    pub fn goes_on(&self) -> bool {
        self.traffic.classes().all(|class| match &class.arrivals {
            Arrivals::Replay(replay) => replay.period.is_some(),
            Arrivals::Workers { end, .. } => *end >= self.horizon,
            _ => true,
        })
    }

    /// The value that a parameter has: as the scenario writes it, or as it was assumed.
    pub fn written(&self, path: &str) -> Option<String> {
        let node = self.trees.iter().find_map(|tree| edit::value_at(tree, path));
        let assumed = || self.assumptions.iter().find(|assumption| assumption.name == path);
        match node {
            Some(node) => edit::scalar_text(node),
            None => assumed().map(|assumption| assumption.value.clone()),
        }
    }
}

/// Behaviour profile of the gateway that is simulated.
pub const PROFILE: &str = defaults::PROFILE;
/// Name of the gateway software.
pub const GATEWAY: &str = "litellm";

/// The names of a world, each list in the order of its ids.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Deployments.
    pub deployments: Vec<DeploymentName>,
    /// Groups (`model_name`).
    pub groups: Vec<String>,
    /// Virtual keys; the first is the master key.
    pub keys: Vec<KeyName>,
    /// Traffic classes.
    pub classes: Vec<String>,
    /// Troubles of the providers.
    pub troubles: Vec<TroubleName>,
}

/// What a deployment is called, and what its provider lets through.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentName {
    /// Its id in the gateway's config, or its group and number in it.
    pub name: String,
    /// Its group.
    pub group: GroupId,
    /// The upstream model, as the gateway's config writes it.
    pub model: String,
    /// Behind a pattern: the models that names fill in, by number.
    pub models: Vec<String>,
    /// The provider.
    pub provider: &'static str,
    /// The provider's limit of calls a minute.
    pub rpm_limit: Option<f64>,
    /// The provider's limit of tokens a minute.
    pub tpm_limit: Option<f64>,
    /// The provider's limit of calls at once, or the gateway's own, whichever is lower.
    pub concurrency_limit: Option<f64>,
}

/// What a virtual key is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName {
    /// Its name.
    pub name: String,
    /// The team that it belongs to.
    pub team: Option<String>,
}

/// What a trouble is called in charts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TroubleName {
    /// What it hits: a provider, a group or a deployment.
    pub target: String,
    /// What it is: `429 burst`, `outage`, `slow` …
    pub kind: &'static str,
}

/// Who can have said what a value is; the last one where nobody else has.
pub const ASSUMED_BY: [&str; 3] = ["user", "gateway default", "billcast"];

/// A value that the figures rest on, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumption {
    /// What it is about, e.g. `traffic.chat.input_tokens`.
    pub name: String,
    /// The value, readable.
    pub value: String,
    /// Who assumed it: `user`, `gateway default` or `billcast`.
    pub assumed_by: &'static str,
    /// Where the figure comes from.
    pub source: String,
    /// As-of date of the source; empty if it has none.
    pub as_of: String,
}

/// What the user means to spend. It limits nothing: the limits of the gateway are in its own config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// For one horizon.
    pub horizon: Option<Money>,
    /// For a calendar day.
    pub day: Option<Money>,
    /// For a calendar month.
    pub month: Option<Money>,
}

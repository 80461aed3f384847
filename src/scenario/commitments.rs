//! `commitments:` of a scenario: capacity that is paid by the hour, used or idle (Azure's provisioned throughput units,
//! a reserved deployment). What does not fit is paid as it goes.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::diagnostic::codes;
use crate::gateway::litellm::wire::nearest;
use crate::ledger::Capacity;
use crate::scenario::classes::unknown;
use crate::scenario::problem::Problem;
use crate::scenario::reading::Reading;
use crate::scenario::world::DeploymentName;
use crate::units::{Count, DeploymentId};

/// Capacity that is paid by the hour.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitmentEntry {
    /// The deployment that draws on it, or a group: all of its deployments together.
    pub of: String,
    /// Tokens a minute, input and output, that it covers: `50k`.
    pub tokens: Count,
    /// US dollars an hour, for all of it.
    pub price: f64,
}

/// The capacities of a scenario.
///
/// # Errors
/// A [`Problem`] when one is of nothing, when two are of the same deployment, or when a number is out of range.
pub(super) fn compile(
    reading: &Reading,
    names: &[DeploymentName],
    groups: &[String],
) -> Result<Vec<Capacity>, Problem> {
    let mut all: Vec<Capacity> = Vec::new();
    for (name, entry) in reading.file.commitments.iter() {
        let is_meant = |known: &DeploymentName| known.name == entry.of || groups[known.group.index()] == entry.of;
        let meant = names.iter().enumerate().filter(|(_, known)| is_meant(known));
        let of: Vec<DeploymentId> = meant.map(|(index, _)| DeploymentId::from_index(index)).collect();
        if of.is_empty() {
            let known = names.iter().map(|known| known.name.as_str()).chain(groups.iter().map(String::as_str));
            let near = nearest(&entry.of, known);
            return Err(unknown(reading, &["commitments", name, "of"], "deployment or group", &entry.of, near));
        }
        if let Some(other) = all.iter().find(|other| other.of.iter().any(|deployment| of.contains(deployment))) {
            let message = format!("`{name}` and `{}` are both of `{}`", other.name, entry.of);
            let help = "write one commitment with the tokens and the price of both";
            return Err(reading.error(codes::SCENARIO_VALUE, &["commitments", name, "of"], message, help));
        }
        let price = reading.within(&["commitments", name, "price"], entry.price, 0.0, 1e6)?;
        let tokens = reading.within(&["commitments", name, "tokens"], entry.tokens.0, 1.0, 1e12)?;
        let hourly = format!("{price:.9}").parse().unwrap_or_default();
        all.push(Capacity { name: name.to_owned(), of, tokens_per_minute: tokens as u64, hourly });
    }
    Ok(all)
}

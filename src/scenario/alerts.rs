//! `alerts:` of a scenario: when people are told, and how soon they act. Nothing is limited by it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::problem::Problem;
use crate::scenario::reading::Reading;
use crate::units::{Seconds, Share};

/// When people are told of budgets and fallbacks, and how soon they act on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertsEntry {
    /// The part of a budget at which people are told; 80% if not given.
    pub budget_share: Option<Share>,
    /// People are told when a fallback gave more than this share of the answers …; 5% if not given.
    pub fallback_share: Option<Share>,
    /// … over this long; `5m` if not given. Whole minutes.
    pub fallback_window: Option<Seconds>,
    /// From an alert until somebody has acted on it; `30m` if not given. Whole minutes.
    pub act_within: Option<Seconds>,
}

/// The rules of alerts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlertRules {
    /// The part of a budget at which people are told.
    pub budget_share: f64,
    /// The share of answers by a fallback above which they are told …
    pub fallback_share: f64,
    /// … over so many minutes.
    pub fallback_minutes: u32,
    /// Minutes from an alert until somebody has acted on it.
    pub act_within_minutes: u32,
}

impl Default for AlertRules {
    fn default() -> Self {
        Self { budget_share: 0.8, fallback_share: 0.05, fallback_minutes: 5, act_within_minutes: 30 }
    }
}

/// The rules that the scenario asks for; none where it says nothing of alerts.
pub(super) fn compile(reading: &Reading) -> Result<Option<AlertRules>, Problem> {
    const WEEK: f64 = 7.0 * 24.0 * 60.0;
    let Some(entry) = reading.file.alerts else { return Ok(None) };
    let minutes = |key: &str, length: Option<Seconds>, least: f64, usual: u32| {
        let Some(length) = length else { return Ok(usual) };
        let minutes = (length.0 / 60.0).ceil();
        reading.within(&["alerts", key], minutes, least, WEEK).map(|minutes| minutes as u32)
    };
    let usual = AlertRules::default();
    let or = |share: Option<Share>, usual: f64| share.map_or(usual, |share| share.0);
    Ok(Some(AlertRules {
        budget_share: or(entry.budget_share, usual.budget_share),
        fallback_share: or(entry.fallback_share, usual.fallback_share),
        fallback_minutes: minutes("fallback_window", entry.fallback_window, 1.0, usual.fallback_minutes)?,
        act_within_minutes: minutes("act_within", entry.act_within, 0.0, usual.act_within_minutes)?,
    }))
}

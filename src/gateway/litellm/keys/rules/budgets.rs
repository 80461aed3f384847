//! Budgets that are never enforced.

use jiff::tz::TimeZone;

use crate::diagnostic::codes;
use crate::diagnostic::{Severity, Span};
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::{Budget, Spanned, Wire};

pub(super) fn check(wire: &Wire, findings: &mut Findings) {
    for deployment in &wire.model_list {
        let params = &deployment.litellm_params;
        let limit = params.max_budget.as_ref().map(|budget| budget.span);
        pair("litellm_params", limit, params.budget_duration.as_ref(), findings);
    }
    for (_, budget) in wire.router_settings.provider_budget_config.iter().flat_map(|budgets| &budgets.value) {
        let Budget { limit, period } = &budget.value;
        pair("provider_budget_config", limit.as_ref().map(|limit| limit.span), period.as_ref(), findings);
    }
    global(wire, findings);
    clock(wire, findings);
}

/// By which clock budgets begin anew. A zone that does not exist is taken for UTC.
fn clock(wire: &Wire, findings: &mut Findings) {
    let settings = &wire.litellm_settings;
    if let Some(zone) = settings.timezone.as_ref().filter(|zone| TimeZone::get(&zone.value).is_err()) {
        let help = "write a name of the IANA database, such as `Europe/Berlin`";
        findings.warn(codes::BUDGET_PERIOD, zone.span, "no such time zone: budgets begin anew by UTC", help);
    }
}

/// A budget of a deployment or provider needs an amount and a period.
fn pair(place: &str, limit: Option<Span>, period: Option<&Spanned<String>>, findings: &mut Findings) {
    match (limit, period) {
        (Some(span), None) => {
            let message = format!("a budget without a period in {place} has no effect: nothing is ever stopped by it");
            let help = Some("add e.g. `budget_duration: 1d` (and count on an overspend by what is in flight)".into());
            findings.add(codes::BUDGET_WITHOUT_PERIOD, Severity::Warning, span, message, help);
        }
        (None, Some(period)) => {
            let message = format!("a period without a budget in {place} has no effect");
            findings.add(codes::BUDGET_WITHOUT_PERIOD, Severity::Warning, period.span, message, None);
        }
        _ => {}
    }
    if let Some(period) = period.filter(|period| !is_duration(&period.value)) {
        let help = "write a number and s, m, h, d, w or mo: `30s`, `12h`, `1d`, `1mo`";
        findings.warn(codes::BUDGET_PERIOD, period.span, "this is not a period that the gateway can read", help);
    }
}

/// `30s`, `5m`, `12h`, `1d`, `2w`, `1mo`.
fn is_duration(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    unit.len() < text.len() && matches!(unit, "s" | "m" | "h" | "d" | "w" | "mo")
}

/// The budget of the whole proxy.
fn global(wire: &Wire, findings: &mut Findings) {
    let settings = &wire.litellm_settings;
    match (&settings.max_budget, &settings.budget_duration) {
        (Some(budget), _) if wire.general_settings.database_url.is_none() => {
            let message =
                "the budget of the whole proxy is only enforced with a database: without one it never stops anything";
            let help = "set general_settings.database_url (or DATABASE_URL in the gateway's environment)";
            findings.warn(codes::GLOBAL_BUDGET, budget.span, message, help);
        }
        (Some(budget), _) => {
            let message = "the budget of the whole proxy is not simulated: with a database, requests are refused with \
                429 once the total spend there, which lags behind by the writing interval, is above it";
            let help =
                "simulated are budgets of keys, users and teams: one team of all keys with this budget comes close";
            findings.warn(codes::NOT_SIMULATED, budget.span, message, help);
        }
        (None, Some(period)) => {
            let help = "add litellm_settings.max_budget, or remove it";
            findings.warn(codes::GLOBAL_BUDGET, period.span, "a period without `max_budget` has no effect", help);
        }
        (None, None) => {}
    }
}

//! No budget that ever stops anything.

use crate::audit::config::Config;
use crate::audit::{Fault, Rule};
use crate::diagnostic::{Severity, codes};

pub(super) const RULE: Rule = Rule {
    code: codes::NO_BUDGET,
    name: "no-budget",
    about: "Nothing in the config stops spending: no deployment has a max_budget with a budget_duration, no provider has a \
        budget, the proxy as a whole has none that is enforced (that needs a database), and no virtual key of the scenario \
        has one. A runaway loop, or a weekend on the dear fallback, then goes on until somebody looks. Give keys a budget, \
        or providers one in router_settings.provider_budget_config.",
    check,
};

fn check(config: &Config<'_>, faults: &mut Vec<Fault>) {
    let wire = config.wire;
    let of_deployment = wire
        .model_list
        .iter()
        .any(|entry| entry.litellm_params.max_budget.is_some() && entry.litellm_params.budget_duration.is_some());
    let of_provider = wire.router_settings.provider_budget_config.is_some();
    let of_proxy = wire.litellm_settings.max_budget.is_some() && wire.general_settings.database_url.is_some();
    let of_key = config.asked.is_some_and(|asked| asked.has_key_budget);
    if of_deployment || of_provider || of_proxy || of_key {
        return;
    }
    let Some(span) = config.groups.first().map(|group| group.span()) else { return };
    let message = "no budget stops anything: whatever a loop or a dear fallback spends is spent".to_owned();
    let help =
        "give virtual keys a max_budget, or set router_settings.provider_budget_config (limits are overspent by what \
        is in flight)"
            .to_owned();
    faults.push(Fault { severity: Severity::Note, span, message, help, remedies: Vec::new() });
}

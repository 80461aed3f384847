//! `optional_pre_call_checks`: which of them are simulated (`router.py:add_optional_pre_call_checks`).

use crate::diagnostic::{Severity, codes};
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::{Wire, nearest};

/// What goes by sessions.
const OF_SESSIONS: &str = "session_affinity";

/// Checks that are simulated, or change neither cost nor failures.
const SIMULATED: [&str; 7] = [
    "enforce_model_rate_limits",
    "router_budget_limiting",
    "forward_client_headers_by_model_group",
    "deployment_affinity",
    OF_SESSIONS,
    // Of these two chat completions have nothing.
    "responses_api_deployment_check",
    "encrypted_content_affinity",
];

/// Checks that are not, and what they do.
const OTHERS: [(&str, &str); 1] =
    [("prompt_caching", "requests go to the deployment that has the beginning of their prompt in its cache")];

pub(super) fn check(wire: &Wire, findings: &mut Findings) {
    for check in wire.router_settings.optional_pre_call_checks.iter().flat_map(|checks| &checks.value) {
        let name = check.value.as_str();
        if name == OF_SESSIONS {
            let message = "requests of a session stay at a deployment: only those of `trace` name one".to_owned();
            findings.add(codes::INERT_KEY, Severity::Note, check.span, message, None);
        }
        if let Some((_, does)) = OTHERS.iter().find(|(other, _)| *other == name) {
            let message = format!("`{name}` is not simulated: {does}");
            findings.add(codes::NOT_SIMULATED, Severity::Warning, check.span, message, None);
        } else if !SIMULATED.contains(&name) {
            let known = || SIMULATED.into_iter().chain(OTHERS.map(|(other, _)| other));
            let help = nearest(name, known()).map(|near| format!("did you mean `{near}`?"));
            let message = "the gateway has no such check: this entry does nothing".to_owned();
            findings.add(codes::INERT_KEY, Severity::Warning, check.span, message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::litellm::keys::check;

    #[test]
    fn each_check_that_is_not_simulated_is_told() {
        let of = |checks: &str| {
            let models = "model_list:\n  - {model_name: a, litellm_params: {model: openai/gpt-4o}}\n";
            let text = format!("{models}router_settings: {{optional_pre_call_checks: [{checks}]}}\n");
            check("config.yaml", &text)
        };
        let all = OTHERS.map(|(name, _)| name).join(", ");
        let found = of(&all);
        assert!(found.iter().all(|one| one.code == codes::NOT_SIMULATED) && found.len() == OTHERS.len(), "{found:#?}");
        let found = of(&SIMULATED.join(", "));
        assert!(matches!(&found[..], [note] if note.severity == Severity::Note), "{found:#?}");
        let found = of("deployment_afinity");
        assert!(
            found[0].code == codes::INERT_KEY && found[0].to_string().contains("deployment_affinity"),
            "{found:#?}"
        );
    }
}

//! What the clients of some providers do that nothing in the config says.

use crate::diagnostic::codes;
use crate::gateway::litellm::client::Again;
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::{Deployment, Wire};

/// Each is said once, at the first deployment that it concerns; parameters are said at each.
pub(super) fn check(wire: &Wire, findings: &mut Findings) {
    params(wire, findings);
    let live = || wire.model_list.iter().filter(|deployment| !deployment.dropped);
    if let Some(first) = live().find(|entry| entry.client().again == Again::Twice) {
        let message = "LiteLLM leaves this provider's client its own retries: an attempt that is answered 408, 409, 429 or 5xx, runs into \
                       its timeout or finds no connection becomes three calls, whatever num_retries and max_retries say";
        let help =
            "reckon with it, or call the provider as `openai/…` with its address in `api_base`: then it is called once";
        findings.warn(codes::CLIENT_CALLS_AGAIN, span(first), message, help);
    }
    if let Some(first) = live().find(|entry| !entry.client().is_heard(true)) {
        let message = "LiteLLM's callbacks do not hear of streams of this provider that fail: no cooldown, retry policy, Retry-After or \
                       context and content fallback applies to them";
        let help = "give the group general `fallbacks`: these work";
        findings.warn(codes::UNHEARD_STREAMS, span(first), message, help);
    }
    let has_timeout = |entry: &&Deployment| {
        let (params, router) = (&entry.litellm_params, &wire.router_settings);
        let own = params.timeout.is_some() || params.stream_timeout.is_some();
        own || router.timeout.is_some() || router.stream_timeout.is_some()
    };
    if wire.litellm_settings.request_timeout.is_some() {
        return;
    }
    if let Some(first) = live().filter(has_timeout).find(|entry| entry.client().untold_silence().is_some()) {
        let message =
            "timeouts do not reach streams of this provider: their client bears 600 seconds of silence, Google's 6000";
        let help = "set `litellm_settings.request_timeout`: that is the only one that it is told";
        findings.warn(codes::UNTOLD_TIMEOUT, span(first), message, help);
    }
}

/// Parameters in `litellm_params` that the provider does not take.
fn params(wire: &Wire, findings: &mut Findings) {
    let drops = wire.litellm_settings.drop_params.as_ref().is_some_and(|drops| drops.value);
    for entry in wire.model_list.iter().filter(|entry| !entry.dropped) {
        let not_taken = entry.not_taken(entry.model());
        let not_taken = if drops { not_taken.never_dropped() } else { not_taken };
        let refused: Vec<String> = entry.asked.refused(not_taken).names().map(|name| format!("`{name}`")).collect();
        if refused.is_empty() {
            continue;
        }
        let provider = entry.provider.unwrap_or_default();
        let message = format!(
            "every request to this deployment is refused with 400, without a call: {provider} does not take {}",
            refused.join(", ")
        );
        let help = if not_taken.never_dropped().is_empty() {
            "leave it out, or set `drop_params: true` here or under `litellm_settings`"
        } else {
            "set `drop_params: true` here: LiteLLM sends it by itself, and under `litellm_settings` it does not help"
        };
        findings.warn(codes::PARAMS_NOT_TAKEN, span(entry), &message, help);
    }
}

fn span(entry: &Deployment) -> crate::diagnostic::Span {
    entry.litellm_params.model.as_ref().map_or(entry.span, |model| model.span)
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::codes;

    #[test]
    fn what_clients_of_providers_do_by_themselves_is_told() {
        let at = |model: &str, more: &str| {
            let text = format!("model_list:\n  - model_name: a\n    litellm_params: {{model: {model}}}\n{more}");
            let found = crate::gateway::litellm::keys::check("config.yaml", &text);
            found.iter().map(|finding| (finding.code, finding.to_string())).collect::<Vec<_>>()
        };
        let timeout = "router_settings: {timeout: 30}\n";
        for (model, more, code, words) in [
            ("nvidia_nim/m", "", codes::CLIENT_CALLS_AGAIN, ["three calls", "`openai/…`"]),
            ("gemini/gemini-3.5-flash", "", codes::UNHEARD_STREAMS, ["no cooldown", "`fallbacks`"]),
            ("bedrock/anthropic.claude-x", timeout, codes::UNTOLD_TIMEOUT, ["600 seconds", "request_timeout"]),
        ] {
            let [(found, text)] = &at(model, more)[..] else { panic!("one finding for {model}") };
            assert!(*found == code && words.iter().all(|word| text.contains(word)), "{text}");
        }
        for quiet in
            ["openai/gpt-4o", "anthropic/claude-sonnet-5", "azure/gpt-4o", "vertex_ai/claude-sonnet-5", "xai/m"]
        {
            assert_eq!(at(quiet, timeout), []);
        }
        let seed = |params: &str| at(&format!("anthropic/claude-sonnet-5, seed: 7{params}"), "");
        let [(found, text)] = &seed("")[..] else { panic!("one finding for a seed") };
        assert!(*found == codes::PARAMS_NOT_TAKEN && text.contains("does not take `seed`"), "{text}");
        assert_eq!(seed(", drop_params: true"), []);
        assert_eq!(at("anthropic/claude-sonnet-5, seed: 7", "litellm_settings: {drop_params: true}\n"), []);
        let told = format!("{timeout}litellm_settings: {{request_timeout: 30}}\n");
        assert!(at("bedrock/anthropic.claude-x", &told).iter().all(|(code, _)| *code != codes::UNTOLD_TIMEOUT));
        assert_eq!(at("bedrock/anthropic.claude-x", ""), []);
    }
}

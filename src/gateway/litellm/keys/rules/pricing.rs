//! Prices in the config that leave something free.

use crate::diagnostic::codes;
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::{Deployment, Wire};

pub(super) fn check(wire: &Wire, findings: &mut Findings) {
    for deployment in wire.model_list.iter().filter(|deployment| !deployment.dropped) {
        output_for_free(deployment, findings);
        by_the_second(deployment, findings);
    }
}

/// The place of a price of a deployment, wherever it is written.
fn price(deployment: &Deployment, name: &str) -> Option<crate::diagnostic::Span> {
    let mut prices = deployment.params_prices.iter().chain(&deployment.info_prices);
    prices.find(|(key, _)| key == name).map(|(_, price)| price.span)
}

/// A price for the input replaces the whole entry of the price map.
fn output_for_free(deployment: &Deployment, findings: &mut Findings) {
    let input = price(deployment, "input_cost_per_token");
    let output = price(deployment, "output_cost_per_token");
    if let (Some(span), None) = (input, output) {
        let message = "a price for the input alone: the gateway counts the output of this deployment as free";
        findings.warn(codes::FREE_OUTPUT, span, message, "add `output_cost_per_token`");
    }
}

/// Prices by the second are not used for chat at OpenAI-compatible addresses.
fn by_the_second(deployment: &Deployment, findings: &mut Findings) {
    let by_second = price(deployment, "output_cost_per_second").or(price(deployment, "input_cost_per_second"));
    if let Some(span) = by_second.filter(|_| deployment.provider == Some("openai")) {
        let message = "prices by the second are ignored for chat of `openai/…` models: the gateway counts them as free";
        findings.warn(codes::FREE_OUTPUT, span, message, "give prices by the token");
    }
}

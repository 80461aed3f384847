//! A model whose price nobody knows.

use crate::audit::config::Config;
use crate::audit::{Fault, Rule};
use crate::diagnostic::{Severity, codes};

pub(super) const RULE: Rule = Rule {
    code: codes::UNPRICED_MODEL,
    name: "unpriced-model",
    about: "No price is known for the model of a deployment: neither the price table nor the config has one. What it costs \
        is then not in the forecast, and the gateway itself books such calls at $0, so that no budget ever sees them. \
        Write input_cost_per_token and output_cost_per_token into litellm_params, set model_info.base_model, or give a \
        price table with --prices.",
    check,
};

fn check(config: &Config<'_>, faults: &mut Vec<Fault>) {
    for member in config.groups.iter().flat_map(|group| &group.members) {
        let model = &member.entry.litellm_params.model;
        let (None, Some(model)) = (member.facts.charge, model) else { continue };
        if model.value.contains('*') {
            continue;
        }
        let message = "no price is known for this model: its calls are missing from the bill, and no budget sees them";
        let help = "write input_cost_per_token and output_cost_per_token, or model_info.base_model, or use --prices";
        let (message, help) = (message.to_owned(), help.to_owned());
        faults.push(Fault { severity: Severity::Warning, span: model.span, message, help, remedies: Vec::new() });
    }
}

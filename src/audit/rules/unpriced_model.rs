//! A model whose price nobody knows.

use crate::audit::config::{Config, Group, Member, quoted};
use crate::audit::{Fault, Remedy, Rule, changes};
use crate::diagnostic::{Severity, codes};

pub(super) const RULE: Rule = Rule {
    code: codes::UNPRICED_MODEL,
    name: "unpriced-model",
    about: "No price is known for the model of a deployment: neither the price table nor the config has one. What it costs \
        is then not in the forecast, and the gateway itself books such calls at $0, so that no budget ever sees them. The \
        latter also holds for models of other makers that are called in OpenAI's way, such as openai/anthropic/claude-opus-4-6. \
        Write input_cost_per_token and output_cost_per_token into litellm_params, set model_info.base_model, or give a \
        price table with --prices. What that leaves out of the bill is told by giving it the price of a deployment that it \
        stands beside, or of the dearest in the config: an assumption.",
    check,
};

fn check(config: &Config<'_>, faults: &mut Vec<Fault>) {
    for member in config.groups.iter().flat_map(|group| &group.members) {
        let model = &member.entry.litellm_params.model;
        let Some(model) = model.as_ref().filter(|model| !model.value.contains('*')) else { continue };
        let (message, help) = match (member.facts.charge, member.facts.is_priced_by_gateway) {
            (None, _) => (
                "no price is known for this model: its calls are missing from the bill, and no budget sees them",
                "write input_cost_per_token and output_cost_per_token, or model_info.base_model, or use --prices",
            ),
            (Some(_), false) => (
                "LiteLLM knows no price for this model under this provider: it reports $0 for its calls, and no budget sees them",
                "write input_cost_per_token and output_cost_per_token into litellm_params; the bill has its maker's price",
            ),
            (Some(_), true) => continue,
        };
        let (message, help) = (message.to_owned(), help.to_owned());
        let remedies = match member.facts.charge {
            None => changes(faults, || assumed_price(config, member).into_iter().collect()),
            Some(_) => Vec::new(),
        };
        faults.push(Fault { severity: Severity::Warning, span: model.span, message, help, remedies });
    }
}

/// The price of the dearest deployment beside it; where none has a price, of the dearest in the config.
fn assumed_price(config: &Config<'_>, member: &Member<'_>) -> Option<Remedy> {
    let model = |other: &Member<'_>| Some(other.entry.litellm_params.model.as_ref()?.value.clone());
    let priced = |other: &Member<'_>| Some((other.facts.charge?, model(other)?));
    let is_beside = |group: &&Group<'_>| group.members.iter().any(|other| other.index == member.index);
    let beside = config.groups.iter().find(is_beside).and_then(|group| group.members.iter().filter_map(priced).max());
    let anywhere = || config.groups.iter().flat_map(|group| &group.members).filter_map(priced).max();
    let (charge, like) = beside.or_else(anywhere)?;
    let edit = format!("gateway.model_list[{}].model_info.base_model={}", member.index, quoted(&like)?);
    Some(Remedy::new(format!("the price of {like} assumed for it (${charge} a typical request)"), [edit]))
}

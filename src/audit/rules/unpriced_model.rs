//! A model whose price nobody knows.

use crate::audit::config::{Config, Group, Member};
use crate::audit::{Fault, Remedy, Rule, changes};
use crate::diagnostic::{Severity, codes};
use crate::units::UnitPrice;

pub(super) const RULE: Rule = Rule {
    code: codes::UNPRICED_MODEL,
    name: "unpriced-model",
    about: "No price is known for the model of a deployment: neither the price table nor the config has one. What it costs \
        is then not in the forecast, and the gateway itself books such calls at $0, so that no budget ever sees them. The \
        latter also holds for models of other makers that are called in OpenAI's way, such as openai/anthropic/claude-opus-4-6. \
        Write input_cost_per_token and output_cost_per_token into litellm_params, set model_info.base_model to a model that \
        has a price at the same provider, or give a price table with --prices. What that leaves out of the bill is told by \
        giving it the prices of a deployment that it stands beside, or of the dearest in the config: an assumption.",
    check,
};

fn check(config: &Config<'_>, faults: &mut Vec<Fault>) {
    for member in config.groups.iter().flat_map(|group| &group.members) {
        let model = &member.entry.litellm_params.model;
        let Some(model) = model.as_ref().filter(|model| !model.value.contains('*')) else { continue };
        let (message, help) = match (member.facts.charge, member.facts.is_priced_by_gateway) {
            (None, _) => (
                "no price is known for this model: its calls are missing from the bill, and no budget sees them",
                "write input_cost_per_token and output_cost_per_token into litellm_params, or a model_info.base_model that \
                 has a price at the same provider, or use --prices",
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

/// The prices of the dearest deployment beside it; where none has a price, of the dearest in the config. They are
/// written as they are: the other's name as `base_model` prices nothing where the provider is another one.
fn assumed_price(config: &Config<'_>, member: &Member<'_>) -> Option<Remedy> {
    let model = |other: &Member<'_>| Some(other.entry.litellm_params.model.as_ref()?.value.clone());
    let priced = |other: &Member<'_>| Some((other.facts.charge?, model(other)?, other.facts.per_token?));
    let is_beside = |group: &&Group<'_>| group.members.iter().any(|other| other.index == member.index);
    let beside = config.groups.iter().find(is_beside).and_then(|group| group.members.iter().filter_map(priced).max());
    let anywhere = || config.groups.iter().flat_map(|group| &group.members).filter_map(priced).max();
    let (_, like, [input, output]) = beside.or_else(anywhere)?;
    let params = format!("gateway.model_list[{}].litellm_params", member.index);
    let edits = [format!("{params}.input_cost_per_token={input}"), format!("{params}.output_cost_per_token={output}")];
    let [input, output] = [input, output].map(UnitPrice::per_million_text);
    Some(Remedy::new(format!("the prices of {like} assumed for it (${input} and ${output} a million tokens)"), edits))
}

//! A model that its provider has retired.

use crate::audit::config::{Config, Member, Offer, quoted};
use crate::audit::{Fault, Remedy, Rule, changes};
use crate::diagnostic::{Severity, codes};

pub(super) const RULE: Rule = Rule {
    code: codes::RETIRED_MODEL,
    name: "retired-model",
    about: "The provider does not serve the model any more, by the end of the scenario, or by the newest day of the price \
        table where there is none. Calls end in 404, which is not retried; a group that is asked for then lives on its \
        fallbacks, at their price, and a retired fallback fails just when it is needed. Some names go on answering: the \
        provider points them at a successor, and bills that. Replace the model; what that costs is told for the model of \
        the provider that is nearest in price. Where the price table is wrong and the model still answers, write \
        `retired_from: never` under `upstream` of the scenario.",
    check,
};

fn check(config: &Config<'_>, faults: &mut Vec<Fault>) {
    for group in &config.groups {
        for member in &group.members {
            let (Some(day), Some(model)) = (member.facts.retired_on, &member.entry.litellm_params.model) else {
                continue;
            };
            if day > config.until {
                continue;
            }
            let verb = if day <= config.today { "has retired" } else { "retires" };
            let (severity, what) = match member.facts.is_redirected {
                true => (Severity::Note, "another model answers by its name, at the prices since"),
                false => (Severity::Warning, "calls to it end in 404"),
            };
            let message = format!("the provider {verb} this model on {day}: {what}");
            let help = "replace it by a model that is served".to_owned();
            // Without its only deployment a group that is asked for would be gone.
            let can_go = group.members.len() > 1 || !config.is_asked_for(group.name);
            let path = format!("gateway.model_list[{}]", member.index);
            let removed = can_go.then(|| Remedy::new("without this deployment", [Remedy::removal(&path)]));
            let remedies = changes(faults, || successor(config, member).into_iter().chain(removed).collect());
            faults.push(Fault { severity, span: model.span, message, help, remedies });
        }
    }
}

/// The model of the same provider that is served and nearest in price, as a factor.
fn successor(config: &Config<'_>, member: &Member<'_>) -> Option<Remedy> {
    let price = member.facts.charge.filter(|price| price.picos() > 0)?.picos() as f64;
    let provider = member.entry.provider?;
    let is_plain = !member.entry.litellm_params.model.as_ref()?.value.contains('*');
    let served =
        config.offers.iter().filter(|offer| is_plain && offer.provider == provider && offer.charge.picos() > 0);
    let distance = |offer: &&Offer| (offer.charge.picos() as f64 / price).ln().abs();
    let nearest = served.min_by(|a, b| distance(a).total_cmp(&distance(b)).then_with(|| a.model.cmp(&b.model)))?;
    let model = quoted(&nearest.model)?;
    let path = format!("gateway.model_list[{}]", member.index);
    let mut edits = vec![format!("{path}.litellm_params.model={model}")];
    if member.entry.model_info.base_model.is_some() {
        edits.push(format!("{path}.model_info.base_model={model}"));
    }
    let change = format!("{} in its place (${} a typical request)", nearest.model, nearest.charge);
    Some(Remedy::new(change, edits))
}

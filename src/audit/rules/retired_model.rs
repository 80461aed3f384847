//! A model that its provider has retired.

use crate::audit::config::Config;
use crate::audit::{Fault, Remedy, Rule};
use crate::diagnostic::{Severity, codes};

pub(super) const RULE: Rule = Rule {
    code: codes::RETIRED_MODEL,
    name: "retired-model",
    about: "The provider does not serve the model any more, by the day of the check: the start of the scenario, or the \
        newest day of the price table. Calls end in 404, which is not retried; a group that is asked for then lives on its \
        fallbacks, at their price, and a retired fallback fails just when it is needed. Replace the model.",
    check,
};

fn check(config: &Config<'_>, faults: &mut Vec<Fault>) {
    for group in &config.groups {
        for member in &group.members {
            let (Some(day), Some(model)) = (member.facts.retired_on, &member.entry.litellm_params.model) else {
                continue;
            };
            if day > config.today {
                continue;
            }
            let message = format!("the provider has retired this model on {day}: calls to it end in 404");
            let help = "replace it by a model that is served".to_owned();
            // Without its only deployment a group that is asked for would be gone.
            let can_go = group.members.len() > 1 || !config.is_asked_for(group.name);
            let path = format!("gateway.model_list[{}]", member.index);
            let remedies = if can_go {
                vec![Remedy::new("without this deployment", [Remedy::removal(&path)])]
            } else {
                Vec::new()
            };
            faults.push(Fault { severity: Severity::Warning, span: model.span, message, help, remedies });
        }
    }
}

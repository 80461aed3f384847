//! A model that its provider has retired.

use std::collections::BTreeSet;

use crate::audit::config::{Config, Member, Offer, quoted};
use crate::audit::{Fault, Remedy, Rule, changes};
use crate::diagnostic::{Severity, codes};

pub(super) const RULE: Rule = Rule {
    code: codes::RETIRED_MODEL,
    name: "retired-model",
    about: "The provider does not serve the model any more, by the end of the scenario, or by the newest day of the price \
        table where there is none. Calls end in 404, which is not retried; a group that is asked for then lives on its \
        fallbacks, at their price, and a retired fallback fails just when it is needed. Some names go on answering: the \
        provider points them at a successor, and bills that. Replace the model; what that costs is told for the newest \
        model of its family that is served (claude-haiku-5-5 for claude-haiku-4-5), else for the model of the provider \
        that is nearest in price. Where the price table is wrong and the model still answers, write \
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

/// The newest model of the same family that is served; where none is newer, the one that is
/// nearest in price, as a factor.
fn successor(config: &Config<'_>, member: &Member<'_>) -> Option<Remedy> {
    let price = member.facts.charge.filter(|price| price.picos() > 0)?.picos() as f64;
    let provider = member.entry.provider?;
    let retired = &member.entry.litellm_params.model.as_ref()?.value;
    let is_plain = !retired.contains('*');
    let served =
        || config.offers.iter().filter(|offer| is_plain && offer.provider == provider && offer.charge.picos() > 0);
    let old = Model::of(retired);
    let kin = served().map(|offer| (Model::of(&offer.model), offer));
    let newer = kin.filter(|(new, _)| new.family == old.family && new.version >= old.version);
    let newest =
        newer.max_by(|(a, one), (b, other)| a.version.cmp(&b.version).then_with(|| other.model.cmp(&one.model)));
    let distance = |offer: &&Offer| (offer.charge.picos() as f64 / price).ln().abs();
    let nearest = || served().min_by(|a, b| distance(a).total_cmp(&distance(b)).then_with(|| a.model.cmp(&b.model)));
    let nearest = newest.map(|(_, offer)| offer).or_else(nearest)?;
    let model = quoted(&nearest.model)?;
    let path = format!("gateway.model_list[{}]", member.index);
    let mut edits = vec![format!("{path}.litellm_params.model={model}")];
    if member.entry.model_info.base_model.is_some() {
        edits.push(format!("{path}.model_info.base_model={model}"));
    }
    let change = format!("{} in its place (${} a typical request)", nearest.model, nearest.charge);
    Some(Remedy::new(change, edits))
}

/// What a model's name says of its family and its version: those of `claude-3-5-haiku` are claude and haiku, and 3.5.
#[derive(Debug, PartialEq, Eq)]
struct Model {
    family: BTreeSet<String>,
    version: Vec<u32>,
}

impl Model {
    fn of(name: &str) -> Self {
        let name = name.rsplit('/').next().unwrap_or_default().to_lowercase();
        let (mut family, mut version) = (BTreeSet::new(), Vec::new());
        // Days such as 20251001 and 2024-05-13 are no versions: after a year its month and day are passed over.
        let mut of_day = 0;
        for part in name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
            match part.parse() {
                Ok(_) if part.len() > 3 => of_day = 2,
                Ok(_) if of_day > 0 && part.len() == 2 => of_day -= 1,
                Ok(number) => version.push(number),
                Err(_) if matches!(part, "latest" | "preview" | "exp" | "experimental") => {}
                Err(_) => {
                    family.insert(part.to_owned());
                }
            }
        }
        Self { family, version }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_versions_are_read_from_names() {
        let of = |name: &str| {
            let Model { family, version } = Model::of(name);
            (family.into_iter().collect::<Vec<_>>().join(" "), version)
        };
        assert_eq!(of("anthropic/claude-3-5-haiku"), ("claude haiku".to_owned(), vec![3, 5]));
        assert_eq!(of("claude-haiku-4-5-20251001"), ("claude haiku".to_owned(), vec![4, 5]));
        assert_eq!(of("gemini-3.1-flash-lite-preview"), ("flash gemini lite".to_owned(), vec![3, 1]));
        // A size is no version, and 4o is no 4.
        assert_eq!(of("groq/llama-3.1-8b-instant"), ("8b instant llama".to_owned(), vec![3, 1]));
        assert_eq!(of("gpt-4o-2024-05-13"), ("4o gpt".to_owned(), vec![]));
    }
}

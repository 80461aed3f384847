//! A fallback that goes up in price.

use std::collections::HashSet;

use crate::audit::config::{Chain, Config, Group, Offer, quoted};
use crate::audit::{Fault, Remedy, Rule, changes};
use crate::diagnostic::{Severity, codes};
use crate::units::Money;

pub(super) const RULE: Rule = Rule {
    code: codes::FALLBACK_UPWARD,
    name: "fallback-upward",
    about: "A fallback costs at least twice as much as the group that it catches, by the price of a request of 1,000 input \
        and 300 output tokens. While the cheap group fails, all of its traffic is billed at the price of the dear one, and \
        nothing but the bill tells. Fall back sideways: to another provider at about the same price; or leave the dear \
        model to those who ask for it.",
    check,
};

/// Falling back costs at least so many times as much.
const UPWARD: i128 = 2;
/// A group counts as of the same price class up to so many times the price.
const SIDEWAYS: (i128, i128) = (3, 2);

fn check(config: &Config<'_>, faults: &mut Vec<Fault>) {
    for chain in &config.chains {
        let Some(home) = config.group(chain.from) else { continue };
        let Some(price) = home.charge().filter(|price| *price > Money::ZERO) else { continue };
        for (target, span) in &chain.targets {
            let Some(dear) = config.group(target).and_then(Group::charge) else { continue };
            if dear.picos() < UPWARD * price.picos() {
                continue;
            }
            let times = dear.picos() * 10 / price.picos();
            let message = format!(
                "falling back from `{}` to `{target}` makes a request {} times as dear: a typical one (1,000 input and 300 \
                 output tokens) costs ${dear} instead of ${price}",
                chain.from,
                times_words(times),
            );
            let help = format!("fall back sideways, to another provider at about the price of `{}`", chain.from);
            let remedies = changes(faults, || remedies(config, chain, home, target));
            faults.push(Fault { severity: Severity::Warning, span: *span, message, help, remedies });
        }
    }
}

/// Tenths as a number: `17.9`, or `18` from ten on.
fn times_words(tenths: i128) -> String {
    if tenths >= 100 { format!("{}", (tenths + 5) / 10) } else { format!("{}.{}", tenths / 10, tenths % 10) }
}

/// A group or model of the same price class in place of the dear one; and no fallback there at all.
fn remedies(config: &Config<'_>, chain: &Chain<'_>, home: &Group<'_>, target: &str) -> Vec<Remedy> {
    let without = chain.without(target);
    let without = without.map(|edit| Remedy::new(format!("no fallback from {} to {target}", chain.from), [edit]));
    let sideways = sideways(config, chain, home).and_then(|name| {
        let edit = chain.replaced(&in_place(chain, target, name))?;
        Some(Remedy::new(format!("{} falls back to {name} instead", chain.from), [edit]))
    });
    sideways.or_else(|| added(config, chain, home, target)).into_iter().chain(without).collect()
}

/// The targets of a chain with another one in place of one of them.
fn in_place<'a>(chain: &Chain<'a>, target: &str, instead: &'a str) -> Vec<&'a str> {
    chain.targets.iter().map(|(old, _)| if *old == target { instead } else { *old }).collect()
}

/// The dearest that still counts as of the same price class.
fn most(home: &Group<'_>) -> Option<i128> {
    Some(home.charge()?.picos() * SIDEWAYS.0 / SIDEWAYS.1)
}

/// The cheapest group of the same price class that another provider serves.
fn sideways<'a>(config: &Config<'a>, chain: &Chain<'_>, home: &Group<'_>) -> Option<&'a str> {
    let most = most(home)?;
    let tried: HashSet<&str> = chain.targets.iter().map(|(target, _)| *target).chain([home.name]).collect();
    let elsewhere =
        |group: &&Group<'_>| !tried.contains(group.name) && group.providers().is_disjoint(&home.providers());
    let fits = config.groups.iter().filter(elsewhere).filter_map(|group| Some((group.charge()?, group.name)));
    fits.filter(|(price, _)| price.picos() <= most).min().map(|(_, name)| name)
}

/// A model of another provider, added to the config: the dearest of the same price class, which is likely the ablest.
fn added(config: &Config<'_>, chain: &Chain<'_>, home: &Group<'_>, target: &str) -> Option<Remedy> {
    let most = most(home)?;
    let elsewhere = |offer: &&Offer| offer.is_common && !home.providers().contains(offer.provider.as_str());
    let fits = config.offers.iter().filter(elsewhere).filter(|offer| offer.charge.picos() <= most);
    let offer = fits.max_by_key(|offer| (offer.charge, std::cmp::Reverse(&offer.model)))?;
    let name = offer.model.rsplit('/').next().filter(|name| config.group(name).is_none())?;
    let (group, model) = (quoted(name)?, quoted(&offer.model)?);
    let add = format!("gateway.model_list[+]={{model_name: {group}, litellm_params: {{model: {model}}}}}");
    let edit = chain.replaced(&in_place(chain, target, name))?;
    let change =
        format!("{} falls back to {}, added as a group (${} a typical request)", chain.from, offer.model, offer.charge);
    Some(Remedy::new(change, [add, edit]))
}

//! A fallback into the same provider.

use crate::audit::config::Config;
use crate::audit::{Fault, Remedy, Rule, changes};
use crate::diagnostic::{Severity, codes};

pub(super) const RULE: Rule = Rule {
    code: codes::SAME_PROVIDER,
    name: "fallback-same-provider",
    about: "All groups of a chain are served by one provider. An outage of that provider, a used-up quota or a revoked key \
        takes the fallback down with what it should catch; the calls to it only add to the wait, and to the provider's \
        rate limits. Let at least one fallback be at another provider.",
    check,
};

fn check(config: &Config<'_>, faults: &mut Vec<Fault>) {
    for chain in &config.chains {
        let Some(home) = config.group(chain.from) else { continue };
        let targets: Vec<_> =
            chain.targets.iter().filter_map(|(name, span)| Some((config.group(name)?, *span))).collect();
        let providers = home.providers();
        let stays = |(group, _): &(&crate::audit::config::Group<'_>, _)| group.providers() == providers;
        let (Some((first, span)), true, true) = (targets.first(), providers.len() == 1, targets.iter().all(stays))
        else {
            continue;
        };
        let provider = providers.iter().next().copied().unwrap_or_default();
        let message = format!(
            "`{}` and all of its fallbacks are served by {provider}: an outage there takes all of them",
            chain.from
        );
        let help = "add a fallback at another provider".to_owned();
        let without = |edit| Remedy::new(format!("`{}` without that fallback", chain.from), [edit]);
        let remedies = changes(faults, || chain.without(first.name).map(without).into_iter().collect());
        faults.push(Fault { severity: Severity::Warning, span: *span, message, help, remedies });
    }
}

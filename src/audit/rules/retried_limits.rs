//! Rate limits that are answered with retries.

use crate::audit::config::Config;
use crate::audit::{Fault, Remedy, Rule};
use crate::diagnostic::{Severity, codes};

pub(super) const RULE: Rule = Rule {
    code: codes::RETRIED_LIMITS,
    name: "retried-limits",
    about: "A group with one deployment and a fallback retries a 429 like any other error. The limit is still in force a \
        second later, and with many providers refused calls count against it too, so that retries keep it shut and more \
        of the traffic ends at the fallback. A retry policy tells errors apart: router_settings.retry_policy with \
        RateLimitErrorRetries: 0 goes to the fallback at once. It does not work under litellm_settings.",
    check,
};

fn check(config: &Config<'_>, faults: &mut Vec<Fault>) {
    if config.wire.router_settings.retry_policy.is_some() {
        return;
    }
    let lone = |group: &&crate::audit::config::Group<'_>| {
        let has_fallback = config.chain(group.name).is_some_and(|chain| !chain.targets.is_empty());
        group.members.len() == 1 && has_fallback && config.is_asked_for(group.name) && config.retries(group.name) > 0
    };
    let Some(group) = config.groups.iter().find(lone) else { return };
    let message = format!(
        "a 429 of `{}` is retried {} times, with pauses, against the limit that is still in force, before it falls back",
        group.name,
        config.retries(group.name),
    );
    let help = "router_settings.retry_policy: { RateLimitErrorRetries: 0 }".to_owned();
    let edit = "gateway.router_settings.retry_policy={RateLimitErrorRetries: 0}".to_owned();
    let remedies = vec![Remedy::new("429 is not retried", [edit])];
    faults.push(Fault { severity: Severity::Note, span: group.span(), message, help, remedies });
}

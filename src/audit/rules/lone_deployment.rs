//! A single deployment in its group, so that rate limits never put it to rest.

use crate::audit::config::Config;
use crate::audit::{Fault, Remedy, Rule};
use crate::diagnostic::{Severity, codes};

pub(super) const RULE: Rule = Rule {
    code: codes::LONE_DEPLOYMENT,
    name: "lone-deployment",
    about: "A group that clients ask for has one deployment and a fallback. By default LiteLLM does not put the only \
        deployment of a group to rest for a 429, nor for failures, unless all of at least 1,000 calls in a minute fail: \
        each request is tried and retried there, with pauses, before it falls back. Counting failures helps: \
        router_settings.allowed_fails with a value other than 3, and a cooldown_time. So does a second deployment.",
    check,
};

fn check(config: &Config<'_>, faults: &mut Vec<Fault>) {
    let router = &config.wire.router_settings;
    let counts =
        router.allowed_fails.as_ref().is_some_and(|fails| fails.value != 3) || router.allowed_fails_policy.is_some();
    let is_off = router.disable_cooldowns.as_ref().is_some_and(|off| off.value);
    if counts || is_off {
        return;
    }
    for group in config.groups.iter().filter(|group| group.members.len() == 1 && config.is_asked_for(group.name)) {
        if config.chain(group.name).is_none_or(|chain| chain.targets.is_empty()) {
            continue;
        }
        let message = format!(
            "`{}` has one deployment: rate limits never put it to rest, so every request is tried there {} times before it \
             falls back",
            group.name,
            config.retries(group.name) + 1,
        );
        let help = "count failures (router_settings.allowed_fails: 2, cooldown_time: 60), or add a second deployment"
            .to_owned();
        let edits = ["gateway.router_settings.allowed_fails=2", "gateway.router_settings.cooldown_time=60"];
        let remedies = vec![Remedy::new("allowed_fails: 2, cooldown_time: 60", edits.map(str::to_owned))];
        faults.push(Fault { severity: Severity::Note, span: group.span(), message, help, remedies });
    }
}

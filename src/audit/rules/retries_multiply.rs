//! Retries that multiply along a chain of fallbacks.

use crate::audit::config::Config;
use crate::audit::{Fault, Remedy, Rule};
use crate::diagnostic::{Severity, codes};

pub(super) const RULE: Rule = Rule {
    code: codes::RETRIES_MULTIPLY,
    name: "retries-multiply",
    about: "Each group of a chain is tried once and then retried before the next one is asked, so that one request of a \
        client can make (retries + 1) × groups upstream calls; the default is two retries. Calls that time out or break off \
        are often billed, each counts against rate limits, and the pauses between them add up before the client has an \
        answer. Where another group stands ready, retries in the same group buy little: set num_retries to 0 or 1.",
    check,
};

/// Fewer upstream calls for one request are not worth a word.
const MANY: i64 = 6;

fn check(config: &Config<'_>, faults: &mut Vec<Fault>) {
    let asked = config.groups.iter().filter(|group| config.is_asked_for(group.name));
    let worst = asked
        .map(|group| {
            let reached = config.reach(group.name);
            let calls: i64 = reached.iter().map(|name| config.retries(name).saturating_add(1)).sum();
            (calls, reached)
        })
        .filter(|(calls, reached)| reached.len() > 1 && *calls >= MANY)
        .max_by_key(|(calls, _)| *calls);
    let Some((calls, reached)) = worst else { return };
    let (router, module) = (&config.wire.router_settings.num_retries, &config.wire.litellm_settings.num_retries);
    let written = router.as_ref().or(module.as_ref()).map(|retries| retries.span);
    let at_chain = || config.chain(reached[0]).and_then(|chain| chain.targets.first()).map(|(_, span)| *span);
    let Some(span) = written.or_else(at_chain) else { return };
    let retries = config.retries(reached[0]);
    let by = if written.is_some() { "" } else { " by default" };
    let message = format!(
        "one request can make {calls} upstream calls: {} are tried one after the other ({}), each {} times, because \
         num_retries is {retries}{by}",
        reached.len(),
        reached.join(", "),
        retries + 1,
    );
    let help = "num_retries: 0 goes to the next group at once; 1 is a compromise".to_owned();
    let remedies = vec![Remedy::new("num_retries: 0", ["gateway.router_settings.num_retries=0".to_owned()])];
    faults.push(Fault { severity: Severity::Warning, span, message, help, remedies });
}

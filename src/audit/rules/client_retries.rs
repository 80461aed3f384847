//! Retries of the clients and of the gateway, which multiply.

use crate::audit::config::Config;
use crate::audit::{Fault, Remedy, Rule};
use crate::diagnostic::{Severity, codes};

pub(super) const RULE: Rule = Rule {
    code: codes::CLIENT_RETRIES,
    name: "client-retries",
    about: "The clients of a traffic class retry failed requests themselves (SDKs of OpenAI and Anthropic do so twice by \
        default), and the gateway retries each of those again: (clients' retries + 1) × (gateway's retries + 1) upstream \
        calls, per group of a chain. Only one side should retry. Behind a gateway with fallbacks set max_retries=0 in the \
        clients. Needs a scenario: a config does not tell what clients do.",
    check,
};

fn check(config: &Config<'_>, faults: &mut Vec<Fault>) {
    let gateway = config.groups.iter().filter(|group| config.is_asked_for(group.name));
    let gateway = gateway.map(|group| config.retries(group.name)).max().unwrap_or(0);
    let classes = config.asked.iter().flat_map(|asked| &asked.classes);
    for class in classes.filter(|class| class.retries > 0 && gateway > 0) {
        let (router, module) = (&config.wire.router_settings.num_retries, &config.wire.litellm_settings.num_retries);
        let written = router.as_ref().or(module.as_ref()).map(|retries| retries.span);
        let Some(span) = written.or_else(|| config.groups.first().map(|group| group.span())) else { return };
        let calls = (i64::from(class.retries) + 1).saturating_mul(gateway.saturating_add(1));
        let message = format!(
            "clients of `{}` retry {} times and the gateway {gateway} times: a request that fails makes {calls} upstream \
             calls to each group",
            class.name, class.retries,
        );
        let help = "let one side retry: max_retries=0 in the clients".to_owned();
        let key = crate::audit::config::quoted(&class.name);
        let remedy = key.map(|key| Remedy::new("clients do not retry", [format!("traffic.{key}.retries=0")]));
        faults.push(Fault { severity: Severity::Warning, span, message, help, remedies: remedy.into_iter().collect() });
    }
}

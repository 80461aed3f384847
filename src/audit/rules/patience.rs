//! A gateway that waits longer than its clients.

use crate::audit::config::Config;
use crate::audit::{Fault, Remedy, Rule};
use crate::diagnostic::{Severity, codes};

pub(super) const RULE: Rule = Rule {
    code: codes::PATIENCE,
    name: "patience",
    about: "The gateway waits longer for an upstream than its clients wait for the gateway: they have gone when the call \
        ends or the fallback would answer, and what is generated is billed all the same (requests without stream run to \
        their end). Without any timeout LiteLLM waits 6,000 seconds; SDKs give up after 600. Set router_settings.timeout \
        well below the patience of the clients, so that there is time left for a fallback.",
    check,
};

/// What the SDKs of OpenAI and Anthropic wait by default.
const SDK_S: f64 = 600.0;
/// What the gateway waits by default.
const GATEWAY_S: f64 = 6000.0;
/// Part of the clients' patience that leaves time for a fallback.
const PART: f64 = 0.4;

fn check(config: &Config<'_>, faults: &mut Vec<Fault>) {
    let (router, module) = (&config.wire.router_settings, &config.wire.litellm_settings);
    let for_all = module.request_timeout.as_ref().or(router.timeout.as_ref()).filter(|timeout| timeout.value > 0.0);
    let of_entry = |entry: &crate::gateway::litellm::wire::Deployment| {
        let own = entry.litellm_params.timeout.as_ref().or(entry.litellm_params.request_timeout.as_ref());
        own.or(for_all).map_or(GATEWAY_S, |timeout| timeout.value)
    };
    let kept = || config.groups.iter().flat_map(|group| &group.members);
    let longest = kept().map(|member| of_entry(member.entry)).fold(0.0, f64::max);
    let classes = config.asked.iter().flat_map(|asked| &asked.classes);
    let shortest =
        classes.filter_map(|class| Some((class.timeout_s?, class.name.as_str()))).min_by(|a, b| a.0.total_cmp(&b.0));
    let (patience, who) = shortest.map_or((SDK_S, "SDKs".to_owned()), |(s, name)| (s, format!("clients of `{name}`")));
    let Some(span) = for_all.map(|t| t.span).or_else(|| config.groups.first().map(|group| group.span())) else {
        return;
    };
    if longest <= patience {
        return;
    }
    let by = if for_all.is_some() { "" } else { " (no timeout is set)" };
    let message = format!("the gateway waits {longest} s for an upstream{by}, {who} give up after {patience} s");
    let seconds = (patience * PART).max(1.0).round();
    let help = format!("set router_settings.timeout below the patience of the clients, e.g. {seconds}");
    let place =
        if module.request_timeout.is_some() { "litellm_settings.request_timeout" } else { "router_settings.timeout" };
    let severity = if shortest.is_some() || for_all.is_some() { Severity::Warning } else { Severity::Note };
    let remedies = vec![Remedy::new(format!("a timeout of {seconds} s"), [format!("gateway.{place}={seconds}")])];
    faults.push(Fault { severity, span, message, help, remedies });
}

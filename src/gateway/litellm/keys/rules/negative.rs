//! Numbers below zero. The gateway starts with all of them (tried with LiteLLM 1.102.4): a cooldown of the router is
//! over before it begins, a call runs into its timeout at once, weights are added up as they are, and a call at a
//! negative price earns money.

use crate::diagnostic::{Severity, codes};
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::{Deployment, Spanned, Wire};

/// A number of seconds that may be there.
type Seconds<'a> = &'a Option<Spanned<f64>>;

pub(super) fn check(wire: &Wire, findings: &mut Findings) {
    let (router, module) = (&wire.router_settings, &wire.litellm_settings);
    cooldown(&router.cooldown_time, "is over before it begins: nothing ever rests", findings);
    for timeout in [&router.timeout, &module.request_timeout] {
        self::timeout(timeout, "every call", findings);
    }
    timeout(&router.stream_timeout, "every stream", findings);
    for entry in wire.model_list.iter().filter(|entry| !entry.dropped) {
        let (params, info) = (&entry.litellm_params, &entry.model_info);
        for own in [&params.cooldown_time, &info.cooldown_time] {
            cooldown(own, "of a deployment is passed over: it rests as long as others", findings);
        }
        for timeout in [&params.timeout, &params.request_timeout] {
            self::timeout(timeout, "every call here", findings);
        }
        timeout(&params.stream_timeout, "every stream here", findings);
        weight(&params.weight, findings);
        slots(entry, findings);
        for (_, price) in entry.params_prices.iter().chain(&entry.info_prices) {
            if price.value.is_negative() {
                let message = "a negative price: the gateway books these calls as money earned, and its budgets fill up \
                    again; here the price of the table stands, because no provider pays for calls";
                findings.warn(codes::NEGATIVE, price.span, message, "write a price from 0 on");
            }
        }
    }
}

fn below_zero<'a>(number: Seconds<'a>) -> Option<&'a Spanned<f64>> {
    number.as_ref().filter(|number| number.value < 0.0)
}

fn cooldown(seconds: Seconds<'_>, what: &str, findings: &mut Findings) {
    if let Some(seconds) = below_zero(seconds) {
        let message = format!("a negative cooldown {what}");
        let help = Some("write a positive time, or `disable_cooldowns: true`".to_owned());
        findings.add(codes::NEGATIVE, Severity::Warning, seconds.span, message, help);
    }
}

fn timeout(seconds: Seconds<'_>, what: &str, findings: &mut Findings) {
    if let Some(seconds) = below_zero(seconds) {
        let message = format!("a negative timeout has run out before a call begins: {what} ends in 408");
        let help = Some("write a positive time; 0 means none".to_owned());
        findings.add(codes::NEGATIVE, Severity::Warning, seconds.span, message, help);
    }
}

/// What a deployment's calls at the same time are counted by: it does not mean that there is no limit.
fn slots(entry: &Deployment, findings: &mut Findings) {
    let params = &entry.litellm_params;
    let first = params.max_parallel_requests.as_ref().or(params.rpm.as_ref());
    if let Some(number) = first.filter(|number| number.value < 0) {
        let message = "below zero there is no room for a call: every call to this deployment fails before it is made";
        findings.warn(codes::NEGATIVE, number.span, message, "leave it out where there is no limit");
    }
}

fn weight(weight: Seconds<'_>, findings: &mut Findings) {
    if let Some(weight) = below_zero(weight) {
        let message = "a negative weight is added up like the others: this deployment is not picked for it, and others of its \
            group may lose their share too";
        findings.warn(codes::NEGATIVE, weight.span, message, "write 0 to keep it as a standby");
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::codes;
    use crate::gateway::litellm::keys::check;

    #[test]
    fn numbers_below_zero_are_told_with_what_the_gateway_makes_of_them() {
        let entry = "model_list:\n  - {model_name: a, litellm_params: {model: openai/gpt-4o";
        for (rest, words) in [
            ("}}\nrouter_settings: {cooldown_time: -5}\n", "nothing ever rests"),
            (", cooldown_time: -5}}\n", "rests as long as others"),
            ("}}\nrouter_settings: {timeout: -1}\n", "every call ends in 408"),
            ("}}\nlitellm_settings: {request_timeout: -1}\n", "every call ends in 408"),
            (", stream_timeout: -1}}\n", "every stream here ends in 408"),
            (", weight: -1}}\n", "not picked for it"),
            (", rpm: -1}}\n", "fails before it is made"),
            (", max_parallel_requests: -1}}\n", "fails before it is made"),
            (", input_cost_per_token: -0.001, output_cost_per_token: 0.001}}\n", "money earned"),
        ] {
            let found = check("config.yaml", &format!("{entry}{rest}"));
            let negative: Vec<_> = found.iter().filter(|one| one.code == codes::NEGATIVE).collect();
            assert!(negative.len() == 1 && negative[0].message.contains(words), "{rest}: {found:#?}");
        }
    }
}

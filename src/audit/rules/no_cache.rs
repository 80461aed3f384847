//! Requests that repeat word for word, and no response cache.

use crate::audit::config::Config;
use crate::audit::{Fault, Remedy, Rule};
use crate::diagnostic::{Severity, codes};

pub(super) const RULE: Rule = Rule {
    code: codes::NO_CACHE,
    name: "no-cache",
    about: "The scenario says that requests repeat earlier ones word for word, and the response cache is off, so each \
        repetition is paid for again. A cache with a ttl as long as repetitions come saves what they cost: their share of \
        the bill, more only if long requests repeat more often than short ones. Streams and other requests do not share \
        entries. Needs a scenario: a config does not tell who repeats.",
    check,
};

/// A smaller share of repetitions is not worth a cache.
const WORTH_IT: f64 = 0.05;

fn check(config: &Config<'_>, faults: &mut Vec<Fault>) {
    let settings = &config.wire.litellm_settings;
    if settings.cache.as_ref().is_some_and(|cache| cache.value) {
        return;
    }
    let classes = config.asked.iter().flat_map(|asked| &asked.classes);
    let Some(most) = classes.filter(|class| class.repeats >= WORTH_IT).max_by(|a, b| a.repeats.total_cmp(&b.repeats))
    else {
        return;
    };
    let written = settings.cache.as_ref().map(|cache| cache.span);
    let Some(span) = written.or_else(|| config.groups.first().map(|group| group.span())) else { return };
    let message = format!(
        "{:.0}% of the requests of `{}` repeat an earlier one word for word, and nothing is cached",
        most.repeats * 100.0,
        most.name
    );
    let help = "litellm_settings: { cache: true, cache_params: { type: local, ttl: 3600 } }".to_owned();
    let edits =
        ["gateway.litellm_settings.cache=true", "gateway.litellm_settings.cache_params={type: local, ttl: 3600}"];
    let remedies = vec![Remedy::new("a response cache of one hour", edits.map(str::to_owned))];
    faults.push(Fault { severity: Severity::Warning, span, message, help, remedies });
}

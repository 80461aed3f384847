//! The same setting in two places: which one counts.

use crate::diagnostic::codes;
use crate::diagnostic::{Severity, Span};
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::Wire;

pub(super) fn check(wire: &Wire, findings: &mut Findings) {
    let (router, module) = (&wire.router_settings, &wire.litellm_settings);
    let both = |router: Option<Span>, module: Option<Span>| router.and(module);
    macro_rules! overridden {
        ($($key:ident),*) => {
            [$((stringify!($key), both(router.$key.as_ref().map(|v| v.span), module.$key.as_ref().map(|v| v.span)))),*]
        };
    }
    let overridden = overridden!(
        num_retries,
        max_fallbacks,
        fallbacks,
        default_fallbacks,
        context_window_fallbacks,
        content_policy_fallbacks
    );
    for (key, span) in overridden {
        if let Some(span) = span {
            let message = format!("`litellm_settings.{key}` is not used: router_settings.{key} wins");
            findings.add(codes::OVERRIDDEN, Severity::Warning, span, message, Some("keep one of them".into()));
        }
    }
    if let (Some(timeout), Some(_)) = (&router.timeout, &module.request_timeout) {
        let message =
            "`router_settings.timeout` is not used for requests without stream: litellm_settings.request_timeout wins";
        findings.warn(codes::OVERRIDDEN, timeout.span, message, "keep one of them");
    }
    if let Some(depth) = router.max_fallbacks.as_ref().or(module.max_fallbacks.as_ref()) {
        let message = "`max_fallbacks` counts how deep fallbacks of fallbacks go; one list is always tried to its end";
        findings.add(codes::FALLBACK_DEPTH, Severity::Note, depth.span, message.into(), None);
    }
}

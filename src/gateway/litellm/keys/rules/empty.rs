//! A config of which nothing is left.

use crate::diagnostic::{Severity, codes};
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::Wire;

/// The gateway starts without the deployments that it cannot use; without any it refuses every request.
pub(super) fn check(wire: &Wire, findings: &mut Findings) {
    let Some(first) = wire.model_list.first().filter(|_| wire.model_list.iter().all(|entry| entry.dropped)) else {
        return;
    };
    let message =
        "no deployment of this gateway is left: it drops all of them when it starts, and refuses every request";
    let help = Some("the findings about the deployments say why".to_owned());
    findings.add(codes::NO_MODELS, Severity::Error, first.model_name.span, message.to_owned(), help);
}

//! Deployments whose answers the gateway makes up (`mock_response`, `mock_timeout`): right for a test; left over from
//! one it hides the bill.

use crate::diagnostic::{Severity, codes};
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::Wire;

pub(super) fn check(wire: &Wire, findings: &mut Findings) {
    for entry in wire.model_list.iter().filter(|entry| !entry.dropped && entry.mock.is_on()) {
        let Some(model) = &entry.litellm_params.model else { continue };
        let message = "the gateway makes up the answers of this deployment: no provider is called, and none bills; its \
            budgets go by the price of the model, but what the gateway reports of its spend leaves that out here";
        let help = "remove mock_response and mock_timeout where real answers are wanted".to_owned();
        findings.add(codes::MADE_UP_ANSWERS, Severity::Warning, model.span, message.to_owned(), Some(help));
    }
}

//! A config of which nothing is left.

use crate::diagnostic::{Severity, Span, codes};
use crate::document::Node;
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::Wire;

/// The gateway starts without the deployments that it cannot use; without any it refuses every request. Where nothing
/// is written the reader has said so.
pub(super) fn check(root: &Node, wire: &Wire, findings: &mut Findings) {
    let list = root.get("model_list").map(Node::items).unwrap_or_default();
    let (Some(first), Some((message, help))) = (list.first(), wire.why_nothing()) else { return };
    let name = first.get("model_name").map_or(Span { end: first.span.start, ..first.span }, |name| name.span);
    findings.add(codes::NO_MODELS, Severity::Error, name, message, Some(help));
}

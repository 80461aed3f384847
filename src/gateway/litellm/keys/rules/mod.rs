//! What depends on more than one key.

mod budgets;
mod cache;
mod callbacks;
mod checks;
mod clients;
mod cooldown;
mod crowded;
mod empty;
mod expanded;
mod fallbacks;
mod groups;
mod mocks;
mod names;
mod negative;
mod picking;
mod precedence;
mod pricing;
mod server;
mod shapes;

use crate::document::Node;
use crate::gateway::litellm::keys::Findings;
use crate::gateway::litellm::wire::Wire;

/// Applies every rule.
pub(super) fn all(node: &Node, wire: &Wire, findings: &mut Findings) {
    budgets::check(wire, findings);
    cache::check(node, wire, findings);
    callbacks::check(node, findings);
    checks::check(wire, findings);
    clients::check(wire, findings);
    cooldown::check(wire, findings);
    crowded::check(wire, findings);
    empty::check(node, wire, findings);
    expanded::check(node, findings);
    fallbacks::check(wire, findings);
    mocks::check(wire, findings);
    names::check(wire, findings);
    negative::check(wire, findings);
    picking::check(wire, findings);
    precedence::check(wire, findings);
    pricing::check(wire, findings);
    server::check(node, wire, findings);
    shapes::check(node, findings);
}

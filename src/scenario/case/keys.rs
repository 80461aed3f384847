//! Virtual keys of a case.

use super::fields::Reader;
use crate::document::Node;
use crate::gateway::litellm::plan::Key;

/// The names of the keys and their limits; the master key comes first, under an empty name.
pub(super) fn read(node: Option<&Node>, reader: &mut Reader) -> (Vec<String>, Vec<Key>) {
    let (mut names, mut keys) = (vec![String::new()], vec![Key::default()]);
    for entry in node.map(Node::entries).unwrap_or_default() {
        names.push(entry.key.to_string());
        keys.push(key(&entry.value, reader));
    }
    (names, keys)
}

fn key(node: &Node, reader: &mut Reader) -> Key {
    let limit = |name: &str, reader: &mut Reader| reader.count(node, name).map(u64::from);
    Key {
        rpm: limit("rpm_limit", reader),
        tpm: limit("tpm_limit", reader),
        parallel: limit("max_parallel_requests", reader),
        budget: reader.number(node, "max_budget"),
        spent: reader.number(node, "spend").unwrap_or(0.0),
    }
}

//! Whether the value of an edit may be a secret. The key may be misspelt and the value cut: rather too much is hidden.

use crate::diagnostic::secrets::{is_secret_key, looks_secret};
use crate::document::{Node, Value};
use crate::gateway::litellm::wire::nearest;
use crate::scenario::edit::GATEWAY;
use crate::scenario::edit::path::{self, Kind, Step};

/// Words in the names of keys that hold secrets, as they may be meant by a misspelt one.
const MEANT: [&str; 8] = ["key", "apikey", "token", "secret", "password", "credential", "credentials", "authorization"];
/// Ends of the names of keys whose numbers are secrets too.
const ENDS: [&str; 5] = ["key", "token", "secret", "password", "passwd"];
/// Outside the gateway's config these name a virtual key, which is no secret.
const ALIASES: [&str; 2] = ["key", "keys"];

/// Whether a value at this path may be a secret.
pub(super) fn is_held(path: &[Step], value: &Node) -> bool {
    let of_gateway = path.first().is_some_and(|step| step.text == GATEWAY);
    let keys = path.iter().filter(|step| matches!(step.kind, Kind::Plain | Kind::Quoted)).map(|step| &*step.text);
    let last = keys.clone().next_back().unwrap_or_default();
    // In the gateway's config headers and the environment are secret with all that is in them.
    holds(last, value, of_gateway) || (of_gateway && keys.into_iter().any(|key| holds(key, value, of_gateway)))
}

/// A path with asterisks for each step that looks like a secret: as many as it has bytes, so that
/// places in it stay right.
pub(super) fn masked_path(path: &str) -> String {
    let steps = path::read(path).map(|(steps, _)| steps).unwrap_or_default();
    // A path that cannot be read has no steps, and a quoted step may hold a secret among other things.
    let parts = path.split(['.', '[', ']', '"', '\'', '=']).map(str::trim);
    let secrets = steps.iter().map(|step| step.text.as_str()).chain(parts).filter(|text| looks_secret(text));
    secrets.fold(path.to_owned(), |shown, secret| shown.replace(secret, &"*".repeat(secret.len())))
}

/// Whether a text that cannot be read may hold a secret.
pub(super) fn is_in(text: &str) -> bool {
    let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')));
    has_credentials(text) || words.any(|word| is_meant(word) || looks_secret(word))
}

fn holds(key: &str, value: &Node, of_gateway: bool) -> bool {
    let is_alias = !of_gateway && ALIASES.contains(&key);
    let is_meant = || !is_alias && is_meant(key);
    match &value.value {
        Value::Str(text) if text.starts_with("os.environ/") => false,
        Value::Str(text) => looks_secret(text) || has_credentials(text) || is_meant(),
        Value::Int(_) | Value::Float(_) | Value::Date(_) => is_meant() && ENDS.iter().any(|end| key.ends_with(end)),
        Value::Seq(items) => items.iter().any(|item| holds(key, item, of_gateway)),
        Value::Map(entries) => entries
            .iter()
            .any(|entry| holds(key, &entry.value, of_gateway) || holds(&entry.key, &entry.value, of_gateway)),
        Value::Bool(_) | Value::Null => false,
    }
}

/// Whether a key is the name of a secret, or close to one.
fn is_meant(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let is_close = |word: &str| !word.is_empty() && nearest(word, MEANT.into_iter()).is_some();
    let counts = key.contains("cost") || key.ends_with("tokens") || key.contains("token_limit");
    is_secret_key(&key) || (!counts && (is_close(&key) || key.split(['_', '-']).any(is_close)))
}

/// An address with a user or a query.
fn has_credentials(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| rest.contains(['@', '?']))
}

//! What a gateway's config takes from the environment (`os.environ/NAME`): LiteLLM reads it when it starts
//! (`proxy_server.py:_check_for_os_environ_vars`), and so it is read here, from the environment of this program, for
//! keys whose values are no secrets. Other values stay references: only whether there is one counts.

use std::env;

use crate::diagnostic::Span;
use crate::diagnostic::secrets::{found_in, is_secret_key, looks_secret, may_be_shown};
use crate::document::{Entry, Node, Value};

const REFERENCE: &str = "os.environ/";

/// No name of a model and no number is longer.
const LONGEST: usize = 256;

/// The address of an upstream: it is read, but may hold a password and is not shown.
const ADDRESS: &str = "api_base";

/// Parts of a config in which values are read.
const SECTIONS: [&str; 8] = [
    "model_list",
    "litellm_params",
    "model_info",
    "router_settings",
    "routing_strategy_args",
    "litellm_settings",
    "cache_params",
    "general_settings",
];

/// A variable that is set and that a config refers to.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Where it is referred to.
    pub span: Span,
    /// What was made of it.
    pub value: Known,
}

/// What was made of a variable.
#[derive(Debug, PartialEq, Eq)]
pub enum Known {
    /// It was read, and may be shown.
    Shown(String),
    /// It was read, and is not shown.
    Hidden,
    /// It was not read, because it may be a secret.
    Refused,
}

/// Puts values of the environment in place of references to them.
pub fn resolve(tree: &mut Node) -> Vec<Variable> {
    let mut found = Vec::new();
    section(tree, &|name| env::var(name).ok(), &mut found);
    found
}

fn section(node: &mut Node, look_up: &dyn Fn(&str) -> Option<String>, found: &mut Vec<Variable>) {
    match &mut node.value {
        Value::Seq(items) => items.iter_mut().for_each(|item| section(item, look_up, found)),
        Value::Map(entries) => {
            for Entry { key, value, .. } in entries {
                if SECTIONS.contains(&&**key) {
                    section(value, look_up, found);
                } else if may_be_shown(key) || &**key == ADDRESS {
                    found.extend(read(key, value, look_up));
                }
            }
        }
        _ => {}
    }
}

/// Reads one value, if it refers to a variable that is set.
fn read(key: &str, node: &mut Node, look_up: &dyn Fn(&str) -> Option<String>) -> Option<Variable> {
    let name = node.as_str()?.strip_prefix(REFERENCE)?.to_owned();
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_name || looks_secret(&name) || is_secret_key(&name) {
        return None;
    }
    let text = look_up(&name)?;
    let is_address = key == ADDRESS;
    let is_odd = text.len() > LONGEST || text.chars().any(char::is_control);
    let value = if is_odd || (!is_address && (looks_secret(&text) || !found_in(&text).is_empty())) {
        Known::Refused
    } else {
        // LiteLLM takes these two words for truth values, whatever the key (`secret_managers/main.py:get_secret`).
        node.value = match text.trim().to_ascii_lowercase().as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Str(text.as_str().into()),
        };
        if is_address { Known::Hidden } else { Known::Shown(text) }
    };
    Some(Variable { name, span: node.span, value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{self, Format};

    const CONFIG: &str = "\
model_list:
  - model_name: os.environ/GROUP
    litellm_params:
      model: os.environ/MODEL
      api_base: os.environ/BASE
      api_key: os.environ/MODEL
      rpm: os.environ/UNSET
      extra_headers: {id: os.environ/MODEL}
  - model_name: b
    litellm_params: {model: os.environ/THE_KEY, drop_params: os.environ/FLAG, mode: os.environ/ODD}
";

    fn environment(name: &str) -> Option<String> {
        let value = match name {
            "GROUP" => "chat",
            "MODEL" => "openai/gpt-4o",
            "BASE" => "https://me:pw@h.example/v1",
            "THE_KEY" => "openai/gpt-4o-mini",
            "FLAG" => "True",
            "ODD" => "sk-1234567890",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn what_is_no_secret_is_read_and_nothing_else() {
        let mut tree = document::read("config.yaml", CONFIG, Format::Yaml).0.unwrap();
        let mut found = Vec::new();
        section(&mut tree, &environment, &mut found);
        let read: Vec<(&str, &Known)> = found.iter().map(|one| (one.name.as_str(), &one.value)).collect();
        let shown = |text: &str| Known::Shown(text.to_owned());
        let expected = [
            ("GROUP", shown("chat")),
            ("MODEL", shown("openai/gpt-4o")),
            ("BASE", Known::Hidden),
            ("FLAG", shown("True")),
            ("ODD", Known::Refused),
        ];
        assert_eq!(read, expected.iter().map(|(name, value)| (*name, value)).collect::<Vec<_>>());
        let params = |at: usize| tree.get("model_list").unwrap().items()[at].get("litellm_params").unwrap();
        let text = |at: usize, key: &str| params(at).get(key).unwrap().as_str();
        assert_eq!(text(0, "model"), Some("openai/gpt-4o"));
        assert_eq!([text(0, "api_key"), text(0, "rpm")], [Some("os.environ/MODEL"), Some("os.environ/UNSET")]);
        assert_eq!(params(0).get("extra_headers").unwrap().get("id").unwrap().as_str(), Some("os.environ/MODEL"));
        assert_eq!([text(1, "model"), text(1, "mode")], [Some("os.environ/THE_KEY"), Some("os.environ/ODD")]);
        assert!(params(1).get("drop_params").unwrap().value == Value::Bool(true));
    }
}

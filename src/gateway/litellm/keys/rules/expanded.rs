//! `${NAME}` in the values of a config: shells and templates know it, LiteLLM does not.

use crate::diagnostic::secrets::looks_secret;
use crate::diagnostic::{Severity, codes};
use crate::document::{Entry, Node, Value};
use crate::gateway::litellm::keys::Findings;

/// The parts of a config that are looked through.
const SECTIONS: [&str; 5] =
    ["model_list", "router_settings", "litellm_settings", "general_settings", "environment_variables"];

pub(super) fn check(root: &Node, findings: &mut Findings) {
    for section in SECTIONS.iter().filter_map(|section| root.get(section)) {
        values("", section, findings);
    }
}

fn values(key: &str, node: &Node, findings: &mut Findings) {
    match &node.value {
        Value::Seq(items) => items.iter().for_each(|item| values(key, item, findings)),
        Value::Map(entries) => entries.iter().for_each(|Entry { key, value, .. }| values(key, value, findings)),
        Value::Str(text) => {
            if let Some(name) = variable(text) {
                tell(key, name, text.len() == name.len() + "${}".len(), node, findings);
            }
        }
        _ => {}
    }
}

/// The variable that a text seems to stand for: `NAME` of `${NAME}`.
fn variable(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("${")?;
    let (name, _) = rest.split_once('}')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (is_name && !looks_secret(name)).then_some(name)
}

/// The rest of the text may be part of a key, and is not shown.
fn tell(key: &str, name: &str, is_all: bool, node: &Node, findings: &mut Findings) {
    let key = if looks_secret(key) { "***" } else { key };
    let message = format!(
        "`${{{name}}}` is not replaced: the gateway takes the text as it stands for `{key}`, unless the file is filled \
         in before it starts"
    );
    let help = if is_all {
        format!("write `os.environ/{name}`")
    } else {
        format!("write `os.environ/{name}`, with the whole of the value in that variable")
    };
    findings.add(codes::NOT_EXPANDED, Severity::Warning, node.span, message, Some(help));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::litellm::keys::check;

    #[test]
    fn what_looks_like_a_variable_is_told_and_nothing_beside_it() {
        let of = |value: &str| {
            let text = format!(
                "model_list:\n  - model_name: a\n    litellm_params: {{model: openai/gpt-4o, api_base: \"{value}\"}}\n"
            );
            check("config.yaml", &text)
        };
        let found = of("${BASE}");
        assert!(found.len() == 1 && found[0].code == codes::NOT_EXPANDED, "{found:#?}");
        assert_eq!(found[0].help.as_deref(), Some("write `os.environ/BASE`"));
        let found = of("https://me:hunter2@${HOST}:4000/v1");
        assert!(found.len() == 1 && !found[0].to_string().contains("hunter2"), "{found:#?}");
        for value in ["os.environ/BASE", "https://h/v1", "$BASE", "${}", "${a b}", "${sk-1234567890}"] {
            assert_eq!(of(value), [], "{value}");
        }
    }
}

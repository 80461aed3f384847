//! Values that stand in the gateway's environment (`os.environ/NAME`). What could be read there stands in the tree
//! already (`scenario/environment.rs`); what still refers to a variable when it gets here is not known.

use crate::diagnostic::secrets::{is_secret_key, may_be_shown};
use crate::diagnostic::{Severity, codes};
use crate::document::Node;
use crate::gateway::litellm::wire::value::{Reader, shown};

impl Reader {
    /// Says that a value is not known. Without its model, or the name of its group, a deployment cannot be simulated.
    pub(super) fn note_environment(&mut self, node: &Node, name: &str) {
        if name.is_empty() {
            let message = "`os.environ/` names no variable".to_owned();
            let help = Some("write the name of the variable behind the slash, or the value itself");
            return self.report(codes::FROM_ENVIRONMENT, Severity::Warning, node.span, message, help);
        }
        let why =
            if is_secret_key(name) { "is not read here, for it is called like a secret" } else { "is not set here" };
        let (written, name) = (name, shown(name));
        let what = match self.key {
            "model" => "the model of this deployment",
            "model_name" => "the name of this deployment's group",
            key => {
                let message = format!("the value of `{name}` is not known here, so it is taken as not set");
                let help = if may_be_shown(key) && !is_secret_key(written) {
                    "set it where billcast runs, or write the value into the file, to have it simulated"
                } else {
                    "write the value into the file to have it simulated"
                };
                return self.report(codes::FROM_ENVIRONMENT, Severity::Note, node.span, message, Some(help));
            }
        };
        let message = format!("{what} is that of the variable `{name}`, which {why}: the deployment is left out");
        let help = format!("set {name}, or write the {}", if self.key == "model" { "model" } else { "name" });
        self.report(codes::FROM_ENVIRONMENT, Severity::Warning, node.span, message, Some(&help));
        if !self.unset.contains(&name) {
            self.unset.push(name);
        }
    }
}

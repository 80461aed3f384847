//! Which keys of a config do something, and which do not: every key is in the table, and what depends on several keys
//! is a rule, one topic a file.

mod rules;
mod table;
#[cfg(test)]
mod tests;
mod walk;

use crate::diagnostic::{Collected, Diagnostic, Severity, Span};
use crate::document;
use crate::document::{Format, Node};
use crate::gateway::litellm::wire::Wire;
use std::sync::Arc;

pub use table::{Row, Verdict, row};

/// Everything that can be said about a config file: how it is written, what its values are, what its keys do.
/// In the order of the file.
pub fn check(file: &str, text: &str) -> Vec<Diagnostic> {
    let (node, diagnostics) = document::read(file, text, Format::of(file));
    check_tree(file, node.as_ref(), diagnostics)
}

/// The same for a config that has been read to a tree, if it is one, with what there was to say about that.
pub fn check_tree(file: &str, node: Option<&Node>, mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if let Some(node) = node {
        let (wire, found) = Wire::from_node(file, node);
        diagnostics.extend(found);
        if let Some(wire) = wire {
            diagnostics.extend(findings(file, node, &wire));
        }
    }
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end, diagnostic.code));
    // A mirror and a rule may see the same fault.
    diagnostics.dedup_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
    diagnostics
}

/// What the keys of a config do that are not simulated, or do not do what they seem to.
pub fn findings(file: &str, node: &Node, wire: &Wire) -> Vec<Diagnostic> {
    let mut findings = Findings { file: Arc::from(file), found: Collected::default() };
    walk::keys(node, &mut findings);
    rules::all(node, wire, &mut findings);
    findings.found.all()
}

/// Collects findings about one file.
pub(super) struct Findings {
    file: Arc<str>,
    found: Collected,
}

impl Findings {
    fn add(&mut self, code: &'static str, severity: Severity, span: Span, message: String, help: Option<String>) {
        let file = Arc::clone(&self.file);
        self.found.add(Diagnostic { code, severity, file, span, message, help });
    }

    /// Whether warnings are only counted from now on.
    fn has_many_warnings(&mut self) -> bool {
        self.found.is_full(Severity::Warning)
    }

    fn warn(&mut self, code: &'static str, span: Span, message: &str, help: &str) {
        self.add(code, Severity::Warning, span, message.into(), Some(help.into()));
    }
}

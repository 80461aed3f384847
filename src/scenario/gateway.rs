//! Reading the gateway's own config file.

use crate::diagnostic::{Diagnostic, Severity};
use crate::gateway::litellm::wire::{self, Wire};
use crate::scenario::files::{Files, Source};
use crate::scenario::problem::Problem;

/// A gateway config as it is written.
#[derive(Debug)]
pub struct GatewayFile {
    /// Its contents.
    pub wire: Wire,
    /// What the reader has to say; no errors.
    pub diagnostics: Vec<Diagnostic>,
    /// The text.
    pub source: Source,
}

/// Reads a LiteLLM proxy config.
///
/// # Errors
/// A [`Problem`] when the file cannot be read, or the gateway would not start with it.
pub fn read_gateway(files: &Files, name: &str) -> Result<GatewayFile, Problem> {
    let source = files.read(name)?;
    let (wire, diagnostics) = wire::read(&source.name, &source.text);
    let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
    match wire {
        Some(wire) if !diagnostics.iter().any(is_error) => Ok(GatewayFile { wire, diagnostics, source }),
        _ => {
            let errors = diagnostics.into_iter().filter(is_error).collect();
            Err(Problem { diagnostics: errors, sources: vec![source] })
        }
    }
}

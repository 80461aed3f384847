//! `billcast check CONFIG`: what can be said about a gateway config without simulating it.

use clap::ValueEnum;

use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::diagnostic::{Diagnostic, Severity};
use crate::gateway::litellm::{keys, wire};
use crate::report::diagnostics::{to_json, to_sarif, to_text};
use crate::scenario::{Files, Problem};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The gateway's config: a LiteLLM proxy config.yaml; `-` is stdin.
    config: String,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Exit with 3 when there is a finding of at least this level.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Level::Error)]
    deny: Level,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Snippets for people.
    Text,
    /// A list of findings.
    Json,
    /// SARIF 2.1.0, as code hosts read it.
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    /// Anything at all.
    Note,
    /// Something does not do what it seems to.
    Warning,
    /// The gateway does not work like this.
    Error,
    /// Nothing: always exit with 0.
    Never,
}

/// Prints the findings.
pub fn run(args: &CheckArgs) -> Result<(), Stop> {
    let source = Files::here().read(&args.config)?;
    let (tree, found) = wire::read(&source.name, &source.text);
    if tree.is_none() {
        return Err(Problem { diagnostics: found, sources: vec![source] }.into());
    }
    let findings = keys::check(&source.name, &source.text);
    streams::print(&match args.format {
        Format::Text => text(&findings, &source.text),
        Format::Json => to_json(&findings),
        Format::Sarif => to_sarif(&findings),
    })?;
    if findings.iter().any(|finding| args.deny.denies(finding.severity)) { Err(Stop::Findings) } else { Ok(()) }
}

/// The findings and how many there are of each level.
fn text(findings: &[Diagnostic], source: &str) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
    let separator = if findings.is_empty() { "" } else { "\n" };
    let blocks = to_text(findings, source, streams::stdout_has_color());
    format!("{blocks}{separator}{errors} errors, {warnings} warnings, {notes} notes\n")
}

impl Level {
    fn denies(self, severity: Severity) -> bool {
        match self {
            Self::Note => true,
            Self::Warning => severity >= Severity::Warning,
            Self::Error => severity >= Severity::Error,
            Self::Never => false,
        }
    }
}

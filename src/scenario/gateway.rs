//! Reading the gateway's own config file and compiling it.

use crate::diagnostic::codes;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::document::Node;
use crate::gateway::litellm::keyring::Keyring;
use crate::gateway::litellm::keys;
use crate::gateway::litellm::lower::{RequestParams, Setting, lower};
use crate::gateway::litellm::plan::{Deployment, Plan};
use crate::gateway::litellm::wire::{Spanned, Wire};
use crate::gateway::parts::Minutes;
use crate::scenario::edit::{self, Edit};
use crate::scenario::files::Files;
use crate::scenario::include::ConfigText;
use crate::scenario::problem::{Problem, error};
use crate::scenario::reading::Reading;
use crate::units::{DeploymentId, SimDuration};

/// A gateway config as it is written.
#[derive(Debug)]
pub struct GatewayFile {
    /// Its contents.
    pub wire: Wire,
    /// What the reader has to say; no errors.
    pub diagnostics: Vec<Diagnostic>,
    /// The text, with all changes.
    pub text: ConfigText,
}

/// Reads a LiteLLM proxy config.
///
/// # Errors
/// A [`Problem`] when the file cannot be read, or the gateway would not start with it.
pub fn read_gateway(files: &Files, name: &str) -> Result<GatewayFile, Problem> {
    read_edited_gateway(files, name, &[])
}

/// Reads a LiteLLM proxy config with changes made in it. A change that the gateway does not understand is an error.
///
/// # Errors
/// As [`read_gateway`], and when a change does not fit.
pub fn read_edited_gateway(files: &Files, name: &str, edits: &[Edit]) -> Result<GatewayFile, Problem> {
    let mut text = ConfigText::read(files, name)?;
    text.tree.iter_mut().try_for_each(|tree| edit::apply(edits, true, tree))?;
    text.read_environment();
    let mut diagnostics = text.diagnostics.clone();
    diagnostics.extend(text.tree.as_ref().and_then(late_include).map(|span| {
        let message = "files are put together before values are changed".to_owned();
        error(codes::EDIT, text.name(), span, message, "write `include` into the config")
    }));
    let (wire, about) = text.wire();
    diagnostics.extend(about);
    if let (Some(tree), Some(wire)) = (&text.tree, &wire) {
        diagnostics.extend(keys::findings(text.name(), tree, wire));
    }
    diagnostics.iter_mut().for_each(strict_about_edits);
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end, diagnostic.code));
    text.tell_places(&mut diagnostics);
    let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
    match wire {
        Some(wire) if !diagnostics.iter().any(is_error) => Ok(GatewayFile { wire, diagnostics, text }),
        _ => {
            let errors = diagnostics.into_iter().filter(is_error).collect();
            Err(Problem { diagnostics: errors, sources: text.sources })
        }
    }
}

/// An `include` that a change has brought in: those of the files have been read and taken out.
fn late_include(tree: &Node) -> Option<Span> {
    tree.entry("include").map(|entry| entry.key_span)
}

/// In a file of someone else's an unknown key is worth a warning; to change one and see that nothing happens is not.
fn strict_about_edits(diagnostic: &mut Diagnostic) {
    let is_slip = matches!(diagnostic.code, codes::UNKNOWN_KEY | codes::WRONG_TYPE | codes::OUT_OF_RANGE);
    if is_slip && edit::edit_of(diagnostic.span).is_some() && diagnostic.severity == Severity::Warning {
        diagnostic.severity = Severity::Error;
    }
}

/// Compiles the config for these client-side model names and virtual keys.
///
/// # Errors
/// A [`Problem`] when there is nothing to play.
pub fn plan(gateway: &GatewayFile, models: &[String], keys: &Keyring, reading: &mut Reading) -> Result<Plan, Problem> {
    let models: Vec<&str> = models.iter().map(String::as_str).collect();
    let bodies = [RequestParams::default()];
    let setting = Setting { models: &models, bodies: &bodies, keys: Some(keys), ..Setting::default() };
    let plan = lower(&gateway.wire, &setting);
    if let Some((message, help)) = gateway.wire.why_nothing() {
        return Err(Problem::about_file(codes::NO_MODELS, gateway.text.name(), message, &help));
    }
    for (variable, value) in &gateway.text.environment {
        reading.assume(&format!("environment.{variable}"), value, "the environment in which billcast was started", "");
    }
    note_defaults(&gateway.wire, &plan, reading);
    Ok(plan)
}

/// Where calendar minutes begin, for a run that starts at this second of a minute.
pub fn minutes(second: i8) -> Minutes {
    Minutes { offset: SimDuration::from_secs(i64::from(second)) }
}

/// Notes what the gateway takes by itself where its config says nothing.
fn note_defaults(wire: &Wire, plan: &Plan, reading: &mut Reading) {
    let (router, module) = (&wire.router_settings, &wire.litellm_settings);
    let mut note = |is_written: bool, name: &str, value: String| {
        if !is_written {
            reading.gateway_default(&format!("gateway.{name}"), value);
        }
    };
    let written = |value: &Option<Spanned<i64>>| value.is_some();
    note(router.routing_strategy.is_some(), "routing_strategy", "simple-shuffle".to_owned());
    let retries = written(&router.num_retries) || written(&module.num_retries);
    note(retries, "num_retries", plan.router.num_retries.to_string());
    note(router.cooldown_time.is_some(), "cooldown_time", format!("{} s", plan.router.cooldown.span.as_secs_f64()));
    let depth = written(&router.max_fallbacks) || written(&module.max_fallbacks);
    note(depth, "max_fallbacks", format!("{} levels deep", plan.router.max_fallbacks));
    let times = router.timeout.is_some() || module.request_timeout.is_some();
    let first = plan.deployments.first().map(|_| plan.deployment(DeploymentId(0)));
    if !times && first.is_none_or(Deployment::waits_by_default) {
        note(false, "timeout", "6000 s".to_owned());
    }
}

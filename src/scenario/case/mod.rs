//! A trace case: one gateway config, a scripted upstream and a list of requests, in JSON. The format is that of the
//! conformance cases (`tests/conformance`).

mod access;
mod content;
mod fields;
mod keys;
mod known;
mod request;
mod upstream;

use crate::diagnostic::{Diagnostic, Severity, codes};
use crate::document;
use crate::document::{Format, Node, Value};
use crate::gateway::litellm::client::Client;
use crate::gateway::litellm::keyring::Keyring;
use crate::gateway::litellm::keys::findings;
use crate::gateway::litellm::lower::RequestParams;
use crate::gateway::litellm::plan::Layer;
use crate::gateway::litellm::wire::{Deployment, Wire};
use crate::provider::Script;
use crate::units::{BodyId, KeyId, PromptId, SimDuration, SimTime, Tokens};

use content::Tokenizer;
use fields::Reader;

/// A case, ready to be played.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Which part of the gateway is played.
    pub layer: Layer,
    /// Seed of the picks; jitter has its own, one higher.
    pub seed: i64,
    /// Upper end of the retry jitter in seconds.
    pub jitter_secs: f64,
    /// The gateway's configuration.
    pub wire: Wire,
    /// Virtual keys, the master key first, users and teams.
    pub keys: Keyring,
    /// How the upstream answers.
    pub script: Script,
    /// Ids of the deployments that the script knows, in its order.
    pub deployments: Vec<String>,
    /// The requests in order of time.
    pub requests: Vec<CaseRequest>,
    /// The bodies that they refer to.
    pub bodies: Vec<RequestParams>,
    /// What was read and does less than it seems to.
    pub warnings: Vec<Diagnostic>,
}

/// One client request.
#[derive(Debug, Clone)]
pub struct CaseRequest {
    /// Its name.
    pub id: String,
    /// When it is sent.
    pub at: SimTime,
    /// The model name that it asks for.
    pub model: String,
    /// The virtual key.
    pub key: KeyId,
    /// Its other parameters.
    pub body: BodyId,
    /// Equal prompts have equal numbers.
    pub prompt: PromptId,
    /// Characters of the prompt.
    pub prompt_chars: u32,
    /// Tokens of the prompt as the gateway counts them in an answer, by each tokenizer.
    pub counted_tokens: [Tokens; 3],
    /// The same as it counts them before the call, by the tokenizer of the model's name.
    pub reserved_tokens: Tokens,
    /// Tokens of the prompt as the upstream reports them.
    pub prompt_tokens: Tokens,
    /// Tokens of a complete answer.
    pub completion_tokens: Tokens,
    /// `max_tokens`.
    pub max_tokens: Option<Tokens>,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// When the client leaves.
    pub departure: Departure,
}

/// When a client leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// When it has its answer.
    Served,
    /// This long after it asked.
    After(SimDuration),
    /// When it has so many chunks of a stream.
    AfterChunks(u32),
    /// This long after it asked, or when it has so many chunks of a stream, whichever comes first.
    AtFirst(SimDuration, u32),
}

/// Reads a case. Errors come with their place; warnings about the gateway's config do not stop it.
///
/// # Errors
/// Everything that makes the case unreadable.
pub fn read_case(file: &str, text: &str) -> Result<Case, Vec<Diagnostic>> {
    let (node, mut diagnostics) = document::read(file, text, Format::Json);
    let case = node.and_then(|node| {
        let mut reader = Reader::new(file);
        let case = case(&node, &mut reader);
        diagnostics.append(&mut reader.diagnostics);
        case
    });
    match case {
        Some(case) if !has_errors(&diagnostics) => Ok(Case { warnings: diagnostics, ..case }),
        _ => Err(diagnostics),
    }
}

fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

fn case(node: &Node, reader: &mut Reader) -> Option<Case> {
    if !matches!(node.value, Value::Map(_)) {
        reader.expected(node, "a map with `config` and `requests`");
        return None;
    }
    known::check(node, reader);
    let config = reader.required(node, "config")?;
    let (wire, deployments) = config_of(config, reader)?;
    let start_nanos = reader.start(node);
    let (granted, keys) = keys::read(node, start_nanos, reader);
    let specs = request::expand(reader.required(node, "requests")?, reader);
    let called = wire.model_list.iter().filter(|deployment| !deployment.dropped);
    let clients: Vec<Client> = called.map(Deployment::client).collect();
    let called = wire.model_list.iter().filter(|deployment| !deployment.dropped);
    let tokenizers = called.map(Tokenizer::number_for).collect();
    let script = upstream::read(node.get("upstream"), &deployments, &clients, &specs, start_nanos, reader);
    let script = Script { tokenizers, ..script };
    let is_router = node.get("layer").and_then(Node::as_str) == Some("router");
    let layer = if is_router { Layer::Router } else { Layer::Proxy };
    let takes = config.get("general_settings").and_then(|settings| settings.get("allow_client_side_credentials"));
    let takes_credentials = takes.is_some_and(|takes| matches!(takes.value, Value::Bool(true)));
    let (requests, bodies) = request::finish(&specs, &granted, (layer, takes_credentials), wire.reach(), reader);
    Some(Case {
        name: reader.text(node, "name").unwrap_or_default(),
        layer,
        seed: reader.whole(node, "seed").unwrap_or(1),
        jitter_secs: reader.number(node, "jitter").unwrap_or(0.0),
        wire,
        keys,
        script,
        deployments,
        requests,
        bodies,
        warnings: Vec::new(),
    })
}

/// The config and the ids of its deployments: what has no id is called by its group and number.
fn config_of(node: &Node, reader: &mut Reader) -> Option<(Wire, Vec<String>)> {
    let (wire, found) = Wire::from_node(&reader.file, node);
    let errors = found.into_iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    reader.diagnostics.extend(errors);
    let mut wire = wire?;
    let of_keys = findings(&reader.file, node, &wire);
    reader.diagnostics.extend(of_keys.into_iter().filter(|found| found.code == codes::NOT_SIMULATED));
    let mut ids = Vec::new();
    let mut numbers: Vec<(String, usize)> = Vec::new();
    for deployment in &mut wire.model_list {
        let group = deployment.model_name.value.clone();
        let number = match numbers.iter_mut().find(|(name, _)| *name == group) {
            Some((_, number)) => {
                *number += 1;
                *number
            }
            None => {
                numbers.push((group.clone(), 1));
                1
            }
        };
        deployment.name_if_nameless(&format!("{group}#{number}"));
        if !deployment.dropped {
            ids.push(deployment.model_info.id.as_ref().map(|id| id.value.0.clone()).unwrap_or_default());
        }
    }
    Some((wire, ids))
}

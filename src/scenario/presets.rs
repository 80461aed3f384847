//! The models of traffic and providers that are part of the binary, or in a file of the user's.

use include_dir::{Dir, include_dir};
use serde::de::DeserializeOwned;

use crate::document::{self, Format, Node, Value};
use crate::gateway::litellm::wire::nearest;
use crate::scenario::files::{Files, Source};
use crate::scenario::problem::Problem;
use crate::scenario::read::read;

static MODELS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/models");

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// What users send.
    Traffic,
    /// How a provider answers.
    Provider,
}

/// A built-in model.
#[derive(Debug, Clone)]
pub struct BuiltinModel {
    /// What it is a model of.
    pub kind: ModelKind,
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// A preset that has been read, and what its fields say.
#[derive(Debug, Clone)]
pub struct Preset<M> {
    /// The values.
    pub model: M,
    /// The fields, for the list of assumptions.
    pub described: Described,
}

/// The fields of a preset in words.
#[derive(Debug, Clone, Default)]
pub struct Described {
    /// Field by field.
    pub fields: Vec<Field>,
}

/// One field of a preset.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its key.
    pub name: String,
    /// Its value, shortened.
    pub value: String,
    /// Where the value comes from.
    pub source: String,
    /// For when it holds.
    pub as_of: String,
}

impl ModelKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Traffic, Self::Provider];

    /// The folder below `models/`.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Traffic => "traffic",
            Self::Provider => "providers",
        }
    }
}

/// All built-in models of a kind, by name.
pub fn builtin_models(kind: ModelKind) -> Vec<BuiltinModel> {
    let files = MODELS.get_dir(kind.folder()).map(Dir::files).into_iter().flatten();
    let model = |file: &'static include_dir::File<'static>| {
        let name = file.path().file_name()?.to_str()?.strip_suffix(".yaml")?;
        Some(BuiltinModel { kind, name, text: file.contents_utf8()? })
    };
    let mut all: Vec<BuiltinModel> = files.filter_map(model).collect();
    all.sort_by_key(|model| model.name);
    all
}

/// What a built-in model says about itself, in one line.
pub fn about(model: &BuiltinModel) -> String {
    let (tree, _) = document::read(model.name, model.text, Format::Yaml);
    let about = tree.as_ref().and_then(|tree| tree.get("about"));
    about.and_then(Node::as_str).unwrap_or_default().to_owned()
}

/// Reads a preset: a built-in name, or a YAML file. `None` if there is none of this name; then with the nearest name.
pub fn preset<M: DeserializeOwned>(
    kind: ModelKind,
    name: &str,
    files: &Files,
) -> Result<Result<Preset<M>, Option<&'static str>>, Problem> {
    let source = if is_file(name) {
        files.read(name)?
    } else {
        let models = builtin_models(kind);
        let Some(found) = models.iter().find(|model| model.name == name) else {
            return Ok(Err(nearest(name, models.iter().map(|model| model.name))));
        };
        Source::quotable(&format!("models/{}/{name}.yaml", kind.folder()), found.text)
    };
    let strict = read::<M>(&source)?;
    Ok(Ok(Preset { model: strict.values, described: described(&strict.tree) }))
}

fn is_file(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

/// Fields that are about the preset itself.
const ABOUT: [&str; 2] = ["about", "sources"];

fn described(tree: &Node) -> Described {
    let sources = tree.get("sources");
    let said = |name: &str, what: &str| {
        let text = sources.and_then(|sources| sources.get(name)).and_then(|source| source.get(what));
        text.map(|node| plain(node, usize::MAX)).unwrap_or_default()
    };
    let fields = tree.entries().iter().filter(|entry| !ABOUT.contains(&&*entry.key)).map(|entry| Field {
        name: entry.key.to_string(),
        value: plain(&entry.value, LONGEST_VALUE),
        source: said(&entry.key, "source"),
        as_of: said(&entry.key, "as_of"),
    });
    Described { fields: fields.collect() }
}

/// Longer values are cut in the list of assumptions; `billcast models show NAME` shows them whole.
const LONGEST_VALUE: usize = 2_000;
/// Longer lists are counted.
const LONGEST_LIST: usize = 6;

/// A value on one line.
pub(super) fn plain(node: &Node, longest: usize) -> String {
    let text = match &node.value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.text.to_string(),
        Value::Date(text) | Value::Str(text) => text.to_string(),
        Value::Seq(items) if items.len() > LONGEST_LIST => format!("{} values", items.len()),
        Value::Seq(items) => {
            let items: Vec<String> = items.iter().map(|item| plain(item, longest)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let pairs = entries.iter().map(|entry| format!("{}: {}", entry.key, plain(&entry.value, longest)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    };
    match text.char_indices().nth(longest) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::ProviderModel;
    use crate::traffic::TrafficModel;

    /// Fields with numbers that name no source. A flat shape and Poisson gaps are the absence of a claim.
    fn unsourced(described: &Described) -> Vec<&str> {
        let claims = |field: &&Field| !matches!(field.value.as_str(), "flat" | "poisson");
        let sourceless = |field: &&Field| field.source.is_empty() || field.as_of.is_empty();
        described.fields.iter().filter(claims).filter(sourceless).map(|field| field.name.as_str()).collect()
    }

    #[test]
    fn every_number_of_every_model_has_a_source_and_a_date() {
        let files = Files::Disk("".into());
        for model in builtin_models(ModelKind::Traffic) {
            let read = preset::<TrafficModel>(ModelKind::Traffic, model.name, &files).unwrap().unwrap();
            assert_eq!(unsourced(&read.described), [""; 0], "{}", model.name);
        }
        for model in builtin_models(ModelKind::Provider) {
            let read = preset::<ProviderModel>(ModelKind::Provider, model.name, &files).unwrap().unwrap();
            assert_eq!(unsourced(&read.described), [""; 0], "{}", model.name);
        }
        assert!(builtin_models(ModelKind::Traffic).len() >= 7 && builtin_models(ModelKind::Provider).len() >= 10);
    }

    #[test]
    fn an_unknown_preset_has_a_nearest_one() {
        let files = Files::Disk("".into());
        let found = preset::<TrafficModel>(ModelKind::Traffic, "chatt", &files).unwrap();
        assert_eq!(found.unwrap_err(), Some("chat"));
    }
}

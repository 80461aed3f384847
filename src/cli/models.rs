//! `billcast models`: the built-in models of traffic and providers.

use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::scenario::{BuiltinModel, ModelKind, about, builtin_models};

/// Arguments of `models`.
#[derive(Debug, clap::Args)]
pub struct ModelsArgs {
    /// Print this model as it is written, with its sources; the list of all if not given.
    name: Option<String>,
}

/// Prints the list, or one model.
pub fn run(args: &ModelsArgs) -> Result<(), Stop> {
    let all: Vec<BuiltinModel> = ModelKind::ALL.into_iter().flat_map(builtin_models).collect();
    let Some(name) = &args.name else { return streams::print(&listed(&all)) };
    let Some(model) = all.iter().find(|model| model.name == name) else {
        return Err(Stop::Usage(format!("there is no model `{name}`; `billcast models` lists them")));
    };
    streams::print(model.text)
}

fn listed(all: &[BuiltinModel]) -> String {
    let width = all.iter().map(|model| model.name.len()).max().unwrap_or(0);
    let line = |model: &BuiltinModel| format!("  {:width$}  {}\n", model.name, about(model));
    let of = |kind| all.iter().filter(move |model| model.kind == kind).map(line).collect::<String>();
    let (traffic, providers) = (of(ModelKind::Traffic), of(ModelKind::Provider));
    format!(
        "Traffic (traffic.NAME.preset)\n{traffic}\nProviders (upstream.NAME.preset)\n{providers}\n\
         `billcast models NAME` prints one with its sources.\n"
    )
}

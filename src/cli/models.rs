//! `billcast models`: the built-in models of traffic and providers.

use std::path::PathBuf;

use crate::cli::files;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::report::{model_page, model_picture, model_svg};
use crate::scenario::{BuiltinModel, ModelKind, about, builtin_models, profile};

/// Arguments of `models`.
#[derive(Debug, clap::Args)]
pub struct ModelsArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

/// What is done with a model; without one, all are listed.
#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print a model as it is written, with its sources; or draw it.
    Show {
        /// Its name.
        name: String,
        /// Draw it into this file: the hours of its week and its distributions, as .svg, .png or .html.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Prints the list, or one model.
pub fn run(args: &ModelsArgs) -> Result<(), Stop> {
    let all: Vec<BuiltinModel> = ModelKind::ALL.into_iter().flat_map(builtin_models).collect();
    let Some(Action::Show { name, out }) = &args.action else { return streams::print(&listed(&all)) };
    let drawn = profile(name)?;
    let Some(out) = out else {
        let text = all.iter().find(|model| model.name == drawn.name).map_or("", |model| model.text);
        return streams::print(text);
    };
    let bytes = match out.extension().and_then(|end| end.to_str()) {
        Some("svg") => model_svg(&drawn).into_bytes(),
        Some("png") => model_picture(&drawn),
        Some("html") => model_page(&drawn).into_bytes(),
        _ => return Err(Stop::Usage(format!("--out {}: name a .svg, .png or .html file", out.display()))),
    };
    files::write(out, &bytes)?;
    streams::note(&format!("written to {}", out.display()));
    Ok(())
}

fn listed(all: &[BuiltinModel]) -> String {
    let width = all.iter().map(|model| model.name.len()).max().unwrap_or(0);
    let line = |model: &BuiltinModel| format!("  {:width$}  {}\n", model.name, about(model));
    let of = |kind| all.iter().filter(move |model| model.kind == kind).map(line).collect::<String>();
    let (traffic, providers) = (of(ModelKind::Traffic), of(ModelKind::Provider));
    format!(
        "Traffic (traffic.NAME.preset)\n{traffic}\nProviders (upstream.NAME.preset)\n{providers}\n\
         `billcast models show NAME` prints one with its sources, `--out FILE.svg` draws it.\n"
    )
}

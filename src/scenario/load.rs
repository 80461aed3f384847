//! Finding a scenario: a built-in name, a folder, a file, stdin, or a gateway config with a few flags.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, codes};
use crate::scenario::base::{Layered, read_layered};
use crate::scenario::builtin::Builtin;
use crate::scenario::compile::{Overrides, compile};
use crate::scenario::edit;
use crate::scenario::file::ScenarioFile;
use crate::scenario::files::{Files, Source};
use crate::scenario::gateway::read_gateway;
use crate::scenario::problem::Problem;
use crate::scenario::read::read_edited;
use crate::scenario::reading::Reading;
use crate::scenario::start::Start;
use crate::scenario::starter::asked_models;
use crate::scenario::world::World;
use crate::units::PerSecond;

/// Name of the file in a scenario's folder.
const FILE: &str = "scenario.yaml";

/// A gateway config with flags instead of a scenario file.
#[derive(Debug, Clone)]
pub struct Quick {
    /// The gateway config.
    pub config: String,
    /// Requests per time.
    pub rate: PerSecond,
    /// The traffic model.
    pub preset: String,
    /// The model name that clients send; the groups that nothing falls back to if not given.
    pub model: Option<String>,
    /// Length of the horizon in hours.
    pub hours: Option<f64>,
    /// Start of the horizon.
    pub start: Option<Start>,
}

/// Loads and compiles a scenario: the name of a built-in one (`NAME`, `NAME/VARIANT`), a folder,
/// a file, or `-` for stdin.
///
/// # Errors
/// A [`Problem`] with the place of what cannot be used.
pub fn load(scenario: &str, overrides: &Overrides) -> Result<World, Problem> {
    with_places(overrides, || {
        let (files, file, name) = locate(scenario)?;
        let Layered { file: values, written } = read_layered(&files, &file, &overrides.edits)?;
        // A file that differs from a base shares the folder with it: its own name tells them apart.
        let name = if written.len() > 1 { format!("{name}/{}", stem(&file)) } else { name };
        compile(
            Reading { file: values, written, files, assumptions: Vec::new(), findings: Vec::new() },
            overrides,
            &name,
        )
    })
}

/// Lets what is said about edits point into them.
fn with_places(overrides: &Overrides, load: impl FnOnce() -> Result<World, Problem>) -> Result<World, Problem> {
    let tell = |diagnostics: &mut [Diagnostic], sources: &mut Vec<Source>| {
        edit::tell_places(&overrides.edits, diagnostics, sources);
    };
    match load() {
        Ok(mut world) => {
            tell(&mut world.diagnostics, &mut world.sources);
            Ok(world)
        }
        Err(mut problem) => {
            tell(&mut problem.diagnostics, &mut problem.sources);
            Err(problem)
        }
    }
}

fn stem(file: &str) -> String {
    Path::new(file).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Where a scenario's files are, which one it is, and what its folder is called.
pub(super) fn locate(scenario: &str) -> Result<(Files, String, String), Problem> {
    let path = Path::new(scenario);
    if scenario == "-" {
        return Ok((Files::here(), "-".to_owned(), "scenario".to_owned()));
    }
    if path.is_dir() {
        return Ok((Files::Disk(path.to_owned()), FILE.to_owned(), last_part(path)));
    }
    if path.exists() {
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = if folder == PathBuf::new() { "scenario".to_owned() } else { last_part(&folder) };
        return Ok((Files::Disk(folder), file, name));
    }
    if let Some(builtin) = Builtin::find(scenario) {
        return Ok((builtin.files(), FILE.to_owned(), builtin.name.to_owned()));
    }
    if let Some((builtin, variant)) = Builtin::find_variant(scenario) {
        return Ok((builtin.files(), format!("{variant}.yaml"), builtin.name.to_owned()));
    }
    let message = format!("`{scenario}` is no folder, no file and no built-in scenario");
    let near = Builtin::nearest(scenario).map(|near| format!("did you mean `{near}`? "));
    let help = format!("{}`billcast scenarios` lists the built-in ones", near.unwrap_or_default());
    Err(Problem::about_file(codes::SCENARIO_NAME, "", message, &help))
}

fn last_part(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    full.file_name().map_or_else(|| "scenario".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Compiles a gateway config with flags; all that the flags do not say is assumed and listed.
///
/// # Errors
/// A [`Problem`] when the config cannot be used.
pub fn load_quick(quick: &Quick, overrides: &Overrides) -> Result<World, Problem> {
    with_places(overrides, || compile_quick(quick, overrides))
}

fn compile_quick(quick: &Quick, overrides: &Overrides) -> Result<World, Problem> {
    let files = Files::here();
    let mut assumptions = Vec::new();
    let models = match &quick.model {
        Some(model) => vec![model.clone()],
        None => {
            let gateway = read_gateway(&files, &quick.config)?;
            let models = asked_models(&gateway.wire);
            let is_picked = |model: &&String| !gateway.wire.model_list.iter().any(|d| d.model_name.value == **model);
            let picked: Vec<&str> = models.iter().filter(is_picked).map(String::as_str).collect();
            let all = "every group that nothing falls back to, in equal shares";
            let source = match &picked[..] {
                [] => all.to_owned(),
                picked => format!("{all}; picked as examples of what patterns match: {}", picked.join(", ")),
            };
            assumptions.push(crate::scenario::world::Assumption {
                name: format!("traffic.{}.models", quick.preset),
                value: models.join(", "),
                assumed_by: "billcast",
                source,
                as_of: String::new(),
            });
            models
        }
    };
    let source = Source::quotable("the command line", &as_scenario(quick, &models));
    let strict = read_edited::<ScenarioFile>(&source, &overrides.edits)?;
    // Nobody wrote that text: its places mean nothing, unless a change leads into it.
    let written = if overrides.edits.is_empty() { Vec::new() } else { vec![(source, strict.tree)] };
    let name = stem(&quick.config);
    compile(Reading { file: strict.values, written, files, assumptions, findings: Vec::new() }, overrides, &name)
}

/// The flags as the text of a scenario.
fn as_scenario(quick: &Quick, models: &[String]) -> String {
    let models: serde_json::Map<_, _> = models.iter().map(|model| (model.clone(), 1.into())).collect();
    let rate = format!("{}/s", quick.rate.0);
    let class = serde_json::json!({ "preset": quick.preset, "models": models, "rate": rate });
    let mut file = serde_json::json!({ "gateway": quick.config, "traffic": { &quick.preset: class } });
    if let Some(start) = &quick.start {
        file["start"] = start.as_written().into();
    }
    if let Some(hours) = quick.hours {
        file["hours"] = serde_json::json!(hours);
    }
    file.to_string()
}

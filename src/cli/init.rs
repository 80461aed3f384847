//! `billcast init CONFIG`: a commented scenario.yaml for a gateway config.

use std::path::{Component, Path, PathBuf};

use crate::cli::files;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::scenario::{Files, read_gateway, starter};

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The gateway's config: an unmodified LiteLLM proxy config.yaml.
    config: PathBuf,
    /// Where to write it [default: scenario.yaml beside the config].
    #[arg(long, value_name = "FILE", conflicts_with = "stdout")]
    out: Option<PathBuf>,
    /// Replace a file that is there already.
    #[arg(long)]
    force: bool,
    /// Do not say where it was written.
    #[arg(short, long)]
    quiet: bool,
    /// Print the scenario instead of writing it.
    #[arg(long)]
    stdout: bool,
}

/// Writes the scenario.
pub fn run(args: &InitArgs) -> Result<(), Stop> {
    let config = args.config.to_string_lossy();
    let gateway = read_gateway(&Files::here(), &config)?;
    let target = args.out.clone().unwrap_or_else(|| args.config.with_file_name("scenario.yaml"));
    let from = if args.stdout { args.config.with_file_name("scenario.yaml") } else { target.clone() };
    let text = starter(&name_of(&args.config), &seen_from(&from, &args.config), &gateway.wire);
    if args.stdout {
        return streams::print(&text);
    }
    if args.out.is_some() {
        files::prepare(&target)?;
    }
    if target.exists() && !args.force {
        return Err(Stop::Usage(format!("`{}` exists; --force replaces it", target.display())));
    }
    files::write(&target, text.as_bytes())?;
    if args.quiet {
        return Ok(());
    }
    streams::note(&format!("Wrote {}. Next: billcast run {}", target.display(), target.display()));
    Ok(())
}

/// A file's path as another one beside or far from it has to name it: relative, or absolute where nothing is shared.
fn seen_from(from: &Path, file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    let folder = |path: &Path| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        parent.canonicalize().ok()
    };
    let (Some(here), Some(there)) = (folder(from), folder(file)) else {
        return file.to_string_lossy().into_owned();
    };
    let shared = here.components().zip(there.components()).take_while(|(a, b)| a == b).count();
    let ups = here.components().skip(shared).map(|_| Component::ParentDir);
    let way: PathBuf = ups.chain(there.components().skip(shared)).collect();
    way.join(name).to_string_lossy().into_owned()
}

/// A scenario is called like the folder of its config.
fn name_of(config: &Path) -> String {
    let folder = config.parent().and_then(Path::file_name).or_else(|| config.file_stem());
    folder.map_or_else(|| "scenario".to_owned(), |name| name.to_string_lossy().into_owned())
}

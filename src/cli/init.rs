//! `billcast init CONFIG`: a commented scenario.yaml for a gateway config.

use std::path::{Path, PathBuf};

use crate::cli::files;
use crate::cli::stop::Stop;
use crate::cli::streams;
use crate::scenario::{Files, read_gateway, starter};

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The gateway's config: an unmodified LiteLLM proxy config.yaml.
    config: PathBuf,
    /// Replace a scenario.yaml that is there already.
    #[arg(long)]
    force: bool,
    /// Print the scenario instead of writing it.
    #[arg(long)]
    stdout: bool,
}

/// Writes scenario.yaml beside the config.
pub fn run(args: &InitArgs) -> Result<(), Stop> {
    let config = args.config.to_string_lossy();
    let gateway = read_gateway(&Files::here(), &config)?;
    let file_name = args.config.file_name().unwrap_or_default().to_string_lossy();
    let text = starter(&name_of(&args.config), &file_name, &gateway.wire);
    if args.stdout {
        return streams::print(&text);
    }
    let target = args.config.with_file_name("scenario.yaml");
    if target.exists() && !args.force {
        return Err(Stop::Usage(format!("`{}` exists; --force replaces it", target.display())));
    }
    files::write(&target, text.as_bytes())?;
    streams::complain(&format!("Wrote {}. Next: billcast run {}", target.display(), target.display()));
    Ok(())
}

/// A scenario is called like the folder of its config.
fn name_of(config: &Path) -> String {
    let folder = config.parent().and_then(Path::file_name).or_else(|| config.file_stem());
    folder.map_or_else(|| "scenario".to_owned(), |name| name.to_string_lossy().into_owned())
}

//! `--set` and `--unset`, shared by the commands that load a scenario.

use crate::cli::stop::Stop;
use crate::scenario::Edit;

/// Changes of single values.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct EditArgs {
    /// Change a value of the scenario or of its gateway's config, e.g. traffic.chat.rate=80/min,
    /// gateway.router_settings.num_retries=0, gateway.model_list[gpt-4o].litellm_params.rpm=500; may be given several
    /// times.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Remove a value, e.g. gateway.litellm_settings.fallbacks; may be given several times.
    #[arg(long, value_name = "PATH")]
    unset: Vec<String>,
}

impl EditArgs {
    /// The changes: what is removed goes first.
    pub fn read(&self) -> Result<Vec<Edit>, Stop> {
        let removed = self.unset.iter().map(|path| Edit::remove(path));
        let set = self.set.iter().map(|text| Edit::parse(text));
        Ok(removed.chain(set).collect::<Result<_, _>>()?)
    }

    /// The flags and their values, with secrets masked.
    pub fn words(&self) -> impl Iterator<Item = (&'static str, String)> {
        let edits = self.read().unwrap_or_default();
        edits.into_iter().map(|edit| (if edit.is_removal() { "unset" } else { "set" }, edit.shown().to_owned()))
    }
}

//! The scenarios that are part of the binary.

use include_dir::{Dir, include_dir};

use crate::gateway::litellm::wire::nearest;
use crate::scenario::files::Files;

static SCENARIOS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// A built-in scenario.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// The name of its folder.
    pub name: &'static str,
    folder: &'static Dir<'static>,
}

impl Builtin {
    /// Where its files are.
    pub const fn files(&self) -> Files {
        Files::Embedded(self.folder)
    }

    /// The built-in scenario of this name.
    pub fn find(name: &str) -> Option<Self> {
        builtins().find(|builtin| builtin.name == name)
    }

    /// The built-in scenario whose name is nearly this.
    pub fn nearest(name: &str) -> Option<&'static str> {
        nearest(name, builtins().map(|builtin| builtin.name))
    }
}

/// All built-in scenarios in order of their names: the folders that hold a scenario.yaml.
pub fn builtins() -> impl Iterator<Item = Builtin> {
    let mut all: Vec<_> = SCENARIOS.dirs().filter_map(named).collect();
    all.sort_unstable_by_key(|builtin| builtin.name);
    all.into_iter()
}

fn named(folder: &'static Dir<'static>) -> Option<Builtin> {
    folder.get_file(folder.path().join("scenario.yaml"))?;
    let name = folder.path().file_name()?.to_str()?;
    Some(Builtin { name, folder })
}

//! The scenarios that are part of the binary.

use include_dir::{Dir, File, include_dir};

use crate::document::{self, Format};
use crate::gateway::litellm::wire::nearest;
use crate::scenario::base::names_a_base;
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

    /// The built-in scenario and the name of its variant: `NAME/VARIANT`.
    pub fn find_variant(name: &str) -> Option<(Self, &'static str)> {
        let (folder, wanted) = name.split_once('/')?;
        let builtin = Self::find(folder)?;
        builtin.variants().into_iter().find(|variant| *variant == wanted).map(|variant| (builtin, variant))
    }

    /// Whether somebody says something about it in figures.
    pub fn has_claims(&self) -> bool {
        self.folder.get_file(self.folder.path().join("claims.yaml")).is_some()
    }

    /// The names of the files in the folder that differ from its scenario.yaml and say how (`base:`), in order.
    pub fn variants(&self) -> Vec<&'static str> {
        let variant = |file: &'static File<'static>| {
            let name = file.path().file_name()?.to_str()?.strip_suffix(".yaml")?;
            let (tree, _) = document::read(name, file.contents_utf8()?, Format::Yaml);
            names_a_base(&tree?).then_some(name)
        };
        let mut all: Vec<_> = self.folder.files().filter_map(variant).collect();
        all.sort_unstable();
        all
    }

    /// The built-in scenario, or the variant of one, whose name is nearly this.
    pub fn nearest(name: &str) -> Option<String> {
        match name.split_once('/').and_then(|(folder, variant)| Some((Self::find(folder)?, variant))) {
            Some((builtin, variant)) => {
                nearest(variant, builtin.variants().into_iter()).map(|near| format!("{}/{near}", builtin.name))
            }
            None => nearest(name, builtins().map(|builtin| builtin.name)).map(str::to_owned),
        }
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

//! The text of a gateway's config, which may stand in several files: under `include` a config names others, whose lists
//! are added to its own and whose other values take the place of its own (`proxy/common_utils/config_includes.py`).

use std::collections::{BTreeSet, VecDeque};
use std::path::{Component, Path, PathBuf};

use crate::diagnostic::{Diagnostic, Severity, Span, codes};
use crate::document::{self, Entry, Format, MAX_BYTES, Node, Value};
use crate::gateway::litellm::keys;
use crate::gateway::litellm::wire::Wire;
use crate::scenario::environment::{self, Known, Variable};
use crate::scenario::files::{Files, Source};
use crate::scenario::problem::Problem;

/// More files are not put together.
const MOST_FILES: usize = 1_000;

/// A gateway's config as it is written.
#[derive(Debug, Clone)]
pub struct ConfigText {
    /// All files put together; none where the first is no tree. Places in it count on from one file to the next.
    pub tree: Option<Node>,
    /// What there is to say about how the files are written, and how they go together.
    pub diagnostics: Vec<Diagnostic>,
    /// The files: the one that includes the others, then those in the order in which they are read.
    pub sources: Vec<Source>,
    /// Names and values of the variables that were read from the environment and may be shown.
    pub environment: Vec<(String, String)>,
}

/// A file that is named by another one.
struct Named {
    entry: String,
    span: Span,
    /// The path of the file in which it is named.
    by: String,
}

impl ConfigText {
    /// Reads a config and what it includes.
    ///
    /// # Errors
    /// A [`Problem`] when the first file cannot be read. What is wrong with the others is among the diagnostics.
    pub fn read(files: &Files, name: &str) -> Result<Self, Problem> {
        let mut text = Self { tree: None, diagnostics: Vec::new(), sources: Vec::new(), environment: Vec::new() };
        let root = text.add(files.read(name)?);
        let Some(mut root) = root else { return Ok(text) };
        let mut named = VecDeque::from(text.take_includes(&mut root, name));
        let mut seen = BTreeSet::from([straight(Path::new(name))]);
        while let Some(next) = named.pop_front() {
            let path = next.path(files, name);
            if !seen.insert(PathBuf::from(&path)) {
                continue;
            }
            let Some(mut included) = text.read_included(files, &path, &next) else { continue };
            named.extend(text.take_includes(&mut included, &path));
            text.merge(&mut root, included);
        }
        text.tree = Some(root);
        text.read_environment();
        Ok(text)
    }

    /// Puts values of the environment in place of what refers to them, and says so once for each variable.
    pub fn read_environment(&mut self) {
        let Some(tree) = &mut self.tree else { return };
        for Variable { name, span, value } in environment::resolve(tree) {
            let known = |(known, _): &(String, String)| *known == name;
            let (severity, message, help) = match value {
                Known::Shown(_) if self.environment.iter().any(known) => continue,
                Known::Shown(value) => {
                    let message = format!("`{name}` is set here, and was read");
                    self.environment.push((name, value));
                    (Severity::Note, message, "the gateway may have another value in its environment")
                }
                Known::Hidden => continue,
                Known::Refused => {
                    let message =
                        format!("`{name}` is set here, but may be a secret: it is not read, and counts as not set");
                    (Severity::Warning, message, "write the value into the file to have it simulated")
                }
            };
            self.say(codes::FROM_ENVIRONMENT, severity, span, message, Some(help.to_owned()));
        }
    }

    /// The name that the config goes by: that of its first file.
    pub fn name(&self) -> &str {
        self.sources.first().map_or("", |source| &source.name)
    }

    /// The config with its types, and what is wrong with them; none where the gateway could not read it.
    pub fn wire(&self) -> (Option<Wire>, Vec<Diagnostic>) {
        self.tree.as_ref().map_or_else(Default::default, |tree| Wire::from_node(self.name(), tree))
    }

    /// Everything that can be said about the config, in the order of the files.
    pub fn check(&self) -> Vec<Diagnostic> {
        keys::check_tree(self.name(), self.tree.as_ref(), self.diagnostics.clone())
    }

    /// What is said about places in the tree points into the file in which they are.
    pub fn tell_places<'a>(&self, diagnostics: impl IntoIterator<Item = &'a mut Diagnostic>) {
        let of_tree = |found: &&mut Diagnostic| found.span.line > 0 && *found.file == *self.name();
        for found in diagnostics.into_iter().filter(of_tree) {
            let Some((source, begin)) = self.file_at(found.span.start) else { continue };
            found.file = source.name.clone();
            found.span.start -= begin;
            found.span.end -= begin;
        }
    }

    /// The files, each with where its places begin in the tree: behind those of all files before it.
    fn begins(&self) -> impl Iterator<Item = (&Source, usize)> {
        self.sources.iter().scan(0, |end, source| {
            let begin = *end;
            *end += source.text.len() + 1;
            Some((source, begin))
        })
    }

    /// Where the places of the next file begin.
    fn end(&self) -> usize {
        self.begins().last().map_or(0, |(source, begin)| begin + source.text.len() + 1)
    }

    /// The file in which a place of the tree is.
    fn file_at(&self, start: usize) -> Option<(&Source, usize)> {
        self.begins().take_while(|(_, begin)| *begin <= start).last()
    }

    /// Adds a file to the sources.
    fn add(&mut self, source: Source) -> Option<Node> {
        let begin = self.end();
        let (mut tree, found) = document::read(&source.name, &source.text, Format::of(&source.name));
        self.diagnostics.extend(found);
        self.sources.push(source);
        tree.iter_mut().for_each(|tree| tree.shift(begin));
        tree
    }

    /// Takes the names of further files out of a config.
    fn take_includes(&mut self, tree: &mut Node, path: &str) -> Vec<Named> {
        let Value::Map(entries) = &mut tree.value else { return Vec::new() };
        let Some(at) = entries.iter().position(|entry| &*entry.key == "include") else { return Vec::new() };
        let Entry { key_span, value, .. } = entries.remove(at);
        let name = |item: &Node| {
            let entry = item.as_str()?.to_owned();
            Some(Named { entry, span: item.span, by: path.to_owned() })
        };
        let names = matches!(value.value, Value::Seq(_)).then(|| value.items().iter().map(name).collect());
        names.flatten().unwrap_or_else(|| {
            let message = "the gateway does not start: `include` must be a list of names of files";
            self.refuse(key_span, message.to_owned(), "write `include: [models.yaml]`");
            Vec::new()
        })
    }

    /// Reads a file that is included, which must be a map.
    fn read_included(&mut self, files: &Files, path: &str, named: &Named) -> Option<Node> {
        if self.sources.len() >= MOST_FILES || self.end() > MAX_BYTES {
            let most = MAX_BYTES / (1024 * 1024);
            let message = format!("with this file there are more than {MOST_FILES} files, or more than {most} MiB");
            self.refuse(named.span, message, "is this the right file?");
            return None;
        }
        let shown = files.name_of(path);
        // Here that is the name of a file, and not stdin.
        let file = if path == "-" { "./-" } else { path };
        let source = match files.read(file) {
            Ok(source) => source,
            Err(problem) => {
                let why = problem.diagnostics.into_iter().next().map_or_else(String::new, |error| error.message);
                let message =
                    format!("the gateway does not start: `{shown}`, which is included here, cannot be read: {why}");
                self.refuse(
                    named.span,
                    message,
                    "names of files start from the folder of the config that includes them",
                );
                return None;
            }
        };
        let tree = self.add(source);
        self.diagnostics.retain(|found| found.code != codes::EMPTY);
        let tree = tree.filter(|tree| !is_nothing(&tree.value))?;
        if !matches!(tree.value, Value::Map(_)) {
            let message =
                format!("the gateway does not start: `{shown}`, which is included here, is no map of settings");
            self.refuse(named.span, message, "it is read like a config: `model_list:` and so on");
            return None;
        }
        Some(tree)
    }

    /// Adds the entries of a file that is included: lists go behind those that are there, all else in place of it.
    fn merge(&mut self, root: &mut Node, included: Node) {
        let (Value::Map(entries), Value::Map(added)) = (&mut root.value, included.value) else { return };
        for new in added {
            let Some(old) = entries.iter_mut().find(|entry| entry.key == new.key) else {
                entries.push(new);
                continue;
            };
            match (&mut old.value.value, new.value.value) {
                (Value::Seq(items), Value::Seq(more)) => items.extend(more),
                (_, value) => {
                    self.replaced(old, &new.key_span);
                    *old = Entry { value: Node { span: new.value.span, value }, key: new.key, key_span: new.key_span };
                }
            }
        }
    }

    fn replaced(&mut self, old: &Entry, by: &Span) {
        let file = self.file_at(by.start).map_or_else(Default::default, |(source, _)| source.name.clone());
        let message = format!(
            "all of `{}` does nothing here: `{file}`, which is included, has its own, which takes its place as a whole",
            old.key
        );
        let help = Some("write all of it into one of the two files".to_owned());
        self.say(codes::INERT_KEY, Severity::Warning, old.key_span, message, help);
    }

    fn refuse(&mut self, span: Span, message: String, help: &str) {
        self.say(codes::BREAKS_START, Severity::Error, span, message, Some(help.to_owned()));
    }

    fn say(&mut self, code: &'static str, severity: Severity, span: Span, message: String, help: Option<String>) {
        let mut found = Diagnostic { code, severity, file: self.name().into(), span, message, help };
        self.tell_places([&mut found]);
        self.diagnostics.push(found);
    }
}

impl Named {
    /// The file that is meant: beside the one that names it, or else beside the first.
    fn path(&self, files: &Files, root: &str) -> String {
        let beside = |file: &str| {
            let folder = Path::new(file).parent().unwrap_or(Path::new(""));
            straight(&folder.join(&self.entry)).to_string_lossy().into_owned()
        };
        let (near, far) = (beside(&self.by), beside(root));
        if files.stamp(&near).is_err() && files.stamp(&far).is_ok() { far } else { near }
    }
}

/// What the gateway takes for no settings at all: nothing in the file, or a value that is false in Python.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) | Value::Int(0) => true,
        Value::Seq(items) => items.is_empty(),
        Value::Str(text) => text.is_empty(),
        _ => false,
    }
}

/// A path without detours (`os.path.abspath`, which does not look at links either).
fn straight(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(straight.components().next_back(), Some(Component::Normal(_))) => {
                straight.pop();
            }
            _ => straight.push(part),
        }
    }
    straight
}

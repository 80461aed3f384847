//! Where the files of a scenario are: on disk, in the binary, or on stdin.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use include_dir::Dir;

use crate::diagnostic::codes;
use crate::document::{MAX_BYTES, decode};
use crate::scenario::problem::Problem;

/// A text and the name that the user knows it by.
#[derive(Clone)]
pub struct Source {
    /// Name for messages.
    pub name: Arc<str>,
    /// What is written there.
    pub text: Arc<str>,
    /// Whether lines may be quoted as they are: no secrets belong into this kind of file.
    pub is_quotable: bool,
}

impl Source {
    /// A text of a kind that holds no secrets: a scenario, a price table.
    pub fn quotable(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into(), is_quotable: true }
    }
}

/// A folder that relative file names start from.
#[derive(Debug, Clone)]
pub enum Files {
    /// A folder on disk.
    Disk(PathBuf),
    /// A folder in the binary.
    Embedded(&'static Dir<'static>),
}

impl Files {
    /// The folder that the program was started in.
    pub fn here() -> Self {
        Self::Disk(PathBuf::new())
    }

    /// Opens a file of any length, to be read piece by piece.
    ///
    /// # Errors
    /// A [`Problem`] when there is no such file, or it is a directory.
    pub fn open(&self, file: &str) -> Result<(Box<dyn Read + Send>, Handle), Problem> {
        match self {
            Self::Disk(folder) => {
                let opened = Arc::new(open_disk(&folder.join(file))?);
                Ok((Box::new(opened.clone()), Handle(Some(opened))))
            }
            Self::Embedded(folder) => {
                let found = folder.get_file(folder.path().join(file)).ok_or_else(|| not_found(file))?;
                Ok((Box::new(found.contents()), Handle(None)))
            }
        }
    }

    /// What a file is, without opening it: a pipe would wait for its other end.
    ///
    /// # Errors
    /// When there is no such file, or nothing can be known of it.
    pub fn stamp(&self, file: &str) -> io::Result<Stamp> {
        match self {
            Self::Disk(folder) => folder.join(file).metadata().map(|about| Stamp::of(&about)),
            Self::Embedded(_) => Ok(Stamp::IN_BINARY),
        }
    }

    /// A file's name for messages.
    pub fn name_of(&self, file: &str) -> String {
        match self {
            Self::Disk(folder) => folder.join(file).to_string_lossy().into_owned(),
            Self::Embedded(_) => file.to_owned(),
        }
    }

    /// Reads a text file; `-` is stdin.
    ///
    /// # Errors
    /// A [`Problem`] when there is no such file, it is a directory, larger than [`MAX_BYTES`], or not UTF-8.
    pub fn read(&self, file: &str) -> Result<Source, Problem> {
        if file == "-" {
            return read_stdin();
        }
        match self {
            Self::Disk(folder) => read_disk(&folder.join(file)),
            Self::Embedded(folder) => {
                let found = folder.get_file(folder.path().join(file)).ok_or_else(|| not_found(file))?;
                text_of(file, found.contents())
            }
        }
    }
}

/// What is known of a file without reading it: as long as this is the same, so is the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Whether it can be read again from its beginning: a pipe or a device cannot.
    pub is_lasting: bool,
    length: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    /// What is in the binary never changes.
    const IN_BINARY: Self = Self { is_lasting: true, length: 0, modified: None };

    /// Whoever writes into a pipe changes nothing that has been read.
    fn of(about: &Metadata) -> Self {
        match about.is_file() {
            true => Self { is_lasting: true, length: about.len(), modified: about.modified().ok() },
            false => Self { is_lasting: false, length: 0, modified: None },
        }
    }
}

/// Tells of a file that is being read whether it is still the same.
#[derive(Debug)]
pub struct Handle(Option<Arc<File>>);

impl Handle {
    /// What the file is now.
    ///
    /// # Errors
    /// When that cannot be known.
    pub fn stamp(&self) -> io::Result<Stamp> {
        match &self.0 {
            Some(file) => file.metadata().map(|about| Stamp::of(&about)),
            None => Ok(Stamp::IN_BINARY),
        }
    }
}

/// Reads stdin, once: a scenario that is compiled again with other values is still the same.
fn read_stdin() -> Result<Source, Problem> {
    static STDIN: OnceLock<Result<Source, Problem>> = OnceLock::new();
    let name = "<stdin>";
    STDIN.get_or_init(|| text_of(name, &read_limited(name, io::stdin().lock())?)).clone()
}

/// Opens a file on disk.
fn open_disk(path: &Path) -> Result<File, Problem> {
    let name = path.to_string_lossy();
    if path.is_dir() {
        let message = format!("`{name}` is a directory, not a file");
        return Err(Problem::about_file(codes::UNREADABLE, &name, message, "name the file in it"));
    }
    patiently(path, || File::open(path)).map_err(|error| unreadable(&name, &error))
}

/// Whom to tell that a pipe keeps the program waiting.
static TOLD: OnceLock<fn(&Path)> = OnceLock::new();
/// What takes longer than this is told.
const PATIENCE: Duration = Duration::from_secs(2);

/// From now on, pipes that nobody is at the other end of are told of in this way.
pub fn tell_of_pipes(tell: fn(&Path)) {
    let _ = TOLD.set(tell);
}

/// Opens what is at a path. A named pipe opens when somebody opens its other end, which may be never: that is told.
pub fn patiently<T>(path: &Path, open: impl FnOnce() -> T) -> T {
    let is_pipe = path.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir());
    let Some(&tell) = TOLD.get().filter(|_| is_pipe) else { return open() };
    let (opened, wait) = mpsc::channel::<()>();
    let path = path.to_owned();
    let watch = move || {
        if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            tell(&path);
        }
    };
    // Without a thread to be had nobody is told.
    let _ = thread::Builder::new().spawn(watch);
    let result = open();
    drop(opened);
    result
}

/// Reads a file on disk. What is no file (`<(sops -d config.yaml)`) gives its text only once: that is kept, as what is
/// compiled again with other values is still the same.
fn read_disk(path: &Path) -> Result<Source, Problem> {
    static READ: Mutex<BTreeMap<PathBuf, Source>> = Mutex::new(BTreeMap::new());
    if path.metadata().map_or(true, |about| about.is_file() || about.is_dir()) {
        return read_file(path);
    }
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(source) = read.get(path) {
        return Ok(source.clone());
    }
    let source = read_file(path)?;
    read.insert(path.to_owned(), source.clone());
    Ok(source)
}

/// Reads what is at a path on disk.
fn read_file(path: &Path) -> Result<Source, Problem> {
    let name = path.to_string_lossy();
    let file = open_disk(path)?;
    // A huge file is refused before it is read.
    if let Ok(about) = file.metadata()
        && about.len() > MAX_BYTES as u64
    {
        return Err(too_large(&name));
    }
    text_of(&name, &read_limited(&name, file)?)
}

/// Reads no more than is allowed, so that endless inputs end.
fn read_limited(name: &str, input: impl Read) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    input.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|error| unreadable(name, &error))?;
    if bytes.len() > MAX_BYTES { Err(too_large(name)) } else { Ok(bytes) }
}

fn text_of(name: &str, bytes: &[u8]) -> Result<Source, Problem> {
    match decode(name, bytes) {
        Ok(text) => Ok(Source { name: name.into(), text: text.into(), is_quotable: false }),
        Err(diagnostic) => Err(Problem { diagnostics: vec![*diagnostic], sources: Vec::new() }),
    }
}

fn not_found(name: &str) -> Problem {
    Problem::about_file(codes::UNREADABLE, name, "there is no such file".to_owned(), "check the name")
}

fn unreadable(name: &str, error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::NotFound => not_found(name),
        _ => Problem::about_file(codes::UNREADABLE, name, format!("the file cannot be read: {error}"), ""),
    }
}

fn too_large(name: &str) -> Problem {
    let message = format!("the file is larger than {} MiB, the most that is read", MAX_BYTES / (1024 * 1024));
    Problem::about_file(codes::TOO_LARGE, name, message, "is this the right file?")
}

/// The text may hold secrets: only its name and size are printed.
impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.name, self.text.len())
    }
}

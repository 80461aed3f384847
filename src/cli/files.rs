//! Writing files so that none is ever half there: everything is written beside its place first, then renamed into it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::stop::Stop;

/// A directory that results will be written to.
#[derive(Debug)]
pub struct OutDir {
    path: PathBuf,
}

impl OutDir {
    /// Creates the directory if need be, and makes sure that it can be written to, before any long work.
    pub fn prepare(path: &Path) -> Result<Self, Stop> {
        let problem =
            |error: &dyn std::fmt::Display| Stop::Usage(format!("cannot use `{}` for --out: {error}", path.display()));
        fs::create_dir_all(path).map_err(|error| problem(&error))?;
        let probe = staged(&path.join("probe"));
        fs::write(&probe, b"").map_err(|error| problem(&error))?;
        fs::remove_file(&probe).map_err(|error| problem(&error))?;
        Ok(Self { path: path.to_owned() })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all files or none: each is complete under another name before the first gets its own.
    pub fn write_all<'a>(&self, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<(), Stop> {
        let mut written = Vec::new();
        for (name, bytes) in files {
            let path = self.path.join(name);
            written.push(Staged::write(path, bytes)?);
        }
        written.into_iter().try_for_each(Staged::publish)
    }
}

/// Writes one file in one step.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Stop> {
    Staged::write(path.to_owned(), bytes)?.publish()
}

/// A file that is complete under a name of its own; dropped without being published, it goes away again.
struct Staged {
    path: PathBuf,
    staged: PathBuf,
}

impl Staged {
    fn write(path: PathBuf, bytes: &[u8]) -> Result<Self, Stop> {
        let failed = |error| Stop::io("write", &path, &error);
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let this = Self { staged: staged(&path), path: path.clone() };
        let mut file = fs::File::create(&this.staged).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        Ok(this)
    }

    fn publish(self) -> Result<(), Stop> {
        fs::rename(&self.staged, &self.path).map_err(|error| Stop::io("write", &self.path, &error))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // After `publish` there is nothing left under this name.
        let _ = fs::remove_file(&self.staged);
    }
}

/// The name under which a file is written before it is complete: in the same directory, so that the rename is atomic.
fn staged(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_or_none() {
        let dir = tempfile::tempdir().unwrap();
        let out = OutDir::prepare(&dir.path().join("a/b")).unwrap();
        out.write_all([("one.txt", b"1".as_slice()), ("charts/two.txt", b"2")]).unwrap();
        assert_eq!(fs::read(dir.path().join("a/b/charts/two.txt")).unwrap(), b"2");

        // `one.txt/three` cannot exist beside the file `one.txt`: `four.txt` must not appear either.
        assert!(out.write_all([("four.txt", b"4".as_slice()), ("one.txt/three", b"3")]).is_err());
        let names: Vec<_> = fs::read_dir(dir.path().join("a/b")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[test]
    fn a_file_is_no_directory_to_write_to() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("taken");
        fs::write(&file, "x").unwrap();
        assert!(matches!(OutDir::prepare(&file), Err(Stop::Usage(_))));
    }
}

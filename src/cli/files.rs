//! Writing files so that none is ever half there: everything is written beside its place first, then renamed into it.

use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::cli::stop::Stop;
use crate::scenario::Source;
use crate::scenario::patiently;

/// A directory that results will be written to.
#[derive(Debug)]
pub struct OutDir {
    path: PathBuf,
}

impl OutDir {
    /// Creates the directory if need be, and makes sure that it can be written to, before any long work.
    pub fn prepare(path: &Path) -> Result<Self, Stop> {
        try_folder(path).map_err(|error| unusable(path, &error))?;
        Ok(Self { path: path.to_owned() })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all files or none: each is complete under another name before the first gets its own. Where the directory
    /// holds nothing but files of these names, it is replaced as a whole in one step: whoever kills the program finds
    /// all of the old files or all of the new ones.
    pub fn write_all<'a>(&self, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<(), Stop> {
        let files: Vec<(&str, &[u8])> = files.into_iter().collect();
        files.iter().for_each(|(name, _)| remove_stale(&self.path.join(name)));
        if let Ok(path) = fs::canonicalize(&self.path) {
            remove_stale(&path);
        }
        if let Some(whole) = self.staged_whole(&files)
            && whole.replace(&self.path).is_ok()
        {
            return Ok(());
        }
        let write = |&(name, bytes): &(&str, &[u8])| Staged::write(self.path.join(name), bytes);
        let written: Vec<Staged> = files.iter().map(write).collect::<Result<_, _>>()?;
        written.into_iter().try_for_each(Staged::publish)
    }

    /// All files in a directory beside this one, if it could take this one's place.
    fn staged_whole(&self, files: &[(&str, &[u8])]) -> Option<StagedDir> {
        let path = fs::canonicalize(&self.path).ok()?;
        path.file_name()?;
        let is_ours = |name: &str| files.iter().any(|(ours, _)| *ours == name);
        // Whoever stands in it would stand in a directory that is gone.
        let is_stood_in =
            std::env::current_dir().and_then(fs::canonicalize).map_or(true, |here| here.starts_with(&path));
        if is_stood_in || !names_below(&path, "")?.iter().all(|name| is_ours(name)) {
            return None;
        }
        let whole = StagedDir(staged(&path));
        fs::create_dir(&whole.0).ok()?;
        let found = fs::metadata(&path).ok()?;
        fs::set_permissions(&whole.0, found.permissions()).ok()?;
        if !has_same_owner(&found, &fs::metadata(&whole.0).ok()?) {
            return None;
        }
        for (name, bytes) in files {
            Staged::write(whole.0.join(name), bytes).and_then(Staged::publish).ok()?;
        }
        Some(whole)
    }
}

/// Whether what takes the place of another belongs to the same user and group.
#[cfg(unix)]
fn has_same_owner(found: &fs::Metadata, ours: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (found.uid(), found.gid()) == (ours.uid(), ours.gid())
}

/// Elsewhere that is not asked.
#[cfg(not(unix))]
fn has_same_owner(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

/// A directory that is complete under a name of its own; when dropped, whatever has that name then goes away.
struct StagedDir(PathBuf);

impl StagedDir {
    /// Takes the place of the directory at `path`, in one step.
    fn replace(&self, path: &Path) -> std::io::Result<()> {
        let path = fs::canonicalize(path)?;
        // Onto an empty directory a directory can be renamed.
        fs::rename(&self.0, &path).or_else(|_| exchange(&self.0, &path))
    }
}

impl Drop for StagedDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> Stop {
    Stop::Usage(format!("cannot use `{}` for --out: {error}", path.display()))
}

/// Creates a directory if need be, and writes to it.
fn try_folder(path: &Path) -> std::io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_dir()) {
        return Err(std::io::Error::other("it is no folder"));
    }
    fs::create_dir_all(path)?;
    remove_stale(&path.join("probe"));
    if nameless_file(path).is_err() {
        let probe = staged(&path.join("probe"));
        fs::write(&probe, b"")?;
        fs::remove_file(&probe)?;
    }
    Ok(())
}

/// Makes sure that a file can be written, before any long work.
pub fn prepare(path: &Path) -> Result<(), Stop> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(unusable(path, &"it is a folder, not a file")),
        Ok(found) if !found.is_file() => return Ok(()),
        _ if path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
            return Err(unusable(path, &"it is the name of a folder, not of a file"));
        }
        _ => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    try_folder(folder).map_err(|error| unusable(path, &error))?;
    // Beside its place its name is longer, and may be too long.
    if let Err(error) = fs::symlink_metadata(staged(path))
        && error.kind() == ErrorKind::InvalidFilename
    {
        return Err(unusable(path, &error));
    }
    Ok(())
}

/// Refuses to write over one of the files that a result comes from.
pub fn spare(path: &Path, sources: &[Source]) -> Result<(), Stop> {
    let Ok(place) = fs::canonicalize(path) else { return Ok(()) };
    let is_read = |source: &Source| fs::canonicalize(&*source.name).is_ok_and(|read| read == place);
    if sources.iter().any(is_read) { Err(unusable(path, &"it is read for this result")) } else { Ok(()) }
}

/// Tries to write to a directory with a file that has no name, so that nothing of it is left whatever happens.
#[cfg(target_os = "linux")]
fn nameless_file(folder: &Path) -> std::io::Result<()> {
    use rustix::fs::{Mode, OFlags, open};
    open(folder, OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR)?;
    Ok(())
}

/// Other systems have no such files.
#[cfg(not(target_os = "linux"))]
fn nameless_file(_: &Path) -> std::io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

#[cfg(target_os = "linux")]
fn exchange(a: &Path, b: &Path) -> std::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

/// Other systems replace file by file.
#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> std::io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// The names of all files below a directory, relative to it; `None` if there is anything else
/// than files and directories.
fn names_below(folder: &Path, prefix: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).ok()? {
        let entry = entry.ok()?;
        let name = format!("{prefix}{}", entry.file_name().to_str()?);
        let kind = entry.file_type().ok()?;
        if kind.is_dir() {
            names.extend(names_below(&entry.path(), &format!("{name}/"))?);
        } else if kind.is_file() {
            names.push(name);
        } else {
            return None;
        }
    }
    Some(names)
}

/// Writes one file in one step. What is no file (a pipe, a device such as `/dev/stdout`) is written to, never replaced.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Stop> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        let opened = patiently(path, || fs::OpenOptions::new().write(true).truncate(true).open(path));
        let written = opened.and_then(|mut file| file.write_all(bytes));
        return written.map_err(|error| Stop::io("write", path, &error));
    }
    // A link stays, and what it leads to is replaced.
    let led_to = if path.is_symlink() { fs::canonicalize(path).ok() } else { None };
    let path = led_to.as_deref().unwrap_or(path);
    remove_stale(path);
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
        // What takes the place of a file is for the same eyes.
        if let Ok(found) = fs::metadata(&path) {
            let _ = file.set_permissions(found.permissions());
        }
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

/// Removes what killed programs have left of this file or directory under the name of [`staged`].
fn remove_stale(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str)) else { return };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_stale =
            entry.file_name().to_str().and_then(|found| writer_of(found, name)).is_some_and(|id| !is_alive(id));
        if is_stale {
            // A link is removed, not followed; what cannot be removed is harmless.
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let _ = if is_directory { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
        }
    }
}

/// The process in the name of a staged file, if it is one of this name.
fn writer_of(staged: &str, name: &str) -> Option<u32> {
    let rest = staged.strip_prefix('.')?.strip_prefix(name)?.strip_prefix('.')?;
    rest.strip_suffix(".part")?.parse().ok()
}

/// Whether a process runs; where that cannot be seen, it is taken to.
fn is_alive(process: u32) -> bool {
    let all = Path::new("/proc");
    !all.join("self").exists() || all.join(process.to_string()).exists()
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

    #[cfg(unix)]
    #[test]
    fn what_takes_a_place_has_the_mode_of_what_was_there() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (folder, file) = (dir.path().join("out"), dir.path().join("one.html"));
        fs::create_dir(&folder).unwrap();
        fs::write(&file, b"0").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        OutDir::prepare(&folder).unwrap().write_all([("one.txt", b"1".as_slice())]).unwrap();
        write(&file, b"1").unwrap();
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
        assert_eq!(
            (names_below(&folder, "").unwrap(), fs::read(&file).unwrap()),
            (vec!["one.txt".to_owned()], b"1".to_vec())
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("there/one.html"), dir.path().join("link.html"));
        fs::create_dir(file.parent().unwrap()).unwrap();
        fs::write(&file, b"0").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, b"1").unwrap();
        assert_eq!((link.is_symlink(), fs::read(&file).unwrap()), (true, b"1".to_vec()));
        // One that leads nowhere is replaced itself.
        fs::remove_file(&file).unwrap();
        write(&link, b"2").unwrap();
        assert_eq!((link.is_symlink(), fs::read(&link).unwrap()), (false, b"2".to_vec()));
    }

    #[test]
    fn a_directory_of_ours_is_replaced_and_what_is_not_ours_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let out = OutDir::prepare(&dir.path().join("out")).unwrap();
        let names = || {
            let mut names = names_below(&dir.path().join("out"), "").unwrap();
            names.sort();
            names
        };
        out.write_all([("one.txt", b"1".as_slice()), ("charts/two.txt", b"2")]).unwrap();
        out.write_all([("one.txt", b"11".as_slice()), ("charts/two.txt", b"22"), ("three.txt", b"33")]).unwrap();
        assert_eq!(names(), ["charts/two.txt", "one.txt", "three.txt"]);
        assert_eq!(fs::read(dir.path().join("out/one.txt")).unwrap(), b"11");
        fs::write(dir.path().join("out/notes.md"), "mine").unwrap();
        out.write_all([("one.txt", b"111".as_slice())]).unwrap();
        assert_eq!(names(), ["charts/two.txt", "notes.md", "one.txt", "three.txt"]);
        let beside: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(beside, ["out"], "nothing is left beside it");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_killed_program_left_goes_away_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let out = OutDir::prepare(&dir.path().join("out")).unwrap();
        // No process has a number beyond the largest that Linux gives out.
        let (dead, alive) = ("4194999", "1");
        let stale = [format!(".one.txt.{dead}.part"), format!("../.out.{dead}.part/half")];
        let kept = [format!(".one.txt.{alive}.part"), format!(".two.txt.{dead}.part"), ".one.txt.x.part".to_owned()];
        for name in stale.iter().chain(&kept) {
            let path = dir.path().join("out").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "half").unwrap();
        }
        out.write_all([("one.txt", b"1".as_slice())]).unwrap();
        let exists = |name: &String| dir.path().join("out").join(name).exists();
        assert!(kept.iter().all(exists) && !stale.iter().any(exists));
        assert!(!dir.path().join(format!(".out.{dead}.part")).exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        // By way of links: what is wrong would replace those, not the devices.
        let dir = tempfile::tempdir().unwrap();
        let [null, full] = ["null", "full"].map(|name| {
            let link = dir.path().join(name);
            std::os::unix::fs::symlink(Path::new("/dev").join(name), &link).unwrap();
            link
        });
        write(&null, b"x").unwrap();
        assert!(matches!(write(&full, b"x"), Err(Stop::Io(_))));
        assert!(null.is_symlink() && full.is_symlink());
    }

    #[test]
    fn a_file_is_no_directory_to_write_to() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("taken");
        fs::write(&file, "x").unwrap();
        assert!(matches!(OutDir::prepare(&file), Err(Stop::Usage(_))));
    }
}

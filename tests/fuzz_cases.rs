//! Replays the seeds and the findings of the fuzz targets through their checks, on every `cargo test`.
//! `fuzz/run` searches for new ones.

#[path = "../fuzz/src/checks.rs"]
mod checks;

use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a readable entry").path()).collect();
    files.sort();
    files
}

#[test]
fn seeds_and_findings_pass() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let mut replayed = 0;
    for (name, check) in checks::CHECKS {
        for file in files(&fuzz.join("seeds").join(name)).into_iter().chain(files(&fuzz.join("regressions").join(name)))
        {
            println!("{}", file.display());
            check(&fs::read(&file).expect("a readable file"));
            replayed += 1;
        }
        // Texts that belong to another reader are as good as noise.
        for file in files(&fuzz.join("seeds/yaml")).into_iter().chain(files(&fuzz.join("seeds/json"))) {
            check(&fs::read(&file).expect("a readable file"));
        }
    }
    assert!(replayed > 0, "the seeds are gone");
}

/// Every check has a target that runs it, and every target a check.
#[test]
fn targets_and_checks_are_the_same() {
    let targets = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/targets"));
    let mut names: Vec<_> = targets.iter().map(|file| file.file_stem().expect("a name").to_string_lossy()).collect();
    let mut checked: Vec<_> = checks::CHECKS.iter().map(|(name, _)| *name).collect();
    names.sort();
    checked.sort_unstable();
    assert_eq!(names, checked);
}

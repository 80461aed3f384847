//! Where nothing can be written: a clear error with the documented exit code, the old files as they were, no half ones.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A file could not be written.
const NOT_WRITTEN: i32 = 1;
/// The place cannot be written to at all, and that is known before the work.
const REFUSED: i32 = 2;

/// The program in a shell that bounds the size of files, in blocks of 512 bytes: the next write
/// fails, as on a full disk.
fn billcast(folder: &Path, blocks: Option<u32>, arguments: &[&str]) -> Output {
    // Without the signal the program learns of the bound from the write itself.
    let bound = blocks.map_or_else(String::new, |blocks| format!("trap '' XFSZ; ulimit -f {blocks}; "));
    Command::new("sh")
        .args(["-c", &format!("{bound}exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_billcast")])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("a shell")
}

/// The names of all files below a folder, hidden ones too.
fn names(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry")) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            all.extend(names(&entry.path()).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            all.push(name);
        }
    }
    all.sort();
    all
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn assert_clear(output: &Output, code: i32, says: &str) {
    let stderr = told(output);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.contains(says) && !stderr.contains("panicked"), "{stderr}");
}

const RUN: [&str; 7] = ["run", "weekend-upward", "--runs", "2", "--quiet", "--set", "hours=4"];

fn with_out<'a>(arguments: &[&'a str], out: &'a str) -> Vec<&'a str> {
    [arguments, &["--out", out]].concat()
}

#[test]
fn a_full_disk_leaves_nothing_where_nothing_was() {
    let dir = tempfile::tempdir().expect("a folder");
    // 20 kB hold the tables; the page and the workbook do not fit.
    assert_clear(&billcast(dir.path(), Some(40), &with_out(&RUN, "out")), NOT_WRITTEN, "cannot write");
    assert_eq!(names(dir.path()), [""; 0]);
    for form in ["html", "xlsx", "parquet"] {
        let report = ["report", "weekend-upward", "--runs", "2", "--quiet", "--format", form, "--set", "hours=4"];
        let output = billcast(dir.path(), Some(4), &with_out(&report, "out"));
        assert_clear(&output, NOT_WRITTEN, "cannot write");
        assert_eq!(names(dir.path()), [""; 0], "{form}");
    }
    let month =
        ["month", "weekend-upward", "--runs", "1", "--quiet", "--format", "html", "--set", "traffic.chat.rate=4/h"];
    assert_clear(&billcast(dir.path(), Some(4), &with_out(&month, "month.html")), NOT_WRITTEN, "cannot write");
    assert_eq!(names(dir.path()), [""; 0]);
}

#[test]
fn a_full_disk_leaves_the_old_files_as_they_were() {
    let dir = tempfile::tempdir().expect("a folder");
    assert!(billcast(dir.path(), None, &with_out(&RUN, "out")).status.success());
    let bytes = |name: &String| fs::read(dir.path().join(name)).expect("a file");
    let before: Vec<(String, Vec<u8>)> = names(dir.path()).iter().map(|name| (name.clone(), bytes(name))).collect();
    assert!(before.len() > 30);
    let again = [&RUN[..], &["--seed", "9"]].concat();
    assert_clear(&billcast(dir.path(), Some(40), &with_out(&again, "out")), NOT_WRITTEN, "cannot write");
    let report = ["report", "out", "--budget", "1", "--quiet", "--format", "html,xlsx,md"];
    assert_clear(&billcast(dir.path(), Some(40), &report), NOT_WRITTEN, "cannot write");
    let after: Vec<(String, Vec<u8>)> = names(dir.path()).iter().map(|name| (name.clone(), bytes(name))).collect();
    assert!(before == after, "{:?}", after.iter().map(|(name, _)| name).collect::<Vec<_>>());
}

#[test]
fn a_place_that_cannot_be_written_to_is_refused_before_the_work() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("file"), "mine").expect("a file");
    for out in ["file", "file/below", "/dev/full/out", "/proc/billcast"] {
        assert_clear(&billcast(dir.path(), None, &with_out(&RUN, out)), REFUSED, "--out");
        let report = ["report", "weekend-upward", "--runs", "2", "--quiet", "--format", "html,md"];
        assert_clear(&billcast(dir.path(), None, &with_out(&report, out)), REFUSED, "--out");
    }
    // Single files: nobody simulates for an hour to learn it.
    let month = ["month", "weekend-upward", "--runs", "1000000", "--quiet"];
    let part = ["run", "weekend-upward", "--runs", "1000000", "--quiet", "--part", "1/2"];
    let report = ["report", "weekend-upward", "--runs", "1000000", "--quiet", "--format", "md"];
    for command in [&month[..], &part, &report] {
        for out in ["file/below.md", "/proc/billcast/x.md"] {
            assert_clear(&billcast(dir.path(), None, &with_out(command, out)), REFUSED, "--out");
        }
    }
    assert_eq!(fs::read(dir.path().join("file")).expect("a file"), b"mine");
    assert_eq!(names(dir.path()), ["file"]);
}

#[test]
fn a_reader_that_is_full_is_an_error() {
    let dir = tempfile::tempdir().expect("a folder");
    let report = |form| format!("report weekend-upward --runs 2 --set hours=4 --quiet --format {form}");
    let reports = ["html", "md", "json", "focus-csv"].map(report);
    for command in reports.iter().map(String::as_str).chain(["--help", "--version", "run --help"]) {
        let output = Command::new("sh")
            .args(["-c", &format!("\"$0\" {command} > /dev/full"), env!("CARGO_BIN_EXE_billcast")])
            .current_dir(dir.path())
            .output()
            .expect("a shell");
        assert_eq!(output.status.code(), Some(NOT_WRITTEN), "{command}: {}", told(&output));
        assert!(!told(&output).contains("panicked"), "{}", told(&output));
    }
}

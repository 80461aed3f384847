//! Interruption: whoever kills the program finds the old output or the new one, never a half; Ctrl-C keeps what is done
//! and says that it is partial.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const SCENARIO: &str = "weekend-upward";

fn billcast(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_billcast"));
    command.args(["run", SCENARIO, "--quiet", "--threads", "1"]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn output(arguments: &[&str]) -> Output {
    billcast(arguments).output().expect("a process")
}

/// All files below a folder with their bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            all.extend(files(&path).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            all.insert(name, fs::read(&path).expect("a readable file"));
        }
    }
    all
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
}

/// Lets a process work for a while: a kill has to come at some moment.
fn later(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_output_or_the_new_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().join("out");
    let out = out.to_str().expect("a readable name");
    let arguments = |seed| ["--runs", "3", "--seed", seed, "--out", out];
    let complete = |seed| {
        assert!(output(&arguments(seed)).status.success());
        files(Path::new(out))
    };
    let (first, second) = (complete("1"), complete("2"));
    assert_ne!(first, second);
    let mut killed = 0;
    let mut delay = 2;
    while killed < 25 && delay < 5_000 {
        let seed = if files(Path::new(out)) == first { "2" } else { "1" };
        let mut child = billcast(&arguments(seed)).spawn().expect("a process");
        later(delay);
        let was_over = child.try_wait().expect("a state").is_some();
        child.kill().expect("a kill");
        child.wait().expect("an end");
        let found = files(Path::new(out));
        assert!(found == first || found == second, "after {delay} ms: {:?}", found.keys());
        killed += u32::from(!was_over);
        // Around the end of the program, where the files are written, in small steps.
        delay = if was_over { delay.saturating_sub(delay / 10).max(2) } else { delay + delay / 4 + 1 };
    }
    assert!(killed >= 10, "{killed} kills came in time");
}

#[test]
fn a_kill_leaves_a_part_whole_or_absent() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("part.json");
    let arguments = ["--runs", "4", "--part", "1/2", "--out", file.to_str().expect("a readable name")];
    assert!(output(&arguments).status.success());
    let whole = fs::read(&file).expect("a part");
    for delay in [1, 5, 20, 80, 200] {
        let _ = fs::remove_file(&file);
        let mut child = billcast(&arguments).spawn().expect("a process");
        later(delay);
        child.kill().expect("a kill");
        child.wait().expect("an end");
        assert!(!file.exists() || fs::read(&file).expect("a part") == whole, "after {delay} ms");
    }
}

#[test]
fn ctrl_c_keeps_what_is_done_and_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().join("out");
    let arguments = ["--runs", "1000000", "--format", "json", "--out", out.to_str().expect("a readable name")];
    for delay in [500, 2_000, 8_000] {
        let child = billcast(&arguments).spawn().expect("a process");
        later(delay);
        signal(&child, "INT");
        let ended = child.wait_with_output().expect("an end");
        assert_eq!(ended.status.code(), Some(130), "{}", String::from_utf8_lossy(&ended.stderr));
        if ended.stdout.is_empty() {
            assert!(files(&out).is_empty(), "nothing done, nothing written");
            continue;
        }
        let forecast: serde_json::Value = serde_json::from_slice(&ended.stdout).expect("JSON");
        assert_eq!(forecast["partial"], true);
        let runs = forecast["runs"].as_u64().expect("a number");
        assert!(runs > 0 && runs < 1_000_000);
        assert_eq!(fs::read(out.join("forecast.json")).expect("a file"), ended.stdout);
        return;
    }
    panic!("not one run was done in 8 s");
}

/// There is no work yet that it could keep, and what is waited for may never come.
#[test]
fn ctrl_c_while_files_are_read_ends_at_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let pipe = dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let pipe = pipe.to_str().expect("a readable name");
    let merge = ["run", "--merge", pipe, "--", SCENARIO];
    for arguments in
        [&["run", "-"][..], &["check", "-"], &["run", SCENARIO, "--prices", pipe], &["report", pipe], &merge]
    {
        let mut child = Command::new(env!("CARGO_BIN_EXE_billcast"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a process");
        // Longer than it takes to be told that a pipe is waited for.
        later(3_000);
        signal(&child, "INT");
        let ended = (0..200).find_map(|_| {
            later(50);
            child.try_wait().expect("a process")
        });
        let _ = child.kill();
        assert_eq!(ended.and_then(|ended| ended.code()), Some(130), "{arguments:?}");
    }
}

/// What other commands print of unfinished work says so, and none of them ends as if all was done.
#[test]
fn ctrl_c_is_told_by_every_command_that_simulates() {
    let usual: &[&str] = &["--quiet", "--format", "json"];
    let many: &[&str] = &["--runs", "1000000", "--threads", "1"];
    let commands: [(&[&str], &[&str]); 8] = [
        (&["explain", SCENARIO], many),
        (&["sweep", SCENARIO, "--tornado"], many),
        (&["sweep", SCENARIO, "--vary", "hours=1,2"], many),
        (&["compare", SCENARIO, "--set", "traffic.chat.rate=50/min"], many),
        (&["month", SCENARIO, "--months", "2"], &["--runs", "1000000"]),
        (&["plan", SCENARIO], many),
        (&["run", SCENARIO, "--set", "hours=1", "--rare", "requests > 1000"], many),
        (&["claims", "weekend-upward", "retry-storm"], &["--threads", "1"]),
    ];
    for (command, many) in commands {
        let child = Command::new(env!("CARGO_BIN_EXE_billcast"))
            .args([command, many, usual].concat())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a process");
        later(1_500);
        signal(&child, "INT");
        let ended = child.wait_with_output().expect("an end");
        assert_eq!(ended.status.code(), Some(130), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
        if !ended.stdout.is_empty() {
            let printed: serde_json::Value = serde_json::from_slice(&ended.stdout).expect("JSON");
            assert_eq!(printed["partial"], true, "{command:?}");
        }
    }
}

#[test]
fn a_killed_report_leaves_the_old_files_or_the_new_ones() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().join("out");
    let out = out.to_str().expect("a readable name");
    assert!(output(&["--runs", "3", "--out", out]).status.success());
    let report = |budget: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_billcast"));
        command.args(["report", out, "--quiet", "--budget", budget, "--format", "html,xlsx,md,json,focus-csv,parquet"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let complete = |budget| {
        assert!(report(budget).status().expect("an end").success());
        files(Path::new(out))
    };
    let versions = [complete("1"), complete("2")];
    let is_whole = |(name, bytes): (&String, &Vec<u8>)| versions.iter().any(|version| version.get(name) == Some(bytes));
    for delay in [1, 3, 8, 20, 40, 60, 80, 100, 130, 160, 200, 260] {
        let mut child = report(if delay % 2 == 0 { "1" } else { "2" }).spawn().expect("a process");
        later(delay);
        child.kill().expect("a kill");
        child.wait().expect("an end");
        let found = files(Path::new(out));
        let published = found.iter().filter(|(name, _)| !name.ends_with(".part"));
        assert!(published.clone().all(is_whole), "after {delay} ms: a file is neither old nor new");
        assert_eq!(published.count(), versions[0].len(), "after {delay} ms");
    }
}

/// Every other command that writes: the arguments, and the file or folder that it writes. Its first version comes from
/// the first pair of arguments, the second from the other.
const WRITERS: [(&[&str], [&str; 2], &str); 5] = [
    (
        &["compare", SCENARIO, "--runs", "2", "--quiet", "--set", "traffic.chat.rate=50/min", "--seed"],
        ["1", "2"],
        "compared",
    ),
    (&["sweep", SCENARIO, "--runs", "1", "--quiet", "--vary", "hours=1,2", "--seed"], ["1", "2"], "swept"),
    (&["month", SCENARIO, "--runs", "1", "--quiet", "--format", "html", "--seed"], ["1", "2"], "month.html"),
    (&["models", "show"], ["chat", "rag"], "model.svg"),
    (&["init", "--force", "--quiet"], ["a.yaml", "b.yaml"], "scenario.yaml"),
];

#[test]
fn a_kill_of_any_command_that_writes_leaves_the_old_or_the_new() {
    for (arguments, versions, target) in WRITERS {
        let dir = tempfile::tempdir().expect("a directory");
        for name in ["a.yaml", "b.yaml"] {
            let group = format!("model_list: [{{model_name: {name}, litellm_params: {{model: openai/gpt-4o}}}}]\n");
            fs::write(dir.path().join(name), group).expect("a written file");
        }
        let command = |version: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_billcast"));
            command.args(arguments).args([version, "--out", target]).current_dir(dir.path());
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let [first, second] = versions.map(|version| {
            assert!(command(version).status().expect("an end").success(), "{arguments:?} {version}");
            files(dir.path())
        });
        assert_ne!(first, second, "{arguments:?}");
        let published = |(name, bytes): (String, Vec<u8>)| (!name.contains(".part")).then_some((name, bytes));
        for delay in [1, 4, 9, 16, 25, 40, 60, 90, 140] {
            let mut child = command(versions[(delay % 2) as usize]).spawn().expect("a process");
            later(delay);
            let _ = child.kill();
            child.wait().expect("an end");
            let found: BTreeMap<_, _> = files(dir.path()).into_iter().filter_map(published).collect();
            assert!(found == first || found == second, "{arguments:?} after {delay} ms: {:?}", found.keys());
        }
        // The next one to finish leaves nothing but its own.
        assert!(command(versions[0]).status().expect("an end").success());
        assert_eq!(files(dir.path()).keys().collect::<Vec<_>>(), first.keys().collect::<Vec<_>>(), "{arguments:?}");
    }
}

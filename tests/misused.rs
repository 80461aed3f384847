//! Options that mean nothing together or lie beyond what there is: refused in plain words, not passed over.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

/// Exit code, stdout and stderr.
fn outcome(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("billcast").expect("the program");
    let output = command.current_dir(folder).env("NO_COLOR", "1").args(args).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

const SCENARIO: &str = "weekend-upward";
const SHORT: [&str; 7] = [SCENARIO, "-q", "--runs", "2", "--set", "hours=1", "--seed=1"];

fn short<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&[command][..], &SHORT, more].concat()
}

#[test]
fn what_would_do_nothing_or_cannot_be_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let vary = ["--vary", "volume_uncertainty=0,1", "--vary", " volume_uncertainty =0"];
    fs::write(folder.path().join("c.yaml"), "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o}}]\n")
        .expect("a file");
    let rare = ["--rare", "bill > 1"];
    let part = ["--part", "1/1", "--out", "part"];
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (short("sweep", &vary), "path varied twice"),
        (short("run", &[&rare[..], &["--fail-if", "bill > 0"]].concat()), "cannot be used with"),
        (short("run", &[&rare[..], &["--warn-if", "bill > 0"]].concat()), "cannot be used with"),
        (short("run", &[&rare[..], &["--budget", "3"]].concat()), "cannot be used with"),
        (short("run", &[&rare[..], &["--act-within", "3"]].concat()), "cannot be used with"),
        (short("run", &[&part[..], &["--fail-if", "bill > 0"]].concat()), "cannot be used with"),
        (short("run", &[&part[..], &["--warn-if", "bill > 0"]].concat()), "cannot be used with"),
        (vec!["month", SCENARIO, "--from", "9999-12"], "until December 9998"),
        (vec!["month", SCENARIO, "--from", "9998-11", "--months", "3"], "until December 9998"),
        (vec!["prices", "--at", "9999-12-31"], "the years 1 to 9998"),
        (vec!["cost", "--model", "gpt-4o", "--at", "9999-12-31"], "the years 1 to 9998"),
        (vec!["init", "c.yaml", "--out", "."], "it is a folder, not a file"),
        (vec!["init", "c.yaml", "--out", ".", "--force"], "it is a folder, not a file"),
    ];
    for (args, says) in cases {
        let (code, stdout, stderr) = outcome(folder.path(), &args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert!(stderr.contains(says), "{args:?}: {stderr}");
    }
}

#[test]
fn a_report_with_another_budget_says_nothing_of_the_old_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let budgets = ["--budget", "0.37", "--budget", "1,000/day", "--out", "done"];
    assert_eq!(outcome(folder.path(), &short("run", &budgets)).0, 0);
    assert_eq!(outcome(folder.path(), &["report", "done", "-q", "--budget", "50", "--format", "md,json"]).0, 0);
    let text = fs::read_to_string(folder.path().join("done/report.md")).expect("a report");
    assert!(text.contains("--budget 50.00/run --budget 1000.00/day") && !text.contains("0.37"), "{text}");
    let json = fs::read(folder.path().join("done/forecast.json")).expect("a forecast");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let rows = json["alerts"]["budgets"].as_array().expect("rows");
    assert!(rows.len() == 1 && rows[0]["period"] == "day", "{rows:?}");
}

#[test]
fn a_key_in_a_path_is_shown_nowhere() {
    const CANARY: &str = "sk-CANARYzz0123456789";
    let folder = tempfile::tempdir().expect("a folder");
    let path = format!("keys.{CANARY}.rpm_limit");
    let (set, vary, quoted) = (format!("{path}=5"), format!("{path}=5..6"), format!("keys['{CANARY}.x'].rpm_limit=5"));
    for args in [
        short("run", &["--set", &set]),
        short("run", &["--set", &path]),
        short("run", &["--set", &quoted]),
        short("run", &["--unset", &path]),
        short("run", &["--unset", &set]),
        short("sweep", &["--vary", &vary]),
        short("solve", &["--vary", &vary, "--target", "bill.mean < 1"]),
        short("solve", &["--vary", &path, "--target", "bill.mean < 1"]),
    ] {
        let (code, stdout, stderr) = outcome(folder.path(), &args);
        assert!(code == 2 && !(stdout + &stderr).contains("CANARY"), "{args:?}: {stderr}");
    }
}

#[test]
fn a_missing_file_is_told_where_it_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o}}]\n";
    fs::write(folder.path().join("c.yaml"), config).expect("a file");
    for named in ["base", "gateway", "prices", "gateway_prices"] {
        let gateway = if named == "gateway" { "" } else { "gateway: c.yaml\n" };
        let scenario = format!("{gateway}{named}: nothing\ntraffic: {{a: {{preset: chat, model: a, rate: 1/s}}}}\n");
        fs::write(folder.path().join("s.yaml"), scenario).expect("a file");
        let (code, _, stderr) = outcome(folder.path(), &["run", "s.yaml"]);
        let line = if named == "gateway" { 1 } else { 2 };
        let place = format!("nothing: there is no such file\n --> s.yaml:{line}:{}", named.len() + 3);
        assert!(code == 2 && stderr.contains(&place), "{named}: {stderr}");
    }
}

/// Where a program that needs an hour would learn it at the end.
#[test]
fn names_that_no_file_can_have_are_refused_before_the_work() {
    let folder = tempfile::tempdir().expect("a folder");
    // Beside its place a file has a longer name until it is complete.
    let long = format!("{}.md", "x".repeat(249));
    let below = format!("a/{long}");
    for command in [&["month", SCENARIO][..], &["run", SCENARIO, "--part", "1/2"], &["report", SCENARIO]] {
        for (out, says) in [(long.as_str(), "too long"), (&below, "too long"), ("new/", "the name of a folder")] {
            // A report can go into a folder.
            if command[0] == "report" && out == "new/" {
                continue;
            }
            let args = [command, &["--runs", "1000000", "-q", "--out", out]].concat();
            let (code, _, stderr) = outcome(folder.path(), &args);
            assert!(code == 2 && stderr.contains(says), "{args:?}: {stderr}");
        }
    }
}

#[cfg(unix)]
#[test]
fn what_a_result_comes_from_is_not_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = [
        ("gateway.yaml", "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o}}]\n"),
        (
            "scenario.yaml",
            "gateway: gateway.yaml\nhours: 1\nruns: 1\ntraffic: {x: {preset: chat, model: a, rate: 1/min}}\n",
        ),
    ];
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    let commands: [&[&str]; 3] = [
        &["month", ".", "--out", "./scenario.yaml"],
        &["run", "scenario.yaml", "--part", "1/1", "--out", "gateway.yaml"],
        &["report", "scenario.yaml", "--format", "json", "--out", "scenario.yaml"],
    ];
    for args in commands {
        let (code, _, stderr) = outcome(folder.path(), args);
        assert_ne!(code, 0, "{args:?}");
        assert!(stderr.contains("it is read for this result"), "{args:?}: {stderr}");
    }
    for (name, text) in files {
        assert_eq!(fs::read_to_string(folder.path().join(name)).expect("a file"), text);
    }
}

#[test]
fn notes_drive_no_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o}}]\n";
    fs::write(folder.path().join("c.yaml"), config).expect("a file");
    let loud = |command| -> Vec<&str> {
        short(command, &["--out", "a\u{1b}[31m"]).into_iter().filter(|a| *a != "-q").collect()
    };
    let tier = "\u{1b}[2J";
    for args in [
        loud("run"),
        loud("plan"),
        vec!["init", "c.yaml", "--out", "b\u{1b}[31m"],
        vec!["models", "show", "chat", "--out", "\u{1b}[31m.svg"],
        vec!["cost", "--model", "gpt-4o", "--service-tier", tier],
    ] {
        let (code, _, stderr) = outcome(folder.path(), &args);
        assert!(code == 0 && stderr.contains("\u{FFFD}[") && !stderr.contains('\u{1b}'), "{args:?}: {stderr:?}");
    }
}

/// As from `<(sops -d config.yaml)`: it can be read only once, and both sides need it.
#[cfg(target_os = "linux")]
#[test]
fn a_config_from_a_pipe_is_as_good_as_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o}}]\n";
    fs::write(folder.path().join("c.yaml"), config).expect("a file");
    let with = |config| {
        ["compare", "--config", config, "--rate", "9/h", "--runs=2", "-q", "--set", "hours=1", "--format=json"]
    };
    let (code, from_file, stderr) = outcome(folder.path(), &with("c.yaml"));
    assert_eq!(code, 0, "{stderr}");
    let mut command = Command::cargo_bin("billcast").expect("the program");
    let output =
        command.current_dir(folder.path()).args(with("/dev/stdin")).write_stdin(config).output().expect("it runs");
    let piped = String::from_utf8_lossy(&output.stdout).replace("/dev/stdin", "c.yaml").replace("\"stdin\"", "\"c\"");
    assert_eq!(piped, from_file, "{}", String::from_utf8_lossy(&output.stderr));
}

//! Hostile input and output through the binary: whatever comes, the end is a clear error or a result; never a panic, a
//! hang, a flood of text, or gigabytes of memory.

#![cfg(unix)]

use std::fs::{self, File};
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Address space that the program may have, in KiB. What it needs is far below.
const MEMORY_KIB: u32 = 1024 * 1024;
/// Seconds of the processor until the program counts as hanging: on a loaded machine they take longer on the clock.
const BUSY_S: u32 = 30;
/// Seconds on the clock until it counts as waiting for what never comes.
const PATIENCE_S: u32 = 300;
/// More than this is no message but a flood.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// Every command that reads a file, with the place of the file.
const READERS: [&[&str]; 7] = [
    &["init", "--stdout", "FILE"],
    &["cost", "--batch", "FILE"],
    &["prices", "--prices", "FILE"],
    &["check", "FILE"],
    &["trace", "FILE"],
    &["run", "--quiet", "--runs", "1", "FILE"],
    &["run", "--quiet", "--runs", "1", "--rate", "1/min", "--hours", "1", "--config", "FILE"],
];

/// The program with its memory and time bounded by the shell.
fn billcast(arguments: &[&str]) -> Command {
    let script = format!("ulimit -v {MEMORY_KIB}; ulimit -t {BUSY_S}; exec timeout {PATIENCE_S} \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_billcast")]).args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    billcast(arguments).output().expect("a shell")
}

/// What must hold whatever the input was; says what does not.
fn fault(output: &Output) -> Option<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let told = &stderr[..stderr.floor_char_boundary(500)];
    if stderr.contains("panicked") || stderr.contains("overflowed its stack") {
        return Some(format!("panics: {told}"));
    }
    let told_bytes = stderr.len().max(if output.status.code() == Some(3) { output.stdout.len() } else { 0 });
    if told_bytes > LONGEST_MESSAGE {
        return Some(format!("complains with {told_bytes} bytes"));
    }
    match output.status.code() {
        Some(0) => None,
        Some(2) if stderr.contains("error") => None,
        // `check` prints what it finds on stdout and ends with 3.
        Some(3) if !output.stdout.is_empty() => None,
        _ => Some(format!("ends with {}: {told}", output.status)),
    }
}

fn assert_clean(what: &str, output: &Output) {
    let fault = fault(output);
    assert!(fault.is_none(), "{what}: {}", fault.unwrap_or_default());
}

/// Gives a file to every command that reads one; says which of them fail.
fn faults_of_readers(file: &Path) -> Vec<String> {
    let is_for_prices = file.extension().is_some_and(|extension| extension == "json" || extension == "csv");
    let file = file.to_str().expect("a readable name");
    let mut faults = Vec::new();
    for reader in READERS {
        // Only price files are read by their extension.
        if is_for_prices && reader[0] != "prices" {
            continue;
        }
        let arguments: Vec<&str> = reader.iter().map(|a| if *a == "FILE" { file } else { a }).collect();
        faults.extend(fault(&run(&arguments)).map(|fault| format!("`{}` {fault}", reader[0])));
    }
    faults
}

fn repeated(text: &str, times: usize) -> Vec<u8> {
    text.as_bytes().repeat(times)
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// `&a0 [x, x]`, then each level twice the one before: 2^levels nodes if the aliases were written out.
fn alias_bomb(levels: usize) -> Vec<u8> {
    let mut text = String::from("a0: &a0 [lol, lol]\n");
    for level in 1..=levels {
        let below = level - 1;
        text.push_str(&format!("a{level}: &a{level} [*a{below}, *a{below}]\n"));
    }
    text.into_bytes()
}

/// Texts of all kinds; each goes to every reader, whatever that reads normally.
fn hostile_texts() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", Vec::new()),
        ("blanks", repeated(" \n", 1_000)),
        ("a byte order mark", b"\xef\xbb\xbf".to_vec()),
        ("NULs", vec![0; 4_096]),
        ("invalid UTF-8", joined(&[b"model_list:\n  - model_name: \"", b"\xff\xfe\xc3", b"\"\n"])),
        ("half a character at the end", b"a: \xe2\x82".to_vec()),
        ("UTF-16", "model_list: []".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("deep flow lists", repeated("[", 200_000)),
        ("deep flow maps", repeated("{\"a\":", 200_000)),
        ("deep closed lists", joined(&[&repeated("[", 50_000), &repeated("]", 50_000)])),
        ("deep block lists", repeated("- ", 200_000)),
        ("deep indentation", (0..3_000).flat_map(|n| [vec![b' '; n], b"a:\n".to_vec()].concat()).collect()),
        ("an alias bomb", alias_bomb(60)),
        ("a merge bomb", b"a: &a {b: 1, <<: *a}\n".to_vec()),
        ("an alias of itself", b"a: &a [*a]\n".to_vec()),
        ("duplicate keys", repeated("model_list: []\n", 2_000)),
        ("many keys", (0..100_000).flat_map(|n| format!("k{n}: 1\n").into_bytes()).collect()),
        ("many documents", repeated("---\na: 1\n", 50_000)),
        (
            "huge numbers",
            b"a: 1e999999999\nb: 99999999999999999999999999999999999999999999\nc: -.inf\nd: .nan\n".to_vec(),
        ),
        ("a number of a million digits", repeated("9", 1_000_000)),
        ("a fraction of a million digits", joined(&[b"0.", &repeated("3", 1_000_000)])),
        ("JSON with huge numbers", b"{\"a\": {\"input_cost_per_token\": 1e400, \"mode\": \"chat\"}}".to_vec()),
        ("JSON with a price below zero", b"{\"a\": {\"input_cost_per_token\": -1, \"mode\": \"chat\"}}".to_vec()),
        ("JSON with NaN", b"{\"a\": {\"input_cost_per_token\": NaN}}".to_vec()),
        ("JSON with a lone surrogate", b"{\"a\": \"\\ud800\"}".to_vec()),
        ("an open quote", joined(&[b"a: \"", &repeated("x", 1_000_000)])),
        ("an open CSV quote", joined(&[b"model,prompt_tokens,completion_tokens\n\"", &repeated("x\n", 500_000)])),
        ("a line of 8 MiB", repeated("x", 8 << 20)),
        ("a line of 17 MiB", repeated("x", 17 << 20)),
        ("a million commas", repeated(",", 1_000_000)),
        ("escapes for a terminal", b"\x1b]0;title\x07: \x1b[2J\n".to_vec()),
        ("a tag that asks for code", b"a: !!python/object/apply:os.system ['id']\n".to_vec()),
        ("tokens out of range", b"model,prompt_tokens,completion_tokens\ngpt-4o,-1,99999999999999999999\n".to_vec()),
        (
            "most of a config",
            b"model_list: [{model_name: [1], litellm_params: 3}, null, {litellm_params: {rpm: .inf}}]".to_vec(),
        ),
        (
            "settings of wrong types",
            b"model_list: 1\nrouter_settings: [x]\nlitellm_settings: text\ngeneral_settings: 1.5\n".to_vec(),
        ),
    ]
}

#[test]
fn hostile_texts_end_cleanly() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut faults = Vec::new();
    for (what, bytes) in hostile_texts() {
        for extension in ["yaml", "json", "csv"] {
            let file = dir.path().join(format!("hostile.{extension}"));
            fs::write(&file, &bytes).expect("a written file");
            faults.extend(faults_of_readers(&file).into_iter().map(|fault| format!("{what} as {extension}: {fault}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_gigabyte_of_one_line_is_refused_before_it_is_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("large.yaml");
    File::create(&file).and_then(|file| file.set_len(1 << 30)).expect("a sparse file");
    assert_eq!(faults_of_readers(&file), [""; 0]);
}

/// What takes time for each pair of deployments takes minutes here.
#[test]
fn many_deployments_are_no_hang() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("config.yaml");
    let entries = "- {model_name: a, litellm_params: {model: openai/gpt-4o}}\n".repeat(60_000);
    fs::write(&config, format!("model_list:\n{entries}")).expect("a written file");
    assert_clean("check", &run(&["check", config.to_str().expect("a readable name")]));
}

#[test]
fn things_that_are_no_files_end_cleanly() {
    let dir = tempfile::tempdir().expect("a directory");
    let here = |name: &str| dir.path().join(name);
    std::os::unix::fs::symlink(here("loop"), here("loop")).expect("a link");
    let odd: [PathBuf; 6] = [
        dir.path().to_owned(),
        here("missing"),
        here("loop"),
        PathBuf::from("/dev/zero"),
        PathBuf::from("/dev/null"),
        here(&"long".repeat(1_000)),
    ];
    for path in odd {
        assert_eq!(faults_of_readers(&path), [""; 0], "{}", path.display());
    }
}

#[test]
fn endless_stdin_ends() {
    let zero = File::open("/dev/zero").expect("/dev/zero");
    let output = billcast(&["cost", "--batch", "-"]).stdin(zero).output().expect("a shell");
    assert_clean("/dev/zero as stdin", &output);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn arguments_out_of_range_are_refused() {
    let hostile: [&[&str]; 7] = [
        &["cost", "--model", "gpt-4o", "--prompt-tokens", "99999999999999999999"],
        &["cost", "--model", "gpt-4o", "--prompt-tokens", "-1"],
        &["cost", "--model", "gpt-4o", "--prompt-tokens", "NaN"],
        &["cost", "--model", ""],
        &["cost", "--model", "\u{1b}[2J"],
        &["prices", "\u{0}x".trim_start_matches('\0')],
        &["no-such-command"],
    ];
    for arguments in hostile {
        let output = run(arguments);
        assert_clean(&format!("{arguments:?}"), &output);
        assert!(!output.stderr.contains(&0x1b), "{arguments:?}: an escape sequence reaches the terminal");
    }
    let largest = ["cost", "--model", "gpt-4o", "--prompt-tokens", "4294967295", "--completion-tokens", "4294967295"];
    assert_eq!(run(&largest).status.code(), Some(0), "the largest number of tokens has a price");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in [&["prices", "--all"][..], &["schema"], &["--help"], &["completions", "bash"]] {
        let mut child = billcast(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("an end");
        assert_clean(&format!("{arguments:?} into a closed pipe"), &output);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said() {
    for arguments in [&["prices", "--all"][..], &["schema"], &["completions", "bash"]] {
        let full = File::options().write(true).open("/dev/full").expect("/dev/full");
        let output = billcast(arguments).stdout(full).stderr(Stdio::piped()).output().expect("a shell");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.contains("space"), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
}

#[test]
fn nobody_listening_at_all_ends_cleanly() {
    for arguments in [&["prices", "no-such-model"][..], &["--no-such-flag"]] {
        let mut child = billcast(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell");
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().expect("an end").code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_target_that_cannot_be_written_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("config.yaml");
    let entry = "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o}}]\n";
    File::create(&config).and_then(|mut file| file.write_all(entry.as_bytes())).expect("a config");
    // A directory where the file should go, with something in it, cannot be replaced even by root.
    fs::create_dir_all(dir.path().join("scenario.yaml/taken")).expect("a directory");
    let output = run(&["init", "--force", config.to_str().expect("a readable name")]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cannot write"), "{stderr}");
    let mut names: Vec<_> =
        fs::read_dir(dir.path()).expect("entries").map(|e| e.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["config.yaml", "scenario.yaml"]);
}

/// Files of a scenario in a folder of their own.
fn scenario(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let gateway = "model_list:\n- { model_name: m, litellm_params: { model: openai/gpt-4o, api_key: x } }\n";
    fs::write(folder.path().join("gateway.yaml"), gateway).unwrap();
    fs::write(folder.path().join("scenario.yaml"), format!("gateway: gateway.yaml\n{text}")).unwrap();
    folder
}

/// Says what it complains about.
fn complaint(arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(arguments);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_gigabyte_is_no_part_before_it_is_read() {
    let (folder, a) =
        (tempfile::tempdir().unwrap(), scenario("traffic: { c: { model: m, input: 5, output: 5, rate: 1/h } }\n"));
    let large = folder.path().join("large.part");
    File::create(&large).unwrap().set_len(1 << 30).unwrap();
    let (code, said) = complaint(&["run", "--merge", large.to_str().unwrap(), "--", a.path().to_str().unwrap()]);
    assert!(code == Some(2) && said.contains("its first line does not end"), "{said}");
}

#[test]
fn a_scenario_that_cannot_be_read_is_told_by_check_as_well() {
    let (a, broken) =
        (scenario("traffic: { c: { model: m, input: 5, output: 5, rate: 1/h } }\n"), scenario("traffic: 5\n"));
    let config = a.path().join("gateway.yaml");
    let (code, said) = complaint(&["check", config.to_str().unwrap(), "--scenario", broken.path().to_str().unwrap()]);
    assert!(code == Some(2) && said.contains("scenario.yaml"), "{said}");
    let (code, said) = complaint(&["check", config.to_str().unwrap(), "--scenario", "nowhere"]);
    assert!(code == Some(2) && said.contains("`nowhere`"), "{said}");
}

#[test]
fn budgets_end_with_the_calendar() {
    for (start, period) in [("-009999-01-02 00:00 Pacific/Kiritimati", "1mo"), ("9998-12-30 23:00", "9999999d")] {
        let text = format!(
            "hours: 24\nstart: '{start}'\nkeys: {{ k: {{ max_budget: 1, budget_duration: {period} }} }}\n\
             traffic: {{ c: {{ model: m, key: k, input: 5, output: 5, rate: 1/h }} }}\n"
        );
        let folder = scenario(&text);
        let (code, said) = complaint(&["run", "--quiet", "--runs", "1", folder.path().to_str().unwrap()]);
        // The calendar may end; a period that the message itself names is none of the causes.
        assert!(code == Some(0) || said.contains("outside the calendar"), "{start} {period}: {said}");
    }
}

#[test]
fn a_file_is_no_folder() {
    let folder = scenario("hours: 1\ntraffic: { c: { model: m, input: 5, output: 5, rate: 1/h } }\n");
    let (scenario, file) = (folder.path().to_str().unwrap(), folder.path().join("gateway.yaml"));
    let (code, said) = complaint(&["run", "--quiet", scenario, "--out", file.to_str().unwrap()]);
    assert!(code == Some(2) && said.contains("it is no folder"), "{said}");
}

#[test]
fn a_hundred_thousand_keys_are_no_hang() {
    let mut text = String::from("hours: 0.1\ntraffic:\n");
    (0..2_000)
        .for_each(|n| text.push_str(&format!("  c{n}: {{ preset: chat, model: m, key: k{}, rate: 1/h }}\n", n * 50)));
    text.push_str("keys:\n");
    (0..100_000).for_each(|n| text.push_str(&format!("  k{n}: {{ rpm_limit: 9, max_budget: 5 }}\n")));
    let folder = scenario(&text);
    assert_clean("many keys", &run(&["run", "--quiet", "--runs", "1", folder.path().to_str().unwrap()]));
}

#[test]
fn of_many_mistakes_the_first_are_told() {
    let keys: Vec<String> = (0..30_000).map(|n| format!("k{n}: 1")).collect();
    let text = format!("model_list: [{}]\nlitellm_settings: {{{}}}\n", ["x"; 30_000].join(","), keys.join(", "));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.yaml");
    fs::write(&file, text).unwrap();
    assert_clean("many mistakes", &run(&["check", file.to_str().unwrap()]));
    let output = run(&["check", "--format", "json", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stdout).unwrap();
    for severity in ["error", "warning"] {
        let left_out = format!("20000 more {severity}s from here on are not listed");
        assert_eq!(said.matches(&left_out).count(), 1, "{left_out}");
    }
    assert_eq!(said.matches("\"BC009\"").count(), 2);
    assert_eq!(said.matches("\"BC201\"").count(), 10_000, "unknown keys that are told");
}

/// Writes a config and checks it.
fn check_config(name: &str, text: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, text).unwrap();
    run(&["check", file.to_str().unwrap()])
}

/// Entries of a `model_list` with groups of their own.
fn groups(count: usize, model: &str) -> String {
    (0..count).map(|n| format!("- {{model_name: m{n}, litellm_params: {{model: {model}}}}}\n")).collect()
}

/// What looks for a group among all of them, for each of them, takes minutes here.
#[test]
fn many_groups_are_no_hang() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.yaml");
    fs::write(&file, format!("model_list:\n{}", groups(100_000, "openai/gpt-4o"))).unwrap();
    for command in [&["check"][..], &["init", "--stdout"]] {
        assert_clean("many groups", &run(&[command, &[file.to_str().unwrap()]].concat()));
    }
}

/// What writes every list of fallbacks again for each of its entries takes minutes here, and gigabytes.
#[test]
fn many_dear_fallbacks_are_no_hang() {
    let cheap = "- {model_name: cheap, litellm_params: {model: openai/gpt-4o-mini}}\n";
    let names: Vec<String> = (0..8_000).map(|n| format!("m{n}")).collect();
    let dear = groups(names.len(), "openai/gpt-4o");
    let one_list = format!("{{cheap: [{}]}}", names.join(", "));
    let text = format!("model_list:\n{cheap}{dear}router_settings: {{fallbacks: [{one_list}]}}\n");
    assert_clean("one list", &check_config("gateway.yaml", &text));
    let lists: Vec<String> = names.iter().map(|name| format!("{{{name}: [dear]}}")).collect();
    let (cheap, dear) = (groups(names.len(), "openai/gpt-4o-mini"), dear.replacen("m0", "dear", 1));
    let dear = dear.lines().next().unwrap_or_default();
    let text = format!("model_list:\n{cheap}{dear}\nrouter_settings: {{fallbacks: [{}]}}\n", lists.join(", "));
    assert_clean("many lists", &check_config("gateway.yaml", &text));
}

/// What follows a chain of fallbacks by calling itself runs out of its stack here.
#[test]
fn a_chain_of_many_fallbacks_ends() {
    let lists: Vec<String> = (0..80_000).map(|n| format!("{{m{n}: [m{}]}}", n + 1)).collect();
    let groups = groups(lists.len() + 1, "openai/gpt-4o");
    let settings = format!("router_settings: {{max_fallbacks: 1000000, fallbacks: [{}]}}\n", lists.join(", "));
    assert_clean("a chain", &check_config("gateway.yaml", &format!("model_list:\n{groups}{settings}")));
}

/// What looks for secrets in all of a line, for each finding in it, takes minutes here.
#[test]
fn many_mistakes_in_one_long_line_are_no_hang() {
    let keys: Vec<String> = (0..400_000).map(|n| format!("\"key-{n}\": 1")).collect();
    let output = check_config("gateway.json", &format!("{{{}}}", keys.join(", ")));
    assert_clean("one line", &output);
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 | ***\n"), "nothing of a long line is quoted");
}

#[test]
fn more_values_than_are_kept_are_refused() {
    for (name, text) in [
        ("gateway.yaml", format!("model_list: [{}]\n", "[],".repeat(5_000_000))),
        ("gateway.yaml", "a: 1\n".repeat(3_000_000)),
        ("gateway.json", format!("{{\"model_list\": [{}[]]}}", "{},".repeat(5_000_000))),
    ] {
        let output = check_config(name, &text);
        assert_clean(name, &output);
        let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("more than 2000000 values"), "{said}");
    }
}

#[test]
fn paths_deeper_than_files_are_refused() {
    let folder = scenario("hours: 1\ntraffic: { c: { model: m, input: 5, output: 5, rate: 1/h } }\n");
    let deep = format!("gateway{}=1", ".x".repeat(20_000));
    for flag in ["--set", "--vary"] {
        let command = if flag == "--vary" { "sweep" } else { "run" };
        let (code, said) = complaint(&[command, "--quiet", folder.path().to_str().unwrap(), flag, &deep]);
        assert!(code == Some(2) && said.contains("more than 128 steps"), "{said}");
    }
}

/// What is given and not used must be told: the figures would be those of something else.
#[test]
fn flags_that_would_do_nothing_are_refused() {
    let folder = scenario("hours: 1\ntraffic: { c: { model: m, input: 5, output: 5, rate: 1/h } }\n");
    let (here, config) = (folder.path().to_str().unwrap(), folder.path().join("gateway.yaml"));
    for (arguments, says) in [
        (&["run", here, "--rate", "1/h"][..], "--set traffic.CLASS.rate="),
        (&["run", here, "--rate", "1/h", "--hours", "5"], "--set traffic.CLASS.rate="),
        (&["explain", here, "--hours", "5"], "--config"),
        (&["check", here, "--rate", "1/h"], "--rate goes with"),
        (&["check", config.to_str().unwrap(), "--rate", "1/h"], "--rate goes with"),
        (&["check", config.to_str().unwrap(), "--scenario", here, "--rate", "1/h"], "--rate"),
    ] {
        let (code, said) = complaint(arguments);
        assert!(code == Some(2) && said.contains(says), "{arguments:?}: {said}");
    }
}

#[test]
fn a_pipe_that_nobody_writes_into_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut child = billcast(&["check", pipe.to_str().unwrap()]).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    std::io::BufReader::new(child.stderr.take().unwrap()).read_line(&mut told).unwrap();
    assert!(told.starts_with("waiting for the other end of the pipe"), "{told}");
    // Somebody comes after all.
    fs::write(&pipe, "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o}}]\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn whole_numbers_have_no_end_in_python() {
    let with = |key: &str| {
        format!(
            "model_list: [{{model_name: a, litellm_params: {{model: openai/gpt-4o, {key}: {}}}}}]\n",
            "9".repeat(30)
        )
    };
    for key in ["rpm", "tpm", "max_parallel_requests"] {
        assert_eq!(check_config("gateway.yaml", &with(key)).status.code(), Some(0), "{key}");
    }
}

//! Every recorded case is played and compared with what the real LiteLLM proxy did: one test a case.
//!
//! The rules are those of `conformance/compare_trace.py`. A harness of its own finds the cases, so that a recording
//! that is added is a test at once; `cargo test --test conformance NAME` plays those whose name contains NAME.

use serde_json::Value;
use std::collections::HashMap;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Tolerances in seconds.
const ATTEMPT_SECS: f64 = 0.005;
const END_SECS: f64 = 0.010;
const EPSILON: f64 = 1e-6;

/// Cases that are not reproduced, with the reason.
const NOT_REPRODUCED: [(&str, &str); 0] = [];

/// A case and its recording.
struct Case {
    name: String,
    case: PathBuf,
    trace: PathBuf,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let cases: Vec<Case> = all_cases()
        .into_iter()
        .filter(|case| filters.is_empty() || filters.iter().any(|filter| case.name.contains(filter.as_str())))
        .collect();
    if arguments.iter().any(|argument| argument == "--list") {
        cases.iter().for_each(|case| println!("{}: test", case.name));
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", cases.len());
    let failures = play_all(&cases);
    if !failures.is_empty() {
        println!("\nfailures:");
        failures.iter().for_each(|(name, difference)| println!("    {name}: {difference}"));
    }
    let (verdict, failed) = if failures.is_empty() { ("ok", 0) } else { ("FAILED", failures.len()) };
    let passed = cases.len() - failed;
    println!("\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out\n");
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

/// Every case that has a recording.
fn all_cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut cases = Vec::new();
    for (prefix, folder) in [("hand", root.clone()), ("random", root.join("random"))] {
        let Ok(entries) = std::fs::read_dir(folder.join("cases")) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            let Some(name) = path.file_name() else { continue };
            let trace = folder.join("traces").join(name);
            if trace.exists() {
                let name = format!("{prefix}::{}", path.file_stem().unwrap_or_default().to_string_lossy());
                cases.push(Case { name, case: path, trace });
            }
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// Plays all cases on all cores; says which differ, and where first.
fn play_all(cases: &[Case]) -> Vec<(String, String)> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = catch_unwind(|| check(case)).unwrap_or_else(|_| Err("it panicked".to_owned()));
                    let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
                    println!("test {} ... {verdict}", case.name);
                    if let (Err(difference), Ok(mut failures)) = (outcome, failures.lock()) {
                        failures.push((case.name.clone(), difference));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap_or_default();
    failures.sort();
    failures
}

/// A case is reproduced, or listed as not reproduced (and then it must differ).
fn check(case: &Case) -> Result<(), String> {
    let difference = difference(case)?;
    let listed = NOT_REPRODUCED.iter().find(|(name, _)| case.name.ends_with(name));
    match (difference, listed) {
        (None, None) | (Some(_), Some(_)) => Ok(()),
        (Some(difference), None) => Err(difference),
        (None, Some((_, reason))) => Err(format!("reproduced, but listed as not: {reason}")),
    }
}

/// The first difference between our trace and the recording.
fn difference(case: &Case) -> Result<Option<String>, String> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let text = read(&case.case)?;
    let expected: Value = serde_json::from_str(&read(&case.trace)?).map_err(|error| error.to_string())?;
    let file = case.case.file_name().unwrap_or_default().to_string_lossy();
    let got = billcast::report::trace(&file, &text)
        .map_err(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?
        .0
        .to_json();
    Ok(requests_differ(&expected, &got).or_else(|| cooldowns_differ(&expected, &got)))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn requests_differ(expected: &Value, got: &Value) -> Option<String> {
    let (expected, got) = (list(expected, "requests"), list(got, "requests"));
    if expected.len() != got.len() {
        return Some(format!("{} requests instead of {}", got.len(), expected.len()));
    }
    let by_id: HashMap<&str, &Value> =
        got.iter().filter_map(|request| Some((request["id"].as_str()?, request))).collect();
    let mut in_time: Vec<&Value> = expected.iter().collect();
    in_time.sort_by(|a, b| a["t"].as_f64().unwrap_or(0.0).total_cmp(&b["t"].as_f64().unwrap_or(0.0)));
    in_time.into_iter().find_map(|request| {
        let id = request["id"].as_str().unwrap_or_default();
        match by_id.get(id) {
            None => Some(format!("{id}: missing")),
            Some(other) => request_differs(request, other).map(|difference| format!("{id}: {difference}")),
        }
    })
}

fn request_differs(expected: &Value, got: &Value) -> Option<String> {
    let (ours, theirs) = (list(got, "attempts"), list(expected, "attempts"));
    for (at, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
        let differs = |key: &str, same: bool| {
            (!same).then(|| format!("attempt {}: {key} {} instead of {}", at + 1, ours[key], theirs[key]))
        };
        let found = differs("dep", theirs["dep"] == ours["dep"])
            .or_else(|| differs("t", near(&theirs["t"], &ours["t"], ATTEMPT_SECS)))
            .or_else(|| differs("status", same_status(&theirs["status"], &ours["status"])))
            .or_else(|| differs("end", near(&theirs["end"], &ours["end"], ATTEMPT_SECS)));
        if found.is_some() {
            return found;
        }
    }
    if theirs.len() != ours.len() {
        return Some(format!("{} attempts instead of {}", ours.len(), theirs.len()));
    }
    let differs = |key: &str, same: bool| (!same).then(|| format!("{key} {} instead of {}", got[key], expected[key]));
    let status = &expected["http_status"];
    differs("outcome", expected["outcome"] == got["outcome"])
        .or_else(|| differs("dep", expected["dep"] == got["dep"]))
        .or_else(|| differs("http_status", status.is_null() || same_status(status, &got["http_status"])))
        .or_else(|| differs("t", near(&expected["t"], &got["t"], END_SECS)))
        .or_else(|| differs("end", near(&expected["end"], &got["end"], END_SECS)))
}

/// The same cooldowns, in any order.
fn cooldowns_differ(expected: &Value, got: &Value) -> Option<String> {
    let mut left: Vec<&Value> = list(got, "cooldowns").iter().collect();
    for theirs in list(expected, "cooldowns") {
        let is_same = |ours: &&Value| {
            theirs["dep"] == ours["dep"]
                && near(&theirs["t"], &ours["t"], END_SECS)
                && (theirs["expires"].is_null() || near(&theirs["expires"], &ours["expires"], END_SECS))
        };
        match left.iter().position(is_same) {
            Some(at) => drop(left.remove(at)),
            None => return Some(format!("no cooldown of {} at {}", theirs["dep"], theirs["t"])),
        }
    }
    left.first().map(|ours| format!("a cooldown of {} at {} too many", ours["dep"], ours["t"]))
}

fn near(a: &Value, b: &Value, tolerance: f64) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= tolerance + EPSILON,
        _ => a.is_null() && b.is_null(),
    }
}

/// 200 and "200" are the same; words stay words.
fn same_status(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

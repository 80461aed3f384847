//! A run in which too much is in flight, or waits to be sent again, ends with an error that says so: the same on any
//! number of threads, and within bounded memory.

#![cfg(unix)]

mod support;

use std::fs;
use std::process::{Command, Output, Stdio};

const GATEWAY: &str = "
model_list:
  - { model_name: m, litellm_params: { model: openai/gpt-4o, api_key: x } }
";
/// Kibibytes of address space for two threads with a run each.
const MEMORY_KIB: u32 = 5 * 1024 * 1024;

fn run(scenario: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gateway.yaml"), GATEWAY).unwrap();
    let scenario = format!("gateway: gateway.yaml\nhours: 0.0167\nvolume_uncertainty: 0\n{scenario}");
    fs::write(folder.path().join("scenario.yaml"), scenario).unwrap();
    let script = format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_billcast")]).args(arguments);
    command.arg("--quiet").arg(folder.path()).stdin(Stdio::null()).output().expect("a shell")
}

fn assert_overfull(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("more than 1048576 requests in flight at once") && stderr.contains("help: "), "{stderr}");
    assert!(output.stdout.is_empty(), "nothing is said of runs that have not come to their end");
}

/// Calls that hang for hours, and the SDK's retries of calls that fail.
const HANGING: &str = "
traffic: { c: { model: m, rate: 200k/s, input: 10, output: 10 } }
upstream: { openai: { preset: none, latency: 1, errors: { hang: 100% } } }
";

#[test]
fn calls_that_hang_end_the_run_on_any_number_of_threads() {
    let one = run(HANGING, &["run", "--runs", "1", "--threads", "1"]);
    let two = run(HANGING, &["run", "--runs", "2", "--threads", "2"]);
    assert_overfull(&one);
    assert_overfull(&two);
    assert_eq!(one.stderr, two.stderr);
}

#[test]
fn commands_that_search_end_as_well() {
    for command in [
        &["explain", "--runs", "1"][..],
        &["plan", "--runs", "1"],
        &["compare", "--runs", "1", "--set", "gateway.router_settings.num_retries=1"],
        &["sweep", "--runs", "1", "--vary", "upstream.openai.latency=1,2"],
        &["solve", "--runs", "1", "--vary", "upstream.openai.latency=1..2", "--target", "bill=1"],
    ] {
        assert_overfull(&run(HANGING, command));
    }
}

#[test]
fn requests_that_are_sent_again_much_later_end_the_run() {
    let scenario = "
traffic: { c: { model: m, rate: 400k/s, input: 10, output: 10, retries: { most: 9, first: 100, longest: 100 } } }
upstream: { openai: { preset: none, latency: 1, errors: { 400: 100% }, error_answer: 0 } }
";
    // 400 is final for SDKs; 503 is not.
    assert!(run(&scenario.replace("400k", "40k"), &["run", "--runs", "1"]).status.success());
    assert_overfull(&run(&scenario.replace("400: 100%", "503: 100%"), &["run", "--runs", "1"]));
}

#[test]
fn what_fits_is_played() {
    // All requests of a minute are in flight at its end, some 600,000.
    let scenario = "
traffic: { c: { model: m, rate: 10k/s, input: 10, output: 10 } }
upstream: { openai: { preset: none, latency: 1, errors: { hang: 100% } } }
";
    assert!(run(scenario, &["run", "--runs", "1"]).status.success());
}

/// Many workers that do not think and are refused in no time send hundreds of millions of requests a second.
#[test]
fn workers_that_flood_the_gateway_end_the_run() {
    let scenario = |workers: u32| {
        format!(
            "keys: {{ k: {{ max_budget: 0.000001 }} }}\n\
             traffic: {{ c: {{ model: m, key: k, workers: {{ count: {workers}, think: 0 }}, input: 10, output: 10 }} }}\n"
        )
    };
    let output = run(&scenario(200_000), &["run", "--runs", "1"]);
    assert_overfull(&output);
    assert!(String::from_utf8_lossy(&output.stderr).contains("do not think"));
    assert!(run(&scenario(10), &["run", "--runs", "1"]).status.success());
}

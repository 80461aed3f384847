//! What is published, held against what is simulated: every claim stands as its file says, and the document that shows
//! them is the one that the program writes.

use std::collections::BTreeSet;
use std::path::Path;

use assert_cmd::Command;
use billcast::scenario::{builtins, read_claims};

fn billcast(args: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("billcast").unwrap().args(args).env("NO_COLOR", "1").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_document_is_what_the_scenarios_give() {
    let (code, document, stderr) = billcast(&["claims", "--format", "markdown", "--quiet"]);
    let off: Vec<&str> = document.lines().filter(|line| line.contains("| OFF")).collect();
    assert!(code == 0 && off.is_empty(), "figures that are off: {off:#?}\n{stderr}");
    let committed = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/war-stories.md")).unwrap();
    let differs = document.lines().zip(committed.lines()).find(|(now, then)| now != then);
    assert!(
        document == committed,
        "docs/war-stories.md is not what the scenarios give: {differs:#?}\n\
         look at the difference, and if it is meant: cargo run -- claims --format markdown > docs/war-stories.md"
    );
}

#[test]
fn every_story_is_told() {
    let told: BTreeSet<String> = builtins()
        .filter(|builtin| builtin.has_claims())
        .filter_map(|builtin| read_claims(builtin.name).unwrap().file.story)
        .collect();
    for story in ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"] {
        assert!(told.contains(story), "no scenario tells story {story}");
    }
}

/// So every scenario file is run by the test of the document.
#[test]
fn every_variant_is_read_by_a_claim() {
    for builtin in builtins() {
        let read: Vec<String> = match builtin.has_claims() {
            true => read_claims(builtin.name).unwrap().variants().into_iter().flatten().collect(),
            false => Vec::new(),
        };
        let idle: Vec<&str> = builtin.variants().into_iter().filter(|name| !read.iter().any(|r| r == name)).collect();
        assert!(idle.is_empty(), "{}: no claim reads {idle:?}", builtin.name);
        let is_bench = builtin.name.starts_with("bench-");
        assert!(builtin.has_claims() || is_bench, "{} has no claims.yaml", builtin.name);
    }
}

/// A scenario of a single model without any trouble.
fn plain_scenario() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    put("gateway.yaml", "model_list: [{model_name: m, litellm_params: {model: openai/gpt-4o}}]\n");
    put(
        "scenario.yaml",
        "gateway: gateway.yaml\nhours: 1\nruns: 4\ntraffic: {a: {model: m, rate: 1/min, input: 1000, output: 100}}\n\
         upstream: {openai: {preset: none, latency: 1}}\n",
    );
    dir
}

#[test]
fn a_claim_that_is_off_ends_with_3() {
    let dir = plain_scenario();
    let claims = |published: &str, path: &str| {
        std::fs::write(
            dir.path().join("claims.yaml"),
            format!(
                "title: t\nsays: s\nfinds: f\nclaims:\n  - {{ figure: cost of a request, unit: usd, published: {published}, \
                 simulated: bill.mean / {path}, agrees: published }}\n"
            ),
        )
        .unwrap();
        billcast(&["claims", dir.path().to_str().unwrap(), "--format", "json"])
    };
    // 1000 input tokens at 2.50 and 100 output tokens at 10 dollars a million, whatever the number of requests.
    let (code, stdout, _) = claims("0.0035", "requests.mean");
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert!(code == 0 && json["holds"] == true && json["stories"][0]["claims"][0]["unit"] == "usd", "{stdout}");
    assert_eq!(claims("0.0030", "requests.mean").0, 3);
    let (code, _, stderr) = claims("1", "requests.medium");
    assert!(code == 2 && stderr.contains("there is no `medium`; possible here: mean"), "{stderr}");
}

/// What has no value is neither off nor as published.
#[test]
fn a_claim_that_cannot_be_computed_ends_with_11() {
    let dir = plain_scenario();
    let claims = |lines: &[&str], format: &str| {
        let line = |line: &&str| format!("  - {{ figure: f, unit: usd, published: 5, {line} }}\n");
        let lines: String = lines.iter().map(line).collect();
        let text = format!("title: t\nsays: s\nfinds: f\nclaims:\n{lines}");
        std::fs::write(dir.path().join("claims.yaml"), text).unwrap();
        billcast(&["claims", dir.path().to_str().unwrap(), "--quiet", "--format", format])
    };
    let by_failures = "simulated: failure_rate.mean / failure_rate.mean, because: b";
    let by_zero = "simulated: bill.mean / 0, agrees: published";
    let (code, stdout, stderr) = claims(&[by_failures, by_zero], "json");
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert!(code == 11 && json["holds"].is_null() && json["not_computed"] == 2, "{code} {stdout} {stderr}");
    assert!(json["partial"] == false && json["not_simulated"] == 0, "{stdout}");
    for line in json["stories"][0]["claims"].as_array().unwrap() {
        assert!(line["simulated"].is_null() && line["holds"].is_null(), "{line}");
        assert_eq!(line["verdict"], "not computed: it divides by zero");
    }
    let (code, stdout, _) = claims(&[by_failures, by_zero], "text");
    let summary = "2 figures: 0 as published, 0 as the story's own figures say, 0 where no agreement is expected, \
                   2 that could not be computed\n";
    assert!(code == 11 && stdout.ends_with(summary) && !stdout.contains("OFF"), "{stdout}");
    let (code, stdout, _) = claims(&[by_zero, "simulated: bill.mean, agrees: published"], "text");
    assert!(code == 3 && stdout.contains("1 OFF, 1 that could not be computed"), "{stdout}");
    let (code, stdout, _) = claims(&[by_zero, "simulated: 5, agrees: published"], "markdown");
    assert!(code == 11 && stdout.contains("| – | not computed: it divides by zero |"), "{stdout}");
}

//! What the commands print is what the schemas of `docs/` say, key by key: nothing is missing and nothing is new.

use assert_cmd::Command;
use billcast::units::WhyNot;
use serde_json::{Value, json};

/// What a command prints as JSON.
fn printed(args: &str, more: &[&str]) -> Value {
    let args = args.split_whitespace().chain(more.iter().copied()).chain(["--format", "json"]);
    let output = Command::cargo_bin("billcast").expect("the program").args(args).output().expect("an end");
    let shown = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {shown}"))
}

/// A schema as the program prints it, refusing keys that it does not name.
fn schema(of: &str) -> Value {
    let output = Command::cargo_bin("billcast").expect("the program").args(["schema", of]).output().expect("an end");
    let mut schema = serde_json::from_slice(&output.stdout).expect("JSON");
    close(&mut schema);
    schema
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("properties").is_some_and(Value::is_object) && !map.contains_key("additionalProperties") {
                map.insert("additionalProperties".to_owned(), json!(false));
            }
            map.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn holds(of: &str, documents: &[Value]) {
    let schema = schema(of);
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for document in documents {
        let errors: Vec<String> =
            validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{of}: {errors:#?}");
        for key in schema["required"].as_array().expect("required keys") {
            let mut without = document.clone();
            without.as_object_mut().expect("an object").remove(key.as_str().expect("a name"));
            assert!(!validator.is_valid(&without), "{of} without {key}");
        }
    }
}

#[test]
fn plans() {
    let limits = "upstream.openai.limits={rpm: 20, tpm: 30k}";
    let plan = "plan weekend-upward --set hours=2 --runs 3 -q";
    let whole = printed(plan, &["--set", limits, "--provisioned", "gpt-4o=10k@0.01", "--budgets"]);
    assert!(!whole["money_limits"].as_array().expect("a list").is_empty());
    assert!(!whole["commitments"].as_array().expect("a list").is_empty());
    holds("plan", &[whole, printed(plan, &[])]);
}

#[test]
fn explanations() {
    let run = "explain weekend-upward --set hours=12 --runs 4 -q";
    let limited = printed(run, &["--set", "upstream.openai.limits={rpm: 2}", "--at", "p95"]);
    let limits = limited["limits"].as_array().expect("a list");
    assert!(limits.iter().any(|one| one["limit"]["counts"] == "requests a minute"), "{limits:?}");
    let dear = limited["dearest_requests"][0]["request"].as_str().expect("a name").to_owned();
    holds("explanation", &[limited, printed(run, &["--run", "1"]), printed(run, &["--request", &dear])]);
}

#[test]
fn sweeps_and_tornados() {
    let sweep = "sweep weekend-upward --set hours=2 -q";
    let vary = ["--vary", "traffic.chat.rate=10..20/min:2"];
    holds(
        "sweep",
        &[
            printed(sweep, &[&vary[..], &["--runs", "3"]].concat()),
            printed(sweep, &[&vary[..], &["--runs", "1"]].concat()),
        ],
    );
    holds("tornado", &[printed(sweep, &["--tornado", "--runs", "2"])]);
}

#[test]
fn solutions() {
    let solve = "solve weekend-upward --set hours=2 --runs 4 -q --vary";
    let of = |vary: &str, target: &str| printed(solve, &[vary, "--target", target]);
    let found = [
        of("traffic.chat.rate=1..500/min", "bill.mean = 0.5"),
        of("gateway.router_settings.num_retries=0..3", "upstream_calls.mean = 1"),
        of("traffic.chat.rate=1..20/min", "failure_rate.mean = 99%"),
    ];
    let kinds: Vec<&str> = found.iter().filter_map(|one| one["answer"]["kind"].as_str()).collect();
    assert_eq!(kinds, ["at", "nowhere", "nowhere"]);
    assert!(found[0]["answer"]["statistic"]["point"].is_string(), "money is text");
    assert!(found[2]["answer"]["nearest"]["statistic"]["point"].is_number());
    holds("solution", &found);
}

#[test]
fn months() {
    let month = "month weekend-upward --runs 3 -q";
    let bound = printed(month, &["--budget", "60", "--months", "2", "--growth", "5%", "--from", "2026-10"]);
    assert!(bound["months"][1]["over_budget"].is_number(), "{}", bound["months"]);
    let begun = printed(month, &["--from", "2026-10", "--spent", "3.50", "--before", "2026-10-04"]);
    assert_eq!(begun["spent"]["amount"], "3.50");
    holds("months", &[bound, begun, printed(month, &[])]);
}

#[test]
fn rare_weekends() {
    let ask = |question: &str| printed("run weekend-upward --set hours=2 --runs 20 -q --rare", &[question]);
    let (seen, unseen) = (ask("bill > 0"), ask("failure_rate > 99%"));
    assert_eq!((&seen["probability"], &unseen["hits"]), (&json!(1.0), &json!(0)));
    holds("rare", &[seen, unseen]);
}

#[test]
fn verdicts() {
    let printed = printed("claims weekend-sideways free-primary -q", &[]);
    assert_eq!(printed["holds"], true);
    holds("verdicts", &[printed]);
}

/// A reason that the schema does not list would be refused by whoever reads forecasts.
#[test]
fn forecasts_list_every_reason_of_a_refusal() {
    let schema = schema("forecast");
    let listed = schema["$defs"]["why_not"]["properties"]["reason"]["enum"].as_array().expect("a list");
    let reasons: Vec<&str> = WhyNot::ALL.iter().map(|why| why.name()).collect();
    assert_eq!(*listed, reasons);
}

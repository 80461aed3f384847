//! Comparisons, sweeps, searches and policies: what must hold whatever the numbers are, and known answers.

mod support;

use std::path::Path;

use assert_cmd::Command;
use billcast::experiment::{
    Answer, Arm, Axis, Common, Comparison, Design, Gate, Options, Search, Solution, Trial, Unwatched, Values, compare,
    design, forecast, solve, sweep,
};
use billcast::random::Seed;
use billcast::report::compare::{CompareView, artefacts, json, markdown};
use billcast::scenario::{Edit, Overrides, Problem, World, builtins, load};
use serde_json::Value;

fn options(runs: u64) -> Options {
    Options { runs, seed: Seed(3), threads: 2, precision: None, command: "billcast …".to_owned() }
}

fn edited(scenario: &str, edits: &[&str]) -> Result<World, Problem> {
    let edits = edits.iter().map(|text| Edit::parse(text)).collect::<Result<_, _>>()?;
    load(scenario, &Overrides { edits, ..Overrides::default() })
}

fn arm(scenario: &str, edits: &[&str]) -> Arm {
    Arm { label: format!("{scenario} {}", edits.join(" ")), world: edited(scenario, edits).expect("a world") }
}

fn document(comparison: &Comparison) -> Value {
    serde_json::from_slice(&json(&CompareView::new(comparison, &[]))).expect("JSON")
}

/// Every value under a key of this name, wherever it stands.
fn all_under<'a>(key: &str, value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                if name == key {
                    found.push(value);
                }
                all_under(key, value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all_under(key, item, found)),
        _ => {}
    }
}

#[test]
fn a_scenario_compared_with_itself_differs_by_exactly_nothing_anywhere() {
    for scenario in builtins() {
        let sides = || arm(scenario.name, &["hours=2"]);
        let found = document(&compare(&sides(), &[sides()], &options(3), &Unwatched));
        for key in ["delta", "std_error"] {
            let mut all = Vec::new();
            all_under(key, &found["changes"], &mut all);
            assert!(all.len() > 20, "{}", scenario.name);
            let is_zero = |value: &&Value| value.as_str() == Some("0.00") || value.as_f64() == Some(0.0);
            assert!(all.iter().all(is_zero), "{}: {key} {all:?}", scenario.name);
        }
        assert_eq!(found["changes"][0]["direction"], "same");
        assert_eq!(
            (&found["changes"][0]["p_cheaper"]["share"], &found["changes"][0]["p_dearer"]["share"]),
            (&0.0.into(), &0.0.into())
        );
    }
}

#[test]
fn one_retry_more_or_less_is_seen_ten_times_sharper_than_with_independent_seeds() {
    // Rare weekends make most of the variance of a difference: few runs tell little of it. The benchmark sends a
    // weekend's hundred thousand requests; some hours of them are enough here.
    let scenarios =
        [("weekend-upward", &[][..], 400), ("weekend-sideways", &[], 400), ("bench-full", &["hours=4"], 48)];
    for (scenario, edits, runs) in scenarios {
        let fewer = [edits, &["gateway.router_settings.num_retries=1"]].concat();
        let found = compare(&arm(scenario, edits), &[arm(scenario, &fewer)], &options(runs), &Unwatched);
        let bill = &found.changes[0].bill_mean;
        // So many times more runs are a hundred times the variance: ten times the standard error.
        let gain = bill.independent_runs.map_or(f64::INFINITY, |needed| needed as f64 / runs as f64);
        assert!(gain >= 100.0, "{scenario}: {gain} {bill:?}");
    }
}

#[test]
fn the_parts_of_a_difference_sum_to_the_whole() {
    let found = compare(&arm("weekend-upward", &[]), &[arm("weekend-sideways", &[])], &options(8), &Unwatched);
    let change = &found.changes[0];
    let near = |sum: i128| (sum - change.bill_mean.delta.picos()).abs() <= 64;
    assert!(near(change.by_cause.iter().map(|(_, part)| part.delta.picos()).sum()));
    for parts in [&change.by_deployment, &change.by_key, &change.by_class] {
        assert!(near(parts.iter().map(|part| part.bill.delta.picos()).sum()), "{parts:?}");
    }
}

#[test]
fn comparisons_are_what_their_schema_says_and_do_not_depend_on_threads() {
    let schema: Value = serde_json::from_str(include_str!("../docs/comparison.schema.json")).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let sides = [arm("weekend-sideways", &["hours=6"]), arm("weekend-upward", &["hours=6"])];
    let found = |threads| {
        compare(&arm("weekend-upward", &["hours=6"]), &sides, &Options { threads, ..options(40) }, &Unwatched)
    };
    let (one, two) = (found(1), found(2));
    let gate: Gate = "delta.bill.mean > 10%".parse().expect("a policy");
    let rows = &one.base.forecast.runs;
    let verdicts = [gate.judge(billcast::experiment::Level::Warn, "x", Some(rows), &one.changes[0].side.forecast.runs)];
    let view = CompareView::new(&one, &verdicts);
    let document: Value = serde_json::from_slice(&json(&view)).expect("JSON");
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    assert_eq!(artefacts(&CompareView::new(&one, &[])), artefacts(&CompareView::new(&two, &[])));
}

#[test]
fn a_comment_fits_and_nothing_in_a_name_is_markup() {
    let mut other = arm("weekend-upward", &["hours=1"]);
    other.label = format!("<img src=x> | `x` [a](b) @all {}", "long ".repeat(40_000));
    for name in &mut other.world.names.deployments {
        name.name = "| </details> <script> @everyone".repeat(3_000);
    }
    let found = compare(&arm("weekend-upward", &["hours=1"]), &[other], &options(3), &Unwatched);
    let comment = markdown(&CompareView::new(&found, &[]));
    assert!(comment.starts_with("<!-- billcast:compare -->\n"), "{}", &comment[..80]);
    assert!(comment.chars().count() < 65_000);
    for markup in ["<img", "<script", "@all", "@everyone", "](b)"] {
        assert!(!comment.contains(markup), "{markup}");
    }
    let (before, _) = comment.split_once("<details>").expect("folded parts");
    assert_eq!(before.matches("| --- |").count(), 1, "one table is not folded");
}

/// A gateway without failures and traffic without surprises: the mean bill is rate · hours · price of a request.
const LINEAR: &str = "hours: 6
volume_uncertainty: 0
prices: prices.json
traffic: { x: { model: m, rate: 10/min, input: 1000, output: 200, latency_free: 1 } }
";
const PRICES: &str = r#"{"gpt-4o": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2e-6, "output_cost_per_token": 1e-5}}"#;
/// 1,000 tokens at $2 and 200 at $10 a million.
const A_REQUEST: f64 = 0.004;

fn linear(folder: &Path) -> String {
    linear_with(folder, "", "")
}

/// The same with limits of the provider, and budgets of the key `all`.
fn linear_with(folder: &Path, limits: &str, budgets: &str) -> String {
    let gateway = "model_list:\n- {model_name: m, litellm_params: {model: openai/gpt-4o}}\n";
    let scenario = LINEAR.replace(", latency_free: 1", ", key: all");
    let upstream = format!("upstream: {{ openai: {{ preset: none, latency: 1, limits: {{ {limits} }} }} }}\n");
    let scenario = format!("gateway: gateway.yaml\n{scenario}{upstream}keys: {{ all: {{ {budgets} }} }}\n");
    for (name, text) in [("gateway.yaml", gateway), ("scenario.yaml", &scenario), ("prices.json", PRICES)] {
        std::fs::write(folder.join(name), text).expect("a written file");
    }
    folder.to_str().expect("a path").to_owned()
}

fn search(scenario: &str, vary: &str, target: &str, runs: u64) -> Answer {
    solved(scenario, vary, target, runs, Search::MOST_REQUESTS).answer
}

fn solved(scenario: &str, vary: &str, target: &str, runs: u64, most_requests: f64) -> Solution {
    let target = Gate::target(target).expect("a target");
    let base = edited(scenario, &[]).expect("a world");
    let common = Common::of(&base);
    let search = match vary.contains("..") {
        false => Search { common, path: vary.to_owned(), range: None, now: base.written(vary), target, most_requests },
        true => {
            let axis: Axis = vary.parse().expect("an axis");
            let Values::Range(range) = axis.values else { panic!("a range") };
            Search { common, path: axis.path, range: Some(range), now: None, target, most_requests }
        }
    };
    let load = |edits| load(scenario, &Overrides { edits, ..Overrides::default() });
    solve(&search, &options(runs), &Unwatched, &load).expect("a solution")
}

fn number(text: &str) -> f64 {
    text.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or_else(|_| panic!("{text}"))
}

#[test]
fn a_search_finds_the_closed_form_of_a_linear_case() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = linear(folder.path());
    // $40 in 6 hours are 10,000 requests, 27.78 a minute; three standard errors of 32 runs of 10,000 are 0.5%.
    let expected = 40.0 / A_REQUEST / 360.0;
    for vary in ["traffic.x.rate", "traffic.x.rate=1..200/min"] {
        let Answer::At { value, between, .. } = search(&scenario, vary, "bill.mean = 40", 32) else {
            panic!("no answer")
        };
        assert!(
            value.ends_with("/min") && (number(&value) / expected - 1.0).abs() < 0.01,
            "{vary}: {value}, not {expected}"
        );
        let [Some(low), Some(high)] = between else { panic!("an interval") };
        assert!(number(&low) <= expected * 1.003 && expected * 0.997 <= number(&high), "{low} {high} {expected}");
    }
    // 10/min · 360 min · (tokens · $10/M + $0.002) = $25.2 at 500 tokens. They are whole: the bill may jump over it.
    let tokens = match search(&scenario, "traffic.x.output", "bill.mean = 25.2", 32) {
        Answer::At { value, .. } => number(&value),
        Answer::Between { low, .. } => low.value,
        other => panic!("no answer: {other:?}"),
    };
    assert!((tokens / 500.0 - 1.0).abs() < 0.01, "{tokens}");
}

#[test]
fn a_search_goes_between_whole_numbers_only_where_that_means_something() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = linear(folder.path());
    // 10/min · $0.004 is $2.40 an hour: $3.60 after an hour and a half.
    let Answer::At { value, .. } = search(&scenario, "hours=1..4", "bill.mean = 3.6", 32) else { panic!("no answer") };
    assert!((number(&value) / 1.5 - 1.0).abs() < 0.03, "{value}");
    let retries = search("weekend-upward", "gateway.router_settings.num_retries=0..4", "calls_per_request = 1.1", 4);
    assert!(matches!(&retries, Answer::Between { low, high } if high.value - low.value == 1.0), "{retries:?}");
}

#[test]
fn a_search_without_a_range_ends_where_values_do() {
    // A share cannot be more than all: the search tells how near it came, in place of an error.
    let found = search("weekend-upward", "upstream.deepseek.bursts.share", "bill.mean = 1000", 4);
    assert!(matches!(&found, Answer::Nowhere { is_below: true, nearest } if nearest.text == "100%"), "{found:?}");
}

#[test]
fn a_search_without_a_range_ends_before_trials_take_hours() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = linear(folder.path());
    // A request costs $0.004: a thousand million dollars are far away.
    let found = solved(&scenario, "traffic.x.rate", "bill.mean = 1000000000", 2, 1e6);
    assert!(matches!(found.answer, Answer::Nowhere { is_below: true, .. }), "{:?}", found.answer);
    let requests = |trial: &Trial| 2.0 * 360.0 * number(&trial.text);
    let most = found.tried.iter().map(requests).fold(0.0, f64::max);
    // It goes on as long as the next stride, which is up to 8 times as far, is not too far.
    assert!((1e6 / 8.0..=1.01e6).contains(&most), "{:?}", found.tried);
}

#[test]
fn a_search_ends_where_more_traffic_changes_nothing_any_more() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // A provider that takes up ten calls a minute: 3,600 in 6 hours, which cost $14.40.
    let scenario = linear_with(folder.path(), "rpm: 10", "");
    let found = solved(&scenario, "traffic.x.rate", "bill.mean = 20", 2, Search::MOST_REQUESTS);
    let Answer::Nowhere { is_below: true, nearest } = &found.answer else { panic!("{:?}", found.answer) };
    assert!((14.0..=14.5).contains(&nearest.found.point), "{nearest:?}");
    let most = found.tried.iter().map(|trial| number(&trial.text)).fold(0.0, f64::max);
    assert!((100.0..=10_000.0).contains(&most), "{:?}", found.tried);
    // Nothing is refused at first: that nothing moves yet does not end it.
    let refused = search(&scenario, "traffic.x.rate=0.01..100/min", "failure_rate = 50%", 8);
    let open = linear_with(folder.path(), "rpm: 200", "");
    let [Answer::At { value: twice, .. }, Answer::At { value: far, .. }] =
        [refused, search(&open, "traffic.x.rate", "failure_rate = 50%", 2)]
    else {
        panic!("no answer")
    };
    assert!((number(&twice) / 20.0 - 1.0).abs() < 0.1, "{twice}");
    assert!((number(&far) / 400.0 - 1.0).abs() < 0.1, "{far}");
}

#[test]
fn a_search_turns_round_where_more_does_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // $14.40 are spent; a budget of half of that lets half of the requests in, a hundred times as much all of them.
    let scenario = linear_with(folder.path(), "", "max_budget: 1440");
    let found = search(&scenario, "keys.all.max_budget", "failure_rate = 50%", 8);
    let budget = match found {
        Answer::At { value, .. } => number(&value),
        Answer::Between { low, high } => 0.5 * (low.value + high.value),
        other => panic!("no answer: {other:?}"),
    };
    assert!((budget / 7.2 - 1.0).abs() < 0.1, "{budget}");
}

#[test]
fn a_search_says_when_there_is_no_answer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = linear(folder.path());
    let found = search(&scenario, "traffic.x.rate=1..20/min", "bill.mean = 4000", 4);
    assert!(matches!(&found, Answer::Nowhere { is_below: true, nearest } if nearest.text == "20/min"), "{found:?}");
    let found = search(&scenario, "gateway.router_settings.num_retries=0..5", "bill.mean = 1", 4);
    assert!(matches!(found, Answer::Nowhere { is_below: false, .. }), "nothing fails, so retries change nothing");
}

#[test]
fn sweeps_pair_every_configuration_with_the_scenario_as_it_is() {
    let axes: Vec<Axis> = ["gateway.router_settings.num_retries=0..2", "hours=2,3"]
        .iter()
        .map(|text| text.parse().expect("an axis"))
        .collect();
    let points = design(&axes, Design::Grid, 1).expect("few");
    let load = |edits: Vec<Edit>| {
        let first = Edit::parse("hours=3")?;
        load(
            "weekend-upward",
            &Overrides { edits: std::iter::once(first).chain(edits).collect(), ..Overrides::default() },
        )
    };
    let found = |threads| {
        sweep::<Problem>(&axes, &points, &Options { threads, ..options(8) }, &Unwatched, &load).expect("a sweep")
    };
    let (one, two) = (found(1), found(2));
    assert_eq!(format!("{one:?}"), format!("{two:?}"), "any number of threads");
    assert_eq!(one.points.len(), 6);
    let as_it_is = one.points.iter().find(|point| point.values == ["2", "3"]).expect("the scenario itself");
    assert_eq!((as_it_is.delta.point, as_it_is.delta.std_error), (0.0, 0.0), "the default is 2 retries");
    // To the last digit: seven runs make a mean that binary fractions do not end with.
    for runs in [7, 10] {
        let base = sweep::<Problem>(&[], &[], &options(runs), &Unwatched, &load).expect("a sweep").base;
        let run = forecast(&load(Vec::new()).expect("a world"), &options(runs), &Unwatched);
        assert_eq!((base.requests, base.upstream_calls), (run.requests.mean, run.upstream_calls.mean), "{runs} runs");
    }
}

/// The rows of the CSV file as texts, below its header.
fn csv_rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

/// The same of the Parquet file, decimals without trailing zeros.
fn parquet_rows(file: &Path) -> Vec<Vec<String>> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let reader = SerializedFileReader::new(std::fs::File::open(file).expect("a file")).expect("a Parquet file");
    let columns = reader.metadata().file_metadata().schema().get_fields().iter();
    let header: Vec<String> = columns.map(|field| field.name().to_owned()).collect();
    let text = |field: &parquet::record::Field| match field {
        parquet::record::Field::Str(text) => text.clone(),
        parquet::record::Field::Double(number) => number.to_string(),
        other => other.to_string(),
    };
    let rows = reader.get_row_iter(None).expect("rows");
    let row = |row: parquet::record::Row| row.get_column_iter().map(|(_, field)| text(field)).collect();
    std::iter::once(header).chain(rows.map(|found| row(found.expect("a row")))).collect()
}

#[test]
fn csv_and_parquet_hold_the_same_rows() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().to_str().expect("a path");
    let choice = "gateway.router_settings.routing_strategy=simple-shuffle,least-busy";
    let vary = ["--vary", "hours=2..3", "--vary", choice, "--vary", "traffic.chat.rate=10/min,20/min"];
    let command = [&["sweep", "weekend-upward", "--runs", "3", "-q", "--out", out], vary.as_slice()].concat();
    assert_eq!(billcast(&command).0, 0);
    let csv = csv_rows(&std::fs::read(folder.path().join("sweep.csv")).expect("a file"));
    let parquet = parquet_rows(&folder.path().join("sweep.parquet"));
    assert_eq!((csv.len(), csv[0].len()), (9, 19), "a header and 2 × 2 × 2 configurations");
    assert_eq!(csv[0], parquet[0]);
    for (csv, parquet) in csv[1..].iter().zip(&parquet[1..]) {
        for (csv, parquet) in csv.iter().zip(parquet) {
            let number = |text: &str| text.parse::<f64>().ok();
            assert!(csv == parquet || (number(csv).is_some() && number(csv) == number(parquet)), "{csv} {parquet}");
        }
    }
    let hours: Vec<&str> = parquet[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(hours, ["2", "2", "2", "2", "3", "3", "3", "3"], "a column of numbers");
}

#[test]
fn a_wrong_path_is_said_about_the_option_that_it_stands_in() {
    let said = |args: &[&str]| {
        let output = Command::cargo_bin("billcast").expect("the program").args(args).output().expect("an end");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let text = said(&["sweep", "weekend-upward", "-q", "--vary", "traffic.chatt.rate=1..2/min"]);
    assert!(text.contains("--vary traffic.chatt.rate") && text.contains("did you mean `chat`?"), "{text}");
    let text = said(&["solve", "weekend-upward", "-q", "--vary", "hourz=1..2", "--target", "bill = 1"]);
    assert!(text.contains("--vary hourz") && !text.contains("--set"), "{text}");
    let text = said(&["explain", "weekend-upward", "-q", "--set", "hourz=1"]);
    assert!(text.contains("--set hourz"), "{text}");
}

#[test]
fn budgets_and_alerts_are_told_in_every_form_and_read_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let rules = "alerts={budget_share: 50%, fallback_share: 10%, fallback_window: 10m, act_within: 15m}";
    let (out, again) = (path("out"), path("again"));
    let budgets = ["--set", "hours=12", "--set", "budget={run: 0.5, day: 0.25}", "--set", rules];
    let run = [&["run", "weekend-upward", "--runs", "12", "--out", &out], budgets.as_slice()].concat();
    let (code, text) = billcast(&run);
    assert!(code == 0 && text.contains("50% of $0.25 a day") && text.contains("fallbacks > 10% in 10 min"), "{text}");
    let read = |name: &str| std::fs::read(folder.path().join(name)).expect("a file");
    let document: Value = serde_json::from_slice(&read("out/forecast.json")).expect("JSON");
    let schema = serde_json::from_str(include_str!("../docs/forecast.schema.json")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let alerts = &document["alerts"];
    assert_eq!((&alerts["act_within_minutes"], &alerts["fallback_rule"]["minutes"]), (&15.into(), &10.into()));
    // Half of a budget is spent before the whole, and never less often.
    for budget in alerts["budgets"].as_array().expect("budgets") {
        let hour = |place: &Value| place["at"]["p50"]["hour"].as_f64().unwrap_or(f64::INFINITY);
        let (half, whole) = (&budget["alert"]["outcome"]["fires"], &budget["exhausted"]);
        assert!(hour(half) < hour(whole) && half["run_share"].as_f64() >= whole["run_share"].as_f64(), "{budget}");
    }
    let report = ["report", &path("out/forecast.json"), "--format", "html,md,json", "--out", &again];
    assert_eq!(billcast(&report).0, 0);
    for name in ["report.html", "report.md", "forecast.json"] {
        assert_eq!(read(&format!("out/{name}")), read(&format!("again/{name}")), "{name}");
    }
    assert!(String::from_utf8_lossy(&read("out/report.html")).contains("table-alerts"));
}

#[test]
fn a_search_without_an_answer_ends_with_a_code_of_its_own() {
    let search = |range: &str| {
        let vary = format!("traffic.chat.rate={range}");
        billcast(&["solve", "weekend-upward", "--runs", "4", "-q", "--vary", &vary, "--target", "bill.mean = 30"])
    };
    let (code, text) = search("1..2/min");
    assert!(code == 4 && text.contains("There is none"), "{code} {text}");
    assert_eq!(search("1..100/min").0, 0);
}

/// The program: exit code and stdout.
fn billcast(args: &[&str]) -> (i32, String) {
    let output =
        Command::cargo_bin("billcast").expect("the program").env("NO_COLOR", "1").args(args).output().expect("an end");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn policies_decide_the_exit_code() {
    let run = |policies: &[&str]| {
        billcast(&[&["run", "weekend-upward", "--set", "hours=6", "--runs", "80", "-q"], policies].concat())
    };
    assert_eq!(run(&["--fail-if", "bill.p95 > 500"]).0, 0);
    let (code, text) = run(&["--fail-if", "bill.mean > 0.01", "--fail-if", "bill.mean > 500"]);
    assert!(
        code == 10 && text.contains("VIOLATED: bill.mean > 0.01") && text.contains("kept: bill.mean > 500"),
        "{text}"
    );
    assert_eq!(run(&["--warn-if", "bill.mean > 0.01"]).0, 0);
    assert_eq!(run(&["--fail-if", "bil.mean > 0.01"]).0, 2);
    assert_eq!(run(&["--fail-if", "delta.bill.mean > 1%"]).0, 2, "nothing to compare with");
    let few = ["run", "weekend-upward", "--set", "hours=6", "--runs", "8", "-q", "--fail-if", "bill.p95 > 500"];
    let (code, text) = billcast(&few);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == 11 && text.contains("about 72 runs would settle it"), "8 runs do not bound a P95: {text}");
    let compare =
        ["compare", "weekend-upward", "weekend-sideways", "--runs", "8", "-q", "--fail-if", "delta.bill.mean > 5%"];
    assert_eq!(billcast(&compare).0, 0);
    let dearer =
        ["compare", "weekend-sideways", "weekend-upward", "--runs", "8", "-q", "--fail-if", "delta.bill.mean > 5%"];
    assert_eq!(billcast(&dearer).0, 10);
}

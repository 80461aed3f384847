//! What the tables say where it is easy to say something wrong: of what has no price, of paid capacity, of caches.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with a config and a scenario.
fn world(config: &str, scenario: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.yaml"), config).unwrap();
    fs::write(dir.path().join("scenario.yaml"), format!("gateway: config.yaml\n{scenario}")).unwrap();
    dir
}

/// What the program prints, with lines as wide as `columns` says, or as they need to be.
fn printed(folder: &Path, args: &str, columns: Option<&str>) -> String {
    let mut command = Command::cargo_bin("billcast").unwrap();
    command.current_dir(folder).args(args.split(' ')).env_remove("COLUMNS");
    if let Some(columns) = columns {
        command.env("COLUMNS", columns);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The rows of a CSV file, by heading. No cell of these holds a comma.
fn rows(folder: &Path, file: &str) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(folder.join("out").join(file)).unwrap();
    let cells = |line: &str| -> Vec<String> { line.split(',').map(str::to_owned).collect() };
    let mut lines = text.lines();
    let headings = cells(lines.next().unwrap());
    lines.map(|line| headings.iter().cloned().zip(cells(line)).collect()).collect()
}

fn row<'a>(rows: &'a [BTreeMap<String, String>], column: &str, name: &str) -> &'a BTreeMap<String, String> {
    rows.iter().find(|row| row[column] == name).unwrap_or_else(|| panic!("no {name} in {rows:?}"))
}

const UNPRICED: &str = "model_list:
- {model_name: odd, litellm_params: {model: together_ai/no-such-price}}
- {model_name: big, litellm_params: {model: openai/gpt-4o}}
litellm_settings: {fallbacks: [{odd: [big]}], num_retries: 0}
";

const HALF_FAILS: &str = "hours: 2\nruns: 3\nvolume_uncertainty: 0
keys: {mine: {team: strange}, yours: {team: plain}}
traffic:
  strange: {model: odd, key: mine, rate: 10/min, input: 1000, output: 100}
  plain: {model: big, key: yours, rate: 10/min, input: 1000, output: 100}
upstream: {together_ai: {preset: none, latency: 1ERRORS}, openai: {preset: none, latency: 1}}
";

#[test]
fn what_has_no_price_is_nowhere_free() {
    let dir = world(UNPRICED, &HALF_FAILS.replace("ERRORS", ""));
    let shown = printed(dir.path(), "run . -q -v --out out", None);
    for (file, column, name, bill) in [
        ("models.csv", "model", "together_ai/no-such-price", "bill_mean_usd"),
        ("providers.csv", "provider", "together_ai", "bill_mean_usd"),
        ("deployments.csv", "deployment", "odd/1", "bill_mean_usd"),
        ("classes.csv", "name", "strange", "bill_mean_usd"),
        ("keys.csv", "name", "mine", "bill_mean_usd"),
        ("teams.csv", "team", "strange", "bill_mean_usd"),
    ] {
        assert_eq!(row(&rows(dir.path(), file), column, name)[bill], "", "{file}");
    }
    let line = |name: &str| shown.lines().find(|line| line.trim_start().starts_with(name)).unwrap().to_owned();
    for name in ["odd/1", "strange", "mine"] {
        assert!(line(name).contains("unpriced") && !line(name).contains("$0.00"), "{}", line(name));
    }
    let markdown = fs::read_to_string(dir.path().join("out/report.md")).unwrap();
    let of_model = markdown.lines().find(|line| line.contains("no-such-price") && line.contains("unpriced"));
    assert!(of_model.is_some(), "{markdown}");
    let forecast: Value = serde_json::from_slice(&fs::read(dir.path().join("out/forecast.json")).unwrap()).unwrap();
    assert!(forecast["providers"][0]["bill_mean"].is_null() && forecast["deployments"][0]["bill_p95"].is_null());
    // 1,000 tokens at $2.50 a million and 100 at $10: the tokens without a price are no part of it.
    let unit: f64 = forecast["unit_costs"]["per_million_tokens"].as_str().unwrap().parse().unwrap();
    assert!((unit - 0.0035 / 1_100.0 * 1e6).abs() < 1e-9, "{unit}");
}

#[test]
fn nobody_knows_a_premium_over_what_has_no_price() {
    let dir = world(UNPRICED, &HALF_FAILS.replace("ERRORS", ", errors: {500: 50%}"));
    let shown = printed(dir.path(), "run . -q --out out", None);
    let edge = &rows(dir.path(), "edges.csv")[0];
    assert_eq!((edge["asked_for"].as_str(), edge["premium_mean_usd"].as_str()), ("odd", ""));
    assert!(shown.contains("unknown") && !shown.contains("no dearer"), "{shown}");
    let told = printed(dir.path(), "explain . -q", None);
    assert!(told.contains("nobody knows what odd would have charged"), "{told}");
}

#[test]
fn quantities_of_paid_capacity_make_its_price_and_that_of_what_spills() {
    let config = "model_list:\n- {model_name: a, litellm_params: {model: openai/gpt-4o}, model_info: {id: ptu}}\n";
    let scenario = "hours: 30\nstart: 2026-12-28 00:00 America/New_York\nruns: 3\nvolume_uncertainty: 0
keys: {k: {}, l: {}, m: {}}
traffic:
  x: {model: a, keys: {k: 1, l: 3}, rate: 7/min, input: 1003, output: 301}
  y: {model: a, key: m, rate: 2/min, input: 401, output: 97}
commitments: {ptu: {of: ptu, tokens: 3000, price: 5.00}}
upstream: {openai: {preset: none, latency: 1}}
";
    let dir = world(config, scenario);
    printed(dir.path(), "run . -q --out out", None);
    let text = fs::read_to_string(dir.path().join("out/focus.csv")).unwrap();
    let mut lines = text.lines();
    let headings: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut paid = BTreeMap::<String, f64>::new();
    let (mut seen, mut bought, mut used) = (0, 0.0, 0.0);
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let shift = usize::from(line.contains("(forecast, "));
        let at = |name: &str| {
            let place = headings.iter().position(|heading| *heading == name).unwrap();
            // The description, which holds a comma, stands before the meters and prices.
            cells[place + if place > 12 { shift } else { 0 }]
        };
        let unit = match at("PricingUnit") {
            "Hours" => "5.00",
            _ if line.contains("Output tokens") => "10.00",
            _ => "2.50",
        };
        assert_eq!(at("ListUnitPrice"), unit, "{line}");
        if unit == "5.00" && line.contains(",p50,") {
            *paid.entry(at("ChargePeriodStart").to_owned()).or_default() += at("BilledCost").parse::<f64>().unwrap();
        }
        // The fee is bought, and borne by what it covers: billed once, and effective once.
        let number = |name: &str| at(name).parse::<f64>().unwrap();
        match (unit, at("ChargeCategory")) {
            ("5.00", "Purchase") => {
                assert_eq!(
                    [at("ChargeFrequency"), at("EffectiveCost"), at("ConsumedQuantity")],
                    ["Recurring", "0.00", ""]
                );
                assert_eq!([at("CommitmentDiscountId"), at("CommitmentDiscountStatus")], ["ptu", ""]);
                bought += number("BilledCost");
            }
            ("5.00", _) => {
                assert_eq!(
                    [at("ChargeFrequency"), at("BilledCost"), at("ConsumedUnit")],
                    ["Usage-Based", "0.00", "Hours"]
                );
                assert_eq!([at("PricingCategory"), at("CommitmentDiscountStatus")], ["Committed", "Used"]);
                used += number("EffectiveCost");
            }
            (_, category) => {
                assert_eq!([category, at("PricingCategory"), at("CommitmentDiscountId")], ["Usage", "Standard", ""]);
                assert_eq!(at("BilledCost"), at("EffectiveCost"));
            }
        }
        seen += 1;
    }
    assert!(seen > 20, "{text}");
    assert!(
        (bought - 450.0).abs() < 1e-6 && (used - bought).abs() < 1e-6,
        "$150 in each of three percentiles: {bought}"
    );
    // 19 hours until midnight in Greenwich, and 11.
    let days: Vec<f64> = paid.into_values().collect();
    assert!(days.len() == 2 && (days[0] - 95.0).abs() < 1e-9 && (days[1] - 55.0).abs() < 1e-9, "{days:?}");
    let markdown = fs::read_to_string(dir.path().join("out/report.md")).unwrap();
    let meter = markdown.lines().find(|line| line.contains("Paid capacity")).unwrap();
    assert!(meter.contains("5.00 an hour") && meter.contains("| 30 |"), "{meter}");
}

#[test]
fn behind_a_pattern_each_model_is_told_and_only_what_has_a_price_makes_unit_costs() {
    let config = "model_list:\n- {model_name: 'openai/*', litellm_params: {model: 'openai/*'}}\n";
    let scenario = "hours: 6\nruns: 3\nvolume_uncertainty: 0
traffic:
  x: {model: openai/gpt-4o, rate: 4/min, input: 1000, output: 500}
  y: {model: openai/gpt-4o-mini, rate: 4/min, input: 1000, output: 500}
  z: {model: openai/no-such-price, rate: 9/min, input: 2000, output: 300}
upstream: {openai: {preset: none, latency: 1}}
";
    let dir = world(config, scenario);
    printed(dir.path(), "run . -q --out out", None);
    let told: Value = serde_json::from_slice(&fs::read(dir.path().join("out/forecast.json")).unwrap()).unwrap();
    let number = |value: &Value| value.as_f64().unwrap();
    let [deployment] = &told["deployments"].as_array().unwrap()[..] else { panic!("one deployment") };
    let all = number(&deployment["input_tokens"]) + number(&deployment["output_tokens"]);
    let [unpriced] = &told["unpriced"].as_array().unwrap()[..] else { panic!("{}", told["unpriced"]) };
    assert_eq!(unpriced["model"], "openai/no-such-price");
    let without = number(&unpriced["input_tokens"]) + number(&unpriced["output_tokens"]);
    assert!(
        (number(&deployment["unpriced_tokens"]) - without).abs() < 1e-6 && without > 0.5 * all,
        "{without} of {all}"
    );
    let unit = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let expected = unit(&told["bill"]["mean"]) / (all - without) * 1e6;
    let unit_costs = unit(&told["unit_costs"]["per_million_tokens"]);
    assert!((unit_costs / expected - 1.0).abs() < 1e-6, "{unit_costs} and {expected}");
    let models = rows(dir.path(), "models.csv");
    assert!((models[0]["per_1m_tokens_usd"].parse::<f64>().unwrap() / expected - 1.0).abs() < 1e-6, "{models:?}");

    let focus = fs::read_to_string(dir.path().join("out/focus.csv")).unwrap();
    for (model, is_billed) in [("gpt-4o", true), ("gpt-4o-mini", true), ("no-such-price", false)] {
        let named = format!(",{model},{model},LLM,");
        assert_eq!(
            focus.contains(&named) && focus.contains(&format!("openai/{model}:Input tokens")),
            is_billed,
            "{model}"
        );
    }
    assert!(!focus.contains(",*,"), "no resource is called like the pattern");
    let charges = rows(dir.path(), "charges.csv");
    assert!(charges.iter().all(|row| ["openai/gpt-4o", "openai/gpt-4o-mini"].contains(&&*row["model"])), "{charges:?}");
    // What is read back says the same.
    printed(dir.path(), "report out --format focus-csv --out again.csv", None);
    assert_eq!(fs::read_to_string(dir.path().join("again.csv")).unwrap(), focus);
}

#[test]
fn what_all_caches_of_a_provider_save_is_what_each_saves() {
    let config = "model_list:
- {model_name: small, litellm_params: {model: openai/gpt-4o-mini}}
- {model_name: large, litellm_params: {model: openai/gpt-4o}}
- {model_name: plain, litellm_params: {model: openai/gpt-4.1}}
";
    let scenario = "hours: 4\nruns: 3
traffic:
  s: {preset: agentic, model: small, rate: 40/h}
  l: {preset: agentic, model: large, rate: 20/h}
  p: {model: plain, rate: 1/min, input: 100, output: 100}
";
    let dir = world(config, scenario);
    printed(dir.path(), "run . -q --out out", None);
    let markdown = fs::read_to_string(dir.path().join("out/report.md")).unwrap();
    let table = markdown.split("## Prompt caches of the providers").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let saved = |line: &str| -> f64 {
        let cell = line.trim_end_matches([' ', '|']).rsplit('|').next().unwrap().trim().replace(['\\', '$', ','], "");
        cell.replace('−', "-").parse().unwrap()
    };
    let all = saved(table.lines().find(|line| line.contains("(all)")).unwrap());
    let each: Vec<f64> =
        ["small/1", "large/1"].map(|name| saved(table.lines().find(|l| l.contains(name)).unwrap())).into();
    assert!(each.iter().all(|saved| *saved > 0.0), "{table}");
    assert!((all - each.iter().sum::<f64>()).abs() <= 0.011, "{all} of {each:?}");
}

#[test]
fn a_pipe_cuts_no_name_and_columns_says_how_wide_lines_are() {
    let config = "model_list:\n- {model_name: a-group-with-a-long-name, litellm_params: {model: bedrock/anthropic.claude-sonnet-4-6}}\n";
    let scenario =
        "hours: 1\nruns: 2\ntraffic: {x: {model: a-group-with-a-long-name, rate: 1/min, input: 100, output: 10}}\n";
    let dir = world(config, scenario);
    let tables =
        |text: String| text.split("Cost by deployment").nth(1).unwrap().split("Assumptions").next().unwrap().to_owned();
    let whole = tables(printed(dir.path(), "run . -q -v", None));
    assert!(whole.contains("bedrock/anthropic.claude-sonnet-4-6") && !whole.contains('…'), "{whole}");
    for columns in ["60", "80"] {
        let fitted = tables(printed(dir.path(), "run . -q -v", Some(columns)));
        let longest = fitted.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= columns.parse().unwrap(), "{fitted}");
        assert!(fitted.contains("Cooldowns") && fitted.contains("Cancelled"), "no heading is broken: {fitted}");
    }
    let month = printed(dir.path(), "scenarios", Some("60"));
    assert!(month.lines().all(|line| line.chars().count() <= 60), "{month}");
}

#[test]
fn parts_of_a_call_are_not_more_than_the_call() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |args: &str, says: &str| {
        let mut command = Command::cargo_bin("billcast").unwrap();
        let output = command.current_dir(dir.path()).args(args.split(' ')).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(says), "{told}");
    };
    refused("cost --model gpt-4o --prompt-tokens 10 --cached-tokens 11", "11 of 10 cannot be");
    refused("cost --model o3 --completion-tokens 10 --reasoning-tokens 11", "11 of 10 cannot be");
    refused("cost --model nope", "--prices FILE");
    refused("cost --model gpt-4o-min --prompt-tokens 1", "gpt-4o-mini");
    refused("explain retry-storm --runs 1 -q --request api:99999999", "the highest number in its class is");
}

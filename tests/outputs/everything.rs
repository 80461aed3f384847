//! One gateway with hostile names and with a secret in every text that is no name, through every command.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use billcast::diagnostic::secrets::may_be_shown;
use billcast::scenario::{Overrides, load};
use serde_json::{Value, json};

use crate::decoded::{Output, files};

/// What every planted secret contains.
pub const CANARY: &str = "canary";
/// The script of our own pages.
pub const OUR_SCRIPT: &str = include_str!("../../src/report/html/script.js");

/// Names of groups.
pub const HOSTILE: [&str; 6] = [
    "</text><script>alert(1)</script>",
    "=HYPERLINK(\"http://x.example\",\"pay\")",
    "\u{1b}[2J\u{1b}]0;owned\u{7}red\u{9b}31m",
    "\" onload=\"alert(1)\" x='&amp;<b>",
    "@SUM(A1:A9)\r\n+cmd|' /C calc'!A0",
    "\u{202e}txt.exe\u{2028}{{7*7}}]]>-->|`$(x)`",
];

/// What each key of a LiteLLM config does, section by section.
const KEYS: &str = include_str!("../../src/gateway/litellm/keys/table.txt");
/// The gateway before anything is planted.
fn gateway() -> Value {
    let deployment = |(index, name): (usize, &&str)| {
        let model = if index % 2 == 0 { "deepseek/deepseek-chat" } else { "openai/gpt-4o" };
        json!({ "model_name": name, "litellm_params": { "model": model }, "model_info": { "id": format!("{name} {index}") } })
    };
    let edges = HOSTILE.windows(2).map(|pair| json!({ pair[0]: [pair[1]] }));
    json!({
        "model_list": HOSTILE.iter().enumerate().map(deployment).collect::<Vec<_>>(),
        "router_settings": {},
        "litellm_settings": { "fallbacks": edges.collect::<Vec<_>>(), "cache": true, "cache_params": { "type": "local" } },
        "general_settings": {},
        "environment_variables": { "ANY": "sk-canary-environment" },
    })
}

/// Where the keys of a section stand.
fn section<'a>(config: &'a mut Value, name: &str) -> &'a mut Value {
    match name {
        "top" => config,
        "deployment" => &mut config["model_list"][0],
        "litellm_params" | "model_info" => &mut config["model_list"][0][name],
        "cache_params" => &mut config["litellm_settings"][name],
        "retry_policy" | "allowed_fails_policy" | "routing_strategy_args" => &mut config["router_settings"][name],
        _ => &mut config[name],
    }
}

/// The gateway with a secret in every key that starts with one, but for names, kinds and periods,
/// which are there to be shown.
fn planted(folder: &Path) -> Value {
    let mut config = gateway();
    write(folder, &config);
    if let Err(problem) = load(folder.to_str().unwrap(), &Overrides::default()) {
        panic!("{:?}", problem.diagnostics);
    }
    let rows = KEYS.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('|').collect::<Vec<_>>());
    let rows: Vec<Vec<&str>> = rows.filter(|cells| cells.len() == 5).collect();
    let keys = rows.iter().flat_map(|cells| cells[2].split(' ').map(|key| (cells[0], key)));
    let keys: Vec<(&str, &str)> = keys.filter(|(_, key)| !may_be_shown(key)).collect();
    let number = plant(folder, &mut config, &keys);
    assert!(number > 200, "only {number} keys take a text");
    config
}

/// Plants as many of the keys as the gateway starts with: all, or those of each half.
fn plant(folder: &Path, config: &mut Value, keys: &[(&str, &str)]) -> usize {
    let mut with = config.clone();
    for (of, key) in keys {
        let place = section(&mut with, of);
        // What is there already stays; a text in place of a whole section has taken its keys.
        if place.get(key).is_none() && !place.is_string() {
            place[key] = json!(format!("{CANARY}-{key}"));
        }
    }
    if starts(folder, &with) {
        *config = with;
        return keys.len();
    }
    match keys.len() {
        0 | 1 => 0,
        many => plant(folder, config, &keys[..many / 2]) + plant(folder, config, &keys[many / 2..]),
    }
}

fn starts(folder: &Path, config: &Value) -> bool {
    write(folder, config);
    load(folder.to_str().unwrap(), &Overrides::default()).is_ok()
}

fn write(folder: &Path, config: &Value) {
    fs::write(folder.join("config.json"), ascii(config)).unwrap();
    let class = |(index, name): (usize, &&str)| {
        (
            format!("{name} class {index}"),
            json!({
                "preset": "chat", "model": name, "rate": "40/h", "key": format!("{name} key"),
            }),
        )
    };
    let keys = |name: &&str| (format!("{name} key"), json!({ "team": format!("{name} team") }));
    let scenario = json!({
        "gateway": "config.json", "name": HOSTILE.concat(), "description": HOSTILE.concat(), "hours": 3,
        "traffic": HOSTILE.iter().enumerate().map(class).collect::<serde_json::Map<_, _>>(),
        "keys": HOSTILE.iter().map(keys).collect::<serde_json::Map<_, _>>(),
        "upstream": { "deepseek": { "bursts": { "every": "1h", "lasts": "20m", "share": "90%" } } },
    });
    fs::write(folder.join("scenario.yaml"), ascii(&scenario)).unwrap();
}

/// JSON with everything beyond ASCII escaped: readers refuse control characters that stand in a file as they are.
fn ascii(value: &Value) -> String {
    let escaped = |c: char| match c.is_ascii() && c != '\u{7f}' {
        true => c.to_string(),
        false => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    serde_json::to_string_pretty(value).unwrap().chars().map(escaped).collect()
}

/// The commands by name; every one runs in the folder of the scenario.
const COMMANDS: [(&str, &[&str]); 20] = [
    ("run", &["run", ".", "--runs", "3", "--out", "out", "--verbose", "--budget", "1"]),
    ("run-json", &["run", ".", "--runs", "3", "--format", "json"]),
    (
        "report",
        &[
            "report",
            "out",
            "--budget",
            "1",
            "--month-budget",
            "9",
            "--out",
            "again",
            "--format",
            "html,xlsx,focus-csv,parquet,csv,md,json,charts",
        ],
    ),
    ("month-html", &["month", ".", "--runs", "2", "--format", "html", "--out", "months/month.html"]),
    ("month-xlsx", &["month", ".", "--runs", "2", "--format", "xlsx", "--out", "months/month.xlsx"]),
    ("month-csv", &["month", ".", "--runs", "2", "--format", "csv", "--out", "months/month.csv"]),
    ("month-md", &["month", ".", "--runs", "2", "--format", "md"]),
    ("month-json", &["month", ".", "--runs", "2", "--format", "json"]),
    ("month", &["month", ".", "--runs", "2", "--budget", "3"]),
    ("compare", &["compare", ".", "--runs", "3", "--unset", "gateway.litellm_settings.fallbacks", "--out", "compared"]),
    (
        "compare-md",
        &["compare", ".", "--runs", "3", "--unset", "gateway.litellm_settings.fallbacks", "--format", "markdown"],
    ),
    ("sweep", &["sweep", ".", "--runs", "2", "--vary", "gateway.router_settings.num_retries=0,2", "--out", "swept"]),
    (
        "sweep-csv",
        &["sweep", ".", "--runs", "2", "--vary", "gateway.router_settings.num_retries=0,2", "--format", "csv"],
    ),
    ("plan", &["plan", ".", "--runs", "2", "--out", "planned"]),
    ("explain", &["explain", ".", "--runs", "3", "--verbose"]),
    ("explain-json", &["explain", ".", "--runs", "3", "--format", "json"]),
    ("check", &["check", "config.json", "--deny", "never"]),
    ("check-json", &["check", "config.json", "--deny", "never", "--format", "json"]),
    ("check-sarif", &["check", "config.json", "--deny", "never", "--format", "sarif"]),
    ("check-money", &["check", "config.json", "--deny", "never", "--money", "--scenario", ".", "--runs", "2"]),
];

/// Runs them all.
pub fn outputs() -> Vec<Output> {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let config = planted(here);
    write(here, &config);
    let mut all = Vec::new();
    for (name, arguments) in COMMANDS {
        let ended = Command::new(env!("CARGO_BIN_EXE_billcast"))
            .args(arguments)
            .current_dir(here)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let [stdout, stderr] = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8(bytes).expect("text"));
        assert!(ended.status.success(), "{name}: {stderr}");
        all.push(Output { name: format!("{name}:stdout"), text: stdout });
        all.push(Output { name: format!("{name}:stderr"), text: stderr });
    }
    for written in ["out", "again", "months", "compared", "swept", "planned"] {
        all.extend(files(&here.join(written), written));
    }
    all
}

//! Secrets planted in a config stay in it: whatever is done to the file, no output holds any of them.

use billcast::audit::Finding;
use billcast::diagnostic::Diagnostic;
use billcast::document::{Format, decode, read as read_document};
use billcast::experiment::{Options, Unwatched, forecast, percentile_runs};
use billcast::gateway::litellm::keys::check;
use billcast::gateway::litellm::wire::read;
use billcast::random::Seed;
use billcast::report::artefacts;
use billcast::report::audit::{json, sarif};
use billcast::report::diagnostics::{to_plain_text, to_text};
use billcast::scenario::{Overrides, load};
use proptest::prelude::*;

/// What every planted secret contains.
const CANARY: &str = "canary";

const BLOCK: &str = r#"model_list:
  - model_name: fast
    litellm_params:
      model: openai/gpt-4o
      api_key: sk-canary-0123456789
      api_base: https://user:canary@upstream.example/v1?key=canary
      aws_secret_access_key: "canary \" in quotes"
      vertex_credentials: |
        -----BEGIN canary-----
        canary
      extra_headers:
        Authorization: Bearer canary
        X-Password: canary
      azure_ad_token: 'it''s a canary'
      my_own_secret: canary
      rpm: 60
      timeout: 30
    model_info: {id: one, note: canary}
  - {model_name: slow, litellm_params: {model: openai/gpt-4o-mini, api_key: "canary, in flow", password: canary}}
router_settings:
  num_retries: 3
  redis_url: redis://:canary@redis.example:6379/0
  redis_password: canary
  routing_strategy: simple-shuffle
  fallbacks: [{fast: [slow]}]
litellm_settings:
  cache: true
  cache_params: {type: redis, host: h, password: canary, port: 6379}
  langfuse_secret_key: canary
  max_budget: 10
general_settings:
  master_key: canary
  database_url: postgresql://user:canary@db.example/x
  alerting_threshold: 300
  key_management_settings:
    hosted_keys: [canary, "canary"]
environment_variables:
  SLACK_WEBHOOK: https://hooks.example/canary
  PLAIN: canary
  NESTED: {A: canary}
"#;

const JSON: &str = r#"{"model_list": [{"model_name": "fast", "litellm_params": {"model": "openai/gpt-4o",
 "api_key":"sk-canary-0123456789", "my_secret": "canary \" quoted",
 "extra_headers": {"Authorization": "Bearer canary"}, "rpm": 60, "timeout": null}}],
 "general_settings": {"master_key": "canary", "database_url": "postgresql://user:canary@db.example/x"},
 "environment_variables": {"PLAIN": "canary",
  "OTHER":
   "canary"},
 "litellm_settings": {"cache": true, "cache_params": {"type": "redis", "password": "canary"}}}
"#;

/// Findings that nothing removes.
fn without_remedies(diagnostics: &[Diagnostic]) -> Vec<Finding> {
    diagnostics.iter().map(|diagnostic| Finding { diagnostic: diagnostic.clone(), remedies: Vec::new() }).collect()
}

/// Everything that can be shown of a file.
fn everything(file: &str, text: &str) -> String {
    let diagnostics: Vec<Diagnostic> = check(file, text);
    let findings = without_remedies(&diagnostics);
    let (node, _) = read_document(file, text, Format::of(file));
    let (wire, found) = read(file, text);
    let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    format!(
        "{}{}{}{}{}{node:?}{wire:?}{found:?}",
        to_text(&diagnostics, text, false),
        to_text(&diagnostics, text, true),
        json(&findings, None),
        sarif(&findings, None),
        lines.concat(),
    )
}

#[track_caller]
fn assert_silent(file: &str, text: &str) {
    let shown = everything(file, text);
    let leak = shown.lines().find(|line| line.contains(CANARY));
    assert_eq!(leak, None, "{file}");
}

/// Ways to spoil a line.
const SPOILERS: [&str; 14] =
    ["\t", "]", "}", "\"", "'", ": ", "- ", "!tag ", "*alias ", "[", "{", "\u{1}", "&anchor ", "<<: "];

/// Values of every type, for every key.
const VALUES: [&str; 8] = ["5", "1.5", "text", "[1]", "{a: 1}", "null", "true", "2024-01-05"];

#[test]
fn the_files_as_they_are_show_nothing() {
    assert_silent("config.yaml", BLOCK);
    assert_silent("config.json", JSON);
    assert_silent("config.yaml", JSON);
}

#[test]
fn spoiled_lines_show_nothing() {
    for (file, text) in [("config.yaml", BLOCK), ("config.json", JSON)] {
        let lines: Vec<&str> = text.lines().collect();
        for at in 0..lines.len() {
            for spoiler in SPOILERS {
                for spoiled in
                    [format!("{spoiler}{}", lines[at]), format!("{}{spoiler}", lines[at]), spoiler.to_owned()]
                {
                    let mut changed: Vec<&str> = lines.clone();
                    changed[at] = &spoiled;
                    assert_silent(file, &changed.join("\n"));
                }
            }
        }
    }
}

#[test]
fn texts_cut_anywhere_show_nothing() {
    for (file, text) in [("config.yaml", BLOCK), ("config.json", JSON)] {
        for end in (0..text.len()).step_by(3) {
            assert_silent(file, &text[..end]);
        }
    }
}

#[test]
fn wrong_types_at_every_key_show_nothing() {
    let planted = ["canary", "[canary]", "{api_key: canary}", "\"sk-canary-0123456789\"", "&x canary"];
    let lines: Vec<&str> = BLOCK.lines().collect();
    for at in 0..lines.len() {
        let Some(colon) = lines[at].find(": ") else { continue };
        let holds_secret = lines[at].contains(CANARY) && !lines[at].contains('{');
        for value in VALUES.iter().chain(planted.iter().filter(|_| holds_secret)) {
            let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            changed[at] = format!("{}: {value}", &lines[at][..colon]);
            assert_silent("config.yaml", &changed.join("\n"));
        }
    }
}

/// Scraps of configs, which find more than random characters do.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop::sample::select(vec![
        "model_list:\n",
        "  - model_name: a\n",
        "    litellm_params: ",
        "{model: openai/gpt-4o}\n",
        "router_settings: ",
        "fallbacks: ",
        "[{a: [b]}]",
        "é: ",
        "\u{1b}",
        "\"",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "\n",
        "  ",
        "- ",
        "cache: true\n",
        "litellm_settings:\n",
        "x: ",
        "\"\\e[31m\"",
        "rpm: ",
        "5",
        "'",
        "weight: 0\n",
        "general_settings: ",
        "api_key: s",
        "\r\n",
        "\t",
        "日本",
        "://u:p@h?q",
    ]);
    prop::collection::vec(scrap, 0..30).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_can_be_checked_and_rendered(text in scraps()) {
        let shown = everything("config.yaml", &text);
        prop_assert!(!shown.replace("\u{1b}[", "").contains('\u{1b}'), "an escape sequence of the file's own");
    }
}

#[test]
fn bytes_that_are_no_text_show_nothing() {
    let mut bytes = BLOCK.as_bytes().to_vec();
    bytes[200] = 0xff;
    assert!(!decode("config.yaml", &bytes).unwrap_err().to_string().contains(CANARY));
}

/// The config above, played: no artefact of any form holds a planted secret, nor does anything made from them again.
#[test]
fn no_artefact_shows_anything() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.yaml"), BLOCK).unwrap();
    let scenario = "gateway: config.yaml\nhours: 3\ntraffic: { chat: { preset: chat, model: fast, rate: 20/min } }\n";
    std::fs::write(folder.path().join("scenario.yaml"), scenario).unwrap();
    let world = load(folder.path().to_str().unwrap(), &Overrides::default()).expect("the gateway starts with it");
    let options = Options { runs: 3, seed: Seed(1), threads: 0, precision: None, command: "billcast run .".to_owned() };
    let mut forecast = forecast(&world, &options, &Unwatched);
    forecast.percentile_runs = percentile_runs(&world, &forecast);
    let all = artefacts(&forecast);
    assert!(all.len() > 30 && forecast.bill.mean > billcast::units::Money::ZERO);
    for artefact in &all {
        let found = artefact.bytes.windows(CANARY.len()).any(|bytes| bytes.eq_ignore_ascii_case(CANARY.as_bytes()));
        assert!(!found, "{}", artefact.file_name);
    }
}

/// A folder with a config and a scenario, and what a command says there: its exit code and all that it prints.
fn said(scenario: &str, args: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let config = "model_list: [{model_name: cheap, litellm_params: {model: openai/gpt-4o-mini, api_key: canary}}]\n";
    std::fs::write(folder.path().join("config.yaml"), config).unwrap();
    std::fs::write(folder.path().join("s.yaml"), scenario).unwrap();
    let mut command = assert_cmd::Command::cargo_bin("billcast").unwrap();
    let output = command.current_dir(folder.path()).args(args).output().unwrap();
    let shown = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.code(), shown.concat())
}

#[track_caller]
fn assert_refused(scenario: &str, args: &[&str], says: &str) {
    let (code, shown) = said(scenario, args);
    assert_eq!(code, Some(2), "{shown}");
    assert!(shown.contains(says), "{shown}");
    assert!(!shown.to_ascii_lowercase().contains(CANARY), "{shown}");
}

const PLAYED: &str = "gateway: config.yaml\nhours: 1\ntraffic: { chat: { preset: chat, model: cheap, rate: 1/min } }\n";

#[test]
fn a_secret_is_not_varied() {
    let params = "gateway.model_list[cheap].litellm_params";
    let values = ["api_key=CANARY456x,CANARY88", "api_key=CANARY..x", "api_key=1..2", "x=sk-canary-12345,b"];
    for vary in values.map(|value| format!("{params}.{value}")) {
        let secret = "holds a secret";
        assert_refused(PLAYED, &["sweep", "s.yaml", "--runs", "2", "--vary", &vary], secret);
        assert_refused(PLAYED, &["sweep", "s.yaml", "--runs", "2", "--sample", "2", "--vary", &vary], secret);
    }
    let solve = |vary: &str, says: &str| {
        let vary = format!("{params}.{vary}");
        assert_refused(PLAYED, &["solve", "s.yaml", "--target", "bill.p50 = 1", "--vary", &vary], says);
    };
    solve("api_key=CANARY456x,CANARY88", "holds a secret");
    solve("api_key=CANARY456x", "holds a secret");
    solve("api_key", "--vary");
}

#[test]
fn a_misspelt_or_unreadable_secret_is_not_quoted() {
    for (set, says) in [
        ("api_kye=CANARY456x", "api_key"),
        ("api_key={CANARY456x", "YAML"),
        ("api_kye=[CANARY456x", "YAML"),
        ("api_kye={a: *CANARY456x}", "YAML"),
    ] {
        let set = format!("gateway.model_list[cheap].litellm_params.{set}");
        assert_refused(PLAYED, &["run", "s.yaml", "--runs", "2", "--set", &set], says);
    }
    assert_refused(PLAYED, &["run", "s.yaml", "--set", "gateway.litellm_settings.x.extra_headers.A={CANARY"], "YAML");
}

#[test]
fn a_virtual_key_goes_by_its_alias() {
    let keyed = |class: &str, keys: &str| PLAYED.replace("rate:", &format!("{class}, rate:")) + keys;
    let run = ["run", "s.yaml", "--runs", "2"];
    let own = "keys: { sk-CANARY123456789: { rpm_limit: 5 } }\n";
    assert_refused(&keyed("key: sk-CANARY123456789", own), &run, "alias");
    assert_refused(&keyed("key: sk-CANARY123456789", ""), &run, "alias");
    assert_refused(&keyed("keys: { sk-CANARY123456789: 1 }", ""), &run, "alias");
    let set = ["run", "s.yaml", "--runs", "2", "--set", "traffic.chat.key=sk-CANARY123456789"];
    assert_refused(PLAYED, &set, "alias");
    let (code, shown) = said(&keyed("key: team-a", "keys: { team-a: { rpm_limit: 5 } }\n"), &run);
    assert_eq!(code, Some(0), "{shown}");
}

const TOKEN: &str = "sk-proj-abcdEFGH1234567890abcdEFGH1234";
const ADDRESS: &str = "postgres://u:hunter2pass@h/db";

/// What a command says in the folder of [`said`], where secrets stand in files that are none of its own.
fn told(args: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    put("config.yaml", "model_list: [{model_name: cheap, litellm_params: {model: openai/gpt-4o-mini}}]\n".to_owned());
    put(
        "s.yaml",
        format!("{PLAYED}keys: {{ team-a: {{ rpm_limit: 5 }} }}\nupstream: {{ openai: {{ latency: 1 }} }}\n"),
    );
    put(".env", format!("OPENAI_API_KEY={TOKEN}\nDB={ADDRESS}\n"));
    put("db.env", format!("DB={ADDRESS}\nOPENAI_API_KEY={TOKEN}\n"));
    put("prices.json", format!("{{\"gpt-4o\":{{\"mode\":\"chat\",\"input_cost_per_token\":\"{TOKEN}\"}}}}\n"));
    put("trace.csv", format!("time,model,input,output\n0,{TOKEN},10,10\n1,{TOKEN},10,10\n"));
    let mut command = assert_cmd::Command::cargo_bin("billcast").unwrap();
    let output = command.current_dir(folder.path()).args(args).output().unwrap();
    let shown = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.code(), shown.concat())
}

#[test]
fn no_message_quotes_a_secret() {
    let set = |path: &str| format!("{path}={TOKEN}");
    let sets: Vec<String> = [
        "traffic.chat.model",
        "traffic.chat.preset",
        "traffic.chat.rate",
        "traffic.chat.replay",
        "start",
        "hours",
        "upstream.openai.latency",
        "upstream.openai.preset",
        "keys.team-a.rpm_limit",
        "gateway",
        "prices",
    ]
    .map(set)
    .into();
    let mut commands: Vec<Vec<&str>> =
        sets.iter().map(|set| vec!["run", "s.yaml", "--runs", "2", "--set", set]).collect();
    let replay = ["run", "s.yaml", "--runs", "2", "--unset", "traffic.chat.rate", "--unset", "traffic.chat.preset"];
    let replayed = |file: &'static str| replay.into_iter().chain(["--set", file]).collect::<Vec<_>>();
    commands.push(replayed("traffic.chat.replay=.env"));
    commands.push(replayed("traffic.chat.replay=db.env"));
    let trace = ["--unset", "traffic.chat.model", "--set", "traffic.chat.replay=trace.csv"];
    commands.push(replay.into_iter().chain(trace).collect());
    for file in [".env", "db.env", "prices.json", TOKEN, ADDRESS] {
        commands.push(vec!["prices", "--prices", file]);
        commands.push(vec!["run", "s.yaml", "--runs", "2", "--prices", file]);
        commands.push(vec!["check", file, "--format", "json"]);
        commands.push(vec!["check", file, "--format", "sarif"]);
    }
    commands.push(vec!["run", TOKEN]);
    commands.push(vec!["run", "s.yaml", "--runs", TOKEN]);
    commands.push(vec![TOKEN]);
    for command in commands {
        let (code, shown) = told(&command);
        assert!(!shown.contains("abcdEFGH") && !shown.contains("hunter2"), "{command:?}: {shown}");
        let is_found = command[0] == "check" && code == Some(3);
        assert!(is_found || (code == Some(2) && shown.contains("***")), "{command:?}: {shown}");
    }
}

/// Each way in which a diagnostic is shown.
#[test]
fn no_form_of_a_diagnostic_shows_a_secret() {
    let finding = Diagnostic {
        code: billcast::diagnostic::codes::SCENARIO_VALUE,
        severity: billcast::diagnostic::Severity::Warning,
        file: TOKEN.into(),
        span: billcast::diagnostic::Span { start: 0, end: 1, line: 1, column: 1 },
        message: format!("found `{TOKEN}`"),
        help: Some(format!("write `MY_PASSWORD=hunter2` or {ADDRESS}")),
    };
    let all = std::slice::from_ref(&finding);
    let found = without_remedies(all);
    let world = load("retry-chain", &Overrides::default()).unwrap();
    let options = Options { runs: 2, seed: Seed(1), threads: 0, precision: None, command: "billcast run .".to_owned() };
    let mut forecast = forecast(&world, &options, &Unwatched);
    forecast.diagnostics.push(finding.clone());
    let texts = [
        finding.to_string(),
        to_text(all, "x", false),
        to_plain_text(all, "x", false),
        json(&found, None),
        sarif(&found, None),
    ];
    let files = artefacts(&forecast).into_iter().map(|artefact| String::from_utf8_lossy(&artefact.bytes).into_owned());
    for text in texts.iter().cloned().chain(files) {
        assert!(!text.contains("abcdEFGH") && !text.contains("hunter2"), "{text}");
    }
    assert!(texts.iter().all(|text| text.contains("found `***`") && text.contains("MY_PASSWORD=***")), "{texts:?}");
}

//! The program from outside: what it prints, what it refuses, and with which exit code.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

/// The program in a folder of its own.
fn billcast(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("billcast").unwrap();
    command.current_dir(folder).env("NO_COLOR", "1");
    command
}

/// Runs it and gives exit code, stdout and stderr.
fn outcome(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = billcast(folder).args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Bad input: exit code 2, nothing on stdout, one error that says this.
fn refused(folder: &Path, args: &[&str], says: &str) {
    let (code, stdout, stderr) = outcome(folder, args);
    assert_eq!(code, 2, "{args:?}: {stderr}");
    assert_eq!(stdout, "", "{args:?}");
    assert!(stderr.contains(says), "{args:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert!(stderr.matches("error").count() <= 2, "one error, not many: {stderr}");
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

const CONFIG: &str = "\
model_list:
  - model_name: cheap
    litellm_params: { model: deepseek/deepseek-chat, api_key: sk-0123456789abcdefghijklmnop }
  - model_name: big
    litellm_params: { model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY }
litellm_settings:
  fallbacks: [{ cheap: [big] }]
";

#[test]
fn help_names_every_command_and_exit_code() {
    let dir = folder();
    let (code, help, _) = outcome(dir.path(), &["--help"]);
    assert_eq!(code, 0);
    for word in [
        "run",
        "check",
        "claims",
        "trace",
        "models",
        "init",
        "prices",
        "cost",
        "scenarios",
        "schema",
        "completions",
        "Exit codes",
        "130",
    ] {
        assert!(help.contains(word), "{word}");
    }
}

#[test]
fn unknown_commands_and_options_are_bad_usage() {
    let dir = folder();
    refused(dir.path(), &["rnu"], "unrecognized subcommand");
    refused(dir.path(), &["cost"], "--model");
    refused(dir.path(), &["cost", "--model", "gpt-4o", "--prompt-tokens", "-1"], "-1");
    refused(dir.path(), &["prices", "--at", "yesterday"], "yesterday");
}

#[test]
fn a_cost_is_exact_decimal_text() {
    let dir = folder();
    let args = ["cost", "--model", "gpt-4o", "--prompt-tokens", "1234", "--completion-tokens", "567"];
    let (code, stdout, stderr) = outcome(dir.path(), &args);
    // 1234 at 2.50 and 567 at 10 dollars a million.
    assert_eq!((code, stdout.as_str()), (0, "0.008755\n"), "{stderr}");
    refused(dir.path(), &["cost", "--model", "gpt-4oo"], "did you mean gpt-4o");
}

#[test]
fn rows_are_priced_one_by_one() {
    let dir = folder();
    let rows = "model,prompt_tokens,completion_tokens\ngpt-4o,1000000,0\nno-such-model,1,1\n";
    let output = billcast(dir.path()).args(["cost", "--batch", "-"]).write_stdin(rows).output().unwrap();
    let expected = "model,prompt_tokens,completion_tokens,billcast_cost_usd\n\
                    gpt-4o,1000000,0,2.5\nno-such-model,1,1,unpriced\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);

    fs::write(dir.path().join("rows.csv"), "model,prompt_tokens,completion_tokens\ngpt-4o,many,0\n").unwrap();
    refused(dir.path(), &["cost", "--batch", "rows.csv"], "`many`");
    refused(dir.path(), &["cost", "--batch", "nothing.csv"], "no such file");
    refused(dir.path(), &["cost", "--batch", "."], "directory");
}

#[test]
fn hostile_price_files_are_refused() {
    let dir = folder();
    let put = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    put("empty.json", b"");
    put("broken.json", b"{\"gpt-4o\": {\"input_cost_per_token\": 1e-6,}}");
    put("negative.json", b"{\"gpt-4o\": {\"input_cost_per_token\": -1e-6}}");
    put("binary.csv", &[0xff, 0xfe, 0x00, 0x01]);
    fs::File::create(dir.path().join("huge.json")).unwrap().set_len(100 * 1024 * 1024).unwrap();
    for name in ["empty.json", "broken.json", "negative.json", "binary.csv", "huge.json"] {
        refused(dir.path(), &["prices", "--prices", name], name);
    }
}

#[test]
fn init_writes_a_scenario_once() {
    let dir = folder();
    fs::write(dir.path().join("config.yaml"), CONFIG).unwrap();
    let (code, stdout, stderr) = outcome(dir.path(), &["init", "config.yaml"]);
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    let written = fs::read_to_string(dir.path().join("scenario.yaml")).unwrap();
    assert!(written.contains("gateway: config.yaml") && written.contains("model: cheap"), "{written}");
    assert!(!written.contains("sk-0123"), "secrets stay in the config");

    fs::write(dir.path().join("scenario.yaml"), "mine").unwrap();
    refused(dir.path(), &["init", "config.yaml"], "--force");
    assert_eq!(fs::read_to_string(dir.path().join("scenario.yaml")).unwrap(), "mine");
    assert_eq!(outcome(dir.path(), &["init", "config.yaml", "--force"]).0, 0);
    assert_eq!(fs::read_to_string(dir.path().join("scenario.yaml")).unwrap(), written);
}

#[test]
fn hostile_configs_are_refused() {
    let dir = folder();
    let put = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    put("empty.yaml", b"");
    put("list.yaml", b"- a\n- b\n");
    put("broken.yaml", b"model_list: [\n");
    put("latin.yaml", b"model_list: \xe9\n");
    put("deep.yaml", "[".repeat(100_000).as_bytes());
    put("bomb.yaml", bomb().as_bytes());
    fs::File::create(dir.path().join("huge.yaml")).unwrap().set_len(100 * 1024 * 1024).unwrap();
    for name in ["empty.yaml", "list.yaml", "broken.yaml", "latin.yaml", "deep.yaml", "bomb.yaml", "huge.yaml"] {
        refused(dir.path(), &["init", name], name);
        assert!(!dir.path().join("scenario.yaml").exists(), "{name}");
    }
}

/// Aliases of aliases: 10⁹ values in 9 lines.
fn bomb() -> String {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let previous = format!("*a{}, ", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{previous}]\n"));
    }
    text
}

/// A scenario for `CONFIG` that ends in these lines.
fn scenario(rest: &str) -> String {
    format!("gateway: config.yaml\nstart: 2026-11-20 18:00 Europe/Berlin\nhours: 2\nruns: 2\n{rest}")
}

const TRAFFIC: &str = "traffic: { a: { preset: chat, model: cheap, rate: 10/min } }\n";

/// A folder with `CONFIG` and a scenario for it.
fn with_scenario(rest: &str) -> TempDir {
    let dir = folder();
    fs::write(dir.path().join("config.yaml"), CONFIG).unwrap();
    fs::write(dir.path().join("scenario.yaml"), scenario(rest)).unwrap();
    dir
}

#[test]
fn slips_in_a_scenario_are_named_with_their_place() {
    let traffic = |entry: &str| format!("traffic:\n  a: {entry}\n");
    let cases = [
        (String::new(), "nothing is sent"),
        ("trafic: {}\n".to_owned(), "did you mean `traffic`?"),
        (traffic("{ preset: chatt, model: cheap, rate: 1/s }"), "scenario.yaml:6:16"),
        (traffic("{ preset: chat, model: cheep, rate: 1/s }"), "did you mean `cheap`?"),
        (traffic("{ preset: chat, model: cheap, rate: -1/s }"), "scenario.yaml:6:42"),
        (traffic("{ preset: chat, model: cheap, rate: .nan }"), "scenario.yaml:6:42"),
        (traffic("{ preset: chat, model: cheap, rate: .inf }"), "scenario.yaml:6:42"),
        (traffic("{ preset: chat, model: cheap, rate: 1e30/s }"), "cannot be simulated"),
        (traffic("{ preset: chat, model: cheap }"), "rate"),
        (traffic("{ preset: chat, model: cheap, rate: 1/s, inptu: 5 }"), "did you mean `input`?"),
        (traffic("{ preset: chat, model: cheap, rate: 1/s, input: lognormal(median=-1, p95=2) }"), "scenario.yaml:6"),
        (traffic("{ preset: chat, model: cheap, rate: 1/s, key: nobody }"), "no virtual key `nobody`"),
        (format!("{TRAFFIC}upstream: {{ opnai: {{}} }}\n"), "did you mean `openai`?"),
        (format!("{TRAFFIC}upstream: {{ openai: {{ preset: none }} }}\n"), "latency"),
        (format!("{TRAFFIC}upstream: {{ openai: {{ tier: gold }} }}\n"), "gold"),
        (format!("{TRAFFIC}upstream: {{ openai: {{ errors: {{ 429: 120% }} }} }}\n"), "scenario.yaml:6:"),
        (format!("{TRAFFIC}volume_uncertainty: -1\n"), "scenario.yaml:6:21"),
        (format!("{TRAFFIC}holidays: [someday]\n"), "someday"),
        (format!("{TRAFFIC}prices: nothing.csv\n"), "nothing.csv"),
        (format!("{TRAFFIC}keys: {{ k: {{ max_budget: -5 }} }}\n"), "keys.k.max_budget"),
        (format!("{TRAFFIC}alerts: {{ act_wthin: 5m }}\n"), "did you mean `act_within`?"),
        (format!("{TRAFFIC}alerts: {{ budget_share: 120% }}\n"), "scenario.yaml:6:"),
        (format!("{TRAFFIC}alerts: {{ fallback_window: 0 }}\n"), "alerts.fallback_window"),
        (format!("{TRAFFIC}budget: {{ week: 5 }}\n"), "scenario.yaml:6:"),
        (format!("{TRAFFIC}hours: 3\n"), "stands twice"),
    ];
    for (rest, says) in cases {
        let dir = with_scenario(&rest);
        refused(dir.path(), &["run", "scenario.yaml", "--out", "out"], says);
        assert!(!dir.path().join("out").exists(), "{rest}");
    }
}

#[test]
fn an_unknown_model_in_a_fallback_is_played_as_the_gateway_does() {
    let dir = with_scenario(TRAFFIC);
    fs::write(dir.path().join("config.yaml"), CONFIG.replace("[big]", "[bigg]")).unwrap();
    let (_, stdout, _) = outcome(dir.path(), &["run", "scenario.yaml", "--runs", "2"]);
    assert!(stdout.contains("config.yaml:7:25") && stdout.contains("[BC301]"), "{stdout}");
    let (_, stdout, _) = outcome(dir.path(), &["check", "config.yaml"]);
    assert!(stdout.contains("did you mean `big`?"), "{stdout}");
}

#[test]
fn secrets_stay_in_the_config() {
    let dir = with_scenario(TRAFFIC);
    let broken = CONFIG.replace("deepseek/deepseek-chat", "[]");
    let config = dir.path().join("config.yaml");
    for text in [CONFIG, &broken] {
        fs::write(&config, text).unwrap();
        for args in [&["run", ".", "--verbose", "--out", "out"][..], &["check", "config.yaml"]] {
            let (_, stdout, stderr) = outcome(dir.path(), args);
            assert!(!format!("{stdout}{stderr}").contains("0123456789abcdef"), "{args:?}");
        }
    }
    for file in fs::read_dir(dir.path().join("out")).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("0123456789abcdef"));
    }
}

#[test]
fn a_run_prints_a_forecast_and_writes_a_report() {
    let dir = with_scenario(TRAFFIC);
    let (code, stdout, stderr) = outcome(dir.path(), &["run", "scenario.yaml", "--out", "a/b", "--runs", "3"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.contains("Bill of 2 h") && stdout.contains("billcast run scenario.yaml --seed 1 --runs 3"),
        "{stdout}"
    );
    assert!(!stdout.contains('\u{1b}'), "no colours: NO_COLOR is set and this is no terminal");
    let names: Vec<_> = fs::read_dir(dir.path().join("a/b")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name == "report.html") && names.iter().any(|name| name == "forecast.json"));
    assert!(names.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{names:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let dir = folder();
    let run = |threads: &str| {
        let args = ["run", "weekend-upward", "--seed", "7", "--runs", "8", "--format", "json", "--threads", threads];
        outcome(dir.path(), &args)
    };
    let (code, one, stderr) = run("1");
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(one, run("2").1);
    let forecast: serde_json::Value = serde_json::from_str(&one).unwrap();
    assert_eq!((&forecast["seed"], &forecast["runs"]), (&7.into(), &8.into()));
}

#[test]
fn every_folder_of_scenarios_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut count = 0;
    for folder in fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let (code, stdout, stderr) = outcome(&root, &["run", folder.to_str().unwrap(), "--runs", "1"]);
        assert_eq!(code, 0, "{}: {stderr}", folder.display());
        assert!(stdout.contains("Bill of"), "{stdout}");
        assert!(folder.join("README.md").exists(), "{}", folder.display());
        let name = folder.file_name().unwrap().to_str().unwrap();
        assert!(outcome(&root, &["scenarios"]).1.contains(name), "{name} is built in");
        count += 1;
    }
    assert!(count >= 2);
}

#[test]
fn a_variant_is_run_by_its_name() {
    let dir = folder();
    let (code, stdout, stderr) = outcome(dir.path(), &["run", "load-test-matrix/nano", "--runs", "2"]);
    assert!(code == 0 && stdout.contains("load-test-matrix/nano"), "{stderr}");
    refused(dir.path(), &["run", "load-test-matrix/nanoo"], "did you mean `load-test-matrix/nano`?");
}

#[test]
fn the_examples_of_the_scenario_document_run() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scenario.md")).unwrap();
    let blocks = document.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let sections = ["traffic:\n", "upstream:\n", "keys:\n"];
    let mut text = "gateway: config.yaml\nhours: 1\nruns: 1\n".to_owned();
    for block in blocks.filter(|block| sections.iter().any(|section| block.starts_with(section))) {
        text.push_str(block);
    }
    text = text.replace("keys:\n", "keys:\n  labs: {}\n");
    let dir = folder();
    let deployment = |group: &str, model: &str, id: &str| {
        let info = if id.is_empty() { String::new() } else { format!(", model_info: {{ id: {id} }}") };
        format!("  - {{ model_name: {group}, litellm_params: {{ model: {model} }}{info} }}\n")
    };
    let config = [
        "model_list:\n".to_owned(),
        deployment("cheap-chat", "deepseek/deepseek-chat", "my-deployment-id"),
        deployment("gpt-4o", "openai/gpt-4o", ""),
        deployment("gpt-4o-mini", "openai/gpt-4o-mini", ""),
    ];
    fs::write(dir.path().join("config.yaml"), config.concat()).unwrap();
    fs::write(dir.path().join("scenario.yaml"), text).unwrap();
    let (code, _, stderr) = outcome(dir.path(), &["run", "scenario.yaml"]);
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn what_init_writes_runs_as_it_is() {
    let dir = folder();
    fs::write(dir.path().join("config.yaml"), CONFIG).unwrap();
    assert_eq!(outcome(dir.path(), &["init", "config.yaml"]).0, 0);
    let (code, _, stderr) = outcome(dir.path(), &["run", "scenario.yaml", "--runs", "1"]);
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn the_quick_way_lists_what_it_assumes() {
    let dir = folder();
    fs::write(dir.path().join("my config.yaml"), CONFIG).unwrap();
    let args = ["run", "--config", "my config.yaml", "--rate", "40/min", "--hours", "1", "--runs", "2", "--verbose"];
    let (code, stdout, stderr) = outcome(dir.path(), &args);
    assert_eq!(code, 0, "{stderr}");
    for word in
        ["traffic.chat.input", "volume_uncertainty", "prices", "start", "gateway.num_retries", "'my config.yaml'"]
    {
        assert!(stdout.contains(word), "{word}: {stdout}");
    }
    refused(dir.path(), &["run", "--config", "my config.yaml"], "--rate");
    refused(dir.path(), &["run", "--config", "my config.yaml", "--rate", "lots"], "--rate");
    refused(dir.path(), &["run", "--config", "my config.yaml", "--rate", "1/s", "--traffic", "chta"], "`chat`");
    for hours in ["nan", "inf", "1e400", "-1"] {
        let args = ["run", "--config", "my config.yaml", "--rate", "1/s", "--hours", hours];
        refused(dir.path(), &args, "hours");
        assert!(!outcome(dir.path(), &args).2.contains("unexpected argument"), "{hours}");
    }
    refused(dir.path(), &["run", "weekend-upwrd"], "did you mean `weekend-upward`?");
}

#[test]
fn findings_at_the_denied_level_exit_with_3() {
    let dir = folder();
    let inert = CONFIG.replace("litellm_settings:", "litellm_settings:\n  cooldown_time: 60");
    fs::write(dir.path().join("config.yaml"), inert).unwrap();
    let check = |args: &[&str]| outcome(dir.path(), &[&["check", "config.yaml"], args].concat());
    let (code, stdout, _) = check(&[]);
    assert!(code == 0 && stdout.contains("cooldown_time") && stdout.contains("config.yaml:7:3"), "{stdout}");
    assert_eq!(check(&["--deny", "warning"]).0, 3);
    let json: serde_json::Value = serde_json::from_str(&check(&["--format", "json"]).1).unwrap();
    assert!(json.to_string().contains("cooldown_time"));
    let sarif: serde_json::Value = serde_json::from_str(&check(&["--format", "sarif"]).1).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    fs::write(dir.path().join("config.yaml"), "model_list: [").unwrap();
    assert_eq!(check(&[]).0, 2);
}

#[test]
fn an_out_that_is_a_file_is_refused_before_the_run() {
    let dir = with_scenario(TRAFFIC);
    fs::write(dir.path().join("out"), "mine").unwrap();
    refused(dir.path(), &["run", "scenario.yaml", "--out", "out"], "--out");
    assert_eq!(fs::read_to_string(dir.path().join("out")).unwrap(), "mine");
}

#[test]
fn a_report_of_a_form_that_is_no_text_is_refused_before_the_scenario_is_looked_for() {
    let dir = folder();
    for form in ["xlsx", "parquet", "csv", "charts", "html,md"] {
        refused(dir.path(), &["report", "nowhere", "--format", form], "--out");
    }
    refused(dir.path(), &["month", "nowhere", "--format", "xlsx"], "--out");
    refused(dir.path(), &["report", "nowhere"], "nowhere");
}

#[test]
fn a_finished_run_is_reported_and_put_together_to_months() {
    let dir = with_scenario(TRAFFIC);
    let week = ["run", "scenario.yaml", "--runs", "2", "--set", "hours=168", "--out", "week", "--quiet"];
    assert_eq!(outcome(dir.path(), &week).0, 0);
    let (code, months, stderr) = outcome(dir.path(), &["month", "week", "--budget", "1", "--format", "csv"]);
    assert!(code == 0 && months.lines().count() == 2, "{stderr}");
    // The report of the same run has the same month, and the budget that is asked about.
    let (code, report, _) =
        outcome(dir.path(), &["report", "week", "--month-budget", "1", "--format", "md", "--quiet"]);
    assert_eq!((code, report.as_str()), (0, ""), "it lies beside the run");
    let report = fs::read_to_string(dir.path().join("week/report.md")).unwrap();
    assert!(report.contains("Months ahead") && report.contains("budget of \\$1.00"), "{report}");
    refused(dir.path(), &["report", "week", "--set", "hours=2"], "--set");
    refused(dir.path(), &["month", "week", "--seed", "2"], "--seed");
    let (code, _, stderr) = outcome(dir.path(), &["run", "scenario.yaml", "--runs", "2", "--out", "short"]);
    assert_eq!(code, 0, "{stderr}");
    refused(dir.path(), &["month", "short"], "hours: 168");
    // A scenario takes the same changes as `run`, and says so in the command that gives it again.
    let changed = ["report", "scenario.yaml", "--set", "hours=3", "--runs", "2", "--format", "md", "--quiet"];
    let (code, report, stderr) = outcome(dir.path(), &changed);
    assert!(code == 0 && report.contains("--set hours=3 --seed 1 --runs 2"), "{stderr}{report}");
}

#[test]
fn a_report_of_a_scenario_is_that_of_its_run() {
    let rest = "budget: { run: 0.05, day: 0.02 }\nalerts: { fallback_share: 2%, act_within: 5m, budget_share: 50% }\n";
    let dir = with_scenario(&format!("{TRAFFIC}{rest}"));
    let run = ["run", "scenario.yaml", "--runs", "3", "--out", "run", "--quiet"];
    assert_eq!(outcome(dir.path(), &run).0, 0);
    let report = ["report", "scenario.yaml", "--runs", "3", "--format", "md,html,json", "--out", "report", "--quiet"];
    assert_eq!(outcome(dir.path(), &report).0, 0);
    for file in ["report.md", "report.html", "forecast.json"] {
        let [of_run, of_report] = ["run", "report"].map(|folder| fs::read(dir.path().join(folder).join(file)).unwrap());
        assert!(of_run == of_report, "{file}");
    }
}

#[test]
fn budgets_count_paid_capacity_and_alerts_do_not_save_it() {
    let rest = "commitments: { c: { of: cheap, tokens: 1M, price: 3 } }\nbudget: { run: 5 }\nvolume_uncertainty: 0\n";
    let dir = with_scenario(&format!("{TRAFFIC}{rest}"));
    let (code, json, stderr) = outcome(dir.path(), &["run", "scenario.yaml", "--quiet", "--format", "json"]);
    assert_eq!(code, 0, "{stderr}");
    let told: serde_json::Value = serde_json::from_str(&json).unwrap();
    let budget = &told["alerts"]["budgets"][0];
    assert_eq!(budget["exhausted"]["run_share"], 1.0, "two hours at $3 are $6: {budget}");
    let number = |value: &serde_json::Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let bill = number(&told["bill"]["mean"]);
    assert!((number(&budget["beyond_mean"]) - (bill - 5.0)).abs() < 1e-9, "{budget} of {bill}");
    assert!(number(&budget["alert"]["outcome"]["saved_mean"]["stopped"]) <= bill - 6.0 + 1e-9, "{budget}");
}

#[test]
fn numbers_that_no_machine_can_serve_are_refused() {
    let dir = with_scenario(TRAFFIC);
    let output =
        billcast(dir.path()).args(["run", "scenario.yaml"]).env("RAYON_NUM_THREADS", "20000").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && stderr.contains("1024 at most"), "{stderr}");
    refused(dir.path(), &["run", "scenario.yaml", "--runs", "2000000"], "1000000");
    let spent = ["month", "scenario.yaml", "--spent", "90000000000000000000000000", "--before", "2026-12-02"];
    refused(dir.path(), &spent, "quadrillion");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_130() {
    use std::io::Write;
    let dir = with_scenario("");
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("billcast"))
        .args(["run", "-", "--runs", "1000000", "--out", "out"])
        .current_dir(dir.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // More than a pipe holds: when all is written, the program is reading, and so has begun to listen for Ctrl-C.
    let mut stdin = child.stdin.take().unwrap();
    let long = format!("{}{}", "# a long comment\n".repeat(20_000), scenario(TRAFFIC));
    stdin.write_all(long.as_bytes()).unwrap();
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    drop(stdin);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
}

#[test]
fn a_scripted_case_is_played() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/cases/02_default_retries.json");
    let dir = folder();
    let (code, stdout, stderr) = outcome(dir.path(), &["trace", case.to_str().unwrap()]);
    let trace: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert!(code == 0 && trace["requests"].is_array(), "{stderr}");
    let (code, told, _) = outcome(dir.path(), &["trace", case.to_str().unwrap(), "--explain"]);
    assert!(code == 0 && told.contains("asks for"), "{told}");
    fs::write(dir.path().join("case.json"), "{").unwrap();
    refused(dir.path(), &["trace", "case.json"], "case.json");
}

#[test]
fn models_are_listed_and_shown() {
    let dir = folder();
    let (code, list, _) = outcome(dir.path(), &["models"]);
    assert!(code == 0 && list.contains("chat") && list.contains("anthropic"), "{list}");
    let (code, chat, _) = outcome(dir.path(), &["models", "show", "chat"]);
    assert!(code == 0 && chat.contains("sources:"), "{chat}");
    refused(dir.path(), &["models", "show", "chatter"], "billcast models");
}

#[test]
fn completions_and_schema_are_complete() {
    let dir = folder();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, script, _) = outcome(dir.path(), &["completions", shell]);
        assert!(code == 0 && script.contains("billcast"), "{shell}");
    }
    let (code, schema, _) = outcome(dir.path(), &["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(code, 0);
    assert!(schema["properties"]["gateway"].is_object());
    jsonschema::meta::validate(&schema).unwrap();
    let claims: serde_json::Value = serde_json::from_str(&outcome(dir.path(), &["schema", "claims"]).1).unwrap();
    assert!(claims["properties"]["claims"].is_object());
    jsonschema::meta::validate(&claims).unwrap();
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("billcast"))
        .args(["completions", "bash"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

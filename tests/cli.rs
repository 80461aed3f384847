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
    for word in ["init", "prices", "cost", "scenarios", "schema", "completions", "Exit codes", "130"] {
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
    refused(dir.path(), &["cost", "--batch", "rows.csv"], "rows.csv:2:8");
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

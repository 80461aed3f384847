//! What a config takes from the environment: read where it is no secret, told where it is not set,
//! the same by every command.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

const CONFIG: &str = "\
model_list:
  - model_name: os.environ/BILLCAST_TEST_GROUP
    litellm_params: { model: os.environ/BILLCAST_TEST_MODEL, api_key: os.environ/BILLCAST_TEST_KEY }
";
const SECRET: &str = "sk-0123456789abcdefghijklmnop";
const RUN: [&str; 9] = ["run", "--config", "c.yaml", "--rate", "10/min", "--hours", "1", "--runs", "1"];

/// Exit code and all that is printed, with these variables set.
fn outcome(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::cargo_bin("billcast").unwrap();
    command.current_dir(folder).env("NO_COLOR", "1").args(args);
    for name in ["BILLCAST_TEST_GROUP", "BILLCAST_TEST_MODEL", "BILLCAST_TEST_KEY"] {
        command.env_remove(name);
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&printed).into_owned())
}

#[test]
fn a_model_from_the_environment_is_simulated_where_it_is_set() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("c.yaml"), CONFIG).unwrap();
    let set =
        [("BILLCAST_TEST_GROUP", "chat"), ("BILLCAST_TEST_MODEL", "openai/gpt-4o-mini"), ("BILLCAST_TEST_KEY", SECRET)];
    let (code, printed) = outcome(dir.path(), &["check", "c.yaml"], &set);
    assert!(code == 0 && printed.contains("`BILLCAST_TEST_MODEL` is set here, and was read"), "{printed}");
    assert!(!printed.contains(SECRET), "{printed}");
    let (code, printed) = outcome(dir.path(), &[&RUN[..], &["--out", "out"]].concat(), &set);
    assert_eq!(code, 0, "{printed}");
    let forecast = fs::read_to_string(dir.path().join("out/forecast.json")).unwrap();
    assert!(forecast.contains("environment.BILLCAST_TEST_MODEL") && forecast.contains("openai/gpt-4o-mini"));
    assert!(!forecast.contains(SECRET) && !printed.contains(SECRET));
}

#[test]
fn what_is_not_set_is_named_by_check_and_run_alike() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("c.yaml"), CONFIG).unwrap();
    for args in [&["check", "c.yaml"][..], &RUN] {
        let (code, printed) = outcome(dir.path(), args, &[("BILLCAST_TEST_GROUP", "chat")]);
        assert!(matches!(code, 2 | 3), "{args:?}: {code} {printed}");
        let why = "which models this gateway calls stands in the environment: `BILLCAST_TEST_MODEL`, not set here";
        assert!(printed.contains(why) && !printed.contains("drops"), "{args:?}: {printed}");
    }
}

#[test]
fn what_may_be_a_secret_is_never_read() {
    let dir = tempfile::tempdir().unwrap();
    let config = CONFIG.replace("os.environ/BILLCAST_TEST_GROUP", "os.environ/BILLCAST_TEST_KEY");
    fs::write(dir.path().join("c.yaml"), config).unwrap();
    let set = [("BILLCAST_TEST_MODEL", SECRET), ("BILLCAST_TEST_KEY", "chat-group-of-mine")];
    for args in [&["check", "c.yaml"][..], &RUN] {
        let (code, printed) = outcome(dir.path(), args, &set);
        assert!(matches!(code, 2 | 3), "{args:?}: {code} {printed}");
        assert!(!printed.contains(SECRET) && !printed.contains("chat-group-of-mine"), "{args:?}: {printed}");
    }
}

#[test]
fn a_reference_without_a_name_is_told_as_such() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("c.yaml"), CONFIG.replace("os.environ/BILLCAST_TEST_MODEL", "os.environ/")).unwrap();
    let (code, printed) = outcome(dir.path(), &["check", "c.yaml"], &[("BILLCAST_TEST_GROUP", "chat")]);
    assert_eq!(code, 3, "{printed}");
    assert!(printed.contains("names no variable") && !printed.contains("``"), "{printed}");
}

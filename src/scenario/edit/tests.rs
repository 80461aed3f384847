use super::*;
use crate::scenario::{Overrides, Quick, World, load, load_quick};

const CONFIG: &str = "model_list:\n\
    - {model_name: gpt-4.1, litellm_params: {model: openai/gpt-4.1, api_key: sk-hidden-hidden}, model_info: {id: first}}\n\
    - {model_name: gpt-4.1, litellm_params: {model: openai/gpt-4.1}}\n\
    - {model_name: mini, litellm_params: {model: openai/gpt-4o-mini}}\n\
    litellm_settings:\n  fallbacks: [{mini: [gpt-4.1]}]\n";
const SCENARIO: &str = "gateway: config.yaml\nhours: 1\ntraffic: {chat: {preset: chat, model: mini, rate: 40/min}}\n\
    keys: {labs: {max_budget: 5}}\n";

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.yaml"), CONFIG).unwrap();
    std::fs::write(dir.path().join("scenario.yaml"), SCENARIO).unwrap();
    dir
}

fn edited(edits: &[&str]) -> Result<World, Problem> {
    let dir = folder();
    let one = |text: &&str| text.strip_prefix('!').map_or_else(|| Edit::parse(text), Edit::remove);
    let edits = edits.iter().map(one).collect::<Result<_, _>>()?;
    load(dir.path().to_str().unwrap(), &Overrides { edits, ..Overrides::default() })
}

fn refused(edit: &str) -> String {
    edited(&[edit]).unwrap_err().to_string()
}

#[test]
fn values_of_both_files_are_changed_added_and_removed() {
    let plain = edited(&[]).unwrap();
    assert_eq!((plain.gateway.router.num_retries, plain.horizon.as_secs_f64()), (2, 3600.0));
    let changed = edited(&["gateway.router_settings.num_retries=0", "hours=2", "seed=7", "!keys.labs"]).unwrap();
    assert_eq!((changed.gateway.router.num_retries, changed.horizon.as_secs_f64(), changed.seed.0), (0, 7200.0, 7));
    assert_eq!((plain.names.keys.len(), changed.names.keys.len()), (2, 1));
    let grown = edited(&["gateway.model_list[+]={model_name: new, litellm_params: {model: openai/gpt-4o}}"]).unwrap();
    assert_eq!((plain.names.groups.len(), grown.names.groups.len()), (2, 3));
    let shrunk = edited(&["!gateway.model_list[gpt-4.1/2]"]).unwrap();
    assert_eq!((plain.names.deployments.len(), shrunk.names.deployments.len()), (3, 2));
}

#[test]
fn elements_have_names_and_a_group_is_all_of_its_deployments() {
    let parallel = |edit: &str| {
        let world = edited(&[&format!("gateway.model_list[{edit}].litellm_params.max_parallel_requests=3")]).unwrap();
        world.names.deployments.iter().map(|name| name.concurrency_limit.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(parallel("first"), [true, false, false]);
    assert_eq!(parallel("gpt-4.1/2"), [false, true, false]);
    assert_eq!(parallel("gpt-4.1"), [true, true, false]);
    assert_eq!(parallel("2"), [false, false, true]);
    assert_eq!(parallel("*"), [true, true, true]);
}

#[test]
fn entries_of_lists_of_maps_go_by_their_key_and_keys_may_have_points() {
    let world = edited(&["gateway.litellm_settings.fallbacks[mini]=[]", "upstream.gpt-4.1={latency: 9}"]);
    assert!(world.unwrap_err().to_string().contains("gpt-4"), "a new key with points in it is quoted");
    let edits = [
        "upstream.\"gpt-4.1\"={latency: 9}",
        "upstream.gpt-4.1.latency=4",
        "!gateway.litellm_settings.fallbacks[mini]",
    ];
    let world = edited(&edits).unwrap();
    assert!(world.gateway.names.iter().all(|name| name.fallbacks.is_none()));
    let latency = |index: usize| format!("{:?}", world.providers.deployments()[index].latency);
    assert!(latency(0) == latency(1) && latency(0) != latency(2));
}

#[test]
fn slips_are_named_in_the_change_itself() {
    let cases = [
        ("gateway.router_settings.num_retires=0", "num_retires:1:25: error [BC201]", "did you mean `num_retries`?"),
        ("gateway.router_settings.num_retries=many", "num_retries:1:37: error [BC108]", "whole number"),
        ("gateway.model_list[gpt-4.l].rpm=1", "rpm:1:19: error [BC504]: there is no `gpt-4.l`", "`gpt-4.1`?"),
        ("gateway.model_list[7].rpm=1", "rpm:1:19: error [BC504]", "the list has 3"),
        ("gateway.model_list[0].model_name.x=1", "x:1:34: error [BC504]", "nothing is below it"),
        ("trafic.chat.rate=1", "trafic.chat.rate:1:1: error [BC501]", "did you mean `traffic`?"),
        ("traffic.chat.rat=1", "traffic.chat.rat:1:14: error", "did you mean `rate`?"),
        ("traffic.chatt.rate=1/s", "traffic.chatt.rate:1:9: error [BC504]", "did you mean `chat`?"),
        ("traffic.chat.rate=fast", "traffic.chat.rate:1:19: error", "fast"),
        ("traffic.chat.model=gpt-4.l", "traffic.chat.model:1:20: error [BC503]", "did you mean `gpt-4.1`?"),
        ("upstream.opnai.tier=tier-1", "upstream.opnai.tier:1:10: error [BC503]", "did you mean `openai`?"),
        ("hours=-3", "hours:1:7: error [BC102]", "expected a number"),
        ("hours", "hours:1:6: error [BC504]", "`path=value`"),
        ("hours=[1", "hours:1:7: error [BC504]", "YAML"),
        ("a..b=1", "a..b:1:3: error [BC504]: a key is missing", ""),
        ("a[1=2", "a[1:1:2: error [BC504]: the bracket has no end", ""),
        ("!keys.lab", "keys.lab:1:6: error [BC504]: there is no `lab`", "did you mean `labs`?"),
    ];
    for (edit, place, said) in cases {
        let message = refused(edit);
        assert!(message.contains(place) && message.contains(said), "{edit}: {message}");
    }
}

#[test]
fn a_change_says_the_same_as_the_file_would() {
    let dir = folder();
    let path = dir.path().to_str().unwrap();
    let edits = vec![Edit::parse("traffic.chat.rate=1e1/s").unwrap(), Edit::parse("volume_uncertainty=1e-1").unwrap()];
    let changed = load(path, &Overrides { edits, ..Overrides::default() }).unwrap();
    let text = SCENARIO.replace("rate: 40/min", "rate: 1e1/s") + "volume_uncertainty: 1e-1\n";
    std::fs::write(dir.path().join("scenario.yaml"), text).unwrap();
    let written = load(path, &Overrides::default()).unwrap();
    assert_eq!(format!("{:?}", changed.traffic), format!("{:?}", written.traffic));
    assert_eq!(changed.assumptions, written.assumptions);
}

#[test]
fn flags_without_a_scenario_can_be_changed_too() {
    let dir = folder();
    let config = dir.path().join("config.yaml").to_str().unwrap().to_owned();
    let rate = "40/min".parse().unwrap();
    let quick = Quick { config, rate, preset: "chat".into(), model: None, hours: None, start: None };
    let edits = vec![Edit::parse("hours=3").unwrap(), Edit::parse("gateway.router_settings.num_retries=1").unwrap()];
    let world = load_quick(&quick, &Overrides { edits, ..Overrides::default() }).unwrap();
    assert_eq!((world.horizon.as_secs_f64(), world.gateway.router.num_retries), (10800.0, 1));
}

#[test]
fn keys_that_are_numbers_are_set_as_in_a_file() {
    assert!(edited(&["upstream.openai={errors: {429: 5%}}"]).is_ok());
    let message = Edit::varied("trafic.chat.rate", "1").and_then(|edit| {
        load(folder().path().to_str().unwrap(), &Overrides { edits: vec![edit], ..Overrides::default() })
    });
    assert!(message.unwrap_err().to_string().starts_with("--vary trafic.chat.rate:1:1"));
}

#[test]
fn secrets_are_not_shown() {
    let secret = "gateway.model_list[0].litellm_params.api_key=hunter2";
    assert_eq!(Edit::parse(secret).unwrap().shown(), "gateway.model_list[0].litellm_params.api_key=***");
    assert!(!format!("{:?}", Edit::parse("x={a: [sk-abcdefghijkl]}").unwrap()).contains("sk-"));
    assert_eq!(Edit::parse("x.max_tokens=500").unwrap().shown(), "x.max_tokens=500");
    assert!(!refused("gateway.model_list[9].x=sk-abcdefghijklmnop").contains("sk-"));
}

#[test]
fn keys_in_paths_are_masked_letter_by_letter() {
    let key = "sk-CANARYzz0123456789";
    let stars = "*".repeat(key.len());
    for (path, shown) in [
        (format!("keys.{key}.rpm_limit"), format!("keys.{stars}.rpm_limit")),
        (format!("keys['{key}'].rpm_limit"), format!("keys['{stars}'].rpm_limit")),
        (format!("keys.\"{key}.x\""), format!("keys.\"{stars}**\"")),
        (format!("keys[{key}"), format!("keys[{stars}")),
        ("traffic.chat.rate".to_owned(), "traffic.chat.rate".to_owned()),
    ] {
        assert_eq!(Edit::masked(&format!("{path}=5")), format!("{shown}=5"));
    }
    assert_eq!(Edit::parse(&format!("keys.{key}.rpm_limit=5")).unwrap().shown(), format!("keys.{stars}.rpm_limit=5"));
    assert_eq!(Edit::remove(&format!("keys.{key}")).unwrap().shown(), format!("keys.{stars}"));
}

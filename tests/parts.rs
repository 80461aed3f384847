//! Replications in parts: whatever the cuts and the threads, what is merged is what one machine would have said.

mod support;

use billcast::experiment::{Forecast, Options, Part, PartError, Unwatched, merge, part};
use billcast::random::Seed;
use billcast::report::artefacts;
use billcast::scenario::World;

const RUNS: u64 = 23;
const GATEWAY: &str = "model_list:
- {model_name: cheap, litellm_params: {model: openai/gpt-4o-mini}}
- {model_name: dear, litellm_params: {model: anthropic/claude-haiku-5-5}}
router_settings: {fallbacks: [{cheap: [dear]}]}
";
const SCENARIO: &str = "hours: 6
traffic: {x: {preset: chat, model: cheap, rate: 10/min}}
upstream: {openai: {errors: {429: 5%, 500: 5%}, bursts: {every: 2h, lasts: 20m, share: 80%}}}
";

fn world() -> World {
    support::world(GATEWAY, SCENARIO)
}

fn options(threads: usize) -> Options {
    let command = String::from("billcast run test");
    Options { runs: RUNS, seed: Seed(7), threads, precision: None, command }
}

fn parts(world: &World, of: u64, threads: usize) -> Vec<(String, Part)> {
    let file = |number| {
        let written = part(world, &options(threads), number, of, &Unwatched).to_json();
        let name = format!("part {number}");
        let read = Part::from_json(&name, std::str::from_utf8(&written).expect("UTF-8")).expect("a part");
        (name, read)
    };
    (1..=of).map(file).collect()
}

fn same_bytes(forecast: &Forecast, reference: &Forecast, what: &str) {
    for (file, same) in artefacts(forecast).iter().zip(&artefacts(reference)) {
        assert_eq!(file.file_name, same.file_name);
        let at = file.bytes.iter().zip(&same.bytes).position(|(a, b)| a != b).unwrap_or(0);
        let near = |bytes: &[u8]| {
            String::from_utf8_lossy(&bytes[at.saturating_sub(40)..bytes.len().min(at + 40)]).into_owned()
        };
        assert!(file.bytes == same.bytes, "{}, {what}: {} {}", file.file_name, near(&file.bytes), near(&same.bytes));
    }
}

#[test]
fn any_split_gives_the_same_bytes() {
    let world = world();
    let whole = support::forecast_of(&world, 7, RUNS, 2);
    for (of, threads) in [(1, 1), (2, 2), (3, 3), (7, 8), (RUNS, 1), (RUNS + 5, 2)] {
        let mut parts = parts(&world, of, threads);
        // In whatever order they come in.
        parts.reverse();
        let merged = merge(&world, &options(1), parts).expect("all parts");
        same_bytes(&merged, &whole, &format!("{of} parts on {threads} threads"));
    }
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let world = world();
    let all = parts(&world, 3, 2);
    let put = |parts: &[(String, Part)]| merge(&world, &options(2), parts.to_vec()).expect_err("not a forecast");
    assert_eq!(put(&all[..2]), PartError::Missing(15, 22));
    assert_eq!(put(&all[1..]), PartError::Gap("part 2".into(), 7, 0));
    assert_eq!(put(&[all.clone(), all.clone()].concat()), PartError::Gap("part 1".into(), 0, 7));

    let other = support::world(GATEWAY, &SCENARIO.replace("429: 5%", "429: 6%"));
    assert_eq!(merge(&other, &options(2), all.clone()).unwrap_err(), PartError::OtherWorld("part 1".into(), 0));
    // Even where the first run does not show what has changed.
    for (gateway, scenario) in [
        (GATEWAY.to_owned() + "# Another hand.\n", SCENARIO.to_owned()),
        (GATEWAY.to_owned(), SCENARIO.to_owned() + "description: another\n"),
    ] {
        let other = support::world(&gateway, &scenario);
        assert_eq!(merge(&other, &options(2), all.clone()).unwrap_err(), PartError::OtherWorld("part 1".into(), 0));
    }
    let seed = Options { seed: Seed(8), ..options(2) };
    assert!(matches!(merge(&world, &seed, all), Err(PartError::OtherForecast(..))));
}

#[test]
fn files_that_are_cut_or_edited_are_refused() {
    let world = world();
    let written = part(&world, &options(2), 1, 20, &Unwatched).to_json();
    let text = String::from_utf8(written).expect("UTF-8");
    assert!(Part::from_json("p", &text).is_ok());
    let edited = text.replace("\"failed\":", "\"failed\":1");
    for wrong in ["", "{}", "\n", &text[..text.len() / 2], &edited, &text.replace("billcast.part/5", "x")] {
        assert!(matches!(Part::from_json("p", wrong), Err(PartError::NotAPart(..))));
    }
}

/// A file whose digest fits may still be made up: nothing in it wraps around when parts are added.
#[test]
fn sums_that_no_runs_have_are_refused() {
    let world = world();
    let all = parts(&world, 2, 2);
    let text = String::from_utf8(part(&world, &options(2), 1, 2, &Unwatched).to_json()).expect("UTF-8");
    let (head, fold) = text.trim_end().split_once('\n').expect("two lines");
    let forged = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut value: serde_json::Value = serde_json::from_str(fold).expect("JSON");
        change(&mut value);
        let fold = value.to_string();
        let mut head: serde_json::Value = serde_json::from_str(head).expect("JSON");
        head["digest"] = billcast::random::address_of(&fold).into();
        let part = Part::from_json("forged", &format!("{head}\n{fold}\n")).expect("a part to look at");
        merge(&world, &options(2), vec![("forged".to_owned(), part), all[1].clone()])
    };
    let huge = serde_json::json!(u64::MAX - 5);
    type Change<'a> = &'a dyn Fn(&mut serde_json::Value);
    let changes: [(Change<'_>, &str); 7] = [
        (&|fold| fold["deployments"][0]["attempts"] = huge.clone(), "more than runs can"),
        (&|fold| fold["deployments"][1]["billed"][0]["quantity"] = huge.clone(), "more than runs can"),
        (&|fold| fold["latency"]["zeros"] = huge.clone(), "more than runs can"),
        (&|fold| fold["keys"][0]["requests"] = huge.clone(), "more than runs can"),
        (&|fold| fold["rows"][3]["failed"] = huge.clone(), "requests that never came"),
        (&|fold| fold["bill"] = "99999999999999999999.00".into(), "amounts that nobody is charged"),
        (&|fold| fold["key_bills"][2] = serde_json::json!([]), "do not belong together"),
    ];
    for (change, says) in changes {
        let error = forged(change).expect_err(says).to_string();
        assert!(error.starts_with("forged is not a part") && error.contains(says), "{error}");
    }
    assert!(forged(&|_| {}).is_ok(), "as it was written");
}

/// Tests are built with the features that their own dependencies ask for; the program is not. Without this one it reads
/// some numbers of a part with another last digit than they were written with, and no test would see it.
#[test]
fn the_program_itself_reads_numbers_to_the_last_digit() {
    let manifest = include_str!("../Cargo.toml");
    let (dependencies, _) = manifest.split_once("[dev-dependencies]").expect("dependencies of tests");
    let of_json = dependencies.lines().find(|line| line.starts_with("serde_json")).expect("serde_json");
    assert!(of_json.contains("\"float_roundtrip\""), "{of_json}");
}

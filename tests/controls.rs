//! Control variates: their means are known, what they are taken from is not biased, and the intervals hold.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use billcast::experiment::{Arm, Change, Control, Fold, Options, Unwatched, compare, controls};
use billcast::random::Seed;
use billcast::scenario::{Edit, Overrides, World, builtins, load};
use billcast::units::Money;

fn options(runs: u64, seed: u64) -> Options {
    Options { runs, seed: Seed(seed), threads: 2, precision: None, command: "billcast …".to_owned() }
}

fn edited(scenario: &str, edits: &[&str]) -> World {
    let edits = edits.iter().map(|text| Edit::parse(text).expect("an edit")).collect();
    load(scenario, &Overrides { edits, ..Overrides::default() }).expect("a world")
}

fn counting(world: &World) -> World {
    World { providers: Arc::new(world.providers.counting_luck()), ..world.clone() }
}

/// The controls of a world over so many runs.
fn all_controls(world: &World, runs: u64) -> Vec<Control> {
    let (mut fold, mut luck) = (Fold::default(), Vec::new());
    for run in 0..runs {
        let run = support::run(world, 21, run);
        fold.add(&run);
        luck.push(run.luck);
    }
    controls(world, &options(runs, 21), &fold.rows, &luck)
}

#[test]
fn every_control_has_mean_zero_in_every_built_in_scenario() {
    // 5 standard errors: of some 300 controls one in 6,000 times this would fail by chance. Small counts are skewed,
    // and the error itself is estimated: those that are nothing in most of the runs say too little.
    let mut seen = BTreeMap::new();
    for scenario in builtins().filter(|scenario| !scenario.name.starts_with("bench")) {
        let world = counting(&edited(scenario.name, &["hours=2"]));
        for Control { name, values } in all_controls(&world, 60) {
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let error = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
            // What happens once in a hundred runs mostly did not: its error is then that of a
            // count, not what is seen of it.
            let of_count = if name.contains("failures") { (mean.abs() / n).sqrt() } else { 0.0 };
            let error = error.max(of_count);
            assert!(mean.abs() < 5.0 * error, "{}: {name}: {mean} ± {error}", scenario.name);
            *seen.entry(name.split(" of ").next().unwrap_or_default().to_owned()).or_insert(0) += 1;
        }
    }
    for kind in ["requests", "first chance failures", "volume", "gaps before error burst", "time in error burst"] {
        assert!(seen.contains_key(kind), "no `{kind}` among {seen:?}");
    }
}

/// The benchmark's world in small: bursts come more often, and all requests are of one length.
const SMALL: [&str; 7] = [
    "hours=3",
    "traffic.chat.rate=900/h",
    "traffic.chat.input=800",
    "traffic.chat.output=250",
    "upstream.openai.bursts.share_outside=6%",
    "upstream.openai.bursts.every=1h",
    "upstream.openai.bursts.lasts=10m",
];

fn small(more: &[&str]) -> Arm {
    Arm { label: more.join(" "), world: edited("bench-w1", &[&SMALL[..], more].concat()) }
}

const SHORTER: &str = "gateway.model_list.0.litellm_params.cooldown_time=1";

#[test]
fn nothing_is_biased_and_intervals_cover_as_often_as_they_say() {
    // 60 comparisons of 60 runs. The truth is the mean of all 3,600 differences, several times as
    // sure as one adjusted mean.
    let sides = (small(&[]), [small(&[SHORTER])]);
    let found: Vec<Change> = (0..60)
        .map(|seed| compare(&sides.0, &sides.1, &options(60, 1_000 + seed), &Unwatched).changes.remove(0))
        .collect();
    let dollars = |amount: Money| amount.picos() as f64 / 1e12;
    let n = found.len() as f64;
    let truth = found.iter().map(|change| dollars(change.bill_mean.delta)).sum::<f64>() / n;
    let (mut covered, mut bias, mut squares, mut plain, mut said) = (0, 0.0, 0.0, 0.0, 0.0);
    for change in &found {
        let adjusted = change.controlled.as_ref().expect("controls are worth it");
        let [low, high] = adjusted.ci95.map(dollars);
        covered += u32::from(low <= truth && truth <= high);
        bias += (dollars(adjusted.delta) - truth) / n;
        squares += (dollars(adjusted.delta) - truth).powi(2) / n;
        plain += (dollars(change.bill_mean.delta) - truth).powi(2) / n;
        said += adjusted.std_error.powi(2) / n;
        assert!(adjusted.gain > 1.5 && adjusted.controls.len() <= 3, "20 runs for each: {adjusted:?}");
    }
    // 95% of 60 are 57; 3.5 standard errors of the count are 6.
    assert!((51..=60).contains(&covered), "{covered} of 60");
    // 4 standard errors of the mean of 60, and that of the truth.
    assert!(bias.abs() < 4.0 * (squares / n + plain / n).sqrt(), "{bias} ± {}", (squares / n).sqrt());
    // Means are as far from the truth as is said, and nearer than without controls, although there the runs that are
    // spread evenly help already. A sample variance of 60 is off by a half now and then.
    assert!((squares / said).ln().abs() < 0.6, "{squares}, said {said}");
    assert!(squares < 0.85 * plain, "{squares} against {plain}");
}

#[test]
fn doubled_prices_double_what_is_left() {
    let prices = |factor: u32| {
        let model = |name: &str, input: u32, output: u32| {
            format!(
                r#""{name}": {{"litellm_provider": "{}", "mode": "chat", "input_cost_per_token": {}e-6, "output_cost_per_token": {}e-6}}"#,
                if name.starts_with("gpt") { "openai" } else { "anthropic" },
                input * factor,
                output * factor
            )
        };
        format!("{{{}, {}}}", model("gpt-4o", 3, 10), model("claude-sonnet-4-5", 4, 15))
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let found = |factor: u32| {
        let file = folder.path().join(format!("prices-{factor}.json"));
        std::fs::write(&file, prices(factor)).expect("a written file");
        let side = |more: &[&str]| {
            let edits = [&SMALL[..], more].concat().iter().map(|text| Edit::parse(text).expect("an edit")).collect();
            let prices = Some(file.to_string_lossy().into_owned());
            let overrides = Overrides { edits, prices, ..Overrides::default() };
            Arm { label: String::new(), world: load("bench-w1", &overrides).expect("a world") }
        };
        let change = compare(&side(&[]), &[side(&[SHORTER])], &options(100, 5), &Unwatched).changes.remove(0);
        change.controlled.expect("controls are worth it")
    };
    let (once, twice) = (found(1), found(2));
    assert_eq!(once.controls, twice.controls);
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9 * b.abs();
    assert!(near(2.0 * once.std_error, twice.std_error) && near(once.gain, twice.gain), "{once:?} {twice:?}");
    assert!((once.delta.picos() * 2 - twice.delta.picos()).abs() < 1_000);
}

#[test]
fn nothing_is_taken_back_where_nothing_differs_or_too_few_runs_tell() {
    let change =
        |other: &[&str], runs| compare(&small(&[]), &[small(other)], &options(runs, 5), &Unwatched).changes.remove(0);
    assert_eq!(change(&[], 60).controlled, None);
    assert_eq!(change(&[SHORTER], 19).controlled, None);
}

#[test]
fn luck_is_the_same_on_the_fast_lane_and_costs_nothing_to_those_who_do_not_ask() {
    for scenario in builtins() {
        let plain = edited(scenario.name, &["hours=1"]);
        let world = counting(&plain);
        let (fast, slow) = (support::run(&world, 2, 3), support::run_the_long_way(&world, 2, 3));
        assert_eq!(fast.luck, slow.luck, "{}", scenario.name);
        let unasked = support::run(&plain, 2, 3);
        assert_eq!(unasked.ledger.total(), fast.ledger.total(), "{}", scenario.name);
        assert_eq!(unasked.luck.0, [0.0; 4], "{}", scenario.name);
    }
}

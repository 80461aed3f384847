//! The fast engine and the naive one agree event for event on random worlds, and in every figure of a run.

mod reference;
mod support;
mod worlds;

use billcast::engine::{Engine, Recorder, Run};
use billcast::gateway::fleet::Fleet;
use billcast::gateway::litellm::LiteLlm;
use billcast::ledger::Shape;
use billcast::random::{Addressed, Replication, Seed};
use billcast::scenario::{Overrides, World, builtins, load};
use billcast::units::SimDuration;
use proptest::prelude::*;
use reference::Reference;
use reference::erratic::Erratic;
use reference::gateway::Requests;
use reference::log::Log;
use reference::world::{Knobs, Providers, Traffic};
use worlds::{cases, crammed, files};

fn knobs() -> impl Strategy<Value = Knobs> {
    let sizes = (0u64..60, 0u64..4, 0u64..6, 1u32..20);
    (any::<u64>(), sizes, 1u32..4, 0u32..6).prop_map(
        |(seed, (requests, users, rounds, spread), deployments, parallel)| Knobs {
            seed,
            requests,
            users,
            rounds,
            spread,
            deployments,
            parallel,
        },
    )
}

/// Runs a world through an engine: `Engine` or `Reference`, which are built and run the same way.
macro_rules! log_of {
    ($engine:ident, $knobs:expr) => {{
        let knobs: Knobs = $knobs;
        let mut log = Log::default();
        $engine::new(
            &mut Erratic::new(knobs),
            &mut Providers { knobs },
            &mut Traffic::new(knobs),
            &mut Addressed::new(Seed(knobs.seed), Replication(0)),
            &mut log,
        )
        .run()
        .expect("room");
        log.tidied()
    }};
}

/// The first event at which two logs part, with what came before it.
fn assert_same(fast: &Log, slow: &Log) {
    for (index, (left, right)) in fast.lines.iter().zip(&slow.lines).enumerate() {
        let before = || fast.lines[index.saturating_sub(3)..index].join("\n");
        assert_eq!(left, right, "event {index}, after\n{}", before());
    }
    assert_eq!(fast.lines.len(), slow.lines.len(), "one engine stopped earlier");
    assert_eq!(fast.unfinished, slow.unfinished);
}

proptest! {
    /// For more worlds set `PROPTEST_CASES`.
    #[test]
    fn agrees_with_the_naive_engine_event_for_event(knobs in knobs()) {
        assert_same(&log_of!(Engine, knobs), &log_of!(Reference, knobs));
    }
}

/// Plays a world for an observer, with the gateway and the providers that `billcast run` uses.
macro_rules! play_world {
    ($engine:ident, $world:expr, $observer:expr) => {{
        let world: &World = $world;
        let (gateway, first) = (LiteLlm::new(world.gateway.clone()), Replication(0));
        let (upstream, requests) = (&mut world.providers.replicate(world.seed, first), &mut Requests::of(world));
        let draws = &mut Addressed::new(world.seed, first);
        match &world.fleet {
            None => $engine::new(&mut { gateway }, upstream, requests, draws, $observer).run().expect("room"),
            Some(plan) => {
                let mut fleet = Fleet::new(plan, gateway, world.seed, first, requests.end);
                $engine::new(&mut fleet, upstream, requests, draws, $observer).run().expect("room");
            }
        }
    }};
}

/// What happens in a world.
macro_rules! log_of_world {
    ($engine:ident, $world:expr) => {{
        let mut log = Log::default();
        play_world!($engine, $world, &mut log);
        log.tidied()
    }};
}

/// The figures of a run that the naive engine has played.
fn naive_run(world: &World) -> Run {
    let names = &world.names;
    let (deployments, groups) = (names.deployments.len(), names.groups.len());
    let shape = Shape { deployments, groups, keys: names.keys.len(), classes: names.classes.len() };
    let mut recorder = Recorder::new(&world.tariffs, shape, world.horizon, SimDuration::from_secs(3600), 0);
    play_world!(Reference, world, &mut recorder);
    recorder.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(16), failure_persistence: None, ..ProptestConfig::default() })]

    /// Everything that a scenario may have: the long way event for event, and the fast one by all of its figures.
    #[test]
    fn agrees_with_the_naive_engine_on_random_scenarios(files in files(), seed in 0u64..1000) {
        let mut world = files.load();
        world.seed = Seed(seed);
        world.horizon = SimDuration::from_secs([900, 1800, 6000][(seed % 3) as usize]);
        assert_same(&log_of_world!(Engine, &world), &log_of_world!(Reference, &world));
        prop_assert_eq!(format!("{:?}", support::run(&world, seed, 0)), format!("{:?}", naive_run(&world)));
    }
}

#[test]
fn agrees_with_the_naive_engine_on_every_built_in_scenario() {
    for scenario in builtins() {
        let mut world = load(scenario.name, &Overrides::default()).unwrap_or_else(|e| panic!("{e}"));
        // A little of each: the naive engine and its log are slow.
        world.horizon =
            world.horizon.min(SimDuration::from_secs(if scenario.name.starts_with("bench") { 900 } else { 36_000 }));
        let fast = log_of_world!(Engine, &world);
        assert!(fast.lines.len() > 100, "{}: too little happens", scenario.name);
        assert_same(&fast, &log_of_world!(Reference, &world));
    }
}

/// The fast lane against its slow twin: a run that somebody watches takes the long way.
#[test]
fn the_lane_changes_nothing_in_any_built_in_scenario() {
    for scenario in builtins() {
        let mut world = load(scenario.name, &Overrides::default()).unwrap_or_else(|e| panic!("{e}"));
        world.horizon = world.horizon.min(SimDuration::from_secs(36_000));
        let (fast, slow) = (support::run(&world, 5, 1), support::run_the_long_way(&world, 5, 1));
        assert!(fast.requests > 0, "{}", scenario.name);
        assert_eq!(format!("{fast:?}"), format!("{slow:?}"), "{}", scenario.name);
    }
}

/// The same where the router's cache has no room for everything: what is light writes to it as the others do.
#[test]
fn the_lane_forgets_what_the_long_way_forgets() {
    let deployment =
        "- {model_name: group0, litellm_params: {model: openai/gpt-4o-mini, max_budget: 0.5, budget_duration: 1h}}";
    let router = "allowed_fails: 1, cooldown_time: 20, num_retries: 1, fallbacks: [{group0: [group0]}]";
    let roomy = format!("model_list:\n{deployment}\nrouter_settings:\n  {{{router}}}\n");
    let traffic = "all: {model: group0, rate: 3/s, input: 300, output: 90, stream: 30%}";
    let upstream = "openai: {bursts: {every: 10m, lasts: 3m, share: 60%, share_outside: 2%}}";
    let scenario = format!("start: 2026-11-02\nhours: 4\ntraffic: {{{traffic}}}\nupstream: {{{upstream}}}\n");
    let crammed = crammed(&roomy);
    for cache in ["", "litellm_settings: {cache: true, cache_params: {type: local, ttl: 60}}\n"] {
        let world = support::world(&format!("{crammed}{cache}"), &scenario);
        let (fast, slow) = (support::run(&world, 5, 1), support::run_the_long_way(&world, 5, 1));
        assert!(fast.requests > 10_000, "{} requests", fast.requests);
        assert_eq!(format!("{fast:?}"), format!("{slow:?}"));
    }
}

/// The comparison of random worlds would be worth little if they were tame: everything that can happen does.
#[test]
fn random_worlds_contain_everything() {
    let mut all = String::new();
    let mut unfinished = 0;
    for seed in 0..40 {
        let knobs = Knobs { seed, requests: 60, users: 3, rounds: 5, spread: 6, deployments: 2, parallel: 3 };
        let log = log_of!(Reference, knobs);
        unfinished += log.unfinished.len();
        all.extend(log.lines);
    }
    let wanted = [
        "outcome: Timeout, phase: BeforeHeaders",
        "outcome: Timeout, phase: BeforeContent",
        "outcome: Timeout, phase: AfterContent",
        "outcome: Cancelled, phase: BeforeHeaders",
        "outcome: Cancelled, phase: BeforeContent",
        "outcome: Cancelled, phase: AfterContent",
        "outcome: Cut, ",
        "outcome: ConnectionError",
        "outcome: Status(429)",
        "source: ClientLeft",
        "http_status: 200",
        "http_status: 499",
        "http_status: 500",
        "cools down",
        "class 1 request",
        "attempts: 4",
    ];
    for text in wanted {
        assert!(all.contains(text), "no world has `{text}`");
    }
    assert!(unfinished > 0, "no request hangs");
}

//! The fast engine and the naive one agree event for event on random worlds.

mod reference;
mod support;

use billcast::engine::Engine;
use billcast::gateway::litellm::LiteLlm;
use billcast::random::{Addressed, Replication, Seed};
use billcast::scenario::{Overrides, World, builtins, load};
use billcast::units::SimDuration;
use proptest::prelude::*;
use reference::Reference;
use reference::erratic::Erratic;
use reference::gateway::Requests;
use reference::log::Log;
use reference::world::{Knobs, Providers, Traffic};

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
        .run();
        log.unfinished.sort();
        log
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

/// The real gateway and the simulated providers, as `billcast run` uses them.
macro_rules! log_of_world {
    ($engine:ident, $world:expr) => {{
        let world: &World = $world;
        let mut log = Log::default();
        $engine::new(
            &mut LiteLlm::new(world.gateway.clone()),
            &mut world.providers.replicate(world.seed, Replication(0)),
            &mut Requests::of(world),
            &mut Addressed::new(world.seed, Replication(0)),
            &mut log,
        )
        .run();
        log.unfinished.sort();
        log
    }};
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
        "number: AttemptNumber(3)",
    ];
    for text in wanted {
        assert!(all.contains(text), "no world has `{text}`");
    }
    assert!(unfinished > 0, "no request hangs");
}

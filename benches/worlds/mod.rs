//! The worlds that speed is measured on: the built-in scenarios `bench-w1` and `bench-full`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use billcast::provider::{Providers, Timeline, Trouble};
use billcast::random::{Dist, Law};
use billcast::scenario::{Overrides, World, load};

const W1: &str = include_str!("../../scenarios/bench-w1/scenario.yaml");
const W1_GATEWAY: &str = include_str!("../../scenarios/bench-w1/gateway.yaml");
const W1_RATE: &str = "rate: 20833.333333/h";
const HORIZON_H: f64 = 48.0;

/// W1 with about this many requests. `fixed` sets calm and burst to their mean lengths: one source of noise less.
pub fn w1(requests: f64, fixed: bool) -> World {
    assert!(W1.contains(W1_RATE), "the scenario's rate has changed");
    let folder = tempfile::tempdir().expect("a directory");
    let rate = format!("rate: {:.6}/h", requests / HORIZON_H);
    fs::write(folder.path().join("scenario.yaml"), W1.replace(W1_RATE, &rate)).expect("a file");
    fs::write(folder.path().join("gateway.yaml"), W1_GATEWAY).expect("a file");
    let mut world = scenario(folder.path());
    if fixed {
        world.providers = Arc::new(without_chance(&world.providers));
    }
    world
}

/// A scenario by its folder or name.
pub fn scenario(path: &Path) -> World {
    let overrides = Overrides::default();
    load(&path.to_string_lossy(), &overrides).unwrap_or_else(|problem| panic!("{problem}"))
}

/// The same providers with windows of trouble of constant length.
fn without_chance(providers: &Providers) -> Providers {
    let constant = |dist: &Dist| match dist.law() {
        Law::Exponential { mean } => Dist::constant(*mean).expect("a distribution"),
        _ => dist.clone(),
    };
    let fixed = |trouble: &Trouble| {
        let mut trouble = trouble.clone();
        if let Timeline::Renewal(renewal) = &mut trouble.timeline {
            renewal.quiet_s = constant(&renewal.quiet_s);
            renewal.active_s = constant(&renewal.active_s);
        }
        trouble
    };
    let troubles = providers.troubles().iter().map(fixed).collect();
    Providers::new(providers.deployments().to_vec(), troubles, providers.limits().to_vec()).expect("providers")
}

//! The worlds that speed is measured on: the built-in scenarios `bench-w1` and `bench-full`.

use std::path::Path;
use std::sync::Arc;

use billcast::provider::{Providers, Timeline, Trouble};
use billcast::random::{Dist, Law};
use billcast::scenario::{Overrides, World, load};

/// How many requests `bench-w1` has.
const REQUESTS: f64 = 1e6;

/// W1 with about this many requests. `fixed` sets calm and burst to their mean lengths: one source of noise less.
pub fn w1(requests: f64, fixed: bool) -> World {
    let mut world = scenario(Path::new("bench-w1"));
    world.traffic = Arc::new(world.traffic.scaled(requests / REQUESTS));
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

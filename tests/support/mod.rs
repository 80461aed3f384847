//! Small worlds from text, for the tests that run whole replications.
#![allow(dead_code, reason = "each test binary uses its own part")]

use billcast::engine::{Run, Watcher, simulate, simulate_watched};
use billcast::experiment::{Forecast, Options, Unwatched, forecast};
use billcast::random::{Replication, Seed};
use billcast::scenario::{Overrides, World, load};
use billcast::units::SimDuration;

/// Loads a world from the texts of its two files.
pub fn world(gateway: &str, scenario: &str) -> World {
    try_world(gateway, scenario).unwrap_or_else(|message| panic!("{message}\n{gateway}\n{scenario}"))
}

/// Loads a world, or says why not.
pub fn try_world(gateway: &str, scenario: &str) -> Result<World, String> {
    load_with(gateway, scenario, &Overrides::default())
}

/// Loads a world with settings of the command line.
pub fn load_with(gateway: &str, scenario: &str, overrides: &Overrides) -> Result<World, String> {
    let scenario = format!("gateway: gateway.yaml\n{scenario}");
    load_files(&[("gateway.yaml", gateway), ("scenario.yaml", &scenario)], overrides)
}

/// Loads a world from the texts of its files.
pub fn load_files(files: &[(&str, &str)], overrides: &Overrides) -> Result<World, String> {
    let folder = folder_of(files);
    load(&folder.path().join("scenario.yaml").to_string_lossy(), overrides)
        .map_err(|problem| problem.diagnostics.iter().map(|found| format!("{found}\n")).collect())
}

/// A folder with these files.
pub fn folder_of(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
        std::fs::write(path, text).expect("a written file");
    }
    folder
}

/// One replication, hour by hour.
pub fn run(world: &World, seed: u64, replication: u64) -> Run {
    simulate(world, Seed(seed), Replication(replication), SimDuration::from_secs(3600))
}

/// The same replication with somebody watching: every request goes the long way, none along the fast lane.
pub fn run_the_long_way(world: &World, seed: u64, replication: u64) -> Run {
    struct Nobody;
    impl Watcher for Nobody {}
    simulate_watched(world, Seed(seed), Replication(replication), SimDuration::from_secs(3600), &mut Nobody)
}

/// A forecast on two threads.
pub fn forecast_of(world: &World, seed: u64, runs: u64, threads: usize) -> Forecast {
    let command = String::from("billcast run test");
    forecast(world, &Options { runs, seed: Seed(seed), threads, precision: None, command }, &Unwatched)
}

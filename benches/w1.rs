//! The engine's speed, with the arguments and the output of the peers' programs: `w1 N REPS SEED FIXED` is W1 through
//! the full gateway, `w1 full REPS SEED` is `bench-full`, `w1 play SCENARIO REPS SEED` any scenario with at least two
//! deployments; one line of JSON for every replication. `w1 threads COUNT N REPS SEED` is the time that so many threads
//! take for W1. `benches/run.py` runs it beside them.

mod worlds;

use std::path::Path;
use std::time::Instant;

use billcast::engine::{ErrorClass, Run, simulate};
use billcast::random::{Replication, Seed};
use billcast::scenario::World;
use billcast::units::SimDuration;
use rayon::prelude::*;

const HOUR: SimDuration = SimDuration::from_secs(3600);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<u64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    match (arguments.first().map(String::as_str), &numbers[..]) {
        (Some("full"), [replications, seed]) => {
            measure("billcast-full", &worlds::scenario(Path::new("bench-full")), *replications, *seed);
        }
        (Some("play"), [replications, seed]) => {
            measure("billcast", &worlds::scenario(Path::new(&arguments[1])), *replications, *seed);
        }
        (Some("threads"), [threads, requests, replications, seed]) => {
            scale(*threads as usize, *requests as f64, *replications, Seed(*seed));
        }
        (_, [requests, replications, seed, fixed]) => {
            measure("billcast", &worlds::w1(*requests as f64, *fixed == 1), *replications, *seed);
        }
        // `cargo bench` and `cargo test` pass words of their own: then it is enough that it works.
        _ => measure("billcast", &worlds::w1(1_000.0, true), 1, 7),
    }
}

fn measure(name: &str, world: &World, replications: u64, seed: u64) {
    for replication in 0..replications {
        let (run, seconds) = timed(|| simulate(world, Seed(seed), Replication(replication), HOUR));
        print(name, &run, seconds);
    }
}

/// The time on the clock of all runs together, on so many threads.
fn scale(threads: usize, requests: f64, replications: u64, seed: Seed) {
    let world = worlds::w1(requests, false);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let one = |replication| simulate(&world, seed, Replication(replication), HOUR).requests;
    let all = || (0..replications).into_par_iter().map(one).sum::<u64>();
    let (requests, wall) = timed(|| pool.install(all));
    println!("{{\"threads\":{threads},\"requests\":{requests},\"wall\":{wall}}}");
}

/// The most memory that this process has used, where Linux tells it; else 0.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed().as_secs_f64())
}

/// The statistics that the peers print. On W1 the first deployment is A and the second is B.
fn print(name: &str, run: &Run, wall: f64) {
    let [primary, backup, ..] = &run.deployments[..] else { unreachable!("both worlds have deployments") };
    let bill = run.ledger.total().picos() as f64 / 1e12;
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|p| run.latency.quantile(p));
    let limited = primary.errors[ErrorClass::RateLimited as usize];
    print!("{{\"peer\":\"{name}\",\"requests\":{},\"a_calls\":{},", run.requests, primary.attempts);
    print!("\"a_429\":{limited},\"b_calls\":{},\"cooldowns\":{},", backup.attempts, primary.cooldowns);
    print!("\"fallback_share\":{},", run.fallbacks as f64 / run.requests as f64);
    print!("\"p50\":{p50},\"p95\":{p95},\"p99\":{p99},\"bill\":{bill},\"calls\":{},", run.attempts);
    print!("\"failed\":{},\"rejected\":{},\"cached\":{},", run.failed, run.rejected, run.cache_hits);
    println!("\"abandoned\":{},\"peak_kib\":{},\"wall\":{wall}}}", run.abandoned, peak_kib());
}

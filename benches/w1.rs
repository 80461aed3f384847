//! W1 through the full gateway, with the arguments and the output of the peers' programs: `w1 N REPS SEED FIXED`, one line of
//! JSON for every replication. `benches/run.py` runs it beside them.

#[path = "worlds/w1.rs"]
mod w1;

use std::time::Instant;

use billcast::engine::{ErrorClass, Run, simulate};
use billcast::random::{Replication, Seed};
use billcast::units::SimDuration;

const HOUR: SimDuration = SimDuration::from_secs(3600);

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    // `cargo bench` and `cargo test` pass words of their own; without numbers there is a small run.
    let [requests, replications, seed, fixed] = numbers[..] else {
        return print(1_000.0, &simulate(&w1::world(1_000.0, true), Seed(7), Replication(0), HOUR), 0.0);
    };
    let world = w1::world(requests as f64, fixed == 1);
    for replication in 0..replications {
        let (run, seconds) = timed(|| simulate(&world, Seed(seed), Replication(replication), HOUR));
        print(requests as f64, &run, seconds);
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed().as_secs_f64())
}

fn print(n: f64, run: &Run, wall: f64) {
    let [primary, backup] = &run.deployments[..] else { unreachable!("W1 has two deployments") };
    let bill = run.ledger.total().picos() as f64 / 1e12;
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|p| run.latency.quantile(p));
    let limited = primary.errors[ErrorClass::RateLimited as usize];
    print!("{{\"peer\":\"billcast\",\"n\":{n},\"requests\":{},\"a_calls\":{},", run.requests, primary.attempts);
    print!("\"a_429\":{limited},\"b_calls\":{},\"cooldowns\":{},", backup.attempts, primary.cooldowns);
    print!("\"fallback_share\":{},", backup.attempts as f64 / run.requests as f64);
    print!("\"p50\":{p50},\"p95\":{p95},\"p99\":{p99},\"bill\":{bill},");
    println!("\"failed\":{},\"wall\":{wall}}}", run.failed + run.rejected + run.in_flight);
}

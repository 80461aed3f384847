//! Pieces of the hot path, to be counted by callgrind: `counts PIECE TIMES`. `benches/counts.py` counts the
//! instructions of each and compares them with `benches/counts.json`; instructions are stable where seconds are not.

mod worlds;

// The queue is private to the engine: it is compiled here once more, by its own text.
#[path = "../src/engine"]
mod engine {
    #[expect(unused_imports, reason = "its tests are compiled along, but a bench has no test harness")]
    pub mod queue;
    #[expect(dead_code, reason = "the same")]
    mod wheel;
}

use std::hint::black_box;
use std::sync::Arc;

use billcast::engine::simulate;
use billcast::pricing::{Ask, PriceBook};
use billcast::random;
use billcast::random::{Addressed, Dist, Draws, Intensity, IntensityCursor, Law, Purpose, Replication, Seed};
use billcast::stats::Histogram;
use billcast::units;
use billcast::units::{SimDuration, SimTime, Usage};

use engine::queue::{Class, Queue};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let times = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    match arguments.first().map(String::as_str) {
        Some("queue") => queue(times),
        Some("draw") => draw(times),
        Some("lognormal") => lognormal(times),
        Some("arrival") => arrival(times),
        Some("charge") => charge(times),
        Some("histogram") => histogram(times),
        Some("w1") => whole_run(times),
        Some("full") => everything(times),
        // `cargo bench` and `cargo test` pass words of their own.
        _ => {}
    }
}

/// One event in, one out, with 16 pending.
fn queue(times: u64) {
    let mut queue = Queue::default();
    let mut draws = Addressed::new(Seed(1), Replication(0));
    for event in 0..16 {
        queue.push(SimTime(event), Class::AttemptEnd, 0);
    }
    let classes = [Class::AttemptEnd, Class::Deadline, Class::WakeUp];
    let mut sum = 0;
    for request in 0..times {
        let (now, payload) = queue.pop().map_or((SimTime::ZERO, 0), |event| (event.at(), event.payload));
        sum ^= payload;
        draws.begin_request(0, request);
        let later = now + SimDuration(i64::from(draws.below(Purpose::Pace, 0, 1_000_000)));
        queue.push(later, classes[request as usize % classes.len()], request);
    }
    black_box((sum, queue.next_at(), queue.behind()));
}

/// A request's address and one draw.
fn draw(times: u64) {
    let mut draws = Addressed::new(Seed(1), Replication(0));
    let mut sum = 0.0;
    for request in 0..times {
        draws.begin_request(0, request);
        sum += draws.unit(Purpose::Pace, 0);
    }
    black_box(sum);
}

fn lognormal(times: u64) {
    let latency = Dist::new(Law::LogNormal { mu: 0.4, sigma: 0.6 }).expect("a distribution");
    let sum: f64 = (0..times).map(|n| latency.sample(black_box((n % 1000) as f64 / 1000.0))).sum();
    black_box(sum);
}

fn arrival(times: u64) {
    let intensity = Intensity::constant(5.8, SimDuration::FOREVER);
    let mut cursor = IntensityCursor::new(Arc::new(intensity), 1.0);
    let mut at = SimTime::ZERO;
    for _ in 0..times {
        at = cursor.advance(black_box(1.0));
    }
    black_box(at);
}

fn charge(times: u64) {
    let book = PriceBook::built_in().expect("the built-in prices");
    let at = jiff::Timestamp::UNIX_EPOCH;
    let rates = book.compile(&Ask::list_price("openai/gpt-4o", None), at).known().expect("a price");
    let mut total = units::Money::ZERO;
    for n in 0..times {
        total += rates.charge(black_box(&Usage { cached: 128, ..Usage::plain(800 + (n % 64) as u32, 250) }));
    }
    black_box(total);
}

fn histogram(times: u64) {
    let mut histogram = Histogram::default();
    for n in 0..times {
        histogram.add(black_box(1.0 + (n % 512) as f64 / 100.0));
    }
    black_box(histogram.count());
}

/// A tenth of an hour of everything for each time.
fn everything(times: u64) {
    let mut world = worlds::scenario(std::path::Path::new("bench-full"));
    world.horizon = SimDuration::from_secs(360 * i64::try_from(times).unwrap_or(1));
    black_box(simulate(&world, Seed(7), Replication(0), SimDuration::from_secs(3600)).requests);
}

/// A whole run of W1 with about this many requests.
fn whole_run(requests: u64) {
    let world = worlds::w1(requests as f64, true);
    black_box(simulate(&world, Seed(7), Replication(0), SimDuration::from_secs(3600)).requests);
}

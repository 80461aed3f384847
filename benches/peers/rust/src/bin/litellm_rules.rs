//! W1 with LiteLLM's rules instead of W1's, written down independently of billcast: what billcast's
//! numbers must agree with.
//!
//! Cooldown: of a request only the first failed attempt counts; the window is fixed, 60 s from its first count; more
//! than 3 cool A down for 60 s. A failed attempt goes to the fallback at once when A has cooled down meanwhile;
//! otherwise it waits (0.5 s, 1 s, 2 s, plus up to 0.75 s), after the last, too.
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Instant;
use w1::*;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Arrival,
    Switch,
    Failed,
    Slept,
    DoneA,
    DoneB,
}

#[derive(Clone, Copy, PartialEq)]
struct Event {
    t: f64,
    seq: u64,
    kind: Kind,
    request: Req,
}

impl Eq for Event {}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        self.t.total_cmp(&other.t).then(self.seq.cmp(&other.seq))
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

struct Sim {
    queue: BinaryHeap<Reverse<Event>>,
    seq: u64,
    samples: Smp,
    a: DepA,
    counted: u64,
    window_end: f64,
    totals: Totals,
}

impl Sim {
    fn new(args: &Args, rep: u64) -> Self {
        let (queue, samples) = (BinaryHeap::new(), Smp::new(args, rep));
        let (a, totals) = (DepA::default(), Totals::default());
        Self { queue, seq: 0, samples, a, counted: 0, window_end: -1.0, totals }
    }

    fn at(&mut self, t: f64, kind: Kind, request: Req) {
        self.seq += 1;
        self.queue.push(Reverse(Event { t, seq: self.seq, kind, request }));
    }

    fn count_failure(&mut self, now: f64) {
        if now >= self.window_end {
            self.counted = 0;
            self.window_end = now + 60.0;
        }
        self.counted += 1;
        if self.counted > 3 && !self.a.cooling(now) {
            self.a.cool_until = now + 60.0;
            self.a.cooldowns += 1;
        }
    }

    fn attempt(&mut self, now: f64, request: Req) {
        if self.a.cooling(now) {
            return self.fall_back(now, request);
        }
        self.a.calls += 1;
        if self.samples.is_429(self.a.burst) {
            self.at(now + 0.1, Kind::Failed, request)
        } else {
            let latency = self.samples.lat_a();
            self.at(now + latency, Kind::DoneA, request)
        }
    }

    fn failed(&mut self, now: f64, mut request: Req) {
        self.a.fails += 1;
        if request.k == 0 {
            self.count_failure(now);
        }
        if self.a.cooling(now) {
            return self.fall_back(now, request);
        }
        let pause = 0.5 * f64::from(1 << request.k) + self.samples.backoff(0) - 0.5;
        request.k += 1;
        self.at(now + pause, Kind::Slept, request);
    }

    fn slept(&mut self, now: f64, request: Req) {
        if request.k < 3 {
            return self.attempt(now, request);
        }
        self.fall_back(now, request);
    }

    fn fall_back(&mut self, now: f64, request: Req) {
        let latency = self.samples.lat_b();
        self.at(now + latency, Kind::DoneB, request);
    }

    fn run(&mut self) {
        let (first, calm) = (self.samples.next_arrival(0.0), self.samples.sojourn(false));
        self.at(first, Kind::Arrival, Req::default());
        self.at(calm, Kind::Switch, Req::default());
        while let Some(Reverse(Event { t: now, kind, request, .. })) = self.queue.pop() {
            match kind {
                Kind::Arrival => {
                    let request = self.samples.req(now);
                    self.attempt(now, request);
                    let next = self.samples.next_arrival(now);
                    if next < T {
                        self.at(next, Kind::Arrival, Req::default());
                    }
                }
                Kind::Switch => {
                    self.a.burst = !self.a.burst;
                    let sojourn = self.samples.sojourn(self.a.burst);
                    if now < T + 3600.0 {
                        self.at(now + sojourn, Kind::Switch, Req::default());
                    }
                }
                Kind::Failed => self.failed(now, request),
                Kind::Slept => self.slept(now, request),
                Kind::DoneA => self.totals.done(request.start, now, request.cost(PRICE_A), false),
                Kind::DoneB => self.totals.done(request.start, now, request.cost(PRICE_B), true),
            }
        }
    }
}

fn main() {
    let args = args();
    for rep in 0..args.reps {
        let begun = Instant::now();
        let mut sim = Sim::new(&args, rep);
        sim.run();
        report("litellm-rules", &args, &sim.totals, &sim.a, begun);
    }
}

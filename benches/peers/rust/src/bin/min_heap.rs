//! The plain program: every event (arrival, state switch, 429 answer, retry, completion) goes through a BinaryHeap.
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Instant;
use w1::*;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Arrival,
    Switch,
    Fail,
    Retry,
    DoneA,
    DoneB,
}
#[derive(Clone, Copy, PartialEq)]
struct Ev {
    t: f64,
    seq: u32,
    slot: u32,
    kind: Kind,
}
impl Eq for Ev {}
impl Ord for Ev {
    fn cmp(&self, o: &Self) -> Ordering {
        o.t.total_cmp(&self.t).then(o.seq.cmp(&self.seq))
    }
}
impl PartialOrd for Ev {
    fn partial_cmp(&self, o: &Self) -> Option<Ordering> {
        Some(self.cmp(o))
    }
}

struct Sim {
    q: BinaryHeap<Ev>,
    seq: u32,
    reqs: Vec<Req>,
    free: Vec<u32>,
    s: Smp,
    a: DepA,
    tot: Totals,
}
impl Sim {
    fn at(&mut self, t: f64, kind: Kind, slot: u32) {
        self.seq = self.seq.wrapping_add(1);
        self.q.push(Ev { t, seq: self.seq, slot, kind });
    }
    fn attempt(&mut self, now: f64, slot: u32) {
        if self.reqs[slot as usize].k == 3 || self.a.cooling(now) {
            let l = self.s.lat_b();
            return self.at(now + l, Kind::DoneB, slot);
        }
        self.a.calls += 1;
        if self.s.is_429(self.a.burst) {
            self.at(now + 0.1, Kind::Fail, slot)
        } else {
            let l = self.s.lat_a();
            self.at(now + l, Kind::DoneA, slot)
        }
    }
    fn run(&mut self) {
        let t = self.s.next_arrival(0.0);
        self.at(t, Kind::Arrival, 0);
        let t = self.s.sojourn(false);
        self.at(t, Kind::Switch, 0);
        while let Some(Ev { t: now, slot, kind, .. }) = self.q.pop() {
            match kind {
                Kind::Arrival => {
                    let r = self.s.req(now);
                    let slot = match self.free.pop() {
                        Some(i) => {
                            self.reqs[i as usize] = r;
                            i
                        }
                        None => {
                            self.reqs.push(r);
                            self.reqs.len() as u32 - 1
                        }
                    };
                    self.attempt(now, slot);
                    let t = self.s.next_arrival(now);
                    if t < T {
                        self.at(t, Kind::Arrival, 0)
                    }
                }
                Kind::Switch => {
                    self.a.burst = !self.a.burst;
                    let d = self.s.sojourn(self.a.burst);
                    if now < T + 3600.0 {
                        self.at(now + d, Kind::Switch, 0)
                    }
                }
                Kind::Fail => {
                    self.a.failed(now);
                    let r = &mut self.reqs[slot as usize];
                    r.k += 1;
                    let k = r.k;
                    if k < 3 {
                        let d = self.s.backoff(k - 1);
                        self.at(now + d, Kind::Retry, slot)
                    } else {
                        self.attempt(now, slot)
                    }
                }
                Kind::Retry => self.attempt(now, slot),
                Kind::DoneA => {
                    let r = self.reqs[slot as usize];
                    self.tot.done(r.start, now, r.cost(PRICE_A), false);
                    self.free.push(slot)
                }
                Kind::DoneB => {
                    let r = self.reqs[slot as usize];
                    self.tot.done(r.start, now, r.cost(PRICE_B), true);
                    self.free.push(slot)
                }
            }
        }
    }
}

fn main() {
    let a = args();
    for rep in 0..a.reps {
        let t0 = Instant::now();
        let mut s = Sim {
            q: BinaryHeap::new(),
            seq: 0,
            reqs: vec![],
            free: vec![],
            s: Smp::new(&a, rep),
            a: DepA::default(),
            tot: Totals::default(),
        };
        s.run();
        report("rust-min-heap", &a, &s.tot, &s.a, t0);
    }
}

//! W1 without completion events: what nothing reads is not queued.
use crate::model::{Args, DepA, Hour, LogHist, PRICE_A, PRICE_B, T, Totals};
use crate::samplers::{QTable, mix};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, Exp1};

/// Per-hour integer token sums; the bill is derived at the end.
#[derive(Clone, Copy, Default)]
pub struct Acc {
    pub n: [u64; 2],
    pub tin: [u64; 2],
    pub tout: [u64; 2],
}

/// Optimised W1 core: no events for successes, tables for samplers, integer accumulators.
#[derive(Clone, Copy, PartialEq)]
pub struct Pend {
    pub t: f64,
    pub start: f64,
    pub id: u32,
    pub tin: u32,
    pub tout: u32,
    pub k: u8,
    pub fail: bool,
}

pub struct Core {
    pub hist: LogHist,
    pub acc: [Acc; 48],
    pub a: DepA,
    pub next_switch: f64,
    pub pend: Vec<Pend>,
    pub next_t: f64,
    pub la: QTable,
    pub lb: QTable,
    pub sw: SmallRng,
    pub fixed: bool,
    pub burst_w: f64,
}
pub const TH_CALM: u32 = (0.002 * 4294967296.0) as u32;
pub const TH_BURST: u32 = (0.9 * 4294967296.0) as u32;
impl Core {
    pub fn new(a: &Args, rep: u64) -> Self {
        let mut c = Core {
            hist: LogHist::default(),
            acc: [Acc::default(); 48],
            a: DepA::default(),
            next_switch: 0.0,
            pend: Vec::with_capacity(64),
            next_t: f64::INFINITY,
            la: QTable::lognormal(1.5, 0.6),
            lb: QTable::lognormal(2.0, 0.6),
            sw: SmallRng::seed_from_u64(mix(a.seed ^ (rep << 32) ^ 0x5151)),
            fixed: a.fixed,
            burst_w: 0.0,
        };
        c.next_switch = c.sojourn(false);
        c
    }
    fn sojourn(&mut self, burst: bool) -> f64 {
        let mean = if burst { 900.0 } else { 21600.0 };
        if self.fixed {
            return mean;
        }
        let e: f64 = Exp1.sample(&mut self.sw);
        e * mean
    }
    #[cold]
    #[inline(never)]
    pub fn switch(&mut self, now: f64) {
        while self.next_switch <= now {
            self.a.burst = !self.a.burst;
            let t0 = self.next_switch;
            self.next_switch += self.sojourn(self.a.burst);
            if self.a.burst {
                // rate-weighted burst share of [0,T]: control variate
                let int = |t: f64| {
                    t - 0.6 * 86400.0 / (2.0 * std::f64::consts::PI)
                        * (2.0 * std::f64::consts::PI * (t / 86400.0 - 0.25)).cos()
                };
                self.burst_w += (int(self.next_switch.min(T)) - int(t0.min(T))) / T;
            }
        }
    }
    #[inline(always)]
    pub fn book(&mut self, start: f64, lat: f32, tin: u32, tout: u32, b: usize) {
        let i = ((lat.to_bits() >> 16).wrapping_sub((117u32 << 23) >> 16)).min(3071) as usize;
        self.hist.c[i] += 1;
        let h = &mut self.acc[(start * (1.0 / 3600.0)) as usize];
        h.n[b] += 1;
        h.tin[b] += tin as u64;
        h.tout[b] += tout as u64;
    }
    /// One attempt at `now`; `ul` = latency bits for A, `ub` = latency bits for B, `uf` = failure bits.
    #[inline(always)]
    pub fn attempt(&mut self, now: f64, p: Pend, uf: u32, ul: u32, ub: u32) {
        if p.k == 3 || now < self.a.cool_until {
            let l = self.lb.q32(ub) + (now - p.start) as f32;
            return self.book(p.start, l, p.tin, p.tout, 1);
        }
        if self.next_switch <= now {
            self.switch(now)
        }
        self.a.calls += 1;
        if uf < if self.a.burst { TH_BURST } else { TH_CALM } {
            return self.push(Pend { t: now + 0.1, fail: true, ..p });
        }
        let l = self.la.q32(ul) + (now - p.start) as f32;
        self.book(p.start, l, p.tin, p.tout, 0)
    }
    #[cold]
    #[inline(never)]
    pub fn push(&mut self, p: Pend) {
        self.pend.push(p);
        self.next_t = self.next_t.min(p.t)
    }
    /// Tiny unsorted set of pending failures/retries; scanned only when the earliest is due.
    #[cold]
    #[inline(never)]
    pub fn run_until(&mut self, t: f64, draw: &mut impl FnMut(u32, u8) -> (u64, u64)) {
        while !self.pend.is_empty() && self.next_t <= t {
            let i = self.pend.iter().enumerate().min_by(|a, b| a.1.t.total_cmp(&b.1.t)).unwrap().0;
            let mut p = self.pend.swap_remove(i);
            self.next_t = self.pend.iter().map(|p| p.t).fold(f64::INFINITY, f64::min);
            let now = p.t;
            if p.fail {
                self.a.failed(now);
                p.k += 1;
                p.fail = false;
                if p.k < 3 {
                    let (u, _) = draw(p.id, 8 + p.k);
                    let d =
                        (0.5 * (1u32 << (p.k - 1)) as f64 + 0.75 * ((u >> 11) as f64 / (1u64 << 53) as f64)).min(8.0);
                    self.push(Pend { t: now + d, ..p });
                    continue;
                }
            }
            let (u, v) = draw(p.id, p.k);
            self.attempt(now, p, u as u32, (u >> 32) as u32, v as u32);
        }
    }
    pub fn totals(mut self) -> (Totals, DepA) {
        let mut t = Totals::default();
        for (h, a) in self.acc.iter().enumerate() {
            let bill = a.tin[0] as f64 * PRICE_A.0
                + a.tout[0] as f64 * PRICE_A.1
                + a.tin[1] as f64 * PRICE_B.0
                + a.tout[1] as f64 * PRICE_B.1;
            t.hourly[h] = Hour { n: a.n[0] + a.n[1], bill, fb: a.n[1] };
            t.requests += a.n[0] + a.n[1];
            t.b_calls += a.n[1];
            t.bill += bill;
        }
        self.hist.n = t.requests;
        t.lat = self.hist.clone();
        (t, self.a)
    }
}
#[inline(always)]
pub fn tok(x: f32) -> u32 {
    ((x + 0.5) as i32).max(1) as u32
}

pub struct Tables {
    pub tin: QTable,
    pub tout: QTable,
    pub e: QTable,
}
impl Default for Tables {
    fn default() -> Self {
        Tables { tin: QTable::lognormal(800.0, 0.9), tout: QTable::lognormal(250.0, 0.8), e: QTable::exponential() }
    }
}

//! What every Rust peer shares: parameters, plain samplers, the failing deployment's state, totals, the output line.
use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1, LogNormal};
use std::collections::VecDeque;
use std::time::Instant;

pub const T: f64 = 172_800.0;
pub const PRICE_A: (f64, f64) = (2.5e-6, 10e-6);
pub const PRICE_B: (f64, f64) = (3e-6, 15e-6);

#[derive(Clone, Copy)]
pub struct Args {
    pub n: f64,
    pub reps: u64,
    pub seed: u64,
    pub fixed: bool,
}

pub fn args() -> Args {
    let a: Vec<String> = std::env::args().collect();
    Args { n: a[1].parse().unwrap(), reps: a[2].parse().unwrap(), seed: a[3].parse().unwrap(), fixed: a[4] == "1" }
}

/// Log-bucketed histogram, 128 buckets per octave over [2^-10, 2^14): relative half-width 0.4 %.
#[derive(Clone)]
pub struct LogHist {
    pub c: Box<[u32; 3072]>,
    pub n: u64,
}
impl Default for LogHist {
    fn default() -> Self {
        LogHist { c: vec![0u32; 3072].into_boxed_slice().try_into().unwrap(), n: 0 }
    }
}
impl LogHist {
    const BASE: u64 = (1013u64 << 52) >> 45;
    #[inline(always)]
    pub fn record(&mut self, x: f64) {
        let i = (x.to_bits() >> 45).wrapping_sub(Self::BASE).min(3071) as usize;
        self.c[i] += 1;
        self.n += 1;
    }
    pub fn q(&self, p: f64) -> f64 {
        let want = (p * (self.n as f64 - 1.0)) as u64 + 1;
        let mut s = 0u64;
        for (i, &c) in self.c.iter().enumerate() {
            s += c as u64;
            if s >= want {
                let lo = f64::from_bits((i as u64 + Self::BASE) << 45);
                let hi = f64::from_bits((i as u64 + 1 + Self::BASE) << 45);
                return 0.5 * (lo + hi);
            }
        }
        f64::NAN
    }
}

#[derive(Default, Clone, Copy)]
pub struct Hour {
    pub n: u64,
    pub bill: f64,
    pub fb: u64,
}

#[derive(Clone)]
pub struct Totals {
    pub requests: u64,
    pub b_calls: u64,
    pub bill: f64,
    pub lat: LogHist,
    pub hourly: [Hour; 48],
}
impl Default for Totals {
    fn default() -> Self {
        Totals { requests: 0, b_calls: 0, bill: 0.0, lat: LogHist::default(), hourly: [Hour::default(); 48] }
    }
}
impl Totals {
    #[inline(always)]
    pub fn done(&mut self, start: f64, now: f64, cost: f64, fb: bool) {
        self.requests += 1;
        self.b_calls += fb as u64;
        self.bill += cost;
        self.lat.record(now - start);
        let h = &mut self.hourly[(start * (1.0 / 3600.0)) as usize];
        h.n += 1;
        h.bill += cost;
        h.fb += fb as u64;
    }
}

/// Deployment A: 429 process state, failure window, cooldown.
#[derive(Clone)]
pub struct DepA {
    pub burst: bool,
    pub cool_until: f64,
    pub window: VecDeque<f64>,
    pub calls: u64,
    pub fails: u64,
    pub cooldowns: u64,
    pub cool_s: f64,
}
impl Default for DepA {
    fn default() -> Self {
        DepA {
            burst: false,
            cool_until: -1.0,
            window: VecDeque::with_capacity(8),
            calls: 0,
            fails: 0,
            cooldowns: 0,
            cool_s: 60.0,
        }
    }
}
impl DepA {
    #[inline(always)]
    pub fn cooling(&self, now: f64) -> bool {
        now < self.cool_until
    }
    #[inline]
    pub fn failed(&mut self, now: f64) {
        self.fails += 1;
        if self.cooling(now) {
            return;
        }
        self.window.push_back(now);
        while self.window[0] <= now - 60.0 {
            self.window.pop_front();
        }
        if self.window.len() > 3 {
            self.cool_until = now + self.cool_s;
            self.cooldowns += 1;
            self.window.clear();
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Req {
    pub start: f64,
    pub tin: f32,
    pub tout: f32,
    pub k: u32,
}
impl Req {
    #[inline(always)]
    pub fn cost(&self, p: (f64, f64)) -> f64 {
        self.tin as f64 * p.0 + self.tout as f64 * p.1
    }
}

#[derive(Clone)]
pub struct Sampler<R: Rng> {
    pub rng: R,
    tin: LogNormal<f64>,
    tout: LogNormal<f64>,
    lat_a: LogNormal<f64>,
    lat_b: LogNormal<f64>,
    pub lm: f64,
    pub fixed: bool,
}
pub type Smp = Sampler<SmallRng>;

impl Smp {
    pub fn new(a: &Args, rep: u64) -> Self {
        Sampler {
            rng: SmallRng::seed_from_u64(a.seed.wrapping_mul(1_000_003).wrapping_add(rep)),
            tin: LogNormal::new(800f64.ln(), 0.9).unwrap(),
            tout: LogNormal::new(250f64.ln(), 0.8).unwrap(),
            lat_a: LogNormal::new(1.5f64.ln(), 0.6).unwrap(),
            lat_b: LogNormal::new(2.0f64.ln(), 0.6).unwrap(),
            lm: a.n / T,
            fixed: a.fixed,
        }
    }
}
impl<R: Rng> Sampler<R> {
    /// Next arrival after t by thinning; >= T when there is none.
    #[inline]
    pub fn next_arrival(&mut self, mut t: f64) -> f64 {
        let inv = 1.0 / (1.6 * self.lm);
        loop {
            let e: f64 = Exp1.sample(&mut self.rng);
            t += e * inv;
            if t >= T {
                return f64::INFINITY;
            }
            let u: f64 = self.rng.random();
            // squeeze: 0.4 <= shape <= 1.6, so the sine is skipped for u*1.6 < 0.4
            if u * 1.6 < 0.4 || u * 1.6 < 1.0 + 0.6 * (2.0 * std::f64::consts::PI * (t / 86400.0 - 0.25)).sin() {
                return t;
            }
        }
    }
    #[inline]
    pub fn sojourn(&mut self, burst: bool) -> f64 {
        let mean = if burst { 900.0 } else { 21600.0 };
        if self.fixed {
            return mean;
        }
        let e: f64 = Exp1.sample(&mut self.rng);
        e * mean
    }
    #[inline]
    pub fn req(&mut self, start: f64) -> Req {
        let tin = self.tin.sample(&mut self.rng).round().max(1.0) as f32;
        let tout = self.tout.sample(&mut self.rng).round().max(1.0) as f32;
        Req { start, tin, tout, k: 0 }
    }
    #[inline]
    pub fn is_429(&mut self, burst: bool) -> bool {
        let u: f64 = self.rng.random();
        u < if burst { 0.9 } else { 0.002 }
    }
    #[inline]
    pub fn lat_a(&mut self) -> f64 {
        self.lat_a.sample(&mut self.rng)
    }
    #[inline]
    pub fn lat_b(&mut self) -> f64 {
        self.lat_b.sample(&mut self.rng)
    }
    #[inline]
    pub fn backoff(&mut self, k: u32) -> f64 {
        let u: f64 = self.rng.random();
        (0.5 * (1u32 << k) as f64 + 0.75 * u).min(8.0)
    }
}

/// Prints one line of JSON for a replication.
pub fn report(peer: &str, a: &Args, t: &Totals, d: &DepA, t0: Instant) {
    let wall = t0.elapsed().as_secs_f64();
    let (p50, p95, p99) = (t.lat.q(0.5), t.lat.q(0.95), t.lat.q(0.99));
    let share = t.b_calls as f64 / t.requests as f64;
    print!("{{\"peer\":\"{peer}\",\"n\":{},\"requests\":{},\"a_calls\":{},", a.n, t.requests, d.calls);
    print!("\"a_429\":{},\"b_calls\":{},\"cooldowns\":{},", d.fails, t.b_calls, d.cooldowns);
    print!("\"fallback_share\":{share},\"p50\":{p50},\"p95\":{p95},\"p99\":{p99},\"bill\":{},", t.bill);
    let h = &t.hourly[20];
    println!("\"h20\":[{},{},{}],\"wall\":{wall}}}", h.n, h.bill, h.fb);
}

//! The core driven by addressed draws: common random numbers per request.
use crate::core::{Core, Pend, Tables, tok};
use crate::model::{Args, DepA, T, Totals};
use crate::samplers::{C1, C2, GOLD, Nhpp, mix};

#[inline(always)]
pub fn key(a: &Args, rep: u64) -> u64 {
    mix(a.seed.wrapping_mul(GOLD) ^ mix(rep))
}

/// Scalar, counter-based per-request randomness (common random numbers for free).
pub fn run_crn(a: &Args, rep: u64, tb: &Tables, nh: Nhpp) -> (Totals, DepA) {
    let (t, d, _) = run_crn_cool(a, rep, tb, nh, 60.0);
    (t, d)
}
pub fn run_crn_cool(a: &Args, rep: u64, tb: &Tables, mut nh: Nhpp, cool: f64) -> (Totals, DepA, f64) {
    let k0 = key(a, rep);
    let mut draw = |id: u32, k: u8| {
        let b = mix(k0.wrapping_add((id as u64).wrapping_mul(GOLD))).wrapping_add((k as u64 + 1).wrapping_mul(C1));
        (mix(b), mix(b ^ C2))
    };
    let mut c = Core::new(a, rep);
    c.a.cool_s = cool;
    let mut id = 0u32;
    loop {
        let b = k0.wrapping_add((id as u64).wrapping_mul(GOLD));
        let (u0, u1, u2) = (mix(b), mix(b ^ C1), mix(b ^ C2));
        let t = nh.step(tb.e.q32(u0 as u32) as f64);
        if c.next_t <= t {
            c.run_until(t, &mut draw)
        }
        if t >= T {
            break;
        }
        let p = Pend {
            t,
            start: t,
            id,
            tin: tok(tb.tin.q32(u1 as u32)),
            tout: tok(tb.tout.q32((u1 >> 32) as u32)),
            k: 0,
            fail: false,
        };
        c.attempt(t, p, (u0 >> 32) as u32, u2 as u32, (u2 >> 32) as u32);
        id += 1;
    }
    let w = c.burst_w;
    let (t, d) = c.totals();
    (t, d, w)
}

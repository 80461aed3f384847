//! Fast samplers, and completions in a timing wheel.
use crate::core::{Core, Pend, TH_BURST, TH_CALM, Tables, tok};
use crate::crn::key;
use crate::model::{Args, DepA, T, Totals};
use crate::samplers::{C1, C2, GOLD, Nhpp, mix};

/// Timing wheel for completions that commute (in-flight counters, token windows): unsorted intrusive lists.
/// Exact at every decision, because everything done by `now` is applied before `now` is decided and the order
/// among it does not matter.
pub struct Wheel {
    head: Vec<u32>,
    ent: Vec<(f64, u32, u32, u8)>,
    free: u32,
    inv: f64,
    cur: u64,
    pub inflight: [i64; 2],
    pub tok: u64,
    pub peak: i64,
}
impl Wheel {
    pub fn new(width: f64, nb: usize) -> Self {
        Wheel {
            head: vec![u32::MAX; nb.next_power_of_two()],
            ent: Vec::new(),
            free: u32::MAX,
            inv: 1.0 / width,
            cur: 0,
            inflight: [0; 2],
            tok: 0,
            peak: 0,
        }
    }
    #[inline(always)]
    pub fn push(&mut self, t: f64, tok: u32, b: u8) {
        let m = self.head.len() as u64 - 1;
        let i = ((t * self.inv) as u64 & m) as usize;
        let e = (t, tok, self.head[i], b);
        let s = if self.free != u32::MAX {
            let s = self.free;
            self.free = self.ent[s as usize].2;
            self.ent[s as usize] = e;
            s
        } else {
            self.ent.push(e);
            self.ent.len() as u32 - 1
        };
        self.head[i] = s;
        self.inflight[b as usize] += 1;
        self.peak = self.peak.max(self.inflight[0] + self.inflight[1]);
    }
    #[inline(always)]
    pub fn drain(&mut self, now: f64) {
        let m = self.head.len() as u64 - 1;
        let last = (now * self.inv) as u64;
        loop {
            let bi = (self.cur & m) as usize;
            let mut keep = u32::MAX;
            let mut s = self.head[bi];
            while s != u32::MAX {
                let (t, tok, nx, b) = self.ent[s as usize];
                if t <= now {
                    self.inflight[b as usize] -= 1;
                    self.tok += tok as u64;
                    self.ent[s as usize].2 = self.free;
                    self.free = s
                } else {
                    self.ent[s as usize].2 = keep;
                    keep = s
                }
                s = nx;
            }
            self.head[bi] = keep;
            if self.cur >= last {
                break;
            }
            self.cur += 1;
        }
    }
}
pub fn run_wheel(a: &Args, rep: u64, tb: &Tables, mut nh: Nhpp) -> (Totals, DepA, i64) {
    let k0 = key(a, rep);
    let draw = |id: u32, k: u8| {
        let b = mix(k0.wrapping_add((id as u64).wrapping_mul(GOLD))).wrapping_add((k as u64 + 1).wrapping_mul(C1));
        (mix(b), mix(b ^ C2))
    };
    let mut c = Core::new(a, rep);
    let lmax = 1.6 * a.n / T;
    let mut w = Wheel::new(1.0 / lmax, (lmax * 16.0) as usize + 64);
    let mut id = 0u32;
    #[inline(always)]
    fn attempt(c: &mut Core, w: &mut Wheel, now: f64, p: Pend, uf: u32, ul: u32, ub: u32) {
        w.drain(now); // from here a limit on w.inflight / w.tok could be enforced exactly
        if p.k == 3 || now < c.a.cool_until {
            let l = c.lb.q32(ub);
            w.push(now + l as f64, p.tin + p.tout, 1);
            return c.book(p.start, l + (now - p.start) as f32, p.tin, p.tout, 1);
        }
        if c.next_switch <= now {
            c.switch(now)
        }
        c.a.calls += 1;
        if uf < if c.a.burst { TH_BURST } else { TH_CALM } {
            return c.push(Pend { t: now + 0.1, fail: true, ..p });
        }
        let l = c.la.q32(ul);
        w.push(now + l as f64, p.tin + p.tout, 0);
        c.book(p.start, l + (now - p.start) as f32, p.tin, p.tout, 0)
    }
    loop {
        let b = k0.wrapping_add((id as u64).wrapping_mul(GOLD));
        let (u0, u1, u2) = (mix(b), mix(b ^ C1), mix(b ^ C2));
        let t = nh.step(tb.e.q32(u0 as u32) as f64);
        while !c.pend.is_empty() && c.next_t <= t {
            let i = c.pend.iter().enumerate().min_by(|a, b| a.1.t.total_cmp(&b.1.t)).unwrap().0;
            let mut p = c.pend.swap_remove(i);
            c.next_t = c.pend.iter().map(|p| p.t).fold(f64::INFINITY, f64::min);
            let now = p.t;
            if p.fail {
                c.a.failed(now);
                p.k += 1;
                p.fail = false;
                if p.k < 3 {
                    let (u, _) = draw(p.id, 8 + p.k);
                    c.push(Pend {
                        t: now
                            + (0.5 * (1u32 << (p.k - 1)) as f64 + 0.75 * ((u >> 11) as f64 / (1u64 << 53) as f64))
                                .min(8.0),
                        ..p
                    });
                    continue;
                }
            }
            let (u, v) = draw(p.id, p.k);
            attempt(&mut c, &mut w, now, p, u as u32, (u >> 32) as u32, v as u32);
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
        attempt(&mut c, &mut w, t, p, (u0 >> 32) as u32, u2 as u32, (u2 >> 32) as u32);
        id += 1;
    }
    let (t, d) = c.totals();
    (t, d, w.peak)
}

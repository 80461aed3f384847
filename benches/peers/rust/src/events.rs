//! Fast samplers, and every completion a queued event: what feedback from completions needs.
use crate::core::{Core, TH_BURST, TH_CALM, Tables, tok};
use crate::crn::key;
use crate::model::{Args, DepA, T, Totals};
use crate::samplers::{C1, C2, GOLD, Nhpp, mix};

/// A queue of 128-bit keys: time in the upper half, sequence number and slot below.
pub trait Heap {
    fn push(&mut self, k: u128);
    fn peek(&self) -> u128;
    fn pop(&mut self) -> u128;
}
#[derive(Default)]
pub struct Quad(dary_heap::QuaternaryHeap<std::cmp::Reverse<u128>>);
impl Heap for Quad {
    #[inline(always)]
    fn push(&mut self, k: u128) {
        self.0.push(std::cmp::Reverse(k))
    }
    #[inline(always)]
    fn peek(&self) -> u128 {
        self.0.peek().map_or(u128::MAX, |x| x.0)
    }
    #[inline(always)]
    fn pop(&mut self) -> u128 {
        self.0.pop().unwrap().0
    }
}
#[derive(Clone, Copy)]
struct Slot {
    start: f64,
    id: u32,
    tin: u32,
    tout: u32,
    k: u8,
    kind: u8,
}
pub fn run_full<H: Heap + Default>(a: &Args, rep: u64, tb: &Tables, mut nh: Nhpp) -> (Totals, DepA, [u64; 2]) {
    let k0 = key(a, rep);
    let mut c = Core::new(a, rep);
    let mut h = H::default();
    let (mut slots, mut free): (Vec<Slot>, Vec<u32>) = (Vec::new(), Vec::new());
    let (mut inflight, mut peak, mut tpm) = ([0u64; 2], [0u64; 2], 0u64);
    let mut id = 0u32;
    let mut seq = 0u64;
    macro_rules! at {
        ($t:expr, $s:expr, $kind:expr) => {{
            let s: u32 = $s;
            slots[s as usize].kind = $kind;
            seq += 1;
            h.push((($t as f64).to_bits() as u128) << 64 | ((seq << 24) | s as u64) as u128)
        }};
    }
    macro_rules! attempt {
        ($now:expr, $s:expr, $uf:expr, $ul:expr, $ub:expr) => {{
            let now: f64 = $now;
            let s: u32 = $s;
            if slots[s as usize].k == 3 || now < c.a.cool_until {
                inflight[1] += 1;
                peak[1] = peak[1].max(inflight[1]);
                at!(now + c.lb.q32($ub) as f64, s, 1)
            } else {
                if c.next_switch <= now {
                    c.switch(now)
                }
                c.a.calls += 1;
                inflight[0] += 1;
                peak[0] = peak[0].max(inflight[0]);
                if ($uf) < if c.a.burst { TH_BURST } else { TH_CALM } {
                    at!(now + 0.1, s, 2)
                } else {
                    at!(now + c.la.q32($ul) as f64, s, 0)
                }
            }
        }};
    }
    loop {
        let b = k0.wrapping_add((id as u64).wrapping_mul(GOLD));
        let (u0, u1, u2) = (mix(b), mix(b ^ C1), mix(b ^ C2));
        let t = nh.step(tb.e.q32(u0 as u32) as f64);
        let lim = (t.to_bits() as u128) << 64;
        while h.peek() <= lim {
            let key = h.pop();
            let now = f64::from_bits((key >> 64) as u64);
            let s = (key as u32) & 0xffffff;
            let r = slots[s as usize];
            match r.kind {
                0 | 1 => {
                    inflight[r.kind as usize] -= 1;
                    tpm += (r.tin + r.tout) as u64;
                    c.book(r.start, (now - r.start) as f32, r.tin, r.tout, r.kind as usize);
                    free.push(s);
                }
                _ => {
                    let d = |k: u8| {
                        let b = mix(k0.wrapping_add((r.id as u64).wrapping_mul(GOLD)))
                            .wrapping_add((k as u64 + 1).wrapping_mul(C1));
                        (mix(b), mix(b ^ C2))
                    };
                    if r.kind == 2 {
                        inflight[0] -= 1;
                        c.a.failed(now);
                        let k = r.k + 1;
                        slots[s as usize].k = k;
                        if k < 3 {
                            let (u, _) = d(8 + k);
                            at!(
                                now + (0.5 * (1u32 << (k - 1)) as f64
                                    + 0.75 * ((u >> 11) as f64 / (1u64 << 53) as f64))
                                    .min(8.0),
                                s,
                                3
                            );
                            continue;
                        }
                    }
                    let (u, v) = d(slots[s as usize].k);
                    attempt!(now, s, u as u32, (u >> 32) as u32, v as u32);
                }
            }
        }
        if t >= T {
            break;
        }
        let sl = Slot {
            start: t,
            id,
            tin: tok(tb.tin.q32(u1 as u32)),
            tout: tok(tb.tout.q32((u1 >> 32) as u32)),
            k: 0,
            kind: 0,
        };
        let s = match free.pop() {
            Some(s) => {
                slots[s as usize] = sl;
                s
            }
            None => {
                slots.push(sl);
                slots.len() as u32 - 1
            }
        };
        attempt!(t, s, (u0 >> 32) as u32, u2 as u32, (u2 >> 32) as u32);
        id += 1;
    }
    std::hint::black_box(tpm);
    let (t, d) = c.totals();
    (t, d, peak)
}

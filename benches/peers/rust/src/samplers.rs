//! Fast samplers: quantile tables, arrivals by inversion, counter-based bits.
use crate::model::T;

/// Acklam's inverse normal CDF (|rel err| < 1.2e-9).
#[inline]
pub fn norm_icdf(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e+01,
        2.209460984245205e+02,
        -2.759285104469687e+02,
        1.383577518672690e+02,
        -3.066479806614716e+01,
        2.506628277459239e+00,
    ];
    const B: [f64; 5] = [
        -5.447609879822406e+01,
        1.615858368580409e+02,
        -1.556989798598866e+02,
        6.680131188771972e+01,
        -1.328068155288572e+01,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-03,
        -3.223964580411365e-01,
        -2.400758277161838e+00,
        -2.549732539343734e+00,
        4.374664141464968e+00,
        2.938163982698783e+00,
    ];
    const D: [f64; 4] = [7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00];
    let tail = |q: f64| {
        (((((C[0] * q + C[1]) * q + C[2]) * q + C[3]) * q + C[4]) * q + C[5])
            / ((((D[0] * q + D[1]) * q + D[2]) * q + D[3]) * q + 1.0)
    };
    if p < 0.02425 {
        tail((-2.0 * p.ln()).sqrt())
    } else if p > 0.97575 {
        -tail((-2.0 * (1.0 - p).ln()).sqrt())
    } else {
        let q = p - 0.5;
        let r = q * q;
        (((((A[0] * r + A[1]) * r + A[2]) * r + A[3]) * r + A[4]) * r + A[5]) * q
            / (((((B[0] * r + B[1]) * r + B[2]) * r + B[3]) * r + B[4]) * r + 1.0)
    }
}

/// Inverse CDF by table: 4096 cells of equal probability, linear inside a cell (f32 base+slope: 32 KiB),
/// outermost 8 cells on each side (0.4 % of draws) exact. Monotone in u, so CRN/antithetic/QMC friendly.
#[derive(Clone)]
pub struct QTable {
    pub bs: Box<[[f32; 2]; 4096]>,
    q: fn(f64, f64, f64) -> f64,
    a: f64,
    b: f64,
}
impl QTable {
    pub fn lognormal(med: f64, sigma: f64) -> Self {
        Self::new(|u, med, sigma| med * (sigma * norm_icdf(u)).exp(), med, sigma)
    }
    pub fn exponential() -> Self {
        Self::new(|u, _, _| -(-u).ln_1p(), 0.0, 0.0)
    }
    pub fn new(qf: fn(f64, f64, f64) -> f64, a: f64, b: f64) -> Self {
        let q = |u: f64| qf(u, a, b);
        let v: Vec<[f32; 2]> = (0..4096)
            .map(|i| {
                let (lo, hi) = (q(i as f64 / 4096.0), q((i + 1) as f64 / 4096.0));
                if (8..4088).contains(&i) {
                    [lo as f32, ((hi - lo) / (1u64 << 20) as f64) as f32]
                } else {
                    [f32::NAN, 0.0]
                }
            })
            .collect();
        QTable { bs: v.into_boxed_slice().try_into().unwrap(), q: qf, a, b }
    }
    #[inline(always)]
    pub fn q32(&self, u: u32) -> f32 {
        let i = u >> 20;
        if i.wrapping_sub(8) >= 4080 {
            return self.tail(u);
        }
        let [b, s] = self.bs[i as usize];
        b + s * (u & 0xfffff) as f32
    }
    /// Low quality-bit tail: the u32 lattice is 2.3e-10 wide, i.e. up to 6.2 sigma.
    #[cold]
    #[inline(never)]
    pub fn tail(&self, u: u32) -> f32 {
        (self.q)((u as f64 + 0.5) / 4294967296.0, self.a, self.b) as f32
    }
}

/// Arrivals by inversion of a piecewise-constant rate (2880 cells of 60 s; relative error of the integral below 2e-6).
pub struct Nhpp {
    pub rate: Box<[f64; 2881]>,
    pub cell: usize,
    pub t: f64,
    end: f64,
    r: f64,
    inv: f64,
}
impl Nhpp {
    pub fn new(n: f64) -> Self {
        let lm = n / T;
        let int = |t: f64| {
            t - 0.6 * 86400.0 / (2.0 * std::f64::consts::PI) * (2.0 * std::f64::consts::PI * (t / 86400.0 - 0.25)).cos()
        };
        let v: Vec<f64> = (0..2881).map(|i| lm * (int((i + 1) as f64 * 60.0) - int(i as f64 * 60.0)) / 60.0).collect();
        let mut s =
            Nhpp { rate: v.into_boxed_slice().try_into().unwrap(), cell: 0, t: 0.0, end: 0.0, r: 0.0, inv: 0.0 };
        s.reset();
        s
    }
    pub fn reset(&mut self) {
        self.cell = 0;
        self.t = 0.0;
        self.end = 60.0;
        self.r = self.rate[0];
        self.inv = 1.0 / self.r
    }
    #[inline(always)]
    pub fn step(&mut self, e: f64) -> f64 {
        let t = self.t + e * self.inv;
        if t < self.end {
            self.t = t;
            return t;
        }
        self.cross(e)
    }
    #[cold]
    #[inline(never)]
    fn cross(&mut self, mut e: f64) -> f64 {
        loop {
            let room = (self.end - self.t) * self.r;
            if e < room {
                self.t += e * self.inv;
                return self.t;
            }
            e -= room;
            self.t = self.end;
            self.cell += 1;
            if self.cell >= 2880 {
                return f64::INFINITY;
            }
            self.end += 60.0;
            self.r = self.rate[self.cell];
            self.inv = 1.0 / self.r;
        }
    }
}

#[inline(always)]
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
    z ^ (z >> 31)
}
pub const GOLD: u64 = 0x9e3779b97f4a7c15;
pub const C1: u64 = 0xd1342543de82ef95;
pub const C2: u64 = 0xa0761d6478bd642f;

//! Special functions, from portable arithmetic only: the same bits on every machine.

use std::f64::consts::{PI, SQRT_2};

/// The standard normal distribution function.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

/// The standard normal quantile of `p` in (0, 1): Acklam's rational approximation (relative error below 1.2e-9),
/// then one step of Halley's method, which brings it to machine precision.
pub fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    let z = acklam(p);
    let error = normal_cdf(z) - p;
    let step = error * libm::sqrt(2.0 * PI) * libm::exp(z * z / 2.0);
    z - step / (1.0 + z * step / 2.0)
}

/// Where Acklam's tails begin.
const TAIL: f64 = 0.02425;

/// Acklam's approximation for the lower half.
#[inline]
fn acklam(p: f64) -> f64 {
    if p < TAIL { acklam_tail(p) } else { acklam_middle(p - 0.5) }
}

fn acklam_tail(p: f64) -> f64 {
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] =
        [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416, 1.0];
    let q = libm::sqrt(-2.0 * libm::log(p));
    horner(&C, q) / horner(&D, q)
}

/// At `q` from the median, in probability.
#[inline]
fn acklam_middle(q: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    let r = q * q;
    horner(&A, r) * q / horner(&B, r)
}

fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

/// The regularised incomplete gamma functions P(`shape`, `x`) and Q = 1 - P, each accurate where it is small: series
/// below `shape` + 1, Lentz's continued fraction above.
pub fn gamma_tails(shape: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x.is_infinite() {
        return (1.0, 0.0);
    }
    let front = libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    if x < shape + 1.0 {
        let below = (front * lower_series(shape, x)).min(1.0);
        (below, 1.0 - below)
    } else {
        let above = (front * upper_fraction(shape, x)).min(1.0);
        (1.0 - above, above)
    }
}

const MOST_TERMS: u32 = 10_000;
const PRECISION: f64 = 1e-16;

fn lower_series(shape: f64, x: f64) -> f64 {
    let mut term = 1.0 / shape;
    let mut sum = term;
    for n in 1..MOST_TERMS {
        term *= x / (shape + f64::from(n));
        sum += term;
        if term < sum * PRECISION {
            break;
        }
    }
    sum
}

fn upper_fraction(shape: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut b = x + 1.0 - shape;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / away_from_zero(b);
    let mut fraction = d;
    for n in 1..MOST_TERMS {
        let n = f64::from(n);
        let a = -n * (n - shape);
        b += 2.0;
        d = 1.0 / away_from_zero(a * d + b);
        c = away_from_zero(b + a / c);
        let factor = d * c;
        fraction *= factor;
        if (factor - 1.0).abs() < PRECISION * 10.0 {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantile_inverts_the_distribution_function() {
        for p in [1e-15, 1e-6, 0.02425, 0.1, 0.3, 0.5, 0.8, 0.975, 1.0 - 1e-9] {
            assert!((normal_cdf(normal_quantile(p)) / p - 1.0).abs() < 1e-13, "{p}");
        }
        // Textbook values.
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
        assert!((normal_quantile(0.95) - 1.644_853_626_951_472_2).abs() < 1e-14);
    }

    #[test]
    fn incomplete_gamma_agrees_with_closed_forms() {
        for x in [0.01, 0.5, 1.0, 3.0, 30.0] {
            // Shape 1 is the exponential, shape 1/2 the error function, shape 3 a Poisson sum.
            assert!((gamma_tails(1.0, x).1 / libm::exp(-x) - 1.0).abs() < 1e-12, "{x}");
            assert!((gamma_tails(0.5, x).1 / libm::erfc(libm::sqrt(x)) - 1.0).abs() < 1e-12, "{x}");
            let poisson = libm::exp(-x) * (1.0 + x + x * x / 2.0);
            assert!((gamma_tails(3.0, x).1 / poisson - 1.0).abs() < 1e-12, "{x}");
        }
    }
}

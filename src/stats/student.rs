//! Quantiles of the normal and of Student's distribution. Used a few times per report, so found by bisection.

/// The standard normal quantile of `p` in (0, 1).
pub fn normal_quantile(p: f64) -> f64 {
    bisect(|z| 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2) < p)
}

/// The quantile of Student's distribution with `degrees` of freedom; the normal one for very many.
pub fn student_quantile(p: f64, degrees: f64) -> f64 {
    const PRACTICALLY_NORMAL: f64 = 1e7;
    if degrees > PRACTICALLY_NORMAL { normal_quantile(p) } else { bisect(|t| student_cdf(t, degrees) < p) }
}

/// The number at which `below` turns false, to the last bit that bisection reaches.
fn bisect(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (-1e9, 1e9);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if below(middle) { low = middle } else { high = middle }
    }
    high
}

/// P(T <= t) = 1 - I(ν / (ν + t²); ν/2, 1/2) / 2 for t > 0.
fn student_cdf(t: f64, degrees: f64) -> f64 {
    let tail = 0.5 * incomplete_beta(degrees / (degrees + t * t), degrees / 2.0, 0.5);
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// The regularised incomplete beta function I(x; a, b), by Lentz's continued fraction on the side where it converges.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let log_front = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log1p(-x);
    let front = libm::exp(log_front);
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(1.0 - x, b, a) / b
    }
}

fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const MOST_TERMS: u32 = 10_000;
    let away_from_zero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..MOST_TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_agree_with_printed_tables() {
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-12);
        for (degrees, expected) in
            [(1.0, 12.706_204_736), (4.0, 2.776_445_105), (29.0, 2.045_229_642), (1e6, 1.959_966)]
        {
            let found = student_quantile(0.975, degrees);
            assert!((found - expected).abs() < 1e-6, "{degrees}: {found}");
        }
        assert!((student_quantile(0.05, 10.0) + student_quantile(0.95, 10.0)).abs() < 1e-9);
    }
}

//! Control variates: numbers of each run whose exact mean is known. What a quantity has in common with them is chance
//! that can be taken back (S. Lavenberg and P. Welch, Management Science 27, 1981). How much to take back is a
//! regression over the same runs; few controls are chosen for many runs, so that the regression does not fit the noise.

use crate::stats::estimate::{Estimate, Interval};
use crate::stats::moments::Moments;
use crate::stats::student::student_quantile;

/// Runs for each control that is used.
const RUNS_FOR_EACH: usize = 20;
/// The most controls.
const MOST: usize = 10;
/// A control enters when its Student statistic is beyond this: by chance that happens to one of 15,000.
const WORTH: f64 = 4.0;
/// A control of which less than this share is left when the others are taken out says nothing that they do not say.
const NEW: f64 = 1e-6;

/// A mean with the chance taken back that controls account for.
#[derive(Debug, Clone, PartialEq)]
pub struct Controlled {
    /// The mean, with Student's interval of the regression.
    pub estimate: Estimate,
    /// Which controls, in the order of what they took away.
    pub used: Vec<usize>,
    /// How many times more runs would have been as sure without controls: that of the variances, less the factor
    /// (n - 2) / (n - q - 2) that it costs to estimate q coefficients.
    pub gain: f64,
}

/// A number of each run less its mean over the runs, and less its part in the controls that are used.
#[derive(Debug, Clone)]
struct Rest {
    values: Vec<f64>,
    /// What is left of its mean over the runs.
    mean: f64,
}

impl Rest {
    fn new(values: &[f64]) -> Self {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Self { values: values.iter().map(|value| value - mean).collect(), mean }
    }

    fn dot(&self, other: &Self) -> f64 {
        self.values.iter().zip(&other.values).map(|(a, b)| a * b).sum()
    }

    fn square(&self) -> f64 {
        self.dot(self)
    }

    /// Takes out what goes with `control`.
    fn without(&mut self, control: &Self, square: f64) {
        let slope = self.dot(control) / square;
        self.values.iter_mut().zip(&control.values).for_each(|(value, control)| *value -= slope * control);
        self.mean -= slope * control.mean;
    }
}

/// The mean of `values` (one a run) with what `controls` account for taken back: each control has a number for each
/// run, and its exact mean is zero. `None` where no control is worth it, or where there are too few runs.
pub fn controlled(values: &[f64], controls: &[Vec<f64>], confidence: f64) -> Option<Controlled> {
    let runs = values.len();
    let most = (runs / RUNS_FOR_EACH).min(MOST);
    if most == 0 || controls.iter().any(|control| control.len() != runs) {
        return None;
    }
    let mut rest = Rest::new(values);
    let mut candidates: Vec<Rest> = controls.iter().map(|control| Rest::new(control)).collect();
    let whole: Vec<f64> = candidates.iter().map(Rest::square).collect();
    let mut used = Vec::new();
    // Of the variance of the adjusted mean: that of the mean, and that of the coefficients.
    let mut factor = 1.0 / runs as f64;
    while used.len() < most {
        let Some(best) = best(&rest, &candidates, &whole, runs - used.len()) else { break };
        let control = candidates[best].clone();
        let square = control.square();
        factor += control.mean * control.mean / square;
        rest.without(&control, square);
        candidates.iter_mut().for_each(|candidate| candidate.without(&control, square));
        used.push(best);
    }
    (!used.is_empty()).then(|| summary(values, &rest, factor, used, confidence))
}

/// The control that accounts for most of what is left, if it is worth it; `runs` are those less the controls before it.
fn best(rest: &Rest, candidates: &[Rest], whole: &[f64], runs: usize) -> Option<usize> {
    let left = rest.square();
    let degrees = runs as f64 - 2.0;
    let share = |(index, candidate): (usize, &Rest)| {
        let square = candidate.square();
        let is_new = square > NEW * whole[index] && square > 0.0 && left > 0.0;
        let share = if is_new { rest.dot(candidate).powi(2) / square / left } else { 0.0 };
        (index, share)
    };
    let best = candidates.iter().enumerate().map(share).fold((0, 0.0), |a, b| if b.1 > a.1 { b } else { a });
    (best.1 * degrees > WORTH * WORTH * (1.0 - best.1)).then_some(best.0)
}

fn summary(values: &[f64], rest: &Rest, factor: f64, used: Vec<usize>, confidence: f64) -> Controlled {
    let (n, q) = (values.len() as f64, used.len() as f64);
    let variance = rest.square() / (n - q - 1.0);
    let std_error = libm::sqrt(variance * factor);
    let reach = std_error * student_quantile(0.5 + confidence / 2.0, n - q - 1.0);
    let interval = Interval { low: rest.mean - reach, high: rest.mean + reach };
    let before = values.iter().copied().collect::<Moments>().variance();
    let gain = before / variance * (n - q - 2.0) / (n - 2.0);
    Controlled { estimate: Estimate { point: rest.mean, std_error, interval }, used, gain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{mix, normal_quantile};

    /// A standard normal number at an address.
    fn normal(sample: u64, run: u64, which: u64) -> f64 {
        let bits = mix(mix(mix(sample) ^ run) ^ which) >> 11;
        normal_quantile((bits as f64 + 0.5) / (1u64 << 53) as f64)
    }

    /// A sample of `runs`: mean 5, two controls that matter and `useless` that do not; the rest is skewed noise.
    fn sample(sample: u64, runs: u64, useless: u64) -> (Vec<f64>, Vec<Vec<f64>>) {
        let control = |which: u64| (0..runs).map(|run| normal(sample, run, which)).collect::<Vec<f64>>();
        let controls: Vec<Vec<f64>> = (1..=2 + useless).map(control).collect();
        let noise = |run: u64| libm::exp(normal(sample, run, 0) * 0.5) - libm::exp(0.125);
        let value = |run: u64| 5.0 + 3.0 * controls[0][run as usize] - controls[1][run as usize] + noise(run);
        ((0..runs).map(value).collect(), controls)
    }

    #[test]
    fn intervals_cover_as_often_as_they_say_and_the_mean_is_not_biased() {
        // 2,000 samples of 60 runs with 20 controls to choose from, 18 of them useless. 95% are 1,900; three standard
        // errors of the count 29, and skewed noise costs a little more.
        let (mut covered, mut sum, mut squares) = (0, 0.0, 0.0);
        for number in 0..2_000 {
            let (values, controls) = sample(number, 60, 18);
            let found = controlled(&values, &controls, 0.95).expect("two controls matter");
            assert!(found.used.len() <= 3 && found.used[0] == 0, "{:?}", found.used);
            covered += u32::from(found.estimate.interval.contains(5.0));
            sum += found.estimate.point - 5.0;
            squares += (found.estimate.point - 5.0f64).powi(2);
        }
        assert!((1_850..=1_930).contains(&covered), "{covered}");
        assert!(sum.abs() < 4.0 * f64::sqrt(squares), "{sum} ± {}", squares.sqrt());
    }

    #[test]
    fn the_gain_is_that_of_the_variances_over_many_samples() {
        let (mut plain, mut adjusted, mut said) = (0.0, 0.0, 0.0);
        for number in 0..500 {
            let (values, controls) = sample(number, 100, 0);
            let found = controlled(&values, &controls, 0.95).expect("controls matter");
            plain += (values.iter().sum::<f64>() / 100.0 - 5.0).powi(2);
            adjusted += (found.estimate.point - 5.0f64).powi(2);
            said += found.gain / 500.0;
        }
        // Variance 10 and that of the noise, 0.365: about 28. Two sample variances of 500 are off by 9% together.
        assert!((plain / adjusted / said - 1.0).abs() < 0.3, "{} said {said}", plain / adjusted);
        assert!((25.0..33.0).contains(&said), "{said}");
    }

    #[test]
    fn useless_controls_and_few_runs_change_nothing() {
        let useless = |number: u64| {
            let (_, controls) = sample(number, 200, 18);
            let values: Vec<f64> = (0..200).map(|run| normal(number, run, 99)).collect();
            controlled(&values, &controls, 0.95)
        };
        // 20 controls, 100 samples: one in 15,000 enters by chance, 0.13 are expected.
        assert!((0..100).filter(|number| useless(*number).is_some()).count() <= 2);
        let (values, controls) = sample(1, 19, 0);
        assert_eq!(controlled(&values, &controls, 0.95), None);
        assert_eq!(controlled(&[1.0; 50], &[vec![0.0; 50]], 0.95), None);
    }

    #[test]
    fn the_same_control_twice_counts_once_and_units_do_not_matter() {
        let (values, mut controls) = sample(3, 200, 0);
        let once = controlled(&values, &controls, 0.95).expect("controls matter");
        controls.push(controls[0].iter().map(|value| 1e9 * value).collect());
        let twice = controlled(&values, &controls, 0.95).expect("controls matter");
        assert_eq!(twice.used.len(), 2);
        assert!((once.estimate.point - twice.estimate.point).abs() < 1e-9);
        assert!((once.gain / twice.gain - 1.0).abs() < 1e-9);
        // Values and interval move with a constant, for the controls have mean zero and not the values.
        let moved: Vec<f64> = values.iter().map(|value| value + 7.0).collect();
        let moved = controlled(&moved, &controls, 0.95).expect("controls matter");
        assert!((moved.estimate.point - 7.0 - twice.estimate.point).abs() < 1e-9);
    }

    #[test]
    fn the_regression_is_that_of_a_textbook() {
        // y on x and z by the normal equations, solved by hand for deviations from the means.
        let (values, controls) = sample(5, 80, 0);
        let found = controlled(&values, &controls, 0.95).expect("controls matter");
        let n = 80.0;
        let mean = |v: &[f64]| v.iter().sum::<f64>() / n;
        let cov = |a: &[f64], b: &[f64]| {
            let (ma, mb) = (mean(a), mean(b));
            a.iter().zip(b).map(|(a, b)| (a - ma) * (b - mb)).sum::<f64>()
        };
        let (x, z) = (&controls[0], &controls[1]);
        let (xx, zz, xz, xy, zy) = (cov(x, x), cov(z, z), cov(x, z), cov(x, &values), cov(z, &values));
        let det = xx * zz - xz * xz;
        let (b, c) = ((xy * zz - zy * xz) / det, (zy * xx - xy * xz) / det);
        assert!((found.estimate.point - (mean(&values) - b * mean(x) - c * mean(z))).abs() < 1e-9);
        let residual = (cov(&values, &values) - b * xy - c * zy) / (n - 3.0);
        let quadratic = (mean(x).powi(2) * zz - 2.0 * mean(x) * mean(z) * xz + mean(z).powi(2) * xx) / det;
        let error = (residual * (1.0 / n + quadratic)).sqrt();
        assert!((found.estimate.std_error - error).abs() < 1e-9);
    }
}

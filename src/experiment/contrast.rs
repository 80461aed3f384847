//! Differences of paired runs with their intervals: what two configurations did in the same random world.

use crate::experiment::metric::{CONFIDENCE, Stat, exactly, quantile};
use crate::random::mix;
use crate::stats::{Estimate, Interval, Moments};

/// Resamples of the bootstrap.
const RESAMPLES: usize = 800;
/// Many runs need fewer: their quantiles hardly move.
const FEWER_RESAMPLES: usize = 300;
const MANY_RUNS: usize = 5_000;

/// The difference of a statistic between two configurations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// The statistic of the base.
    pub base: f64,
    /// That of the other.
    pub other: f64,
    /// Other minus base.
    pub delta: Estimate,
    /// The difference as a share of the base; NaN where the base is nothing.
    pub relative: Estimate,
    /// How many times more runs with seeds of their own would have been needed; infinite when all runs agree.
    pub gain: f64,
}

/// Compares the same runs under two configurations; surplus runs of one side are left out.
pub fn contrast(base: &[f64], other: &[f64], stat: Stat) -> Contrast {
    let runs = base.len().min(other.len());
    let (base, other) = (&base[..runs], &other[..runs]);
    match stat {
        Stat::Mean => of_means(base, other),
        Stat::Quantile(p) => of_quantiles(base, other, p),
        Stat::Max => {
            let (base, other) = (stat.of(base), stat.of(other));
            let relative = exactly(ratio(other - base, base));
            Contrast { base, other, delta: exactly(other - base), relative, gain: 1.0 }
        }
    }
}

fn of_means(base: &[f64], other: &[f64]) -> Contrast {
    let moments = |values: &[f64]| values.iter().copied().collect::<Moments>();
    let (a, b) = (moments(base), moments(other));
    let differences: Moments = base.iter().zip(other).map(|(a, b)| b - a).collect();
    let a_mean = a.mean();
    let share = ratio(differences.mean(), a_mean);
    // The error of a ratio of means: that of the differences less what the share explains of them.
    let rest: Moments = base.iter().zip(other).map(|(a, b)| ratio(b - a - share * a, a_mean)).collect();
    let relative = Estimate::of_mean(share, rest.variance(), rest.count(), CONFIDENCE);
    Contrast {
        base: a.mean(),
        other: b.mean(),
        delta: differences.estimate(CONFIDENCE),
        relative,
        gain: gain(a.variance() + b.variance(), differences.variance()),
    }
}

/// How many times more runs with independent seeds have the same error: no number does where the pairs all differ
/// alike, also where both sides are always the same (a cause that costs nothing).
fn gain(independent: f64, paired: f64) -> f64 {
    if independent == 0.0 { f64::INFINITY } else { independent / paired }
}

/// `part` / `whole`; nothing of nothing is nothing.
fn ratio(part: f64, whole: f64) -> f64 {
    if part == 0.0 {
        0.0
    } else if whole == 0.0 {
        f64::NAN
    } else {
        part / whole
    }
}

/// The difference of quantiles, with an interval by resampling pairs (Efron's percentile interval). The resamples are
/// the same
/// every time: their draws are addressed.
fn of_quantiles(base: &[f64], other: &[f64], p: f64) -> Contrast {
    let stat = Stat::Quantile(p);
    let (point_a, point_b) = (stat.of(base), stat.of(other));
    let runs = base.len();
    if runs < 2 {
        let unknown = |point| Estimate::of_mean(point, 0.0, 1, CONFIDENCE);
        let (delta, relative) = (unknown(point_b - point_a), unknown(ratio(point_b - point_a, point_a)));
        return Contrast { base: point_a, other: point_b, delta, relative, gain: f64::INFINITY };
    }
    let resamples = if runs > MANY_RUNS { FEWER_RESAMPLES } else { RESAMPLES };
    let (mut a, mut b) = (vec![0.0; runs], vec![0.0; runs]);
    let (mut deltas, mut shares) = (Vec::new(), Vec::new());
    let (mut of_a, mut of_b) = (Moments::default(), Moments::default());
    for resample in 0..resamples as u64 {
        for place in 0..runs {
            let drawn = mix(mix(resample + 1) ^ place as u64);
            let index = ((u128::from(drawn) * runs as u128) >> 64) as usize;
            (a[place], b[place]) = (base[index], other[index]);
        }
        let (at_a, at_b) = (quantile(&mut a, p), quantile(&mut b, p));
        of_a.add(at_a);
        of_b.add(at_b);
        deltas.push(at_b - at_a);
        shares.push(ratio(at_b - at_a, at_a));
    }
    let spread: Moments = deltas.iter().copied().collect();
    Contrast {
        base: point_a,
        other: point_b,
        delta: resampled(point_b - point_a, deltas),
        relative: resampled(ratio(point_b - point_a, point_a), shares),
        gain: gain(of_a.variance() + of_b.variance(), spread.variance()),
    }
}

/// A point with the interval that its resamples span.
fn resampled(point: f64, mut values: Vec<f64>) -> Estimate {
    let std_error = libm::sqrt(values.iter().copied().collect::<Moments>().variance());
    let tail = (1.0 - CONFIDENCE) / 2.0;
    let (low, high) = (quantile(&mut values, tail), quantile(&mut values, 1.0 - tail));
    Estimate { point, std_error, interval: Interval { low: low.min(point), high: high.max(point) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deterministic numbers that look like bills.
    fn bills(salt: u64, runs: u64) -> Vec<f64> {
        let unit = |run: u64| (mix(run ^ salt << 32) >> 11) as f64 / (1u64 << 53) as f64;
        (0..runs).map(|run| 10.0 + 50.0 * unit(run) * unit(run + runs)).collect()
    }

    #[test]
    fn a_thing_compared_with_itself_differs_by_exactly_zero() {
        let a = bills(1, 200);
        for stat in [Stat::Mean, Stat::Max, Stat::Quantile(0.5), Stat::Quantile(0.95)] {
            let same = contrast(&a, &a, stat);
            for estimate in [same.delta, same.relative] {
                assert_eq!((estimate.point, estimate.std_error), (0.0, 0.0), "{stat:?}");
                assert_eq!((estimate.interval.low, estimate.interval.high), (0.0, 0.0), "{stat:?}");
            }
        }
    }

    #[test]
    fn no_number_of_runs_of_its_own_does_what_pairs_without_spread_do() {
        let (a, nothing) = (bills(1, 50), vec![0.0; 50]);
        for stat in [Stat::Mean, Stat::Quantile(0.5)] {
            assert!(contrast(&a, &a, stat).gain.is_infinite() && contrast(&nothing, &nothing, stat).gain.is_infinite());
        }
    }

    #[test]
    fn a_rise_of_a_tenth_is_found_in_every_statistic() {
        let a = bills(2, 400);
        let b: Vec<f64> = a.iter().zip(bills(3, 400)).map(|(a, noise)| a * 1.1 + (noise - 22.5) * 0.001).collect();
        for stat in [Stat::Mean, Stat::Quantile(0.5), Stat::Quantile(0.95)] {
            let found = contrast(&a, &b, stat);
            assert!(found.relative.interval.contains(0.1), "{stat:?} {found:?}");
            assert!((found.relative.point - 0.1).abs() < 0.002 && found.gain > 50.0, "{stat:?} {found:?}");
        }
    }

    #[test]
    fn intervals_of_quantiles_cover_as_often_as_they_say() {
        // b is 1.2 a: whatever the distribution, every quantile of b is 1.2 times that of a, so the true difference
        // of medians
        // is a fifth of the true median, 10 + 50 m with P(u v <= m) = m (1 - ln m) = 1/2, m = 0.18668. 200 samples of
        // 100 pairs: 95% are 190, three standard errors 9; the percentile interval is a little conservative.
        let truth = 0.2 * (10.0 + 50.0 * 0.186_682);
        let covers = |sample: u64| {
            let a = bills(1000 + sample, 100);
            let b: Vec<f64> = a.iter().map(|a| 1.2 * a).collect();
            contrast(&a, &b, Stat::Quantile(0.5)).delta.interval.contains(truth)
        };
        let covered = (0..200).filter(|sample| covers(*sample)).count();
        assert!((180..=200).contains(&covered), "{covered}");
    }
}

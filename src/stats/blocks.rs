//! Intervals for runs that are spread evenly within blocks (`random::Strata`): the runs of a block are not independent
//! of each other, the blocks are. So the blocks are the sample.

use crate::stats::estimate::{Estimate, Interval};
use crate::stats::moments::Moments;
use crate::stats::quantile::binomial_ranks;
use crate::stats::student::student_quantile;

/// With fewer full blocks than this their spread says too little; then the runs count as independent, which is
/// cautious: spreading evenly never adds more than one part in (block - 1) to the variance of a mean.
const FEWEST_BLOCKS: usize = 5;

/// The mean of values in the order of their runs, with an interval from the means of blocks of `size` runs.
pub fn block_mean(values: &[f64], size: usize, confidence: f64) -> Estimate {
    match spread(values, size) {
        None => values.iter().copied().collect::<Moments>().estimate(confidence),
        Some(spread) => {
            let reach = spread.std_error * student_quantile(0.5 + confidence / 2.0, spread.degrees);
            let interval = Interval { low: spread.mean - reach, high: spread.mean + reach };
            Estimate { point: spread.mean, std_error: spread.std_error, interval }
        }
    }
}

/// How many independent runs would make the mean as sure as these runs do; their number if nothing can be said.
pub fn worth_runs(values: &[f64], size: usize) -> f64 {
    let independent = values.iter().copied().collect::<Moments>().variance();
    match spread(values, size) {
        Some(spread) if independent > 0.0 => independent / (spread.std_error * spread.std_error),
        _ => values.len() as f64,
    }
}

/// Ranks (from 0) of the order statistics between which the true quantile at `p` lies. `below` says, in the order of
/// the runs, whether a run is at or below the quantile of the sample (R. Woodruff, JASA 47, 1952, with the blocks as
/// sample). `None` where the sample is too small to bound a side.
pub fn block_ranks(below: &[bool], p: f64, size: usize, confidence: f64) -> (Option<u64>, Option<u64>) {
    let n = below.len() as u64;
    let shares: Vec<f64> = below.iter().map(|&is_below| f64::from(u8::from(is_below))).collect();
    let Some(spread) = spread(&shares, size) else { return binomial_ranks(n, p, confidence) };
    let reach = spread.std_error * student_quantile(0.5 + confidence / 2.0, spread.degrees);
    // Two ranks more to each side: shares of a sample are whole numbers of runs, and blocks may agree by chance.
    let low = (n as f64 * (p - reach)).floor() - 2.0;
    let high = (n as f64 * (p + reach)).ceil() + 1.0;
    let rank = |place: f64| (place >= 0.0 && place < n as f64).then_some(place as u64);
    (rank(low), rank(high))
}

/// A mean, and how sure it is by its blocks.
struct Spread {
    mean: f64,
    std_error: f64,
    degrees: f64,
}

/// `None` with too few blocks. A last block that is not full counts by its size.
fn spread(values: &[f64], size: usize) -> Option<Spread> {
    let full = values.len() / size.max(1);
    if full < FEWEST_BLOCKS {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.chunks(size).map(|block| block.iter().map(|v| v - mean).sum::<f64>().powi(2)).sum();
    let blocks = values.len().div_ceil(size) as f64;
    let std_error = libm::sqrt(squares * blocks / (blocks - 1.0)) / n;
    Some(Spread { mean, std_error, degrees: (full - 1) as f64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{BLOCK, Dist, Draws, Purpose, Replication, Seed, Strata};
    use crate::stats::quantile::nearest_rank;

    const SIZE: usize = BLOCK as usize;

    /// Bills of `runs` runs: a volume factor, two incidents, and noise of each run's own, in parts that `world` sets.
    fn bills(seed: u64, runs: u64, world: [f64; 3]) -> Vec<f64> {
        let exponential = Dist::unit_exponential();
        let bill = |run| {
            let strata = Strata::new(Seed(seed), Replication(run));
            let unit = |number| strata.unit_at(9, number, Purpose::Incident, 0);
            let mut own = crate::random::Addressed::new(Seed(seed), Replication(run));
            own.begin_request(3, 0);
            let incidents = exponential.sample(unit(1)) * f64::from(unit(2) < 0.4) + exponential.sample(unit(3));
            let noise = exponential.sample(own.unit(Purpose::Pace, 0));
            (1.0 + world[0] * unit(0)) * (1.0 + world[1] * incidents) + world[2] * noise
        };
        (0..runs).map(bill).collect()
    }

    const WORLDS: [[f64; 3]; 4] = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.01], [0.5, 0.5, 0.1], [0.3, 1.0, 1.0]];

    fn truth(world: [f64; 3]) -> (f64, f64) {
        let mut many: Vec<f64> = (0..20).flat_map(|k| bills(1 << 40 | k, 20_000, world)).collect();
        let mean = many.iter().sum::<f64>() / many.len() as f64;
        many.sort_unstable_by(f64::total_cmp);
        (mean, many[nearest_rank(many.len(), 0.95)])
    }

    #[test]
    fn intervals_cover_the_truth_as_often_as_they_say() {
        // 1,000 forecasts a world: 95% covers 950, 4 standard errors are 28. Quantiles may be cautious.
        for world in WORLDS {
            let (mean, p95) = truth(world);
            let (mut covered_mean, mut covered_p95) = (0, 0);
            for seed in 0..1_000 {
                let runs = [200, 110, 64][seed as usize % 3];
                let bills = bills(seed, runs, world);
                covered_mean += u32::from(block_mean(&bills, SIZE, 0.95).interval.contains(mean));
                let mut sorted = bills.clone();
                sorted.sort_unstable_by(f64::total_cmp);
                let at = sorted[nearest_rank(sorted.len(), 0.95)];
                let below: Vec<bool> = bills.iter().map(|&bill| bill <= at).collect();
                let (low, high) = block_ranks(&below, 0.95, SIZE, 0.95);
                let above_low = low.is_none_or(|rank| sorted[rank as usize] <= p95);
                covered_p95 += u32::from(above_low && high.is_none_or(|rank| p95 <= sorted[rank as usize]));
            }
            println!("{world:?}: mean {covered_mean}, P95 {covered_p95} of 1000");
            assert!((922..=1000).contains(&covered_mean), "{world:?}: the mean is covered {covered_mean} times");
            assert!(covered_p95 >= 922, "{world:?}: the P95 is covered {covered_p95} times");
        }
    }

    #[test]
    fn what_spreading_gains_is_said() {
        let gain = |world| {
            let gains: Vec<f64> = (0..40).map(|seed| worth_runs(&bills(seed, 400, world), SIZE) / 400.0).collect();
            gains.iter().sum::<f64>() / 40.0
        };
        // Nothing to gain from noise (mean of 1/chi-square of 19 degrees: 19/17); much where one draw decides.
        assert!((0.95..1.35).contains(&gain(WORLDS[0])), "{}", gain(WORLDS[0]));
        assert!(gain(WORLDS[1]) > 100.0, "{}", gain(WORLDS[1]));
        assert_eq!(worth_runs(&[1.0, 2.0], SIZE), 2.0, "too few to tell");
    }
}

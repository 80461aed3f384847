//! Draws that are made a few times a run (the volume of a weekend, when trouble comes and how long it stays), spread
//! evenly over the runs. Such a draw decides more of the bill than a million lengths together, so chance must not
//! bunch it: of each [`BLOCK`] runs exactly one falls into each twentieth of its distribution, in an order of its
//! own. Together the draws of a block are a Latin hypercube (McKay, Beckman and Conover, Technometrics 21, 1979). A
//! run alone is as random as ever and blocks are independent of each other, so means stay unbiased and the means of
//! blocks tell how sure they are.

use crate::random::addressed::{Addressed, Purpose, Replication, Seed, Unit, mix, stream};

/// Runs that are spread evenly together: 0 to 19, 20 to 39, … Twenty, so that the 95th percentile of a draw is an edge.
pub const BLOCK: u64 = 20;

/// Keeps the shuffles of blocks apart from the draws of runs.
const OF_BLOCKS: u64 = 1 << 61;

/// The draws of one replication that are spread evenly over the replications.
#[derive(Debug, Clone, Copy)]
pub struct Strata {
    seed: Seed,
    replication: Replication,
}

impl Strata {
    /// The draws of this replication.
    pub const fn new(seed: Seed, replication: Replication) -> Self {
        Self { seed, replication }
    }

    /// A uniform number in [0, 1) for the `nth` decision of this kind about thing `number` of a stream.
    pub fn unit_at(&self, stream_id: u64, number: u64, purpose: Purpose, nth: u32) -> f64 {
        let mut own = Addressed::new(self.seed, self.replication);
        own.begin_request(stream_id, number);
        let within = own.here().unit(purpose, 0, nth).lattice();
        let block = Replication(OF_BLOCKS | (self.replication.0 / BLOCK));
        let key = stream(self.seed, block, stream_id) ^ mix(number ^ (purpose as u64) << 56 ^ u64::from(nth) << 40);
        let stratum = shuffled(self.replication.0 % BLOCK, mix(key));
        Unit::of(((stratum << Unit::BITS) | within) / BLOCK).as_f64()
    }
}

/// Where `place` of [`BLOCK`] goes in the random order that `key` stands for (Fisher and Yates).
fn shuffled(place: u64, key: u64) -> u64 {
    let mut order: [u64; BLOCK as usize] = std::array::from_fn(|index| index as u64);
    for last in (1..BLOCK).rev() {
        let other = (u128::from(mix(key ^ mix(last))) * u128::from(last + 1)) >> 64;
        order.swap(last as usize, other as usize);
    }
    order[place as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(seed: u64, run: u64, stream_id: u64, number: u64) -> f64 {
        Strata::new(Seed(seed), Replication(run)).unit_at(stream_id, number, Purpose::Incident, 0)
    }

    #[test]
    fn each_block_of_runs_fills_each_stratum_once() {
        for (seed, number, block) in [(1, 0, 0), (7, 3, 1), (9, 1, 500)] {
            let mut seen = [0; BLOCK as usize];
            for run in block * BLOCK..(block + 1) * BLOCK {
                seen[(unit(seed, run, 8, number) * BLOCK as f64) as usize] += 1;
            }
            assert_eq!(seen, [1; BLOCK as usize]);
        }
    }

    #[test]
    fn a_run_alone_is_uniform() {
        // One run of many seeds: chi-square over 64 cells, 0.1% point at 63 degrees of freedom 103.4.
        for run in [0, 77] {
            let mut cells = [0u32; 64];
            for seed in 0..64_000 {
                cells[(unit(seed, run, 8, 2) * 64.0) as usize] += 1;
            }
            let chi2: f64 = cells.iter().map(|&n| (f64::from(n) - 1000.0).powi(2) / 1000.0).sum();
            assert!(chi2 < 103.4, "run {run}: chi-square {chi2}");
        }
    }

    /// Variance over seeds of the mean of `f` over the first 100 runs, times 100.
    fn variance_of_means(f: impl Fn(f64, f64) -> f64) -> f64 {
        let mean = |seed| (0..100).map(|run| f(unit(seed, run, 8, 0), unit(seed, run, 8, 1))).sum::<f64>() / 100.0;
        let means: Vec<f64> = (0..1_000).map(mean).collect();
        let mean = means.iter().sum::<f64>() / 1_000.0;
        100.0 * means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / 999.0
    }

    #[test]
    fn what_adds_up_loses_its_variance_and_what_interacts_keeps_no_more_than_it_had() {
        // u + v has variance 1/6 over independent runs; 20 strata leave 1/400 of it. Standard error of a variance from
        // 1,000 means: 4.5%.
        let sum = variance_of_means(|u, v| u + v) * 6.0 * 400.0;
        assert!((0.82..1.18).contains(&sum), "{sum}");
        // (u - 1/2)(v - 1/2): variance 1/144, nothing of it adds up. A Latin hypercube of n keeps at most n/(n - 1)
        // (A. Owen, Annals of Statistics 25, 1997).
        let product = variance_of_means(|u, v| (u - 0.5) * (v - 0.5)) * 144.0;
        assert!((0.82..1.18 * 20.0 / 19.0).contains(&product), "{product}");
    }

    #[test]
    fn means_over_few_runs_are_not_biased() {
        // e^u has mean e - 1. Means over 5 runs of 20,000 seeds; 4 standard errors are 1 in 16,000.
        let means: Vec<f64> =
            (0..20_000).map(|seed| (0..5).map(|run| unit(seed, run, 3, 0).exp()).sum::<f64>() / 5.0).collect();
        let mean = means.iter().sum::<f64>() / 20_000.0;
        let variance = means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / 19_999.0;
        assert!((mean - (1f64.exp() - 1.0)).abs() < 4.0 * (variance / 20_000.0).sqrt(), "{mean}");
    }

    #[test]
    fn values_are_stable() {
        let found = [(0, 8, 0), (1, 8, 0), (20, 8, 0), (199, 1 << 63, 4)].map(|(r, s, n)| unit(7, r, s, n).to_bits());
        let expected = [
            4_604_015_850_061_439_571,
            4_604_805_847_923_672_345,
            4_599_645_038_658_876_426,
            4_605_453_667_631_320_434,
        ];
        assert_eq!(found, expected, "changed draws are value-breaking: say so in the changelog");
    }
}

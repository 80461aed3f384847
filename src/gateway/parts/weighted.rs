//! A weighted pick, digit by digit as Python's `random.choices` does it.

/// The index that a uniform `draw` in [0, 1) picks among normalised weights with this sum. The weights are divided by
/// the sum before they are added up, so that the boundaries are those of the original. Sums that rise are walked along
/// once; those that do not, by the slow twin.
pub fn pick_weighted(weights: impl Iterator<Item = f64> + Clone, sum: f64, draw: f64) -> usize {
    let (mut count, mut total, mut rises) = (0_usize, 0.0, true);
    for weight in weights.clone() {
        (count, total, rises) = (count + 1, total + weight / sum, rises && weight >= 0.0);
    }
    let point = draw * total;
    if !rises || point.is_nan() {
        return pick_by_halving(weights, sum, draw);
    }
    let mut reached = 0.0;
    let is_passed = |weight: &f64| {
        reached += weight / sum;
        reached <= point
    };
    weights.take(count.saturating_sub(1)).take_while(is_passed).count()
}

/// The same as Python does it, adding up anew for each sum that is looked at.
fn pick_by_halving(weights: impl Iterator<Item = f64> + Clone, sum: f64, draw: f64) -> usize {
    let reached = |count: usize| weights.clone().take(count).fold(0.0, |total, weight| total + weight / sum);
    let count = weights.clone().count();
    halved(count, |index| reached(index + 1), draw * reached(count))
}

/// Where a point lies among sums, found by halving as Python's `bisect` does: with a negative weight the sums go down
/// somewhere, and another way of looking finds another place.
fn halved(count: usize, reached: impl Fn(usize) -> f64, point: f64) -> usize {
    let (mut low, mut high) = (0, count.saturating_sub(1));
    while low < high {
        let middle = usize::midpoint(low, high);
        if point < reached(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// Weights that have been normalised and added up beforehand. Picks exactly what [`pick_weighted`], its slow twin,
/// picks: the same additions in the same order, without two divisions for each weight of each pick. Where a point lies
/// among sums that rise is how many it has passed: they are counted without a branch, for nobody can foresee a pick.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares {
    total: f64,
    /// The sum of all shares up to and including each.
    reached: Box<[f64]>,
    /// All of these but the last, where they rise and are few enough to be counted; filled up
    /// with what is never reached.
    counted: Option<Box<[Lane]>>,
}

/// Sums that are compared at once, however many of them there are: groups are small, and of
/// changing size while some rest.
type Lane = [f64; 4];

/// Among more, halving takes fewer steps than counting.
const MOST_COUNTED: usize = 16;

impl Shares {
    /// Shares of these weights; `None` if they sum to nothing.
    pub fn new(weights: &[f64]) -> Option<Self> {
        let sum: f64 = weights.iter().fold(0.0, |sum, weight| sum + weight);
        if sum.is_nan() || sum <= 0.0 {
            return None;
        }
        let mut total = 0.0;
        let add = |weight: &f64| {
            total += weight / sum;
            total
        };
        let reached: Box<[f64]> = weights.iter().map(add).collect();
        let is_counted = reached.len() <= MOST_COUNTED && reached.is_sorted();
        let counted =
            reached.split_last().filter(|_| is_counted).map(|(_, most)| most.chunks(4).map(filled_up).collect());
        Some(Self { total, reached, counted })
    }

    /// The index that a uniform `draw` in [0, 1) picks.
    #[inline]
    pub fn pick(&self, draw: f64) -> usize {
        let point = draw * self.total;
        match &self.counted {
            Some(lanes) => lanes.iter().flatten().map(|sum| usize::from(*sum <= point)).sum(),
            None => halved(self.reached.len(), |index| self.reached[index], point),
        }
    }
}

fn filled_up(sums: &[f64]) -> Lane {
    std::array::from_fn(|at| sums.get(at).copied().unwrap_or(f64::INFINITY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shares_pick_what_weights_pick(weights in prop::collection::vec(0.0f64..9.0, 1..24), draw in 0.0f64..1.0) {
            let sum: f64 = weights.iter().fold(0.0, |sum, weight| sum + weight);
            if let Some(shares) = Shares::new(&weights) {
                prop_assert_eq!(shares.pick(draw), pick_weighted(weights.iter().copied(), sum, draw));
            }
        }
    }

    proptest! {
        #[test]
        fn a_walk_picks_what_halving_picks(
            weights in prop::collection::vec(prop_oneof![9 => 0.0f64..9.0, 2 => Just(0.0), 1 => -1.0f64..0.0], 1..40),
            draw in 0.0f64..1.0,
        ) {
            let sum: f64 = weights.iter().fold(0.0, |sum, weight| sum + weight);
            let all = || weights.iter().copied();
            prop_assert_eq!(pick_weighted(all(), sum, draw), pick_by_halving(all(), sum, draw));
        }
    }

    #[test]
    fn each_weight_is_looked_at_no_more_than_twice() {
        let looks = std::cell::Cell::new(0);
        // A power of two: each share and all their sums are exact.
        let weights = (0..8_192).map(|_| {
            looks.set(looks.get() + 1);
            1.0
        });
        for (draw, picked) in [(0.0, 0), (0.75, 6_144), (0.9999, 8_191)] {
            looks.set(0);
            assert_eq!(pick_weighted(weights.clone(), 8_192.0, draw), picked);
            assert!(looks.get() <= 2 * 8_192, "{}", looks.get());
        }
    }

    /// What LiteLLM 1.102.4 picked in 300 requests each.
    #[test]
    fn negative_weights_pick_as_the_gateway_does() {
        let picked = |weights: &[f64]| {
            let shares = Shares::new(weights).expect("a sum above zero");
            let mut all: Vec<usize> = (0..100).map(|nth| shares.pick(f64::from(nth) / 100.0)).collect();
            all.dedup();
            all
        };
        assert_eq!(picked(&[-1.0, 3.0]), [1]);
        assert_eq!(picked(&[3.0, -1.0]), [0]);
        assert_eq!(picked(&[1.0, -1.0, 2.0]), [2]);
        assert_eq!(picked(&[2.0, -1.0, 1.0, 1.0]), [0, 2, 3]);
        assert_eq!(Shares::new(&[-3.0, 1.0]), None, "then each has the same chance");
    }

    #[test]
    fn boundaries_belong_to_the_next() {
        let pick = |draw| pick_weighted([1.0, 0.0, 3.0].into_iter(), 4.0, draw);
        assert_eq!([pick(0.0), pick(0.2499), pick(0.25), pick(0.9999)], [0, 0, 2, 2]);
    }
}

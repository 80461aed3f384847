//! A weighted pick, digit by digit as Python's `random.choices` does it.

/// The index that a uniform `draw` in [0, 1) picks among normalised weights with this sum. The weights are divided by
/// the sum before they are added up, so that the boundaries are those of the original.
pub fn pick_weighted(weights: impl Iterator<Item = f64> + Clone, sum: f64, draw: f64) -> usize {
    let shares = weights.map(|weight| weight / sum);
    let total: f64 = shares.clone().fold(0.0, |total, share| total + share);
    let point = draw * total;
    let mut reached = 0.0;
    let mut last = 0;
    for (index, share) in shares.enumerate() {
        reached += share;
        if point < reached {
            return index;
        }
        last = index;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_belong_to_the_next() {
        let pick = |draw| pick_weighted([1.0, 0.0, 3.0].into_iter(), 4.0, draw);
        assert_eq!([pick(0.0), pick(0.2499), pick(0.25), pick(0.9999)], [0, 0, 2, 2]);
    }
}

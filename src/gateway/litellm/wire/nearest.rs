//! Did you mean …?

/// Words longer than this are not compared: nobody names a key so.
const LONGEST: usize = 64;

/// The candidate that is nearest to `word` by edit distance, if one is near; one that goes on where `word` ends is.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let limit = (length / 3).max(1);
    let steps = |candidate: &str| {
        let goes_on = length >= 6 && candidate.starts_with(word);
        if goes_on { 1 } else { distance(word, candidate) }
    };
    // A word takes as many steps at least as it is longer or shorter.
    let may_be = |candidate: &&str| {
        candidate.len() <= LONGEST
            && (candidate.chars().count().abs_diff(length) <= limit || candidate.starts_with(word))
    };
    let near = candidates.filter(may_be).map(|candidate| (steps(candidate), candidate));
    near.filter(|(steps, _)| *steps <= limit).min().map(|(_, candidate)| candidate)
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substituted = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut steps = substituted.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                steps = steps.min(before_last_at(&before_last, j) + 1);
            }
            row.push(steps);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

fn before_last_at(row: &[usize], j: usize) -> usize {
    row.get(j - 2).copied().unwrap_or(usize::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits_and_swaps() {
        for (a, b, steps) in [("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 1), ("retry", "retry", 0)] {
            assert_eq!(distance(a, b), steps, "{a} {b}");
        }
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        let keys = ["num_retries", "retry_after", "timeout"];
        assert_eq!(nearest("num_retires", keys.into_iter()), Some("num_retries"));
        assert_eq!(nearest("InternalError", ["InternalErrorRetries"].into_iter()), Some("InternalErrorRetries"));
        assert_eq!(nearest("streaming_client_disconnect", keys.into_iter()), None);
    }
}

//! "Did you mean …": the known word that is nearest to a mistyped one.

/// The candidate with the fewest edits from `word`, if those are few for its length.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = 1 + word.chars().count() / 4;
    let with_distance = candidates.into_iter().map(|candidate| (distance(word, candidate), candidate));
    with_distance.filter(|(edits, _)| *edits <= most).min_by_key(|(edits, _)| *edits).map(|(_, candidate)| candidate)
}

/// Insertions, deletions and substitutions from one word to the other, letters without case (Wagner and Fischer 1974).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().flat_map(char::to_lowercase).collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().flat_map(char::to_lowercase).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_edits_are_a_slip_and_many_another_word() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest("trafic", ["keys", "traffic", "upstream"]), Some("traffic"));
        assert_eq!(nearest("Seed", ["seed", "speed"]), Some("seed"));
        assert_eq!(nearest("gatway", ["traffic", "keys"]), None);
        assert_eq!(nearest("", ["keys"]), None);
    }
}

//! Prompts as lists of block hashes (Mooncake): how much of a prompt earlier prompts began with.

use std::collections::HashSet;

use crate::units::Tokens;

/// Tokens in a block of the Mooncake traces.
const BLOCK_TOKENS: u64 = 512;
/// Blocks that one generation remembers: two of them are 32 MB at most.
const MOST_KNOWN: usize = 500_000;

/// The blocks of the prompts so far. Two generations: when the young one is full, the old one is forgotten, so that a
/// long trace needs no more memory than a short one.
#[derive(Debug, Default)]
pub struct Blocks {
    young: HashSet<u64>,
    old: HashSet<u64>,
}

impl Blocks {
    /// Tokens at the beginning of a prompt that have been seen before; `None` if the list is none of numbers. A hash
    /// stands for its block and all that is before it.
    pub fn known(&mut self, list: &[u8], input: Tokens) -> Option<Tokens> {
        let inner = list.trim_ascii().strip_prefix(b"[")?.strip_suffix(b"]")?;
        let mut seen = 0;
        let mut unbroken = true;
        for text in inner.split(|c| *c == b',').map(<[u8]>::trim_ascii).filter(|text| !text.is_empty()) {
            let block: u64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            unbroken &= self.young.contains(&block) || self.old.contains(&block);
            seen += u64::from(unbroken);
            self.remember(block);
        }
        Some(input.min((seen * BLOCK_TOKENS).try_into().unwrap_or(Tokens::MAX)))
    }

    fn remember(&mut self, block: u64) {
        if self.young.len() >= MOST_KNOWN {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_at_the_first_new_block() {
        let mut blocks = Blocks::default();
        assert_eq!(blocks.known(b"[1, 2, 3]", 1_400), Some(0));
        assert_eq!(blocks.known(b"[1,2,9,3]", 2_000), Some(1_024));
        assert_eq!(blocks.known(b"[1, 2, 3]", 1_400), Some(1_400), "no more than there is");
        assert_eq!(blocks.known(b"[]", 10), Some(0));
        assert_eq!(blocks.known(b"{\"a\": [1]}", 10), None);
    }
}

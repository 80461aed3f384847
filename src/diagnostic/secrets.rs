//! What may be a secret, so that no message and no quoted line shows it.

/// Whether a text looks like a credential: a known prefix, or a long run without separators that mixes digits and
/// letters.
pub fn looks_secret(text: &str) -> bool {
    const PREFIXES: [&str; 9] = ["sk-", "sk_", "pk-", "AIza", "AKIA", "ghp_", "xox", "hf_", "Bearer "];
    if PREFIXES.iter().any(|prefix| text.starts_with(prefix)) && text.len() >= 8 {
        return true;
    }
    let longest = text.split(|c: char| !c.is_ascii_alphanumeric()).max_by_key(|run| run.len()).unwrap_or_default();
    let has = |test: fn(&char) -> bool| longest.chars().any(|c| test(&c));
    longest.len() >= 24 && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_told_from_names() {
        for secret in ["sk-abcdefgh", "AKIAIOSFODNN7EXAMPLE", "9f8e7d6c5b4a39281706abcdef012345", "Bearer abc.def"] {
            assert!(looks_secret(secret), "{secret}");
        }
        for name in ["gpt-4o", "anthropic/claude-3-5-sonnet-20241022", "sk-", "my-group", "us.anthropic.claude-v2:1"] {
            assert!(!looks_secret(name), "{name}");
        }
    }
}

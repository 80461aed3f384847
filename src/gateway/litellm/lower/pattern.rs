//! Wildcard names (`router_utils/pattern_match_deployments.py`).

/// Whether `name` begins with what `pattern` describes; `*` stands for anything. LiteLLM matches at the start of the
/// name only, so what follows the pattern does not matter unless the pattern ends with a star anyway.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut rest = rest;
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// The model that a name fills into a wildcard model: each star takes what the star of the pattern stands for. `None`
/// unless both have stars. Only the last star of a pattern is greedy enough to matter.
pub fn fill(pattern: &str, model: &str, name: &str) -> Option<String> {
    if !pattern.contains('*') || !model.contains('*') {
        return None;
    }
    let prefix = pattern.split('*').next().unwrap_or_default();
    let segment = name.strip_prefix(prefix).unwrap_or(name);
    Some(model.replacen('*', segment, 1))
}

/// How specific a pattern is: long ones go first, then those with more special characters.
pub(super) fn specificity(pattern: &str) -> (usize, usize) {
    let regex = regex_of(pattern);
    let special = |c: char| matches!(c, '*' | '+' | '?' | '\\' | '^' | '$' | '|' | '(' | ')');
    (regex.chars().count(), regex.chars().filter(|c| special(*c)).count())
}

/// The regular expression that LiteLLM builds: everything special is escaped, stars become groups.
fn regex_of(pattern: &str) -> String {
    let mut regex = String::with_capacity(2 * pattern.len());
    for c in pattern.chars() {
        match c {
            '*' => regex.push_str("(.*)"),
            '.' | '^' | '$' | '+' | '?' | '{' | '}' | '[' | ']' | '\\' | '|' | '(' | ')' | '-' | '&' | '~' | '#' => {
                regex.extend(['\\', c]);
            }
            c if c.is_whitespace() => regex.extend(['\\', c]),
            _ => regex.push(c),
        }
    }
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(matches("openai/*", "openai/gpt-4o") && matches("*", "x") && matches("a*c", "abbcd"));
        assert!(!matches("openai/*", "anthropic/x") && !matches("a*c", "abb"));
    }

    #[test]
    fn longer_patterns_are_more_specific() {
        assert!(specificity("openai/gpt-*") > specificity("openai/*"));
        assert!(specificity("openai/*") > specificity("*"));
    }
}

//! Wildcard names (`router_utils/pattern_match_deployments.py`).

use crate::gateway::litellm::wire::provider_of;

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

/// The model that a name fills into a wildcard model: each star takes what a star of the pattern stands for, and where
/// the model has less of them it is the name itself. `None` unless both have stars.
pub fn fill(pattern: &str, model: &str, name: &str) -> Option<String> {
    if !pattern.contains('*') || !model.contains('*') {
        return None;
    }
    let with_provider = || provider_of(name, None, None).map(|provider| format!("{provider}/{name}"));
    let matched = if matches(pattern, name) { name.to_owned() } else { with_provider()? };
    let segments = segments(pattern, &matched)?;
    if segments.len() > model.matches('*').count() {
        return Some(matched);
    }
    Some(segments.iter().fold(model.to_owned(), |model, segment| model.replacen('*', segment, 1)))
}

/// What the stars of a pattern stand for in a name: each takes as much as what follows it leaves.
fn segments<'a>(pattern: &str, name: &'a str) -> Option<Vec<&'a str>> {
    let (first, rest) = pattern.split_once('*')?;
    let name = name.strip_prefix(first)?;
    let parts: Vec<&str> = rest.split('*').collect();
    // From behind: a star ends where what follows it stands for the last time.
    let (mut ends, mut limit) = (Vec::new(), name.len());
    for part in parts.iter().rev() {
        limit = name[..limit].rfind(part)?;
        ends.push(limit);
    }
    let mut from = 0;
    let segment = |(part, end): (&&str, usize)| {
        let segment = &name[from..end];
        from = end + part.len();
        segment
    };
    Some(parts.iter().zip(ends.into_iter().rev()).map(segment).collect())
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
    fn each_star_takes_as_much_as_the_rest_leaves() {
        let filled = |pattern, model, name| fill(pattern, model, name).unwrap_or_default();
        assert_eq!(filled("vendor/*", "openai/*", "vendor/gpt-4o"), "openai/gpt-4o");
        assert_eq!(filled("a*-b*", "x/*/*", "a1-b2-b3"), "x/1-b2/3");
        assert_eq!(filled("*-x", "openai/*", "mini-x-x-y"), "openai/mini-x");
        assert_eq!(filled("a*b*", "openai/*", "a1b2"), "a1b2");
        assert_eq!(filled("a*", "openai/*-*", "a1"), "openai/1-*");
        assert_eq!(filled("openai/gpt-*", "openai/gpt-*", "gpt-4o"), "openai/gpt-4o");
        assert_eq!(fill("a*", "openai/gpt-4o", "a1"), None);
    }

    #[test]
    fn longer_patterns_are_more_specific() {
        assert!(specificity("openai/gpt-*") > specificity("openai/*"));
        assert!(specificity("openai/*") > specificity("*"));
    }
}

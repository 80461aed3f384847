//! What to try next: the command that shows what the dearest fallback edge costs, by playing the same weekends
//! without it.

use crate::document::{Node, Value};
use crate::experiment::command::without_budgets;
use crate::experiment::forecast::Forecast;
use crate::scenario::{World, value_at};
use crate::units::Money;

/// An edge with less at stake than this share of the bill is not worth a try.
const WORTH_TRYING: i128 = 200;

/// The command; none when no edge costs much, or it is not one that a config lists.
pub fn next(world: &World, forecast: &Forecast) -> Option<String> {
    let edge = forecast.edges.first()?;
    let premium = edge.premium.filter(|premium| *premium > Money::ZERO)?;
    if premium.picos().saturating_mul(WORTH_TRYING) < forecast.bill.mean.picos() {
        return None;
    }
    if !is_plain(&edge.from) || !is_plain(&edge.to) {
        return None;
    }
    let command = forecast.about.command.strip_prefix("billcast run ").filter(|rest| !rest.contains("--precision"))?;
    let tree = world.config.tree.as_ref()?;
    let change = ["router_settings", "litellm_settings"].into_iter().find_map(|section| {
        let place = format!("{section}.fallbacks[{}]", edge.from);
        let listed = value_at(tree, &place)?;
        without(&format!("gateway.{place}"), listed, &edge.to)
    })?;
    Some(format!("billcast compare {} {change}", without_budgets(command)))
}

/// Whether a path in brackets, and people who read it, take a name for just this name: digits are a number of an
/// element, and of a name with blanks, direction marks or quotes nobody sees where it ends.
fn is_plain(name: &str) -> bool {
    const MOST: usize = 80;
    let is_seen = |c: char| c.is_alphanumeric() || (c.is_ascii_punctuation() && !"[]'\"\\".contains(c));
    let is_name = name.chars().all(is_seen) && !matches!(name, "" | "*" | "+");
    is_name && !name.bytes().all(|byte| byte.is_ascii_digit()) && name.chars().count() <= MOST
}

/// The flag that takes one fallback out of a list, or the whole list if it is the only one; none where the list
/// holds more than plain names.
fn without(place: &str, listed: &Node, fallback: &str) -> Option<String> {
    let Value::Seq(items) = &listed.value else { return Some(format!("--unset {}", quoted(place))) };
    let names = items.iter().map(|item| item.as_str().filter(|name| is_plain(name))).collect::<Option<Vec<&str>>>()?;
    let others: Vec<String> = names.into_iter().filter(|name| *name != fallback).map(yaml_word).collect();
    Some(if others.is_empty() {
        format!("--unset {}", quoted(place))
    } else {
        format!("--set {}", quoted(&format!("{place}=[{}]", others.join(", "))))
    })
}

/// A plain name as a text of YAML, between quotes where it might be read as something else.
fn yaml_word(name: &str) -> String {
    const OTHERS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !OTHERS.contains(&&*name.to_ascii_lowercase());
    if is_word { name.to_owned() } else { format!("\"{name}\"") }
}

/// One word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, read};

    #[test]
    fn only_names_that_a_path_reads_as_they_are_can_be_tried_without() {
        for name in ["gpt-4o", "a/b.c:d@1", "modèle", "0x", "v*"] {
            assert!(is_plain(name), "{name}");
        }
        let long = "x".repeat(81);
        for name in ["", "0", "12", "*", "+", "a b", "a\tb", "a\u{1b}b", "a\u{202e}b", "a\u{200b}", "a]", "it's", &long]
        {
            assert!(!is_plain(name), "{name:?}");
        }
    }

    #[test]
    fn what_is_left_of_a_list_is_read_as_the_same_names() {
        let without = |list: &str| without("p", &read("", list, Format::Yaml).0.unwrap(), "b");
        assert_eq!(without("[b]").as_deref(), Some("--unset 'p'"));
        assert_eq!(without("[a, b, 'no', 'x:y']").as_deref(), Some(r#"--set 'p=[a, "no", "x:y"]'"#));
        assert_eq!(without("[b, {model: c}]"), None);
        assert_eq!(without("[b, 'c d']"), None);
    }
}

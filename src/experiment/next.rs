//! What to try next: the command that shows what the dearest fallback edge costs, by playing the same weekends
//! without it.

use crate::document::{Node, Value};
use crate::experiment::forecast::Forecast;
use crate::scenario::{World, value_at};
use crate::units::Money;

/// An edge with less at stake than this share of the bill is not worth a try.
const WORTH_TRYING: i128 = 200;

/// The command; none when no edge costs much, or it is not one that a config lists.
pub fn next(world: &World, forecast: &Forecast) -> Option<String> {
    let edge = forecast.edges.first().filter(|edge| edge.premium > Money::ZERO)?;
    if edge.premium.picos().saturating_mul(WORTH_TRYING) < forecast.bill.mean.picos() {
        return None;
    }
    let command = forecast.about.command.strip_prefix("billcast run ").filter(|rest| !rest.contains("--precision"))?;
    let tree = world.config.tree.as_ref()?;
    let change = ["router_settings", "litellm_settings"].into_iter().find_map(|section| {
        let place = format!("{section}.fallbacks[{}]", edge.from);
        let listed = value_at(tree, &place)?;
        Some(without(&format!("gateway.{place}"), listed, &edge.to))
    })?;
    Some(format!("billcast compare {} {change}", without_budgets(command)))
}

/// A comparison has no budgets: their flags and values are left out. None of them needs quotes.
fn without_budgets(command: &str) -> String {
    let mut words = command.split(' ');
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        if matches!(word, "--budget" | "--act-within") {
            words.next();
        } else {
            kept.push(word);
        }
    }
    kept.join(" ")
}

/// The flag that takes one fallback out of a list, or the whole list if it is the only one.
fn without(place: &str, listed: &Node, fallback: &str) -> String {
    let others: Vec<&str> = match &listed.value {
        Value::Seq(items) => items.iter().filter_map(Node::as_str).filter(|name| *name != fallback).collect(),
        _ => Vec::new(),
    };
    if others.is_empty() {
        format!("--unset {}", quoted(place))
    } else {
        format!("--set {}", quoted(&format!("{place}=[{}]", others.join(", "))))
    }
}

/// One word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::without_budgets;

    #[test]
    fn a_comparison_is_not_given_budgets() {
        assert_eq!(without_budgets("upward --budget 5.00/run --seed 1 --act-within 10"), "upward --seed 1");
    }
}

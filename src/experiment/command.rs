//! The command that a forecast tells, taken apart again: words of a POSIX shell as `run` and `report` write them.

use crate::experiment::alerts::{BudgetLimit, Period};

/// A comparison has no budgets: their flags and values are left out.
pub(super) fn without_budgets(command: &str) -> String {
    let mut words = words(command).into_iter();
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

/// The same command with other budgets: each takes the place of those of its period.
pub fn with_budgets(command: &str, budgets: &[BudgetLimit]) -> String {
    let is_replaced = |value: &str| value.parse().is_ok_and(|old: BudgetLimit| has_period(budgets, old.period));
    let words = words(command);
    let mut kept = Vec::new();
    let mut place = None;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let is_budget = *word == "--budget";
        if is_budget && words.get(at + 1).is_some_and(|value| is_replaced(value)) {
            place.get_or_insert(kept.len());
            at += 2;
            continue;
        }
        // Where there are none to replace, they stand before the seed, which every command has.
        if *word == "--seed" {
            place.get_or_insert(kept.len());
        }
        kept.push((*word).to_owned());
        at += 1;
    }
    let place = place.unwrap_or(kept.len());
    kept.splice(place..place, budgets.iter().map(|budget| format!("--budget {budget}")));
    kept.join(" ")
}

fn has_period(budgets: &[BudgetLimit], period: Period) -> bool {
    budgets.iter().any(|budget| budget.period == period)
}

/// Words with blanks between them; those between quotes part no words.
fn words(command: &str) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts_words = move |c: char| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match c {
            '\'' if !was_escaped => is_quoted = !is_quoted,
            '\\' if !was_escaped && !is_quoted => is_escaped = true,
            _ => {}
        }
        c == ' ' && !is_quoted && !was_escaped
    };
    command.split(parts_words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budgets(texts: &[&str]) -> Vec<BudgetLimit> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_comparison_is_not_given_budgets() {
        assert_eq!(without_budgets("upward --budget 5.00/run --seed 1 --act-within 10"), "upward --seed 1");
        let quoted = r"'it'\''s --budget 5' --seed 1";
        assert_eq!(without_budgets(quoted), quoted);
    }

    #[test]
    fn a_new_budget_takes_the_place_of_the_old_one_of_its_period() {
        let with = |command, texts: &[&str]| with_budgets(command, &budgets(texts));
        let command = "billcast run a --budget 0.30/run --budget 20.00/day --budget 1/run --seed 1 --runs 20";
        assert_eq!(
            with(command, &["50/run"]),
            "billcast run a --budget 50.00/run --budget 20.00/day --seed 1 --runs 20"
        );
        assert_eq!(
            with("billcast run 'a b' --seed 1", &["50/run", "7/month"]),
            "billcast run 'a b' --budget 50.00/run --budget 7.00/month --seed 1"
        );
        assert_eq!(with(command, &[]), command);
    }
}

//! Elements of lists by number and by name.

use std::collections::BTreeMap;

use crate::document::{Node, Value};
use crate::scenario::edit::Wrong;
use crate::scenario::edit::apply::missing;
use crate::scenario::edit::path::{Kind, Step};

/// An element that a step leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The element.
    Whole(usize),
    /// The value of its only entry: `fallbacks` is a list of maps with one key each, which is its name.
    OnlyEntry(usize),
}

impl Found {
    /// The element's number.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Whole(index) | Self::OnlyEntry(index) => index,
        }
    }
}

/// The elements that a step leads to: by number, all, or by name. A group's name leads to all its deployments.
pub(super) fn find(items: &[Node], step: &Step) -> Result<Vec<Found>, Wrong> {
    let is_name = matches!(step.kind, Kind::Quoted | Kind::QuotedBracket);
    if !is_name && step.text == "*" {
        return Ok((0..items.len()).map(Found::Whole).collect());
    }
    if !is_name && let Ok(index) = step.text.parse::<usize>() {
        return match items.get(index) {
            Some(_) => Ok(vec![Found::Whole(index)]),
            None => {
                let message = format!("there is no element {index}: the list has {}", items.len());
                let help = "numbers start from 0; `[+]` adds an element".to_owned();
                Err(Wrong { at: step.at.clone(), message, help })
            }
        };
    }
    let names = names(items);
    for rank in Rank::ALL {
        let of_rank = names.iter().filter(|name| name.rank == rank && name.text == step.text);
        let found: Vec<Found> = of_rank.map(|name| name.found).collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Err(missing(step, names.iter().map(|name| name.text.as_str())))
}

/// What a name is taken from; the first that fits counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    Id,
    Numbered,
    Group,
    Other,
    OnlyKey,
}

impl Rank {
    const ALL: [Self; 5] = [Self::Id, Self::Numbered, Self::Group, Self::Other, Self::OnlyKey];
}

struct Name {
    text: String,
    rank: Rank,
    found: Found,
}

/// Everything that elements are called.
fn names(items: &[Node]) -> Vec<Name> {
    let mut names = Vec::new();
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        let mut add = |text: String, rank, found| names.push(Name { text, rank, found });
        let text = |key: &str| item.get(key).and_then(Node::as_str);
        let id = item.get("model_info").and_then(|info| info.get("id")).and_then(Node::as_str);
        if let Some(id) = id {
            add(id.to_owned(), Rank::Id, Found::Whole(index));
        }
        if let Some(group) = text("model_name") {
            let number = groups.entry(group).or_default();
            *number += 1;
            let numbered = format!("{group}/{number}");
            add(group.to_owned(), Rank::Group, Found::Whole(index));
            add(numbered, Rank::Numbered, Found::Whole(index));
        }
        for other in [text("name"), text("id"), item.as_str()].into_iter().flatten() {
            add(other.to_owned(), Rank::Other, Found::Whole(index));
        }
        if let Value::Map(entries) = &item.value
            && let [only] = entries.as_slice()
        {
            add(only.key.to_string(), Rank::OnlyKey, Found::OnlyEntry(index));
        }
    }
    names
}

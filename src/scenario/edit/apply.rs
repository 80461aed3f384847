//! Making a change in a tree.

use crate::document::{Entry, Node, Value};
use crate::gateway::litellm::wire::nearest;
use crate::scenario::edit::element::{self, Found};
use crate::scenario::edit::path::{Kind, Step};
use crate::scenario::edit::{Wrong, mark};

/// What is done at the end of the path.
pub(super) struct Change<'a> {
    /// The new value; none to remove what is there.
    pub(super) value: Option<&'a Node>,
    /// The number of the edit.
    pub(super) edit: usize,
}

impl Change<'_> {
    /// Follows the steps and makes the change; what is missing on the way is created.
    pub(super) fn apply(&self, node: &mut Node, steps: &[Step]) -> Result<(), Wrong> {
        let Some(step) = steps.first() else {
            self.replace(node);
            return Ok(());
        };
        if node.is_null() && self.value.is_some() {
            let is_list = step.kind == Kind::Bracket && step.text == "+";
            node.value = if is_list { Value::Seq(Vec::new()) } else { Value::Map(Vec::new()) };
            node.span = mark(self.edit, step.at.start, step.at.end);
        }
        let kind = node.kind();
        match &mut node.value {
            Value::Map(entries) => self.in_map(entries, steps),
            Value::Seq(items) => self.in_list(items, step, &steps[1..]),
            _ => {
                let message = format!("`{}` leads into {kind}: nothing is below it", step.text);
                Err(Wrong { at: step.at.clone(), message, help: String::new() })
            }
        }
    }

    /// Puts the new value in the place of the old one.
    fn replace(&self, node: &mut Node) {
        if let Some(value) = self.value {
            *node = value.clone();
            self.mark_all(node);
        }
    }

    fn mark_all(&self, node: &mut Node) {
        node.span = mark(self.edit, node.span.start, node.span.end);
        match &mut node.value {
            Value::Seq(items) => items.iter_mut().for_each(|item| self.mark_all(item)),
            Value::Map(entries) => entries.iter_mut().for_each(|entry| {
                entry.key_span = mark(self.edit, entry.key_span.start, entry.key_span.end);
                self.mark_all(&mut entry.value);
            }),
            _ => {}
        }
    }

    fn in_map(&self, entries: &mut Vec<Entry>, steps: &[Step]) -> Result<(), Wrong> {
        let (found, taken) = find(entries, steps);
        let (step, rest) = (&steps[0], &steps[taken..]);
        let span = mark(self.edit, step.at.start, steps[taken - 1].at.end);
        let index = match (found, self.value) {
            (Some(index), None) if rest.is_empty() => {
                entries.remove(index);
                return Ok(());
            }
            (Some(index), _) => index,
            (None, Some(_)) => {
                let value = Node { span, value: Value::Null };
                entries.push(Entry { key: step.text.as_str().into(), key_span: span, value });
                entries.len() - 1
            }
            (None, None) => return Err(missing(step, entries.iter().map(|entry| &*entry.key))),
        };
        if rest.is_empty() {
            entries[index].key_span = span;
        }
        self.apply(&mut entries[index].value, rest)
    }

    fn in_list(&self, items: &mut Vec<Node>, step: &Step, rest: &[Step]) -> Result<(), Wrong> {
        if step.kind == Kind::Bracket && step.text == "+" {
            items.push(Node { span: mark(self.edit, step.at.start, step.at.end), value: Value::Null });
            let last = items.len() - 1;
            return self.apply(&mut items[last], rest);
        }
        let found = element::find(items, step)?;
        if self.value.is_none() && rest.is_empty() {
            // They are in the order of the list.
            let (mut index, mut found) = (0, found.into_iter().map(Found::index).peekable());
            items.retain(|_| {
                index += 1;
                found.next_if_eq(&(index - 1)).is_none()
            });
            return Ok(());
        }
        for found in found {
            match found {
                Found::Whole(index) => self.apply(&mut items[index], rest)?,
                Found::OnlyEntry(index) => {
                    if let Value::Map(entries) = &mut items[index].value
                        && let Some(entry) = entries.first_mut()
                    {
                        self.apply(&mut entry.value, rest)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The entry that the first steps lead to, and how many steps that takes: a key may have points in it.
pub(super) fn find(entries: &[Entry], steps: &[Step]) -> (Option<usize>, usize) {
    let plain = steps.iter().take_while(|step| step.kind == Kind::Plain).count();
    for taken in (1..=plain.max(1)).rev() {
        let key = steps[..taken].iter().map(|step| step.text.as_str()).collect::<Vec<_>>().join(".");
        if let Some(index) = entries.iter().position(|entry| *entry.key == *key) {
            return (Some(index), taken);
        }
    }
    (None, 1)
}

/// There is nothing of this name.
pub(super) fn missing<'a>(step: &Step, known: impl Iterator<Item = &'a str> + Clone) -> Wrong {
    const MOST: usize = 12;
    let help = match nearest(&step.text, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let mut names: Vec<&str> = known.collect();
            names.dedup();
            let more = if names.len() > MOST { ", …" } else { "" };
            names.truncate(MOST);
            if names.is_empty() { "it is empty".to_owned() } else { format!("there is: {}{more}", names.join(", ")) }
        }
    };
    Wrong { at: step.at.clone(), message: format!("there is no `{}` here", step.text), help }
}

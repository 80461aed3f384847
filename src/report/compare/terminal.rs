//! The comparison for a terminal.

use crate::experiment::Direction;
use crate::report::compare::{ChangeView, CompareView};
use crate::report::gates::line;
use crate::report::terminal::{Page, Style, TerminalOptions, fact};

/// Rows of a table unless everything is asked for.
const MOST: usize = 8;

/// The comparison, with a line end after each line.
pub fn terminal(view: &CompareView<'_>, options: TerminalOptions) -> String {
    let mut page = Page::new(options);
    let description = match view.changes.as_slice() {
        [only] => format!("{} against {}", only.label, view.base),
        many => format!("{} configurations against {}", many.len(), view.base),
    };
    page.wrapped("", "  ", Some(Style::Bold), &description);
    let facts: Vec<String> = view.facts.iter().map(|(label, value)| fact(label, value)).collect();
    page.wrapped("", "", Some(Style::Dim), &facts.join(" · "));
    for caveat in &view.caveats {
        page.wrapped("! ", "  ", Some(Style::Alert), caveat);
    }
    for change in &view.changes {
        tell(&mut page, change, view.changes.len() > 1, options.verbose);
    }
    if !view.verdicts.is_empty() {
        page.title("Policies");
        for verdict in view.verdicts {
            page.wrapped(" ", "    ", None, &line(verdict));
        }
    }
    page.line("");
    page.wrapped("Again: ", "  ", None, &view.command);
    page.text
}

fn tell(page: &mut Page, change: &ChangeView<'_>, has_name: bool, verbose: bool) {
    if has_name {
        page.title(&change.label);
    } else {
        page.line("");
    }
    let style = if change.direction == Direction::More { Style::Alert } else { Style::Bold };
    page.wrapped("", "  ", Some(style), &change.verdict);
    for sentence in &change.story {
        page.wrapped("", "  ", None, sentence);
    }
    page.line("");
    page.view_table(&change.metrics, usize::MAX);
    for table in change.details() {
        page.title(table.title);
        page.view_table(table, if verbose { usize::MAX } else { MOST });
    }
}

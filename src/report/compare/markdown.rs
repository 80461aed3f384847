//! A comment for a pull request: a verdict, one table, everything else folded. It fits into a comment of a code host.

use crate::report::compare::CompareView;
use crate::report::compare::words::{relative, signed, signed_money};
use crate::report::gates::{line, shown};
use crate::report::text::{ellipsis, is_unprintable, money, percent};
use crate::report::view::Table;

/// A bot finds its own comment by this, and updates it.
const MARKER: &str = "<!-- billcast:compare -->";
/// Code hosts take 65,536 characters.
const LONGEST: usize = 65_000;
/// Rows of a folded table.
const MOST_ROWS: usize = 40;

/// The comment.
pub fn markdown(view: &CompareView<'_>) -> String {
    let mut head = format!("{MARKER}\n### billcast: what this change costs\n\n");
    for change in &view.changes {
        head.push_str(&format!("**{}** {}\n\n", text(&change.label), text(&change.verdict)));
    }
    for caveat in &view.caveats {
        head.push_str(&format!("> {}\n\n", text(caveat)));
    }
    head.push_str(&main_table(view));
    if !view.verdicts.is_empty() {
        head.push('\n');
        view.verdicts.iter().for_each(|verdict| head.push_str(&format!("- {}\n", text(&line(verdict)))));
    }
    let foot = again(view);
    let mut folded = String::new();
    for section in sections(view) {
        if head.chars().count() + folded.chars().count() + section.chars().count() + foot.chars().count() > LONGEST {
            folded.push_str("\n*Further tables do not fit into a comment; `report.html` has them.*\n");
            break;
        }
        folded.push_str(&section);
    }
    cut(head + &folded + &foot)
}

/// At most as much as a comment may have; names alone could fill more.
fn cut(comment: String) -> String {
    match comment.char_indices().nth(LONGEST - 2) {
        Some((end, _)) => comment[..end].to_owned() + "…\n",
        None => comment,
    }
}

/// The one table that is not folded: a line for each number, a pair of columns for each change.
fn main_table(view: &CompareView<'_>) -> String {
    let mut headings = vec![String::new(), text(&view.base)];
    for change in &view.changes {
        headings.extend([text(&change.label), "difference".to_owned()]);
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    let base = &view.comparison.base.forecast;
    let dollars = ["mean bill", "P50 bill", "P95 bill"];
    for (index, name) in dollars.into_iter().enumerate() {
        let at = |stats: &crate::experiment::MoneyStats| [stats.mean, stats.p50, stats.p95][index];
        let mut row = vec![name.to_owned(), money(at(&base.bill))];
        for change in &view.changes {
            let found = [&change.change.bill_mean, &change.change.bill_p50, &change.change.bill_p95][index];
            row.extend([
                money(found.other),
                format!("**{}** ({})", signed_money(found.delta), relative(found.relative)),
            ]);
        }
        rows.push(row);
    }
    let numbers = view.changes.first().map(|change| change.change.numbers.len()).unwrap_or_default();
    for index in 0..numbers {
        let of = |change: &super::ChangeView<'_>| change.change.numbers[index];
        let found: Vec<_> = view.changes.iter().map(of).collect();
        if found.iter().all(|(_, found)| found.base == 0.0 && found.other == 0.0) {
            continue;
        }
        let (metric, first) = found[0];
        let mut row = vec![metric.name().replace('_', " "), shown(first.base, metric.measure())];
        for (metric, found) in found {
            row.extend([shown(found.other, metric.measure()), signed(found.delta, metric.measure())]);
        }
        rows.push(row);
    }
    let mut row = vec!["P(a run is cheaper)".to_owned(), String::new()];
    for change in &view.changes {
        row.extend([percent(change.change.cheaper.point), String::new()]);
    }
    rows.push(row);
    grid(&headings, &rows)
}

/// A table in the dialect of code hosts; the first column is text, the others are numbers.
fn grid(headings: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule: Vec<String> =
        (0..headings.len()).map(|index| if index == 0 { "---" } else { "---:" }.to_owned()).collect();
    let mut grid = line(headings) + &line(&rule);
    rows.iter().for_each(|row| grid.push_str(&line(row)));
    grid
}

/// What is folded: for each change its numbers with intervals, and its parts.
fn sections(view: &CompareView<'_>) -> Vec<String> {
    let mut sections = Vec::new();
    for change in &view.changes {
        let story: String = change.story.iter().map(|sentence| format!("{}\n\n", text(sentence))).collect();
        sections
            .push(folded(&format!("{}: all numbers with intervals", change.label), &(story + &table(&change.metrics))));
        for part in change.details() {
            sections.push(folded(&format!("{}: {}", change.label, part.title.to_lowercase()), &table(part)));
        }
    }
    sections
}

fn folded(title: &str, content: &str) -> String {
    format!("\n<details><summary>{}</summary>\n\n{content}\n</details>\n", text(title))
}

fn table(table: &Table) -> String {
    let headings: Vec<String> = table.columns.iter().map(|column| text(&column.title)).collect();
    let cells = |row: &Vec<String>| row.iter().map(|cell| text(&ellipsis(cell, 80))).collect();
    let rows: Vec<Vec<String>> = table.rows.iter().take(MOST_ROWS).map(cells).collect();
    let more = table.rows.len().saturating_sub(MOST_ROWS);
    let more = if more > 0 { format!("\n… and {more} more\n") } else { String::new() };
    grid(&headings, &rows) + &more
}

/// What was simulated, and how to do it again.
fn again(view: &CompareView<'_>) -> String {
    let facts: Vec<String> = view.facts.iter().map(|(label, value)| format!("{label}: {}", text(value))).collect();
    let command = text(&ellipsis(&view.command, 2_000));
    folded("How this was found", &format!("{}\n\n<pre>{command}</pre>\n", facts.join(" · ")))
}

/// A text of which nothing is markup: no table, link, mention, tag or emphasis comes out of a name.
fn text(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '|' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '\\' | '@' | '#' | '~' | '$' | '!' => {
                escaped.push_str(&format!("&#{};", c as u32));
            }
            c if is_unprintable(c) => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}

//! The report as Markdown: for a wiki, a ticket, a pull request.

use crate::report::view::{Table, View};

/// The report; every name is escaped.
pub fn markdown(view: &View<'_>) -> String {
    let mut text = format!("# {}\n\n", escape(&view.title));
    let description = crate::report::text::clean(&view.forecast.about.description);
    if !description.is_empty() {
        push(&mut text, &format!("{}\n", escape(&description)));
    }
    for caveat in &view.caveats {
        push(&mut text, &format!("> **{}**\n", prose(caveat)));
    }
    headline(&mut text, view);
    for answer in &view.story {
        push(&mut text, &format!("- **{}:** {}", answer.question, escape(&answer.text)));
    }
    push(&mut text, &format!("- **Budget:** {}", prose(&view.budget_story.join(" "))));
    push(&mut text, &format!("- **Month:** {}", prose(&view.month_story.join(" "))));
    text.push('\n');
    findings(&mut text, view);
    let tables = &view.tables;
    let all = [
        &tables.bill,
        &tables.causes,
        &tables.edges,
        &tables.models,
        &tables.meters,
        &tables.teams,
        &tables.keys,
        &tables.classes,
        &tables.why_not,
        &tables.why_not_by_key,
        &tables.providers,
        &tables.reliability,
        &tables.caches,
        &tables.unpriced,
        &tables.register,
        &tables.diagnostics,
    ];
    view.month().iter().for_each(|month| table(&mut text, &month.table()));
    all.into_iter().for_each(|one| table(&mut text, one));
    if let Some(alerts) = &view.forecast.alerts {
        crate::report::alerts::tables(alerts, &view.forecast.about).iter().for_each(|one| table(&mut text, one));
    }
    again(&mut text, view);
    text
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn headline(text: &mut String, view: &View<'_>) {
    let figures = || view.headline.iter().chain(&view.figures);
    push(text, "| | | |\n|---|---:|---|");
    for figure in figures() {
        push(text, &format!("| {} | **{}** | {} |", figure.label, escape(&figure.value), escape(&figure.note)));
    }
    for figure in view.unit_figures() {
        push(text, &format!("| Cost {} | {} | {} |", figure.label, escape(&figure.value), figure.note));
    }
    text.push('\n');
}

fn findings(text: &mut String, view: &View<'_>) {
    if view.findings.is_empty() {
        return;
    }
    push(text, "## Findings\n");
    for finding in &view.findings {
        let money = finding.money.as_ref().map(|money| format!(" ({})", escape(money))).unwrap_or_default();
        push(text, &format!("1. **{}**{money} {}", prose(&finding.title), prose(&finding.detail)));
    }
    text.push('\n');
}

/// A table with its heading; nothing when it has no rows.
fn table(text: &mut String, table: &Table) {
    if table.rows.is_empty() {
        return;
    }
    push(text, &format!("## {}\n\n{}\n", table.title, prose(&table.note)));
    let titles: Vec<&str> = table.columns.iter().map(|column| &*column.title).collect();
    push(text, &format!("| {} |", titles.join(" | ")));
    let lines: String = table.columns.iter().map(|column| if column.numeric { "---:|" } else { "---|" }).collect();
    push(text, &format!("|{lines}"));
    for row in table.rows.iter().chain(&table.total) {
        // Only these are sentences of the program's own.
        let written = if table.id == "diagnostics" { prose } else { escape };
        let cells: Vec<String> = row.iter().map(|cell| written(cell)).collect();
        push(text, &format!("| {} |", cells.join(" | ")));
    }
    text.push('\n');
}

/// How to get the same result again.
fn again(text: &mut String, view: &View<'_>) {
    let fence = "`".repeat(longest_run(&view.command, '`').max(2) + 1);
    push(text, &format!("## The same result again\n\n{fence}sh\n{}\n{fence}\n", view.command));
    let facts: Vec<String> = view.facts.iter().map(|(label, value)| format!("{label} {}", escape(value))).collect();
    push(text, &facts.join(" · "));
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(str::len).max().unwrap_or(0)
}

/// A sentence: what stands between backticks is code. Where they do not come in pairs with something between and around
/// them, they mean only themselves.
fn prose(sentence: &str) -> String {
    let parts: Vec<&str> = sentence.split('`').collect();
    let is_paired = parts.len() % 2 == 1;
    let inner = parts.iter().enumerate().skip(1).take(parts.len().saturating_sub(2));
    // A bar ends a cell of a table even within code.
    let is_plain = |(nth, part): (usize, &&str)| !part.trim().is_empty() && (nth % 2 == 0 || !part.contains('|'));
    if !is_paired || !inner.clone().all(is_plain) {
        return escape(sentence);
    }
    let part = |(nth, part): (usize, &&str)| if nth % 2 == 0 { escape(part) } else { format!("`{part}`") };
    parts.iter().enumerate().map(part).collect()
}

/// A text that means only itself in Markdown and in the HTML that it becomes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // A colon before slashes and an at sign would make addresses into links.
            '@' => escaped.push_str("&#64;"),
            ':' if rest.as_str().starts_with("//") => escaped.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        assert_eq!(escape("a|b <script> [x](y)"), "a\\|b &lt;script&gt; \\[x\\](y)");
        assert_eq!(escape("https://x.example @all"), "https&#58;//x.example &#64;all");
        assert_eq!(longest_run("a```b`", '`'), 3);
    }

    #[test]
    fn backticks_of_sentences_make_code() {
        assert_eq!(prose("set `a_b: <c>` here_"), "set `a_b: <c>` here\\_");
        assert_eq!(prose("`x`"), "`x`");
        for literal in ["a ` b", "``", "`a``b`", "`a|b`", "` `", "a`"] {
            assert_eq!(prose(literal), escape(literal), "{literal}");
        }
    }
}

//! The summary for a terminal: what matters, on one screen.

mod layout;

use crate::report::text::{NOTHING, clean, money, money_of, percent};
use crate::report::view::{Table, View};
use crate::units::{Money, Stage};

pub use layout::{Room, laid_out, wrap};

/// How the terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalOptions {
    /// Characters a line; at least 40 are used.
    pub width: usize,
    /// Whether escape codes for bold and colour may be used (the caller minds `NO_COLOR`).
    pub color: bool,
    /// Everything instead of the most important.
    pub verbose: bool,
    /// Names in tables are not cut, and tables not folded, even where that makes longer lines.
    pub whole: bool,
}

impl TerminalOptions {
    /// The room for tables.
    pub(super) const fn room(&self) -> Room {
        Room { width: self.width, whole: self.whole }
    }
}

impl Default for TerminalOptions {
    fn default() -> Self {
        Self { width: 80, color: false, verbose: false, whole: false }
    }
}

/// The summary, with a line end after each line.
pub fn terminal(view: &View<'_>, options: TerminalOptions) -> String {
    let mut page = Page::new(options);
    heading(&mut page, view);
    bill(&mut page, view);
    figures(&mut page, view);
    causes(&mut page, view);
    edges(&mut page, view);
    refusals(&mut page, view);
    policies(&mut page, view);
    alerts(&mut page, view);
    findings(&mut page, view);
    if options.verbose {
        everything(&mut page, view);
    }
    foot(&mut page, view);
    page.text
}

/// Escape codes that the summary uses.
#[derive(Clone, Copy)]
pub(super) enum Style {
    Bold,
    Dim,
    Alert,
}

/// The text so far.
pub(super) struct Page {
    pub(super) text: String,
    options: TerminalOptions,
}

impl Page {
    /// An empty page.
    pub(super) fn new(options: TerminalOptions) -> Self {
        Self { text: String::new(), options: TerminalOptions { width: options.width.max(40), ..options } }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Alert => "1;33",
        };
        if self.options.color && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A line as it is.
    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// A heading, with an empty line before it.
    pub(super) fn title(&mut self, text: &str) {
        self.text.push('\n');
        let painted = self.paint(Style::Bold, text);
        self.line(&painted);
    }

    /// A text broken into lines, all but the first indented; `style` for all of it.
    pub(super) fn wrapped(&mut self, first: &str, rest: &str, style: Option<Style>, text: &str) {
        let width = self.options.width.saturating_sub(first.chars().count().max(rest.chars().count()));
        for (number, line) in wrap(text, width).into_iter().enumerate() {
            let line = format!("{}{line}", if number == 0 { first } else { rest });
            let line = style.map_or_else(|| line.clone(), |style| self.paint(style, &line));
            self.line(&line);
        }
    }

    /// A table without borders, a blank in from the left.
    pub(super) fn table(&mut self, headings: &[(String, bool)], rows: &[Vec<String>]) {
        for (head, lines) in laid_out(headings, rows.to_vec(), self.options.room()) {
            for (number, line) in lines.iter().enumerate() {
                let line = if number < head { self.paint(Style::Dim, line) } else { line.clone() };
                self.line(&line);
            }
        }
    }

    /// A table of the view, at most `limit` rows.
    pub(super) fn view_table(&mut self, table: &Table, limit: usize) {
        let headings: Vec<(String, bool)> =
            table.columns.iter().map(|column| (column.title.to_string(), column.numeric)).collect();
        let rows: Vec<Vec<String>> = table.rows.iter().take(limit).cloned().collect();
        self.table(&headings, &rows);
        if table.rows.len() > limit {
            let more = self.paint(Style::Dim, &format!(" … and {} more", table.rows.len() - limit));
            self.line(&more);
        }
    }
}

fn heading(page: &mut Page, view: &View<'_>) {
    let description = clean(&view.forecast.about.description);
    let title = if description.is_empty() { view.title.clone() } else { format!("{}: {description}", view.title) };
    page.wrapped("", "  ", Some(Style::Bold), &title);
    let facts: Vec<String> = view.facts.iter().map(|(label, value)| fact(label, value)).collect();
    page.wrapped("", "", Some(Style::Dim), &facts.join(" · "));
    for caveat in &view.caveats {
        page.wrapped("! ", "  ", Some(Style::Alert), caveat);
    }
}

/// A fact with as much of its label as it needs to be understood.
pub(super) fn fact(label: &str, value: &str) -> String {
    match label {
        "Horizon" | "Runs" | "Gateway" => value.to_owned(),
        _ => format!("{} {value}", label.to_lowercase()),
    }
}

fn bill(page: &mut Page, view: &View<'_>) {
    page.title(&format!("Bill of {}", crate::report::text::hours(view.forecast.about.horizon_hours)));
    let headings: Vec<(String, bool)> = view.percentiles.iter().map(|line| (line.label.to_owned(), true)).collect();
    page.table(&headings, &[view.percentiles.iter().map(|line| line.text.clone()).collect()]);
    let intervals: Vec<String> = view
        .percentiles
        .iter()
        .filter_map(|line| Some(format!("{} {}", line.label, line.interval.as_ref()?)))
        .collect();
    if !intervals.is_empty() {
        let worth = view.worth_runs.as_ref().map_or_else(String::new, |worth| format!("; {worth}"));
        page.wrapped(" 95% CI: ", "         ", Some(Style::Dim), &format!("{}{worth}", intervals.join("; ")));
    }
    let differ = view.forecast.runs.iter().any(|run| run.bill != view.forecast.bill.max);
    if differ && view.histogram.counts.len() > 1 {
        let spark = sparkline(&view.histogram.counts);
        let (low, high) = (view.histogram.low, view.histogram.high());
        let above = if view.histogram.above > 0 { format!(", {} beyond", view.histogram.above) } else { String::new() };
        page.line(&format!(" runs by bill: {} {spark} {}{above}", money_of(low), money_of(high)));
    }
}

/// Counts as bars of a line's height.
fn sparkline(counts: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |count: &u64| if *count == 0 { ' ' } else { BARS[((count * 7) / most) as usize] };
    counts.iter().map(bar).collect()
}

fn figures(page: &mut Page, view: &View<'_>) {
    page.line("");
    let mut lines: Vec<[String; 3]> = view
        .figures
        .iter()
        .map(|figure| [figure.label.to_owned(), figure.value.clone(), figure.note.clone()])
        .collect();
    lines.push(reported(view));
    let widest = |index: usize| lines.iter().map(|line| line[index].chars().count()).max().unwrap_or(0);
    let (label_width, value_width) = (widest(0), widest(1));
    for [label, value, note] in &lines {
        let start = format!(" {label:label_width$}  {value:>value_width$}  ");
        page.wrapped(&start, &" ".repeat(start.chars().count()), None, note);
    }
}

/// What the gateway's own books would say.
fn reported(view: &View<'_>) -> [String; 3] {
    let note = match view.unreported {
        Money::ZERO => "all of the bill".to_owned(),
        missing if missing > Money::ZERO => format!("{} of the bill is not in its books", money(missing)),
        excess => format!("{} more than the bill", money(-excess)),
    };
    ["Gateway reports".to_owned(), money(view.forecast.reported_spend), note]
}

fn causes(page: &mut Page, view: &View<'_>) {
    let rows: Vec<Vec<String>> = view
        .causes
        .iter()
        .filter(|line| line.amount != Money::ZERO)
        .map(|line| vec![line.label.to_owned(), line.text.clone(), percent(line.share), bar(line.share)])
        .collect();
    if rows.is_empty() {
        return;
    }
    page.title("Cost by cause (means)");
    let headings = [("Cause", false), ("Mean", true), ("Share", true), ("", false)];
    page.table(&headings.map(|(text, numeric)| (text.to_owned(), numeric)), &rows);
}

/// A bar of at most 30 characters.
fn bar(share: f64) -> String {
    "█".repeat((share.clamp(0.0, 1.0) * 30.0).round() as usize)
}

fn edges(page: &mut Page, view: &View<'_>) {
    let table = &view.tables.edges;
    if table.rows.is_empty() {
        return;
    }
    page.title("Dearest fallback edges (means)");
    page.view_table(table, if page.options.verbose { usize::MAX } else { 3 });
}

/// Why requests got no good answer, where the gateway itself refused any: that calls fail at
/// providers is told elsewhere.
fn refusals(page: &mut Page, view: &View<'_>) {
    let is_refused = |stage| matches!(stage, Stage::Admission | Stage::Router);
    if view.forecast.why_not.iter().any(|row| is_refused(row.why.stage())) {
        let mut table = view.tables.why_not.clone();
        table.rows.extend(table.total.take());
        page.title("Requests without a good answer (means; shares of all requests of all runs)");
        page.view_table(&table, usize::MAX);
    }
}

fn alerts(page: &mut Page, view: &View<'_>) {
    let Some(alerts) = &view.forecast.alerts else { return };
    for table in
        crate::report::alerts::tables(alerts, &view.forecast.about).iter().filter(|table| !table.rows.is_empty())
    {
        page.title(table.title);
        page.view_table(table, usize::MAX);
        page.wrapped(" ", " ", Some(Style::Dim), &table.note);
    }
}

fn policies(page: &mut Page, view: &View<'_>) {
    if view.forecast.policies.is_empty() {
        return;
    }
    page.title("Policies");
    for verdict in &view.forecast.policies {
        page.wrapped(" ", "    ", None, &crate::report::gates::line(verdict));
    }
}

fn findings(page: &mut Page, view: &View<'_>) {
    if view.findings.is_empty() {
        return;
    }
    page.title("Findings");
    let limit = if page.options.verbose { usize::MAX } else { 3 };
    for (number, finding) in view.findings.iter().take(limit).enumerate() {
        let money = finding.money.as_ref().map(|money| format!(" ({money})")).unwrap_or_default();
        let first = format!(" {}. ", number + 1);
        page.wrapped(&first, "    ", None, &format!("{}{money}", finding.title));
        if page.options.verbose {
            page.wrapped("    ", "    ", Some(Style::Dim), &format!("{} [{}]", finding.detail, finding.code));
        }
    }
    if view.findings.len() > limit {
        page.line(&format!("    … and {} more (--verbose)", view.findings.len() - limit));
    }
}

/// The tables that one screen has no room for.
fn everything(page: &mut Page, view: &View<'_>) {
    let tables = &view.tables;
    let all = [
        &tables.deployments,
        &tables.reliability,
        &tables.demand,
        &tables.classes,
        &tables.keys,
        &tables.why_not_by_key,
        &tables.unpriced,
    ];
    for table in all.into_iter().filter(|table| !table.rows.is_empty()) {
        page.title(table.title);
        page.view_table(table, usize::MAX);
    }
    page.title("Assumptions");
    for row in &tables.assumptions.rows {
        let [name, value, by, source, as_of] = row.as_slice() else { continue };
        let from = [source, as_of].into_iter().filter(|text| !text.is_empty() && *text != NOTHING);
        let from: String = from.map(|text| format!("; {text}")).collect();
        page.wrapped(" ", "    ", None, &format!("{name} = {value} (by {by}{from})"));
    }
}

fn foot(page: &mut Page, view: &View<'_>) {
    page.line("");
    let verbose = page.options.verbose;
    let more = if verbose { "" } else { " (--verbose lists all)" };
    page.wrapped("Assumed: ", "  ", None, &format!("{}{more}", view.assumptions_summary));
    page.wrapped("Diagnostics: ", "  ", None, &view.diagnostics_summary);
    let limit = if verbose { usize::MAX } else { 2 };
    for row in view.tables.diagnostics.rows.iter().take(limit) {
        let [severity, place, message, help, code] = row.as_slice() else { continue };
        let help = if verbose && help != NOTHING { format!("; {help}") } else { String::new() };
        page.wrapped("  ", "    ", Some(Style::Dim), &format!("{severity} {place}: {message}{help} [{code}]"));
    }
    let more = view.tables.diagnostics.rows.len().saturating_sub(limit);
    if more > 0 {
        page.line(&format!("  … and {more} more (--verbose)"));
    }
    page.wrapped("Again: ", "  ", None, &view.command);
    if let Some(next) = &view.forecast.next {
        page.wrapped("What if: ", "  ", None, &clean(next));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::text::short_amounts;

    #[test]
    fn no_number_is_cut() {
        let amounts = ["$50,378,058,012.34", "−$8,588,723,012.34", "$1,234,567,890,123.45 to $2,234,567,890,123.45"];
        for width in [8, 20, 33] {
            let text = format!("it is ({}), or {}", amounts[0], amounts[1]);
            assert!(wrap(&text, width).iter().any(|line| line.contains(amounts[0])), "{width}");
        }
        let headings = ["a name with much to say", "Mean", "P50", "Interval"];
        let headings: Vec<_> = headings.iter().map(|title| ((*title).to_owned(), *title != headings[0])).collect();
        let row: Vec<String> = ["n".repeat(60).as_str(), amounts[0], amounts[1], amounts[2]].map(str::to_owned).into();
        for width in [40, 60, 80, 99, 100, 150] {
            let mut page = Page::new(TerminalOptions { width, ..TerminalOptions::default() });
            page.table(&headings, std::slice::from_ref(&row));
            let all = page.text.split_whitespace().collect::<Vec<_>>();
            let is_whole = |amount: &str| all.contains(&amount) || all.contains(&short_amounts(amount).as_str());
            let ends = [amounts[0], amounts[1]].into_iter().chain(amounts[2].split(" to "));
            assert!(ends.clone().all(is_whole), "{width}: {}", page.text);
            assert_eq!(all.contains(&amounts[0]), width >= 100, "{}", page.text);
            let longest = page.text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
            assert!(longest <= width.max(50), "{width}: {}", page.text);
        }
    }

    #[test]
    fn the_tallest_bar_is_full_and_nothing_is_blank() {
        assert_eq!(sparkline(&[0, 1, 7]), " ▂█");
        assert_eq!(sparkline(&[0, 0]), "  ");
    }
}

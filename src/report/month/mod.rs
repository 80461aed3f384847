//! Months ahead, in the forms that readers use.

mod chart;
mod page;

pub use chart::picture;

use serde_json::{Value, json};

use crate::experiment::{About, DayBand, MonthRow, Projection};
use crate::report::csv_files::csv_files;
use crate::report::data::{Dataset, month_days, months};
use crate::report::json::bytes;
use crate::report::markdown::escape;
use crate::report::terminal::{Page, Style, TerminalOptions};
use crate::report::text::{
    NOTHING, clean, few_runs, interrupted_after, money, partial_mark, percent, plural, unpriced,
};
use crate::report::view::{Column, Table};
use crate::scenario::{Lasting, LastingKind};
use crate::units::Money;

/// The id of the JSON layout.
pub const SCHEMA: &str = "billcast.months/1";

/// A projection with what it is about.
#[derive(Debug, Clone, Copy)]
pub struct MonthView<'a> {
    /// What was simulated.
    pub about: &'a About,
    /// What follows from it.
    pub projection: &'a Projection,
    /// What may be spent in a month.
    pub budget: Option<Money>,
    /// Growth a month.
    pub growth: f64,
    /// What was spent in the first month, and before which day.
    pub spent: Option<(Money, jiff::civil::Date)>,
}

/// A table of texts: headings and rows.
type Cells = Vec<Vec<String>>;

impl MonthView<'_> {
    fn headings(&self) -> Vec<&'static str> {
        let mut headings = vec!["Month", "Days", "Mean", "P50", "P80", "P95"];
        if self.budget.is_some() {
            headings.extend(["Over budget", "Used up (1 in 20)", "Used up (1 in 2)"]);
        }
        headings
    }

    /// The months as a table.
    pub fn table(&self) -> Table {
        let column = |(index, title): (usize, &'static str)| Column { title: title.into(), numeric: index > 0 };
        let mut rows = self.rows();
        let total = if rows.len() > 1 { rows.pop() } else { None };
        Table {
            id: "months",
            title: "Months ahead",
            note: "Over the paths, in US dollars.".to_owned(),
            columns: self.headings().into_iter().enumerate().map(column).collect(),
            rows,
            total,
        }
    }

    /// The months and the days of the first one, as typed tables.
    pub(super) fn datasets(&self) -> [Dataset; 2] {
        [months(self.projection), month_days(self.projection)]
    }

    fn rows(&self) -> Cells {
        let mut rows: Cells = self.projection.months.iter().map(|row| self.row(row)).collect();
        if rows.len() > 1 {
            let whole = &self.projection.whole;
            let days: u32 = self.projection.months.iter().map(|row| row.days).sum();
            let mut cells = vec!["Together".to_owned(), days.to_string()];
            cells.extend([whole.mean, whole.p50, whole.p80, whole.p95].map(money));
            cells.resize(self.headings().len(), String::new());
            rows.push(cells);
        }
        rows
    }

    fn row(&self, row: &MonthRow) -> Vec<String> {
        let mut cells = vec![row.month.strftime("%B %Y").to_string(), row.days.to_string()];
        cells.extend([row.bill.mean, row.bill.p50, row.bill.p80, row.bill.p95].map(money));
        if let Some(over) = &row.over_budget {
            cells.push(percent(over.point));
            cells.extend(row.used_up.map(|day| day.map_or_else(|| NOTHING.to_owned(), |day| day.to_string())));
        }
        cells
    }

    /// What the reader must know before any figure.
    pub(super) fn caveats(&self) -> Vec<String> {
        let Projection { runs, is_partial, .. } = self.projection;
        let general = is_partial.then(|| interrupted_after(*runs)).into_iter().chain(few_runs(*runs));
        let unpriced = unpriced(&self.projection.unpriced, "the bills");
        general.chain(unpriced).chain(lacking(self.about, self.projection)).chain(self.misled()).collect()
    }

    /// What even months in one piece do not hold.
    fn misled(&self) -> Option<String> {
        let Projection { in_one_piece, lasting, .. } = self.projection;
        let has_budgets = lasting.iter().any(|lasting| lasting.kind == LastingKind::Budget);
        (*in_one_piece && self.growth > 0.0 && has_budgets).then(|| {
            "--growth multiplies the bill after the gateway's budgets have been held, so that it may exceed them: \
             `growth_per_week` of the traffic classes grows what comes, and budgets hold against it."
                .to_owned()
        })
    }

    /// How the months came about.
    fn method(&self) -> String {
        let projection = self.projection;
        let (paths, runs) = (plural(projection.paths, "path"), plural(projection.runs, "run"));
        if !projection.in_one_piece {
            return format!(
                "{paths} put together from whole days of {runs} of a simulated week a month: each day from the same \
                 weekday, holidays as Sundays, days with a change of the clocks by their length. The weeks of a path have \
                 nearly the same volume: how much traffic there is does not average out over a month."
            );
        }
        let from = clean(self.about.start.split('T').next().unwrap_or_default());
        let whole = format!("Simulated in one piece from {from} on, {runs}: each day is itself.");
        match wrong(&projection.lasting) {
            Some(wrong) => format!("{whole} Weeks begin anew, so that months put together from them would {wrong}."),
            None => whole,
        }
    }

    /// What the reader should know.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = vec![self.method()];
        if self.growth != 0.0 {
            let from = self.projection.growth_from;
            notes.push(format!(
                "Growth: {} a month, counted from {from}, the start of the scenario.",
                percent(self.growth)
            ));
        }
        if let Some((amount, until)) = self.spent {
            notes
                .push(format!("Of the first month {} was spent before {until}; the rest is simulated.", money(amount)));
        }
        if let Some(budget) = self.budget {
            notes.push(format!("Budget: {} a month.", money(budget)));
        }
        notes
    }

    /// Where it comes from.
    pub(super) fn stamp(&self) -> String {
        let about = self.about;
        format!(
            "{}{} · {} · seed {} · {} · prices {} · billcast {}",
            partial_mark(self.projection.is_partial),
            clean(&about.scenario),
            plural(self.projection.runs, "run"),
            about.seed,
            about.profile,
            clean(&about.prices_as_of),
            about.version
        )
    }

    /// For a terminal.
    pub fn terminal(&self, options: TerminalOptions) -> String {
        let headings = self.headings().into_iter().enumerate();
        let headings: Vec<(String, bool)> = headings.map(|(index, title)| (title.to_owned(), index > 0)).collect();
        let mut page = Page::new(options);
        page.wrapped("", "  ", Some(Style::Bold), &format!("{}: months ahead", clean(&self.about.scenario)));
        self.caveats().iter().for_each(|caveat| page.wrapped("! ", "  ", Some(Style::Alert), caveat));
        page.line("");
        page.table(&headings, &self.rows());
        page.line("");
        self.notes().iter().for_each(|note| page.wrapped("", "  ", None, note));
        page.wrapped("", "  ", Some(Style::Dim), &self.stamp());
        page.text
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let headings = self.headings();
        let mut text = format!("# {}: months ahead\n\n", escape(&clean(&self.about.scenario)));
        self.caveats().iter().for_each(|caveat| text.push_str(&format!("> **{}**\n\n", escape(caveat))));
        text.push_str(&format!("| {} |\n", headings.join(" | ")));
        text.push_str(&format!("|---|{}\n", "---:|".repeat(headings.len() - 1)));
        let cell = |cell: &String| escape(cell);
        for row in self.rows() {
            text.push_str(&format!("| {} |\n", row.iter().map(cell).collect::<Vec<_>>().join(" | ")));
        }
        text.push('\n');
        self.notes().iter().chain([&self.stamp()]).for_each(|note| text.push_str(&format!("{}\n\n", escape(note))));
        text
    }

    /// As CSV: a row a month.
    pub fn csv(&self) -> Vec<u8> {
        csv_files(&[months(self.projection)]).pop().map_or_else(Vec::new, |file| file.bytes)
    }

    /// As JSON.
    pub fn json(&self) -> Vec<u8> {
        let about = self.about;
        let spent = self.spent.map(|(amount, until)| json!({ "amount": amount, "before": until.to_string() }));
        bytes(&json!({
            "schema": SCHEMA,
            "scenario": about.scenario,
            "seed": about.seed,
            "runs": self.projection.runs,
            "partial": self.projection.is_partial,
            "paths": self.projection.paths,
            "in_one_piece": self.projection.in_one_piece,
            "lasting": self.projection.lasting,
            "unpriced": self.projection.unpriced,
            "gateway": { "name": about.gateway, "profile": about.profile },
            "prices_as_of": about.prices_as_of,
            "billcast_version": about.version,
            "currency": "USD",
            "growth_per_month": self.growth,
            "growth_from": self.projection.growth_from.to_string(),
            "budget": self.budget,
            "spent": spent,
            "months": self.projection.months.iter().map(month).collect::<Vec<_>>(),
            "together": stats(&self.projection.whole),
            "first_month_by_day": self.projection.days.iter().map(day).collect::<Vec<_>>(),
        }))
    }
}

/// What is named in a sentence before the rest is only counted.
const NAMED: usize = 5;

/// Things in a sentence: `the budget of key a, that of b and 3 more`.
fn listed(things: &[&Lasting]) -> Option<String> {
    let mut words: Vec<String> = things.iter().take(NAMED).map(|lasting| clean(&lasting.what)).collect();
    if things.len() > NAMED {
        words.push(format!("{} more", things.len() - NAMED));
    }
    let last = words.pop()?;
    Some(if words.is_empty() { last } else { format!("{} and {last}", words.join(", ")) })
}

/// What is wrong with months from weeks: they lack what lasts longer, and have what comes once in each of them.
fn wrong(lasting: &[Lasting]) -> Option<String> {
    let (once, longer): (Vec<&Lasting>, Vec<&Lasting>) =
        lasting.iter().partition(|lasting| lasting.kind == LastingKind::Moment);
    let longer = listed(&longer).map(|list| format!("lack {list}"));
    let once = listed(&once).map(|list| format!("have {list} in every week"));
    Some([longer, once].into_iter().flatten().collect::<Vec<_>>().join(", and ")).filter(|words| !words.is_empty())
}

/// What months that are put together from weeks lack, and how to get it.
pub(super) fn lacking(about: &About, projection: &Projection) -> Option<String> {
    let all = &projection.lasting;
    if projection.in_one_piece {
        return None;
    }
    let wrong = wrong(all)?;
    let limits = |lasting: &Lasting| matches!(lasting.kind, LastingKind::Budget | LastingKind::Account);
    let bound = match all.iter().any(limits) {
        true => " What a budget would refuse is in them: without fallbacks that makes these figures upper bounds.",
        false => "",
    };
    let first = projection.months.first()?;
    let (start, hours, name) = (first.month, first.hours, first.month.strftime("%B %Y"));
    let zone = about.start.rsplit('[').next().unwrap_or_default().trim_end_matches(']');
    let zone = if zone.starts_with(|c: char| c.is_ascii_alphabetic()) { clean(zone) } else { "UTC".to_owned() };
    Some(format!(
        "Weeks begin anew, so that months put together from them {wrong}.{bound} `billcast month` with the scenario \
         simulates months in one piece that end within a year of its start, unless a trace ends before; else `billcast run` \
         with --set 'start={start} 00:00 {zone}' --set hours={hours} simulates {name}."
    ))
}

fn stats(bill: &crate::experiment::MoneyStats) -> Value {
    json!({ "mean": bill.mean, "p5": bill.p5, "p50": bill.p50, "p80": bill.p80, "p95": bill.p95, "max": bill.max })
}

fn month(row: &MonthRow) -> Value {
    json!({
        "month": row.month.to_string(), "days": row.days, "hours": row.hours, "bill": stats(&row.bill),
        "over_budget": row.over_budget.map(|over| over.point),
        "used_up_1_in_20": row.used_up[0].map(|day| day.to_string()),
        "used_up_1_in_2": row.used_up[1].map(|day| day.to_string()),
    })
}

fn day(row: &DayBand) -> Value {
    json!({ "date": row.date.to_string(), "p5": row.p5, "p50": row.p50, "mean": row.mean, "p95": row.p95 })
}

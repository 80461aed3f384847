//! The tables of the report.

use crate::diagnostic::masked;
use crate::experiment::{DeploymentRow, Forecast, ShareRow};
use crate::report::text::{NOTHING, clean, count, money, percent, short_count};
use crate::report::view::derive::{money_share, per_mean, ratio};
use crate::report::view::story::edge_share;
use crate::report::view::{CauseLine, Percentile, Table, Tables, View, finance_tables, reliability};
use crate::units::Money;

impl Tables {
    /// All tables of a view.
    pub fn of(view: &View<'_>) -> Self {
        let forecast = view.forecast;
        Self {
            models: finance_tables::models(&view.models),
            teams: finance_tables::teams(&view.teams),
            providers: reliability::providers(forecast),
            caches: finance_tables::caches(&view.caches),
            meters: finance_tables::meters(&view.meters, forecast.bill.mean),
            register: finance_tables::register(&view.register),
            bill: bill(&view.percentiles),
            causes: by_cause(&view.causes, forecast),
            edges: edges(forecast),
            deployments: deployments(forecast),
            reliability: reliability::deployments(forecast),
            demand: reliability::demand(forecast),
            classes: shares("classes", "Cost by traffic class", "Class", &forecast.classes, forecast),
            keys: shares("keys", "Cost by virtual key", "Key", &forecast.keys, forecast),
            why_not: reliability::why_not(forecast),
            why_not_by_key: reliability::why_not_by_key(forecast),
            unpriced: unpriced(forecast),
            assumptions: assumptions(forecast),
            diagnostics: diagnostics(forecast),
        }
    }
}

/// What stands where a cost is not known because there is no price.
const UNPRICED: &str = "unpriced";

/// A cost, or that nobody knows it.
pub fn priced(is_known: bool, amount: Money) -> String {
    if is_known { money(amount) } else { UNPRICED.to_owned() }
}

/// A share of the bill; a dash where the cost is not known.
pub fn priced_share(is_known: bool, share: f64) -> String {
    or_nothing(is_known.then(|| percent(share)))
}

/// A cell, or a dash for none.
pub fn or_nothing(text: Option<String>) -> String {
    text.unwrap_or_else(|| NOTHING.to_owned())
}

fn bill(percentiles: &[Percentile]) -> Table {
    let row = |line: &Percentile| [line.label.to_owned(), line.text.clone(), or_nothing(line.interval.clone())];
    Table::new("bill", "Bill", &["", "#Bill", "#95% confidence interval"])
        .with_note("Over the runs, in US dollars.")
        .with_rows(percentiles.iter().map(row))
}

fn by_cause(causes: &[CauseLine], forecast: &Forecast) -> Table {
    let row =
        |line: &CauseLine| [line.label.to_owned(), line.text.clone(), percent(line.share), line.meaning.to_owned()];
    Table::new("causes", "Cost by cause", &["Cause", "#Mean", "#Share", "When"])
        .with_note("Means over the runs; every charge has exactly one cause, so they sum to the mean bill exactly.")
        .with_rows(causes.iter().map(row))
        .with_total(["Bill".to_owned(), money(forecast.bill.mean), percent(bill_share(forecast)), String::new()])
}

/// 100%, or 0% of nothing.
fn bill_share(forecast: &Forecast) -> f64 {
    money_share(forecast.bill.mean, forecast.bill.mean)
}

fn edges(forecast: &Forecast) -> Table {
    let row = |edge: &crate::experiment::EdgeRow| {
        [
            clean(&edge.from),
            clean(&edge.to),
            count(edge.charges),
            money(edge.amount),
            edge.premium.map_or_else(|| "unknown".to_owned(), money),
            or_nothing(edge.premium.map(|premium| percent(edge_share(forecast, premium.max(Money::ZERO))))),
        ]
    };
    let headings = ["Asked for", "Answered by", "#Answers", "#Cost", "#Premium", "#Of premium"];
    Table::new("edges", "Fallback edges", &headings)
        .with_note("Means over the runs. Premium: the cost above what the group asked for would have charged.")
        .with_rows(forecast.edges.iter().map(row))
}

fn deployments(forecast: &Forecast) -> Table {
    let row = |deployment: &DeploymentRow| {
        let is_known = deployment.has_known_cost();
        [
            clean(&deployment.name),
            clean(&deployment.group),
            clean(&deployment.model),
            priced(is_known, deployment.bill_mean),
            priced(is_known, deployment.bill_p95),
            priced_share(is_known, money_share(deployment.bill_mean, forecast.bill.mean)),
            count(deployment.attempts),
            short_count(deployment.input_tokens),
            short_count(deployment.output_tokens),
        ]
    };
    let headings = ["Deployment", "Group", "Model", "#Mean", "#P95", "#Share", "#Calls", "#Tokens in", "#Tokens out"];
    Table::new("deployments", "Cost by deployment", &headings)
        .with_note("Means over the runs, and the 95th percentile of each deployment's own cost.")
        .with_rows(forecast.deployments.iter().map(row))
}

fn shares(id: &'static str, title: &'static str, what: &'static str, rows: &[ShareRow], forecast: &Forecast) -> Table {
    // Classes have no teams.
    let has_teams = id != "classes";
    let row = |share: &ShareRow| {
        let unit = per_mean(share.bill_mean, 1_000, share.requests, forecast.about.runs);
        let mut cells = vec![clean(&share.name)];
        cells.extend(has_teams.then(|| or_nothing(share.team.as_deref().map(clean))));
        cells.extend([
            count(share.requests),
            percent(ratio(share.failed, share.requests)),
            priced(share.priced, share.bill_mean),
            priced(share.priced, share.bill_p95),
            priced_share(share.priced, money_share(share.bill_mean, forecast.bill.mean)),
            or_nothing(unit.filter(|_| share.priced).map(money)),
        ]);
        cells
    };
    let headings = [what, "Team", "#Requests", "#Failed", "#Mean", "#P95", "#Share", "#Per 1k requests"];
    let headings: Vec<&'static str> = headings.into_iter().filter(|title| has_teams || *title != "Team").collect();
    Table::new(id, title, &headings).with_note("Means over the runs.").with_rows(rows.iter().map(row))
}

fn unpriced(forecast: &Forecast) -> Table {
    let row = |row: &crate::experiment::UnpricedRow| {
        [clean(&row.model), count(row.calls), count(row.input_tokens), count(row.output_tokens)]
    };
    Table::new("unpriced", "Models without a price", &["Model", "#Calls", "#Tokens in", "#Tokens out"])
        .with_note("Their cost is unknown and not in the bill.")
        .with_rows(forecast.unpriced.iter().map(row))
}

fn assumptions(forecast: &Forecast) -> Table {
    let row = |row: &crate::experiment::Assumption| {
        let as_of = if row.as_of.is_empty() { NOTHING.to_owned() } else { clean(&row.as_of) };
        [clean(&row.name), clean(&row.value), row.assumed_by.to_owned(), clean(&row.source), as_of]
    };
    Table::new("assumptions", "Assumptions", &["What", "Value", "Assumed by", "Source", "As of"])
        .with_note("Every value that the user did not write.")
        .with_rows(forecast.assumptions.iter().map(row))
}

fn diagnostics(forecast: &Forecast) -> Table {
    let mut sorted: Vec<_> = forecast.diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.severity));
    let row = |diagnostic: &crate::diagnostic::Diagnostic| {
        let shown = |text: &str| clean(&masked(text));
        let place = match diagnostic.span.line {
            0 => shown(&diagnostic.file),
            line => format!("{}:{line}:{}", shown(&diagnostic.file), diagnostic.span.column),
        };
        let help = or_nothing(diagnostic.help.as_deref().map(shown));
        [diagnostic.severity.to_string(), place, shown(&diagnostic.message), help, diagnostic.code.to_owned()]
    };
    Table::new("diagnostics", "Diagnostics", &["Severity", "Place", "Message", "What to do", "Code"])
        .with_note("What the readers of the input files had to say.")
        .with_rows(sorted.into_iter().map(row))
}

//! `report.html`: one file that needs nothing else, for screens of any width, light or dark, and for paper.

/// Budgets and alerts.
mod alerts;
/// The frame of pages that are not about a single forecast.
pub mod page;
/// Pieces of pages.
pub mod parts;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::chart::{ALL, Chart};
use crate::report::month::picture as month_picture;
use crate::report::text::clean;
use crate::report::view::View;
use page::picture;
use parts::{chart, figures, table};

/// What makes tables sortable and charts talk.
const SCRIPT: &str = include_str!("script.js");
/// SHA-256 of [`SCRIPT`]: the page's policy lets this one script run and no other. The browser test holds it.
const SCRIPT_HASH: &str = "sha256-50RCENJPLSqIODeKiOgQwp5c5ATY2MVn4p2QUSTMrvQ=";

/// The page. It loads nothing, and nothing but its own script runs; its policy forbids all else.
pub fn html(view: &View<'_>) -> String {
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src '{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'"
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="generator" content=(format!("billcast {}", view.forecast.about.version));
                title { (view.title) " – billcast forecast" }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                (head(view))
                main {
                    (policies(view))
                    (findings(view))
                    (bill(view))
                    (budget(view))
                    (why(view))
                    (reliability(view))
                    (capacity(view))
                    (who(view))
                    (inputs(view))
                    (method(view))
                }
                footer { (view.stamp) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

/// How much, how sure and why, without scrolling.
fn head(view: &View<'_>) -> Markup {
    let description = clean(&view.forecast.about.description);
    html! {
        header {
            p.kicker { "billcast forecast" }
            h1 { (view.title) }
            @if !description.is_empty() { p { (description) } }
            @if !view.caveats.is_empty() {
                div.notice role="note" { @for caveat in &view.caveats { p { (caveat) } } }
            }
            (figures(&view.headline, true))
            dl.answers {
                @for answer in &view.story { div { dt { (answer.question) } dd { (answer.text) } } }
                @if let Some(budget) = view.budget_story.first() { div { dt { "Budget" } dd { (budget) } } }
                @if view.has_month() {
                    @if let Some(month) = view.month_story.first() { div { dt { "Month" } dd { (month) } } }
                }
            }
            (figures(&view.figures, false))
            dl.facts {
                @for (label, value) in &view.facts { div { dt { (label) } dd { (value) } } }
            }
            nav aria-label="Sections" {
                @for (id, title) in SECTIONS { a href=(format!("#{id}")) { (title) } }
            }
        }
    }
}

const SECTIONS: [(&str, &str); 9] = [
    ("findings", "Findings"),
    ("bill", "The bill"),
    ("budget", "Budget, alerts and month"),
    ("why", "Why it costs that"),
    ("reliability", "Failures and latency"),
    ("capacity", "Capacity"),
    ("who", "Who spends it"),
    ("inputs", "Assumptions and diagnostics"),
    ("method", "Method"),
];

/// A section with its heading from the list of sections.
fn section(id: &str, content: &Markup) -> Markup {
    let title = SECTIONS.iter().find(|(other, _)| *other == id).map_or("", |(_, title)| title);
    html! { section id=(id) { h2 { (title) } (content) } }
}

/// The chart with this id.
fn named(view: &View<'_>, id: &str) -> Markup {
    let found: Option<&Chart> = ALL.iter().find(|chart| chart.id == id);
    html! { @if let Some(found) = found { (chart(view, found)) } }
}

/// What the policies say, where there are any.
fn policies(view: &View<'_>) -> Markup {
    html! {
        @if !view.forecast.policies.is_empty() {
            section id="policies" {
                h2 { "Policies" }
                ul { @for verdict in &view.forecast.policies { li { (crate::report::gates::line(verdict)) } } }
            }
        }
    }
}

fn findings(view: &View<'_>) -> Markup {
    section(
        "findings",
        &html! {
            @if view.findings.is_empty() { p.muted { "Nothing stands out." } }
            ol.findings {
                @for finding in &view.findings {
                    li.finding {
                        (finding.title)
                        @if let Some(money) = &finding.money { " " span.stake { (money) } }
                        div.detail { (finding.detail) " [" (finding.code) "]" }
                    }
                }
            }
            @if let Some(next) = &view.forecast.next {
                p { "The same weekends without the dearest fallback edge:" }
                pre { code { (clean(next)) } }
            }
        },
    )
}

fn bill(view: &View<'_>) -> Markup {
    section(
        "bill",
        &html! {
            (named(view, "bill-distribution"))
            (table(&view.tables.bill))
            (named(view, "cumulative-spend"))
            h3 { "Unit costs" }
            (figures(&view.unit_figures(), false))
        },
    )
}

/// A sentence; what stands between backticks is code.
fn prose(sentence: &str) -> Markup {
    html! {
        @for (nth, part) in sentence.split('`').enumerate() {
            @if nth % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

fn budget(view: &View<'_>) -> Markup {
    let month = view.month();
    let drawn = month.as_ref().and_then(month_picture);
    section(
        "budget",
        &html! {
            @for sentence in view.budget_story.iter().chain(&view.month_story) { p { (prose(sentence)) } }
            (alerts::alerts(view))
            @if let Some(month) = &month {
                (table(&month.table()))
                @if let Some(drawn) = &drawn { (picture(drawn)) }
                @for note in month.notes() { p.note { (note) } }
            }
        },
    )
}

fn why(view: &View<'_>) -> Markup {
    section(
        "why",
        &html! {
            (named(view, "cost-by-cause"))
            (table(&view.tables.causes))
            (table(&view.tables.edges))
            (named(view, "spend-by-model"))
            (table(&view.tables.models))
            (table(&view.tables.meters))
            h3 { "Caches" }
            @for sentence in &view.cache_story { p { (sentence) } }
            (table(&view.tables.caches))
        },
    )
}

fn reliability(view: &View<'_>) -> Markup {
    section(
        "reliability",
        &html! {
            (named(view, "failures-and-fallbacks"))
            (named(view, "expensive-run"))
            (table(&view.tables.why_not))
            (table(&view.tables.why_not_by_key))
            (table(&view.tables.providers))
            (table(&view.tables.reliability))
        },
    )
}

fn capacity(view: &View<'_>) -> Markup {
    section(
        "capacity",
        &html! {
            (named(view, "demand-and-limits"))
            (table(&view.tables.demand))
        },
    )
}

fn who(view: &View<'_>) -> Markup {
    section(
        "who",
        &html! {
            (table(&view.tables.teams))
            (table(&view.tables.keys))
            (table(&view.tables.classes))
            (table(&view.tables.deployments))
        },
    )
}

fn inputs(view: &View<'_>) -> Markup {
    section(
        "inputs",
        &html! {
            p { "Assumed: " (view.assumptions_summary) ". Diagnostics: " (view.diagnostics_summary) "." }
            (table(&view.tables.unpriced))
            (table(&view.tables.register))
            (table(&view.tables.diagnostics))
        },
    )
}

fn method(view: &View<'_>) -> Markup {
    section(
        "method",
        &html! {
            p {
                "Every run replays the whole horizon request by request through the gateway's own routing rules: \
                 retries, cooldowns, fallbacks, limits. Runs differ by chance only: arrivals, token counts, latencies, \
                 errors, bursts and outages are drawn anew from the scenario's distributions. The same seed gives the \
                 same figures, with any number of threads."
            }
            p {
                "P95 is the amount that 95 of 100 runs stay at or below. A 95% confidence interval (CI) says how far a \
                 figure may be off because the number of runs is finite; it knows nothing of wrong assumptions. Money \
                 is added up exactly: in every run the costs by cause, by deployment and by key each sum to the bill."
            }
            p {
                "The gateway itself would report a mean spend of " (reported(view)) ": it prices with its own table \
                 and books failed calls at zero."
            }
            h3 { "The same result again" }
            pre { code { (view.command) } }
        },
    )
}

fn reported(view: &View<'_>) -> String {
    crate::report::text::money(view.forecast.reported_spend)
}

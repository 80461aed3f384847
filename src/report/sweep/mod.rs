//! Sweeps, tornados and searches in the forms that their readers use.

mod charts;
mod solve;
mod table;
mod tornado;

use serde_json::{Value, json};

use crate::experiment::{Common, Point, Sweep};
use crate::report::Artefact;
use crate::report::html::page::{facts, notices, page, picture};
use crate::report::html::parts::table as html_table;
use crate::report::json::bytes;
use crate::report::parquet_files::parquet_files;
use crate::report::terminal::{Page, Style, TerminalOptions, fact};
use crate::report::text::{clean, hours, money, plural, unpriced};

pub use solve::{solve_json, solve_text};
pub use table::csv as sweep_csv;
pub use tornado::{tornado_artefacts, tornado_json, tornado_text};

/// The id of the layout of `sweep.json`.
pub const SCHEMA: &str = "billcast.sweep/1";

/// The sweep for a terminal.
pub fn sweep_text(sweep: &Sweep, options: TerminalOptions) -> String {
    const MOST: usize = 30;
    let mut page = Page::new(options);
    page.wrapped("", "  ", Some(Style::Bold), &title(sweep));
    let facts: Vec<String> = facts_of(sweep).iter().map(|(label, value)| fact(label, value)).collect();
    page.wrapped("", "", Some(Style::Dim), &facts.join(" · "));
    for caveat in caveats(sweep) {
        page.wrapped("! ", "  ", Some(Style::Alert), &caveat);
    }
    page.line("");
    page.view_table(
        &table::fitting(table::points(sweep), options.width),
        if options.verbose { usize::MAX } else { MOST },
    );
    page.line("");
    page.wrapped("As it is: ", "  ", None, &as_it_is(&sweep.base));
    page.wrapped("Again: ", "  ", None, &clean(&sweep.command));
    page.text
}

fn title(sweep: &Sweep) -> String {
    format!("{}: {} varied", clean(&sweep.common.scenario), table::short_names(sweep).join(" × "))
}

fn facts_of(sweep: &Sweep) -> Vec<(&'static str, String)> {
    vec![
        ("Configurations", sweep.points.len().to_string()),
        ("Runs", format!("{} of each, in the same random weekends", plural(sweep.runs, "run"))),
        ("Horizon", hours(sweep.common.horizon_hours)),
        ("Seed", sweep.seed.to_string()),
        ("Gateway", sweep.common.profile.to_owned()),
        ("Prices as of", clean(&sweep.common.prices_as_of)),
    ]
}

fn caveats(sweep: &Sweep) -> Vec<String> {
    let partial = format!("Partial: interrupted after {}.", plural(sweep.points.len() as u64, "configuration"));
    sweep.is_partial.then_some(partial).into_iter().chain(unpriced(&sweep.unpriced, "the bills")).collect()
}

fn as_it_is(base: &Point) -> String {
    format!("mean {}, P50 {}, P95 {}", money(base.bill.mean), money(base.bill.p50), money(base.bill.p95))
}

/// `sweep.json`.
pub fn sweep_json(sweep: &Sweep) -> Vec<u8> {
    bytes(&json!({
        "schema": SCHEMA,
        "scenario": sweep.common.scenario,
        "profile": sweep.common.profile,
        "prices_as_of": sweep.common.prices_as_of,
        "seed": sweep.seed,
        "runs": sweep.runs,
        "partial": sweep.is_partial,
        "unpriced": sweep.unpriced,
        "horizon_hours": sweep.common.horizon_hours,
        "command": sweep.command,
        "axes": sweep.axes.iter().map(|axis| &axis.path).collect::<Vec<_>>(),
        "base": point(&sweep.base),
        "points": sweep.points.iter().map(point).collect::<Vec<_>>(),
    }))
}

fn point(point: &Point) -> Value {
    let ends = [point.delta.interval.low, point.delta.interval.high];
    let known = ends.iter().all(|end| end.is_finite());
    json!({
        "values": point.values,
        "bill": {
            "mean": point.bill.mean, "p5": point.bill.p5, "p50": point.bill.p50, "p80": point.bill.p80,
            "p95": point.bill.p95, "p99": point.bill.p99, "max": point.bill.max, "ci95_mean": point.bill.ci95_mean,
        },
        "failure_rate": { "mean": point.failure_rate.mean, "p95": point.failure_rate.p95 },
        "fallback_share": { "mean": point.fallback_share.mean, "p95": point.fallback_share.p95 },
        "fallback_premium": { "mean": point.fallback_premium },
        "requests": { "mean": point.requests },
        "upstream_calls": { "mean": point.upstream_calls },
        "latency_p95_s": { "mean": point.latency_p95_s },
        "bill_mean_against_base": {
            "delta": crate::report::text::money_units(point.delta.point),
            "ci95": known.then(|| ends.map(crate::report::text::money_units)),
        },
    })
}

/// Every file of a sweep.
pub fn sweep_artefacts(sweep: &Sweep) -> Vec<Artefact> {
    let file = |name: &str, bytes: Vec<u8>| Artefact { file_name: name.to_owned(), bytes };
    let stamp = stamp(sweep);
    let pictures = charts::all(sweep, &stamp);
    let body = maud::html! {
        section {
            h2 { "What the parameters do" }
            @for drawn in &pictures { (picture(drawn)) }
            (html_table(&table::points(sweep)))
            p { "The scenario as it is: " (as_it_is(&sweep.base)) "." }
        }
        section {
            h2 { "Method" }
            p {
                "Every configuration plays the same random weekends, so that what moves is what the parameters do. \
                 The difference is \
                 that of the mean bill to the scenario as it is, with a paired 95% confidence interval."
            }
            h3 { "The same result again" }
            pre { code { (clean(&sweep.command)) } }
        }
    };
    let head = maud::html! { (notices(&caveats(sweep))) (facts(&facts_of(sweep))) };
    let html = page(&title(sweep), "billcast sweep", &head, &body, &stamp);
    let mut all = vec![
        file("sweep.json", sweep_json(sweep)),
        file("sweep.csv", table::csv(sweep)),
        file("report.html", html.into_bytes()),
    ];
    all.extend(parquet_files([&table::dataset(sweep)].into_iter(), &facts_of(sweep)));
    for (index, picture) in pictures.iter().enumerate() {
        let name = if index == 0 { picture.id.to_owned() } else { format!("{}-{}", picture.id, index + 1) };
        all.extend(picture.files(&name));
    }
    all
}

fn stamp(sweep: &Sweep) -> String {
    stamp_of(&sweep.common, &format!("{} of each configuration", plural(sweep.runs, "run")), sweep.seed)
}

/// Where a result comes from.
fn stamp_of(common: &Common, runs: &str, seed: u64) -> String {
    format!(
        "{} · {runs} · seed {seed} · {} · prices {} · billcast {}",
        clean(&common.scenario),
        common.profile,
        clean(&common.prices_as_of),
        env!("CARGO_PKG_VERSION")
    )
}

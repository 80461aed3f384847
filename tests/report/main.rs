//! What `report` promises: one set of figures in every format, a stable contract, nothing escapes, nothing overlaps.

mod again;
mod contract;
mod escape;
mod layout;
mod synthetic;

use std::sync::LazyLock;

use billcast::experiment::Forecast;
use billcast::report::{Artefact, TerminalOptions, View, artefacts, terminal};
use billcast::units::Money;
use synthetic::{Recipe, USUAL};

/// One kind of forecast that must look right, with everything that is written for it.
struct Exhibit {
    name: &'static str,
    forecast: Forecast,
    all: Vec<Artefact>,
}

/// Every kind; the first is the usual one.
static GALLERY: LazyLock<Vec<Exhibit>> = LazyLock::new(|| {
    let make = |name, recipe: Recipe| {
        let forecast = synthetic::forecast(recipe);
        Exhibit { name, all: artefacts(&forecast), forecast }
    };
    vec![
        make("usual", USUAL),
        make("many", Recipe { deployments: 26, runs: 1000, ..USUAL }),
        make("single", Recipe { deployments: 1, runs: 1, ..USUAL }),
        make("free", Recipe { free: true, ..USUAL }),
        make("broken", Recipe { broken: true, runs: 20, ..USUAL }),
        make("hostile", Recipe { hostile: true, deployments: 7, runs: 30, ..USUAL }),
        make("outlier", Recipe { outlier: true, hours: 24 * 14, ..USUAL }),
    ]
});

/// The text of an artefact.
fn text(all: &[Artefact], name: &str) -> String {
    let found = all.iter().find(|artefact| artefact.file_name == name);
    String::from_utf8(found.unwrap_or_else(|| panic!("no {name}")).bytes.clone()).unwrap()
}

/// The rows of a CSV artefact, header first.
fn rows(all: &[Artefact], name: &str) -> Vec<Vec<String>> {
    let text = text(all, name);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// A column of a CSV artefact.
fn column(all: &[Artefact], name: &str, title: &str) -> Vec<String> {
    let rows = rows(all, name);
    let index = rows[0].iter().position(|cell| cell == title).unwrap_or_else(|| panic!("no {title} in {name}"));
    rows[1..].iter().map(|row| row[index].clone()).collect()
}

fn amounts(all: &[Artefact], name: &str, title: &str) -> Vec<Money> {
    column(all, name, title).iter().map(|cell| cell.parse().unwrap()).collect()
}

#[test]
fn the_same_forecast_gives_the_same_bytes() {
    let recipe = Recipe { runs: 30, ..USUAL };
    assert_eq!(artefacts(&synthetic::forecast(recipe)), artefacts(&synthetic::forecast(recipe)));
}

#[test]
fn every_artefact_is_there_once() {
    let mut names: Vec<String> =
        artefacts(&synthetic::forecast(Recipe { runs: 5, ..USUAL })).into_iter().map(|a| a.file_name).collect();
    names.sort();
    insta::assert_snapshot!(names.join("\n"));
    names.dedup();
    // Tables, FOCUS, Parquet; the page, the workbook, Markdown and JSON; charts as SVG and PNG.
    assert_eq!(names.len(), 18 + 1 + 5 + 4 + 2 * 7);
}

#[test]
fn all_formats_show_the_same_bill() {
    for Exhibit { name, forecast, all } in GALLERY.iter() {
        let mean = forecast.bill.mean;
        let json: serde_json::Value = serde_json::from_str(&text(all, "forecast.json")).unwrap();
        assert_eq!(json["bill"]["mean"], mean.to_string(), "{name}");
        let runs = amounts(all, "runs.csv", "bill_usd");
        let from_runs = runs.iter().copied().sum::<Money>().divided_by(runs.len() as u64);
        assert!((from_runs - mean).picos().abs() <= 8, "{name}: rounding of eight causes at most");
        for file in ["causes.csv", "deployments.csv", "models.csv", "classes.csv", "keys.csv", "teams.csv"] {
            let title = if file == "causes.csv" { "mean_usd" } else { "bill_mean_usd" };
            assert_eq!(amounts(all, file, title).into_iter().sum::<Money>(), mean, "{name}: {file}");
        }
        let shown = billcast::report::text::money(mean);
        let view = View::new(forecast);
        assert!(terminal(&view, TerminalOptions::default()).contains(&shown), "{name}: terminal");
        assert!(text(all, "report.html").contains(&shown), "{name}: page");
        assert!(text(all, "chart-cost-by-cause.svg").contains(&shown), "{name}: chart");
    }
}

#[test]
fn every_artefact_says_where_it_comes_from() {
    let all = &GALLERY[0].all;
    for artefact in all.iter().filter(|a| a.file_name.ends_with(".svg") || a.file_name.ends_with(".html")) {
        let text = String::from_utf8(artefact.bytes.clone()).unwrap();
        for fact in ["400 runs", "seed 7", "litellm-1.102", "2026-11-01"] {
            assert!(text.contains(fact), "{}: {fact}", artefact.file_name);
        }
    }
}

#[test]
fn a_partial_result_says_so_everywhere() {
    let mut forecast = synthetic::forecast(Recipe { runs: 12, ..USUAL });
    forecast.about.partial = true;
    let all = artefacts(&forecast);
    assert!(
        terminal(&View::new(&forecast), TerminalOptions::default()).contains("! Partial: interrupted after 12 runs")
    );
    assert!(text(&all, "report.html").contains("Partial: interrupted after 12 runs"));
    assert!(text(&all, "chart-cumulative-spend.svg").contains("PARTIAL"));
    assert!(text(&all, "forecast.json").contains("\"partial\": true"));
}

#[test]
fn the_summary_fits_one_screen() {
    for Exhibit { name, forecast, .. } in GALLERY.iter() {
        let summary = terminal(&View::new(forecast), TerminalOptions::default());
        let widest = summary.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 80, "{name}: {widest} columns\n{summary}");
        assert!(summary.lines().count() <= 50, "{name}: {} lines", summary.lines().count());
        assert!(!summary.contains("NaN") && !summary.contains("inf "), "{name}");
    }
}

/// A freeze of the wording; [`all_formats_show_the_same_bill`] holds the figures.
#[test]
fn the_summary_reads_like_this() {
    let forecast = &GALLERY[0].forecast;
    insta::assert_snapshot!(terminal(&View::new(forecast), TerminalOptions::default()));
}

#[test]
fn verbose_tells_every_assumption_and_diagnostic() {
    let forecast = &GALLERY[0].forecast;
    let options = TerminalOptions { width: 200, verbose: true, ..TerminalOptions::default() };
    let summary = terminal(&View::new(forecast), options);
    for assumption in &forecast.assumptions {
        assert!(summary.contains(&format!("{} = {}", assumption.name, assumption.value)), "{}", assumption.name);
    }
    for diagnostic in &forecast.diagnostics {
        assert!(summary.contains(&diagnostic.message), "{}", diagnostic.message);
    }
}

#[test]
fn colour_is_only_escape_codes_around_the_same_text() {
    let forecast = &GALLERY[0].forecast;
    let view = View::new(forecast);
    let plain = terminal(&view, TerminalOptions::default());
    let coloured = terminal(&view, TerminalOptions { color: true, ..TerminalOptions::default() });
    let stripped =
        ["\x1b[1m", "\x1b[2m", "\x1b[1;33m", "\x1b[0m"].iter().fold(coloured, |text, code| text.replace(code, ""));
    assert_eq!(stripped, plain);
}

/// Writes every artefact of every kind into `gallery/` of cargo's folder for tests, to be looked at.
#[test]
#[ignore = "writes files for human eyes"]
fn write_the_gallery() {
    for Exhibit { name, forecast, all } in GALLERY.iter() {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("gallery").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for artefact in all {
            std::fs::write(folder.join(&artefact.file_name), &artefact.bytes).unwrap();
        }
        let view = View::new(forecast);
        let wide = TerminalOptions { verbose: true, width: 110, color: true, whole: false };
        std::fs::write(folder.join("terminal.txt"), terminal(&view, TerminalOptions::default())).unwrap();
        std::fs::write(folder.join("verbose.txt"), terminal(&view, wide)).unwrap();
    }
}

//! The figures as CSV files: a header with units, exact decimals, text that no spreadsheet takes for a formula.

use crate::experiment::{Band, Demand, DeploymentRow, Forecast, HourRow, LatencyStats, RunRow, ShareRow};
use crate::ledger::Cause;
use crate::report::Artefact;
use crate::report::text::clean;
use crate::report::view::View;

/// All CSV files.
pub fn csv_files(view: &View<'_>) -> Vec<Artefact> {
    let forecast = view.forecast;
    vec![
        file("runs.csv", &run_header(), forecast.runs.iter().map(run)),
        file("hours.csv", &hour_header(), forecast.hours.iter().map(hour)),
        file("hours_by_deployment.csv", &text(&SPEND_HEADER), hourly_spend(forecast)),
        file("causes.csv", &text(&["cause", "mean_usd", "share_of_bill"]), view.causes.iter().map(cause)),
        file("deployments.csv", &deployment_header(), forecast.deployments.iter().map(deployment)),
        file("classes.csv", &text(&SHARE_HEADER), forecast.classes.iter().map(share)),
        file("keys.csv", &text(&SHARE_HEADER), forecast.keys.iter().map(share)),
        file("edges.csv", &text(&EDGE_HEADER), forecast.edges.iter().map(edge)),
    ]
}

const SPEND_HEADER: [&str; 6] = ["hour", "start_local", "deployment", "group", "model", "spend_mean_usd"];
const SHARE_HEADER: [&str; 6] =
    ["name", "team", "requests_mean", "failed_requests_mean", "bill_mean_usd", "bill_p95_usd"];
const EDGE_HEADER: [&str; 5] = ["asked_for", "answered_by", "answers_mean", "cost_mean_usd", "premium_mean_usd"];

/// One file out of its header and rows; lines end in `\n`.
fn file(name: &'static str, header: &[String], rows: impl Iterator<Item = Vec<String>>) -> Artefact {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in std::iter::once(header.to_vec()).chain(rows) {
        writer.write_record(&row).expect("every row has the columns of the header, and memory does not fail");
    }
    Artefact { file_name: name.to_owned(), bytes: writer.into_inner().expect("memory does not fail") }
}

/// A text cell: one line, and never the beginning of a formula (a leading `'` makes it text in every spreadsheet).
fn cell(text: &str) -> String {
    let text = clean(text);
    let risky = |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    if text.trim_start().starts_with(risky) { format!("'{text}") } else { text }
}

fn text(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A number; an empty cell for one that does not exist.
fn number(value: f64) -> String {
    if value.is_finite() { value.to_string() } else { String::new() }
}

fn run_header() -> Vec<String> {
    let mut header = text(&["run", "bill_usd"]);
    header.extend(Cause::ALL.map(|cause| format!("{}_usd", cause.name())));
    header.extend(text(&[
        "requests",
        "served",
        "cache_hits",
        "failed",
        "rejected",
        "abandoned",
        "lost",
        "in_flight",
        "fallbacks",
        "upstream_calls",
        "fallback_premium_usd",
        "reported_spend_usd",
        "latency_p50_s",
        "latency_p95_s",
        "latency_p99_s",
        "client_retries",
    ]));
    header
}

fn run(row: &RunRow) -> Vec<String> {
    let mut cells = vec![row.run.to_string(), row.bill.to_string()];
    cells.extend(row.by_cause.iter().map(|(_, amount)| amount.to_string()));
    let counts = [
        row.requests,
        row.served,
        row.cache_hits,
        row.failed,
        row.rejected,
        row.abandoned,
        row.lost,
        row.in_flight,
        row.fallbacks,
        row.attempts,
    ];
    cells.extend(counts.map(|count| count.to_string()));
    cells.extend([row.fallback_premium.to_string(), row.reported_spend.to_string()]);
    cells.extend(latency(row.latency_s));
    cells.push(row.client_retries.to_string());
    cells
}

fn latency(latency: LatencyStats) -> [String; 3] {
    [latency.p50, latency.p95, latency.p99].map(number)
}

/// Each name four times: `name_p5`, `name_p50`, `name_mean`, `name_p95`, with the unit last.
fn band_header(name: &str, unit: &str) -> [String; 4] {
    ["p5", "p50", "mean", "p95"].map(|which| format!("{name}_{which}{unit}"))
}

fn band(band: Band) -> [String; 4] {
    [band.p5, band.p50, band.mean, band.p95].map(number)
}

fn hour_header() -> Vec<String> {
    let bands = [
        ("requests", ""),
        ("upstream_calls", ""),
        ("failure_rate", ""),
        ("fallback_share", ""),
        ("spend", "_usd"),
        ("cumulative_spend", "_usd"),
    ];
    let mut header = text(&["hour", "start_local"]);
    header.extend(bands.iter().flat_map(|(name, unit)| band_header(name, unit)));
    header
}

fn hour(row: &HourRow) -> Vec<String> {
    let bands = [row.requests, row.attempts, row.failure_rate, row.fallback_share, row.spend, row.cumulative_spend];
    let mut cells = vec![row.hour.to_string(), cell(&row.label)];
    cells.extend(bands.into_iter().flat_map(band));
    cells
}

fn hourly_spend(forecast: &Forecast) -> impl Iterator<Item = Vec<String>> {
    forecast.hours.iter().flat_map(|hour| {
        forecast.deployments.iter().zip(&hour.spend_by_deployment).map(|(deployment, spend)| {
            vec![
                hour.hour.to_string(),
                cell(&hour.label),
                cell(&deployment.name),
                cell(&deployment.group),
                cell(&deployment.model),
                number(*spend),
            ]
        })
    })
}

fn cause(line: &crate::report::view::CauseLine) -> Vec<String> {
    vec![line.cause.name().to_owned(), line.amount.to_string(), number(line.share)]
}

fn deployment_header() -> Vec<String> {
    let mut header = text(&[
        "deployment",
        "group",
        "model",
        "provider",
        "priced",
        "bill_mean_usd",
        "bill_p95_usd",
        "upstream_calls_mean",
        "served_mean",
        "errors_429_mean",
        "errors_5xx_mean",
        "errors_timeout_mean",
        "errors_auth_mean",
        "errors_other_4xx_mean",
        "cancelled_mean",
        "input_tokens_mean",
        "output_tokens_mean",
        "latency_p50_s",
        "latency_p95_s",
        "latency_p99_s",
        "cooldowns_mean",
        "cooldown_share",
    ]);
    for name in ["requests_per_minute", "tokens_per_minute", "in_flight"] {
        header.extend(["p50", "p95", "p999", "peak", "limit"].map(|which| format!("{name}_{which}")));
    }
    header
}

fn deployment(row: &DeploymentRow) -> Vec<String> {
    let mut cells = [&row.name, &row.group, &row.model, &row.provider].map(|name| cell(name)).to_vec();
    cells.extend([row.priced.to_string(), row.bill_mean.to_string(), row.bill_p95.to_string()]);
    let errors = &row.errors;
    let numbers = [
        row.attempts,
        row.served,
        errors.rate_limited,
        errors.server,
        errors.timeout,
        errors.auth,
        errors.client,
        errors.cancelled,
        row.input_tokens,
        row.output_tokens,
    ];
    cells.extend(numbers.map(number));
    cells.extend(latency(row.latency_s));
    cells.extend([row.cooldowns, row.cooldown_share].map(number));
    cells.extend(demand(row.requests_per_minute, row.rpm_limit));
    cells.extend(demand(row.tokens_per_minute, row.tpm_limit));
    cells.extend(demand(row.concurrency, row.concurrency_limit));
    cells
}

fn demand(demand: Demand, limit: Option<f64>) -> Vec<String> {
    let mut cells = [demand.p50, demand.p95, demand.p999, demand.peak].map(number).to_vec();
    cells.push(limit.map(number).unwrap_or_default());
    cells
}

fn share(row: &ShareRow) -> Vec<String> {
    vec![
        cell(&row.name),
        cell(row.team.as_deref().unwrap_or_default()),
        number(row.requests),
        number(row.failed),
        row.bill_mean.to_string(),
        row.bill_p95.to_string(),
    ]
}

fn edge(row: &crate::experiment::EdgeRow) -> Vec<String> {
    vec![cell(&row.from), cell(&row.to), number(row.charges), row.amount.to_string(), row.premium.to_string()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula() {
        for hostile in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
            let text = cell(hostile);
            assert!(text.starts_with('\''), "{hostile:?} became {text:?}");
        }
        assert_eq!(cell("gpt-4o"), "gpt-4o");
    }
}

//! `forecast.json`: the stable contract for programs (`docs/forecast-json.md`). Money is a decimal string, never a JSON
//! number; keys stand in a fixed order; what has no value is `null`. Names are exact here, not cleaned.

mod read;

pub use read::{ReadError, read};

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use crate::diagnostic::{Diagnostic, masked};
use crate::experiment::{
    Assumption, Band, ChargeRow, DayRow, Demand, DeploymentRow, EdgeRow, ErrorCounts, Finding, Forecast, HourRow,
    LatencyStats, MeterRow, MoneyBand, PercentileRun, ProviderRow, RateStats, RunRow, ShareRow, Timeline, UnpricedRow,
    WhyNotRow,
};
use crate::ledger::Causes;
use crate::report::text::is_unprintable;
use crate::report::view::View;
use crate::units::Money;

/// The id of this layout; the number grows when a field changes its meaning or goes away.
pub const SCHEMA: &str = "billcast.forecast/1";

/// The bytes of `forecast.json`.
pub fn json(view: &View<'_>) -> Vec<u8> {
    json_text(&Document(view)).into_bytes()
}

/// A document as text that is safe to print.
pub(super) fn bytes(document: &Value) -> Vec<u8> {
    json_text(document).into_bytes()
}

/// A document as text that is safe to print.
pub fn json_text(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("values of a tree have a text");
    if !text.chars().any(|c| c != '\n' && is_unprintable(c)) {
        text.push('\n');
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        match c {
            '\n' => safe.push(c),
            c if is_unprintable(c) => push_escaped(&mut safe, c),
            c => safe.push(c),
        }
    }
    safe.push('\n');
    safe
}

/// Writes a character as `\uXXXX`, so that printing the document cannot drive a terminal. Only strings can hold one.
fn push_escaped(text: &mut String, c: char) {
    let mut units = [0; 2];
    for unit in c.encode_utf16(&mut units) {
        text.push_str(&format!("\\u{unit:04x}"));
    }
}

/// The document as a tree.
pub(super) fn document(view: &View<'_>) -> Value {
    serde_json::to_value(Document(view)).expect("a document is a tree")
}

/// The document, in its order.
struct Document<'a>(&'a View<'a>);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(view) = *self;
        let mut map = serializer.serialize_map(None)?;
        write_all(&mut map, &contract(view))?;
        write_all(&mut map, &further(view))?;
        let Forecast { runs, hours, days, percentile_runs, expensive, .. } = view.forecast;
        map.serialize_entry("hours", &Rows(hours, hour))?;
        map.serialize_entry("run_results", &Rows(runs, run))?;
        map.serialize_entry("days", &Rows(days, day))?;
        map.serialize_entry("percentile_runs", &Rows(percentile_runs, PercentileDocument))?;
        map.serialize_entry("expensive_run", &expensive.as_ref().map(timeline))?;
        map.end()
    }
}

fn write_all<M: SerializeMap>(map: &mut M, object: &Value) -> Result<(), M::Error> {
    object.as_object().into_iter().flatten().try_for_each(|(key, value)| map.serialize_entry(key, value))
}

/// Rows that are written one at a time: there may be millions (runs; hours by deployment; charges by day, deployment
/// and key), and a tree takes ten times as much memory as its text.
struct Rows<'a, T, R>(&'a [T], fn(&'a T) -> R);

impl<T, R: Serialize> Serialize for Rows<'_, T, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}

/// A run at a percentile, with all its charges.
struct PercentileDocument<'a>(&'a PercentileRun);

impl Serialize for PercentileDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let PercentileRun { percentile, run, bill, charges, .. } = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("percentile", percentile)?;
        map.serialize_entry("run", run)?;
        map.serialize_entry("bill", bill)?;
        map.serialize_entry("charges", &Rows(charges, charge))?;
        map.end()
    }
}

/// What every version of this layout has.
fn contract(view: &View<'_>) -> Value {
    let forecast = view.forecast;
    let about = &forecast.about;
    json!({
        "schema": SCHEMA,
        "scenario": about.scenario,
        "seed": about.seed,
        "runs": about.runs,
        "horizon_hours": about.horizon_hours,
        "gateway": { "name": about.gateway, "profile": about.profile },
        "bill": bill(forecast),
        "failure_rate": rate(forecast.failure_rate),
        "fallback_share": rate(forecast.fallback_share),
        "requests": counts(forecast.requests),
        "upstream_calls": counts(forecast.upstream_calls),
        "latency_s": latency(forecast.latency_s),
        "cost_by_cause": causes(&forecast.cost_by_cause),
        "fallback_premium": { "mean": forecast.fallback_premium },
        "unpriced": forecast.unpriced.iter().map(unpriced).collect::<Vec<_>>(),
        "assumptions": forecast.assumptions.iter().map(assumption).collect::<Vec<_>>(),
        "diagnostics": forecast.diagnostics.iter().map(diagnostic).collect::<Vec<_>>(),
    })
}

/// What is there as well.
fn further(view: &View<'_>) -> Value {
    let forecast = view.forecast;
    let about = &forecast.about;
    let units = view.unit_costs;
    json!({
        "description": about.description,
        "partial": about.partial,
        "start": about.start,
        "prices_as_of": about.prices_as_of,
        "billcast_version": about.version,
        "command": about.command,
        "reported_spend": { "mean": forecast.reported_spend, "missing_mean": view.unreported },
        "unit_costs": {
            "per_1k_requests": units.per_1k_requests,
            "per_1k_served": units.per_1k_served,
            "per_million_tokens": units.per_million_tokens,
        },
        "intents": counts(forecast.intents),
        "unanswered_rate": rate(forecast.unanswered_rate),
        "calls_per_request": view.calls_per_request,
        "findings": forecast.findings.iter().map(finding).collect::<Vec<_>>(),
        "alerts": forecast.alerts.as_ref().map(crate::report::alerts::to_json),
        "next": forecast.next,
        "policies": crate::report::gates::to_json(&forecast.policies),
        "failed_by_reason": why_nots(&forecast.why_not),
        "edges": forecast.edges.iter().map(edge).collect::<Vec<_>>(),
        "budget": { "run": forecast.budget.horizon, "day": forecast.budget.day, "month": forecast.budget.month },
        "holidays": forecast.holidays.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "lasting": forecast.lasting,
        "written": forecast.written.iter().map(assumption).collect::<Vec<_>>(),
        "providers": forecast.providers.iter().map(provider).collect::<Vec<_>>(),
        "deployments": forecast.deployments.iter().map(deployment).collect::<Vec<_>>(),
        "classes": forecast.classes.iter().map(share).collect::<Vec<_>>(),
        "keys": forecast.keys.iter().map(key).collect::<Vec<_>>(),
    })
}

fn bill(forecast: &Forecast) -> Value {
    let bill = &forecast.bill;
    json!({
        "currency": "USD",
        "mean": bill.mean, "p5": bill.p5, "p50": bill.p50, "p80": bill.p80, "p95": bill.p95, "p99": bill.p99,
        "max": bill.max,
        "ci95_p95": bill.ci95_p95, "ci95_mean": bill.ci95_mean, "ci95_p50": bill.ci95_p50,
        "mean_worth_runs": (bill.worth_runs > 0.0).then_some(bill.worth_runs),
    })
}

fn rate(rate: RateStats) -> Value {
    json!({ "mean": rate.mean, "p50": rate.p50, "p95": rate.p95, "ci95_half_width": rate.ci95_half_width })
}

fn counts(counts: crate::experiment::CountStats) -> Value {
    json!({ "mean": counts.mean, "p5": counts.p5, "p95": counts.p95 })
}

fn latency(latency: Option<LatencyStats>) -> Value {
    let [p50, p95, p99] = LatencyStats::quantiles(latency);
    json!({ "p50": p50, "p95": p95, "p99": p99 })
}

fn causes(causes: &Causes<Money>) -> Value {
    Value::Object(causes.iter().map(|(cause, amount)| (cause.name().to_owned(), json!(amount))).collect::<Map<_, _>>())
}

fn unpriced(row: &UnpricedRow) -> Value {
    json!({
        "model": row.model, "calls": row.calls, "input_tokens": row.input_tokens, "output_tokens": row.output_tokens,
    })
}

fn assumption(row: &Assumption) -> Value {
    let as_of = (!row.as_of.is_empty()).then_some(&row.as_of);
    json!({
        "name": row.name, "value": row.value, "assumed_by": row.assumed_by, "source": row.source, "as_of": as_of,
    })
}

fn diagnostic(diagnostic: &Diagnostic) -> Value {
    let place = (diagnostic.span.line > 0).then_some(diagnostic.span);
    json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "file": (!diagnostic.file.is_empty()).then(|| masked(&diagnostic.file)),
        "line": place.map(|span| span.line),
        "column": place.map(|span| span.column),
        "message": masked(&diagnostic.message),
        "help": diagnostic.help.as_deref().map(masked),
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "code": finding.code, "title": finding.title, "detail": finding.detail, "money_mean": finding.money,
    })
}

fn edge(edge: &EdgeRow) -> Value {
    json!({
        "from": edge.from, "to": edge.to, "charges": edge.charges, "amount_mean": edge.amount,
        "premium_mean": edge.premium,
    })
}

fn deployment(row: &DeploymentRow) -> Value {
    json!({
        "name": row.name, "group": row.group, "model": row.model, "provider": row.provider, "priced": row.priced,
        "bill_mean": row.has_known_cost().then_some(row.bill_mean),
        "bill_p95": row.has_known_cost().then_some(row.bill_p95),
        "attempts": row.attempts, "served": row.served,
        "errors": errors(&row.errors),
        "input_tokens": row.input_tokens, "output_tokens": row.output_tokens, "unpriced_tokens": row.unpriced_tokens,
        "latency_s": latency(row.latency_s),
        "cooldowns": row.cooldowns, "cooldown_share": row.cooldown_share,
        "requests_per_minute": demand(row.requests_per_minute, row.rpm_limit),
        "tokens_per_minute": demand(row.tokens_per_minute, row.tpm_limit),
        "concurrency": demand(row.concurrency, row.concurrency_limit),
        "meters": row.meters.iter().map(meter).collect::<Vec<_>>(),
    })
}

fn meter(row: &MeterRow) -> Value {
    json!({ "kind": row.kind.name(), "quantity": row.quantity, "amount_mean": row.amount })
}

fn errors(errors: &ErrorCounts) -> Value {
    json!({
        "rate_limited": errors.rate_limited, "server": errors.server, "timeout": errors.timeout,
        "auth": errors.auth, "client": errors.client, "cancelled": errors.cancelled,
    })
}

fn provider(row: &ProviderRow) -> Value {
    json!({
        "name": row.name,
        "bill_mean": row.priced.then_some(row.bill_mean), "bill_p95": row.priced.then_some(row.bill_p95),
        "attempts": row.attempts, "served": row.served, "errors": errors(&row.errors),
        "latency_s": latency(row.latency_s),
    })
}

/// A number without `.0`.
fn plain(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 { json!(number as i64) } else { json!(number) }
}

fn day(row: &DayRow) -> Value {
    json!({
        "date": row.date.to_string(), "hours": plain(row.hours), "of_hours": row.of_hours, "holiday": row.holiday,
        "bills": row.bills,
    })
}

fn charge(row: &ChargeRow) -> Value {
    json!({
        "day": row.day.to_string(), "deployment": row.deployment, "key": row.key, "model": row.model,
        "commitment": row.commitment,
        "cause": row.cause.name(),
        "kind": row.kind.name(), "quantity": row.quantity, "amount": row.amount,
    })
}

fn demand(demand: Demand, limit: Option<f64>) -> Value {
    json!({ "p50": demand.p50, "p95": demand.p95, "p999": demand.p999, "peak": demand.peak, "limit": limit })
}

fn share(row: &ShareRow) -> Value {
    json!({
        "name": row.name, "team": row.team, "requests": row.requests, "failed": row.failed,
        "bill_mean": row.priced.then_some(row.bill_mean), "bill_p95": row.priced.then_some(row.bill_p95),
    })
}

fn key(row: &ShareRow) -> Value {
    let mut value = share(row);
    value["failed_by_reason"] = why_nots(&row.why_not);
    value
}

fn why_nots(rows: &[WhyNotRow]) -> Value {
    let row = |row: &WhyNotRow| json!({ "reason": row.why.name(), "stage": row.why.stage().name(), "requests": row.requests });
    rows.iter().map(row).collect()
}

fn band(band: Band) -> Value {
    json!({ "p5": band.p5, "p50": band.p50, "mean": band.mean, "p95": band.p95 })
}

fn money_band(band: MoneyBand) -> Value {
    json!({ "p5": band.p5, "p50": band.p50, "mean": band.mean, "p95": band.p95 })
}

fn hour(row: &HourRow) -> Value {
    json!({
        "hour": row.hour, "label": row.label,
        "requests": band(row.requests), "attempts": band(row.attempts),
        "failure_rate": band(row.failure_rate), "fallback_share": band(row.fallback_share),
        "spend_usd": money_band(row.spend), "cumulative_spend_usd": money_band(row.cumulative_spend),
        "spend_by_deployment_mean_usd": row.spend_by_deployment,
    })
}

fn run(row: &RunRow) -> Value {
    json!({
        "run": row.run, "bill": row.bill, "cost_by_cause": causes(&row.by_cause),
        "requests": row.requests, "served": row.served, "cache_hits": row.cache_hits, "failed": row.failed,
        "rejected": row.rejected, "abandoned": row.abandoned, "lost": row.lost, "in_flight": row.in_flight,
        "client_retries": row.client_retries, "fallbacks": row.fallbacks, "upstream_calls": row.attempts,
        "most_upstream_calls": row.most_attempts,
        "fallback_premium": row.fallback_premium, "reported_spend": row.reported_spend,
        "latency_s": latency(row.latency_s),
    })
}

fn timeline(timeline: &Timeline) -> Value {
    let window = |window: &crate::experiment::Window| {
        json!({
            "target": window.target, "kind": window.kind, "from_hour": window.from_hour, "to_hour": window.to_hour,
        })
    };
    json!({
        "run": timeline.run, "bill": timeline.bill, "start": timeline.start, "step_minutes": timeline.step_minutes,
        "windows": timeline.windows.iter().map(window).collect::<Vec<_>>(),
        "steps": timeline.steps.iter().map(|step| json!({
            "requests": step.requests, "failed": step.failed, "fallbacks": step.fallbacks,
            "upstream_calls": step.attempts, "spend": step.spend,
        })).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        static MADE: Cell<usize> = const { Cell::new(0) };
    }

    #[test]
    fn rows_are_made_one_at_a_time() {
        let row = |number: &u32| {
            MADE.set(MADE.get() + 1);
            json!({ "number": number })
        };
        let (numbers, mut room) = (vec![7; 100_000], [0; 1_000]);
        let written = serde_json::to_writer(&mut room[..], &Rows(&numbers, row));
        assert!(written.is_err() && MADE.get() < 100, "{} rows for the first thousand bytes", MADE.get());
    }
}

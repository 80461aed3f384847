//! What was simulated, run by run, hour by hour and day by day.

use crate::experiment::{Band, Forecast, HourRow, MoneyBand, RunRow};
use crate::ledger::Cause;
use crate::report::data::shares::latency;
use crate::report::data::{Cell, Dataset, money_or_none, number, text};
use crate::report::view::View;

/// What was simulated, so that the files of a folder say it without the others.
pub fn about(view: &View<'_>) -> Dataset {
    let about = &view.forecast.about;
    let facts = [
        ("scenario", about.scenario.clone()),
        ("seed", about.seed.to_string()),
        ("runs", about.runs.to_string()),
        ("partial", about.partial.to_string()),
        ("horizon_hours", about.horizon_hours.to_string()),
        ("start", about.start.clone()),
        ("gateway", about.gateway.to_string()),
        ("profile", about.profile.to_string()),
        ("prices_as_of", about.prices_as_of.clone()),
        ("billcast_version", about.version.to_string()),
        ("command", about.command.clone()),
        ("bill_mean_usd", view.forecast.bill.mean.to_string()),
    ];
    Dataset::new("about", "what value", facts.iter().map(|(what, value)| vec![text(what), text(value)]))
}

/// Run by run.
pub fn runs(forecast: &Forecast) -> Dataset {
    let causes: String = Cause::ALL.map(|cause| format!("{}_usd:money ", cause.name())).concat();
    let headings = format!(
        "run:count bill_usd:money {causes} requests:count served:count cache_hits:count failed:count rejected:count \
         abandoned:count in_flight:count fallbacks:count upstream_calls:count fallback_premium_usd:money \
         reported_spend_usd:money latency_p50_s:number latency_p95_s:number latency_p99_s:number \
         client_retries:count most_upstream_calls:count lost:count"
    );
    Dataset::new("runs", &headings, forecast.runs.iter().map(run))
}

fn run(row: &RunRow) -> Vec<Cell> {
    let mut cells = vec![Cell::Count(row.run), Cell::Money(row.bill)];
    cells.extend(row.by_cause.iter().map(|(_, amount)| Cell::Money(*amount)));
    let counts = [
        row.requests,
        row.served,
        row.cache_hits,
        row.failed,
        row.rejected,
        row.abandoned,
        row.in_flight,
        row.fallbacks,
        row.attempts,
    ];
    cells.extend(counts.map(Cell::Count));
    cells.extend([row.fallback_premium, row.reported_spend].map(Cell::Money));
    cells.extend(latency(row.latency_s));
    cells.extend([row.client_retries, u64::from(row.most_attempts), row.lost].map(Cell::Count));
    cells
}

/// Hour by hour: bands over the runs.
pub fn hours(forecast: &Forecast) -> Dataset {
    let bands = [
        ("requests", "", "number"),
        ("upstream_calls", "", "number"),
        ("failure_rate", "", "share"),
        ("fallback_share", "", "share"),
        ("spend", "_usd", "money"),
        ("cumulative_spend", "_usd", "money"),
    ];
    let four = |(name, unit, kind): (&str, &str, &str)| {
        ["p5", "p50", "mean", "p95"].map(|which| format!("{name}_{which}{unit}:{kind} ")).concat()
    };
    let headings = format!("hour:count start_local utc_offset {}", bands.map(four).concat());
    let start = start(forecast);
    Dataset::new("hours", &headings, forecast.hours.iter().map(|row| hour(row, start.as_ref())))
}

/// The begin of the run.
fn start(forecast: &Forecast) -> Option<jiff::Zoned> {
    forecast.about.start.parse().ok()
}

/// How far the local clock is ahead of UTC in an hour: two hours of the night in which the clocks go
/// back show the same time.
fn utc_offset(row: &HourRow, start: Option<&jiff::Zoned>) -> Cell {
    let hour = jiff::SignedDuration::from_hours(i64::from(row.hour));
    let at = start.and_then(|start| start.checked_add(hour).ok());
    at.map_or(Cell::Missing, |at| text(&at.strftime("UTC%:z").to_string()))
}

fn hour(row: &HourRow, start: Option<&jiff::Zoned>) -> Vec<Cell> {
    let bands = [row.requests, row.attempts, row.failure_rate, row.fallback_share];
    let band = |band: Band| [band.p5, band.p50, band.mean, band.p95].map(number);
    let mut cells = vec![Cell::Count(u64::from(row.hour)), text(&row.label), utc_offset(row, start)];
    cells.extend(bands.into_iter().flat_map(band));
    let amounts = |band: MoneyBand| [band.p5, band.p50, band.mean, band.p95].map(Cell::Money);
    cells.extend([row.spend, row.cumulative_spend].into_iter().flat_map(amounts));
    cells
}

/// Mean spend by hour and deployment.
pub fn hourly_spend(forecast: &Forecast) -> Dataset {
    let start = start(forecast);
    let rows = forecast.hours.iter().flat_map(|hour| {
        let offset = utc_offset(hour, start.as_ref());
        forecast.deployments.iter().zip(&hour.spend_by_deployment).map(move |(deployment, spend)| {
            let names = [&deployment.name, &deployment.group, &deployment.model];
            let mut cells = vec![Cell::Count(u64::from(hour.hour)), text(&hour.label), offset.clone()];
            cells.extend(names.map(|name| text(name)));
            cells.push(Cell::Money(*spend));
            cells
        })
    });
    Dataset::new(
        "hours_by_deployment",
        "hour:count start_local utc_offset deployment group model spend_mean_usd:money",
        rows,
    )
}

/// What each run is charged on each local day.
pub fn days(forecast: &Forecast) -> Dataset {
    let rows = forecast.days.iter().flat_map(|day| {
        day.bills.iter().zip(&forecast.runs).map(|(bill, run)| {
            vec![
                text(&day.date.to_string()),
                text(weekday(day.date)),
                Cell::Number(day.hours),
                Cell::Count(u64::from(day.of_hours)),
                Cell::Count(run.run),
                Cell::Money(*bill),
            ]
        })
    });
    Dataset::new("days", "date weekday hours:number of_hours:count run:count bill_usd:money", rows)
}

/// The English name of a day of the week.
pub fn weekday(date: jiff::civil::Date) -> &'static str {
    const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    NAMES[date.weekday().to_monday_zero_offset() as usize]
}

/// Mean and percentiles of the bill with their intervals.
pub fn percentiles(view: &View<'_>) -> Dataset {
    let rows = view.percentiles.iter().map(|line| {
        let [low, high] = line.ends.map_or([None, None], |[low, high]| [Some(low), Some(high)]);
        vec![text(line.label), Cell::Money(line.amount), money_or_none(low), money_or_none(high)]
    });
    Dataset::new("percentiles", "statistic bill_usd:money ci95_low_usd:money ci95_high_usd:money", rows)
}

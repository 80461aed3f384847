//! The configurations of a sweep as a table, and as the rows of CSV and Parquet.

use crate::experiment::{Point, Sweep};
use crate::report::csv_files::csv_files;
use crate::report::data::{Cell, Column, Dataset, Kind, number};
use crate::report::text::{clean, ellipsis, money, money_of, percent};
use crate::report::view::{Column as Heading, Table};

/// Configuration by configuration.
pub fn points(sweep: &Sweep) -> Table {
    let mut table =
        Table::new("points", "Configurations", &[]).with_note("Means and percentiles of the bill of one horizon.");
    // The headings of the axes are the ends of their paths, which a table of static headings cannot have.
    table.columns = vec![Heading { title: "Values", numeric: false }];
    let numbers = ["Mean", "P50", "P95", "Difference", "95% CI", "Failures", "Fallbacks"];
    table.columns.extend(numbers.map(|title| Heading { title, numeric: true }));
    table.rows = sweep
        .points
        .iter()
        .map(|point| {
            let named = sweep.axes.iter().zip(&point.values);
            let values: Vec<String> =
                named.map(|(axis, value)| format!("{}={}", last(&axis.path), clean(value))).collect();
            let ends = [point.delta.interval.low, point.delta.interval.high].map(signed);
            vec![
                ellipsis(&values.join(" "), 60),
                money(point.bill.mean),
                money(point.bill.p50),
                money(point.bill.p95),
                signed(point.delta.point),
                ends.join(" to "),
                percent(point.failure_rate.mean),
                percent(point.fallback_share.mean),
            ]
        })
        .collect();
    table
}

/// The end of a path: what a reader needs to tell axes apart.
pub fn last(path: &str) -> String {
    clean(path.rsplit('.').next().unwrap_or(path))
}

fn signed(dollars: f64) -> String {
    if dollars > 0.0 { format!("+{}", money_of(dollars)) } else { money_of(dollars) }
}

/// Every configuration with all that is known of it, for programs: what CSV and Parquet hold. Money is exact.
pub fn dataset(sweep: &Sweep) -> Dataset {
    let figures = "bill_mean_usd:money bill_p5_usd:money bill_p50_usd:money bill_p80_usd:money bill_p95_usd:money \
        bill_p99_usd:money bill_max_usd:money delta_mean_usd:number delta_low_usd:number delta_high_usd:number \
        failure_rate:share fallback_share:share fallback_premium_usd:money requests:number upstream_calls:number \
        latency_p95_s:number";
    let kinds: Vec<Kind> = (0..sweep.axes.len()).map(|axis| kind(sweep, axis)).collect();
    let values = |point: &Point| point.values.iter().zip(&kinds).map(|(value, kind)| cell(value, *kind)).collect();
    let row = |point: &Point| [values(point), figures_of(point)].concat();
    let mut dataset = Dataset::new("sweep", figures, sweep.points.iter().map(row));
    let axes = sweep.axes.iter().zip(&kinds).map(|(axis, kind)| Column { name: axis.path.clone(), kind: *kind });
    dataset.columns.splice(0..0, axes);
    dataset
}

/// An axis is one of numbers where each of its values is a plain one.
fn kind(sweep: &Sweep, axis: usize) -> Kind {
    let mut values = sweep.points.iter().map(|point| point.values[axis].as_str());
    if values.all(|value| plain_number(value).is_some()) { Kind::Number } else { Kind::Text }
}

fn plain_number(value: &str) -> Option<f64> {
    value.parse().ok().filter(|number: &f64| number.is_finite())
}

fn cell(value: &str, kind: Kind) -> Cell {
    match (kind, plain_number(value)) {
        (Kind::Number, Some(number)) => Cell::Number(number),
        _ => Cell::Text(value.to_owned()),
    }
}

fn figures_of(point: &Point) -> Vec<Cell> {
    let Point { bill, delta, .. } = point;
    let mut cells: Vec<Cell> =
        [bill.mean, bill.p5, bill.p50, bill.p80, bill.p95, bill.p99, bill.max].map(Cell::Money).into();
    let shares = [point.failure_rate.mean, point.fallback_share.mean];
    cells.extend([delta.point, delta.interval.low, delta.interval.high].into_iter().chain(shares).map(number));
    cells.push(Cell::Money(point.fallback_premium));
    cells.extend([point.requests, point.upstream_calls, point.latency_p95_s].map(number));
    cells
}

/// `sweep.csv`.
pub fn csv(sweep: &Sweep) -> Vec<u8> {
    let dataset = dataset(sweep);
    csv_files(std::slice::from_ref(&dataset)).swap_remove(0).bytes
}

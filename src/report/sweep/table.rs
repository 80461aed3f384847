//! The configurations of a sweep as a table, and as the rows of CSV and Parquet.

use std::collections::BTreeSet;

use crate::experiment::{Axis, Point, Sweep};
use crate::report::csv_files::csv_files;
use crate::report::data::{Cell, Column, Dataset, Kind, number};
use crate::report::text::{NOTHING, clean, ellipsis, money, money_of, money_units, percent, short_amounts};
use crate::report::view::{Column as Heading, Table};

/// Configuration by configuration: the values, and what they lead to.
pub fn points(sweep: &Sweep) -> Table {
    let numbers = ["#Mean", "#P50", "#P95", "#Difference", "#95% CI", "#Failures", "#Fallbacks"];
    let mut table = Table::new("points", "Configurations", &numbers)
        .with_note("Mean and percentiles of the bill of one horizon. Difference: the mean bill less that of the scenario as it is.");
    let axes = short_names(sweep).into_iter().enumerate();
    table
        .columns
        .splice(0..0, axes.map(|(axis, title)| Heading { title: title.into(), numeric: is_measured(sweep, axis) }));
    let row = |point: &Point| {
        let values = point.values.iter().map(|value| ellipsis(&clean(value), 60));
        values.chain(figures_in_words(point)).collect()
    };
    table.rows = sweep.points.iter().map(row).collect();
    table
}

/// The table without those columns that a terminal of this width has no room for even with large amounts in short, the
/// least telling first.
pub fn fitting(mut table: Table, width: usize) -> Table {
    const NAME: usize = 20;
    let needed = |table: &Table| {
        let widest = |index: usize, heading: &Heading| {
            let cells = table.rows.iter().map(|row| row[index].chars().count()).max().unwrap_or(0);
            if heading.numeric { cells } else { cells.min(NAME) }.max(heading.title.chars().count()) + 2
        };
        table.columns.iter().enumerate().map(|(index, heading)| widest(index, heading)).sum::<usize>()
    };
    if needed(&table) > width {
        table.rows.iter_mut().flatten().for_each(|cell| *cell = short_amounts(cell));
    }
    for title in ["P50", "95% CI", "Fallbacks", "P95", "Failures"] {
        if needed(&table) <= width {
            break;
        }
        let Some(index) = table.columns.iter().rposition(|column| column.title == title) else { continue };
        table.columns.remove(index);
        table.rows.iter_mut().for_each(|row| drop(row.remove(index)));
    }
    table
}

fn figures_in_words(point: &Point) -> [String; 7] {
    let Point { bill, delta, .. } = point;
    let interval = match [delta.interval.low, delta.interval.high] {
        ends if ends.iter().any(|end| !end.is_finite()) => NOTHING.to_owned(),
        [low, high] if low == high => "exactly".to_owned(),
        ends => ends.map(signed).join(" to "),
    };
    [
        money(bill.mean),
        money(bill.p50),
        money(bill.p95),
        signed(delta.point),
        interval,
        percent(point.failure_rate.mean),
        percent(point.fallback_share.mean),
    ]
}

/// Whether all values of an axis are numbers, with or without a unit.
fn is_measured(sweep: &Sweep, axis: usize) -> bool {
    sweep.points.iter().all(|point| Axis::number_of(&point.values[axis]).is_some())
}

/// The ends of the paths: as much of each as tells the axes apart.
pub fn short_names(sweep: &Sweep) -> Vec<String> {
    let parts: Vec<Vec<&str>> = sweep.axes.iter().map(|axis| axis.path.split('.').collect()).collect();
    let end = |parts: &[&str], length: usize| clean(&parts[parts.len().saturating_sub(length)..].join("."));
    let longest = parts.iter().map(Vec::len).max().unwrap_or(1);
    let names = |length| parts.iter().map(|parts| end(parts, length)).collect::<Vec<String>>();
    let differ = |names: &[String]| names.iter().collect::<BTreeSet<_>>().len() == names.len();
    (1..=longest).map(names).find(|names| differ(names)).unwrap_or_else(|| names(longest))
}

fn signed(dollars: f64) -> String {
    if dollars > 0.0 { format!("+{}", money_of(dollars)) } else { money_of(dollars) }
}

/// Every configuration with all that is known of it, for programs: what CSV and Parquet hold. Money is exact.
pub fn dataset(sweep: &Sweep) -> Dataset {
    let figures = "bill_mean_usd:money bill_p5_usd:money bill_p50_usd:money bill_p80_usd:money bill_p95_usd:money \
        bill_p99_usd:money bill_max_usd:money delta_mean_usd:money delta_low_usd:money delta_high_usd:money \
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
    let amount = |dollars: f64| if dollars.is_finite() { Cell::Money(money_units(dollars)) } else { Cell::Missing };
    cells.extend([delta.point, delta.interval.low, delta.interval.high].map(amount));
    cells.extend([point.failure_rate.mean, point.fallback_share.mean].map(number));
    cells.push(Cell::Money(point.fallback_premium));
    cells.extend([point.requests, point.upstream_calls, point.latency_p95_s].map(number));
    cells
}

/// `sweep.csv`.
pub fn csv(sweep: &Sweep) -> Vec<u8> {
    let dataset = dataset(sweep);
    csv_files(std::slice::from_ref(&dataset)).swap_remove(0).bytes
}

//! The configurations of a sweep as a table and as CSV.

use crate::experiment::Sweep;
use crate::report::text::{clean, ellipsis, money, money_of, percent};
use crate::report::view::{Column, Table};
use crate::units::Money;

/// Configuration by configuration.
pub fn points(sweep: &Sweep) -> Table {
    let mut table =
        Table::new("points", "Configurations", &[]).with_note("Means and percentiles of the bill of one horizon.");
    // The headings of the axes are the ends of their paths, which a table of static headings cannot have.
    table.columns = vec![Column { title: "Values", numeric: false }];
    let numbers = ["Mean", "P50", "P95", "Difference", "95% CI", "Failures", "Fallbacks"];
    table.columns.extend(numbers.map(|title| Column { title, numeric: true }));
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

/// Every configuration with all that is known of it; money exact.
pub fn csv(sweep: &Sweep) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut head: Vec<String> = sweep.axes.iter().map(|axis| axis.path.clone()).collect();
    head.extend(
        [
            "bill_mean_usd",
            "bill_p5_usd",
            "bill_p50_usd",
            "bill_p80_usd",
            "bill_p95_usd",
            "bill_p99_usd",
            "bill_max_usd",
            "delta_mean_usd",
            "delta_low_usd",
            "delta_high_usd",
            "failure_rate",
            "fallback_share",
            "fallback_premium_usd",
            "requests",
            "upstream_calls",
            "latency_p95_s",
        ]
        .map(str::to_owned),
    );
    // Writing to memory cannot fail.
    let _ = writer.write_record(&head);
    for point in &sweep.points {
        let bill = &point.bill;
        let mut row = point.values.clone();
        row.extend(
            [bill.mean, bill.p5, bill.p50, bill.p80, bill.p95, bill.p99, bill.max]
                .map(|amount: Money| amount.to_string()),
        );
        let delta = point.delta;
        let numbers =
            [delta.point, delta.interval.low, delta.interval.high, point.failure_rate.mean, point.fallback_share.mean];
        row.extend(numbers.map(|number| number.to_string()));
        row.push(point.fallback_premium.to_string());
        row.extend([point.requests, point.upstream_calls, point.latency_p95_s].map(|number| number.to_string()));
        let _ = writer.write_record(&row);
    }
    writer.into_inner().unwrap_or_default()
}

//! Native charts beside the tables that they show.

use rust_xlsxwriter::{Chart, ChartAxisCrossing, ChartType, Worksheet, XlsxError};

use crate::report::data::Dataset;

/// Bars and lines of a sheet: what they show, by column.
struct Plan {
    kind: ChartType,
    title: &'static str,
    labels: &'static str,
    /// The name of a series, and its column.
    values: &'static [(&'static str, &'static str)],
    axis: &'static str,
    /// Only so many rows are drawn; 0 for all.
    most: usize,
}

fn plan(sheet: &str) -> Option<Plan> {
    let bar = |title, labels, values, most| {
        Some(Plan { kind: ChartType::Bar, title, labels, values, axis: "US dollars", most })
    };
    let line = |title, labels, values| {
        Some(Plan { kind: ChartType::Line, title, labels, values, axis: "US dollars", most: 0 })
    };
    match sheet {
        "By cause" => bar("Mean cost by cause", "label", &[("US dollars", "mean_usd")], 0),
        "By model" => bar("Mean cost by model", "model", &[("US dollars", "bill_mean_usd")], 20),
        "By team" => bar("Mean cost by team", "team", &[("US dollars", "bill_mean_usd")], 20),
        "By key" => bar("Mean cost by key", "name", &[("US dollars", "bill_mean_usd")], 20),
        "By provider" => bar("Mean cost by provider", "provider", &[("US dollars", "bill_mean_usd")], 20),
        "Percentiles" => bar("Bill by percentile", "statistic", &[("US dollars", "bill_usd")], 0),
        "Months" => bar("P95 of the months", "month", &[("US dollars", "p95_usd")], 24),
        "Month by day" => line(
            "Spend since the begin of the month",
            "date",
            &[("P5", "spent_p5_usd"), ("P50", "spent_p50_usd"), ("P95", "spent_p95_usd")],
        ),
        "Hourly" => line(
            "Spend since the start",
            "start_local",
            &[
                ("P5", "cumulative_spend_p5_usd"),
                ("P50", "cumulative_spend_p50_usd"),
                ("P95", "cumulative_spend_p95_usd"),
            ],
        ),
        _ => None,
    }
}

/// Puts the chart of a sheet to the right of its table.
pub fn beside(sheet: &mut Worksheet, name: &str, dataset: &Dataset) -> Result<(), XlsxError> {
    let Some(plan) = plan(name).filter(|_| !dataset.rows.is_empty()) else { return Ok(()) };
    let column = u16::try_from(dataset.columns.len() + 1).unwrap_or(u16::MAX);
    sheet.insert_chart(1, column, &chart(&plan, name, dataset))?;
    Ok(())
}

fn chart(plan: &Plan, name: &str, dataset: &Dataset) -> Chart {
    let rows = if plan.most == 0 { dataset.rows.len() } else { dataset.rows.len().min(plan.most) };
    let last = u32::try_from(rows).unwrap_or(u32::MAX);
    let place = |column: &str| u16::try_from(dataset.column(column).unwrap_or_default()).unwrap_or_default();
    let mut chart = Chart::new(plan.kind);
    for (title, values) in plan.values {
        let (labels, figures) = (place(plan.labels), place(values));
        chart
            .add_series()
            .set_categories((name, 1, labels, last, labels))
            .set_values((name, 1, figures, last, figures))
            .set_name(*title);
    }
    chart.title().set_name(plan.title);
    chart.set_width(560).set_height(360);
    match plan.kind {
        ChartType::Bar => {
            // The first row on top, the amounts below and from zero on.
            chart.y_axis().set_reverse().set_crossing(ChartAxisCrossing::Max);
            chart.x_axis().set_num_format("$#,##0.00").set_min(0);
        }
        _ => {
            chart.y_axis().set_name(plan.axis).set_num_format("$#,##0.00");
        }
    }
    if plan.values.len() == 1 {
        chart.legend().set_hidden();
    }
    chart
}

/// The chart of a sheet, to be put elsewhere.
pub fn of(name: &str, dataset: &Dataset) -> Option<Chart> {
    plan(name).filter(|_| !dataset.rows.is_empty()).map(|plan| chart(&plan, name, dataset))
}

//! Calendar months.

use crate::experiment::{DayBand, MonthRow, Projection};
use crate::report::data::{Cell, Dataset, number, text, text_or_none};

/// A row a month, with the runs that it comes from and whether they were interrupted.
pub fn months(projection: &Projection) -> Dataset {
    let row = |row: &MonthRow| {
        let bill = &row.bill;
        let mut cells = vec![text(&row.month.to_string()), Cell::Count(row.days.into()), Cell::Count(row.hours.into())];
        cells.extend([bill.mean, bill.p5, bill.p50, bill.p80, bill.p95].map(Cell::Money));
        cells.push(row.over_budget.map_or(Cell::Missing, |over| number(over.point)));
        cells.extend(row.used_up.map(|day| text_or_none(day.map(|day| day.to_string()).as_deref())));
        cells.extend([Cell::Count(projection.runs), text(&projection.is_partial.to_string())]);
        cells
    };
    let headings = "month days:count hours:count mean_usd:money p5_usd:money p50_usd:money p80_usd:money \
                    p95_usd:money over_budget:share used_up_1_in_20 used_up_1_in_2 runs:count partial";
    Dataset::new("months", headings, projection.months.iter().map(row))
}

/// The first month day by day: what is spent since its begin.
pub fn month_days(projection: &Projection) -> Dataset {
    let row = |day: &DayBand| {
        let mut cells = vec![text(&day.date.to_string())];
        cells.extend([day.p5, day.p50, day.mean, day.p95].map(Cell::Money));
        cells
    };
    let headings = "date spent_p5_usd:money spent_p50_usd:money spent_mean_usd:money spent_p95_usd:money";
    Dataset::new("month_days", headings, projection.days.iter().map(row))
}

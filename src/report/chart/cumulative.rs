//! How the bill grows over the horizon.

use crate::experiment::{Band, MoneyBand};
use crate::report::chart::Chart;
use crate::report::chart::canvas::{Anchor, Canvas, Rect, text_width};
use crate::report::chart::frame::{
    AXIS_HEIGHT, LABEL, Plot, Unit, fan, fan_legend, fan_peak, legend, nothing, spread, time_axis, time_scale,
    value_axis, value_ceiling,
};
use crate::report::chart::theme::Ink;
use crate::report::text::{dollars, money};
use crate::report::view::View;
use crate::units::Money;

/// The chart.
pub const CHART: Chart = Chart { id: "cumulative-spend", title: "Spend since the start", note, height, paint };

fn height(view: &View<'_>, _: f64) -> f64 {
    if view.forecast.bill.max == Money::ZERO { 100.0 } else { 360.0 }
}

fn note(_: &View<'_>) -> String {
    "Money charged up to each hour: the middle run, and the band that holds nine runs of ten.".to_owned()
}

fn paint(view: &View<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let hours = &view.forecast.hours;
    let Some(last) = hours.last() else { return nothing(canvas, area, "No hour was simulated.") };
    if last.cumulative_spend.p95 <= Money::ZERO && last.cumulative_spend.mean <= Money::ZERO {
        return nothing(canvas, area, "Nothing was charged.");
    }
    let used = legend(canvas, (area.left, area.top), area.width(), &fan_legend(Ink::Blue));
    let inner = area.inset(56.0, used + 30.0, ends_width(&ends(last.cumulative_spend)), AXIS_HEIGHT);
    let spent: Vec<Band> = hours.iter().map(|row| row.cumulative_spend.dollars()).collect();
    let peak = fan_peak(spent.iter());
    let plot = Plot { area: inner, x: time_scale(hours), y: (0.0, value_ceiling(peak, inner.height())) };
    value_axis(canvas, &plot, "US dollars", Unit::Dollars);
    time_axis(canvas, &plot, hours);
    let mut bands = vec![(plot.x.0, Band::default())];
    bands.extend(hours.iter().zip(spent).map(|(row, spent)| (f64::from(row.hour) + 1.0, spent)));
    fan(canvas, &plot, &bands, Ink::Blue);
    for row in hours {
        let band = row.cumulative_spend;
        let (from, to) = (plot.at_x(f64::from(row.hour)), plot.at_x(f64::from(row.hour) + 1.0));
        let note = format!(
            "by the end of the hour from {}: P5 {}, P50 {}, mean {}, P95 {}",
            row.label,
            money(band.p5),
            money(band.p50),
            money(band.mean),
            money(band.p95)
        );
        canvas.hover(Rect::new(from, inner.top, to, inner.bottom), note);
    }
    end_labels(canvas, &plot, last.cumulative_spend);
}

/// What the lines end at.
fn ends(end: MoneyBand) -> [(f64, String); 4] {
    [("P95", end.p95), ("mean", end.mean), ("P50", end.p50), ("P5", end.p5)]
        .map(|(name, amount)| (dollars(amount), format!("{name} {}", money(amount))))
}

/// The room for the labels of the ends.
fn ends_width(ends: &[(f64, String)]) -> f64 {
    ends.iter().map(|(_, text)| text_width(text, LABEL)).fold(0.0, f64::max) + 12.0
}

/// The labels of the ends, beside them.
fn end_labels(canvas: &mut Canvas<'_>, plot: &Plot, end: MoneyBand) {
    let ends = ends(end);
    let heights = ends.each_ref().map(|(value, _)| plot.at_y(*value));
    let placed = spread(&heights, 15.0, plot.area.top, plot.area.bottom);
    for ((_, text), y) in ends.iter().zip(placed) {
        canvas.text(text, (plot.area.right + 6.0, y), LABEL, Ink::Text, Anchor::Start);
    }
}

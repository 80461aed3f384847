//! How the bill grows over the horizon.

use crate::report::chart::Chart;
use crate::report::chart::canvas::{Anchor, Canvas, Rect};
use crate::report::chart::frame::{
    AXIS_HEIGHT, LABEL, Plot, fan, fan_legend, fan_peak, legend, money_tick, nothing, spread, time_axis, time_scale,
    value_axis, value_ceiling,
};
use crate::report::chart::theme::Ink;
use crate::report::text::money_of;
use crate::report::view::View;

/// The chart.
pub const CHART: Chart =
    Chart { id: "cumulative-spend", title: "Spend since the start", note, height: |_, _| 360.0, paint };

fn note(_: &View<'_>) -> String {
    "Money charged up to each hour: the middle run, and the band that holds nine runs of ten.".to_owned()
}

fn paint(view: &View<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let hours = &view.forecast.hours;
    let Some(last) = hours.last() else { return nothing(canvas, area, "No hour was simulated.") };
    let used = legend(canvas, (area.left, area.top), area.width(), &fan_legend(Ink::Blue));
    let inner = area.inset(56.0, used + 30.0, 92.0, AXIS_HEIGHT);
    let peak = fan_peak(hours.iter().map(|row| &row.cumulative_spend));
    let plot = Plot { area: inner, x: time_scale(hours), y: (0.0, value_ceiling(peak, inner.height())) };
    value_axis(canvas, &plot, "US dollars", money_tick);
    time_axis(canvas, &plot, hours);
    let mut bands = vec![(plot.x.0, crate::experiment::Band::default())];
    bands.extend(hours.iter().map(|row| (f64::from(row.hour) + 1.0, row.cumulative_spend)));
    fan(canvas, &plot, &bands, Ink::Blue);
    for row in hours {
        let band = row.cumulative_spend;
        let (from, to) = (plot.at_x(f64::from(row.hour)), plot.at_x(f64::from(row.hour) + 1.0));
        let note = format!(
            "by the end of the hour from {}: P5 {}, P50 {}, mean {}, P95 {}",
            row.label,
            money_of(band.p5),
            money_of(band.p50),
            money_of(band.mean),
            money_of(band.p95)
        );
        canvas.hover(Rect::new(from, inner.top, to, inner.bottom), note);
    }
    end_labels(canvas, &plot, last.cumulative_spend);
}

/// What the lines end at, beside them.
fn end_labels(canvas: &mut Canvas<'_>, plot: &Plot, end: crate::experiment::Band) {
    let ends = [("P95", end.p95), ("mean", end.mean), ("P50", end.p50), ("P5", end.p5)];
    let heights = ends.map(|(_, value)| plot.at_y(value));
    let placed = spread(&heights, 15.0, plot.area.top, plot.area.bottom);
    for ((name, value), y) in ends.iter().zip(placed) {
        let text = format!("{name} {}", money_of(*value));
        canvas.text(&text, (plot.area.right + 6.0, y), LABEL, Ink::Text, Anchor::Start);
    }
}

//! Failure rate and fallback share over time.

use crate::experiment::{Band, HourRow};
use crate::report::chart::Chart;
use crate::report::chart::canvas::{Canvas, Rect};
use crate::report::chart::frame::{
    AXIS_HEIGHT, Plot, Unit, fan, fan_legend, fan_peak, legend, nothing, time_axis, time_scale, value_axis,
    value_ceiling,
};
use crate::report::chart::theme::Ink;
use crate::report::text::percent;
use crate::report::view::View;

/// The chart.
pub const CHART: Chart = Chart {
    id: "failures-and-fallbacks",
    title: "Failures and fallbacks over time",
    note,
    height: |_, _| 480.0,
    paint,
};

fn note(_: &View<'_>) -> String {
    "By the hour in which requests arrive: the share without a good answer, and the share that another group answered."
        .to_owned()
}

fn paint(view: &View<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let hours = &view.forecast.hours;
    if hours.is_empty() {
        return nothing(canvas, area, "No hour was simulated.");
    }
    let middle = (area.top + area.bottom) / 2.0;
    let upper = Rect::new(area.left, area.top, area.right, middle - 4.0);
    let lower = Rect::new(area.left, middle + 4.0, area.right, area.bottom);
    panel(canvas, upper, hours, "failure rate", Ink::Red, |row| row.failure_rate);
    panel(canvas, lower, hours, "fallback share", Ink::Blue, |row| row.fallback_share);
}

fn panel(canvas: &mut Canvas<'_>, area: Rect, hours: &[HourRow], title: &str, ink: Ink, band: fn(&HourRow) -> Band) {
    let used = legend(canvas, (area.left, area.top), area.width(), &fan_legend(ink));
    let inner = area.inset(56.0, used + 26.0, 14.0, AXIS_HEIGHT);
    let bands: Vec<(f64, Band)> = hours.iter().map(|row| (f64::from(row.hour) + 0.5, band(row))).collect();
    let peak = fan_peak(bands.iter().map(|(_, band)| band)).min(1.0);
    let top = if peak > 0.0 { value_ceiling(peak, inner.height()).min(1.0) } else { 0.01 };
    let plot = Plot { area: inner, x: time_scale(hours), y: (0.0, top) };
    value_axis(canvas, &plot, title, Unit::Share);
    time_axis(canvas, &plot, hours);
    fan(canvas, &plot, &bands, ink);
    for row in hours {
        let value = band(row);
        let (from, to) = (plot.at_x(f64::from(row.hour)), plot.at_x(f64::from(row.hour) + 1.0));
        let note = format!(
            "{}, {title}: P5 {}, P50 {}, mean {}, P95 {}",
            row.label,
            percent(value.p5),
            percent(value.p50),
            percent(value.mean),
            percent(value.p95)
        );
        canvas.hover(Rect::new(from, inner.top, to, inner.bottom), note);
    }
}

//! Which models the money goes to, hour by hour.

use crate::report::chart::Chart;
use crate::report::chart::canvas::{Canvas, Point, Rect, Stroke};
use crate::report::chart::frame::{
    AXIS_HEIGHT, Plot, Swatch, Unit, legend, legend_height, nothing, time_axis, time_scale, value_axis, value_ceiling,
};
use crate::report::chart::theme::Ink;
use crate::report::text::{money, money_of};
use crate::report::view::{ModelSpend, View};
use crate::units::Money;

/// The chart.
pub const CHART: Chart = Chart {
    id: "spend-by-model",
    title: "Spend by model over time",
    note: |_| {
        "Mean dollars charged in each hour, the dearest model at the bottom; totals of the horizon beside the names."
            .to_owned()
    },
    height,
    paint,
};

fn height(view: &View<'_>, width: f64) -> f64 {
    let entries = entries(&series(view));
    if entries.is_empty() { 100.0 } else { 330.0 + legend_height(width, &entries) }
}

/// The models with a colour of their own, and all others as one.
fn series(view: &View<'_>) -> Vec<ModelSpend> {
    let mut all: Vec<ModelSpend> = view.models.iter().filter(|model| model.bill_mean != Money::ZERO).cloned().collect();
    if all.len() > Ink::SERIES.len() {
        let rest = all.split_off(Ink::SERIES.len() - 1);
        let mut others = ModelSpend {
            name: format!("{} other models", rest.len()),
            bill_mean: rest.iter().map(|model| model.bill_mean).sum(),
            by_hour: vec![0.0; rest[0].by_hour.len()],
            ..ModelSpend::default()
        };
        for model in &rest {
            others.by_hour.iter_mut().zip(&model.by_hour).for_each(|(sum, spend)| *sum += spend);
        }
        all.push(others);
    }
    all
}

fn entries(series: &[ModelSpend]) -> Vec<(Swatch, String)> {
    let entry = |(model, ink): (&ModelSpend, Ink)| {
        (
            Swatch::Area(ink, 1.0),
            format!("{} {}", crate::report::text::ellipsis(&model.name, 44), money(model.bill_mean)),
        )
    };
    series.iter().zip(Ink::SERIES).map(entry).collect()
}

fn paint(view: &View<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let (hours, series) = (&view.forecast.hours, series(view));
    if series.is_empty() || hours.is_empty() {
        return nothing(canvas, area, "Nothing was charged.");
    }
    let used = legend(canvas, (area.left, area.top), area.width(), &entries(&series));
    let inner = area.inset(56.0, used + 30.0, 14.0, AXIS_HEIGHT);
    let total = |hour: usize| series.iter().map(|model| model.by_hour[hour]).sum::<f64>();
    let peak = (0..hours.len()).map(total).fold(0.0, f64::max);
    let plot = Plot { area: inner, x: time_scale(hours), y: (0.0, value_ceiling(peak, inner.height())) };
    value_axis(canvas, &plot, "US dollars an hour", Unit::Dollars);
    time_axis(canvas, &plot, hours);
    let mut floor = vec![0.0; hours.len()];
    for (model, ink) in series.iter().zip(Ink::SERIES) {
        let ceiling: Vec<f64> = floor.iter().zip(&model.by_hour).map(|(floor, spend)| floor + spend).collect();
        let edge = steps(&plot, &ceiling);
        let mut outline = edge.clone();
        outline.extend(steps(&plot, &floor).into_iter().rev());
        canvas.polygon(&outline, ink, 1.0);
        canvas.line(&edge, Stroke::solid(Ink::Paper, 1.0));
        floor = ceiling;
    }
    for (index, row) in hours.iter().enumerate() {
        let (from, to) = (plot.at_x(plot.x.0 + index as f64), plot.at_x(plot.x.0 + index as f64 + 1.0));
        let parts: Vec<String> =
            series.iter().map(|model| format!("{} {}", model.name, money_of(model.by_hour[index]))).collect();
        let note = format!("{}: {} ({})", row.label, money_of(total(index)), parts.join(", "));
        canvas.hover(Rect::new(from, inner.top, to, inner.bottom), note);
    }
}

/// The outline of values that hold for an hour each.
fn steps(plot: &Plot, values: &[f64]) -> Vec<Point> {
    let edge = |(index, value): (usize, &f64)| {
        let from = plot.x.0 + index as f64;
        [plot.at(from, *value), plot.at(from + 1.0, *value)]
    };
    values.iter().enumerate().flat_map(edge).collect()
}

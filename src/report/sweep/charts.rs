//! What parameters do to the bill: a line for one, a heat map for two, dots for more.

use crate::experiment::{Axis, Band, Point, Sweep, Values};
use crate::report::chart::{
    AXIS_HEIGHT, Anchor, Canvas, Ink, LABEL, Picture, Plot, Rect, Stroke, Unit, fan, fan_legend, fan_peak, fit, legend,
    nothing, value_axis, value_ceiling,
};
use crate::report::scale::{log_ticks, ticks};
use crate::report::sweep::table::short_names;
use crate::report::text::{clean, dollars, ellipsis, money, short_count};

/// All charts of a sweep.
pub fn all<'a>(sweep: &'a Sweep, stamp: &str) -> Vec<Picture<'a>> {
    match sweep.axes.as_slice() {
        [only] if numbers(sweep, 0).is_some() => vec![line(sweep, only, stamp)],
        [_] => vec![ranges(sweep, stamp)],
        [_, _] if is_grid(sweep) => vec![heat_map(sweep, stamp)],
        axes => (0..axes.len()).map(|index| dots(sweep, index, stamp)).collect(),
    }
}

/// The values of an axis as numbers, if all are.
fn numbers(sweep: &Sweep, axis: usize) -> Option<Vec<f64>> {
    sweep.points.iter().map(|point| Axis::number_of(&point.values[axis])).collect()
}

/// The distinct values of an axis, in the order in which they come.
fn distinct(sweep: &Sweep, axis: usize) -> Vec<&str> {
    let mut values: Vec<&str> = Vec::new();
    for point in &sweep.points {
        if !values.contains(&point.values[axis].as_str()) {
            values.push(&point.values[axis]);
        }
    }
    values
}

fn is_grid(sweep: &Sweep) -> bool {
    const MOST: usize = 40;
    let (across, down) = (distinct(sweep, 0).len(), distinct(sweep, 1).len());
    across * down == sweep.points.len() && across <= MOST && down <= MOST
}

fn band(point: &Point) -> Band {
    let [p5, p50, mean, p95] = [point.bill.p5, point.bill.p50, point.bill.mean, point.bill.p95].map(dollars);
    Band { p5, p50, mean, p95 }
}

fn line<'a>(sweep: &'a Sweep, axis: &'a Axis, stamp: &str) -> Picture<'a> {
    Picture {
        id: "sweep",
        title: format!("The bill by {}", ellipsis(&clean(&axis.path), 70)),
        note: "Each value plays the same random weekends; the band holds nine runs of ten.".to_owned(),
        stamp: stamp.to_owned(),
        height: Box::new(|_| 360.0),
        paint: Box::new(move |canvas, area| paint_line(sweep, axis, canvas, area)),
    }
}

fn paint_line(sweep: &Sweep, axis: &Axis, canvas: &mut Canvas<'_>, area: Rect) {
    let is_log = matches!(&axis.values, Values::Range(range) if range.is_log);
    let place = |value: f64| if is_log { libm::log10(value) } else { value };
    let mut bands: Vec<(f64, Band)> =
        numbers(sweep, 0).unwrap_or_default().into_iter().map(place).zip(sweep.points.iter().map(band)).collect();
    bands.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (Some(first), Some(end)) = (bands.first(), bands.last()) else {
        return nothing(canvas, area, "No configuration was completed.");
    };
    if end.0 <= first.0 {
        return nothing(canvas, area, "A single value makes no line.");
    }
    let used = legend(canvas, (area.left, area.top), area.width(), &fan_legend(Ink::Blue));
    let inner = area.inset(60.0, used + 30.0, 36.0, AXIS_HEIGHT);
    let peak = fan_peak(bands.iter().map(|(_, band)| band));
    let plot = Plot { area: inner, x: (first.0, end.0), y: (0.0, value_ceiling(peak, inner.height())) };
    value_axis(canvas, &plot, "US dollars", Unit::Dollars);
    number_axis(canvas, &plot, axis, is_log);
    fan(canvas, &plot, &bands, Ink::Blue);
    for (x, band) in &bands {
        canvas.dot(plot.at(*x, band.p50), 3.0, Ink::Blue);
    }
}

/// A number without what its logarithm has added to it: 5 and not 4.999999999999999.
fn plain(value: f64) -> f64 {
    format!("{value:.9e}").parse().unwrap_or(value)
}

/// An axis of the values of a parameter.
fn number_axis(canvas: &mut Canvas<'_>, plot: &Plot, axis: &Axis, is_log: bool) {
    let unit = match &axis.values {
        Values::Range(range) => range.unit.clone(),
        Values::Choice(_) => String::new(),
    };
    let bottom = plot.area.bottom;
    let is_whole = matches!(&axis.values, Values::Range(range) if range.is_whole);
    let most = ((plot.area.width() / 90.0) as usize).max(2);
    let places = if is_log { log_ticks(plot.x.0, plot.x.1, most) } else { ticks(plot.x.0, plot.x.1, most) };
    for tick in places {
        let value = if is_log { plain(libm::pow(10.0, tick)) } else { tick };
        if is_whole && value.fract() != 0.0 && !is_log {
            continue;
        }
        let x = plot.at_x(tick);
        canvas.line(&[(x, bottom), (x, bottom + 4.0)], Stroke::solid(Ink::Muted, 1.0));
        let text = format!("{}{unit}", short_count(value));
        canvas.text(&text, (x, bottom + 13.0), LABEL, Ink::Muted, Anchor::Middle);
    }
    let middle = (plot.area.left + plot.area.right) / 2.0;
    let title = fit(&clean(&axis.path), LABEL, plot.area.width());
    canvas.text(&title, (middle, bottom + 30.0), LABEL, Ink::Muted, Anchor::Middle);
}

fn ranges<'a>(sweep: &'a Sweep, stamp: &str) -> Picture<'a> {
    Picture {
        id: "sweep",
        title: format!("The bill by {}", ellipsis(&clean(&sweep.axes[0].path), 70)),
        note: "From P5 to P95 of the runs; the dot is the median, the number the mean.".to_owned(),
        stamp: stamp.to_owned(),
        height: Box::new(|_| sweep.points.len().max(2) as f64 * ROW + 40.0),
        paint: Box::new(move |canvas, area| paint_ranges(sweep, canvas, area)),
    }
}

/// Height of a row.
const ROW: f64 = 28.0;

fn paint_ranges(sweep: &Sweep, canvas: &mut Canvas<'_>, area: Rect) {
    if sweep.points.is_empty() {
        return nothing(canvas, area, "No configuration was completed.");
    }
    let labels = area.width() * 0.3;
    let peak = fan_peak(sweep.points.iter().map(band).collect::<Vec<_>>().iter());
    let inner = area.inset(labels, 0.0, 80.0, 40.0);
    let plot = Plot { area: inner, x: (0.0, value_ceiling(peak, inner.width())), y: (0.0, 1.0) };
    dollar_axis(canvas, &plot);
    for (index, point) in sweep.points.iter().enumerate() {
        let (band, y) = (band(point), inner.top + ROW * (index as f64 + 0.5));
        canvas.rect(
            Rect::new(plot.at_x(band.p5), y - 6.0, plot.at_x(band.p95).max(plot.at_x(band.p5) + 1.0), y + 6.0),
            Ink::Sky,
            1.0,
        );
        canvas.dot((plot.at_x(band.p50), y), 5.0, Ink::Blue);
        let label = fit(&clean(&point.values[0]), LABEL, labels - 12.0);
        canvas.text(&label, (inner.left - 8.0, y), LABEL, Ink::Text, Anchor::End);
        canvas.text(&money(point.bill.mean), (area.right, y), LABEL, Ink::Text, Anchor::End);
    }
}

/// An axis of dollars below rows.
pub fn dollar_axis(canvas: &mut Canvas<'_>, plot: &Plot) {
    let (low, high) = plot.x;
    let parts = ((plot.area.width() / 80.0) as usize).max(2);
    let step = crate::report::scale::nice_step(high - low, parts);
    for tick in ticks(low, high, parts) {
        let x = plot.at_x(tick);
        canvas.line(&[(x, plot.area.top), (x, plot.area.bottom)], Stroke::solid(Ink::Grid, 1.0));
        canvas.text(&Unit::Dollars.tick(tick, step), (x, plot.area.bottom + 13.0), LABEL, Ink::Muted, Anchor::Middle);
    }
    canvas.text("US dollars", (plot.area.left, plot.area.bottom + 30.0), LABEL, Ink::Muted, Anchor::Start);
}

fn heat_map<'a>(sweep: &'a Sweep, stamp: &str) -> Picture<'a> {
    Picture {
        id: "sweep",
        title: format!("Mean bill by {}", short_names(sweep).join(" and ")),
        note: "The stronger the colour, the dearer; the frame marks the cheapest configuration.".to_owned(),
        stamp: stamp.to_owned(),
        height: Box::new(|_| distinct(sweep, 1).len().max(2) as f64 * CELL + 56.0),
        paint: Box::new(move |canvas, area| paint_heat_map(sweep, canvas, area)),
    }
}

/// Height of a cell.
const CELL: f64 = 34.0;

fn paint_heat_map(sweep: &Sweep, canvas: &mut Canvas<'_>, area: Rect) {
    let (across, down) = (distinct(sweep, 0), distinct(sweep, 1));
    let bills: Vec<f64> = sweep.points.iter().map(|point| dollars(point.bill.mean)).collect();
    let (low, high) =
        bills.iter().fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), bill| (low.min(*bill), high.max(*bill)));
    let inner = area.inset(130.0f64.min(area.width() * 0.3), 0.0, 4.0, 56.0);
    let wide = inner.width() / across.len().max(1) as f64;
    for (point, bill) in sweep.points.iter().zip(&bills) {
        let place = |values: &[&str], value: &str| values.iter().position(|other| *other == value).unwrap_or(0) as f64;
        let (x, y) = (place(&across, &point.values[0]), place(&down, &point.values[1]));
        let left = inner.left + x * wide;
        let top = inner.top + y * CELL;
        let cell = Rect::new(left + 1.0, top + 1.0, left + wide - 1.0, top + CELL - 1.0);
        let heat = if high > low { (bill - low) / (high - low) } else { 0.0 };
        canvas.rect(cell, Ink::Orange, 0.08 + 0.87 * heat);
        let text = money(point.bill.mean);
        if crate::report::chart::text_width(&text, LABEL) < wide - 4.0 {
            canvas.text(&text, (left + wide / 2.0, top + CELL / 2.0), LABEL, Ink::Text, Anchor::Middle);
        }
        if *bill == low {
            frame(canvas, cell);
        }
        canvas.hover(
            cell,
            format!("{}, {}: mean {text}, P95 {}", point.values[0], point.values[1], money(point.bill.p95)),
        );
    }
    for (index, value) in down.iter().enumerate() {
        let text = fit(&clean(value), LABEL, inner.left - 12.0);
        canvas.text(&text, (inner.left - 8.0, inner.top + CELL * (index as f64 + 0.5)), LABEL, Ink::Text, Anchor::End);
    }
    for (index, value) in across.iter().enumerate() {
        let text = fit(&clean(value), LABEL, wide - 2.0);
        canvas.text(
            &text,
            (inner.left + wide * (index as f64 + 0.5), inner.bottom + 12.0),
            LABEL,
            Ink::Text,
            Anchor::Middle,
        );
    }
    let title = format!("across: {} · down: {}", clean(&sweep.axes[0].path), clean(&sweep.axes[1].path));
    canvas.text(&fit(&title, LABEL, area.width()), (area.left, inner.bottom + 36.0), LABEL, Ink::Muted, Anchor::Start);
}

fn frame(canvas: &mut Canvas<'_>, cell: Rect) {
    let corners = [
        (cell.left, cell.top),
        (cell.right, cell.top),
        (cell.right, cell.bottom),
        (cell.left, cell.bottom),
        (cell.left, cell.top),
    ];
    canvas.line(&corners, Stroke::solid(Ink::Green, 2.5));
}

/// The mean bill of every configuration by one of its parameters.
fn dots<'a>(sweep: &'a Sweep, index: usize, stamp: &str) -> Picture<'a> {
    Picture {
        id: "sweep",
        title: format!("Mean bill by {}", ellipsis(&clean(&sweep.axes[index].path), 70)),
        note: "A dot for each configuration; the other parameters vary too.".to_owned(),
        stamp: stamp.to_owned(),
        height: Box::new(|_| 300.0),
        paint: Box::new(move |canvas, area| paint_dots(sweep, index, canvas, area)),
    }
}

fn paint_dots(sweep: &Sweep, index: usize, canvas: &mut Canvas<'_>, area: Rect) {
    let choices = distinct(sweep, index);
    let choice =
        |point: &Point| choices.iter().position(|value| *value == point.values[index]).unwrap_or(0) as f64 + 0.5;
    let values = numbers(sweep, index);
    let xs: Vec<f64> = values.clone().unwrap_or_else(|| sweep.points.iter().map(choice).collect());
    let (low, high) = match values.is_some() {
        true => {
            xs.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high): (f64, f64), x| (low.min(*x), high.max(*x)))
        }
        false => (0.0, choices.len() as f64),
    };
    if high <= low {
        return nothing(canvas, area, "A single value makes no picture.");
    }
    // No dot lies on the axis of the bill.
    let margin = if values.is_some() { 0.03 * (high - low) } else { 0.0 };
    let (low, high) = (low - margin, high + margin);
    let inner = area.inset(60.0, 30.0, 36.0, AXIS_HEIGHT);
    let peak = sweep.points.iter().map(|point| dollars(point.bill.mean)).fold(0.0, f64::max);
    let plot = Plot { area: inner, x: (low, high), y: (0.0, value_ceiling(peak, inner.height())) };
    value_axis(canvas, &plot, "mean bill, US dollars", Unit::Dollars);
    if values.is_some() {
        number_axis(canvas, &plot, &sweep.axes[index], false);
    } else {
        let wide = inner.width() / choices.len() as f64;
        for (index, value) in choices.iter().enumerate() {
            let x = plot.at_x(index as f64 + 0.5);
            canvas.text(
                &fit(&clean(value), LABEL, wide - 4.0),
                (x, inner.bottom + 13.0),
                LABEL,
                Ink::Muted,
                Anchor::Middle,
            );
        }
    }
    for (x, point) in xs.iter().zip(&sweep.points) {
        canvas.dot(plot.at(*x, dollars(point.bill.mean)), 4.0, Ink::Blue);
    }
}

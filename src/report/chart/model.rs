//! The picture of a model: the hours of its week, and its distributions.

use crate::report::chart::canvas::{Anchor, Canvas, Point, Rect, Stroke, draw};
use crate::report::chart::frame::{LABEL, Plot, Swatch, Unit, legend, legend_height, value_axis, value_ceiling};
use crate::report::chart::theme::Ink;
use crate::report::chart::{WIDE, lines, png};
use crate::report::text::short_count;
use crate::scenario::{Curve, ModelProfile};

const MARGIN: f64 = 20.0;
const WEEK_HEIGHT: f64 = 240.0;
const CURVES_HEIGHT: f64 = 300.0;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The picture as SVG.
pub fn svg(model: &ModelProfile) -> String {
    let title = format!("{} – {}", model.name, model.about);
    let entries = entries(model);
    let has_week = !model.week.is_empty();
    let sources = sources(model);
    let week = if has_week { WEEK_HEIGHT } else { 0.0 };
    let curves =
        if model.curves.is_empty() { 0.0 } else { CURVES_HEIGHT + legend_height(WIDE - 2.0 * MARGIN, &entries) };
    let height = 50.0 + week + curves + 15.0 * sources.len() as f64 + 24.0;
    draw(WIDE, height, &title, |canvas| {
        canvas.rect(Rect::new(0.0, 0.0, WIDE, height), Ink::Paper, 1.0);
        canvas.text(&title, (MARGIN, 26.0), 18.0, Ink::Text, Anchor::Start);
        let at = |top: f64, height: f64| Rect::new(MARGIN, top, WIDE - MARGIN, top + height);
        if has_week {
            paint_week(canvas, at(50.0, week), &model.week);
        }
        if !model.curves.is_empty() {
            paint_curves(canvas, at(50.0 + week, curves), model, &entries);
        }
        for (number, line) in sources.iter().enumerate() {
            let y = 50.0 + week + curves + 12.0 + 15.0 * number as f64;
            canvas.text(line, (MARGIN, y), 10.0, Ink::Muted, Anchor::Start);
        }
    })
}

/// The picture as PNG.
pub fn picture(model: &ModelProfile) -> Vec<u8> {
    png::render(&svg(model))
}

/// The fields that are drawn, with where they come from.
fn sources(model: &ModelProfile) -> Vec<String> {
    let drawn =
        |name: &str| matches!(name, "shape" | "latency" | "models") || model.curves.iter().any(|c| c.name == name);
    let fields = model.described.fields.iter().filter(|field| drawn(&field.name) && !field.source.is_empty());
    let mut told: Vec<(String, String)> = Vec::new();
    for field in fields {
        let source = format!("{} ({})", field.source, field.as_of);
        match told.iter_mut().find(|(_, other)| *other == source) {
            Some((names, _)) => names.push_str(&format!(", {}", field.name)),
            None => told.push((field.name.clone(), source)),
        }
    }
    let texts = told.iter().map(|(names, source)| format!("{names}: {source}"));
    texts.flat_map(|text| lines(&text, 10.0, WIDE - 2.0 * MARGIN)).collect()
}

fn paint_week(canvas: &mut Canvas<'_>, area: Rect, week: &[f64]) {
    let inner = area.inset(40.0, 24.0, 4.0, 40.0);
    let peak = week.iter().copied().fold(0.0, f64::max);
    let plot = Plot { area: inner, x: (0.0, week.len() as f64), y: (0.0, value_ceiling(peak, inner.height())) };
    canvas.set_origin((0.0, 0.0));
    value_axis(canvas, &plot, "", Unit::Share);
    let title = "requests in each hour of the week, by the local clock, relative to the mean hour";
    canvas.text(title, (area.left, area.top + 6.0), LABEL, Ink::Muted, Anchor::Start);
    for (day, name) in DAYS.iter().enumerate() {
        let (from, to) = (plot.at_x(day as f64 * 24.0), plot.at_x((day + 1) as f64 * 24.0));
        canvas.line(&[(from, inner.top), (from, inner.bottom + 4.0)], Stroke::solid(Ink::Grid, 1.0));
        canvas.text(name, ((from + to) / 2.0, inner.bottom + 15.0), LABEL, Ink::Text, Anchor::Middle);
    }
    let edge = |(hour, weight): (usize, &f64)| {
        let from = hour as f64;
        [plot.at(from, *weight), plot.at(from + 1.0, *weight)]
    };
    let line: Vec<Point> = week.iter().enumerate().flat_map(edge).collect();
    let ends = [(inner.right, inner.bottom), (inner.left, inner.bottom)];
    canvas.polygon(&line.iter().copied().chain(ends).collect::<Vec<_>>(), Ink::Sky, 0.35);
    canvas.line(&line, Stroke::solid(Ink::Blue, 1.5));
    for (hour, weight) in week.iter().enumerate() {
        let place = Rect::new(plot.at_x(hour as f64), inner.top, plot.at_x(hour as f64 + 1.0), inner.bottom);
        canvas.hover(place, format!("{} {:02}:00: {:.0}%", DAYS[hour / 24 % 7], hour % 24, weight * 100.0));
    }
}

/// A value in words that fit its unit.
fn value(value: f64, unit: &str) -> String {
    match unit {
        "tokens" => short_count(value),
        _ if value < 10.0 => format!("{value:.2} s"),
        _ => format!("{value:.0} s"),
    }
}

fn entries(model: &ModelProfile) -> Vec<(Swatch, String)> {
    let told = |(curve, ink): (&Curve, Ink)| {
        let say = |number| value(number, model.unit);
        let text =
            format!("{}: median {}, P95 {}, mean {}", curve.name, say(curve.p50), say(curve.p95), say(curve.mean));
        (Swatch::Line(Stroke::solid(ink, 2.5)), text)
    };
    model.curves.iter().zip(Ink::SERIES).map(told).collect()
}

fn paint_curves(canvas: &mut Canvas<'_>, area: Rect, model: &ModelProfile, entries: &[(Swatch, String)]) {
    let what = if model.unit == "tokens" { "requests" } else { "answers" };
    let title = format!("share of {what} with up to so many {} (logarithmic)", model.unit);
    canvas.text(&title, (area.left, area.top + 6.0), LABEL, Ink::Muted, Anchor::Start);
    let used = legend(canvas, (area.left, area.top + 18.0), area.width(), entries);
    let inner = area.inset(40.0, used + 34.0, 14.0, 34.0);
    let ends = model.curves.iter().flat_map(|curve| [curve.points.first(), curve.points.last()]).flatten();
    let logs: Vec<f64> = ends.map(|(value, _)| libm::log10(*value)).collect();
    let low = logs.iter().copied().fold(f64::INFINITY, f64::min).floor();
    let high = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max).ceil().max(low + 1.0);
    let plot = Plot { area: inner, x: (low, high), y: (0.0, 1.0) };
    value_axis(canvas, &plot, "", Unit::Share);
    for decade in low as i32..=high as i32 {
        let x = plot.at_x(f64::from(decade));
        canvas.line(&[(x, inner.top), (x, inner.bottom + 4.0)], Stroke::solid(Ink::Grid, 1.0));
        let text = value(libm::pow(10.0, f64::from(decade)), model.unit);
        canvas.text(&text, (x, inner.bottom + 15.0), LABEL, Ink::Muted, Anchor::Middle);
    }
    for (curve, ink) in model.curves.iter().zip(Ink::SERIES) {
        let points: Vec<Point> =
            curve.points.iter().map(|(value, share)| plot.at(libm::log10(*value), *share)).collect();
        canvas.line(&points, Stroke::solid(ink, 2.5));
        for (value, share) in [(curve.p50, 0.5), (curve.p95, 0.95)] {
            canvas.dot(plot.at(libm::log10(value), share), 4.0, ink);
        }
    }
}

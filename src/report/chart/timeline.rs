//! One expensive run, told step by step, with the times in which the world was out of order.

use crate::experiment::{Timeline, TimelineStep, Window};
use crate::report::chart::Chart;
use crate::report::chart::canvas::{Anchor, Canvas, Point, Rect, Stroke, fit};
use crate::report::chart::frame::{
    AXIS_HEIGHT, LABEL, Plot, Swatch, Unit, legend, legend_height, nothing, time_axis, value_axis, value_ceiling,
};
use crate::report::chart::theme::Ink;
use crate::report::text::{clean, dollars, hours, money, plural};
use crate::report::view::View;

/// The chart.
pub const CHART: Chart = Chart { id: "expensive-run", title: "One expensive run, step by step", note, height, paint };

/// Height of a lane of windows.
const LANE: f64 = 27.0;
/// Lanes that are drawn.
const MOST_LANES: usize = 6;
const PANEL: f64 = 170.0;

fn note(view: &View<'_>) -> String {
    match &view.forecast.expensive {
        None => "No run was picked.".to_owned(),
        Some(timeline) => format!(
            "Run {} costs {}, near the P95. Steps of {} minutes; grey: times in which an upstream was out of order.",
            timeline.run,
            money(timeline.bill),
            timeline.step_minutes
        ),
    }
}

/// What was out of order, lane by lane: (target, kind) in order of appearance.
fn lanes(timeline: &Timeline) -> Vec<(&str, &str)> {
    let mut lanes: Vec<(&str, &str)> = Vec::new();
    for window in &timeline.windows {
        if !lanes.contains(&(window.target.as_str(), &*window.kind)) {
            lanes.push((&window.target, &window.kind));
        }
    }
    lanes
}

fn drawn_lanes(timeline: &Timeline) -> usize {
    lanes(timeline).len().min(MOST_LANES)
}

fn height(view: &View<'_>, width: f64) -> f64 {
    let lanes = view.forecast.expensive.as_ref().map_or(0, drawn_lanes) as f64;
    legend_height(width, &entries()) + lanes * LANE + 2.0 * PANEL + 70.0 + AXIS_HEIGHT
}

fn entries() -> [(Swatch, String); 5] {
    [
        (Swatch::Area(Ink::Blue, 1.0), "spend".to_owned()),
        (Swatch::Line(Stroke::solid(Ink::Text, 1.5)), "requests".to_owned()),
        (Swatch::Area(Ink::Orange, 0.8), "answered by a fallback".to_owned()),
        (Swatch::Line(Stroke::solid(Ink::Red, 2.0)), "without a good answer".to_owned()),
        (Swatch::Area(Ink::Gray, 0.3), "out of order".to_owned()),
    ]
}

fn paint(view: &View<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(timeline) = view.forecast.expensive.as_ref().filter(|timeline| !timeline.steps.is_empty()) else {
        return nothing(canvas, area, "No run was picked.");
    };
    let used = legend(canvas, (area.left, area.top), area.width(), &entries()) + 6.0;
    let lanes_top = area.top + used;
    let top = lanes_top + LANE * drawn_lanes(timeline) as f64 + 28.0;
    let x = (0.0, timeline.steps.len() as f64 * timeline.step_minutes / 60.0);
    let (left, right) = (area.left + 56.0, area.right - 14.0);
    let upper = Rect::new(left, top, right, top + PANEL);
    let lower = Rect::new(left, upper.bottom + 34.0, right, upper.bottom + 34.0 + PANEL);
    let shade = Rect::new(left, lanes_top, right, lower.bottom);
    shade_windows(canvas, timeline, &Plot { area: shade, x, y: (0.0, 1.0) }, &[upper, lower]);
    let spend = plot(upper, x, timeline, |step| dollars(step.spend));
    value_axis(canvas, &spend, &format!("US dollars in {} minutes", timeline.step_minutes), Unit::Dollars);
    let money_outline = outline(&spend, timeline, |step| dollars(step.spend));
    canvas.polygon(&money_outline, Ink::Blue, 1.0);
    let counts = plot(lower, x, timeline, |step| step.requests.max(step.failed).max(step.fallbacks) as f64);
    value_axis(canvas, &counts, &format!("requests in {} minutes", timeline.step_minutes), Unit::Count);
    time_axis(canvas, &counts, &view.forecast.hours);
    canvas.polygon(&outline(&counts, timeline, |step| step.fallbacks as f64), Ink::Orange, 0.8);
    canvas.line(&edge(&counts, timeline, |step| step.requests as f64), Stroke::solid(Ink::Text, 1.5));
    canvas.line(&edge(&counts, timeline, |step| step.failed as f64), Stroke::solid(Ink::Red, 2.0));
    hover_steps(canvas, timeline, &counts, upper.top);
}

fn plot(area: Rect, x: (f64, f64), timeline: &Timeline, value: fn(&TimelineStep) -> f64) -> Plot {
    let peak = timeline.steps.iter().map(value).fold(0.0, f64::max);
    Plot { area, x, y: (0.0, value_ceiling(peak, area.height())) }
}

/// The upper edge of values that hold for a step each.
fn edge(plot: &Plot, timeline: &Timeline, value: fn(&TimelineStep) -> f64) -> Vec<Point> {
    let hours = timeline.step_minutes / 60.0;
    let ends = |(index, step): (usize, &TimelineStep)| {
        let from = index as f64 * hours;
        [plot.at(from, value(step)), plot.at(from + hours, value(step))]
    };
    timeline.steps.iter().enumerate().flat_map(ends).collect()
}

fn outline(plot: &Plot, timeline: &Timeline, value: fn(&TimelineStep) -> f64) -> Vec<Point> {
    let mut points = vec![plot.at(plot.x.0, 0.0)];
    points.extend(edge(plot, timeline, value));
    points.push(plot.at(plot.x.1, 0.0));
    points
}

/// Shades the windows over the panels, without their titles, and names them in lanes on top.
fn shade_windows(canvas: &mut Canvas<'_>, timeline: &Timeline, plot: &Plot, panels: &[Rect]) {
    let all = lanes(timeline);
    for (lane, (target, kind)) in all.iter().take(MOST_LANES).enumerate() {
        let top = plot.area.top + LANE * lane as f64;
        let line = top + 20.0;
        canvas.line(&[(plot.area.left, line), (plot.area.right, line)], Stroke::solid(Ink::Grid, 1.0));
        let name = fit(&format!("{}: {kind}", clean(target)), LABEL - 1.0, plot.area.width());
        canvas.text(&name, (plot.area.left, top + 8.0), LABEL - 1.0, Ink::Text, Anchor::Start);
    }
    for window in &timeline.windows {
        let (from, to) = (window.from_hour.max(plot.x.0), window.to_hour.min(plot.x.1));
        if from >= to {
            continue;
        }
        let (left, right) = (plot.at_x(from), plot.at_x(to).max(plot.at_x(from) + 1.0));
        for panel in panels {
            canvas.rect(Rect::new(left, panel.top, right, panel.bottom), Ink::Gray, 0.3);
        }
        let lane = all.iter().position(|lane| *lane == (window.target.as_str(), &*window.kind));
        let Some(lane) = lane.filter(|lane| *lane < MOST_LANES) else { continue };
        let top = plot.area.top + LANE * lane as f64;
        let bar = Rect::new(left, top + 16.0, right, top + LANE - 3.0);
        canvas.rect(bar, if window.kind == "outage" { Ink::Text } else { Ink::Purple }, 1.0);
        canvas.hover(bar.inset(-2.0, -3.0, -2.0, -3.0), window_note(window));
    }
}

fn window_note(window: &Window) -> String {
    format!(
        "{}: {} from hour {:.2} to {:.2} ({})",
        clean(&window.target),
        window.kind,
        window.from_hour,
        window.to_hour,
        hours(((window.to_hour - window.from_hour) * 10.0).round() / 10.0)
    )
}

fn hover_steps(canvas: &mut Canvas<'_>, timeline: &Timeline, plot: &Plot, top: f64) {
    let length = timeline.step_minutes / 60.0;
    for (index, step) in timeline.steps.iter().enumerate() {
        let from = index as f64 * length;
        let place = Rect::new(plot.at_x(from), top, plot.at_x(from + length), plot.area.bottom);
        let note = format!(
            "hour {from:.2}: {}, {}, {} by fallbacks, {} without a good answer",
            money(step.spend),
            plural(step.requests, "request"),
            step.fallbacks,
            step.failed
        );
        canvas.hover(place, note);
    }
}

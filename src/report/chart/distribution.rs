//! How the bills of the runs lie, with the percentiles marked.

use crate::report::chart::Chart;
use crate::report::chart::canvas::{Anchor, Canvas, Rect, Stroke, text_width};
use crate::report::chart::frame::{LABEL, Plot, count_tick, money_tick, nothing, value_axis, value_ceiling};
use crate::report::chart::theme::Ink;
use crate::report::scale::{nice_step, ticks};
use crate::report::text::{dollars, plural};
use crate::report::view::View;

/// The chart.
pub const CHART: Chart =
    Chart { id: "bill-distribution", title: "How the bill varies from run to run", note, height: |_, _| 340.0, paint };

/// Height of a row of labels above the bars.
const ROW: f64 = 17.0;

fn note(view: &View<'_>) -> String {
    let beyond = match view.histogram.above {
        0 => String::new(),
        above => {
            format!(" {} beyond the right edge are not drawn; the dearest costs {}.", plural(above, "run"), max(view))
        }
    };
    format!("Bars count runs by their bill; dark bars lie at or above the P95.{beyond}")
}

fn max<'a>(view: &'a View<'_>) -> &'a str {
    view.percentiles.last().map_or("", |line| &line.text)
}

fn paint(view: &View<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let histogram = &view.histogram;
    if view.forecast.runs.is_empty() {
        return nothing(canvas, area, "No run was completed.");
    }
    let marks = marks(view);
    let plot_x = (histogram.low, histogram.high());
    let provisional = Plot { area: area.inset(46.0, 0.0, 14.0, 44.0), x: plot_x, y: (0.0, 1.0) };
    let rows = label_rows(&provisional, &marks);
    let height = rows.iter().map(|(row, _)| row + 1).max().unwrap_or(1) as f64 * ROW;
    let peak = histogram.counts.iter().copied().max().unwrap_or(0) as f64;
    let inner = provisional.area.inset(0.0, height + 26.0, 0.0, 0.0);
    let plot = Plot { area: inner, x: plot_x, y: (0.0, value_ceiling(peak, inner.height()).max(1.0)) };
    value_axis(canvas, &plot, "runs", count_tick);
    bars(view, canvas, &plot);
    money_axis(canvas, &plot);
    for (mark, (row, left)) in marks.iter().zip(rows) {
        let x = plot.at_x(mark.value);
        let y = area.top + ROW * row as f64 + 9.0;
        canvas.line(&[(x, y + 8.0), (x, plot.area.bottom)], mark.stroke);
        canvas.text(&mark.text, (left, y), LABEL, Ink::Text, Anchor::Start);
    }
}

fn bars(view: &View<'_>, canvas: &mut Canvas<'_>, plot: &Plot) {
    let histogram = &view.histogram;
    let p95 = dollars(view.forecast.bill.p95);
    for (index, count) in histogram.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let from = histogram.low + histogram.width * index as f64;
        let to = from + histogram.width;
        let bar = Rect::new(plot.at_x(from) + 0.5, plot.at_y(*count as f64), plot.at_x(to) - 0.5, plot.area.bottom);
        let tail = from >= p95 && histogram.counts.len() > 1;
        canvas.rect(bar, if tail { Ink::Red } else { Ink::Sky }, 1.0);
        let place = Rect::new(plot.at_x(from), plot.area.top, plot.at_x(to), plot.area.bottom);
        let (low, high) = (money_tick(from, histogram.width), money_tick(to, histogram.width));
        canvas.hover(place, format!("{low} to {high}: {}", plural(*count, "run")));
    }
}

fn money_axis(canvas: &mut Canvas<'_>, plot: &Plot) {
    let (low, high) = plot.x;
    let parts = (plot.area.width() / 80.0) as usize;
    let step = nice_step(high - low, parts);
    let bottom = plot.area.bottom;
    for tick in ticks(low, high, parts) {
        let x = plot.at_x(tick);
        canvas.line(&[(x, bottom), (x, bottom + 4.0)], Stroke::solid(Ink::Muted, 1.0));
        canvas.text(&money_tick(tick, step), (x, bottom + 13.0), LABEL, Ink::Muted, Anchor::Middle);
    }
    let middle = (plot.area.left + plot.area.right) / 2.0;
    canvas.text("bill of one run, US dollars", (middle, bottom + 32.0), LABEL, Ink::Muted, Anchor::Middle);
}

/// A marked amount.
struct Mark {
    value: f64,
    text: String,
    stroke: Stroke,
}

/// The percentiles that are drawn; those with the same amount share a mark.
fn marks(view: &View<'_>) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    let mut drawn: Vec<_> = view.percentiles.iter().filter(|line| line.label != "max").collect();
    drawn.sort_by_key(|line| line.amount);
    for (index, line) in drawn.iter().enumerate() {
        let amount = format!(" {}", line.text);
        if index > 0 && drawn[index - 1].amount == line.amount {
            let last = marks.last_mut().expect("the mark before");
            last.text = format!("{}, {}{amount}", last.text.trim_end_matches(&amount), line.label);
            continue;
        }
        let stroke = match line.label {
            "P50" | "P95" => Stroke::solid(Ink::Text, 1.75),
            "mean" => Stroke::dashed(Ink::Text, 1.5),
            _ => Stroke::solid(Ink::Muted, 1.0),
        };
        marks.push(Mark { value: dollars(line.amount), text: format!("{}{amount}", line.label), stroke });
    }
    marks
}

/// The row and the left edge of each label: the lowest row in which it touches no other label and no other line.
fn label_rows(plot: &Plot, marks: &[Mark]) -> Vec<(usize, f64)> {
    let mut placed: Vec<(usize, f64, f64)> = Vec::new();
    for mark in marks {
        let wide = text_width(&mark.text, LABEL);
        let left = (plot.at_x(mark.value) - wide / 2.0).clamp(0.0, (plot.area.right + 14.0 - wide).max(0.0));
        let free = |row: &usize| placed.iter().all(|(other, _, end)| other != row || *end + 8.0 < left);
        let row = (0..).find(free).expect("there is always another row");
        placed.push((row, left, left + wide));
    }
    let rows = placed.iter().map(|(row, ..)| *row).max().unwrap_or(0);
    placed.into_iter().map(|(row, left, _)| (rows - row, left)).collect()
}

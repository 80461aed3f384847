//! Why the money is spent.

use crate::ledger::Cause;
use crate::report::chart::Chart;
use crate::report::chart::canvas::{Anchor, Canvas, Rect, Stroke, text_width};
use crate::report::chart::frame::{LABEL, Plot, Swatch, Unit, legend, nothing};
use crate::report::chart::theme::Ink;
use crate::report::scale::{nice_step, ticks};
use crate::report::text::{dollars, money, percent};
use crate::report::view::{CauseLine, View};
use crate::units::Money;

/// The chart.
pub const CHART: Chart = Chart { id: "cost-by-cause", title: "Why the money is spent", note, height, paint };

/// Height of a bar with its gap.
const ROW: f64 = 30.0;
const LEGEND: f64 = 30.0;

fn note(view: &View<'_>) -> String {
    let idle: Vec<&str> = view.causes.iter().filter(|line| line.amount == Money::ZERO).map(|line| line.label).collect();
    let idle = if idle.is_empty() || idle.len() == view.causes.len() {
        String::new()
    } else {
        format!(" Nothing was spent on: {}.", idle.join(", ").to_lowercase())
    };
    format!("Means over the runs; together they are the mean bill of {}.{idle}", money(view.forecast.bill.mean))
}

fn shown<'a>(view: &'a View<'_>) -> Vec<&'a CauseLine> {
    view.causes.iter().filter(|line| line.amount != Money::ZERO).collect()
}

fn height(view: &View<'_>, _: f64) -> f64 {
    LEGEND + shown(view).len().max(2) as f64 * ROW + 46.0
}

/// The part of the fallback bar that is premium, if it can be drawn as one.
fn premium(view: &View<'_>) -> Option<Money> {
    let premium = view.forecast.fallback_premium;
    (premium > Money::ZERO && premium <= view.forecast.cost_by_cause[Cause::Fallback]).then_some(premium)
}

fn paint(view: &View<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let lines = shown(view);
    if lines.is_empty() {
        return nothing(canvas, area, "Nothing was charged.");
    }
    if let Some(premium) = premium(view) {
        let text = format!("of which fallback premium: {}", money(premium));
        let entry = [(Swatch::Hatched(Ink::Orange), text)];
        legend(canvas, (area.left, area.top), area.width(), &entry);
    }
    let labels = lines.iter().map(|line| text_width(line.label, LABEL)).fold(0.0, f64::max) + 14.0;
    let values = lines.iter().map(|line| text_width(&value(line), LABEL)).fold(0.0, f64::max);
    let inner = area.inset(labels, LEGEND, values + 8.0, 46.0);
    let peak = lines.iter().map(|line| dollars(line.amount)).fold(0.0, f64::max);
    let parts = ((inner.width() / 60.0) as usize).max(2);
    let plot = Plot { area: inner, x: (0.0, peak), y: (0.0, 1.0) };
    axis(canvas, &plot, parts);
    for (index, line) in lines.iter().enumerate() {
        bar(view, canvas, &plot, line, inner.top + ROW * index as f64);
    }
}

fn axis(canvas: &mut Canvas<'_>, plot: &Plot, parts: usize) {
    let (low, high) = plot.x;
    let bottom = plot.area.bottom;
    let step = nice_step(high - low, parts);
    for tick in ticks(low, high, parts) {
        let x = plot.at_x(tick);
        canvas.line(&[(x, plot.area.top), (x, bottom)], Stroke::solid(Ink::Grid, 1.0));
        canvas.text(&Unit::Dollars.tick(tick, step), (x, bottom + 12.0), LABEL, Ink::Muted, Anchor::Middle);
    }
    canvas.text("US dollars", (plot.area.left, bottom + 31.0), LABEL, Ink::Muted, Anchor::Start);
}

/// What stands beside a bar.
fn value(line: &CauseLine) -> String {
    format!("{} ({})", line.text, percent(line.share))
}

fn bar(view: &View<'_>, canvas: &mut Canvas<'_>, plot: &Plot, line: &CauseLine, top: f64) {
    let end = plot.at_x(dollars(line.amount));
    let bar = Rect::new(plot.area.left, top + 5.0, end, top + ROW - 5.0);
    let ink = match line.cause {
        Cause::FirstAttempt => Ink::Blue,
        Cause::Fallback => Ink::Orange,
        Cause::Abandoned | Cause::FailedAttempt | Cause::Commitment => Ink::Red,
        Cause::Retry | Cause::CacheWrite => Ink::Sky,
    };
    canvas.rect(bar, ink, 1.0);
    if let (Cause::Fallback, Some(premium)) = (line.cause, premium(view)) {
        let from = plot.at_x(dollars(line.amount) - dollars(premium));
        let part = Rect::new(from, bar.top, end, bar.bottom);
        canvas.rect(part, Ink::Paper, 0.65);
        canvas.hatch(part, Ink::Orange);
        canvas.line(
            &[(from, bar.top), (end, bar.top), (end, bar.bottom), (from, bar.bottom)],
            Stroke::solid(Ink::Orange, 1.0),
        );
    }
    let middle = top + ROW / 2.0;
    canvas.text(line.label, (plot.area.left - 8.0, middle), LABEL, Ink::Text, Anchor::End);
    let value = value(line);
    let behind = Rect::new(end + 4.0, middle - 8.0, end + 8.0 + text_width(&value, LABEL), middle + 8.0);
    canvas.rect(behind, Ink::Paper, 1.0);
    canvas.text(&value, (end + 6.0, middle), LABEL, Ink::Text, Anchor::Start);
    let place = Rect::new(0.0, top, plot.area.right, top + ROW);
    canvas.hover(place, format!("{}: {value}; {}", line.label, line.meaning));
}

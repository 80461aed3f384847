//! The first month as a picture: what is spent by the end of each day.

use jiff::civil::Date;

use crate::experiment::{Band, DayBand};
use crate::report::chart::{
    AXIS_HEIGHT, Anchor, Canvas, Ink, LABEL, Picture, Plot, Rect, Stroke, Unit, fan, fan_legend, fan_peak, legend,
    nothing, text_width, value_axis, value_ceiling,
};
use crate::report::month::MonthView;
use crate::report::text::{dollars, money};

/// The picture; nothing where there is no day.
pub fn picture<'a>(view: &MonthView<'a>) -> Option<Picture<'a>> {
    let (days, budget) = (&view.projection.days, view.budget.map(dollars));
    let first = days.first()?.date;
    Some(Picture {
        id: "month",
        title: format!("Spend in {}", first.strftime("%B %Y")),
        note: "What is spent by the end of each day: the middle path, and the band that holds nine of ten.".to_owned(),
        stamp: view.stamp(),
        height: Box::new(|_| 320.0),
        paint: Box::new(move |canvas, area| paint(days, budget, canvas, area)),
    })
}

fn band(day: &DayBand) -> Band {
    Band { p5: dollars(day.p5), p50: dollars(day.p50), mean: dollars(day.mean), p95: dollars(day.p95) }
}

fn paint(days: &[DayBand], budget: Option<f64>, canvas: &mut Canvas<'_>, area: Rect) {
    let mut bands = vec![(0.0, Band::default())];
    bands.extend(days.iter().enumerate().map(|(index, day)| (index as f64 + 1.0, band(day))));
    let peak = fan_peak(bands.iter().map(|(_, band)| band)).max(budget.unwrap_or(0.0));
    if peak <= 0.0 {
        return nothing(canvas, area, "Nothing was charged.");
    }
    let used = legend(canvas, (area.left, area.top), area.width(), &fan_legend(Ink::Blue));
    let inner = area.inset(56.0, used + 30.0, 16.0, AXIS_HEIGHT);
    let plot = Plot { area: inner, x: (0.0, days.len() as f64), y: (0.0, value_ceiling(peak, inner.height())) };
    value_axis(canvas, &plot, "US dollars", Unit::Dollars);
    day_axis(canvas, &plot, days);
    fan(canvas, &plot, &bands, Ink::Blue);
    if let Some(budget) = budget {
        let y = plot.at_y(budget);
        canvas.line(&[(inner.left, y), (inner.right, y)], Stroke::dashed(Ink::Red, 1.5));
        canvas.text("budget", (inner.left + 4.0, y - 9.0), LABEL, Ink::Text, Anchor::Start);
    }
    for (index, day) in days.iter().enumerate() {
        let (from, to) = (plot.at_x(index as f64), plot.at_x(index as f64 + 1.0));
        let [p5, p50, mean, p95] = [day.p5, day.p50, day.mean, day.p95].map(money);
        let note = format!("by the end of {}: P5 {p5}, P50 {p50}, mean {mean}, P95 {p95}", day.date);
        canvas.hover(Rect::new(from, inner.top, to, inner.bottom), note);
    }
}

/// Mondays, as many as have room for their dates.
fn day_axis(canvas: &mut Canvas<'_>, plot: &Plot, days: &[DayBand]) {
    let bottom = plot.area.bottom;
    let mut free_from = f64::NEG_INFINITY;
    let is_monday = |date: Date| date.weekday() == jiff::civil::Weekday::Monday;
    for (index, day) in days.iter().enumerate().filter(|(index, day)| *index == 0 || is_monday(day.date)) {
        let x = plot.at_x(index as f64);
        canvas.line(&[(x, plot.area.top), (x, bottom + 4.0)], Stroke::solid(Ink::Grid, 1.0));
        let label = day.date.strftime("%a %-d %b").to_string();
        let half = text_width(&label, LABEL) / 2.0;
        if x - half > free_from && x + half < plot.area.right + 14.0 {
            canvas.text(&label, (x, bottom + 14.0), LABEL, Ink::Text, Anchor::Middle);
            free_from = x + half + 8.0;
        }
    }
}

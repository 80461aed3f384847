//! What the charts share: scales, axes, legends, fans.

use crate::experiment::{Band, HourRow};
use crate::report::chart::canvas::{Anchor, Canvas, Point, Rect, Stroke, fit, text_width};
use crate::report::chart::theme::Ink;
use crate::report::scale::{nice_ceiling, nice_step, ticks};
use crate::report::text::short_count;

/// Size of labels in pixels.
pub const LABEL: f64 = 12.0;
/// Room for the labels of a time axis.
pub const AXIS_HEIGHT: f64 = 40.0;

/// A rectangle with scales for what is drawn in it.
#[derive(Debug, Clone, Copy)]
pub struct Plot {
    /// Where it is.
    pub area: Rect,
    /// Values at the left and right edge.
    pub x: (f64, f64),
    /// Values at the lower and upper edge.
    pub y: (f64, f64),
}

impl Plot {
    /// Pixels from the left of a value.
    pub fn at_x(&self, value: f64) -> f64 {
        let (low, high) = self.x;
        self.area.left + (value - low) / (high - low) * self.area.width()
    }

    /// Pixels from the top of a value.
    pub fn at_y(&self, value: f64) -> f64 {
        let (low, high) = self.y;
        self.area.bottom - (value - low) / (high - low) * self.area.height()
    }

    /// The place of a pair of values.
    pub fn at(&self, x: f64, y: f64) -> Point {
        (self.at_x(x), self.at_y(y))
    }
}

/// What an axis counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// US dollars.
    Dollars,
    /// Shares, shown in percent.
    Share,
    /// Whole things.
    Count,
}

impl Unit {
    /// The text at a tick, when ticks are `step` apart.
    pub fn tick(self, value: f64, step: f64) -> String {
        match self {
            Self::Dollars => money_tick(value, step),
            Self::Share if value == 0.0 => "0%".to_owned(),
            Self::Share => format!("{:.*}%", decimals(step * 100.0), value * 100.0),
            Self::Count => short_count(value),
        }
    }
}

/// Decimals that a multiple of `step` needs.
fn decimals(step: f64) -> usize {
    let whole = |power: &usize| {
        let scaled = step * 10f64.powi(*power as i32);
        (scaled.round() - scaled).abs() < 1e-6
    };
    (0..9).find(whole).unwrap_or(9)
}

/// Dollars at a tick: as many decimals as the step needs, cents in full, thousands in short.
fn money_tick(value: f64, step: f64) -> String {
    let (value, step, unit) = match step {
        s if s >= 1e6 => (value / 1e6, s / 1e6, "M"),
        s if s >= 1e3 => (value / 1e3, s / 1e3, "k"),
        s => (value, s, ""),
    };
    let decimals = match (decimals(step), unit) {
        _ if value == 0.0 => return "$0".to_owned(),
        (1, "") => 2,
        (number, _) => number,
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let whole = crate::report::text::count(whole.parse().unwrap_or(0.0));
    let fraction = fraction.map(|digits| format!(".{digits}")).unwrap_or_default();
    format!("${whole}{fraction}{unit}")
}

/// The upper end of an axis of this height that begins at zero and holds `peak`.
pub fn value_ceiling(peak: f64, height: f64) -> f64 {
    nice_ceiling(peak, value_parts(height))
}

/// Steps of an upright axis of this height.
fn value_parts(height: f64) -> usize {
    ((height / 45.0) as usize).clamp(2, 6)
}

/// Draws the upright axis: grid, labels, and the title above.
pub fn value_axis(canvas: &mut Canvas<'_>, plot: &Plot, title: &str, unit: Unit) {
    let (low, high) = plot.y;
    let parts = value_parts(plot.area.height());
    let step = nice_step(high - low, parts);
    let shown = |tick: &f64| unit != Unit::Count || tick.fract() == 0.0;
    for tick in ticks(low, high, parts).into_iter().filter(shown) {
        let y = plot.at_y(tick);
        let stroke = if tick == 0.0 { Stroke::solid(Ink::Muted, 1.0) } else { Stroke::solid(Ink::Grid, 1.0) };
        canvas.line(&[(plot.area.left, y), (plot.area.right, y)], stroke);
        canvas.text(&unit.tick(tick, step), (plot.area.left - 6.0, y), LABEL, Ink::Muted, Anchor::End);
    }
    canvas.text(title, (4.0, plot.area.top - 14.0), LABEL, Ink::Muted, Anchor::Start);
}

/// An axis of amounts below the plot.
pub fn money_axis(canvas: &mut Canvas<'_>, plot: &Plot, title: &str) {
    let (low, high) = plot.x;
    let parts = ((plot.area.width() / 80.0) as usize).max(2);
    let step = nice_step(high - low, parts);
    for tick in ticks(low, high, parts) {
        let x = plot.at_x(tick);
        canvas.line(&[(x, plot.area.bottom), (x, plot.area.bottom + 4.0)], Stroke::solid(Ink::Muted, 1.0));
        canvas.text(&tick_text(tick, step), (x, plot.area.bottom + 13.0), LABEL, Ink::Muted, Anchor::Middle);
    }
    let middle = (plot.area.left + plot.area.right) / 2.0;
    canvas.text(title, (middle, plot.area.bottom + 32.0), LABEL, Ink::Muted, Anchor::Middle);
}

/// Dollars at a tick, with a sign in front of the dollar.
pub fn tick_text(value: f64, step: f64) -> String {
    let text = Unit::Dollars.tick(value.abs(), step);
    if value < 0.0 && text != "$0" { format!("−{text}") } else { text }
}

/// A tick of the time axis.
struct TimeTick {
    hour: f64,
    /// `18:00`; none when all ticks are midnights.
    clock: Option<String>,
    /// `Sat 21 Nov`, at the first tick of each day.
    day: Option<String>,
    midnight: bool,
}

/// The day and hour of a row's label, if it is one.
fn local(row: &HourRow) -> Option<jiff::civil::DateTime> {
    jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M", row.label.get(..16)?).ok()
}

/// Ticks every so many hours of the local clock, as many as fit.
fn time_ticks(hours: &[HourRow], width: f64) -> Vec<TimeTick> {
    let most = (width / 58.0).max(2.0);
    let every =
        [1, 2, 3, 6, 12, 24, 48, 96, 168].into_iter().find(|every| hours.len() as f64 / f64::from(*every) <= most);
    let every = every.unwrap_or(336).max(if hours.len() > 24 * 5 { 24 } else { 1 });
    let mut last_day = None;
    let mut all = Vec::new();
    for (index, row) in hours.iter().enumerate() {
        let Some(at) = local(row) else { continue };
        let on_clock = i32::from(at.hour()) % every.min(24) == 0;
        let on_day = every <= 24 || (index / 24) % (every as usize / 24) == 0;
        if !on_clock || !on_day {
            continue;
        }
        let day = (last_day != Some(at.date())).then(|| at.strftime("%a %-d %b").to_string());
        last_day = Some(at.date());
        let clock = (every < 24).then(|| at.strftime("%H:%M").to_string());
        all.push(TimeTick { hour: f64::from(row.hour), clock, day, midnight: at.hour() == 0 });
    }
    all
}

/// Draws the time axis under a plot whose x are hours since the start.
pub fn time_axis(canvas: &mut Canvas<'_>, plot: &Plot, hours: &[HourRow]) {
    let bottom = plot.area.bottom;
    let mut free_from = f64::NEG_INFINITY;
    for tick in time_ticks(hours, plot.area.width()) {
        let x = plot.at_x(tick.hour);
        let top = if tick.midnight { plot.area.top } else { bottom };
        let ink = if tick.midnight { Ink::Grid } else { Ink::Muted };
        canvas.line(&[(x, top), (x, bottom + 4.0)], Stroke::solid(ink, 1.0));
        let below = if tick.clock.is_some() { 29.0 } else { 14.0 };
        if let Some(clock) = &tick.clock {
            canvas.text(clock, (x, bottom + 13.0), LABEL - 1.0, Ink::Muted, Anchor::Middle);
        }
        let Some(day) = tick.day else { continue };
        let half = text_width(&day, LABEL) / 2.0;
        if x - half > free_from && x + half < plot.area.right + 30.0 {
            canvas.text(&day, (x, bottom + below), LABEL, Ink::Text, Anchor::Middle);
            free_from = x + half + 8.0;
        }
    }
}

/// The scale of a time axis over these hours.
pub fn time_scale(hours: &[HourRow]) -> (f64, f64) {
    let first = hours.first().map_or(0.0, |row| f64::from(row.hour));
    let last = hours.last().map_or(0.0, |row| f64::from(row.hour));
    (first, last + 1.0)
}

/// How an entry of a legend looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Swatch {
    /// A line.
    Line(Stroke),
    /// A surface with an opacity.
    Area(Ink, f64),
    /// A hatched surface.
    Hatched(Ink),
    /// An upright mark.
    Mark(Ink),
}

/// Draws a legend in lines from `at`, within `width`; returns its height.
pub fn legend(canvas: &mut Canvas<'_>, at: Point, width: f64, entries: &[(Swatch, String)]) -> f64 {
    let places = legend_places(width, entries);
    for ((swatch, text), (x, y)) in entries.iter().zip(&places) {
        let (x, y) = (at.0 + x, at.1 + y + 9.0);
        let sample = Rect::new(x, y - 5.0, x + 18.0, y + 5.0);
        match *swatch {
            Swatch::Line(stroke) => canvas.line(&[(x, y), (x + 18.0, y)], stroke),
            Swatch::Area(ink, opacity) => canvas.rect(sample, ink, opacity),
            Swatch::Mark(ink) => canvas.line(&[(x + 9.0, y - 7.0), (x + 9.0, y + 7.0)], Stroke::solid(ink, 2.0)),
            Swatch::Hatched(ink) => {
                canvas.rect(sample, ink, 0.35);
                canvas.hatch(sample, ink);
            }
        }
        let shown = fit(text, LABEL, width - 24.0);
        if shown != *text {
            canvas.hover(Rect::new(x, y - 8.0, at.0 + width, y + 8.0), text.clone());
        }
        canvas.text(&shown, (x + 24.0, y), LABEL, Ink::Text, Anchor::Start);
    }
    places.last().map_or(0.0, |(_, y)| y + 20.0)
}

/// The height that a legend needs.
pub fn legend_height(width: f64, entries: &[(Swatch, String)]) -> f64 {
    legend_places(width, entries).last().map_or(0.0, |(_, y)| y + 20.0)
}

/// Where the entries go, relative to the legend's corner.
fn legend_places(width: f64, entries: &[(Swatch, String)]) -> Vec<Point> {
    let (mut x, mut y) = (0.0, 0.0);
    let mut places = Vec::new();
    for (_, text) in entries {
        let wide = 24.0 + text_width(&fit(text, LABEL, width - 24.0), LABEL) + 12.0;
        if x > 0.0 && x + wide - 12.0 > width {
            (x, y) = (0.0, y + 20.0);
        }
        places.push((x, y));
        x += wide;
    }
    places
}

/// Entries that every fan needs.
pub fn fan_legend(ink: Ink) -> Vec<(Swatch, String)> {
    vec![
        (Swatch::Area(ink, FAN_OPACITY), "P5 to P95 of the runs".to_owned()),
        (Swatch::Line(Stroke::solid(ink, 2.5)), "median (P50)".to_owned()),
        (Swatch::Line(Stroke::dashed(Ink::Text, 1.5)), "mean".to_owned()),
    ]
}

const FAN_OPACITY: f64 = 0.28;

/// Draws bands as a fan: a surface from P5 to P95, the median, the mean dashed. `at` gives each band's moment.
pub fn fan(canvas: &mut Canvas<'_>, plot: &Plot, bands: &[(f64, Band)], ink: Ink) {
    let line = |value: fn(&Band) -> f64| -> Vec<Point> {
        bands.iter().map(|(x, band)| plot.at(*x, value(band).clamp(plot.y.0, plot.y.1))).collect()
    };
    let mut outline = line(|band| band.p95);
    outline.extend(line(|band| band.p5).into_iter().rev());
    canvas.polygon(&outline, ink, FAN_OPACITY);
    canvas.line(&line(|band| band.p95), Stroke::solid(ink, 0.75));
    canvas.line(&line(|band| band.p5), Stroke::solid(ink, 0.75));
    canvas.line(&line(|band| band.p50), Stroke::solid(ink, 2.5));
    canvas.line(&line(|band| band.mean), Stroke::dashed(Ink::Text, 1.5));
}

/// The highest value that a fan shows.
pub fn fan_peak<'a>(bands: impl Iterator<Item = &'a Band>) -> f64 {
    bands.flat_map(|band| [band.p95, band.p50, band.mean]).filter(|value| value.is_finite()).fold(0.0, f64::max)
}

/// Says in the middle of an area why there is nothing to see.
pub fn nothing(canvas: &mut Canvas<'_>, area: Rect, why: &str) {
    let middle = ((area.left + area.right) / 2.0, (area.top + area.bottom) / 2.0);
    canvas.text(&fit(why, 14.0, area.width()), middle, 14.0, Ink::Muted, Anchor::Middle);
}

/// Moves heights apart until neighbours are at least `gap` away from each other, within `low..high`; keeps their order.
pub fn spread(heights: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..heights.len()).collect();
    order.sort_by(|a, b| heights[*a].total_cmp(&heights[*b]));
    let mut placed = heights.to_vec();
    let mut free = low;
    for index in &order {
        placed[*index] = placed[*index].max(free);
        free = placed[*index] + gap;
    }
    let mut free = high;
    for index in order.iter().rev() {
        placed[*index] = placed[*index].min(free);
        free = placed[*index] - gap;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_ticks_have_the_decimals_of_their_step() {
        let cases = [
            (0.0, 10.0, "$0"),
            (1200.0, 200.0, "$1,200"),
            (0.05, 0.025, "$0.050"),
            (5000.0, 2500.0, "$5.0k"),
            (0.4, 0.2, "$0.40"),
        ];
        for (value, step, text) in cases {
            assert_eq!(money_tick(value, step), text);
        }
        assert_eq!(Unit::Share.tick(0.025, 0.025), "2.5%");
    }

    #[test]
    fn labels_are_spread_in_their_order() {
        assert_eq!(spread(&[10.0, 11.0, 12.0], 10.0, 0.0, 100.0), [10.0, 20.0, 30.0]);
        assert_eq!(spread(&[95.0, 94.0], 10.0, 0.0, 100.0), [100.0, 90.0]);
    }

    #[test]
    fn a_legend_breaks_before_it_overflows() {
        let entry = |text: &str| (Swatch::Area(Ink::Blue, 1.0), text.to_owned());
        let entries = [entry("a fairly long entry"), entry("another long entry"), entry("x")];
        assert!(legend_places(200.0, &entries)[1].1 > 0.0);
        assert_eq!(legend_places(900.0, &entries)[1].1, 0.0);
    }
}

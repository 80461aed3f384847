//! What is asked of each deployment, against what it can take.

use crate::experiment::{Demand, DeploymentRow};
use crate::report::chart::Chart;
use crate::report::chart::canvas::{Anchor, Canvas, Rect, Stroke, fit};
use crate::report::chart::frame::{LABEL, Plot, Swatch, legend, legend_height, nothing};
use crate::report::chart::theme::Ink;
use crate::report::text::{clean, short_count};
use crate::report::view::View;

/// The chart.
pub const CHART: Chart = Chart { id: "demand-and-limits", title: "Demand against limits", note, height, paint };

/// Height of a deployment's row.
const ROW: f64 = 24.0;
/// Room above and below the rows of a panel.
const HEAD: f64 = 26.0;
const FOOT: f64 = 28.0;
/// Deployments that are drawn; the table has all of them.
const MOST: usize = 24;
/// From this width on the panels stand side by side.
const SIDE_BY_SIDE: f64 = 700.0;

/// What is measured, how it is called, and its limit.
struct Measure {
    title: &'static str,
    demand: fn(&DeploymentRow) -> Demand,
    limit: fn(&DeploymentRow) -> Option<f64>,
}

const MEASURES: [Measure; 3] = [
    Measure { title: "requests a minute", demand: |row| row.requests_per_minute, limit: |row| row.rpm_limit },
    Measure { title: "tokens a minute", demand: |row| row.tokens_per_minute, limit: |row| row.tpm_limit },
    Measure { title: "calls in flight", demand: |row| row.concurrency, limit: |row| row.concurrency_limit },
];

fn note(view: &View<'_>) -> String {
    let hidden = view.forecast.deployments.len().saturating_sub(MOST);
    let hidden = if hidden > 0 {
        format!(" The {MOST} busiest deployments; {hidden} more in the table.")
    } else {
        String::new()
    };
    format!("Over all minutes of all runs, on logarithmic scales.{hidden}")
}

/// The deployments that are drawn: all in their order, or the busiest.
fn shown<'a>(view: &'a View<'_>) -> Vec<&'a DeploymentRow> {
    let mut all: Vec<(usize, &DeploymentRow)> = view.forecast.deployments.iter().enumerate().collect();
    all.sort_by(|(_, a), (_, b)| b.requests_per_minute.peak.total_cmp(&a.requests_per_minute.peak));
    all.truncate(MOST);
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, row)| row).collect()
}

fn entries() -> [(Swatch, String); 4] {
    [
        (Swatch::Line(Stroke::solid(Ink::Blue, 6.0)), "P50 to P95".to_owned()),
        (Swatch::Line(Stroke::solid(Ink::Sky, 2.0)), "to the peak".to_owned()),
        (Swatch::Line(Stroke::solid(Ink::Red, 6.0)), "above the limit".to_owned()),
        (Swatch::Mark(Ink::Text), "limit".to_owned()),
    ]
}

fn height(view: &View<'_>, width: f64) -> f64 {
    let panel = HEAD + FOOT + ROW * shown(view).len().max(2) as f64;
    let panels = if width >= SIDE_BY_SIDE { 1.0 } else { MEASURES.len() as f64 };
    legend_height(width, &entries()) + 8.0 + panels * panel
}

fn paint(view: &View<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let rows = shown(view);
    if rows.is_empty() {
        return nothing(canvas, area, "There is no deployment.");
    }
    let used = legend(canvas, (area.left, area.top), area.width(), &entries()) + 8.0;
    let panel = HEAD + FOOT + ROW * rows.len().max(2) as f64;
    let wide = area.width() >= SIDE_BY_SIDE;
    let names = if wide { 190.0 } else { 130.0 };
    for (index, measure) in MEASURES.iter().enumerate() {
        let place = if wide {
            let each = (area.width() - names) / MEASURES.len() as f64;
            let left = names + each * index as f64;
            Rect::new(left, used, left + each - 28.0, used + panel)
        } else {
            let top = used + panel * index as f64;
            Rect::new(names, top, area.right - 16.0, top + panel)
        };
        if index == 0 || !wide {
            name_rows(canvas, &rows, place.top, names);
        }
        paint_panel(canvas, &rows, place, measure);
    }
}

fn name_rows(canvas: &mut Canvas<'_>, rows: &[&DeploymentRow], top: f64, width: f64) {
    for (index, row) in rows.iter().enumerate() {
        let y = top + HEAD + ROW * (index as f64 + 0.5);
        let name = clean(&row.name);
        let shown = fit(&name, LABEL, width - 14.0);
        canvas.text(&shown, (width - 12.0, y), LABEL, Ink::Text, Anchor::End);
        if shown != name {
            canvas.hover(Rect::new(0.0, y - ROW / 2.0, width, y + ROW / 2.0), name);
        }
    }
}

/// The ends of a panel's axis, as powers of ten.
fn powers(rows: &[&DeploymentRow], measure: &Measure) -> (f64, f64) {
    let figures = rows.iter().flat_map(|row| {
        let demand = (measure.demand)(row);
        [demand.p50, demand.p95, demand.peak, (measure.limit)(row).unwrap_or(0.0)]
    });
    let positive: Vec<f64> = figures.filter(|value| *value > 0.0 && value.is_finite()).collect();
    if positive.is_empty() {
        return (0.0, 1.0);
    }
    let least = positive.iter().copied().fold(f64::INFINITY, f64::min).log10();
    let most = positive.iter().copied().fold(0.0, f64::max).log10();
    let room = ((most - least) * 0.04).max(0.15);
    (least - room, most + room)
}

/// Round figures on an axis: each 1, 2 and 5 if they fit, else powers of ten, else every few of them.
fn round_figures((low, high): (f64, f64), most: usize) -> Vec<f64> {
    let inside = |value: &f64| value.log10() >= low && value.log10() <= high;
    let decades = || (low.floor() as i32..=high.ceil() as i32).map(|power| 10f64.powi(power));
    let fine: Vec<f64> = decades().flat_map(|ten| [ten, 2.0 * ten, 5.0 * ten]).filter(inside).collect();
    if fine.len() <= most {
        return fine;
    }
    let coarse: Vec<f64> = decades().filter(inside).collect();
    let every = coarse.len().div_ceil(most.max(1)).max(1);
    coarse.into_iter().step_by(every).collect()
}

fn paint_panel(canvas: &mut Canvas<'_>, rows: &[&DeploymentRow], place: Rect, measure: &Measure) {
    let area = place.inset(0.0, HEAD, 0.0, FOOT);
    let plot = Plot { area, x: powers(rows, measure), y: (0.0, 1.0) };
    canvas.text(measure.title, (area.left, place.top + 12.0), LABEL, Ink::Text, Anchor::Start);
    for figure in round_figures(plot.x, (area.width() / 36.0) as usize) {
        let x = plot.at_x(figure.log10());
        canvas.line(&[(x, area.top), (x, area.bottom)], Stroke::solid(Ink::Grid, 1.0));
        canvas.text(&tick(figure), (x, area.bottom + 12.0), LABEL - 1.0, Ink::Muted, Anchor::Middle);
    }
    for (index, row) in rows.iter().enumerate() {
        let y = area.top + ROW * (index as f64 + 0.5);
        canvas.line(&[(area.left, y), (area.right, y)], Stroke::solid(Ink::Grid, 0.75));
        paint_row(canvas, &plot, y, (measure.demand)(row), (measure.limit)(row));
        let place = Rect::new(area.left, y - ROW / 2.0, area.right, y + ROW / 2.0);
        canvas.hover(place, row_note(row, measure));
    }
}

/// A round figure in short: `500`, `2k`, `0.5`.
fn tick(figure: f64) -> String {
    let (value, unit) = match figure {
        v if (999.0..999_000.0).contains(&v) => (v / 1e3, "k"),
        v if v >= 999_000.0 => (v / 1e6, "M"),
        v => (v, ""),
    };
    if value < 0.9 { format!("{value:.*}", (-value.log10()).ceil() as usize) } else { format!("{value:.0}{unit}") }
}

fn paint_row(canvas: &mut Canvas<'_>, plot: &Plot, y: f64, demand: Demand, limit: Option<f64>) {
    let x = |value: f64| plot.at_x(value.max(1e-12).log10().clamp(plot.x.0, plot.x.1));
    let (from, middle, to) = (x(demand.p50), x(demand.p95), x(demand.peak));
    canvas.line(&[(from, y), (to, y)], Stroke::solid(Ink::Sky, 2.0));
    canvas.line(&[(from, y), (middle, y)], Stroke::solid(Ink::Blue, 6.0));
    if let Some(limit) = limit {
        let mark = x(limit);
        if demand.p95 > limit {
            canvas.line(&[(from.max(mark), y), (middle, y)], Stroke::solid(Ink::Red, 6.0));
        }
        if demand.peak > limit {
            canvas.line(&[(middle.max(mark), y), (to, y)], Stroke::solid(Ink::Red, 2.0));
        }
        canvas.line(&[(mark, y - 9.0), (mark, y + 9.0)], Stroke::solid(Ink::Text, 2.0));
    }
    if demand.peak > 0.0 {
        canvas.dot((to, y), 3.0, if limit.is_some_and(|limit| demand.peak > limit) { Ink::Red } else { Ink::Sky });
    } else {
        canvas.text("none", (plot.area.left + 4.0, y), LABEL - 1.0, Ink::Muted, Anchor::Start);
    }
}

fn row_note(row: &DeploymentRow, measure: &Measure) -> String {
    let demand = (measure.demand)(row);
    let limit = (measure.limit)(row)
        .map_or_else(|| "no limit stated".to_owned(), |limit| format!("limit {}", short_count(limit)));
    format!(
        "{}, {}: P50 {}, P95 {}, peak {}; {limit}",
        clean(&row.name),
        measure.title,
        short_count(demand.p50),
        short_count(demand.p95),
        short_count(demand.peak)
    )
}

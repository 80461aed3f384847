//! A capacity plan as a picture: what is used of each limit, the limit, and the smallest that would do.

use crate::experiment::{CapacityPlan, LimitPlan};
use crate::report::Artefact;
use crate::report::chart::WIDE;
use crate::report::chart::canvas::{Anchor, Canvas, Rect, Stroke, draw, fit};
use crate::report::chart::frame::{LABEL, Plot, Swatch, legend};
use crate::report::chart::picture::svg_and_png;
use crate::report::chart::theme::Ink;
use crate::report::plan::{kind_words, pool_name};
use crate::report::text::{clean, partial_mark, plural, short_count};

const ROW: f64 = 26.0;
const HEAD: f64 = 92.0;
const FOOT: f64 = 54.0;
const NAMES: f64 = 330.0;
const TITLE: &str = "Capacity: what is used of each limit";

/// The picture as SVG and PNG.
pub fn files(plan: &CapacityPlan) -> [Artefact; 2] {
    svg_and_png("capacity", svg(plan))
}

fn svg(plan: &CapacityPlan) -> String {
    let rows: Vec<(String, &LimitPlan)> = plan
        .pools
        .iter()
        .flat_map(|pool| {
            pool.limits.iter().map(|limit| (format!("{}: {}", pool_name(pool), kind_words(limit.kind)), limit))
        })
        .collect();
    let height = HEAD + ROW * rows.len().max(1) as f64 + FOOT;
    draw(WIDE, height, TITLE, |canvas| {
        canvas.rect(Rect::new(0.0, 0.0, WIDE, height), Ink::Paper, 1.0);
        canvas.text(TITLE, (20.0, 26.0), 18.0, Ink::Text, Anchor::Start);
        legend(canvas, (20.0, 46.0), WIDE - 40.0, &entries());
        let area = Rect::new(NAMES, HEAD, WIDE - 40.0, HEAD + ROW * rows.len().max(1) as f64);
        let plot = Plot { area, x: powers(&rows), y: (0.0, 1.0) };
        axis(canvas, &plot);
        for (index, (name, limit)) in rows.iter().enumerate() {
            row(canvas, &plot, area.top + ROW * (index as f64 + 0.5), name, limit);
        }
        let about = &plan.about;
        let scenario = clean(&about.scenario);
        let stamp =
            format!("{scenario} · {} · seed {} · billcast {}", plural(about.runs, "run"), about.seed, about.version);
        let stamp = format!("{}{stamp}", partial_mark(about.partial));
        canvas.text(&stamp, (20.0, height - 14.0), 10.0, Ink::Muted, Anchor::Start);
    })
}

fn entries() -> [(Swatch, String); 5] {
    [
        (Swatch::Line(Stroke::solid(Ink::Blue, 6.0)), "used, P50 to P99.9".to_owned()),
        (Swatch::Line(Stroke::solid(Ink::Sky, 2.0)), "to the peak".to_owned()),
        (Swatch::Line(Stroke::solid(Ink::Red, 6.0)), "above today's limit".to_owned()),
        (Swatch::Mark(Ink::Text), "today's limit".to_owned()),
        (Swatch::Mark(Ink::Green), "meets the target, all together".to_owned()),
    ]
}

/// The ends of the axis, as powers of ten.
fn powers(rows: &[(String, &LimitPlan)]) -> (f64, f64) {
    let figures = rows.iter().flat_map(|(_, limit)| {
        let used = limit.used.into_iter().flat_map(|used| [used.p50, used.p999, used.peak]);
        used.chain(limit.proposed).chain(limit.today)
    });
    let positive: Vec<f64> = figures.filter(|value| *value >= 1.0 && value.is_finite()).map(f64::log10).collect();
    let least = positive.iter().copied().fold(f64::INFINITY, f64::min);
    let most = positive.iter().copied().fold(0.0, f64::max);
    if least.is_finite() { (least.floor(), most.max(least + 1.0) + 0.15) } else { (0.0, 1.0) }
}

fn axis(canvas: &mut Canvas<'_>, plot: &Plot) {
    for power in plot.x.0 as i32..=plot.x.1.floor() as i32 {
        let x = plot.at_x(f64::from(power));
        canvas.line(&[(x, plot.area.top), (x, plot.area.bottom)], Stroke::solid(Ink::Grid, 1.0));
        canvas.text(
            &short_count(10f64.powi(power)),
            (x, plot.area.bottom + 12.0),
            LABEL - 1.0,
            Ink::Muted,
            Anchor::Middle,
        );
    }
}

fn row(canvas: &mut Canvas<'_>, plot: &Plot, y: f64, name: &str, limit: &LimitPlan) {
    let x = |value: f64| plot.at_x(value.max(1e-9).log10().clamp(plot.x.0, plot.x.1));
    canvas.text(&fit(name, LABEL, NAMES - 34.0), (NAMES - 12.0, y), LABEL, Ink::Text, Anchor::End);
    canvas.line(&[(plot.area.left, y), (plot.area.right, y)], Stroke::solid(Ink::Grid, 0.75));
    if limit.used.is_none() {
        canvas.text("?", (plot.area.left + 8.0, y), LABEL, Ink::Muted, Anchor::Start);
    }
    let used = limit.used.unwrap_or_default();
    if used.peak > 0.0 {
        canvas.line(&[(x(used.p50), y), (x(used.p999), y)], Stroke::solid(Ink::Blue, 6.0));
        canvas.line(&[(x(used.p999), y), (x(used.peak), y)], Stroke::solid(Ink::Sky, 2.0));
    }
    if let Some(today) = limit.today {
        if used.p999 > today {
            canvas.line(&[(x(today.max(used.p50)), y), (x(used.p999), y)], Stroke::solid(Ink::Red, 6.0));
        }
        canvas.line(&[(x(today), y - 9.0), (x(today), y + 9.0)], Stroke::solid(Ink::Text, 2.0));
    }
    if let Some(proposed) = limit.proposed {
        canvas.line(&[(x(proposed), y - 9.0), (x(proposed), y + 9.0)], Stroke::solid(Ink::Green, 2.0));
    }
    let today =
        limit.today.map_or_else(|| "no limit today".to_owned(), |today| format!("today {}", short_count(today)));
    let used = limit.used.map_or_else(
        || "use not found out".to_owned(),
        |used| {
            let [p50, p999, peak] = [used.p50, used.p999, used.peak].map(short_count);
            format!("P50 {p50}, P99.9 {p999}, peak {peak}")
        },
    );
    let together = limit.proposed.map_or_else(|| "not found out".to_owned(), short_count);
    let note = format!("{name}: {used}; {today}; together {together}");
    canvas.hover(Rect::new(0.0, y - ROW / 2.0, plot.area.right, y + ROW / 2.0), note);
}

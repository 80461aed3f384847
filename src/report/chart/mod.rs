//! The charts: one file each, one entry in [`ALL`]. A chart is painted into any width, so that a page can have one for
//! wide and one for narrow screens.

mod canvas;
mod causes;
mod cumulative;
mod demand;
mod distribution;
mod frame;
pub mod model;
mod models;
pub mod plan;
mod picture;
mod png;
mod rates;
mod theme;
mod timeline;

use canvas::draw;
use theme::with_variables;

pub use canvas::{Anchor, Canvas, Rect, Stroke, fit, text_width};
pub use frame::{
    AXIS_HEIGHT, LABEL, Plot, Swatch, Unit, fan, fan_legend, fan_peak, legend, nothing, value_axis, value_ceiling,
};
pub use picture::Picture;
pub use theme::Ink;

use crate::report::Artefact;
use crate::report::view::View;

/// Width of a chart in a file and on a wide page.
pub const WIDE: f64 = 880.0;
/// Width of a chart on a narrow page.
pub const NARROW: f64 = 340.0;

/// A kind of chart.
pub struct Chart {
    /// Part of the file's name, and its anchor on the page.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it shows, in one sentence.
    pub note: fn(&View<'_>) -> String,
    /// The height that it needs at a width.
    height: fn(&View<'_>, f64) -> f64,
    /// Paints it.
    paint: fn(&View<'_>, &mut Canvas<'_>, Rect),
}

/// All charts, in the order of the page.
pub const ALL: [Chart; 7] = [
    distribution::CHART,
    cumulative::CHART,
    rates::CHART,
    models::CHART,
    causes::CHART,
    demand::CHART,
    timeline::CHART,
];

/// Every chart as an SVG and a PNG file.
pub fn files(view: &View<'_>) -> Vec<Artefact> {
    ALL.iter()
        .flat_map(|chart| {
            let svg = chart.file(view);
            let png = png::render(&svg);
            [
                Artefact { file_name: format!("chart-{}.svg", chart.id), bytes: svg.into_bytes() },
                Artefact { file_name: format!("chart-{}.png", chart.id), bytes: png },
            ]
        })
        .collect()
}

impl Chart {
    /// The chart as a picture of its own: with a title, what it shows, and where it comes from; on white.
    fn file(&self, view: &View<'_>) -> String {
        let note = lines((self.note)(view).as_str(), LABEL, WIDE - 40.0);
        let head = 44.0 + 18.0 * note.len() as f64;
        let body = (self.height)(view, WIDE - 40.0);
        let height = head + body + 30.0;
        draw(WIDE, height, self.title, |canvas| {
            canvas.rect(Rect::new(0.0, 0.0, WIDE, height), Ink::Paper, 1.0);
            canvas.text(self.title, (20.0, 26.0), 18.0, Ink::Text, Anchor::Start);
            for (number, line) in note.iter().enumerate() {
                canvas.text(line, (20.0, 50.0 + 18.0 * number as f64), LABEL, Ink::Muted, Anchor::Start);
            }
            canvas.set_origin((20.0, head));
            (self.paint)(view, canvas, Rect::new(0.0, 0.0, WIDE - 40.0, body));
            canvas.set_origin((0.0, 0.0));
            canvas.text(&view.stamp, (20.0, height - 14.0), 10.0, Ink::Muted, Anchor::Start);
        })
    }

    /// The chart for a page that has its own headings: in the page's colours.
    pub fn inline(&self, view: &View<'_>, width: f64) -> String {
        let height = (self.height)(view, width);
        let paint = |canvas: &mut Canvas<'_>| (self.paint)(view, canvas, Rect::new(0.0, 0.0, width, height));
        with_variables(&draw(width, height, self.title, paint))
    }
}

/// Breaks a text into lines of at most `width` pixels.
fn lines(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut all = vec![String::new()];
    for word in text.split_whitespace() {
        let line = all.last_mut().expect("one line");
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if line.is_empty() || text_width(&longer, size) <= width {
            *line = longer;
        } else {
            all.push(word.to_owned());
        }
    }
    all
}

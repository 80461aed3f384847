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

pub use canvas::{Anchor, Canvas, Rect, Stroke, fit, text_width};
pub use frame::{
    AXIS_HEIGHT, LABEL, Plot, Swatch, Unit, fan, fan_legend, fan_peak, legend, money_axis, nothing, tick_text,
    value_axis, value_ceiling,
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
    ALL.iter().flat_map(|chart| chart.picture(view).files(chart.id)).collect()
}

impl Chart {
    /// The chart of a forecast.
    pub fn picture<'a>(&'a self, view: &'a View<'_>) -> Picture<'a> {
        Picture {
            id: self.id,
            title: self.title.to_owned(),
            note: (self.note)(view),
            stamp: view.stamp.clone(),
            height: Box::new(|width| (self.height)(view, width)),
            paint: Box::new(|canvas, area| (self.paint)(view, canvas, area)),
        }
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

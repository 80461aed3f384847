//! A chart as a picture: in files of its own, and on pages. What it shows is in its painter.

use crate::report::Artefact;
use crate::report::chart::canvas::{Anchor, Canvas, Rect, draw};
use crate::report::chart::frame::LABEL;
use crate::report::chart::theme::{Ink, with_variables};
use crate::report::chart::{NARROW, WIDE, lines, png};

/// The height that a chart needs at a width.
type Height<'a> = Box<dyn Fn(f64) -> f64 + 'a>;
/// Paints a chart.
type Paint<'a> = Box<dyn Fn(&mut Canvas<'_>, Rect) + 'a>;

/// A chart with its title and its origin.
pub struct Picture<'a> {
    /// Part of the file's name, and its anchor on a page.
    pub id: &'static str,
    /// Its heading.
    pub title: String,
    /// What it shows, in a sentence or two.
    pub note: String,
    /// Where it comes from.
    pub stamp: String,
    /// The height that it needs at a width.
    pub height: Height<'a>,
    /// Paints it.
    pub paint: Paint<'a>,
}

impl Picture<'_> {
    /// As an SVG and a PNG file under a name of their own.
    pub fn files(&self, name: &str) -> [Artefact; 2] {
        svg_and_png(name, self.file())
    }

    /// With a title, what it shows, and where it comes from; on white.
    fn file(&self) -> String {
        let note = lines(&self.note, LABEL, WIDE - 40.0);
        let head = 44.0 + 18.0 * note.len() as f64;
        let body = (self.height)(WIDE - 40.0);
        let height = head + body + 30.0;
        draw(WIDE, height, &self.title, |canvas| {
            canvas.rect(Rect::new(0.0, 0.0, WIDE, height), Ink::Paper, 1.0);
            canvas.text(&self.title, (20.0, 26.0), 18.0, Ink::Text, Anchor::Start);
            for (number, line) in note.iter().enumerate() {
                canvas.text(line, (20.0, 50.0 + 18.0 * number as f64), LABEL, Ink::Muted, Anchor::Start);
            }
            canvas.set_origin((20.0, head));
            (self.paint)(canvas, Rect::new(0.0, 0.0, WIDE - 40.0, body));
            canvas.set_origin((0.0, 0.0));
            canvas.text(&self.stamp, (20.0, height - 14.0), 10.0, Ink::Muted, Anchor::Start);
        })
    }

    /// For a page that has its own headings: in the page's colours, for wide and for narrow screens.
    pub fn inline(&self) -> [String; 2] {
        [WIDE, NARROW].map(|width| {
            let height = (self.height)(width);
            let paint = |canvas: &mut Canvas<'_>| (self.paint)(canvas, Rect::new(0.0, 0.0, width, height));
            with_variables(&draw(width, height, &self.title, paint))
        })
    }
}

/// A drawing as an SVG and a PNG file.
pub fn svg_and_png(name: &str, svg: String) -> [Artefact; 2] {
    let png = png::render(&svg);
    [
        Artefact { file_name: format!("chart-{name}.svg"), bytes: svg.into_bytes() },
        Artefact { file_name: format!("chart-{name}.png"), bytes: png },
    ]
}

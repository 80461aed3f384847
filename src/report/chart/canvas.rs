//! A sheet to draw on: plotters' SVG backend in pixels with fractions, dashes, hatching and texts that appear on hover.

use std::borrow::Cow;
use std::fmt::Write as _;

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBAColor, ShapeStyle, TextStyle};

use crate::report::chart::theme::Ink;
use crate::report::text::{clean, ellipsis};

/// The backend has whole coordinates only; it draws this much larger.
const SCALE: f64 = 4.0;
/// plotters divides the size of a font by this before it writes it.
const FONT_FACTOR: f64 = 1.24;
/// Fonts of people's machines; a rasteriser takes its own for `sans-serif`.
const FONTS: &str = "system-ui, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif";

/// No sheet is so large, in pixels.
const FARTHEST: f64 = 1e5;

/// A place: pixels from the left and from the top.
pub type Point = (f64, f64);

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
}

impl Rect {
    /// A rectangle from its edges.
    pub const fn new(left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Self { left, top, right, bottom }
    }

    /// Its width.
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    /// Its height.
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// The same rectangle with these margins taken off.
    pub fn inset(&self, left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Self::new(self.left + left, self.top + top, self.right - right, self.bottom - bottom)
    }
}

/// Where a text stands relative to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    /// Colour.
    pub ink: Ink,
    /// Width in pixels.
    pub width: f64,
    /// Dash and gap in pixels.
    pub dash: Option<(f64, f64)>,
}

impl Stroke {
    /// A solid line.
    pub const fn solid(ink: Ink, width: f64) -> Self {
        Self { ink, width, dash: None }
    }

    /// A dashed line.
    pub const fn dashed(ink: Ink, width: f64) -> Self {
        Self { ink, width, dash: Some((6.0, 4.0)) }
    }
}

/// A text that a page shows when the pointer rests on a place.
struct Hover {
    place: Rect,
    text: String,
}

/// A drawing with more hover texts than this goes without: they would outweigh the picture.
const MOST_HOVERS: usize = 400;

/// The sheet.
pub struct Canvas<'a> {
    /// What is drawn at (0, 0) stands here.
    origin: Point,
    area: DrawingArea<SVGBackend<'a>, Shift>,
    hovers: Vec<Hover>,
}

/// Draws a picture of this size. `label` says what it shows, for those who cannot see it.
pub fn draw(width: f64, height: f64, label: &str, paint: impl FnOnce(&mut Canvas<'_>)) -> String {
    let mut svg = String::new();
    let size = ((width * SCALE) as u32, (height * SCALE) as u32);
    let mut canvas = Canvas {
        origin: (0.0, 0.0),
        area: SVGBackend::with_string(&mut svg, size).into_drawing_area(),
        hovers: Vec::new(),
    };
    paint(&mut canvas);
    canvas.area.present().expect("a string takes every element");
    let mut hovers = std::mem::take(&mut canvas.hovers);
    if hovers.len() > MOST_HOVERS {
        hovers.clear();
    }
    drop(canvas);
    finish(&svg, width, height, label, &hovers)
}

/// Puts a better root around the elements, and the hover texts on top of them.
fn finish(svg: &str, width: f64, height: f64, label: &str, hovers: &[Hover]) -> String {
    let elements = svg.split_once(">\n").map_or("", |(_, rest)| rest).trim_end().trim_end_matches("</svg>");
    let label = escape(label);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" \
         role=\"img\" aria-label=\"{label}\">\n<title>{label}</title>\n{elements}",
        width * SCALE,
        height * SCALE,
    );
    for Hover { place, text: note } in hovers {
        let [x, y, wide, high] =
            [place.left, place.top, place.width(), place.height()].map(|value| (value * SCALE).round());
        let note = escape(note);
        writeln!(
            text,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{high}\" fill=\"none\" pointer-events=\"all\">\
             <title>{note}</title></rect>"
        )
        .expect("a string takes every text");
    }
    text.push_str("</svg>\n");
    text
}

/// Text for an element or an attribute in quotes.
fn escape(text: &str) -> String {
    clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn colour(ink: Ink, opacity: f64) -> RGBAColor {
    ink.on_white().mix(opacity)
}

impl Canvas<'_> {
    /// What is drawn from now on at (0, 0) stands at this place of the sheet.
    pub fn set_origin(&mut self, origin: Point) {
        self.origin = origin;
    }

    fn whole(&self, (x, y): Point) -> (i32, i32) {
        (((x + self.origin.0) * SCALE).round() as i32, ((y + self.origin.1) * SCALE).round() as i32)
    }

    /// A line through points; dashed if the stroke says so. Points far from any sheet, or nowhere, are left out.
    pub fn line(&mut self, points: &[Point], stroke: Stroke) {
        let style = ShapeStyle::from(colour(stroke.ink, 1.0)).stroke_width((stroke.width * SCALE).round() as u32);
        // One by one: the greater of a number and NaN is the number.
        let is_near = |(x, y): &Point| x.abs() < FARTHEST && y.abs() < FARTHEST;
        let points: Vec<Point> = points.iter().copied().filter(is_near).collect();
        let pieces = match stroke.dash {
            None => vec![points],
            Some((dash, gap)) => dashes(&points, dash, gap),
        };
        for piece in pieces.into_iter().filter(|piece| piece.len() > 1) {
            let path: Vec<(i32, i32)> = piece.into_iter().map(|at| self.whole(at)).collect();
            self.area.draw(&PathElement::new(path, style)).expect("a string takes every element");
        }
    }

    /// A filled shape.
    pub fn polygon(&mut self, points: &[Point], ink: Ink, opacity: f64) {
        let path: Vec<(i32, i32)> = points.iter().map(|at| self.whole(*at)).collect();
        self.area.draw(&Polygon::new(path, colour(ink, opacity).filled())).expect("a string takes every element");
    }

    /// A filled rectangle.
    pub fn rect(&mut self, rect: Rect, ink: Ink, opacity: f64) {
        let corners = [self.whole((rect.left, rect.top)), self.whole((rect.right, rect.bottom))];
        self.area.draw(&Rectangle::new(corners, colour(ink, opacity).filled())).expect("a string takes every element");
    }

    /// Diagonal lines inside a rectangle: what grey print can tell from a plain surface.
    pub fn hatch(&mut self, rect: Rect, ink: Ink) {
        let (wide, high) = (rect.width(), rect.height());
        let mut offset = 5.0;
        while offset < wide + high {
            let from = (rect.left + f64::min(offset, wide), rect.top + f64::max(offset - wide, 0.0));
            let to = (rect.left + f64::max(offset - high, 0.0), rect.top + f64::min(offset, high));
            self.line(&[from, to], Stroke::solid(ink, 1.0));
            offset += 5.0;
        }
    }

    /// A filled disc.
    pub fn dot(&mut self, at: Point, radius: f64, ink: Ink) {
        let disc = Circle::new(self.whole(at), (radius * SCALE).round() as i32, colour(ink, 1.0).filled());
        self.area.draw(&disc).expect("a string takes every element");
    }

    /// A text whose middle line is at the place's height.
    pub fn text(&mut self, text: &str, at: Point, size: f64, ink: Ink, anchor: Anchor) {
        let across = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let font = (FONTS, size * SCALE * FONT_FACTOR).into_font();
        let colour = colour(ink, 1.0);
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(across, VPos::Center));
        self.area.draw(&Text::new(clean(text), self.whole(at), style)).expect("a string takes every element");
    }

    /// A text for the pointer.
    pub fn hover(&mut self, place: Rect, text: String) {
        let (x, y) = self.origin;
        self.hovers.push(Hover { place: place.inset(x, y, -x, -y), text });
    }
}

/// Cuts a line into dashes.
fn dashes(points: &[Point], dash: f64, gap: f64) -> Vec<Vec<Point>> {
    let mut pieces = Vec::new();
    let mut piece: Vec<Point> = points.first().copied().into_iter().collect();
    let (mut drawing, mut left) = (true, dash);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            if length <= left {
                left -= length;
                if drawing {
                    piece.push(to);
                }
                break;
            }
            let part = left / length;
            from = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            if drawing {
                piece.push(from);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![from];
            }
            drawing = !drawing;
            left = if drawing { dash } else { gap };
        }
    }
    pieces.push(piece);
    pieces
}

/// The width of the narrowest characters, as a share of the font's size.
const NARROWEST: f64 = 0.37;

/// The width of a text in pixels, roughly: fonts differ, so labels keep some room.
pub fn text_width(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | 'I' | 't' | 'f' | 'r' | '/' | '(' | ')' => {
            NARROWEST
        }
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.93,
        'A'..='Z' => 0.7,
        c if (c as u32) < 0x1100 => 0.62,
        _ => 1.0,
    };
    text.chars().map(em).sum::<f64>() * size
}

/// The text cut with an ellipsis so that it is not wider than `width` pixels.
pub fn fit(text: &str, size: f64, width: f64) -> String {
    // Names may be very long: of what cannot fit only the ends are looked at, which are all that is kept of it.
    let most = ((width / (NARROWEST * size)).max(0.0) as usize).saturating_add(2);
    let text = ends(text, most);
    let mut limit = text.chars().count();
    let mut fitted = text.to_string();
    while limit > 1 && text_width(&fitted, size) > width {
        limit -= 1;
        fitted = ellipsis(&text, limit);
    }
    fitted
}

/// The first and the last so many characters of a text that is longer than both.
fn ends(text: &str, most: usize) -> Cow<'_, str> {
    let start = text.char_indices().nth(most).map(|(at, _)| at);
    let end = text.char_indices().nth_back(most.saturating_sub(1)).map(|(at, _)| at);
    match (start, end) {
        (Some(start), Some(end)) if start < end => Cow::Owned([&text[..start], &text[end..]].concat()),
        _ => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_leave_gaps_and_turn_corners() {
        let pieces = dashes(&[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)], 6.0, 6.0);
        assert_eq!(pieces[0], [(0.0, 0.0), (6.0, 0.0)]);
        assert_eq!(pieces[1], [(10.0, 2.0), (10.0, 8.0)]);
    }

    #[test]
    fn lines_to_nowhere_end() {
        let points = [(1.0, 1.0), (f64::NAN, 2.0), (f64::INFINITY, 1e300), (3.0, -1e18), (9.0, 1.0)];
        let svg = draw(100.0, 50.0, "lines", |canvas| canvas.line(&points, Stroke::dashed(Ink::Text, 1.0)));
        assert_eq!(
            svg,
            draw(100.0, 50.0, "lines", |canvas| {
                canvas.line(&[(1.0, 1.0), (9.0, 1.0)], Stroke::dashed(Ink::Text, 1.0));
            })
        );
    }

    #[test]
    fn a_fitted_text_is_not_too_wide() {
        let name = "tenant-eu-central-1/claude-sonnet-production-4";
        assert!(text_width(&fit(name, 12.0, 100.0), 12.0) <= 100.0);
        assert_eq!(fit("gpt-4o", 12.0, 100.0), "gpt-4o");
    }

    /// One character at a time is left out until it fits.
    fn fit_slowly(text: &str, size: f64, width: f64) -> String {
        let fits = |fitted: &String| text_width(fitted, size) <= width;
        let shorter = (1..text.chars().count()).rev().map(|limit| ellipsis(text, limit));
        let mut all = std::iter::once(text.to_owned()).chain(shorter).peekable();
        while let Some(fitted) = all.next() {
            if fits(&fitted) || all.peek().is_none() {
                return fitted;
            }
        }
        String::new()
    }

    #[test]
    fn a_text_is_fitted_as_if_its_characters_were_left_out_one_by_one() {
        let letters: Vec<char> = "iil.mwW@ABaz09é–…日本語".chars().collect();
        let mut state = 1u64;
        let mut random = |most: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % most
        };
        for _ in 0..5_000 {
            let text: String = (0..random(60)).map(|_| letters[random(letters.len())]).collect();
            let (size, width) = (6.0 + random(20) as f64, random(300) as f64 - 10.0);
            assert_eq!(fit(&text, size, width), fit_slowly(&text, size, width), "{text} {size} {width}");
        }
    }

    #[test]
    fn of_a_very_long_text_both_ends_are_kept() {
        let text = format!("start{}end", "日i".repeat(500_000));
        let fitted = fit(&text, 12.0, 200.0);
        assert!(fitted.starts_with("start日i") && fitted.ends_with("日iend") && fitted.contains('…'), "{fitted}");
        assert!(text_width(&fitted, 12.0) <= 200.0);
        assert_eq!(fit(&text, 12.0, f64::INFINITY), text);
    }

    #[test]
    fn hostile_text_stays_text() {
        let svg = draw(100.0, 50.0, "\"><script>", |canvas| {
            canvas.text("</text><script>\u{1b}[2J", (1.0, 1.0), 10.0, Ink::Text, Anchor::Start);
            canvas.hover(Rect::new(0.0, 0.0, 1.0, 1.0), "</title><script>".to_owned());
        });
        assert!(!svg.contains("<script") && !svg.contains('\u{1b}'), "{svg}");
    }
}

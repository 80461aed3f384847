//! How the bills of the runs lie, with the percentiles marked.

use crate::report::chart::Chart;
use crate::report::chart::canvas::{Anchor, Canvas, Rect, Stroke, text_width};
use crate::report::chart::frame::{LABEL, Plot, Unit, money_axis, nothing, value_axis, value_ceiling};
use crate::report::chart::theme::Ink;
use crate::report::text::{dollars, plural};
use crate::report::view::View;

/// The chart.
pub const CHART: Chart =
    Chart { id: "bill-distribution", title: "How the bill varies from run to run", note, height: |_, _| 340.0, paint };

/// Height of a row of labels above the bars.
const ROW: f64 = 17.0;

fn note(view: &View<'_>) -> String {
    if all_equal(view) {
        return "All runs cost the same.".to_owned();
    }
    let beyond = match view.histogram.above {
        0 => String::new(),
        above => {
            format!(" Not drawn: {} beyond the right edge; the dearest costs {}.", plural(above, "run"), max(view))
        }
    };
    format!("Bars count runs by their bill; the darker ones lie above the P95.{beyond}")
}

fn all_equal(view: &View<'_>) -> bool {
    let bill = &view.forecast.bill;
    bill.p5 == bill.p99 && bill.mean == bill.p50
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
    let provisional = Plot { area: area.inset(46.0, 0.0, 24.0, 44.0), x: plot_x, y: (0.0, 1.0) };
    let flags = flags(&provisional, &marks);
    let first = flags.iter().map(|flag| flag.row).min().unwrap_or(0);
    let last = flags.iter().map(|flag| flag.row).max().unwrap_or(0);
    let height = f64::from(last - first + 1) * ROW;
    let peak = histogram.counts.iter().copied().max().unwrap_or(0) as f64;
    let inner = provisional.area.inset(0.0, height + 26.0, 0.0, 0.0);
    let plot = Plot { area: inner, x: plot_x, y: (0.0, value_ceiling(peak, inner.height()).max(1.0)) };
    value_axis(canvas, &plot, "runs", Unit::Count);
    bars(view, canvas, &plot);
    money_axis(canvas, &plot, "bill of one run, US dollars");
    for (mark, flag) in marks.iter().zip(flags) {
        let x = plot.at_x(mark.value);
        let y = area.top + ROW * f64::from(flag.row - first) + 9.0;
        canvas.line(&[(x, y - 6.0), (x, plot.area.bottom)], mark.stroke);
        canvas.text(&mark.text, (flag.left, y), LABEL, Ink::Text, Anchor::Start);
    }
}

fn bars(view: &View<'_>, canvas: &mut Canvas<'_>, plot: &Plot) {
    let histogram = &view.histogram;
    let p95 = dollars(view.forecast.bill.p95);
    for (index, count) in histogram.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let from = histogram.low + histogram.width * index as f64;
        let to = from + histogram.width;
        let bar = Rect::new(plot.at_x(from) + 0.5, plot.at_y(*count as f64), plot.at_x(to) - 0.5, plot.area.bottom);
        let tail = from >= p95 && !all_equal(view);
        canvas.rect(bar, if tail { Ink::Red } else { Ink::Sky }, 1.0);
        let place = Rect::new(plot.at_x(from), plot.area.top, plot.at_x(to), plot.area.bottom);
        let (low, high) = (Unit::Dollars.tick(from, histogram.width), Unit::Dollars.tick(to, histogram.width));
        canvas.hover(place, format!("{low} to {high}: {}", plural(*count, "run")));
    }
}

/// A marked amount.
struct Mark {
    value: f64,
    text: String,
    stroke: Stroke,
}

/// The percentiles that are drawn; those with the same amount share a mark.
fn marks(view: &View<'_>) -> Vec<Mark> {
    let bill = &view.forecast.bill;
    if all_equal(view) {
        let text = format!("all percentiles {}", crate::report::text::money(bill.p50));
        return vec![Mark { value: dollars(bill.p50), text, stroke: Stroke::solid(Ink::Text, 1.75) }];
    }
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

/// Where a mark's label stands: rows count downwards and may begin below zero.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Flag {
    row: i32,
    left: f64,
    right: f64,
    /// The mark's line, which runs from the label's row down to the axis.
    line: f64,
}

impl Flag {
    /// Whether two labels overlap, or the line of one runs through the label of the other.
    fn disturbs(&self, other: &Self) -> bool {
        let overlap = self.row == other.row && self.left < other.right + 6.0 && other.left < self.right + 6.0;
        overlap || self.crosses(other) || other.crosses(self)
    }

    fn crosses(&self, other: &Self) -> bool {
        self.row <= other.row && self.line > other.left - 3.0 && self.line < other.right + 3.0
    }
}

/// Rows above and below the first that are tried.
const MOST_ROWS: i32 = 5;

/// A place for each label beside its line, so that none disturbs another: every choice of sides is tried, and the one
/// with the fewest rows taken.
fn flags(plot: &Plot, marks: &[Mark]) -> Vec<Flag> {
    let sides = 0..1u32 << marks.len();
    let best = sides.filter_map(|sides| place(plot, marks, sides)).min_by_key(|flags| row_count(flags));
    best.unwrap_or_else(|| marks.iter().enumerate().map(|(row, mark)| flag(plot, mark, row as i32, false)).collect())
}

fn row_count(flags: &[Flag]) -> i32 {
    let rows = || flags.iter().map(|flag| flag.row);
    rows().max().unwrap_or(0) - rows().min().unwrap_or(0)
}

/// A label in a row, on one side of its line.
fn flag(plot: &Plot, mark: &Mark, row: i32, to_the_left: bool) -> Flag {
    let (line, wide) = (plot.at_x(mark.value), text_width(&mark.text, LABEL));
    let left = if to_the_left { line - 5.0 - wide } else { line + 5.0 };
    let most = plot.area.right + 24.0;
    let fits_nowhere = line - 5.0 < wide && line + 5.0 + wide > most;
    let left = if fits_nowhere { (most - wide).max(0.0) } else { left };
    Flag { row, left, right: left + wide, line }
}

/// Places the labels one after the other, each in the nearest row that is free. Bit i of `sides`: label i stands left.
fn place(plot: &Plot, marks: &[Mark], sides: u32) -> Option<Vec<Flag>> {
    let mut placed: Vec<Flag> = Vec::new();
    for (index, mark) in marks.iter().enumerate() {
        let rows = (0..=MOST_ROWS).flat_map(|row| [row, -row]);
        let mut candidates = rows.map(|row| flag(plot, mark, row, sides >> index & 1 == 1));
        let inside = |flag: &Flag| flag.left >= 0.0 && flag.right <= plot.area.right + 24.0;
        let free = |flag: &Flag| inside(flag) && placed.iter().all(|other| !flag.disturbs(other));
        placed.push(candidates.find(free)?);
    }
    Some(placed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_is_touched_by_a_line_or_a_label() {
        let plot = Plot { area: Rect::new(46.0, 0.0, 400.0, 300.0), x: (0.0, 100.0), y: (0.0, 1.0) };
        let mark = |value: f64| Mark { value, text: format!("P5 ${value}.00"), stroke: Stroke::solid(Ink::Text, 1.0) };
        for values in [
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            [10.0, 11.0, 50.0, 52.0, 97.0, 100.0],
            [95.0, 96.0, 97.0, 98.0, 99.0, 100.0],
        ] {
            let flags = flags(&plot, &values.map(mark));
            for (index, flag) in flags.iter().enumerate() {
                assert!(flags[..index].iter().all(|other| !flag.disturbs(other)), "{flags:?}");
                assert!(flag.left >= 0.0 && flag.right <= plot.area.right + 24.0, "{flags:?}");
            }
        }
    }
}

//! The charts of a comparison: how the bills lie, how single runs differ, and where the difference comes from.

use crate::experiment::Difference;
use crate::ledger::Cause;
use crate::report::chart::{
    Anchor, Canvas, Ink, LABEL, Picture, Plot, Rect, Stroke, Swatch, Unit, legend, money_axis, nothing, text_width,
    tick_text, value_axis, value_ceiling,
};
use crate::report::compare::ChangeView;
use crate::report::compare::words::signed_money;
use crate::report::scale::nice_step;
use crate::report::text::{dollars, ellipsis, money_of, percent, plural};
use crate::report::view::words;
use crate::units::Money;

/// Height of a bar with its gap.
const ROW: f64 = 30.0;
/// Parts that are drawn.
const MOST_PARTS: usize = 16;

/// All charts of a change.
pub fn all<'a>(change: &'a ChangeView<'_>, base: &'a str, stamp: &str) -> Vec<Picture<'a>> {
    vec![shares(change, base, stamp), differences(change, base, stamp), sources(change, stamp)]
}

/// For each amount the share of the runs that cost at most as much, for both sides.
fn shares<'a>(change: &'a ChangeView<'_>, base: &'a str, stamp: &str) -> Picture<'a> {
    Picture {
        id: "bills",
        title: "The bills of both sides".to_owned(),
        note: "For each amount on the axis, the share of the runs that cost at most as much. Further left is cheaper."
            .to_owned(),
        stamp: stamp.to_owned(),
        height: Box::new(|_| 340.0),
        paint: Box::new(move |canvas, area| paint_shares(change, base, canvas, area)),
    }
}

fn paint_shares(change: &ChangeView<'_>, base: &str, canvas: &mut Canvas<'_>, area: Rect) {
    let side = |index: usize| {
        let mut bills: Vec<f64> = change.change.pairs.iter().map(|pair| dollars(pair[index])).collect();
        bills.sort_unstable_by(f64::total_cmp);
        bills
    };
    let sides =
        [(side(0), Stroke::dashed(Ink::Muted, 2.0), base), (side(1), Stroke::solid(Ink::Blue, 2.5), &change.label)];
    let low = sides.iter().filter_map(|(bills, ..)| bills.first()).copied().fold(f64::INFINITY, f64::min);
    let high = sides.iter().filter_map(|(bills, ..)| bills.last()).copied().fold(0.0, f64::max);
    if high <= low {
        return nothing(canvas, area, "All runs cost the same.");
    }
    let name = |text: &str| ellipsis(text, (area.width() / 8.0) as usize);
    let entries = sides.each_ref().map(|(_, stroke, label)| (Swatch::Line(*stroke), name(label)));
    let used = legend(canvas, (area.left, area.top), area.width(), &entries);
    let plot = Plot { area: area.inset(50.0, used + 30.0, 20.0, 44.0), x: (low, high), y: (0.0, 1.0) };
    value_axis(canvas, &plot, "share of the runs", Unit::Share);
    money_axis(canvas, &plot, "bill of one run, US dollars");
    for (bills, stroke, _) in &sides {
        let mut points = vec![plot.at(bills[0], 0.0)];
        for (index, bill) in bills.iter().enumerate() {
            points.push(plot.at(*bill, index as f64 / bills.len() as f64));
            points.push(plot.at(*bill, (index + 1) as f64 / bills.len() as f64));
        }
        points.push(plot.at(high, 1.0));
        canvas.line(&points, *stroke);
    }
}

/// How single runs differ.
fn differences<'a>(change: &'a ChangeView<'_>, base: &str, stamp: &str) -> Picture<'a> {
    let cheaper = percent(change.change.cheaper.point);
    Picture {
        id: "paired-differences",
        title: "How single runs differ".to_owned(),
        note: format!(
            "The bill of each run less that of {base} in the same random weekend: {cheaper} of the runs are cheaper \
             (green), the \
             others are not. The band is the 95% confidence interval of the mean difference."
        ),
        stamp: stamp.to_owned(),
        height: Box::new(|_| 320.0),
        paint: Box::new(move |canvas, area| paint_differences(change, canvas, area)),
    }
}

fn paint_differences(change: &ChangeView<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let found: Vec<f64> = change.change.pairs.iter().map(|[a, b]| dollars(*b - *a)).collect();
    let low = found.iter().copied().fold(0.0, f64::min);
    let high = found.iter().copied().fold(0.0, f64::max);
    if high <= low {
        return nothing(canvas, area, "No run differs.");
    }
    let width = nice_step(high - low, ((area.width() / 18.0) as usize).clamp(8, 40));
    let first = (low / width).floor();
    let bins = ((high / width).ceil() - first).max(1.0) as usize;
    let mut counts = vec![0u64; bins + 1];
    for value in &found {
        counts[((value / width).floor() - first) as usize] += 1;
    }
    let peak = counts.iter().copied().max().unwrap_or(0) as f64;
    let inner = area.inset(46.0, 44.0, 24.0, 44.0);
    let x = (first * width, (first + bins as f64 + 1.0) * width);
    let plot = Plot { area: inner, x, y: (0.0, value_ceiling(peak, inner.height()).max(1.0)) };
    value_axis(canvas, &plot, "runs", Unit::Count);
    for (index, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let from = (first + index as f64) * width;
        let bar =
            Rect::new(plot.at_x(from) + 0.5, plot.at_y(*count as f64), plot.at_x(from + width) - 0.5, inner.bottom);
        canvas.rect(bar, if from + width / 2.0 < 0.0 { Ink::Green } else { Ink::Red }, 0.85);
        let (low, high) = (tick_text(from, width), tick_text(from + width, width));
        canvas.hover(bar, format!("{low} to {high}: {}", plural(*count, "run")));
    }
    mean_band(change, canvas, &plot);
    money_axis(canvas, &plot, "difference of one run, US dollars");
    let zero = plot.at_x(0.0);
    canvas.line(&[(zero, inner.top - 8.0), (zero, inner.bottom)], Stroke::solid(Ink::Text, 1.5));
}

/// The mean difference with its interval.
fn mean_band(change: &ChangeView<'_>, canvas: &mut Canvas<'_>, plot: &Plot) {
    let mean = &change.change.bill_mean;
    if let Some([low, high]) = mean.ci95 {
        let (from, to) = (plot.at_x(dollars(low)), plot.at_x(dollars(high)).max(plot.at_x(dollars(low)) + 2.0));
        canvas.rect(Rect::new(from, plot.area.top, to, plot.area.bottom), Ink::Blue, 0.25);
    }
    let at = plot.at_x(dollars(mean.delta));
    canvas.line(&[(at, plot.area.top - 4.0), (at, plot.area.bottom)], Stroke::dashed(Ink::Blue, 1.75));
    let text = format!("mean {}", signed_money(mean.delta));
    let wide = text_width(&text, LABEL);
    let left = (at + 5.0).min(plot.area.right - wide);
    canvas.text(&text, (left, plot.area.top - 12.0), LABEL, Ink::Text, Anchor::Start);
}

/// A part and what it contributes.
struct Part {
    label: String,
    found: Difference<Money>,
    is_head: bool,
}

/// Where the difference of the mean bill comes from: by cause, then by deployment.
fn sources<'a>(change: &'a ChangeView<'_>, stamp: &str) -> Picture<'a> {
    Picture {
        id: "where-it-comes-from",
        title: "Where the difference comes from".to_owned(),
        note: "What each part adds to the mean bill or takes from it, with its 95% confidence interval. The parts \
               by cause and the \
               parts by deployment each sum to the whole."
            .to_owned(),
        stamp: stamp.to_owned(),
        height: Box::new(move |_| rows(change).len().max(2) as f64 * ROW + 46.0),
        paint: Box::new(move |canvas, area| paint_sources(change, canvas, area)),
    }
}

fn rows(change: &ChangeView<'_>) -> Vec<Part> {
    let found = change.change;
    let mut rows = vec![Part { label: "Mean bill".to_owned(), found: found.bill_mean, is_head: true }];
    let cause = |(cause, found): &(Cause, Difference<Money>)| (words(*cause).0.to_owned(), *found);
    let deployment = |part: &crate::experiment::PartDifference| (crate::report::text::clean(&part.name), part.bill);
    let mut causes: Vec<_> = found.by_cause.iter().map(cause).collect();
    let mut deployments: Vec<_> = found.by_deployment.iter().map(deployment).collect();
    for parts in [&mut causes, &mut deployments] {
        parts.retain(|(_, found)| found.delta != Money::ZERO);
        parts.sort_by_key(|(_, found)| std::cmp::Reverse(found.delta.picos().abs()));
        parts.truncate(MOST_PARTS / 2);
        let part = |(label, found): (String, _)| Part { label: ellipsis(&label, 30), found, is_head: false };
        rows.extend(parts.drain(..).map(part));
    }
    rows
}

fn paint_sources(change: &ChangeView<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let rows = rows(change);
    let ends = |part: &Part| part.found.ci95.map_or([part.found.delta; 2], |[low, high]| [low, high]);
    let all = rows.iter().flat_map(|part| [part.found.delta].into_iter().chain(ends(part))).map(dollars);
    let (low, high) = all.fold((0.0, 0.0), |(low, high): (f64, f64), value| (low.min(value), high.max(value)));
    if high <= low {
        return nothing(canvas, area, "Nothing differs.");
    }
    let widest =
        |texts: &mut dyn Iterator<Item = String>| texts.map(|text| text_width(&text, LABEL)).fold(0.0, f64::max);
    let labels = widest(&mut rows.iter().map(|part| part.label.clone())).min(area.width() * 0.35) + 12.0;
    let values = widest(&mut rows.iter().map(|part| signed_money(part.found.delta))) + 12.0;
    let inner = area.inset(labels, 0.0, values, 46.0);
    let plot = Plot { area: inner, x: (low, high), y: (0.0, 1.0) };
    money_axis(canvas, &plot, "US dollars");
    let zero = plot.at_x(0.0);
    for (index, part) in rows.iter().enumerate() {
        bar(canvas, &plot, part, ends(part), index, area.right);
    }
    canvas.line(&[(zero, inner.top), (zero, inner.bottom)], Stroke::solid(Ink::Text, 1.0));
}

fn bar(canvas: &mut Canvas<'_>, plot: &Plot, part: &Part, [low, high]: [Money; 2], index: usize, right: f64) {
    let top = plot.area.top + ROW * index as f64;
    let middle = top + ROW / 2.0;
    let (zero, end) = (plot.at_x(0.0), plot.at_x(dollars(part.found.delta)));
    let place = Rect::new(zero.min(end), top + 6.0, zero.max(end), top + ROW - 6.0);
    let ink = if part.found.delta < Money::ZERO { Ink::Green } else { Ink::Red };
    canvas.rect(place, ink, if part.is_head { 1.0 } else { 0.6 });
    let (from, to) = (plot.at_x(dollars(low)), plot.at_x(dollars(high)));
    canvas.line(&[(from, middle), (to, middle)], Stroke::solid(Ink::Text, 1.5));
    let label = crate::report::chart::fit(&part.label, LABEL, plot.area.left - 8.0);
    canvas.text(&label, (plot.area.left - 8.0, middle), LABEL, Ink::Text, Anchor::End);
    let value = signed_money(part.found.delta);
    canvas.text(&value, (right, middle), LABEL, Ink::Text, Anchor::End);
    let between = format!("95% CI {} to {}", money_of(dollars(low)), money_of(dollars(high)));
    canvas.hover(Rect::new(0.0, top, right, top + ROW), format!("{}: {value}, {between}", part.label));
}

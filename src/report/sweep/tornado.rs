//! Which assumption moves the bill most.

use serde_json::{Value, json};

use crate::experiment::{Bar, Common, MoneyStats, Options, Tornado};
use crate::report::Artefact;
use crate::report::chart::{Anchor, Canvas, Ink, LABEL, Picture, Plot, Rect, Stroke, fit, nothing};
use crate::report::html::page::{facts, notices, page, picture};
use crate::report::html::parts::table as html_table;
use crate::report::json::bytes;
use crate::report::sweep::charts::dollar_axis;
use crate::report::sweep::stamp_of;
use crate::report::terminal::{Page, Style, TerminalOptions};
use crate::report::text::{clean, dollars, money, money_units, percent, plural, unpriced};
use crate::report::view::Table;

/// Assumptions that are drawn.
const MOST: usize = 20;
/// Height of a bar with its gap.
const ROW: f64 = 34.0;

/// Assumptions that move the bill by less than this share of it are only named.
const NEGLIGIBLE: f64 = 0.001;

/// The column of ranges, and what stands behind those that are assumed.
const RANGE: usize = 1;
const ASSUMED: &str = " *";

/// So many of the others are named.
const NAMED: usize = 6;

/// The bars that are worth showing, and the names of the others.
fn parted<'a>(base: &MoneyStats, bars: &'a [Bar]) -> (&'a [Bar], Vec<String>) {
    let least = NEGLIGIBLE * dollars(base.mean);
    let shown = bars.iter().position(|bar| bar.width() <= least).unwrap_or(bars.len()).min(MOST);
    let (shown, rest) = bars.split_at(shown);
    (shown, rest.iter().map(|bar| clean(&bar.swing.name)).collect())
}

/// What became of the others, in a sentence.
fn others(rest: &[String], shown: usize) -> Option<String> {
    let than = if shown < MOST { format!("by less than {}", percent(NEGLIGIBLE)) } else { "less".to_owned() };
    let many = plural(rest.len() as u64, "other assumption");
    let named = rest.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if rest.len() > NAMED { ", …" } else { "" };
    (!rest.is_empty()).then(|| format!("{many} move the bill {than}: {named}{more}"))
}

fn table(bars: &[Bar]) -> Table {
    let headings = ["Assumption", "Range", "#Mean at low", "#Mean at high", "#Swing", "Why this range"];
    let row = |bar: &Bar| {
        [
            clean(&bar.swing.name),
            clean(&bar.swing.range),
            money(bar.bills[0].mean),
            money(bar.bills[1].mean),
            money(money_units(bar.width())),
            bar.swing.why.to_owned(),
        ]
    };
    let note = "One assumption at a time goes from one end of its plausible range to the other; all else stays. The widest first.";
    Table::new("tornado", "What moves the bill", &headings).with_note(note).with_rows(bars.iter().map(row))
}

/// What the reader must know before any figure.
fn caveats(tornado: &Tornado) -> Vec<String> {
    let done = plural(tornado.bars.len() as u64, "assumption");
    let partial = tornado.is_partial.then(|| format!("Partial: interrupted after {done}."));
    partial.into_iter().chain(unpriced(&tornado.unpriced, "the bills")).collect()
}

/// The tornado for a terminal.
pub fn tornado_text(common: &Common, tornado: &Tornado, run: &Options, options: TerminalOptions) -> String {
    let Tornado { base, bars, .. } = tornado;
    let mut page = Page::new(options);
    let title = format!("{}: which assumption moves the bill most", clean(&common.scenario));
    page.wrapped("", "  ", Some(Style::Bold), &title);
    let facts = format!(
        "{} of each end, in the same random weekends · seed {} · {} · prices as of {}",
        plural(run.runs, "run"),
        run.seed.0,
        common.profile,
        clean(&common.prices_as_of)
    );
    page.wrapped("", "", Some(Style::Dim), &facts);
    for caveat in caveats(tornado) {
        page.wrapped("! ", "  ", Some(Style::Alert), &caveat);
    }
    page.line("");
    page.line(&format!("Mean bill as it is: {}", money(base.mean)));
    let (shown, rest) = parted(base, bars);
    let mut table = table(shown);
    // A terminal has no room for the reasons; the page has. What is only assumed is marked.
    table.columns.pop();
    for (row, bar) in table.rows.iter_mut().zip(shown) {
        row.pop();
        if bar.swing.is_assumed() {
            row[RANGE].push_str(ASSUMED);
        }
    }
    if shown.is_empty() {
        page.wrapped(" ", " ", None, "No assumption moves the bill.");
    } else {
        page.view_table(&table, usize::MAX);
        page.wrapped(" ", " ", Some(Style::Dim), &table.note);
    }
    if shown.iter().any(|bar| bar.swing.is_assumed()) {
        page.wrapped(
            " ",
            " ",
            Some(Style::Dim),
            "* The range itself is assumed, not measured; the page of --out says how.",
        );
    }
    if let Some(sentence) = others(&rest, shown.len()) {
        page.wrapped(" ", " ", Some(Style::Dim), &sentence);
    }
    page.line("");
    page.wrapped("Again: ", "  ", None, &clean(&run.command));
    page.text
}

/// `tornado.json`.
pub fn tornado_json(common: &Common, tornado: &Tornado, run: &Options) -> Vec<u8> {
    let Tornado { base, bars, unpriced, is_partial, .. } = tornado;
    let end = |bar: &Bar, index: usize| -> Value {
        let delta = bar.deltas[index];
        let ends = [delta.interval.low, delta.interval.high];
        json!({
            "value": bar.swing.ends[index],
            "bill": { "mean": bar.bills[index].mean, "p50": bar.bills[index].p50, "p95": bar.bills[index].p95 },
            "delta": money_units(delta.point),
            "ci95": ends.iter().all(|end| end.is_finite()).then(|| ends.map(money_units)),
        })
    };
    let bar = |bar: &Bar| {
        let swing = &bar.swing;
        json!({ "name": swing.name, "now": swing.now, "why": swing.why, "low": end(bar, 0), "high": end(bar, 1) })
    };
    bytes(&json!({
        "schema": "billcast.tornado/1",
        "scenario": common.scenario,
        "profile": common.profile,
        "prices_as_of": common.prices_as_of,
        "horizon_hours": common.horizon_hours,
        "seed": run.seed.0,
        "runs": run.runs,
        "partial": is_partial,
        "unpriced": unpriced,
        "command": run.command,
        "base": { "bill": { "mean": base.mean, "p50": base.p50, "p95": base.p95 } },
        "assumptions": bars.iter().map(bar).collect::<Vec<_>>(),
    }))
}

/// Every file of a tornado.
pub fn tornado_artefacts(common: &Common, tornado: &Tornado, run: &Options) -> Vec<Artefact> {
    let Tornado { base, bars, .. } = tornado;
    let stamp = stamp_of(common, &format!("{} of each end", plural(run.runs, "run")), run.seed.0);
    let (shown, rest) = parted(base, bars);
    let drawn = chart(base, shown, &stamp);
    let body = maud::html! {
        section {
            h2 { "What moves the bill" }
            (picture(&drawn))
            (html_table(&table(shown)))
            @if let Some(sentence) = others(&rest, shown.len()) { p { (sentence) } }
            h3 { "The same result again" }
            pre { code { (clean(&run.command)) } }
        }
    };
    let about = [
        ("Mean bill as it is", money(base.mean)),
        ("Runs", plural(run.runs, "run")),
        ("Seed", run.seed.0.to_string()),
        ("Gateway", common.profile.to_owned()),
        ("Prices as of", clean(&common.prices_as_of)),
    ];
    let head = maud::html! { (notices(&caveats(tornado))) (facts(&about)) };
    let html = page(&clean(&common.scenario), "billcast tornado", &head, &body, &stamp);
    let file = |name: &str, bytes: Vec<u8>| Artefact { file_name: name.to_owned(), bytes };
    let mut all =
        vec![file("tornado.json", tornado_json(common, tornado, run)), file("report.html", html.into_bytes())];
    all.extend(drawn.files("tornado"));
    all
}

fn chart<'a>(base: &'a MoneyStats, bars: &'a [Bar], stamp: &str) -> Picture<'a> {
    Picture {
        id: "tornado",
        title: "Which assumption moves the bill most".to_owned(),
        note: "The mean bill when one assumption lies at the lower (light) or the upper (dark) end of its plausible \
               range. The line is \
               the bill as it is."
            .to_owned(),
        stamp: stamp.to_owned(),
        height: Box::new(move |_| bars.len().max(2) as f64 * ROW + 46.0),
        paint: Box::new(move |canvas, area| paint(base, bars, canvas, area)),
    }
}

fn paint(base: &MoneyStats, bars: &[Bar], canvas: &mut Canvas<'_>, area: Rect) {
    let means = bars.iter().flat_map(|bar| [dollars(bar.bills[0].mean), dollars(bar.bills[1].mean)]);
    let now = dollars(base.mean);
    let (low, high) = means.fold((now, now), |(low, high): (f64, f64), mean| (low.min(mean), high.max(mean)));
    if high <= low {
        return nothing(canvas, area, "No assumption moves the bill.");
    }
    let labels = area.width() * 0.34;
    let margin = 0.06 * (high - low);
    let inner = area.inset(labels, 0.0, 16.0, 46.0);
    let plot = Plot { area: inner, x: ((low - margin).max(0.0), high + margin), y: (0.0, 1.0) };
    dollar_axis(canvas, &plot);
    for (index, bar) in bars.iter().enumerate() {
        row(canvas, &plot, bar, now, labels, inner.top + ROW * index as f64);
    }
    let x = plot.at_x(now);
    canvas.line(&[(x, inner.top), (x, inner.bottom)], Stroke::solid(Ink::Text, 1.5));
}

fn row(canvas: &mut Canvas<'_>, plot: &Plot, bar: &Bar, now: f64, labels: f64, top: f64) {
    for (index, opacity) in [(0, 0.45), (1, 1.0)] {
        let (from, to) = (plot.at_x(now), plot.at_x(dollars(bar.bills[index].mean)));
        let place = Rect::new(from.min(to), top + 7.0, from.max(to), top + ROW - 7.0);
        canvas.rect(place, Ink::Blue, opacity);
        canvas
            .hover(place, format!("{} = {}: {}", bar.swing.name, bar.swing.ends[index], money(bar.bills[index].mean)));
    }
    // `upstream.deepseek.bursts.lasts`: whose it is stands below, so that narrow pictures tell bars apart.
    let full = clean(&bar.swing.name);
    let mut parts = full.splitn(3, '.').skip(1);
    let (owner, what) = (parts.next().unwrap_or_default(), parts.next().unwrap_or(&full));
    let name = fit(what, LABEL, labels - 12.0);
    canvas.text(&name, (labels - 8.0, top + ROW / 2.0 - 6.0), LABEL, Ink::Text, Anchor::End);
    let ends = fit(&format!("{owner}: {}", clean(&bar.swing.range)), 10.0, labels - 12.0);
    canvas.text(&ends, (labels - 8.0, top + ROW / 2.0 + 8.0), 10.0, Ink::Muted, Anchor::End);
}

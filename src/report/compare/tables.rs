//! The tables of a comparison.

use crate::experiment::{Change, Comparison, Difference, Metric, PartDifference};
use crate::report::compare::words::{independent, interval, money_interval, ratio, relative, signed, signed_money};
use crate::report::gates::shown;
use crate::report::text::{NOTHING, clean, money};
use crate::report::view::{Table, words};
use crate::units::Money;

/// The most important numbers.
pub fn metrics(change: &Change, base: &str) -> Table {
    let headings = ["", "#Base", "#Changed", "#Difference", "#95% CI", "#Relative", "#Unpaired runs"];
    let dollars = [
        ("Mean bill", &change.bill_mean),
        ("P50 bill", &change.bill_p50),
        ("P95 bill", &change.bill_p95),
        ("Fallback premium", &change.fallback_premium),
        ("Gateway reports", &change.reported_spend),
    ];
    let mut rows: Vec<[String; 7]> = dollars.map(|(name, found)| amount(name, found)).into();
    let matters = |(metric, found): &&(Metric, Difference<f64>)| {
        let is_always_shown = matches!(metric, Metric::FailureRate | Metric::UpstreamCalls);
        is_always_shown || found.base != 0.0 || found.other != 0.0
    };
    rows.extend(change.numbers.iter().filter(matters).map(|(metric, found)| number(*metric, found)));
    let note = format!(
        "Base is {base}. Money is of one horizon; shares differ by percentage points (pp). The last column: runs of \
         each side that \
         the same precision would have taken without pairing."
    );
    Table::new("metrics", "What changes", &headings).with_note(note).with_rows(rows.into_iter())
}

fn amount(name: &str, found: &Difference<Money>) -> [String; 7] {
    [
        name.to_owned(),
        money(found.base),
        money(found.other),
        signed_money(found.delta),
        money_interval(found),
        relative(found.relative),
        independent(found.independent_runs),
    ]
}

/// What a metric is called.
const fn title(metric: Metric) -> &'static str {
    match metric {
        Metric::FailureRate => "Failure rate",
        Metric::FallbackShare => "Fallback share",
        Metric::CacheHitShare => "Cache hits",
        Metric::LatencyP50 => "Latency P50",
        Metric::LatencyP95 => "Latency P95",
        Metric::Requests => "Requests",
        Metric::UpstreamCalls => "Upstream calls",
        Metric::CallsPerRequest => "Calls per request",
        _ => "",
    }
}

fn number(metric: Metric, found: &Difference<f64>) -> [String; 7] {
    let measure = metric.measure();
    if metric == Metric::CallsPerRequest {
        let [base, other, delta, interval] = ratio(found);
        let (relative, runs) = (relative(found.relative), independent(found.independent_runs));
        return [title(metric).to_owned(), base, other, delta, interval, relative, runs];
    }
    // No answer takes no time at all: where a side has none, there is nothing to compare.
    let is_latency = matches!(metric, Metric::LatencyP50 | Metric::LatencyP95);
    if is_latency && (found.base == 0.0 || found.other == 0.0) {
        let side = |latency: f64| if latency == 0.0 { NOTHING.to_owned() } else { shown(latency, measure) };
        let nothing = || NOTHING.to_owned();
        let [base, other] = [side(found.base), side(found.other)];
        return [title(metric).to_owned(), base, other, nothing(), nothing(), nothing(), nothing()];
    }
    [
        title(metric).to_owned(),
        shown(found.base, measure),
        shown(found.other, measure),
        signed(found.delta, measure),
        interval(found, measure),
        relative(found.relative),
        independent(found.independent_runs),
    ]
}

const PART: [&str; 6] = ["Part", "#Base", "#Changed", "#Difference", "#95% CI", "#Relative"];

fn part(name: String, found: &Difference<Money>) -> [String; 6] {
    [
        name,
        money(found.base),
        money(found.other),
        signed_money(found.delta),
        money_interval(found),
        relative(found.relative),
    ]
}

/// The difference by cause, those that cost something on either side.
pub fn causes(change: &Change, base: &str) -> Table {
    let matters = |found: &Difference<Money>| found.base != Money::ZERO || found.other != Money::ZERO;
    let rows = change.by_cause.iter().filter(|(_, found)| matters(found));
    let rows: Vec<[String; 6]> = rows.map(|(cause, found)| part(words(*cause).0.to_owned(), found)).collect();
    let note = format!("Means over the runs; the differences sum to that of the mean bill. Base is {base}.");
    Table::new("causes", "By cause (mean bill)", &PART).with_note(note).with_rows(rows.into_iter())
}

/// The difference by deployment, key or class.
pub fn parts(id: &'static str, title: &'static str, parts: &[PartDifference], base: &str) -> Table {
    let name = |part: &PartDifference| match (part.in_base, part.in_other) {
        (false, _) => format!("{} (new)", clean(&part.name)),
        (_, false) => format!("{} (removed)", clean(&part.name)),
        _ => clean(&part.name),
    };
    let rows = parts.iter().map(|found| part(name(found), &found.bill));
    Table::new(id, title, &PART).with_note(format!("Base is {base}.")).with_rows(rows)
}

/// Run by run: the bill of the base and of each change, exact.
pub fn pairs_csv(comparison: &Comparison) -> Vec<u8> {
    let mut text = String::from("run,change,base_bill_usd,bill_usd,delta_usd\n");
    for (number, change) in comparison.changes.iter().enumerate() {
        for (row, [base, other]) in comparison.base.forecast.runs.iter().zip(&change.pairs) {
            text.push_str(&format!("{},{},{base},{other},{}\n", row.run, number + 1, *other - *base));
        }
    }
    text.into_bytes()
}

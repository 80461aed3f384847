//! Differences in words.

use crate::experiment::{Change, Comparison, Controlled, Difference, Direction, Measure, Metric};
use crate::report::gates::shown;
use crate::report::text::{clean, count, ellipsis, hours, money, money_between, percent, plural};
use crate::units::Money;

/// Labels longer than this are cut; the files have them whole.
const LONGEST_LABEL: usize = 100;

/// What a side is called, safe to show.
pub fn label(text: &str) -> String {
    ellipsis(&clean(text), LONGEST_LABEL)
}

/// An amount with its sign: `+$1.20`, `−$0.30`, `$0.00`.
pub fn signed_money(amount: Money) -> String {
    with_sign(amount, money(amount))
}

fn with_sign(amount: Money, text: String) -> String {
    if amount > Money::ZERO { format!("+{text}") } else { text }
}

/// A difference and both ends of its interval, with their signs and as many decimals as tell the ends apart.
fn signed_between(delta: Money, [low, high]: [Money; 2]) -> [String; 3] {
    let [delta_text, low_text, high_text] = money_between(delta, [low, high]);
    [with_sign(delta, delta_text), with_sign(low, low_text), with_sign(high, high_text)]
}

/// A number with its sign; shares in percentage points.
pub fn signed(value: f64, measure: Measure) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    match measure {
        Measure::Share if value != 0.0 => format!("{sign}{} pp", points(value * 100.0)),
        _ => format!("{sign}{}", shown(value, measure)),
    }
}

/// Percentage points with two significant digits below ten.
fn points(value: f64) -> String {
    let decimals = match value.abs() {
        v if v < 0.000_995 => 5,
        v if v < 0.0995 => 3,
        v if v < 9.95 => 2,
        _ => 1,
    };
    format!("{value:.decimals$}").replace('-', "−")
}

/// A relative difference: `−35.1%`.
pub fn relative(share: Option<f64>) -> String {
    match share {
        None => "–".to_owned(),
        // Nobody reads thousands of percent.
        Some(share) if share > 10.0 => format!("×{}", count(1.0 + share)),
        Some(share) if share > 0.0 => format!("+{}", percent(share)),
        Some(share) => percent(share),
    }
}

/// Both ends of the interval of an amount.
pub fn money_interval(difference: &Difference<Money>) -> String {
    let ends = difference.ci95.map(|ends| {
        let [_, low, high] = signed_between(difference.delta, ends);
        between(&low, &high)
    });
    ends.unwrap_or_else(|| "–".to_owned())
}

/// Both ends of the interval of a number.
pub fn interval(difference: &Difference<f64>, measure: Measure) -> String {
    let ends = difference.ci95.map(|[low, high]| match (signed(low, measure), signed(high, measure)) {
        // What is not the same is not exact.
        (low_text, high_text) if low_text == high_text && low != high => format!("about {low_text}"),
        (low_text, high_text) => between(&low_text, &high_text),
    });
    ends.unwrap_or_else(|| "–".to_owned())
}

/// Both sides of a number near one, their difference and its interval, with as many decimals as the difference needs.
pub fn ratio(found: &Difference<f64>) -> [String; 4] {
    const DECIMALS: (f64, f64) = (3.0, 6.0);
    let decimals = match found.delta.abs() {
        0.0 => DECIMALS.0,
        delta => (1.0 - libm::floor(libm::log10(delta))).clamp(DECIMALS.0, DECIMALS.1),
    } as usize;
    let plain = |value: f64| format!("{value:.decimals$}").replace('-', "−");
    let signed = |value: f64| match plain(value) {
        text if text.trim_start_matches('−').parse() == Ok(0.0) => text.trim_start_matches('−').to_owned(),
        text if value > 0.0 => format!("+{text}"),
        text => text,
    };
    let interval = found.ci95.map(|ends| match ends.map(signed) {
        [low, high] if low == high && ends[0] != ends[1] => format!("about {low}"),
        [low, high] => between(&low, &high),
    });
    [plain(found.base), plain(found.other), signed(found.delta), interval.unwrap_or_else(|| "–".to_owned())]
}

fn between(low: &str, high: &str) -> String {
    if low == high { "exactly".to_owned() } else { format!("{low} to {high}") }
}

/// Runs with seeds of their own that would have said as much.
pub fn independent(runs: Option<u64>) -> String {
    runs.map_or_else(|| "∞".to_owned(), |runs| count(runs as f64))
}

/// The result in one sentence.
pub fn verdict(change: &Change) -> String {
    let (mean, runs) = (&change.bill_mean, change.pairs.len() as u64);
    let span = hours(change.side.forecast.about.horizon_hours);
    let by = || format!("{} ({})", money(abs(mean.delta)), relative(mean.relative));
    let interval = || money_interval(mean);
    match mean.direction() {
        Direction::Same if change.pairs.iter().all(|[a, b]| a == b) => {
            format!("No change: the bill is the same to the last cent in each of {}.", plural(runs, "run"))
        }
        Direction::Less => format!("Cheaper by {} in {span} on average, 95% CI {}.", by(), interval()),
        Direction::More => format!("Dearer by {} in {span} on average, 95% CI {}.", by(), interval()),
        Direction::Same | Direction::Unclear if runs < 2 => {
            format!("One run cannot tell: {} in it.", signed_money(mean.delta))
        }
        Direction::Same | Direction::Unclear => format!(
            "No difference in the mean bill that {} can show: {} in {span}, 95% CI {}.",
            plural(runs, "run"),
            signed_money(mean.delta),
            interval()
        ),
    }
}

fn abs(amount: Money) -> Money {
    if amount < Money::ZERO { -amount } else { amount }
}

/// What else matters: how sure it is for one weekend, failures, what pairing has saved.
pub fn story(change: &Change) -> Vec<String> {
    let mut story = Vec::new();
    let runs = change.pairs.len() as u64;
    let (cheaper, dearer) = (change.cheaper, change.dearer);
    let chance = |estimate: &crate::stats::Estimate| {
        let interval = estimate.interval;
        format!("{} (95% CI {} to {})", percent(estimate.point), percent(interval.low), percent(interval.high))
    };
    if cheaper.point > 0.0 || dearer.point > 0.0 {
        story.push(format!(
            "The probability that a single run is cheaper is {}, that it is dearer {}.",
            chance(&cheaper),
            chance(&dearer)
        ));
    }
    let number = |wanted: Metric| change.numbers.iter().find(|(metric, _)| *metric == wanted).map(|(_, found)| found);
    for (metric, name) in [(Metric::FailureRate, "Failure rate"), (Metric::LatencyP95, "P95 latency")] {
        let Some(found) = number(metric).filter(|found| found.direction() != Direction::Same) else { continue };
        // A side that answers nothing has no latency.
        if metric == Metric::LatencyP95 && (found.base == 0.0 || found.other == 0.0) {
            continue;
        }
        let measure = metric.measure();
        let (base, other) = (shown(found.base, measure), shown(found.other, measure));
        let (delta, interval) = (signed(found.delta, measure), interval(found, measure));
        story.push(format!("{name}: {base} → {other} ({delta}, 95% CI {interval})."));
    }
    if let Some(independent) = change.bill_mean.independent_runs.filter(|independent| *independent > runs) {
        story.push(format!(
            "Both sides met the same random weekends: with seeds of their own the same precision would have taken {} of each.",
            plural(independent, "run")
        ));
    }
    story.extend(change.controlled.as_ref().map(taken_back));
    story
}

/// What control variates say.
fn taken_back(found: &Controlled) -> String {
    let [delta, low, high] = signed_between(found.delta, found.ci95);
    let names: Vec<String> = found.controls.iter().map(|name| clean(name)).collect();
    format!(
        "With known chance taken back the mean difference is {delta}, 95% CI {low} to {high}, as sure as {} times the runs: {}.",
        count(found.gain),
        names.join("; ")
    )
}

/// What limits the trust in a comparison.
pub fn caveats(comparison: &Comparison) -> Vec<String> {
    const FEW_RUNS: u64 = 64;
    let about = &comparison.base.forecast.about;
    let mut caveats = Vec::new();
    if about.partial {
        let runs = plural(about.runs, "run");
        caveats.push(format!("Partial: interrupted after {runs} of each; the figures cover only those."));
    }
    if about.runs < FEW_RUNS {
        let runs = plural(about.runs, "run");
        caveats.push(format!("With {runs} the difference of the P95 is rough; {FEW_RUNS} or more would do."));
    }
    let sides = std::iter::once(&comparison.base).chain(comparison.changes.iter().map(|change| &change.side));
    for side in sides {
        let unpriced: Vec<String> = side.forecast.unpriced_models().map(clean).collect();
        if !unpriced.is_empty() {
            caveats.push(format!(
                "{}: no price is known for {}; the bill lacks it.",
                label(&side.label),
                unpriced.join(", ")
            ));
        }
    }
    for note in comparison.changes.iter().flat_map(|change| &change.notes).map(|note| clean(note)) {
        if !caveats.contains(&note) {
            caveats.push(note);
        }
    }
    caveats
}

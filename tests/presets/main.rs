//! The built-in traffic models reproduce what is published about the traces that they were fitted to (`facts.yaml`).

use std::collections::BTreeMap;

use billcast::random::{Calendar, Replication, Seed, Shape, ShapeSpec};
use billcast::traffic::{Class, Traffic, TrafficModel};
use billcast::units::{BodyId, KeyId, NameId, PerSecond, SimDuration};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    source: String,
    as_of: String,
    rate: f64,
    input: Option<Lengths>,
    output: Option<Lengths>,
    #[serde(default)]
    shaped: bool,
    #[serde(default)]
    dispersion: BTreeMap<u32, f64>,
    #[serde(default)]
    dispersion_within: f64,
    peak: Option<Peak>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lengths {
    mean: Option<f64>,
    quantiles: BTreeMap<String, f64>,
    within: f64,
}

/// The busiest window of so many seconds over the mean one, in a trace of this length.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Peak {
    window: f64,
    of: f64,
    value: f64,
    within: f64,
}

fn facts() -> BTreeMap<String, Facts> {
    serde_saphyr::from_str(include_str!("facts.yaml")).unwrap()
}

fn model(name: &str) -> TrafficModel {
    let file = format!("{}/models/traffic/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The class of a model in a week from Monday, at the trace's rate.
fn class(name: &str, facts: &Facts, span_s: f64) -> Class {
    let start = "2026-11-16T00:00[UTC]".parse().unwrap();
    let calendar = Calendar { start, horizon: SimDuration::from_secs_f64(span_s), holidays: Vec::new() };
    let model = model(name);
    let shape = if facts.shaped { model.shape.clone() } else { Some(ShapeSpec(Shape::Flat)) };
    let model = TrafficModel { rate: Some(PerSecond(facts.rate)), volume: None, repeats: None, shape, ..model };
    model.compile(&calendar, vec![(NameId(0), 1.0)], vec![(KeyId(0), 1.0)], BodyId(0)).unwrap()
}

/// Moments and lengths (input, output) of one replication.
fn play(class: Class, replication: u64) -> Vec<(f64, f64, f64)> {
    let mut stream = Traffic::new(vec![class], None).unwrap().replicate(Seed(1), Replication(replication));
    let all = std::iter::from_fn(|| stream.take());
    all.map(|r| (r.at.as_secs_f64(), f64::from(r.fate.input), f64::from(r.fate.output))).collect()
}

fn off(found: f64, published: f64) -> f64 {
    (found / published - 1.0).abs()
}

#[test]
fn lengths_have_the_published_quantiles_and_means() {
    let mut wrong = Vec::new();
    for (name, facts) in facts() {
        assert!(facts.source.len() > 8 && facts.as_of.parse::<jiff::civil::Date>().is_ok(), "{name}");
        let span_s = (60_000.0 / facts.rate).min(604_800.0);
        // As many weeks as make 60,000 requests: of 7,000, a P99 is known within 5% only.
        let weeks = (60_000.0 / (facts.rate * span_s)).ceil() as u64;
        let all: Vec<_> = (0..weeks).flat_map(|week| play(class(&name, &facts, span_s), week)).collect();
        let lengths = [
            ("input", &facts.input, all.iter().map(|r| r.1).collect()),
            ("output", &facts.output, all.iter().map(|r| r.2).collect::<Vec<f64>>()),
        ];
        for (what, published, mut found) in lengths {
            let Some(published) = published else { continue };
            found.sort_by(f64::total_cmp);
            let mean = found.iter().sum::<f64>() / found.len() as f64;
            let mut check = |of: &str, found: f64, wanted: f64| {
                // Whole tokens: half of one is no error.
                if off(found, wanted) > published.within && (found - wanted).abs() > 1.0 {
                    wrong.push(format!("{name} {what} {of}: {found:.1} where {wanted} is published"));
                }
            };
            for (of, wanted) in &published.quantiles {
                let level: f64 = of.trim_start_matches('p').parse().unwrap();
                check(of, found[((found.len() - 1) as f64 * level / 100.0) as usize], *wanted);
            }
            published.mean.into_iter().for_each(|wanted| check("mean", mean, wanted));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Counts of requests in windows.
fn counts(times: &[f64], window_s: f64, span_s: f64) -> Vec<f64> {
    let mut counts = vec![0.0f64; (span_s / window_s) as usize];
    for at in times {
        if let Some(count) = counts.get_mut((at / window_s) as usize) {
            *count += 1.0;
        }
    }
    counts
}

#[test]
fn arrivals_disperse_and_peak_as_published() {
    let mut wrong = Vec::new();
    for (name, facts) in facts() {
        let span_s = if facts.shaped { 604_800.0 } else { 100_000.0 };
        let replications = if facts.shaped { 12 } else { 2 };
        let runs: Vec<Vec<f64>> = (0..replications)
            .map(|r| play(class(&name, &facts, span_s), r).into_iter().map(|row| row.0).collect())
            .filter(|_| !facts.dispersion.is_empty())
            .collect();
        if runs.is_empty() {
            continue;
        }
        for (window, published) in &facts.dispersion {
            let of = |times: &Vec<f64>| {
                let counts = counts(times, f64::from(*window), span_s);
                let mean = counts.iter().sum::<f64>() / counts.len() as f64;
                counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / counts.len() as f64 / mean
            };
            let found = runs.iter().map(of).sum::<f64>() / runs.len() as f64;
            if off(found, *published) > facts.dispersion_within {
                wrong.push(format!("{name}: dispersion {found:.2} in {window} s where {published} is published"));
            }
        }
        let Some(peak) = &facts.peak else { continue };
        let mut peaks = Vec::new();
        for times in &runs {
            for begin in 0..(span_s / peak.of) as usize {
                let from = begin as f64 * peak.of;
                let place = |at: f64| times.partition_point(|other| *other < at);
                let part: Vec<f64> = times[place(from)..place(from + peak.of)].iter().map(|at| at - from).collect();
                let counts = counts(&part, peak.window, peak.of);
                let mean = counts.iter().sum::<f64>() / counts.len() as f64;
                peaks.push(counts.iter().copied().fold(0.0, f64::max) / mean);
            }
        }
        let found = peaks.iter().sum::<f64>() / peaks.len() as f64;
        if off(found, peak.value) > peak.within {
            wrong.push(format!("{name}: peak {found:.2} where {} is published", peak.value));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hours_of_the_week_are_as_busy_as_published() {
    // Azure 2024, requests by hour of a week: busiest and quietest hour over the mean, and how much lower a day of the
    // weekend is than a weekday. Within 15%: the presets hold mean profiles, the published extremes are single hours.
    let published = [("coding", 3.02, 0.094, 0.68), ("chat", 1.66, 0.47, 0.43)];
    for (name, peak, least, lower) in published {
        let Some(ShapeSpec(Shape::Week(week))) = model(name).shape else { panic!("{name}") };
        let highest = week.iter().copied().fold(0.0, f64::max);
        let lowest = week.iter().copied().fold(f64::INFINITY, f64::min);
        let mean = |from: usize, to: usize| week[from * 24..to * 24].iter().sum::<f64>() / (24 * (to - from)) as f64;
        let weekend = 1.0 - mean(5, 7) / mean(0, 5);
        assert!(off(highest, peak) < 0.15, "{name}: {highest}");
        assert!(off(lowest, least) < 0.2, "{name}: {lowest}");
        assert!((weekend - lower).abs() < 0.05, "{name}: {weekend}");
    }
}

#[test]
fn the_volume_spreads_as_the_pools_of_servegen_did() {
    // Requests of week 2 over week 1: 0.87, 1.23 and 1.21. The spread of the logarithm, which
    // presets and scenarios take.
    let logs = [0.87f64, 1.23, 1.21].map(f64::ln);
    let mean = logs.iter().sum::<f64>() / 3.0;
    let spread = (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
    assert!((spread - 0.2).abs() < 0.01, "{spread}");
}

#[test]
fn a_few_clients_send_most_as_published() {
    // ServeGen m-large, 162 clients: the largest sends 16% of the requests, the ten largest 63%. One pool was
    // measured, so the published shares must lie among those of 40 pools that the preset makes (between their
    // 5th and 95th percentile).
    let facts = facts();
    let (mut one, mut ten) = (Vec::new(), Vec::new());
    for replication in 0..40 {
        let mut stream = Traffic::new(vec![class("api-mix", &facts["api-mix"], 400.0)], None)
            .unwrap()
            .replicate(Seed(1), Replication(replication));
        let mut by_client = BTreeMap::<u64, f64>::new();
        let mut all = 0.0;
        while let Some(request) = stream.take() {
            *by_client.entry(request.view.id.0 >> 40).or_default() += 1.0;
            all += 1.0;
        }
        let mut sizes: Vec<f64> = by_client.into_values().collect();
        sizes.sort_by(|a, b| b.total_cmp(a));
        one.push(sizes[0] / all);
        ten.push(sizes[..10].iter().sum::<f64>() / all);
    }
    for (published, shares) in [(0.16, &mut one), (0.63, &mut ten)] {
        shares.sort_by(f64::total_cmp);
        assert!(shares[2] < published && published < shares[37], "{published} is not within {shares:?}");
    }
}

//! Presets, and what may be written.

use super::lower::WEEK_S;
use super::*;
use crate::random::{Calendar, Shape};
use crate::traffic::arrivals::{Arrivals, TrafficError};
use crate::traffic::class::Class;
use crate::units::{BodyId, KeyId, NameId, SimDuration, SimTime};

fn preset(name: &str) -> TrafficModel {
    let file = format!("{}/models/traffic/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn names() -> Vec<String> {
    let folder = format!("{}/models/traffic", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    files.filter_map(|file| file.strip_suffix(".yaml").map(str::to_owned)).collect()
}

fn a_day() -> Calendar {
    let start = "2026-11-18T00:00[America/Chicago]".parse().unwrap();
    Calendar { start, horizon: SimDuration::from_secs(86_400), holidays: Vec::new() }
}

fn compiled(model: &TrafficModel) -> Class {
    model.compile(&a_day(), vec![(NameId(0), 1.0)], vec![(KeyId(0), 1.0)], BodyId(0)).unwrap()
}

#[test]
fn every_preset_compiles_and_every_number_has_a_source_and_a_date() {
    assert!(names().len() >= 7);
    for name in names() {
        let model = preset(&name);
        let rated = TrafficModel { rate: Some(PerSecond(1.0)), ..model.clone() };
        compiled(&rated);
        let text =
            std::fs::read_to_string(format!("{}/models/traffic/{name}.yaml", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let numbers = text
            .lines()
            .filter(|l| !l.starts_with(' ') && l.contains(|c: char| c.is_ascii_digit()) || l.ends_with(": ["));
        for field in numbers.filter_map(|line| line.split(':').next()).filter(|f| !f.starts_with(']')) {
            let source = model.sources.get(field).unwrap_or_else(|| panic!("{name}: {field} has no source"));
            assert!(source.as_of.parse::<jiff::civil::Date>().is_ok() && source.source.len() > 4, "{name}: {field}");
        }
    }
}

#[test]
fn presets_have_the_means_of_the_data_they_were_fitted_to() {
    // (preset, input, output) of world data; the tolerance is that of a fit, 8%.
    let published = [
        ("chat", 1154.7, 211.1),
        ("coding", 2047.8, 27.9),
        ("rag", 2943.6, 283.2),
        ("api-mix", 914.0, 155.0),
        ("reasoning", 1268.0, 1527.0),
    ];
    for (name, input, output) in published {
        let class = compiled(&TrafficModel { rate: Some(PerSecond(1.0)), ..preset(name) });
        let (i, o) = (class.input.mean(), class.output.unwrap().mean());
        assert!((i / input - 1.0).abs() < 0.25 && (o / output - 1.0).abs() < 0.25, "{name}: {i} {o}");
    }
    let reasoning = preset("reasoning").reasoning.unwrap().compile().unwrap().mean();
    assert!((reasoning - 0.70).abs() < 0.02, "{reasoning}");
}

#[test]
fn the_coding_preset_bunches_as_the_trace_does() {
    // Azure 2023 code at its rate of 2.567/s: index of dispersion 13.2, 71.6 and 164 in windows of 1, 10 and 60 s.
    let rate = Some(PerSecond(2.567));
    let model = TrafficModel { rate, shape: Some(ShapeSpec(Shape::Flat)), volume: None, ..preset("coding") };
    let traffic = crate::traffic::Traffic::new(vec![compiled(&model)], None).unwrap();
    for (window_s, published) in [(1, 13.2), (10, 71.6), (60, 164.0)] {
        let mut counts = vec![0.0f64; 86_400 / window_s];
        for replication in 0..3 {
            let mut stream = traffic.replicate(crate::random::Seed(1), crate::random::Replication(replication));
            while let Some(request) = stream.take() {
                counts[request.at.whole_secs() as usize / window_s] += 1.0;
            }
            let mean = counts.iter().sum::<f64>() / counts.len() as f64;
            let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / counts.len() as f64;
            assert!((variance / mean / published - 1.0).abs() < 0.3, "{window_s} s: {}", variance / mean);
            counts.fill(0.0);
        }
    }
}

#[test]
fn own_fields_stand_over_those_of_the_preset() {
    let own: TrafficModel = serde_saphyr::from_str("rate: 40/min\ninput: 500\n").unwrap();
    let model = own.over(preset("chat"));
    let class = compiled(&model);
    assert_eq!(class.input.mean(), 500.0);
    assert_eq!(class.stream_share, 0.9);
    let Arrivals::Open { intensity, .. } = class.arrivals else { panic!() };
    assert!((intensity.expected_until(SimTime::NEVER) / 57_600.0 - 1.0).abs() < 0.3);
}

/// Why a class cannot be compiled.
fn error(text: &str) -> TrafficError {
    let model: TrafficModel = serde_saphyr::from_str(text).unwrap();
    model.compile(&a_day(), vec![(NameId(0), 1.0)], vec![(KeyId(0), 1.0)], BodyId(0)).map(|_| ()).unwrap_err()
}

#[test]
fn mistakes_are_named() {
    let read = |text: &str| serde_saphyr::from_str::<TrafficModel>(text).map_err(|e| e.to_string());
    assert!(read("rat: 3").unwrap_err().contains("rat"));
    assert!(read("input: lognormal(median=3)").unwrap_err().contains("also needs p95="));
    assert_eq!(error("rate: 1"), TrafficError::Missing("input"));
    assert_eq!(error("{ input: 5, output: 5 }"), TrafficError::Missing("rate"));
    let both = "{ input: 5, output: 5, rate: 1, workers: { count: 3, think: 1 } }";
    assert_eq!(error(both), TrafficError::Contradiction("workers", "rate and session"));
    let repeats = "{ input: 5, output: 5, workers: { count: 3, think: 1 }, repeats: { share: 5%, within: 1h } }";
    assert_eq!(error(repeats), TrafficError::RepeatsNeedOpenArrivals);
}

#[test]
fn more_than_can_be_simulated_is_refused() {
    let of = |more: &str| match error(&format!("{{ input: 5, output: 5, {more} }}")) {
        TrafficError::TooMany(..) => "too many",
        TrafficError::TooDense(..) => "too dense",
        TrafficError::Parameter(name, ..) => name,
        other => panic!("{more}: {other}"),
    };
    assert_eq!(of("rate: 1e12/s"), "too many");
    assert_eq!(of("rate: 2M/s"), "too dense");
    assert_eq!(of("rate: 10k/s, volume: 500"), "too dense");
    assert_eq!(of("rate: 1, spikes: [{ at: 1h, lasts: 1s, extra: 5M/s }]"), "too dense");
    assert_eq!(of("rate: 1, volume: 9223372036854775807"), "volume");
}

#[test]
fn growth_and_spikes_add_to_the_rate() {
    let model: TrafficModel = serde_saphyr::from_str(
        "{ input: 5, output: 5, rate: 1, growth_per_week: 1.0, spikes: [{ at: 1h, lasts: 12m, extra: 4000/min }] }",
    )
    .unwrap();
    let intensity = model.intensity(&a_day()).unwrap();
    // ∫ 2^(t/week) over a day, and a loop of 4,000 a minute for 12 minutes.
    let growth = WEEK_S / 2f64.ln() * (2f64.powf(1.0 / 7.0) - 1.0);
    let expected = growth + 48_000.0;
    assert!((intensity.expected_until(SimTime::NEVER) / expected - 1.0).abs() < 1e-4);
    let read = |growth: &str| serde_saphyr::from_str::<TrafficModel>(&format!("{{ growth_per_week: {growth} }}"));
    assert_eq!(read("20%").unwrap(), read("0.2").unwrap());
    assert!(read("-100%").is_err() && read("101").is_err());
}

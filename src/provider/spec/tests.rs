use super::*;
use crate::provider::{Counted, Providers, Refill};
use crate::random::{Replication, Seed};
use std::sync::Arc;

fn model_text(name: &str) -> String {
    std::fs::read_to_string(format!("{}/models/providers/{name}.yaml", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn provider(name: &str) -> ProviderModel {
    serde_saphyr::from_str(&model_text(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn names() -> Vec<String> {
    let folder = format!("{}/models/providers", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    files.filter_map(|file| file.strip_suffix(".yaml").map(str::to_owned)).collect()
}

fn a_week() -> Calendar {
    let start = "2026-11-16T00:00[UTC]".parse().unwrap();
    Calendar { start, horizon: SimDuration::from_secs(604_800), holidays: Vec::new() }
}

#[test]
fn every_provider_compiles_and_every_number_has_a_source_and_a_date() {
    assert!(names().len() >= 10);
    for name in names() {
        let model = provider(&name);
        let troubles = model.troubles(&name, &a_week()).unwrap();
        let deployment = model.deployment("d", "some-model", (0..troubles.len()).collect(), None).unwrap();
        let world = Providers::new(vec![deployment], troubles.into_iter().map(|(_, t)| t).collect(), vec![]).unwrap();
        Arc::new(world).replicate(Seed(1), Replication(0));
        let text = model_text(&name);
        let fields = text.lines().take_while(|l| *l != "sources:").filter(|l| !l.starts_with([' ', '}', ']']));
        for field in fields.filter_map(|line| line.split(':').next()).filter(|field| *field != "about") {
            let source = model.sources.get(field).unwrap_or_else(|| panic!("{name}: {field} has no source"));
            assert!(source.as_of.parse::<jiff::civil::Date>().is_ok() && source.source.len() > 4, "{name}: {field}");
        }
    }
}

#[test]
fn availability_follows_the_published_one() {
    for (name, published) in [("openai", 0.9982), ("anthropic", 0.9992)] {
        let model = provider(name);
        let (_, incidents) = model.troubles(name, &a_week()).unwrap().remove(1);
        let end = SimTime(a_week().horizon.0);
        let lost: f64 = (0..3000)
            .flat_map(|r| {
                incidents.timeline.windows(Seed(2), Replication(r), 5).take_while(|w| w.start < end).collect::<Vec<_>>()
            })
            .map(|w| (w.end.min(end) - w.start).as_secs_f64())
            .sum();
        let available = 1.0 - incidents.effect.share * lost / (3000.0 * end.as_secs_f64());
        assert!(((1.0 - available) / (1.0 - published) - 1.0).abs() < 0.25, "{name}: {available}");
    }
}

#[test]
fn models_and_tiers_are_found_by_their_longest_name() {
    let openai = provider("openai");
    assert_ne!(openai.latency_for("openai/gpt-4o-mini-2024-07-18"), openai.latency_for("gpt-4o"));
    let limits = openai.limits_for(Some("tier-1"), "azure/gpt-4o-mini").unwrap().unwrap();
    assert_eq!(limits.meters.iter().find(|m| m.counted != Counted::Requests).unwrap().limit, 200_000.0);
    assert!(matches!(limits.meters[0].refill, Refill::Bucket { .. }) && limits.failures_count && limits.retry_after);
    assert!(openai.limits_for(Some("tier-9"), "gpt-4o").unwrap_err().to_string().contains("tier-1"));
    let sonnet = provider("anthropic").limits_for(Some("start"), "claude-sonnet-4-6").unwrap().unwrap();
    assert_eq!(sonnet.meters.len(), 3);
}

#[test]
fn w1_can_be_written_in_a_few_lines() {
    let text = "latency: lognormal(median=1.5, sigma=0.6)\nerror_answer: 0.1\n\
        bursts: { every: 6h, lasts: 15m, share: 90%, share_outside: 0.2%, begins_quiet: true }\n";
    let own: ProviderModel = serde_saphyr::from_str(text).unwrap();
    let (_, bursts) = own.troubles("a", &a_week()).unwrap().remove(0);
    assert_eq!((bursts.effect.share, bursts.effect.share_outside), (0.9, 0.002));
    assert_eq!(bursts.effect.fault, Fault::Status(429));
    let over = own.over(provider("openai"));
    let deployment = over.deployment("a", "gpt-4o-mini", vec![], None).unwrap();
    assert!(matches!(deployment.latency, Latency::Total { .. }), "an own latency hides those by model");
    assert_eq!(deployment.error_s.mean(), 0.1);
}

#[test]
fn mistakes_are_named() {
    let read = |text: &str| serde_saphyr::from_str::<ProviderModel>(text).map(|_| ()).unwrap_err().to_string();
    assert!(read("errors: { 200: 1% }").contains("`200` is not a failure"));
    assert!(read("errors: { 500: 101% }").contains("out of range"));
    assert!(read("latency: { first_token: 1 }").contains("per_token"));
    assert!(read("bursts: { evry: 6h }").contains("evry"));
    let empty = ProviderModel::default().deployment("a", "m", vec![], None);
    assert_eq!(empty.map(|_| ()).unwrap_err(), ProviderError::Missing("latency"));
}

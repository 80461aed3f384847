//! A scenario that says only how it differs from another one in its folder: `base: scenario.yaml`.

use crate::diagnostic::codes;
use crate::document::Node;
use crate::scenario::edit::{self, Edit};
use crate::scenario::file::{ScenarioFile, TrafficEntry, TrafficKeys, UpstreamEntry, UpstreamKeys};
use crate::scenario::files::{Files, Source};
use crate::scenario::holders::{KeyEntry, TeamEntry, UserEntry};
use crate::scenario::named::Named;
use crate::scenario::problem::{Problem, error};
use crate::scenario::read::{Strict, place, read, read_edited, typed};

/// A scenario file with what it takes from its base.
#[derive(Debug)]
pub struct Layered {
    /// The values of both.
    pub file: ScenarioFile,
    /// The file's own text, and then its base's, each with its tree.
    pub written: Vec<(Source, Node)>,
}

/// Reads a scenario file, and its base if it names one, with changes made in them.
///
/// # Errors
/// A [`Problem`] in either file or in a change; a base in another folder or with a base of its
/// own; no `gateway` in either.
pub fn read_layered(files: &Files, name: &str, edits: &[Edit]) -> Result<Layered, Problem> {
    let source = files.read(name)?;
    let own = read::<ScenarioFile>(&source)?;
    let layered = match own.values.base.clone() {
        None => {
            let Strict { values, tree } = read_edited::<ScenarioFile>(&source, edits)?;
            Layered { file: values, written: vec![(source, tree)] }
        }
        Some(base) => {
            let own = (source, own.tree);
            let base = read_base(files, &base, &own)?;
            join(own, base, edits)?
        }
    };
    if layered.file.gateway.is_empty() {
        let (source, tree) = &layered.written[0];
        let span = place(tree, &["gateway"]);
        let (message, help) = ("`gateway` is missing".to_owned(), "add `gateway:` with the gateway's config file");
        return Err(Problem::in_file(vec![error(codes::MISSING_KEY, &source.name, span, message, help)], source));
    }
    Ok(layered)
}

/// A file over its base.
fn join(own: (Source, Node), base: (Source, Node), edits: &[Edit]) -> Result<Layered, Problem> {
    let mut written = [own, base];
    let [(_, own), (_, base)] = &mut written;
    edit::apply_layered(edits, own, base)?;
    let [own, base] = &written;
    let file = over(typed(&own.0, &own.1)?, typed(&base.0, &base.1)?);
    Ok(Layered { file, written: written.into() })
}

fn read_base(files: &Files, base: &str, own: &(Source, Node)) -> Result<(Source, Node), Problem> {
    let at = |code, message: String, help: &str| {
        let (source, tree) = own;
        Problem::in_file(vec![error(code, &source.name, place(tree, &["base"]), message, help)], source)
    };
    let refuse = |message, help| at(codes::SCENARIO_VALUE, message, help);
    if base.contains(['/', '\\']) {
        let message = format!("`base: {base}` is in another folder");
        return Err(refuse(message, "file names in it start from its own folder: copy it, or put both into one"));
    }
    let source = files.read(base).map_err(|problem| problem.named_by(at))?;
    let strict = read::<ScenarioFile>(&source)?;
    if strict.values.base.is_some() {
        return Err(refuse(format!("the base `{base}` has a base of its own"), "name that one"));
    }
    Ok((source, strict.tree))
}

/// Whether a text is a scenario that differs from a base.
pub fn names_a_base(tree: &Node) -> bool {
    tree.get("base").is_some()
}

/// The values of a file, and its base's where it has none. Classes, upstreams and keys of the same name are joined
/// field by field; a name is not inherited.
fn over(own: ScenarioFile, base: ScenarioFile) -> ScenarioFile {
    let either = |own: String, base: String| if own.is_empty() { base } else { own };
    ScenarioFile {
        base: None,
        name: own.name,
        description: own.description.or(base.description),
        gateway: either(own.gateway, base.gateway),
        prices: own.prices.or(base.prices),
        gateway_prices: own.gateway_prices.or(base.gateway_prices),
        prices_at: own.prices_at.or(base.prices_at),
        start: own.start.or(base.start),
        holidays: if own.holidays.is_empty() { base.holidays } else { own.holidays },
        hours: own.hours.or(base.hours),
        runs: own.runs.or(base.runs),
        seed: own.seed.or(base.seed),
        volume_uncertainty: own.volume_uncertainty.or(base.volume_uncertainty),
        fleet: own.fleet.over(base.fleet),
        budget: own.budget.or(base.budget),
        alerts: own.alerts.or(base.alerts),
        keys: joined(own.keys, base.keys, KeyEntry::over),
        users: joined(own.users, base.users, UserEntry::over),
        teams: joined(own.teams, base.teams, TeamEntry::over),
        traffic: joined(own.traffic, base.traffic, traffic),
        upstream: joined(own.upstream, base.upstream, upstream),
        commitments: joined(own.commitments, base.commitments, |own, _| own),
    }
}

/// The base's entries in their order, then the new ones.
fn joined<T>(own: Named<T>, base: Named<T>, over: impl Fn(T, T) -> T) -> Named<T> {
    let places: Vec<Option<usize>> = own.iter().map(|(name, _)| base.place(name)).collect();
    let mut all: Vec<(String, Option<T>)> = base.into_iter().map(|(name, entry)| (name, Some(entry))).collect();
    for ((name, entry), place) in own.into_iter().zip(places) {
        match place.and_then(|place| all.get_mut(place)) {
            Some((_, place)) => {
                let below = place.take();
                *place = Some(match below {
                    Some(below) => over(entry, below),
                    None => entry,
                });
            }
            None => all.push((name, Some(entry))),
        }
    }
    let all: Vec<(String, T)> = all.into_iter().filter_map(|(name, entry)| Some((name, entry?))).collect();
    Named::from(all)
}

/// `model` and `models` replace each other, and so do `key` and `keys`, and a trace and what says when requests come.
fn traffic(own: TrafficEntry, base: TrafficEntry) -> TrafficEntry {
    let says_models = own.own.model.is_some() || own.own.models.is_some();
    let says_keys = own.own.key.is_some() || own.own.keys.is_some();
    let says_when = own.model.says_when().is_some();
    let below = if own.own.replay.is_some() { base.model.without_arrivals() } else { base.model };
    let (models, keys) = (own.own.clone(), own.own.clone());
    let (models, keys) =
        (if says_models { models } else { base.own.clone() }, if says_keys { keys } else { base.own.clone() });
    TrafficEntry {
        own: TrafficKeys {
            preset: own.own.preset.or(base.own.preset),
            model: models.model,
            models: models.models,
            key: keys.key,
            keys: keys.keys,
            replay: own.own.replay.or(if says_when { None } else { base.own.replay }),
            embeds: own.own.embeds.or(base.own.embeds),
        },
        model: own.model.over(below),
    }
}

fn upstream(own: UpstreamEntry, base: UpstreamEntry) -> UpstreamEntry {
    UpstreamEntry {
        own: UpstreamKeys {
            preset: own.own.preset.or(base.own.preset),
            tier: own.own.tier.or(base.own.tier),
            of: if own.own.of.is_empty() { base.own.of } else { own.own.of },
        },
        model: own.model.over(base.model),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Overrides, load};

    const BASE: &str = "gateway: gateway.yaml\nhours: 2\nname: first\n\
        traffic: {a: {model: m, rate: 1/s, input: 10, output: 5}, b: {model: m, rate: 2/s, input: 1, output: 1}}\n\
        upstream: {openai: {preset: none, latency: 1, errors: {500: 10%}}}\n";

    fn folder(variant: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let config = "model_list: [{model_name: m, litellm_params: {model: openai/gpt-4o}}]\n";
        for (name, text) in [("gateway.yaml", config), ("scenario.yaml", BASE), ("variant.yaml", variant)] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    fn layered(variant: &str) -> Result<Layered, Problem> {
        read_layered(&Files::Disk(folder(variant).path().to_owned()), "variant.yaml", &[])
    }

    #[test]
    fn what_a_file_does_not_say_is_its_bases() {
        let variant = "base: scenario.yaml\nruns: 3\ntraffic: {b: {rate: 5/s}, c: {model: m, rate: 1/s}}\n\
            upstream: {openai: {latency: 2}}\n";
        let file = layered(variant).unwrap().file;
        assert_eq!(
            (file.gateway.as_str(), file.hours, file.runs, file.name),
            ("gateway.yaml", Some(2.0), Some(3), None)
        );
        let classes: Vec<_> = file.traffic.iter().map(|(name, entry)| (name, entry.model.rate.map(|r| r.0))).collect();
        assert_eq!(classes, [("a", Some(1.0)), ("b", Some(5.0)), ("c", Some(1.0))]);
        let b = file.traffic.get("b").unwrap();
        assert!(b.own.model.as_deref() == Some("m") && b.model.input.is_some());
        let openai = file.upstream.get("openai").unwrap();
        assert!(openai.own.preset.as_deref() == Some("none") && openai.model.errors.len() == 1);
    }

    #[test]
    fn changes_are_made_where_the_field_is_said() {
        let edited = |variant: &str, edits: &[&str]| {
            let dir = folder(variant);
            let files = Files::Disk(dir.path().to_owned());
            let edits: Vec<Edit> = edits.iter().map(|edit| Edit::parse(edit).unwrap()).collect();
            read_layered(&files, "variant.yaml", &edits).map(|layered| layered.file)
        };
        let variant = "base: scenario.yaml\nupstream: {openai: {latency: 2}}\nruns: 3\n";
        let file =
            edited(variant, &["traffic.a.rate=9/s", "upstream.openai.errors.500=20%", "hours=7", "runs=4"]).unwrap();
        assert_eq!(file.traffic.get("a").unwrap().model.rate.unwrap().0, 9.0);
        assert_eq!((file.hours, file.runs), (Some(7.0), Some(4)));
        let openai = &file.upstream.get("openai").unwrap().model;
        assert_eq!(openai.errors.values().map(|share| share.0).collect::<Vec<_>>(), [0.2]);
        let latency = edited(variant, &["upstream.openai.latency=5"]).unwrap();
        let spec = latency.upstream.get("openai").unwrap().model.latency.clone();
        assert!(format!("{spec:?}").contains("5.0"), "{spec:?}");
        assert!(edited(variant, &["traffic.z.rate=1/s"]).is_err());
    }

    #[test]
    fn a_variant_is_called_by_its_file() {
        let dir = folder("base: scenario.yaml\nhours: 1\n");
        let world = load(dir.path().join("variant.yaml").to_str().unwrap(), &Overrides::default()).unwrap();
        assert!(world.name.ends_with("/variant"), "{}", world.name);
    }

    #[test]
    fn errors_are_placed_in_the_file_that_says_it() {
        let error = |variant: &str| {
            let dir = folder(variant);
            let path = dir.path().join("variant.yaml");
            load(path.to_str().unwrap(), &Overrides::default()).unwrap_err().to_string()
        };
        let own = error("base: scenario.yaml\ntraffic: {b: {model: x}}\n");
        assert!(own.contains("variant.yaml:2:22") && own.contains("called `x`"), "{own}");
        let base = error("base: scenario.yaml\nkeys: {k: {max_budget: -1}}\n");
        assert!(base.contains("variant.yaml:2:24"), "{base}");
        assert!(error("base: ../scenario.yaml\n").contains("variant.yaml:1:7"));
        assert!(error("base: variant.yaml\n").contains("a base of its own"));
        assert!(error("base: nothing.yaml\n").contains("there is no such file"));
        assert!(error("hours: 1\n").contains("`gateway` is missing"));
    }
}

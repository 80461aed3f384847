//! The traffic of a scenario.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Value;
use crate::gateway::litellm::plan::Plan;
use crate::gateway::litellm::wire::nearest;
use crate::random::{Calendar, Dist, Law};
use crate::scenario::embeds;
use crate::scenario::file::TrafficEntry;
use crate::scenario::holders::KeyEntry;
use crate::scenario::named::Named;
use crate::scenario::presets::{ModelKind, Preset, preset};
use crate::scenario::problem::Problem;
use crate::scenario::reading::{Reading, assume_preset};
use crate::scenario::recorded::{self, Traces};
use crate::scenario::replay::Trace;
use crate::scenario::world::KeyName;
use crate::traffic::{Class, Traffic, TrafficModel};
use crate::units::{BodyId, KeyId, NameId, short};

/// Spread of the volume where the scenario says nothing.
const VOLUME_UNCERTAINTY: f64 = 0.2;
const VOLUME_SOURCE: &str = "ServeGen: requests of week 2 over week 1 in three pools (0.87, 1.23, 1.21), log-sd";
const VOLUME_AS_OF: &str = "2025-05-15";
/// The widest spread that makes sense: a factor of 20 either way.
const WIDEST_UNCERTAINTY: f64 = 3.0;

/// The names that clients send.
pub fn model_names(reading: &Reading, traces: &Traces) -> Vec<String> {
    let recorded = |name: &str, entry: &TrafficEntry| match traces.of(name) {
        Some(trace) if entry.own.model.is_none() && entry.own.models.is_none() => recorded::model_names(entry, trace),
        _ => Vec::new(),
    };
    let one = |entry: &TrafficEntry| entry.own.model.clone();
    let many = |entry: &TrafficEntry| entry.own.models.iter().flat_map(names).collect::<Vec<_>>();
    let embeds = |entry: &TrafficEntry| entry.own.embeds.as_ref().map(|spec| spec.model.clone());
    let all =
        |(name, entry)| one(entry).into_iter().chain(many(entry)).chain(recorded(name, entry)).chain(embeds(entry));
    reading.file.traffic.iter().flat_map(all).collect()
}

fn names<T>(named: &Named<T>) -> Vec<String> {
    named.iter().map(|(name, _)| name.to_owned()).collect()
}

/// The virtual keys by name; the first is the master key.
pub fn key_names(keys: &Named<KeyEntry>) -> Vec<KeyName> {
    let master = KeyName { name: "master key".to_owned(), team: None };
    let named = keys.iter().map(|(name, entry)| KeyName { name: name.to_owned(), team: entry.team.clone() });
    std::iter::once(master).chain(named).collect()
}

/// Compiles all classes.
pub fn compile(
    reading: &mut Reading,
    plan: &Plan,
    calendar: &Calendar,
    traces: &Traces,
) -> Result<Arc<Traffic>, Problem> {
    let entries = reading.file.traffic.clone();
    if entries.is_empty() {
        let help = "add at least one class: `traffic: { chat: { preset: chat, model: gpt-4o, rate: 40/min } }`";
        return Err(reading.error(codes::MISSING_KEY, &["traffic"], "nothing is sent: no `traffic`".to_owned(), help));
    }
    let (mut classes, mut presets) = (Vec::new(), Presets::new());
    for (name, entry) in entries.iter() {
        classes.push(class(reading, (name, entry, traces.of(name)), &mut presets, plan, calendar)?);
    }
    embeds::add(reading, plan, &mut classes)?;
    let volume = volume(reading)?;
    let traffic = Traffic::new(classes, volume)
        .map_err(|error| reading.error(codes::SCENARIO_VALUE, &["traffic"], error.to_string(), ""))?;
    Ok(Arc::new(traffic))
}

/// The factor on all traffic: its mean is 1, so that the rates are the means that they are written as.
fn volume(reading: &mut Reading) -> Result<Option<Dist>, Problem> {
    let path = ["volume_uncertainty"];
    let sigma = match reading.file.volume_uncertainty {
        Some(sigma) => reading.within(&path, sigma, 0.0, WIDEST_UNCERTAINTY)?,
        None => {
            reading.assume(path[0], VOLUME_UNCERTAINTY, VOLUME_SOURCE, VOLUME_AS_OF);
            VOLUME_UNCERTAINTY
        }
    };
    if sigma == 0.0 {
        return Ok(None);
    }
    let law = Law::LogNormal { mu: -sigma * sigma / 2.0, sigma };
    let dist = Dist::new(law).map_err(|error| reading.error(codes::OUT_OF_RANGE, &path, error.to_string(), ""))?;
    Ok(Some(dist))
}

fn class(
    reading: &mut Reading,
    (name, entry, trace): (&str, &TrafficEntry, Option<&Trace>),
    presets: &mut Presets,
    plan: &Plan,
    calendar: &Calendar,
) -> Result<Class, Problem> {
    let path = ["traffic", name];
    let base = match &entry.own.preset {
        Some(preset_name) => base(reading, &path, preset_name, presets)?,
        None => TrafficModel::default(),
    };
    let model = entry.model.clone().over(base);
    if let Some(trace) = trace {
        return recorded::class(reading, (name, entry, trace), &model, plan, calendar.horizon);
    }
    tell_of_unit(reading, name, entry);
    let models = models(reading, name, entry, plan)?;
    let keys = keys(reading, name, entry)?;
    let compiled = model.compile(calendar, models, keys, BodyId(0));
    compiled.map_err(|error| reading.error(codes::SCENARIO_VALUE, &path, format!("traffic.{name}: {error}"), ""))
}

/// Says what a rate without a unit is taken for: people mean a minute as often as a second.
fn tell_of_unit(reading: &mut Reading, name: &str, entry: &TrafficEntry) {
    let path = ["traffic", name, "rate"];
    let Some((rate, node)) = entry.model.rate.zip(reading.node(&path)) else { return };
    if matches!(&node.value, Value::Str(text) if text.contains('/')) {
        return;
    }
    let message = format!("`rate` of {name} has no unit: it is taken as {} a second", short(rate.0));
    let help = format!("write {0}/s, or {0}/min, or {0}/h", short(rate.0));
    let note = Diagnostic { severity: Severity::Note, ..reading.finding(codes::SCENARIO_VALUE, &path, message, &help) };
    reading.findings.push(note);
}

/// The presets that have been read, by name.
type Presets = HashMap<String, Preset<TrafficModel>>;

/// The preset of a class. Its own spread of the volume is left out: that of the scenario holds
/// for all classes together.
fn base(reading: &mut Reading, path: &[&str; 2], name: &str, presets: &mut Presets) -> Result<TrafficModel, Problem> {
    if let Some(found) = presets.get(name) {
        assume_preset(reading, path, &found.described);
        return Ok(found.model.clone());
    }
    let place = [path[0], path[1], "preset"];
    match preset::<TrafficModel>(ModelKind::Traffic, name, &reading.files)? {
        Ok(mut found) => {
            found.described.fields.retain(|field| field.name != "volume");
            found.model.volume = None;
            assume_preset(reading, path, &found.described);
            Ok(presets.entry(name.to_owned()).or_insert(found).model.clone())
        }
        Err(near) => Err(unknown(reading, &place, "traffic model", name, near)),
    }
}

/// A name that stands for nothing.
pub fn unknown(reading: &Reading, path: &[&str], what: &str, name: &str, near: Option<&str>) -> Problem {
    let help = near.map_or_else(String::new, |near| format!("did you mean `{near}`?"));
    reading.error(codes::SCENARIO_NAME, path, format!("there is no {what} `{name}`"), &help)
}

/// A name that the gateway knows.
pub fn known_model(reading: &Reading, path: &[&str], plan: &Plan, name: &str) -> Result<NameId, Problem> {
    let known = plan.name_id(name).filter(|id| plan.name(*id).is_known);
    known.ok_or_else(|| {
        let near = nearest(name, plan.names.iter().filter(|name| name.is_known).map(|name| &*name.text));
        unknown(reading, path, "model in the gateway's config called", name, near)
    })
}

/// A class without a model.
pub fn names_no_model(reading: &Reading, class: &str) -> Problem {
    let help = "add `model:` with a model name of the gateway";
    let message = format!("traffic.{class} does not say which model it asks for");
    reading.error(codes::MISSING_KEY, &["traffic", class], message, help)
}

/// The model names of a class with their weights.
pub fn models(
    reading: &Reading,
    class: &str,
    entry: &TrafficEntry,
    plan: &Plan,
) -> Result<Vec<(NameId, f64)>, Problem> {
    let (key, named) = one_or_many(reading, class, ("model", &entry.own.model), ("models", &entry.own.models))?;
    if named.is_empty() {
        return Err(names_no_model(reading, class));
    }
    let mut ids = Vec::new();
    for (name, weight) in named {
        let id = known_model(reading, &["traffic", class, key, &name], plan, &name)?;
        ids.push((id, reading.within(&["traffic", class, key, &name], weight, 0.0, f64::MAX)?));
    }
    Ok(ids)
}

/// The virtual keys of a class with their weights.
pub fn keys(reading: &Reading, class: &str, entry: &TrafficEntry) -> Result<Vec<(KeyId, f64)>, Problem> {
    let (key, named) = one_or_many(reading, class, ("key", &entry.own.key), ("keys", &entry.own.keys))?;
    if named.is_empty() {
        return Ok(vec![(KeyId(0), 1.0)]);
    }
    let mut ids = Vec::new();
    for (name, weight) in named {
        let path = ["traffic", class, key, &name];
        let known = reading.file.keys.iter().map(|(name, _)| name);
        let index = reading.file.keys.place(&name);
        let index = index.ok_or_else(|| unknown(reading, &path, "virtual key", &name, nearest(&name, known)))?;
        ids.push((KeyId::from_index(index + 1), reading.within(&path, weight, 0.0, f64::MAX)?));
    }
    Ok(ids)
}

type Weighted = Vec<(String, f64)>;

/// Either the one name or the several; both are a contradiction.
fn one_or_many(
    reading: &Reading,
    class: &str,
    (one_key, one): (&'static str, &Option<String>),
    (many_key, many): (&'static str, &Option<Named<f64>>),
) -> Result<(&'static str, Weighted), Problem> {
    match (one, many) {
        (Some(_), Some(_)) => {
            let message = format!("traffic.{class} has `{one_key}` and `{many_key}`; one of them is enough");
            Err(reading.error(codes::SCENARIO_VALUE, &["traffic", class, many_key], message, ""))
        }
        (Some(name), None) => Ok((one_key, vec![(name.clone(), 1.0)])),
        (None, Some(named)) => Ok((many_key, named.iter().map(|(name, weight)| (name.to_owned(), *weight)).collect())),
        (None, None) => Ok((one_key, Vec::new())),
    }
}

//! What a built-in model looks like: the hours of its week and its distributions, computed for a picture.

use crate::diagnostic::codes;
use crate::gateway::litellm::wire::nearest;
use crate::provider::{LatencyParts, LatencySpec, ProviderModel};
use crate::random::{DistSpec, HOURS_PER_WEEK, Shape};
use crate::scenario::files::Files;
use crate::scenario::presets::{BuiltinModel, Described, ModelKind, builtin_models, preset};
use crate::scenario::problem::Problem;
use crate::traffic::TrafficModel;

/// A model in figures.
#[derive(Debug, Clone)]
pub struct ModelProfile {
    /// Its name.
    pub name: &'static str,
    /// What it is a model of.
    pub about: String,
    /// Requests in each hour of the week from Monday 00:00, relative to the mean hour; nothing where it has no shape.
    pub week: Vec<f64>,
    /// What the distributions count: `tokens` or `seconds`.
    pub unit: &'static str,
    /// Its distributions.
    pub curves: Vec<Curve>,
    /// Its fields with their sources.
    pub described: Described,
}

/// A distribution: the share of values up to each value.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What is distributed.
    pub name: String,
    /// Values and the shares at or below them, both rising; values are positive.
    pub points: Vec<(f64, f64)>,
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// Mean.
    pub mean: f64,
}

/// The profile of a built-in model.
///
/// # Errors
/// A [`Problem`] with the nearest name when there is none of this name.
pub fn profile(name: &str) -> Result<ModelProfile, Problem> {
    let all: Vec<BuiltinModel> = ModelKind::ALL.into_iter().flat_map(builtin_models).collect();
    let Some(model) = all.iter().find(|model| model.name == name) else {
        let near = nearest(name, all.iter().map(|model| model.name)).map(|near| format!("did you mean `{near}`? "));
        let help = format!("{}`billcast models` lists them", near.unwrap_or_default());
        return Err(Problem::about_file(codes::SCENARIO_NAME, "", format!("there is no model `{name}`"), &help));
    };
    match model.kind {
        ModelKind::Traffic => traffic(model),
        ModelKind::Provider => provider(model),
    }
}

fn read<M: serde::de::DeserializeOwned>(model: &BuiltinModel) -> Result<(M, Described), Problem> {
    let found = preset::<M>(model.kind, model.name, &Files::here())?;
    let missing = |_| Problem::about_file(codes::SCENARIO_NAME, model.name, "the model is gone".to_owned(), "");
    found.map(|preset| (preset.model, preset.described)).map_err(missing)
}

fn traffic(model: &BuiltinModel) -> Result<ModelProfile, Problem> {
    let (of, described) = read::<TrafficModel>(model)?;
    let lengths = [("input", &of.input), ("output", &of.output), ("shared prefix", &of.prefix)];
    let curves = lengths.into_iter().filter_map(|(name, spec)| curve(name, spec.as_ref()?, true));
    Ok(ModelProfile {
        name: model.name,
        about: of.about.clone().unwrap_or_default(),
        week: of.shape.as_ref().map_or_else(Vec::new, |spec| week(&spec.0)),
        unit: "tokens",
        curves: curves.collect(),
        described,
    })
}

fn provider(model: &BuiltinModel) -> Result<ModelProfile, Problem> {
    let (of, described) = read::<ProviderModel>(model)?;
    let own = of.latency.iter().map(|latency| (String::new(), latency));
    let single = of.models.iter().map(|(name, latency)| (format!("{name}: "), latency));
    // A model that answers like the others needs no line of its own.
    let curves =
        own.chain(single.filter(|(_, latency)| Some(*latency) != of.latency.as_ref())).filter_map(|(of, latency)| {
            match latency {
                LatencySpec::Total(total) => curve(&format!("{of}whole answer"), total, false),
                LatencySpec::Parts(LatencyParts { first_token, .. }) => {
                    curve(&format!("{of}first token"), first_token, false)
                }
            }
        });
    Ok(ModelProfile {
        name: model.name,
        about: of.about.clone().unwrap_or_default(),
        week: Vec::new(),
        unit: "seconds",
        curves: curves.collect(),
        described,
    })
}

/// The hours of a week; a sine by the means of its hours.
fn week(shape: &Shape) -> Vec<f64> {
    match shape {
        Shape::Flat => vec![1.0; HOURS_PER_WEEK],
        Shape::Week(weights) => weights.to_vec(),
        Shape::Sine { amplitude, peak_s } => {
            let turn = std::f64::consts::TAU / 24.0;
            let hour = |hour: usize| {
                let from = ((hour % 24) as f64 - peak_s / 3600.0) * turn;
                1.0 + amplitude * (libm::sin(from + turn) - libm::sin(from)) / turn
            };
            (0..HOURS_PER_WEEK).map(hour).collect()
        }
    }
}

/// Points of a curve.
const POINTS: u32 = 400;

/// A distribution as a curve; whole numbers where it counts. Nothing where there is nothing, as in
/// the output of embeddings.
fn curve(name: &str, spec: &DistSpec, counts: bool) -> Option<Curve> {
    let dist = spec.compile().ok()?;
    let value = |u: f64| if counts { f64::from(dist.sample_count(u)) } else { dist.sample(u) };
    if dist.mean() <= 0.0 {
        return None;
    }
    let points = (0..=POINTS).map(|n| {
        let share = (f64::from(n) / f64::from(POINTS)).clamp(0.001, 0.999);
        (value(share), share)
    });
    let points: Vec<(f64, f64)> = points.filter(|(value, _)| *value > 0.0).collect();
    Some(Curve { name: name.to_owned(), points, p50: value(0.5), p95: value(0.95), mean: dist.mean() })
}

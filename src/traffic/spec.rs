//! Traffic as it is written in `models/traffic/*.yaml` and under a class in a scenario. Every field may be left out: a
//! class takes what it lacks from its preset.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::random::{Calendar, Dist, DistSpec, GapsSpec, Intensity, Law, Shape, ShapeSpec};
use crate::traffic::arrivals::{Arrivals, OnOff, TrafficError};
use crate::traffic::class::{Class, Patience, Repeats};
use crate::units::{BodyId, Count, KeyId, NameId, PerSecond, Seconds, Share, SimDuration, SimTime, Tokens};

/// Where a number comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Who published it, or what it was fitted to.
    pub source: String,
    /// The date for which it holds: YYYY-MM-DD.
    pub as_of: String,
}

/// What the requests of a class are like and when they come.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrafficModel {
    /// What kind of traffic this is.
    pub about: Option<String>,
    /// Requests (sessions, where there are any) per time, averaged over a week: `40/min`.
    pub rate: Option<PerSecond>,
    /// Which hours are busy, by the scenario's clock.
    pub shape: Option<ShapeSpec>,
    /// How arrivals bunch.
    pub gaps: Option<GapsSpec>,
    /// Growth of the rate per week: 0.02 is 2%.
    pub growth_per_week: Option<f64>,
    /// A switch that makes the rate alternate.
    pub on_off: Option<OnOffSpec>,
    /// Times at which more comes than usual.
    pub spikes: Option<Vec<Spike>>,
    /// Users in a loop, each waiting for its answer; in place of `rate`.
    pub workers: Option<WorkersSpec>,
    /// Conversations: `rate` then counts their starts.
    pub session: Option<SessionSpec>,
    /// Input tokens of a request.
    pub input: Option<DistSpec>,
    /// Output tokens of a complete answer; 0 for embeddings.
    pub output: Option<DistSpec>,
    /// Correlation of input and output lengths (Gaussian copula), -1 to 1.
    pub correlation: Option<f64>,
    /// Share of the output that is reasoning.
    pub reasoning: Option<DistSpec>,
    /// Tokens that all prompts begin with (system prompt, tools).
    pub prefix: Option<DistSpec>,
    /// Share of requests that ask for a stream.
    pub stream: Option<Share>,
    /// `max_tokens` that clients send.
    pub max_tokens: Option<Count>,
    /// Most tokens of input and output together.
    pub context: Option<Count>,
    /// Characters per token of the prompts.
    pub chars_per_token: Option<f64>,
    /// Word-for-word repetitions of earlier prompts.
    pub repeats: Option<RepeatsSpec>,
    /// Clients that give up after some time.
    pub leaves: Option<LeavesSpec>,
    /// Streaming clients that stop reading.
    pub stops_reading: Option<StopsSpec>,
    /// Factor on the rate, drawn once per run: how wrong the volume estimate may be.
    pub volume: Option<DistSpec>,
    /// Where the numbers come from, by field.
    pub sources: BTreeMap<String, Source>,
}

/// A class that is busy and quiet by turns.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnOffSpec {
    /// Mean length of busy times.
    pub busy: Seconds,
    /// Mean length of quiet times.
    pub quiet: Seconds,
    /// Rate when quiet, relative to when busy.
    #[serde(default = "nothing")]
    pub quiet_rate: Share,
}

const fn nothing() -> Share {
    Share(0.0)
}

/// A time at which more comes than usual: a launch, a runaway loop.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spike {
    /// When it begins, after the start of the run.
    pub at: Seconds,
    /// How long it lasts.
    pub lasts: Seconds,
    /// What comes on top of the usual.
    pub extra: PerSecond,
}

/// Users in a loop.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkersSpec {
    /// How many.
    pub count: u32,
    /// Seconds between an answer and the next request.
    pub think: DistSpec,
    /// When they start.
    #[serde(default = "at_once")]
    pub start: Seconds,
    /// Time over which they start.
    #[serde(default = "at_once")]
    pub ramp: Seconds,
    /// How long they go on; to the end of the run if left out.
    pub lasts: Option<Seconds>,
}

const fn at_once() -> Seconds {
    Seconds(0.0)
}

/// Conversations whose context grows.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionSpec {
    /// Turns of a session.
    pub turns: DistSpec,
    /// Seconds between an answer and the next turn.
    pub think: DistSpec,
    /// New input tokens of each later turn.
    pub follow_up: DistSpec,
}

/// Repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepeatsSpec {
    /// Share of requests that repeat an earlier one.
    pub share: Share,
    /// How old the repeated one may be.
    pub within: Seconds,
    /// Of this many candidates the longest is repeated.
    #[serde(default = "one")]
    pub longest_of: u32,
}

const fn one() -> u32 {
    1
}

/// Clients that give up after some time.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeavesSpec {
    /// Share of the clients.
    pub share: Share,
    /// Seconds until they leave.
    pub after: DistSpec,
}

/// Streaming clients that stop reading.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopsSpec {
    /// Share of the streaming clients.
    pub share: Share,
    /// Streamed pieces until they stop.
    pub after_chunks: DistSpec,
}

macro_rules! or_else_field_by_field {
    ($own:ident, $base:ident, $($field:ident),+) => {
        TrafficModel { $($field: $own.$field.or($base.$field),)+ sources: merged($base.sources, $own.sources) }
    };
}

fn merged(mut base: BTreeMap<String, Source>, own: BTreeMap<String, Source>) -> BTreeMap<String, Source> {
    base.extend(own);
    base
}

impl TrafficModel {
    /// These fields, and the preset's where there are none.
    #[must_use]
    pub fn over(self, preset: Self) -> Self {
        or_else_field_by_field!(
            self,
            preset,
            about,
            rate,
            shape,
            gaps,
            growth_per_week,
            on_off,
            spikes,
            workers,
            session,
            input,
            output,
            correlation,
            reasoning,
            prefix,
            stream,
            max_tokens,
            context,
            chars_per_token,
            repeats,
            leaves,
            stops_reading,
            volume
        )
    }

    /// The class that these fields describe, in a run on this calendar.
    ///
    /// # Errors
    /// [`TrafficError`] naming the field that is missing or impossible.
    pub fn compile(
        &self,
        calendar: &Calendar,
        models: Vec<(NameId, f64)>,
        keys: Vec<(KeyId, f64)>,
        body: BodyId,
    ) -> Result<Class, TrafficError> {
        let input = self.input.as_ref().ok_or(TrafficError::Missing("input"))?.compile()?;
        let output = match self.output.as_ref().ok_or(TrafficError::Missing("output"))? {
            spec if *spec.law() == Law::Constant(0.0) => None,
            spec => Some(spec.compile()?),
        };
        let class = Class {
            correlation: self.correlation.unwrap_or(0.0),
            reasoning_share: compiled(self.reasoning.as_ref())?,
            prefix: compiled(self.prefix.as_ref())?,
            stream_share: self.stream.map_or(0.0, |share| share.0),
            max_tokens: self.max_tokens.map(tokens),
            context_tokens: self.context.map(tokens),
            chars_per_token: self.chars_per_token.unwrap_or(DEFAULT_CHARS_PER_TOKEN),
            repeats: self.repeats.map(|spec| Repeats {
                share: spec.share.0,
                window: span(spec.within),
                longest_of: spec.longest_of,
            }),
            patience: self.patience()?,
            volume: compiled(self.volume.as_ref())?,
            models,
            keys,
            body,
            ..Class::new(self.arrivals(calendar)?, NameId(0), KeyId(0), input, output)
        };
        class.check()?;
        Ok(class)
    }

    fn patience(&self) -> Result<Option<Patience>, TrafficError> {
        if self.leaves.is_none() && self.stops_reading.is_none() {
            return Ok(None);
        }
        let never = || Dist::constant(0.0);
        let (leaving_share, wait_s) = match &self.leaves {
            Some(spec) => (spec.share.0, spec.after.compile()?),
            None => (0.0, never()?),
        };
        let (stops_reading_share, reads_chunks) = match &self.stops_reading {
            Some(spec) => (spec.share.0, spec.after_chunks.compile()?),
            None => (0.0, never()?),
        };
        Ok(Some(Patience { leaving_share, wait_s, stops_reading_share, reads_chunks }))
    }

    fn arrivals(&self, calendar: &Calendar) -> Result<Arrivals, TrafficError> {
        if let Some(workers) = &self.workers {
            if self.rate.is_some() || self.session.is_some() {
                return Err(TrafficError::Contradiction("workers", "rate and session"));
            }
            let end = workers.lasts.map_or(calendar.horizon, |lasts| span(workers.start) + span(lasts));
            let (start, ramp) = (span(workers.start), span(workers.ramp));
            let think_s = workers.think.compile()?;
            return Ok(Arrivals::Workers {
                count: workers.count,
                think_s,
                start,
                ramp,
                end: end.min(calendar.horizon),
            });
        }
        let intensity = Arc::new(self.intensity(calendar)?);
        let gaps = self.gaps.unwrap_or(GapsSpec::Poisson).compile()?;
        match &self.session {
            None => {
                let on_off =
                    self.on_off.map(|s| OnOff { on_s: s.busy.0, off_s: s.quiet.0, quiet_share: s.quiet_rate.0 });
                Ok(Arrivals::Open { intensity, gaps, on_off })
            }
            Some(_) if self.on_off.is_some() => Err(TrafficError::Contradiction("session", "on_off")),
            Some(session) => Ok(Arrivals::Sessions {
                intensity,
                gaps,
                turns: session.turns.compile()?,
                think_s: session.think.compile()?,
                follow_up: session.follow_up.compile()?,
                end: calendar.horizon,
            }),
        }
    }

    fn intensity(&self, calendar: &Calendar) -> Result<Intensity, TrafficError> {
        let rate = self.rate.ok_or(TrafficError::Missing("rate"))?;
        let shape = self.shape.as_ref().map_or(&Shape::Flat, |spec| &spec.0);
        let mut intensity = shape.intensity(rate.0, calendar);
        if let Some(growth) = self.growth_per_week {
            if !(growth > -1.0 && growth <= MOST_GROWTH) {
                let expected = "a number above -1 (-100%) and at most 100";
                return Err(TrafficError::Parameter("growth_per_week", growth, expected));
            }
            let middle_weeks = |from: SimTime, to: SimTime| (from.as_secs_f64() + to.as_secs_f64()) / 2.0 / WEEK_S;
            intensity = intensity.scaled_by(|from, to| libm::pow(1.0 + growth, middle_weeks(from, to)));
        }
        for spike in self.spikes.iter().flatten() {
            let start = SimTime::ZERO + span(spike.at);
            let end = (start + span(spike.lasts)).min(SimTime::ZERO + calendar.horizon);
            intensity = intensity.plus(start, end, spike.extra.0);
        }
        Ok(intensity)
    }
}

const WEEK_S: f64 = 604_800.0;
const MOST_GROWTH: f64 = 100.0;
/// OpenAI's rule of thumb for English text: one token is about four characters.
const DEFAULT_CHARS_PER_TOKEN: f64 = 4.0;

fn compiled(spec: Option<&DistSpec>) -> Result<Option<Dist>, TrafficError> {
    Ok(spec.map(DistSpec::compile).transpose()?)
}

fn tokens(count: Count) -> Tokens {
    count.0 as Tokens
}

fn span(seconds: Seconds) -> SimDuration {
    SimDuration::from_secs_f64(seconds.0)
}

#[cfg(test)]
mod tests {
    use super::*;

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
                assert!(
                    source.as_of.parse::<jiff::civil::Date>().is_ok() && source.source.len() > 4,
                    "{name}: {field}"
                );
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

    #[test]
    fn mistakes_are_named() {
        let read = |text: &str| serde_saphyr::from_str::<TrafficModel>(text).map_err(|e| e.to_string());
        assert!(read("rat: 3").unwrap_err().contains("rat"));
        assert!(read("input: lognormal(median=3)").unwrap_err().contains("also needs p95="));
        let compile = |text: &str| {
            let model = read(text).unwrap();
            model.compile(&a_day(), vec![(NameId(0), 1.0)], vec![(KeyId(0), 1.0)], BodyId(0)).map(|_| ()).unwrap_err()
        };
        assert_eq!(compile("rate: 1"), TrafficError::Missing("input"));
        assert_eq!(compile("{ input: 5, output: 5 }"), TrafficError::Missing("rate"));
        let both = "{ input: 5, output: 5, rate: 1, workers: { count: 3, think: 1 } }";
        assert_eq!(compile(both), TrafficError::Contradiction("workers", "rate and session"));
        let repeats = "{ input: 5, output: 5, workers: { count: 3, think: 1 }, repeats: { share: 5%, within: 1h } }";
        assert_eq!(compile(repeats), TrafficError::RepeatsNeedOpenArrivals);
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
    }
}

//! From what is written to a checked class.

use std::sync::Arc;

use crate::random::{Calendar, Dist, DistSpec, GapsSpec, Intensity, Law, Shape};
use crate::traffic::arrivals::{Arrivals, OnOff, TrafficError};
use crate::traffic::class::{Class, Patience, Repeats};
use crate::traffic::excited::Excites;
use crate::traffic::replay::Replay;
use crate::traffic::spec::{RetriesSpec, TrafficModel};
use crate::units::{BodyId, Count, Growth, KeyId, NameId, Seconds, SimDuration, SimTime, Tokens};

impl TrafficModel {
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
        let input = self.input.as_ref().ok_or(TrafficError::Missing("input"))?;
        let output = self.output.as_ref().ok_or(TrafficError::Missing("output"))?;
        self.class(self.arrivals(calendar)?, (input, output), models, keys, body)
    }

    /// The class of a recorded trace: the fields say what the trace does not.
    ///
    /// # Errors
    /// [`TrafficError`] naming the field that is impossible.
    pub fn replayed(
        &self,
        replay: Replay,
        models: Vec<(NameId, f64)>,
        keys: Vec<(KeyId, f64)>,
        body: BodyId,
    ) -> Result<Class, TrafficError> {
        let nothing = DistSpec::constant(0.0);
        let fills = self.input.is_some() && self.output.is_some();
        let lengths = (self.input.as_ref().unwrap_or(&nothing), self.output.as_ref().unwrap_or(&nothing));
        // Repetitions are in the trace, or they are not known.
        let model = Self { repeats: None, ..self.clone() };
        model.class(Arrivals::Replay(Replay { fills, ..replay }), lengths, models, keys, body)
    }

    fn class(
        &self,
        arrivals: Arrivals,
        (input, output): (&DistSpec, &DistSpec),
        models: Vec<(NameId, f64)>,
        keys: Vec<(KeyId, f64)>,
        body: BodyId,
    ) -> Result<Class, TrafficError> {
        let input = input.compile()?;
        let output = match output {
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
            timeout: self.timeout.map(span),
            retries: self.retries.map(RetriesSpec::compile),
            volume: compiled(self.volume.as_ref())?,
            models,
            keys,
            body,
            ..Class::new(arrivals, NameId(0), KeyId(0), input, output)
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
        if let Some(spec) = self.excites {
            let others = self.gaps.is_some_and(|gaps| gaps != GapsSpec::Poisson) || self.on_off.is_some();
            if others || self.session.is_some() || self.clients.is_some() {
                return Err(TrafficError::Contradiction("excites", "gaps, on_off, session and clients"));
            }
            let excites = Excites { share: spec.share.0, within_s: spec.within.0 };
            return Ok(Arrivals::Excited { intensity, excites });
        }
        let gaps = self.gaps.unwrap_or(GapsSpec::Poisson).compile()?;
        if let Some(clients) = self.clients {
            if self.on_off.is_some() || self.session.is_some() {
                return Err(TrafficError::Contradiction("clients", "on_off and session"));
            }
            return Ok(Arrivals::Clients { intensity, gaps, crowd: clients.compile() });
        }
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

    pub(super) fn intensity(&self, calendar: &Calendar) -> Result<Intensity, TrafficError> {
        let rate = self.rate.ok_or(TrafficError::Missing("rate"))?;
        let shape = self.shape.as_ref().map_or(&Shape::Flat, |spec| &spec.0);
        let mut intensity = shape.intensity(rate.0, calendar);
        if let Some(Growth(growth)) = self.growth_per_week {
            let middle_weeks = |from: SimTime, to: SimTime| (from.as_secs_f64() + to.as_secs_f64()) / 2.0 / WEEK_S;
            intensity = intensity.scaled_by(|from, to| libm::pow(1.0 + growth, middle_weeks(from, to)));
        }
        for spike in self.spikes.iter().flatten() {
            let start = SimTime::ZERO + span(spike.at);
            let end = (start + span(spike.lasts)).min(SimTime::ZERO + calendar.horizon);
            if start < end {
                intensity = intensity.plus(start, end, spike.extra.0);
            }
        }
        Ok(intensity)
    }
}

pub(super) const WEEK_S: f64 = 604_800.0;
/// OpenAI's rule of thumb for English text: one token is about four characters.
const DEFAULT_CHARS_PER_TOKEN: f64 = 4.0;

fn compiled(spec: Option<&DistSpec>) -> Result<Option<Dist>, TrafficError> {
    Ok(spec.map(DistSpec::compile).transpose()?)
}

fn tokens(count: Count) -> Tokens {
    count.0 as Tokens
}

pub(super) fn span(seconds: Seconds) -> SimDuration {
    SimDuration::from_secs_f64(seconds.0)
}
